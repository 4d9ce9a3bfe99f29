// One HTTP request and its whole answer, over TCP on loopback or a unix socket, with a deadline.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

namespace liaison_system {

struct Reply {
    unsigned status = 0;      // 0: no answer came
    boost::json::value body;  // null when there is none
    std::string text;         // the same as it was sent
    std::string location;     // where a redirect leads
};

struct Call {
    std::string method, target, body;
    std::string headers = {};  // further ones, each with its line end
    std::string host = "localhost";
};

Reply ask_port(std::uint16_t port, const Call& call);
Reply ask_socket(const std::string& path, const Call& call);

}  // namespace liaison_system
