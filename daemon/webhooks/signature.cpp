#include "webhooks/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "auth/digest.hpp"
#include "base/text.hpp"

namespace liaisond::webhooks {
namespace {

using config::WebhookProfile;
using Encoding = WebhookProfile::Encoding;

constexpr std::size_t most_digits = 12, most_signatures = 16;
constexpr std::string_view symmetric = "whsec_", asymmetric = "whpk_";

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    std::string decoded(text.size() / 2, '\0');
    std::size_t length = 0;
    const bool fine = text.size() % 2 == 0 &&
                      sodium_hex2bin(reinterpret_cast<unsigned char*>(decoded.data()), decoded.size(),
                                     text.data(), text.size(), nullptr, &length, nullptr) == 0;
    if (!fine || length != decoded.size()) return std::nullopt;
    return decoded;
}

// Padding may be left out; nothing else may.
std::optional<std::string> from_base64(std::string_view text, bool url_safe = false) {
    const bool is_padded = text.ends_with('=');
    if (is_padded && text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    const int variant =
        url_safe ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    std::string decoded(text.size(), '\0');
    std::size_t length = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(decoded.data()), decoded.size(), text.data(),
                          text.size(), nullptr, &length, nullptr, variant) != 0)
        return std::nullopt;
    decoded.resize(length);
    return decoded;
}

std::optional<std::string> decoded(std::string_view text, Encoding encoding) {
    switch (encoding) {
        case Encoding::hex: return from_hex(text);
        case Encoding::base64: return from_base64(text);
        case Encoding::base64url: return from_base64(text, true);
    }
    return std::nullopt;
}

bool is_same(std::string_view a, std::string_view b) {
    return !a.empty() && a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Texts of any length, without telling their lengths.
bool is_same_text(std::string_view a, std::string_view b) {
    return is_same(*auth::digest("sha256", a), *auth::digest("sha256", b));
}

std::string mac(const std::string& algorithm, const Secret& key, std::string_view text) {
    return auth::hmac(algorithm, key, text).value_or(std::string());
}

Secret key_of(const Secret& secret, WebhookProfile::SecretEncoding encoding) {
    using From = WebhookProfile::SecretEncoding;
    if (encoding == From::utf8) return secret;
    auto key = encoding == From::hex ? from_hex(secret.reveal()) : from_base64(secret.reveal());
    return Secret(key ? std::move(*key) : std::string());
}

bool is_ed25519(std::string_view key, std::string_view text, std::string_view signature) {
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    const std::unique_ptr<EVP_PKEY, Free> parsed(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(key), key.size()));
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    return parsed && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, parsed.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text), text.size()) == 1;
}

std::optional<std::int64_t> seconds_in(std::string_view text) {
    std::int64_t number = 0;
    const bool is_plain = !text.empty() && text.size() <= most_digits &&
                          std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_plain) return std::nullopt;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

class Check {
  public:
    Check(const WebhookProfile& profile, const Delivery& delivery, std::span<const Secret> secrets,
          Instant now)
        : profile_(profile), delivery_(delivery), request_(delivery.request), secrets_(secrets), now_(now) {}

    Verdict run() const {
        using Scheme = WebhookProfile::Scheme;
        switch (profile_.scheme) {
            case Scheme::mac: return of_mac();
            case Scheme::stripe: return of_stripe();
            case Scheme::standard: return of_standard();
            case Scheme::twilio: return of_twilio();
            case Scheme::xseries: return of_xseries();
            case Scheme::query_token: return of_query_token();
            case Scheme::basic: return of_basic();
        }
        return Verdict::malformed;
    }

  private:
    // One header of a name: `value` is set when there is exactly one.
    Verdict one(std::string_view name, std::string_view& value) const {
        const std::size_t count = request_.count(name);
        if (count == 0) return Verdict::missing;
        if (count > 1) return Verdict::repeated;
        value = request_.header(name);
        return Verdict::accepted;
    }

    // The timestamp counts only once the signature is good.
    Verdict timely(std::optional<std::int64_t> at, bool is_signed) const {
        if (!is_signed) return Verdict::mismatch;
        if (!at) return Verdict::malformed;
        const std::int64_t now = std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count();
        return std::abs(now - *at) <= profile_.tolerance.count() ? Verdict::accepted : Verdict::stale;
    }

    bool is_made_by_any(std::string_view text, const std::vector<std::string>& signatures) const {
        bool found = false;
        for (const Secret& secret : secrets_) {
            const Secret key = key_of(secret, profile_.secret_encoding);
            if (key.empty()) continue;
            const std::string wanted = mac(profile_.algorithm, key, text);
            for (const std::string& signature : signatures) found = is_same(signature, wanted) || found;
        }
        return found;
    }

    Verdict of_mac() const {
        std::string_view value, timestamp, id;
        Verdict verdict = one(profile_.header, value);
        if (verdict == Verdict::accepted && !profile_.timestamp_header.empty())
            verdict = one(profile_.timestamp_header, timestamp);
        if (verdict == Verdict::accepted && !profile_.id_header.empty())
            verdict = one(profile_.id_header, id);
        if (verdict != Verdict::accepted) return verdict;
        if (!value.starts_with(profile_.prefix)) return Verdict::malformed;
        const auto signature = decoded(value.substr(profile_.prefix.size()), profile_.encoding);
        if (!signature) return Verdict::malformed;
        const bool is_signed = is_made_by_any(signed_text(timestamp, id), {*signature});
        if (profile_.timestamp_header.empty()) return is_signed ? Verdict::accepted : Verdict::mismatch;
        return timely(seconds_in(timestamp), is_signed);
    }

    std::string signed_text(std::string_view timestamp, std::string_view id) const {
        std::string made;
        const std::string_view pattern = profile_.signed_text;
        for (std::size_t at = 0; at < pattern.size();) {
            const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : pattern.npos;
            if (end == pattern.npos) {
                made += pattern[at++];
                continue;
            }
            const std::string_view token = pattern.substr(at + 1, end - at - 1);
            if (token == "body") made += request_.body;
            if (token == "timestamp") made += timestamp;
            if (token == "id") made += id;
            if (token == "method") made += request_.method;
            if (token == "path") made += request_.target;
            if (token == "url") made += delivery_.url();
            at = end + 1;
        }
        return made;
    }

    // "t=1767225600,v1=..,v1=..,v0=.."
    Verdict of_stripe() const {
        std::string_view value;
        if (const Verdict verdict = one(profile_.header, value); verdict != Verdict::accepted) return verdict;
        std::optional<std::string> timestamp;
        std::vector<std::string> signatures;
        bool has_any = false;
        for (const std::string& part : split(value, ',')) {
            const std::string_view member = trimmed(part);
            const std::size_t equals = member.find('=');
            if (equals == member.npos) return Verdict::malformed;
            const std::string_view name = member.substr(0, equals), text = member.substr(equals + 1);
            if (name == "t") {
                if (timestamp) return Verdict::repeated;
                timestamp = std::string(text);
            } else if (name == "v1") {
                has_any = true;
                auto signature = from_hex(text);
                if (signature && signatures.size() < most_signatures)
                    signatures.push_back(std::move(*signature));
            }
        }
        if (!timestamp || !has_any) return Verdict::missing;
        if (!seconds_in(*timestamp)) return Verdict::malformed;
        return timely(seconds_in(*timestamp), is_made_by_any(*timestamp + "." + request_.body, signatures));
    }

    // Under its own names, or those it had when it was Svix'.
    Verdict of_standard() const {
        const bool is_old = request_.count(profile_.header) == 0;
        const auto name = [is_old](const char* part) {
            return std::string(is_old ? "svix-" : "webhook-") + part;
        };
        std::string_view id, timestamp, value;
        Verdict verdict = one(name("signature"), value);
        if (verdict == Verdict::accepted) verdict = one(name("id"), id);
        if (verdict == Verdict::accepted) verdict = one(name("timestamp"), timestamp);
        if (verdict != Verdict::accepted) return verdict;
        if (id.empty() || id.find('.') != id.npos || !seconds_in(timestamp)) return Verdict::malformed;
        const std::string text = std::string(id) + "." + std::string(timestamp) + "." + request_.body;
        std::vector<std::string> signatures, asymmetric_ones;
        for (const std::string& entry : split(value, ' ')) {
            const std::size_t comma = entry.find(',');
            const std::string_view version = std::string_view(entry).substr(0, comma);
            if (comma == entry.npos || (version != "v1" && version != "v1a")) continue;
            auto signature = from_base64(std::string_view(entry).substr(comma + 1));
            auto& into = version == "v1" ? signatures : asymmetric_ones;
            if (signature && into.size() < most_signatures) into.push_back(std::move(*signature));
        }
        return timely(seconds_in(timestamp), is_standard(text, signatures, asymmetric_ones));
    }
    bool is_standard(const std::string& text, const std::vector<std::string>& signatures,
                     const std::vector<std::string>& asymmetric_ones) const {
        bool found = false;
        for (const Secret& secret : secrets_) {
            std::string_view written = secret.reveal();
            const bool is_public = written.starts_with(asymmetric);
            written.remove_prefix(is_public                        ? asymmetric.size()
                                  : written.starts_with(symmetric) ? symmetric.size()
                                                                   : 0);
            auto decoded = from_base64(written);
            if (!decoded || decoded->empty()) continue;
            const Secret key(std::move(*decoded));
            if (is_public) {
                for (const std::string& one : asymmetric_ones)
                    found = (one.size() == 64 && is_ed25519(key.reveal(), text, one)) || found;
                continue;
            }
            const std::string wanted = mac("sha256", key, text);
            for (const std::string& one : signatures) found = is_same(one, wanted) || found;
        }
        return found;
    }

    // A form is signed with its fields; of any other body the address carries a digest.
    Verdict of_twilio() const {
        std::string_view value;
        if (const Verdict verdict = one(profile_.header, value); verdict != Verdict::accepted) return verdict;
        const auto signature = from_base64(value);
        if (!signature) return Verdict::malformed;
        std::string text = delivery_.url();
        const std::size_t digests = request_.query.count("bodySHA256");
        if (digests > 1) return Verdict::repeated;
        if (digests == 1) {
            const auto told = from_hex(request_.query.find("bodySHA256")->second);
            if (!told || !is_same(*told, *auth::digest("sha256", request_.body))) return Verdict::mismatch;
        } else {
            const std::string_view type = request_.header("Content-Type");
            if (!request_.body.empty() && !type.starts_with("application/x-www-form-urlencoded"))
                return Verdict::missing;
            const Form form = parse_form(request_.body);
            for (const auto& [name, field] : std::set<Form::value_type>(form.begin(), form.end()))
                text += name + field;
        }
        bool found = false;
        for (const Secret& secret : secrets_) found = is_same(*signature, mac("sha1", secret, text)) || found;
        return found ? Verdict::accepted : Verdict::mismatch;
    }

    // "signature=..,algorithm=HMAC-SHA256"
    Verdict of_xseries() const {
        std::string_view value;
        if (const Verdict verdict = one(profile_.header, value); verdict != Verdict::accepted) return verdict;
        std::optional<std::string> signature, algorithm;
        for (const std::string& part : split(value, ',')) {
            const std::string_view member = trimmed(part);
            const std::size_t equals = member.find('=');
            if (equals == member.npos) return Verdict::malformed;
            const std::string_view name = trimmed(member.substr(0, equals));
            auto* const into = name == "signature" ? &signature : name == "algorithm" ? &algorithm : nullptr;
            if (into == nullptr) continue;
            if (*into) return Verdict::repeated;
            *into = std::string(trimmed(member.substr(equals + 1)));
        }
        if (!signature) return Verdict::missing;
        const auto decoded = from_hex(*signature);
        if (!decoded || algorithm != "HMAC-SHA256") return Verdict::malformed;
        return is_made_by_any(request_.body, {*decoded}) ? Verdict::accepted : Verdict::mismatch;
    }

    Verdict of_query_token() const {
        const std::size_t count = request_.query.count("token");
        if (count != 1) return count == 0 ? Verdict::missing : Verdict::repeated;
        return is_any_secret(request_.query.find("token")->second) ? Verdict::accepted : Verdict::mismatch;
    }
    bool is_any_secret(std::string_view text) const {
        bool found = false;
        for (const Secret& secret : secrets_)
            found = (is_same_text(text, secret.reveal()) && !secret.empty()) || found;
        return found;
    }

    Verdict of_basic() const {
        std::string_view value;
        if (const Verdict verdict = one("Authorization", value); verdict != Verdict::accepted) return verdict;
        const std::size_t blank = value.find(' ');
        if (!equals_ignoring_case(value.substr(0, blank), "Basic")) return Verdict::malformed;
        const auto both = from_base64(trimmed(value.substr(blank + 1)));
        const std::size_t colon = both ? both->find(':') : std::string::npos;
        if (colon == std::string::npos) return Verdict::malformed;
        const bool is_user =
            profile_.username.empty() || is_same_text(both->substr(0, colon), profile_.username);
        const bool is_password = is_any_secret(std::string_view(*both).substr(colon + 1));
        return is_user && is_password ? Verdict::accepted : Verdict::mismatch;
    }

    const WebhookProfile& profile_;
    const Delivery& delivery_;
    const web::Request& request_;
    std::span<const Secret> secrets_;
    Instant now_;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::accepted: return "accepted";
        case Verdict::missing: return "no signature";
        case Verdict::repeated: return "a header twice";
        case Verdict::malformed: return "a signature of another form";
        case Verdict::mismatch: return "a wrong signature";
        case Verdict::stale: return "a timestamp outside the tolerance";
    }
    return "";
}

Verdict verify(const config::WebhookProfile& profile, const Delivery& delivery,
               std::span<const Secret> secrets, Instant now) {
    return Check(profile, delivery, secrets, now).run();
}

Form parse_form(std::string_view body) {
    Form form;
    if (body.empty()) return form;
    const auto plain = [](std::string text) {
        std::replace(text.begin(), text.end(), '+', ' ');
        return auth::percent_decoded(text);
    };
    for (const std::string& part : split(body, '&')) {
        const std::size_t equals = std::min(part.find('='), part.size());
        if (!part.empty())
            form.emplace_back(plain(part.substr(0, equals)),
                              plain(part.substr(std::min(equals + 1, part.size()))));
    }
    return form;
}

}  // namespace liaisond::webhooks
