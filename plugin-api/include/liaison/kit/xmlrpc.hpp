// XML-RPC: calls to text, answers to Json. Needs pugixml.
//
// Numbers keep their text: <int> for whole numbers of 32 bits, <double> for everything with a point or an
// exponent. Values of an answer that JSON has no word for become texts: dateTime.iso8601 and base64 as they
// were written.
#pragma once

#if !__has_include(<pugixml.hpp>)
#error "kit/xmlrpc.hpp needs pugixml: install libpugixml-dev and link pugixml::pugixml"
#endif
#include <pugixml.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <liaison/kit/decimal.hpp>
#include <liaison/kit/json.hpp>

namespace liaison::kit::xmlrpc {

class XmlRpcError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// What the other side refuses with; `code` means what its documentation says.
struct Fault {
    std::int64_t code = 0;
    std::string text;
};

struct Answer {
    Json result;
    std::optional<Fault> fault;
};

// Where the text of a call goes: as it is, or into a body template of the host, where "{{" of data must not
// begin a placeholder.
enum class Body { plain, host_template };

namespace parts {

inline constexpr int max_depth = Json::max_depth;

// Characters that XML 1.0 cannot carry in any form are left out.
inline void append_text(std::string& out, std::string_view text, Body body) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (text[i] == '&') {
            out += "&amp;";
        } else if (text[i] == '<') {
            out += "&lt;";
        } else if (text[i] == '>') {
            out += "&gt;";
        } else if (text[i] == '\r') {
            out += "&#13;";
        } else if (body == Body::host_template && text.substr(i, 2) == "{{") {
            out += "{{{{}}";
            ++i;
        } else if (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF") {
            i += 2;
        } else if (byte >= 0x20 || text[i] == '\t' || text[i] == '\n') {
            out.push_back(text[i]);
        }
    }
}

inline void append_number(std::string& out, const Json& number) {
    const std::string& text = number.number_text();
    if (text.find_first_of(".eE") != std::string::npos) {
        out += "<double>" + text + "</double>";
        return;
    }
    const std::optional<std::int64_t> value = number.to_int();
    if (!value || *value > INT32_MAX || *value < INT32_MIN)
        throw XmlRpcError("the whole number " + text + " has more than the 32 bits of XML-RPC");
    out += "<int>" + text + "</int>";
}

}  // namespace parts

// <value>...</value>. Throws XmlRpcError for null, which XML-RPC lacks, and for whole numbers beyond 32 bits.
inline void append_value(std::string& out, const Json& value, Body body) {
    out += "<value>";
    switch (value.kind()) {
        case Json::Kind::null: throw XmlRpcError("XML-RPC cannot say null");
        case Json::Kind::boolean:
            out += value.as_bool() ? "<boolean>1" : "<boolean>0", out += "</boolean>";
            break;
        case Json::Kind::number: parts::append_number(out, value); break;
        case Json::Kind::string:
            out += "<string>";
            parts::append_text(out, value.as_string(), body);
            out += "</string>";
            break;
        case Json::Kind::array:
            out += "<array><data>";
            for (const Json& item : value.items()) append_value(out, item, body);
            out += "</data></array>";
            break;
        case Json::Kind::object:
            out += "<struct>";
            for (const Json::Member& member : value.members()) {
                out += "<member><name>";
                parts::append_text(out, member.key, body);
                out += "</name>";
                append_value(out, member.value, body);
                out += "</member>";
            }
            out += "</struct>";
            break;
    }
    out += "</value>";
}

// A call under construction: MethodCall("add").parameter(1).parameter(2).text().
class MethodCall {
  public:
    explicit MethodCall(std::string_view method, Body body = Body::plain) : body_(body) {
        text_ = "<?xml version=\"1.0\"?>\n<methodCall><methodName>";
        parts::append_text(text_, method, body_);
        text_ += "</methodName><params>";
    }
    MethodCall& parameter(const Json& value) {
        text_ += "<param>";
        append_value(text_, value, body_);
        text_ += "</param>";
        return *this;
    }
    // A placeholder of the host, such as {{secret:key}}, as a value of that XML-RPC type.
    MethodCall& placeholder(const std::string& type, std::string_view name) {
        text_ += "<param><value><" + type + ">{{";
        text_ += name;
        text_ += "}}</" + type + "></value></param>";
        return *this;
    }
    std::string text() const { return text_ + "</params></methodCall>"; }

  private:
    Body body_;
    std::string text_;
};

namespace parts {

inline std::string text_of(const pugi::xml_node& node) {
    std::string text;
    for (const pugi::xml_node& child : node.children()) {
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) text += child.value();
    }
    if (utf8_fault(text) != std::string::npos) throw XmlRpcError("a text is not UTF-8");
    return text;
}

inline pugi::xml_node only_element(const pugi::xml_node& node) {
    pugi::xml_node found;
    for (const pugi::xml_node& child : node.children()) {
        if (child.type() != pugi::node_element) continue;
        if (found) throw XmlRpcError(std::string("<") + node.name() + "> holds several elements");
        found = child;
    }
    return found;
}

inline Json number_of(const std::string& type, const std::string& text) {
    std::string_view digits = trimmed(text);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    try {
        Json number = Json::parse(digits);
        const bool is_whole = type != "double";
        if (number.is_number() && (!is_whole || number.to_int())) return number;
    } catch (const JsonError&) {
        // Said below: "nan", "inf" and the like.
    }
    throw XmlRpcError("<" + type + "> holds '" + excerpt(text, 60) + "', which is no number");
}

inline Json value_of(const pugi::xml_node& value, int depth);

inline Json array_of(const pugi::xml_node& array, int depth) {
    Json items = Json::array();
    for (const pugi::xml_node& value : array.child("data").children()) {
        if (value.type() == pugi::node_element) items.push_back(value_of(value, depth));
    }
    return items;
}

inline Json struct_of(const pugi::xml_node& members, int depth) {
    Json object = Json::object();
    for (const pugi::xml_node& member : members.children("member"))
        object.members().push_back({text_of(member.child("name")), value_of(member.child("value"), depth)});
    return object;
}

inline Json value_of(const pugi::xml_node& value, int depth) {
    if (std::string_view(value.name()) != "value") throw XmlRpcError("a <value> is missing");
    if (depth > max_depth) throw XmlRpcError("nested too deeply");
    const pugi::xml_node typed = only_element(value);
    if (!typed) return Json(text_of(value));  // without a type it is a string
    const std::string type = typed.name();
    if (type == "string" || type == "dateTime.iso8601" || type == "base64") return Json(text_of(typed));
    if (type == "int" || type == "i4" || type == "i8" || type == "double")
        return number_of(type, text_of(typed));
    if (type == "nil" || type == "ex:nil") return Json();
    if (type == "array") return array_of(typed, depth + 1);
    if (type == "struct") return struct_of(typed, depth + 1);
    if (type != "boolean") throw XmlRpcError("unknown type <" + type + ">");
    const std::string text(trimmed(text_of(typed)));
    if (text != "0" && text != "1") throw XmlRpcError("<boolean> holds '" + excerpt(text, 60) + "'");
    return Json(text == "1");
}

inline pugi::xml_node root_of(pugi::xml_document& document, std::string_view text, const char* name) {
    const pugi::xml_parse_result parsed =
        document.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
    if (!parsed)
        throw XmlRpcError(std::string("not XML: ") + parsed.description() + ", byte " +
                          std::to_string(parsed.offset));
    const pugi::xml_node root = document.child(name);
    if (!root) throw XmlRpcError(std::string("<") + name + "> is missing");
    return root;
}

}  // namespace parts

// Throws XmlRpcError for what is no XML-RPC answer.
inline Answer parse_answer(std::string_view text) {
    pugi::xml_document document;
    const pugi::xml_node root = parts::root_of(document, text, "methodResponse");
    Answer answer;
    if (const pugi::xml_node fault = root.child("fault")) {
        const Json said = parts::value_of(fault.child("value"), 0);
        const Json *code = said.find("faultCode"), *words = said.find("faultString");
        if (code == nullptr || words == nullptr) throw XmlRpcError("a <fault> without code and text");
        answer.fault = Fault{code->to_int().value_or(0), std::string(words->scalar_text())};
        return answer;
    }
    answer.result = parts::value_of(root.child("params").child("param").child("value"), 0);
    return answer;
}

struct Call {
    std::string method;
    Json parameters = Json::array();
};

// The other direction, for tests and servers. Throws XmlRpcError.
inline Call parse_call(std::string_view text) {
    pugi::xml_document document;
    const pugi::xml_node root = parts::root_of(document, text, "methodCall");
    Call call;
    call.method = parts::text_of(root.child("methodName"));
    if (call.method.empty()) throw XmlRpcError("<methodName> is missing");
    for (const pugi::xml_node& parameter : root.child("params").children("param"))
        call.parameters.push_back(parts::value_of(parameter.child("value"), 0));
    return call;
}

}  // namespace liaison::kit::xmlrpc
