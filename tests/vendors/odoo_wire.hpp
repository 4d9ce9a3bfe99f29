// How the simulated Odoo talks: XML-RPC as its server reads and writes it, and the errors of both its doors.
#pragma once

#include <string>
#include <utility>

#include "message.hpp"

namespace liaison_sim::odoo_wire {

// What a method ends with when it does not end well. `fault` as in /xmlrpc/2: 1 unhandled, 2 for people, 3
// login, 4 rights.
struct Error {
    Error(int fault, std::string name, std::string message, unsigned status = 0)
        : fault(fault), name(std::move(name)), message(std::move(message)), status(status) {}
    int fault;
    std::string name, message;
    unsigned status;  // of JSON-2; 0: as its name says
};

struct Call {
    std::string method;
    Json parameters = Json::array();
};

// Refuses, with a fault as Python would, what its parser refuses: control characters, <nil/>, too big an
// <int>.
Call parse_call(const Request& request);
Response xml_answer(const Json& value);
Response xml_fault(const Error& error);
Response json_error(const Error& error);

}  // namespace liaison_sim::odoo_wire
