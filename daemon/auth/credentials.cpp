#include "auth/credentials.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::auth {
namespace json = boost::json;
namespace {

Result<std::string> read_environment(const std::string& credential, const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
        return fail(ErrorKind::config, "credential '" + credential +
                                           "' comes from the environment variable " + name +
                                           ", which is not set");
    }
    return std::string(value);
}

Result<std::string> read_file(const std::string& credential, const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        return fail(ErrorKind::config, "credential '" + credential + "' comes from " + path +
                                           ", which cannot be read: " + std::strerror(errno));
    }
    if ((info.st_mode & 077) != 0) {
        return fail(ErrorKind::config, "credential '" + credential + "' comes from " + path +
                                           ", which others may read; run: chmod 600 " + path);
    }
    std::ifstream stream(path);
    std::stringstream text;
    text << stream.rdbuf();
    std::string value = text.str();
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
    if (!stream || value.empty())
        return fail(ErrorKind::config,
                    "credential '" + credential + "' comes from " + path + ", which is empty or unreadable");
    return value;
}

}  // namespace

Result<std::map<std::string, std::string>> read_secrets(
    const std::map<std::string, config::SecretSource>& sources) {
    std::map<std::string, std::string> secrets;
    for (const auto& [name, source] : sources) {
        auto value = source.kind == config::SecretSource::Kind::environment
                         ? read_environment(name, source.name)
                         : read_file(name, source.name);
        if (!value) return fail(value.error());
        redactor().add(*value);
        redactor().add(to_base64(*value));
        secrets[name] = std::move(*value);
    }
    return secrets;
}

Authorizer::Authorizer(json::object schemes, const json::object& settings,
                       std::map<std::string, std::string> secrets)
    : Authorizer(std::make_shared<const json::object>(std::move(schemes)), json::serialize(settings),
                 std::move(secrets)) {}
Authorizer::Authorizer(std::shared_ptr<const json::object> schemes, std::string settings,
                       std::map<std::string, std::string> secrets)
    : schemes_(std::move(schemes)), settings_(std::move(settings)), secrets_(std::move(secrets)) {}

Status Authorizer::apply(const std::string& scheme, http::Request& request) const {
    if (scheme.empty()) return {};
    const json::value* found = schemes_->if_contains(scheme);
    const json::value* headers =
        found != nullptr && found->is_object() ? found->get_object().if_contains("headers") : nullptr;
    if (headers == nullptr || !headers->is_object()) {
        return fail(ErrorKind::config, "the connector asks for the authentication scheme '" + scheme +
                                           "', which its manifest does not have");
    }
    for (const auto& [name, value] : headers->get_object()) {
        auto key = expand(name);
        if (!key) return fail(key.error());
        auto text = expand(value.is_string() ? std::string_view(value.get_string()) : std::string_view());
        if (!text) return fail(text.error());
        if (std::any_of(text->begin(), text->end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
            return fail(ErrorKind::config,
                        "the value of header " + *key +
                            " holds a control character; check the credential for a stray line break");
        }
        request.headers.emplace_back(std::move(*key), std::move(*text));
    }
    return {};
}

Result<std::string> Authorizer::expand_body(const std::string& body) const {
    std::string out;
    std::size_t from = 0;
    for (std::size_t at = body.find("{{secret:"); at != std::string::npos;
         at = body.find("{{secret:", from)) {
        const std::size_t end = body.find("}}", at);
        if (end == std::string::npos) break;
        auto value = secret(std::string_view(body).substr(at + 9, end - at - 9));
        if (!value) return fail(value.error());
        const std::string quoted = json::serialize(json::value(json::string(*value)));
        out += body.substr(from, at - from) + quoted.substr(1, quoted.size() - 2);
        from = end + 2;
    }
    return out + body.substr(from);
}

Result<std::string> Authorizer::expand(std::string_view text) const {
    std::string out;
    for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{")) {
        const std::size_t end = text.find("}}", at);
        if (end == std::string_view::npos) break;
        auto value = value_of(text.substr(at + 2, end - at - 2));
        if (!value) return fail(value.error());
        out += std::string(text.substr(0, at)) + *value;
        text.remove_prefix(end + 2);
    }
    return out + std::string(text);
}

Result<std::string> Authorizer::value_of(std::string_view expression) const {
    if (expression.starts_with("secret:")) return secret(expression.substr(7));
    if (expression.starts_with("basic:")) {
        const std::vector<std::string> names = split(expression.substr(6), ':');
        if (names.size() == 2) {
            auto user = secret(names[0]);
            if (!user) return fail(user.error());
            auto password = secret(names[1]);
            if (!password) return fail(password.error());
            std::string encoded = to_base64(*user + ":" + *password);
            redactor().add(encoded);
            return encoded;
        }
    }
    if (expression.starts_with("setting:")) {
        boost::system::error_code error;
        const json::value settings = json::parse(settings_, error);
        const json::value* found = settings.find_pointer(expression.substr(8), error);
        if (found != nullptr && found->is_string()) return std::string(found->get_string());
        return fail(ErrorKind::config, "the setting " + std::string(expression.substr(8)) +
                                           " is needed for authentication and is missing");
    }
    return fail(ErrorKind::config,
                "the manifest uses the unknown template {{" + std::string(expression) + "}}");
}

Result<std::string> Authorizer::secret(std::string_view name) const {
    const auto found = secrets_.find(std::string(name));
    if (found != secrets_.end()) return found->second;
    return fail(ErrorKind::config, "the credential '" + std::string(name) +
                                       "' is needed and not configured; add it under credentials:");
}

}  // namespace liaisond::auth
