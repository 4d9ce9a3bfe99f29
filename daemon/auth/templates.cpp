#include "auth/templates.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::auth {
namespace json = boost::json;
namespace {

class Expansion {
  public:
    explicit Expansion(const Scope& scope) : scope_(scope) {}

    Result<std::string> value_of(std::string_view expression) const {
        if (expression == "{{") return std::string("{{");
        if (expression.starts_with("basic:")) return basic(expression.substr(6));
        if (expression.starts_with("hex:") || expression.starts_with("base64:")) return digested(expression);
        std::optional<Result<std::string>> value = term(expression);
        if (value) return std::move(*value);
        return fail(ErrorKind::config,
                    "the manifest uses the unknown template {{" + std::string(expression) + "}}");
    }

  private:
    std::optional<Result<std::string>> term(std::string_view expression) const {
        if (expression.starts_with("secret:")) return secret(expression.substr(7));
        if (expression.starts_with("setting:")) return setting(expression.substr(8));
        if (expression.starts_with("session:")) return session(expression.substr(8));
        if (expression == "token") return token();
        if (expression == "now_s") return Result<std::string>(std::to_string(to_unix_ms(scope_.now) / 1000));
        return std::nullopt;
    }

    Result<std::string> secret(std::string_view name) const {
        const auto found = scope_.secrets.find(name);
        if (found != scope_.secrets.end()) return found->second.reveal();
        return fail(ErrorKind::config, "the credential '" + std::string(name) +
                                           "' is needed and not configured; add it under credentials:");
    }

    Result<std::string> setting(std::string_view expression) const {
        boost::system::error_code error;
        const json::value settings = json::parse(scope_.settings, error);
        const std::vector<std::string> choices = split(expression, '|');
        for (const std::string& choice : choices) {
            const std::size_t is = choice.find('='), then = choice.find('?', is);
            if (!choice.starts_with('/')) return choice;
            const json::value* found = settings.find_pointer(choice.substr(0, is), error);
            if (found == nullptr || !found->is_string()) continue;
            if (is == std::string::npos) return std::string(found->get_string());
            const std::string word = choice.substr(is + 1, then == std::string::npos ? then : then - is - 1);
            if (then != std::string::npos && found->get_string() == word) return choice.substr(then + 1);
        }
        return fail(ErrorKind::config,
                    "the setting " + choices.front() + " is needed for authentication and is missing");
    }

    Result<std::string> session(std::string_view name) const {
        const auto found = scope_.live.session.find(name);
        if (found != scope_.live.session.end()) return found->second.reveal();
        return fail(ErrorKind::auth, "the login at the vendor brought no '" + std::string(name) + "'");
    }

    Result<std::string> token() const {
        if (!scope_.live.token.empty()) return scope_.live.token.reveal();
        return fail(ErrorKind::config, "an access token is needed, and this scheme has none");
    }

    Result<std::string> basic(std::string_view names) const {
        const std::size_t colon = names.find(':');
        auto user = secret(names.substr(0, colon));
        if (!user) return fail(user.error());
        auto password =
            secret(colon == std::string_view::npos ? std::string_view() : names.substr(colon + 1));
        if (!password) return fail(password.error());
        std::string encoded = to_base64(*user + ":" + *password);
        redactor().add(encoded);
        return encoded;
    }

    // "hex:sha512:secret:key+secret:shared+now_s"
    Result<std::string> digested(std::string_view expression) const {
        const std::size_t first = expression.find(':');
        const std::size_t second = expression.find(':', first + 1);
        if (second == std::string_view::npos)
            return fail(ErrorKind::config,
                        "the template {{" + std::string(expression) + "}} digests nothing");
        std::string data;
        for (const std::string& part : split(expression.substr(second + 1), '+')) {
            const auto value = term(part);
            if (!value)
                return fail(ErrorKind::config, "the template {{" + std::string(expression) +
                                                   "}} has the unknown part '" + part + "'");
            if (!*value) return fail(value->error());
            data += **value;
        }
        const auto bytes = digest(expression.substr(first + 1, second - first - 1), data);
        if (!bytes) return fail(bytes.error());
        return expression.starts_with("hex:") ? to_hex(*bytes) : to_base64(*bytes);
    }

    const Scope& scope_;
};

std::string xml_escaped(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '&')
            escaped += "&amp;";
        else if (c == '<')
            escaped += "&lt;";
        else if (c == '>')
            escaped += "&gt;";
        else if (c == '"')
            escaped += "&quot;";
        else if (c == '\'')
            escaped += "&apos;";
        else
            escaped += c;
    }
    return escaped;
}

Result<std::string> escaped(std::string value, Place place) {
    switch (place) {
        case Place::json: {
            const std::string quoted = json::serialize(json::value(json::string(value)));
            return quoted.substr(1, quoted.size() - 2);
        }
        case Place::xml: return xml_escaped(value);
        case Place::form: return percent_encoded(value);
        case Place::header:
            if (std::any_of(value.begin(), value.end(),
                            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
                return fail(ErrorKind::config,
                            "holds a control character; check the credential for a stray line break");
            }
            return value;
        case Place::plain: return value;
    }
    return value;
}

}  // namespace

Place place_of(std::string_view content_type) {
    const auto has = [&](std::string_view part) { return content_type.find(part) != std::string_view::npos; };
    if (has("json")) return Place::json;
    if (has("xml")) return Place::xml;
    if (has("x-www-form-urlencoded")) return Place::form;
    return Place::plain;
}

Result<std::string> expand(std::string_view text, const Scope& scope, Place place) {
    const Expansion expansion(scope);
    std::string out;
    for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{")) {
        const std::size_t end = text.find("}}", at + 2);
        if (end == std::string_view::npos) break;
        auto value = expansion.value_of(text.substr(at + 2, end - at - 2));
        if (!value) return fail(value.error());
        const bool braces = *value == "{{";
        auto placed = braces ? Result<std::string>(*value) : escaped(std::move(*value), place);
        if (!placed) return fail(placed.error());
        out += text.substr(0, at);
        out += *placed;
        text.remove_prefix(end + 2);
    }
    out += text;
    return out;
}

}  // namespace liaisond::auth
