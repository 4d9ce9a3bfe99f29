// CurlTransport: libcurl's multi interface driven by the core's io_context. One pool of connections per
// integration, so that no integration rides on a connection that another one's rules allowed. [core thread]
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <unordered_map>

#include "http/transport.hpp"

namespace liaisond::http {

class CurlPool;

class CurlTransport final : public Transport {
  public:
    explicit CurlTransport(boost::asio::io_context& core);
    ~CurlTransport() override;

    void send(Request request, Completion<Response> done) override;
    void cancel(const std::string& pool) override;

  private:
    boost::asio::io_context& core_;
    std::unordered_map<std::string, std::unique_ptr<CurlPool>> pools_;
};

}  // namespace liaisond::http
