// The `webhook:` section of an integration, over what the connector's manifest says about it.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "config/section.hpp"
#include "config/webhook.hpp"

namespace liaisond::config {
namespace json = boost::json;
namespace {

using Scheme = WebhookProfile::Scheme;
using Encoding = WebhookProfile::Encoding;

constexpr std::array<std::string_view, 8> generic_keys{"header",    "timestamp_header", "id_header",
                                                       "prefix",    "encoding",         "signed",
                                                       "algorithm", "secret_encoding"};
constexpr Milliseconds least_tolerance{30'000}, most_tolerance{900'000};
constexpr std::size_t most_secrets = 2;

Webhook of_scheme(std::string name, Scheme scheme) {
    Webhook made;
    made.profile.name = std::move(name);
    made.profile.scheme = scheme;
    return made;
}

Webhook of_mac(std::string name, std::string header, Encoding encoding, std::string prefix = {}) {
    Webhook made = of_scheme(std::move(name), Scheme::mac);
    made.profile.header = std::move(header);
    made.profile.encoding = encoding;
    made.profile.prefix = std::move(prefix);
    return made;
}

// The facts of each vendor's way.
std::vector<Webhook> make_presets() {
    std::vector<Webhook> all;
    all.push_back(of_mac("generic", "X-Signature", Encoding::hex));

    Webhook stripe = of_scheme("stripe", Scheme::stripe);
    stripe.profile.header = "Stripe-Signature";
    stripe.profile.vendor_makes_secret = true;
    stripe.event_id = "/id";
    stripe.event_type = "/type";
    all.push_back(stripe);

    Webhook standard = of_scheme("standard", Scheme::standard);
    standard.profile.header = "webhook-signature";
    standard.profile.timestamp_header = "webhook-timestamp";
    standard.profile.id_header = "webhook-id";
    standard.event_id = "webhook-id";
    standard.event_type = "/type";
    all.push_back(standard);

    Webhook github = of_mac("github", "X-Hub-Signature-256", Encoding::hex, "sha256=");
    github.event_id = "X-GitHub-Delivery";
    github.event_type = "X-GitHub-Event";
    all.push_back(github);

    Webhook shopify = of_mac("shopify", "X-Shopify-Hmac-SHA256", Encoding::base64);
    shopify.profile.vendor_makes_secret = true;
    shopify.event_id = "X-Shopify-Event-Id";
    shopify.event_type = "X-Shopify-Topic";
    all.push_back(shopify);

    Webhook slack = of_mac("slack", "X-Slack-Signature", Encoding::hex, "v0=");
    slack.profile.timestamp_header = "X-Slack-Request-Timestamp";
    slack.profile.signed_text = "v0:{timestamp}:{body}";
    slack.profile.vendor_makes_secret = true;
    all.push_back(slack);

    Webhook twilio = of_scheme("twilio", Scheme::twilio);
    twilio.profile.header = "X-Twilio-Signature";
    twilio.profile.vendor_makes_secret = true;
    twilio.event_type = "/MessageStatus";
    all.push_back(twilio);

    Webhook xseries = of_scheme("xseries", Scheme::xseries);
    xseries.profile.vendor_makes_secret = true;
    all.push_back(xseries);

    Webhook token = of_scheme("query_token", Scheme::query_token);
    token.event_id = each_delivery;
    all.push_back(token);

    Webhook basic = of_scheme("basic", Scheme::basic);
    basic.event_id = "X-Lightspeed-Idempotency-Key";
    all.push_back(basic);

    Webhook intuit = of_mac("intuit", "intuit-signature", Encoding::base64);
    intuit.profile.vendor_makes_secret = true;
    all.push_back(intuit);
    return all;
}

const std::vector<Webhook>& presets() {
    static const std::vector<Webhook> all = make_presets();
    return all;
}

bool is_header_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
               c == '_';
    });
}

class WebhookReader {
  public:
    explicit WebhookReader(const Section& here) : here_(here) {}

    std::optional<Webhook> read() {
        const std::string name = here_.text("profile");
        if (name.empty()) {
            if (!here_.has("profile"))
                here_.fault("", "needs a profile: how the vendor proves that a delivery is its own; one of " +
                                    list_of(webhook_profiles()));
            return std::nullopt;
        }
        const auto preset = webhook_preset(name);
        if (!preset) return std::nullopt;  // the schema has said so
        made_ = *preset;
        keys_of_generic();
        common_keys();
        check_signed_text();
        return made_;
    }

  private:
    void keys_of_generic() {
        WebhookProfile& profile = made_.profile;
        const bool is_generic = profile.name == "generic";
        for (const std::string_view key : generic_keys) {
            if (!is_generic && here_.has(key))
                here_.key_fault(key, "is given by the profile " + profile.name +
                                         "; leave it out, or write profile: generic and say all of it");
        }
        if (here_.has("username") && profile.scheme != Scheme::basic)
            here_.key_fault("username", "is only for the profile basic");
        if (here_.has("tolerance") && !profile.has_timestamp() && !here_.has("timestamp_header"))
            here_.key_fault("tolerance", "is about a timestamp, and this profile has none");
        profile.username = here_.text("username");
        if (!is_generic) return;
        profile.header = header("header", profile.header);
        profile.timestamp_header = header("timestamp_header", "");
        profile.id_header = header("id_header", "");
        profile.prefix = here_.text("prefix");
        profile.algorithm = here_.text("algorithm", profile.algorithm);
        profile.signed_text = here_.text("signed", profile.signed_text);
        const std::string encoding = here_.text("encoding"), of_secret = here_.text("secret_encoding");
        if (encoding == "base64") profile.encoding = Encoding::base64;
        if (encoding == "base64url") profile.encoding = Encoding::base64url;
        if (of_secret == "base64") profile.secret_encoding = WebhookProfile::SecretEncoding::base64;
        if (of_secret == "hex") profile.secret_encoding = WebhookProfile::SecretEncoding::hex;
        if (made_.event_id.empty()) made_.event_id = profile.id_header;
    }

    void common_keys() {
        made_.event_id = place("event_id", made_.event_id);
        made_.event_type = place("event_type", made_.event_type);
        const Milliseconds tolerance = here_.duration("tolerance", Milliseconds(made_.profile.tolerance));
        if (tolerance < least_tolerance || tolerance > most_tolerance)
            here_.fault("tolerance", "is " + format_duration(tolerance) + "; from 30s to 15m are allowed");
        made_.profile.tolerance = std::chrono::duration_cast<std::chrono::seconds>(tolerance);
        made_.max_waiting = here_.number("max_waiting", made_.max_waiting);
        events();
        secrets();
        const json::value* size = here_.find("max_body");
        if (size == nullptr) return;
        const std::string text = size->is_string()  ? std::string(size->get_string())
                                 : size->is_int64() ? std::to_string(size->get_int64())
                                                    : std::string();
        const auto bytes = parse_size(text);
        if (!bytes || *bytes == 0 || *bytes > largest_webhook_body)
            return here_.fault("max_body",
                               "is '" + text + "', which is no size up to 2MiB; write 64KiB or 1MiB");
        made_.max_body = *bytes;
    }

    void events() {
        const json::value* list = here_.find("events");
        if (list == nullptr || !list->is_array()) return;
        for (const json::value& one : list->get_array()) {
            if (one.is_string()) made_.events.emplace_back(one.get_string());
        }
        if (!made_.events.empty() && made_.event_type.empty())
            here_.fault("events",
                        "cannot be told apart: say in event_type where the type of an event stands");
    }

    void secrets() {
        const json::value* found = here_.find("secret");
        if (found == nullptr) return;
        if (found->is_string()) return secret(*found, "secret", here_);
        if (!found->is_array()) return;
        const json::array& list = found->get_array();
        for (std::size_t i = 0; i < std::min(list.size(), most_secrets); ++i)
            secret(list[i], std::to_string(i), here_.section("secret"));
    }
    void secret(const json::value& value, const std::string& key, const Section& at) {
        if (!value.is_string()) return;
        auto source = parse_secret_source(std::string_view(value.get_string()));
        if (source) return made_.secrets.push_back(std::move(*source));
        at.fault(
            key,
            "holds a secret in clear text; put it into the vault with liaisonctl secret set NAME and write "
            "!secret NAME, or into a file of mode 0600 and write !file /path/to/it");
    }

    // What is not signed could be anybody's.
    void check_signed_text() {
        const WebhookProfile& profile = made_.profile;
        if (profile.scheme != Scheme::mac) return;
        const std::string& text = profile.signed_text;
        static const std::vector<std::string> tokens{"{body}",   "{timestamp}", "{id}",
                                                     "{method}", "{path}",      "{url}"};
        for (std::size_t at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1)) {
            const std::string token = text.substr(at, text.find('}', at) - at + 1);
            if (std::find(tokens.begin(), tokens.end(), token) == tokens.end())
                return here_.fault("signed", "has '" + shortened(token, 40) +
                                                 "', and what can be signed is " + list_of(tokens) +
                                                 did_you_mean(token, tokens));
        }
        const auto has = [&](std::string_view token) { return text.find(token) != std::string::npos; };
        if (!has("{body}")) here_.fault("signed", "lacks {body}: anybody could alter what is delivered");
        if (has("{timestamp}") && profile.timestamp_header.empty())
            here_.fault("signed", "has {timestamp}; say in timestamp_header in which header it comes");
        if (!has("{timestamp}") && !profile.timestamp_header.empty())
            here_.fault("timestamp_header",
                        "is not part of what is signed, so that anybody could write a new one; "
                        "write signed: \"{timestamp}.{body}\", say");
        if (has("{id}") && profile.id_header.empty())
            here_.fault("signed", "has {id}; say in id_header in which header it comes");
    }

    std::string header(std::string_view key, const std::string& otherwise) const {
        std::string name = here_.text(key, otherwise);
        if (here_.has(key) && !is_header_name(name))
            here_.fault(key, "is '" + name + "', which is no name of a header");
        return name;
    }
    std::string place(std::string_view key, const std::string& otherwise) const {
        std::string text = here_.text(key, otherwise);
        if (here_.has(key) && !text.starts_with('/') && !is_header_name(text))
            here_.fault(key,
                        "is '" + text +
                            "'; write a JSON pointer into the body, such as /id, or the name of a header");
        return text;
    }

    const Section& here_;
    Webhook made_;
};

}  // namespace

std::optional<SecretSource> parse_secret_source(std::string_view text) {
    using Kind = SecretSource::Kind;
    const std::string argument(text.substr(std::min(text.size(), text.find(' ') + 1)));
    if (text.starts_with("!env ")) return SecretSource{Kind::environment, argument};
    if (text.starts_with("!file ")) return SecretSource{Kind::file, argument};
    if (text.starts_with("!secret ")) return SecretSource{Kind::vault, argument};
    return std::nullopt;
}

std::optional<Webhook> webhook_preset(std::string_view profile) {
    for (const Webhook& one : presets()) {
        if (one.profile.name == profile) return one;
    }
    return std::nullopt;
}

const std::vector<std::string>& webhook_profiles() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const Webhook& one : presets()) all.push_back(one.profile.name);
        return all;
    }();
    return names;
}

std::optional<Webhook> read_webhook(const Section& here) { return WebhookReader(here).read(); }

}  // namespace liaisond::config
