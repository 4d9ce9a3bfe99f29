#include "api/webhook_routes.hpp"

#include <boost/json/serialize.hpp>

#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

using webhooks::Directory;
using webhooks::MadeSecrets;

json::object to_json(const store::InboxEvent& event, bool with_body) {
    json::object made{
        {"id", event.id},
        {"tenant", event.tenant},
        {"integration", event.integration},
        {"event_id", event.event_id},
        {"type", event.type},
        {"status", store::to_string(event.state)},
        {"received_at", format_instant(event.received)},
        {"next_at", event.state == store::EventState::waiting ? json::value(format_instant(event.next_at))
                                                              : json::value()},
        {"attempts", event.attempts},
        {"error", event.error}};
    if (!with_body) return made;
    made["headers"] = parsed(event.headers);
    made["body"] = redactor().scrub(event.body);
    return made;
}

json::value secret_json(const MadeSecrets::One& one, const json::value& until) {
    return json::object{{"from", "liaison"}, {"made_at", format_instant(one.made)}, {"until", until}};
}

// Ages and places, never values.
json::array secrets_json(const Directory& directory, const Directory::Entry& entry, Instant now) {
    json::array items;
    for (std::size_t i = 0; i < entry.rules->secrets.size(); ++i)
        items.push_back(json::object{{"from", "configuration"}, {"made_at", nullptr}, {"until", nullptr}});
    if (!items.empty()) return items;
    const MadeSecrets made = directory.made_secrets(entry.integration);
    if (made.current) items.push_back(secret_json(*made.current, nullptr));
    if (made.old && now < made.old_until)
        items.push_back(secret_json(*made.old, format_instant(made.old_until).c_str()));
    return items;
}

class WebhookRoutes {
  public:
    WebhookRoutes(const Backend& backend, Directory& directory) : backend_(backend), directory_(directory) {}

    void show(const Call& call) const {
        const Directory::Entry* entry = find(call);
        if (entry == nullptr) return;
        json::object body{{"integration", entry->integration},
                          {"tenant", entry->tenant},
                          {"enabled", entry->enabled},
                          {"profile", entry->rules->profile.name},
                          {"url", directory_.url(*entry)},
                          {"secrets", secrets_json(directory_, *entry, backend_.clock.now())},
                          {"received", entry->counters->received.load()},
                          {"duplicates", entry->counters->duplicates.load()},
                          {"refused", entry->counters->refused.load()},
                          {"problem", text_or_null(entry->problem)}};
        backend_.store.read([](store::Database& database) { return database.waiting_event_counts(); },
                            [answer = call.answer, id = entry->integration, body = std::move(body)](
                                Result<std::map<std::string, std::uint64_t>> counts) mutable {
                                if (!counts) return answer(problem(counts.error()));
                                const auto found = counts->find(id);
                                body["waiting"] = found == counts->end() ? 0 : found->second;
                                answer(ok(body));
                            });
    }

    // The only time that the secret is shown.
    void make_secret(const Call& call) const {
        const Directory::Entry* entry = find(call);
        if (entry == nullptr) return;
        const std::string fault = why_none_is_made(*entry);
        if (!fault.empty()) return call.answer(problem(409, fault));
        const auto made = std::make_shared<const MadeSecrets>(
            directory_.renewed(*entry, backend_.clock.now(), backend_.random));
        json::object body{
            {"url", url_of(*entry, made->current->value)},
            {"secret", made->current->value.reveal()},
            {"old_until", made->old ? json::value(format_instant(made->old_until)) : json::value()}};
        save(call, entry->integration, *made, std::move(body), 201);
    }

    void drop_old(const Call& call) const {
        const Directory::Entry* entry = find(call);
        if (entry == nullptr) return;
        MadeSecrets made = directory_.made_secrets(entry->integration);
        if (!call.flag("old"))
            return call.answer(
                problem(422,
                        "with old=true the secret before the last one is forgotten; to replace "
                        "the one in use, make a new one first"));
        if (!made.old)
            return call.answer(problem(404, "there is no old secret of '" + entry->integration + "'"));
        made.old.reset();
        save(call, entry->integration, made,
             {{"ok", true},
              {"detail", "only the newest secret of '" + entry->integration + "' is accepted now"}},
             200);
    }

    void inbox(const Call& call) const {
        const bool with_body = call.flag("body");
        list(backend_, call, &store::Database::inbox,
             [with_body](const store::InboxEvent& event) { return to_json(event, with_body); });
    }

  private:
    const Directory::Entry* find(const Call& call) const {
        const std::string id = call.text("integration");
        const Directory::Entry* entry = directory_.find(id);
        if (entry == nullptr || !call.sees(entry->tenant)) {
            call.answer(
                problem(404, "integration '" + shortened(id, 64) +
                                 "' has no webhook; give it a section `webhook:` in the configuration"));
            return nullptr;
        }
        return entry;
    }

    static std::string why_none_is_made(const Directory::Entry& entry) {
        if (!entry.rules->secrets.empty())
            return "the secret of '" + entry.integration + "' comes from the configuration; change it there";
        if (entry.rules->profile.vendor_makes_secret)
            return "with the profile " + entry.rules->profile.name +
                   " the vendor makes the secret; put it into the vault with liaisonctl secret set NAME and "
                   "write "
                   "secret: !secret NAME";
        return {};
    }

    std::string url_of(const Directory::Entry& entry, const Secret& secret) const {
        const bool in_url = entry.rules->profile.scheme == config::WebhookProfile::Scheme::query_token;
        return directory_.url(entry) + (in_url ? "?token=" + secret.reveal() : "");
    }

    // Told once it is durable, and in use.
    void save(const Call& call, const std::string& integration, const MadeSecrets& made, json::object body,
              unsigned status) const {
        const std::string row = Directory::row_name(integration);
        const std::string sealed = backend_.secrets.seal(row, Directory::written(made));
        const auto work = [row, sealed, now = backend_.clock.now()](store::Database& database) {
            return database.save_sealed(row, sealed, now);
        };
        backend_.store.write(
            work, [this, answer = call.answer, row, sealed, status, body = std::move(body)](Status saved) {
                if (!saved) return answer(problem(saved.error()));
                backend_.secrets.keep(row, sealed);
                directory_.refresh();
                answer(ok(body, status));
            });
    }

    const Backend& backend_;
    Directory& directory_;
};

}  // namespace

void add_webhook_routes(Router& router, const Backend& backend, Directory& directory) {
    using access::Scope;
    const auto routes = std::make_shared<const WebhookRoutes>(backend, directory);
    router.add({.method = "GET",
                .pattern = "/integrations/{integration}/webhook",
                .summary = "Where its webhooks come in, how they prove themselves, and how many came",
                .answers = "Webhook",
                .handle = [routes](Call& call) { routes->show(call); }});
    router.add(
        {.method = "POST",
         .pattern = "/integrations/{integration}/webhook/secret",
         .scope = Scope::admin,
         .summary = "Makes a secret and shows it this once; the one before is accepted for another day",
         .answers = "WebhookSecret",
         .status = 201,
         .handle = [routes](Call& call) { routes->make_secret(call); }});
    router.add({.method = "DELETE",
                .pattern = "/integrations/{integration}/webhook/secret",
                .scope = Scope::admin,
                .summary = "Forgets the secret before the last one at once",
                .query = {flag_parameter("old", "Must be true: the one in use can only be replaced")},
                .answers = "Done",
                .handle = [routes](Call& call) { routes->drop_old(call); }});
    router.add(
        {.method = "GET",
         .pattern = "/inbox",
         .summary = "What came by webhook, newest first",
         .query = list_parameters(
             {{Parameter::Kind::word, "status", "What became of it", {"waiting", "done", "ignored", "dead"}},
              text_parameter("key", "The vendor's id of the event"),
              flag_parameter("body", "Show headers and bodies, too, without secrets and card numbers")}),
         .answers = "[InboxEvent]",
         .handle = [routes](Call& call) { routes->inbox(call); }});
}

}  // namespace liaisond::api
