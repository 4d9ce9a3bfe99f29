// Requests to the Service Layer, and what its refusals mean. Codes decide, never texts: texts come in the
// language of the login.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "settings.hpp"

namespace sap_b1 {

using liaison::Request;
using liaison::Response;

// Error codes of the Service Layer.
namespace code {
inline constexpr std::string_view session = "301", unknown_property = "-1000", not_found = "-2028",
                                  exists = "-2035", changed = "-2039", wrong_password = "100000027",
                                  user_locked = "100000055";
}  // namespace code

inline constexpr std::string_view scheme = "session";

inline Request get(const Settings& settings, const std::string& path) {
    return Request("GET", settings.url(path)).auth(std::string(scheme)).header("Accept", "application/json");
}
// `index`: the pushed record that it carries.
inline Request write(const Settings& settings, const std::string& method, const std::string& path,
                     std::uint32_t index) {
    return Request(method, settings.url(path))
        .auth(std::string(scheme))
        .header("Accept", "application/json")
        .mutates(static_cast<std::int32_t>(index));
}

// The fault in an answer; what a proxy says instead, where it is not the Service Layer that answers.
inline std::string fault_text(const Response& response, const odata::Fault& fault) {
    return fault.code.empty() && fault.message.empty() ? liaison::kit::vendor_text(response)
                                                       : liaison::kit::excerpt(fault.text(), 500);
}

// The failure that a refused read stands for.
inline Failure refusal(const Response& response, const std::string& url, std::int64_t now_ms) {
    const odata::Fault fault(response.body);
    const std::string said = fault_text(response, fault);
    const auto failure = [&](ErrorKind kind, const std::string& text) {
        return Failure(kind, text + " (" + url + ")", said, fault.code);
    };
    if (response.status == 401 && fault.code == code::session)
        return failure(ErrorKind::auth, "SAP does not accept the session that it has just opened");
    if (fault.code == code::unknown_property) {
        return failure(ErrorKind::config,
                       "SAP does not know a field: " + said +
                           ". A U_ field has to be created in SAP first; for others set 'select: false'");
    }
    if (response.status == 400 || response.status == 404)
        return failure(ErrorKind::permanent, "SAP refused: " + said);
    return liaison::kit::read_failure(response, url, now_ms);
}

// Of a login. Nobody tries again at once: SAP locks users, and each refusal costs an attempt.
inline Failure login_refusal(const Settings& settings, const Response& response, std::int64_t now_ms) {
    const odata::Fault fault(response.body);
    const std::string said = fault_text(response, fault);
    const auto failure = [&](ErrorKind kind, const std::string& text) {
        return Failure(kind, text + " (company " + settings.company_db + " at " + settings.server + ")", said,
                       fault.code);
    };
    const auto& busy = settings.busy_codes;
    if (!fault.code.empty() && std::find(busy.begin(), busy.end(), fault.code) != busy.end()) {
        return failure(ErrorKind::transient, "SAP has no session or licence free: " + said)
            .retry_after(std::chrono::seconds(60));
    }
    if (fault.code == code::user_locked) {
        return failure(ErrorKind::auth,
                       "the SAP user is locked; unlock it in SAP, and correct the password if it is wrong");
    }
    if (fault.code == code::session) {
        return failure(ErrorKind::config,
                       "this address is not the Service Layer's login; check 'server' and 'version'");
    }
    if (response.status == 401 || response.status == 403)
        return failure(ErrorKind::auth, "SAP refuses the user name or the password: " + said);
    if (response.status >= 400 && response.status < 500 && response.status != 408 && response.status != 429)
        return failure(ErrorKind::config, "SAP refuses the login; is 'company_db' right? " + said);
    return liaison::kit::read_failure(response, settings.url("Login"), now_ms);
}

}  // namespace sap_b1
