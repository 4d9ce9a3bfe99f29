#include "odoo_wire.hpp"

#include <pugixml.hpp>

#include <algorithm>
#include <cstdint>

namespace liaison_sim::odoo_wire {
namespace {

[[noreturn]] void refuse_xml(const std::string& why) { throw Error(1, "xml.parsers.expat.ExpatError", why); }

Json value_of(const pugi::xml_node& value) {
    const pugi::xml_node typed =
        value.find_child([](const pugi::xml_node& child) { return child.type() == pugi::node_element; });
    if (std::string_view(value.name()) != "value") refuse_xml("a value is missing");
    if (!typed) return Json::string(value.text().get());
    const std::string type = typed.name(), text = typed.text().get();
    if (type == "string") return Json::string(text);
    if (type == "boolean" && (text == "0" || text == "1")) return Json::boolean(text == "1");
    if (type == "double") return Json::number(text);
    if (type == "int" || type == "i4") {
        const auto number = Json::number(text).as_integer();
        if (!number || *number > INT32_MAX || *number < INT32_MIN) refuse_xml("int exceeds XML-RPC limits");
        return Json::integer(*number);
    }
    Json made = type == "array" ? Json::array() : Json::object();
    if (type == "array") {
        for (const pugi::xml_node& item : typed.child("data").children("value"))
            made.items().push_back(value_of(item));
        return made;
    }
    if (type != "struct") refuse_xml("unknown type " + type);
    for (const pugi::xml_node& member : typed.children("member"))
        made.set(member.child_value("name"), value_of(member.child("value")));
    return made;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

void write(std::string& out, const Json& value) {
    out += "<value>";
    switch (value.kind()) {
        case Json::Kind::null: out += "<nil/>"; break;
        case Json::Kind::boolean:
            out += value.truth() ? "<boolean>1</boolean>" : "<boolean>0</boolean>";
            break;
        case Json::Kind::number: {
            const char* type = value.as_integer() ? "int" : "double";
            out += std::string("<") + type + ">" + value.text() + "</" + type + ">";
            break;
        }
        case Json::Kind::string: out += "<string>" + escaped(value.text()) + "</string>"; break;
        case Json::Kind::array:
            out += "<array><data>\n";
            for (const Json& item : value.items()) write(out, item);
            out += "</data></array>";
            break;
        case Json::Kind::object:
            out += "<struct>\n";
            for (const auto& member : value.members()) {
                out += "<member>\n<name>" + escaped(member.key) + "</name>\n";
                write(out, member.value);
                out += "</member>\n";
            }
            out += "</struct>";
            break;
    }
    out += "</value>\n";
}

Response xml(std::string body) {
    Response response;
    response.headers.emplace_back("Content-Type", "text/xml; charset=utf-8");
    response.body = std::move(body);
    return response;
}

std::string traceback(const Error& error) {
    return "Traceback (most recent call last):\n  File \"/odoo/addons/base/controllers/rpc.py\", line 69, in "
           "xmlrpc_2\n"
           "    response = self._xmlrpc(service)\n" +
           error.name + ": " + error.message + "\n";
}

unsigned status_of(const Error& error) {
    if (error.status != 0) return error.status;
    if (error.name == "odoo.exceptions.MissingError") return 404;
    if (error.name == "odoo.exceptions.AccessError") return 403;
    return error.fault == 2 ? 422 : 500;
}

}  // namespace

Call parse_call(const Request& request) {
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
    };
    if (std::any_of(request.body.begin(), request.body.end(), is_control))
        refuse_xml("not well-formed (invalid token)");
    pugi::xml_document document;
    if (!document.load_buffer(request.body.data(), request.body.size(),
                              pugi::parse_default | pugi::parse_ws_pcdata_single))
        refuse_xml("no element found");
    const pugi::xml_node root = document.child("methodCall");
    Call call;
    call.method = root.child_value("methodName");
    if (call.method.empty()) refuse_xml("no method");
    for (const pugi::xml_node& parameter : root.child("params").children("param"))
        call.parameters.items().push_back(value_of(parameter.child("value")));
    return call;
}

Response xml_answer(const Json& value) {
    std::string body = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n";
    write(body, value);
    return xml(body + "</param>\n</params>\n</methodResponse>\n");
}

Response xml_fault(const Error& error) {
    Json fault = Json::object();
    fault.set("faultCode", Json::integer(error.fault));
    fault.set("faultString", Json::string(error.fault == 1 ? traceback(error) : error.message));
    std::string body = "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n";
    write(body, fault);
    return xml(body + "</fault>\n</methodResponse>\n");
}

Response json_error(const Error& error) {
    Json body = Json::object();
    const bool is_builtin = error.name.find('.') == std::string::npos;
    body.set("name", Json::string(is_builtin ? "builtins." + error.name : error.name))
        .set("message", Json::string(error.message));
    body.set("arguments", Json::array()).set("context", Json::object());
    body.set("debug", Json::string(traceback(error)));
    return json_response(status_of(error), body.serialize());
}

}  // namespace liaison_sim::odoo_wire
