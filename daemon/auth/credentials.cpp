#include "auth/credentials.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "auth/digest.hpp"
#include "auth/oauth1.hpp"
#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::auth {
namespace json = boost::json;
namespace {

Result<Secret> read_environment(const std::string& credential, const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
        return fail(ErrorKind::config, "credential '" + credential +
                                           "' comes from the environment variable " + name +
                                           ", which is not set");
    }
    return Secret(value);
}

Result<Secret> read_file(const std::string& credential, const std::string& path) {
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
    return Secret(std::move(value));
}

Result<Secret> read(const std::string& credential, const config::SecretSource& source, const Secrets* vault) {
    switch (source.kind) {
        case config::SecretSource::Kind::environment: return read_environment(credential, source.name);
        case config::SecretSource::Kind::file: return read_file(credential, source.name);
        case config::SecretSource::Kind::vault: break;
    }
    if (vault == nullptr)
        return fail(ErrorKind::config,
                    "credential '" + credential + "' comes from the vault, which is not open");
    return vault->find(secret_name(source.name));
}

}  // namespace

Result<Credentials> read_secrets(const std::map<std::string, config::SecretSource>& sources,
                                 const Secrets* vault, const std::set<std::string>& is_public) {
    Credentials credentials;
    for (const auto& [name, source] : sources) {
        Result<Secret> value = read(name, source, vault);
        if (!value) return fail(value.error());
        if (!is_public.contains(name)) {
            redactor().add(value->reveal());
            redactor().add(to_base64(value->reveal()));
        }
        credentials[name] = std::move(*value);
    }
    return credentials;
}

Authorizer::Authorizer(std::shared_ptr<const Schemes> schemes, std::string settings, Credentials credentials)
    : schemes_(std::move(schemes)), settings_(std::move(settings)), credentials_(std::move(credentials)) {}

const Scheme* Authorizer::scheme(std::string_view name) const {
    const auto found = schemes_->find(name);
    return found == schemes_->end() ? nullptr : &found->second;
}

const Scheme* Authorizer::connectable() const {
    for (const auto& [name, scheme] : *schemes_) {
        if (scheme.oauth2 && scheme.oauth2->grant == Grant::authorization_code && is_meant(scheme))
            return &scheme;
    }
    return nullptr;
}

bool Authorizer::is_meant(const Scheme& scheme) const {
    if (scheme.when.empty()) return true;
    boost::system::error_code error;
    const json::value settings = json::parse(settings_, error);
    return std::all_of(scheme.when.begin(), scheme.when.end(), [&](const auto& condition) {
        const json::value* found = settings.find_pointer(condition.first, error);
        return found != nullptr && found->is_string() && found->get_string() == condition.second;
    });
}

Status Authorizer::apply(const std::string& name, http::Request& request, const Live& live, Instant now,
                         Random& random) const {
    if (name.empty()) return {};
    const Scheme* found = scheme(name);
    if (found == nullptr) {
        return fail(ErrorKind::config, "the connector asks for the authentication scheme '" + name +
                                           "', which its manifest does not have");
    }
    const Scope here = scope(live, now);
    for (const auto& [key, value] : found->headers) {
        auto header = expand(key, here, Place::header);
        if (!header) return fail(header.error());
        auto text = expand(value, here, Place::header);
        if (!text) return fail(text.error().kind, "the header " + *header + ": " + text.error().message);
        request.headers.emplace_back(std::move(*header), std::move(*text));
    }
    for (const auto& [key, value] : found->query) {
        auto text = expand(value, here, Place::plain);
        if (!text) return fail(text.error());
        request.url += (request.url.find('?') == std::string::npos ? "?" : "&") + percent_encoded(key) + "=" +
                       percent_encoded(*text);
    }
    std::string cookies;
    if (found->session) {
        for (const std::string& cookie : found->session->cookies) {
            const auto value = live.session.find(cookie);
            if (value != live.session.end())
                cookies += (cookies.empty() ? "" : "; ") + cookie + "=" + value->second.reveal();
        }
    }
    if (!cookies.empty()) request.headers.emplace_back("Cookie", std::move(cookies));
    if (!found->oauth1) return {};
    std::uint8_t bytes[16];
    random.fill(bytes);
    auto header = oauth1_header(*found->oauth1, here, request,
                                to_hex({reinterpret_cast<const char*>(bytes), sizeof bytes}));
    if (!header) return fail(header.error());
    request.headers.emplace_back("Authorization", std::move(*header));
    return {};
}

Status Authorizer::expand_body(http::Request& request, const Live& live, Instant now) const {
    Place place = Place::plain;
    for (const auto& [name, value] : request.headers) {
        if (equals_ignoring_case(name, "Content-Type")) place = place_of(value);
    }
    auto body = expand(request.body, scope(live, now), place);
    if (!body) return fail(body.error());
    request.body = std::move(*body);
    return {};
}

}  // namespace liaisond::auth
