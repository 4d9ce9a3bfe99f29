#include "webhooks/directory.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "auth/credentials.hpp"
#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/redact.hpp"

namespace liaisond::webhooks {
namespace json = boost::json;
namespace {

constexpr std::chrono::hours old_life{24};
constexpr std::size_t secret_bytes = 32;

std::optional<MadeSecrets::One> one_of(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    if (found == nullptr || !found->is_object()) return std::nullopt;
    const json::object& members = found->get_object();
    return MadeSecrets::One{Secret(std::string(members.at("value").as_string())),
                            from_unix_ms(members.at("made").as_int64())};
}

json::value written_one(const std::optional<MadeSecrets::One>& one) {
    if (!one) return nullptr;
    return json::object{{"value", one->value.reveal()}, {"made", to_unix_ms(one->made)}};
}

// In the form that the profile's vendors expect.
std::string fresh_text(const config::WebhookProfile& profile, Random& random) {
    std::string bytes(secret_bytes, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    using Written = config::WebhookProfile::SecretEncoding;
    if (profile.scheme == config::WebhookProfile::Scheme::standard) return "whsec_" + to_base64(bytes);
    if (profile.secret_encoding == Written::hex) return to_hex(bytes);
    if (profile.secret_encoding == Written::base64) return to_base64(bytes);
    return auth::to_base64url(bytes);
}

}  // namespace

Directory::Directory(const auth::Secrets& secrets, Publish publish)
    : secrets_(secrets), publish_(std::move(publish)) {}

void Directory::configure(const config::Config& config) {
    public_url_ = config.http.public_url;
    std::map<std::string, Entry, std::less<>> entries;
    for (const auto& [id, integration] : config.integrations) {
        if (!integration.webhook) continue;
        const auto known = entries_.find(id);
        Entry entry{integration.tenant, id, integration.enabled, integration.webhook, nullptr, {}};
        entry.counters = known == entries_.end() ? std::make_shared<Counters>() : known->second.counters;
        entries.emplace(id, std::move(entry));
    }
    entries_ = std::move(entries);
    refresh();
}

void Directory::refresh() {
    auto all = std::make_shared<Endpoints>();
    all->public_url = public_url_;
    for (auto& [id, entry] : entries_) all->by_integration.emplace(id, endpoint(entry));
    publish_(std::move(all));
}

Endpoint Directory::endpoint(Entry& entry) const {
    Endpoint made{entry.tenant, entry.integration, entry.enabled, entry.rules, {}, {}, entry.counters};
    entry.problem.clear();
    std::size_t number = 0;
    for (const config::SecretSource& source : entry.rules->secrets) {
        auto read = auth::read_secrets({{"webhook.secret", source}}, &secrets_);
        if (read)
            made.secrets.push_back(std::move(read->begin()->second));
        else
            entry.problem = read.error().message;
        ++number;
    }
    if (number != 0) return made;
    MadeSecrets own = made_secrets(entry.integration);
    for (auto* one : {&own.current, &own.old}) {
        if (!*one) continue;
        redactor().add((*one)->value.reveal());
        made.secrets.push_back(std::move((*one)->value));
    }
    if (own.old) made.last_until = own.old_until;
    if (made.secrets.empty())
        entry.problem = "it has no secret yet; make one with liaisonctl webhook secret " + entry.integration;
    return made;
}

const Directory::Entry* Directory::find(std::string_view integration) const {
    const auto found = entries_.find(integration);
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string> Directory::problems() const {
    std::vector<std::string> all;
    for (const auto& [id, entry] : entries_) {
        if (entry.enabled && !entry.problem.empty())
            all.push_back("the webhook of " + id + " lets nothing in: " + entry.problem);
    }
    return all;
}

std::string Directory::url(const Entry& entry) const {
    return public_url_ + "/api/webhooks/integrations/" + entry.tenant + "/" + entry.integration;
}

MadeSecrets Directory::made_secrets(std::string_view integration) const {
    MadeSecrets made;
    const std::string name = row_name(integration);
    if (!secrets_.contains(name)) return made;
    const auto text = secrets_.find(name);
    if (!text) return made;
    boost::system::error_code error;
    const json::value value = json::parse(text->reveal(), error);
    if (error || !value.is_object()) return made;
    made.current = one_of(value.get_object(), "current");
    made.old = one_of(value.get_object(), "old");
    if (made.old) made.old_until = from_unix_ms(value.at("old_until").as_int64());
    return made;
}

MadeSecrets Directory::renewed(const Entry& entry, Instant now, Random& random) const {
    MadeSecrets made = made_secrets(entry.integration);
    made.old = std::move(made.current);
    made.old_until = now + old_life;
    made.current = MadeSecrets::One{Secret(fresh_text(entry.rules->profile, random)), now};
    redactor().add(made.current->value.reveal());
    return made;
}

Secret Directory::written(const MadeSecrets& made) {
    return Secret(json::serialize(json::object{{"current", written_one(made.current)},
                                               {"old", written_one(made.old)},
                                               {"old_until", to_unix_ms(made.old_until)}}));
}

}  // namespace liaisond::webhooks
