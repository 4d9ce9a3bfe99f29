// Client: the daemon's HTTP API over its unix socket, one request per connection, blocking.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "base/time.hpp"

namespace liaisond::ctl {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// "/api/v1" + the path's segments and the parameters, encoded; parameters without a value are left out.
std::string api_target(const std::vector<std::string>& segments, const Parameters& parameters = {});

class Client {
  public:
    static constexpr Milliseconds usual_patience{30'000};
    static constexpr Milliseconds no_limit{0};
    // Codes of errors: the daemon could not be asked, or it refused (problem() then holds what it said).
    static constexpr const char* unreachable = "unreachable";
    static constexpr const char* refused = "refused";

    Client(std::string socket, std::string user_agent)
        : socket_(std::move(socket)), user_agent_(std::move(user_agent)) {}

    Result<boost::json::value> get(const std::string& target, Milliseconds patience = usual_patience);
    Result<boost::json::value> post(const std::string& target, Milliseconds patience = usual_patience);
    Result<boost::json::value> post(const std::string& target, const boost::json::value& body);
    // PUT, PATCH or DELETE; `body` null: none.
    Result<boost::json::value> send(const std::string& method, const std::string& target,
                                    const boost::json::value& body = {});

    const std::string& socket() const { return socket_; }
    // The last problem document (RFC 9457); null when the last answer was none.
    const boost::json::value& problem() const { return problem_; }

  private:
    // `body` null: none.
    Result<boost::json::value> ask(const std::string& method, const std::string& target,
                                   const boost::json::value& body, Milliseconds patience);
    Result<boost::json::value> understand(unsigned status, const std::string& body);

    std::string socket_, user_agent_;
    boost::json::value problem_;
};

}  // namespace liaisond::ctl
