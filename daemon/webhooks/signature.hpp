// Signature: whether a delivery is the vendor's own. Pure: it looks at what came, the secrets and the time,
// and at nothing else. All comparisons with secrets take the same time whatever the answer is.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "base/time.hpp"
#include "config/webhook.hpp"
#include "web/message.hpp"

namespace liaisond::webhooks {

// What came, as it came.
struct Delivery {
    const web::Request& request;
    std::string_view public_url;  // as configured, never from the Host header: "https://hub.example"

    std::string url() const { return std::string(public_url) + request.target; }
};

// For the log and the counters; the vendor hears the same of all that are refused.
enum class Verdict : std::uint8_t {
    accepted,
    missing,    // no signature, or no timestamp or id where one belongs to it
    repeated,   // a header that counts came twice
    malformed,  // it has not the form of this profile
    mismatch,   // no secret makes it
    stale,      // good, but of another time
};
std::string_view to_string(Verdict verdict);

// Accepted when any of the secrets fits. [any thread]
Verdict verify(const config::WebhookProfile& profile, const Delivery& delivery,
               std::span<const Secret> secrets, Instant now);

// The field of a form ("a=1&b=2"), decoded.
using Form = std::vector<std::pair<std::string, std::string>>;
Form parse_form(std::string_view body);

}  // namespace liaisond::webhooks
