// What travels: XML documents without card data, the faults in them, acknowledgements.
#pragma once

#include <pugixml.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/http.hpp>
#include <liaison/kit/xml_elements.hpp>

#include "settings.hpp"

namespace booking_com {

using liaison::Response;

inline constexpr char ota_namespace[] = "http://www.opentravel.org/OTA/2003/05";

// Card data. The host empties these elements already on arrival (never_keep in the manifest says the same):
// whoever runs this elsewhere, or forgets it there, must not read them either.
inline const std::vector<std::string>& card_elements() {
    static const std::vector<std::string> names{
        "Guarantee",
        "Guarantees",
        "GuaranteesAccepted",
        "GuaranteeAccepted",
        "PaymentCard",
        "PaymentForm",
        "DepositPayments",
        "CardNumber",
        "CardHolderName",
        "SeriesCode",
        "CardType",
        "ThreeDomainSecurity",
        "cc_*",
        "dc_*",
        "vcc_*",
    };
    return names;
}

// The two queues of messages.
enum class Queue { fresh, changed };

struct QueueNames {
    const char *path, *messages, *message, *answer;
};
inline const QueueNames& names_of(Queue queue) {
    static constexpr QueueNames fresh{"/hotels/ota/OTA_HotelResNotif", "HotelReservations",
                                      "HotelReservation", "OTA_HotelResNotifRS"};
    static constexpr QueueNames changed{"/hotels/ota/OTA_HotelResModifyNotif", "HotelResModifies",
                                        "HotelResModify", "OTA_HotelResModifyNotifRS"};
    return queue == Queue::fresh ? fresh : changed;
}

inline std::string_view local_name(const pugi::xml_node& node) {
    return kit::xml_parts::local_name(node.name());
}
// Children and descendants by local name, whatever the prefix.
inline pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
    for (const pugi::xml_node& one : node.children()) {
        if (local_name(one) == name) return one;
    }
    return {};
}
inline std::vector<pugi::xml_node> children(const pugi::xml_node& node, std::string_view name) {
    std::vector<pugi::xml_node> found;
    for (const pugi::xml_node& one : node.children()) {
        if (local_name(one) == name) found.push_back(one);
    }
    return found;
}
inline pugi::xml_node descend(pugi::xml_node node, std::initializer_list<std::string_view> path) {
    for (const std::string_view name : path) node = child(node, name);
    return node;
}
inline std::string text_of(const pugi::xml_node& node) {
    return std::string(kit::trimmed(node.text().get()));
}
inline std::string attribute(const pugi::xml_node& node, const char* name) {
    return std::string(kit::trimmed(node.attribute(name).value()));
}

inline std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out.push_back(c);
        }
    }
    return out;
}

// The document, card data emptied. Throws Failure: what is no XML comes from a proxy, or was cut off.
inline void load(pugi::xml_document& document, const Response& answer, const std::string& url) {
    const std::string text = kit::without_elements(answer.body, card_elements());
    const pugi::xml_parse_result parsed =
        document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
    if (parsed && document.document_element()) return;
    throw Failure(
        ErrorKind::transient, "the answer is not whole XML (" + url + "): " + parsed.description(),
        "HTTP " + std::to_string(answer.status) + ", " + std::to_string(answer.body.size()) + " bytes");
}

// One error or warning of an answer, whose status may well be 200.
struct Fault {
    std::string code, text, locator;
    bool is_warning = false;
};

inline std::vector<Fault> faults_of(const pugi::xml_document& document) {
    std::vector<Fault> found;
    const auto add = [&](const pugi::xml_node& node, bool is_warning) {
        Fault fault;
        fault.is_warning = is_warning;
        fault.code = attribute(node, "Code") + attribute(node, "code");
        fault.text = attribute(node, "ShortText") + attribute(node, "string");
        if (fault.text.empty()) fault.text = text_of(child(node, "message"));
        if (fault.text.empty()) fault.text = text_of(node);
        for (const char* name : {"LocatorID", "RecordID"}) {
            if (fault.locator.empty()) fault.locator = attribute(node, name);
        }
        fault.text = kit::excerpt(fault.text, kit::max_vendor_text);
        found.push_back(std::move(fault));
    };
    const pugi::xml_node root = document.document_element();
    const std::string name = kit::lowered(local_name(root));
    if (name == "fault" || name == "error") add(root, false);
    const auto walk = [&](const auto& self, const pugi::xml_node& node) -> void {
        for (const pugi::xml_node& one : node.children()) {
            const std::string kind = kit::lowered(local_name(one));
            if (kind == "error" || kind == "fault" || kind == "warning")
                add(one, kind == "warning");
            else if (kind == "errors" || kind == "warnings")
                self(self, one);
        }
    };
    walk(walk, root);
    if (name == "errors" || name == "warnings") walk(walk, document);
    return found;
}

// What a status other than 2xx stands for. The body of a 401 differs per endpoint and says nothing more.
inline Failure refusal(const Response& answer, const std::string& url, std::int64_t now_ms) {
    Response shown = answer;
    shown.body = kit::without_elements(answer.body, card_elements());
    if (answer.status == 403) {
        return Failure(ErrorKind::config,
                       "this machine account may not reach the property; is it connected to it in the "
                       "extranet? (" +
                           url + ")",
                       kit::vendor_text(shown), "HTTP 403");
    }
    return kit::read_failure(shown, url, now_ms);
}

// The failure that a document stands for although its status said 200: 448 system error, 450 unable to
// process.
inline Failure fault_failure(const Fault& fault, const std::string& url) {
    const bool is_passing = fault.code == "448" || fault.code == "450" || fault.code.starts_with("5");
    const ErrorKind kind = fault.code == "401"   ? ErrorKind::auth
                           : fault.code == "403" ? ErrorKind::config
                           : is_passing          ? ErrorKind::transient
                                                 : ErrorKind::permanent;
    return Failure(kind, "Booking.com refused with code " + fault.code + ": " + fault.text + " (" + url + ")",
                   {}, fault.code);
}

inline std::string ota_open(std::string_view root, const Settings& settings, std::int64_t now_ms,
                            std::string_view version) {
    return "<" + std::string(root) + " xmlns=\"" + ota_namespace + "\" TimeStamp=\"" +
           kit::rfc3339(now_ms / 1000 * 1000) + "\" Target=\"" + settings.target + "\" Version=\"" +
           std::string(version) + "\">";
}

// Says that these reservations are stored; with a number of ours for each, which is always the same.
inline std::string acknowledgement(const Settings& settings, Queue queue, const std::vector<std::string>& ids,
                                   std::int64_t now_ms) {
    const QueueNames& names = names_of(queue);
    const auto id = [](const std::string& value, const char* source) {
        return "<HotelReservationID ResID_Value=\"" + escaped(value) + "\" ResID_Source=\"" + source +
               "\" ResID_Type=\"14\"/>";
    };
    std::string body = ota_open(names.answer, settings, now_ms, "2.001");
    body += "<Success/><" + std::string(names.messages) + ">";
    for (const std::string& one : ids) {
        body += "<" + std::string(names.message) + "><ResGlobalInfo><HotelReservationIDs>" +
                id(one, "BOOKING.COM") + id(settings.confirmation_prefix + one, "RT") +
                "</HotelReservationIDs></ResGlobalInfo></" + names.message + ">";
    }
    return body + "</" + names.messages + "></" + names.answer + ">";
}

}  // namespace booking_com
