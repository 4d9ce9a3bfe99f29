// What an HTTP answer means, judged the same way by every connector: which status is whose fault, how long to
// wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include <liaison/kit/json.hpp>
#include <liaison/kit/time.hpp>
#include <liaison/sdk/context.hpp>

namespace liaison::kit {

inline constexpr std::size_t max_vendor_text = 500;

// From Retry-After, seconds or HTTP date; never negative, at most a day. A date counts from the answer's own
// Date, where it has one: our clock may be wrong.
inline std::optional<std::chrono::milliseconds> retry_after(const Response& response, std::int64_t now_ms) {
    const std::string_view text = trimmed(response.header("Retry-After"));
    std::optional<std::int64_t> delay;
    if (!text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string_view::npos) {
        delay = std::stoll(std::string(text)) * 1000;
    } else if (const std::optional<std::int64_t> moment = parse_http_date(text)) {
        delay = *moment - parse_http_date(trimmed(response.header("Date"))).value_or(now_ms);
    }
    if (!delay) return std::nullopt;
    return std::chrono::milliseconds(std::clamp<std::int64_t>(*delay, 0, ms_per_day));
}

// "HTTP 422: {the beginning of what the vendor said}"
inline std::string vendor_text(const Response& response) {
    std::string text = "HTTP " + std::to_string(response.status);
    const std::string said = excerpt(trimmed(response.body), max_vendor_text);
    return said.empty() ? text : text + ": " + said;
}

// Target of the first link of that relation in the Link headers (RFC 8288); empty when there is none.
inline std::string link_target(const Response& response, std::string_view relation) {
    for (const Header& header : response.headers) {
        if (lowered(header.name) != "link") continue;
        std::string_view rest = header.value;
        while (true) {
            const std::size_t open = rest.find('<'), close = rest.find('>');
            if (open == std::string_view::npos || close == std::string_view::npos || close < open) break;
            const std::string_view target = rest.substr(open + 1, close - open - 1);
            rest.remove_prefix(close + 1);
            const std::string parameters = lowered(rest.substr(0, rest.find('<')));
            const std::string name(relation);
            for (const std::string& form : {"rel=\"" + name + "\"", "rel=" + name}) {
                if (parameters.find(form) != std::string::npos) return std::string(target);
            }
        }
    }
    return {};
}

// "https://host:port" of an absolute URL; empty for anything else.
inline std::string_view origin_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos || url.substr(0, 4) != "http") return {};
    return url.substr(0, url.find_first_of("/?#", scheme + 3));
}

// `target` as seen from `base`: absolute, "/path" or "?query".
inline std::string resolve_url(const std::string& base, const std::string& target) {
    if (!origin_of(target).empty()) return target;
    if (target.starts_with("/")) return std::string(origin_of(base)) + target;
    return base.substr(0, base.find('?')) + target;
}

// The failure that an answer to a read stands for. Call it for every answer that is not 2xx.
inline Failure read_failure(const Response& response, const std::string& url, std::int64_t now_ms) {
    const std::uint32_t status = response.status;
    const auto failure = [&](ErrorKind kind, const std::string& text) {
        return Failure(kind, text + " (" + url + ")", vendor_text(response),
                       "HTTP " + std::to_string(status));
    };
    if (status == 401 || status == 403) return failure(ErrorKind::auth, "the credentials were refused");
    if (status == 429 || status == 503) {
        const bool limited = status == 429;
        Failure result = failure(limited ? ErrorKind::rate_limited : ErrorKind::transient,
                                 limited ? "too many requests" : "the service is unavailable");
        result.retry_after_ms = retry_after(response, now_ms).value_or(std::chrono::milliseconds(0)).count();
        return result;
    }
    if (status >= 500 || status == 408 || status == 425) {
        return failure(ErrorKind::transient, "the remote failed with status " + std::to_string(status));
    }
    if (status >= 300 && status < 400) {
        return failure(ErrorKind::config, "the remote redirects to " +
                                              excerpt(response.header("Location"), 200) +
                                              "; configure that address");
    }
    return failure(ErrorKind::permanent, "the remote refused with status " + std::to_string(status));
}

// The body as JSON. A page of HTML is what captive portals and broken proxies send: trying later may help.
inline Json json_body(const Response& response, const std::string& url) {
    const std::string type = lowered(response.header("Content-Type"));
    if (type.find("html") != std::string::npos) {
        throw Failure(
            ErrorKind::transient,
            "a web page came instead of JSON: a proxy, portal or maintenance page answered for " + url,
            vendor_text(response));
    }
    try {
        return Json::parse(response.body);
    } catch (const JsonError& error) {
        throw Failure(ErrorKind::transient,
                      std::string("the answer is not JSON: ") + error.what() + " (" + url + ")",
                      vendor_text(response));
    }
}

}  // namespace liaison::kit
