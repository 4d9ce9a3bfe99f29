// FileTransport: the `file` scheme of plugin.h (drop folders), confined to the folders an integration names.
// Disk access happens on a thread of its own, so a slow share never stalls the core.
#pragma once

#include <functional>

#include <boost/asio/thread_pool.hpp>

#include "http/transport.hpp"

namespace liaisond::http {

// One file request, synchronously: GET (folder or file, Range, If-Match), PUT (If-None-Match: *), MOVE
// (Destination).
Response perform_file_request(const Request& request);

class FileTransport final : public Transport {
  public:
    using Post = std::function<void(std::function<void()>)>;
    // `post` runs a function on the core thread. [any thread]
    explicit FileTransport(Post post);
    ~FileTransport() override;

    void send(Request request, Completion<Response> done) override;
    void cancel(const std::string& pool) override;  // disk requests end by themselves

  private:
    Post post_;
    boost::asio::thread_pool disk_{1};
};

// Sends by scheme: file: to one transport, everything else to the other.
class SchemeRouter final : public Transport {
  public:
    SchemeRouter(Transport& network, Transport& files) : network_(network), files_(files) {}
    void send(Request request, Completion<Response> done) override {
        Transport& chosen = request.url.starts_with("file:") ? files_ : network_;
        chosen.send(std::move(request), std::move(done));
    }
    void cancel(const std::string& pool) override {
        network_.cancel(pool);
        files_.cancel(pool);
    }

  private:
    Transport& network_;
    Transport& files_;
};

}  // namespace liaisond::http
