// What the configuration says about the webhook of an integration: how the vendor proves that a delivery is
// its own, and where in it stands what liaison has to know.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace liaisond::config {

// Where a secret comes from. Never the secret itself.
struct SecretSource {
    enum class Kind : std::uint8_t { environment, file, vault };
    Kind kind = Kind::environment;
    std::string name;
};

// "!secret NAME", "!env NAME", "!file PATH"; nothing for any other text.
std::optional<SecretSource> parse_secret_source(std::string_view text);

struct WebhookProfile {
    // mac: a header with a MAC over what `signed_text` says; GitHub, Shopify, Slack and most others.
    enum class Scheme : std::uint8_t { mac, stripe, standard, twilio, xseries, query_token, basic };
    enum class Encoding : std::uint8_t { hex, base64, base64url };
    enum class SecretEncoding : std::uint8_t { utf8, base64, hex };

    std::string name = "generic";
    Scheme scheme = Scheme::mac;
    std::string header = "X-Signature", timestamp_header, id_header;
    std::string prefix;  // of the header's value, before the signature
    Encoding encoding = Encoding::hex;
    std::string signed_text = "{body}";  // of {body} {timestamp} {id} {method} {path} {url}, and literals
    std::string algorithm = "sha256";    // or sha1, sha512
    SecretEncoding secret_encoding = SecretEncoding::utf8;
    std::string username;                 // basic; empty: any
    std::chrono::seconds tolerance{300};  // of a timestamp, either way
    bool vendor_makes_secret = false;     // nobody can choose it

    // The time of the delivery is part of what is signed.
    bool has_timestamp() const {
        return scheme == Scheme::stripe || scheme == Scheme::standard || !timestamp_header.empty();
    }
};

// `event_id: delivery`: whatever comes is an event of its own.
inline constexpr std::string_view each_delivery = "delivery";

struct Webhook {
    WebhookProfile profile;
    std::vector<SecretSource> secrets;  // at most two; empty: those that liaison makes
    // A JSON pointer into the body, or the name of a header; empty: an event is known by its content, and
    // has no type.
    std::string event_id, event_type;
    std::vector<std::string> events;     // the types that are wanted; empty: all
    std::size_t max_body = 1u << 20;     // bytes
    std::uint32_t max_waiting = 10'000;  // events that are not processed yet
};

// The largest body that any webhook may take, in bytes.
inline constexpr std::size_t largest_webhook_body = 2u << 20;

// As the profile of that name has it; nothing where there is no such profile.
std::optional<Webhook> webhook_preset(std::string_view profile);
const std::vector<std::string>& webhook_profiles();

}  // namespace liaisond::config
