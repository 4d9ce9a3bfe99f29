// Routes: conflicts, sends in doubt and dead letters - what a person decides.
#include <boost/json/serialize.hpp>

#include "api/backend.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"
#include "base/system.hpp"
#include "sync/decisions.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

Result<sync::Side> side_of(const std::string& word) {
    if (word == "hub") return sync::Side::hub;
    if (word == "remote") return sync::Side::remote;
    return fail(ErrorKind::permanent, "'" + word + "' is no side; take hub or remote");
}

Result<sync::ConflictChoice> choice_of(const Call& call) {
    const json::object& body = call.body.get_object();
    sync::ConflictChoice choice;
    const std::string record = call.body_text("record");
    if (!record.empty() && record != "new") choice.record = record;
    const std::string take = call.body_text("take");
    if (take.empty() && record.empty() && !body.contains("fields"))
        return fail(ErrorKind::permanent, "say what to take: hub or remote, or which record it is");
    if (!take.empty()) {
        auto side = side_of(take);
        if (!side) return fail(side.error());
        choice.side = *side;
    }
    const json::value* fields = body.if_contains("fields");
    if (fields == nullptr || !fields->is_object()) return choice;
    for (const auto& [pointer, word] : fields->get_object()) {
        auto side = side_of(word.is_string() ? std::string(word.get_string()) : json::serialize(word));
        if (!side) return fail(side.error());
        choice.fields[std::string(pointer)] = *side;
    }
    return choice;
}

// What a decision came to, and whose run it concerns.
struct Told {
    std::string text, integration;
};

json::object to_json(const store::DeadLetter& d) {
    return {{"id", d.id},
            {"run", d.run},
            {"integration", d.integration},
            {"entity", d.entity},
            {"direction", store::to_string(d.direction)},
            {"key", d.key},
            {"reason", d.reason},
            {"message", d.message},
            {"payload", parsed(d.payload)},
            {"attempts", d.attempts},
            {"first_at", format_instant(d.first_at)},
            {"last_at", format_instant(d.last_at)}};
}

json::object to_json(const store::Intent& i) {
    return {{"id", i.id},
            {"integration", i.integration},
            {"entity", i.entity},
            {"record", i.record},
            {"external_id", i.external_id},
            {"reference", i.op_key},
            {"state", store::to_string(i.state)},
            {"attempt", i.attempt},
            {"next_at", time_or_null(i.next_at)},
            {"last_error", i.last_error}};
}

}  // namespace

json::object to_json(const store::Conflict& c) {
    return {{"id", c.id},
            {"run", c.run},
            {"integration", c.integration},
            {"entity", c.entity},
            {"external_id", c.external_id},
            {"record", c.record},
            {"kind", store::to_string(c.kind)},
            {"detail", parsed(redactor().scrub(c.detail))},
            {"payload", c.payload.empty() ? json::value() : parsed(redactor().scrub(c.payload))},
            {"first_at", format_instant(c.first_at)},
            {"last_at", format_instant(c.last_at)}};
}

namespace {

void show_conflict(const Backend& backend, const Call& call) {
    const std::int64_t id = call.number("conflict");
    backend.store.read([id](store::Database& database) { return database.conflict(id); },
                       [answer = call.answer, id](Result<std::optional<store::Conflict>> found) {
                           if (!found) return answer(problem(found.error()));
                           if (!*found)
                               return answer(problem(404, "there is no open conflict " + std::to_string(id)));
                           answer(ok(api::to_json(**found)));
                       });
}

void resolve_conflict(const Backend& backend, const Call& call) {
    const std::int64_t id = call.number("conflict");
    const auto choice = choice_of(call);
    if (!choice) return call.answer(refusal(choice.error()));
    const auto work = [id, choice = *choice](store::Database& database) -> Result<Told> {
        auto conflict = database.conflict(id);
        if (!conflict) return fail(conflict.error());
        SystemRandom random;
        auto told = sync::resolve_conflict(database, id, choice, SystemClock().now(), random);
        if (!told) return fail(told.error());
        return Told{std::move(*told), (*conflict)->integration};
    };
    backend.store.write(work, [&backend, answer = call.answer](Result<Told> told) {
        if (!told) return answer(refusal(told.error()));
        run_soon(backend, told->integration);
        answer(ok({{"ok", true}, {"detail", told->text}}));
    });
}

void resolve_intent(const Backend& backend, const Call& call) {
    const std::int64_t id = call.number("intent");
    sync::IntentChoice choice;
    const std::string action = call.body_text("action");
    choice.external_id = call.body_text("external_id");
    if (action == "exists")
        choice.action = sync::IntentChoice::Action::exists;
    else if (action == "resend")
        choice.action = sync::IntentChoice::Action::resend;
    const auto work = [id, choice,
                       settle = backend.settle_times()](store::Database& database) -> Result<Told> {
        auto intent = database.intent(id);
        if (!intent) return fail(intent.error());
        sync::IntentChoice final_choice = choice;
        const auto known = *intent ? settle.find((*intent)->integration) : settle.end();
        if (known != settle.end()) final_choice.settle = known->second;
        auto told = sync::resolve_intent(database, id, final_choice, SystemClock().now());
        if (!told) return fail(told.error());
        return Told{std::move(*told), (*intent)->integration};
    };
    backend.store.write(work, [&backend, answer = call.answer](Result<Told> told) {
        if (!told) return answer(refusal(told.error()));
        run_soon(backend, told->integration);
        answer(ok({{"ok", true}, {"detail", told->text}}));
    });
}

void edit_dead_letter(const Backend& backend, const Call& call) {
    const std::int64_t id = call.number("letter");
    const auto work = [id,
                       text = json::serialize(call.body.at("payload"))](store::Database& database) -> Status {
        auto letter = database.dead_letter(id);
        if (!letter) return fail(letter.error());
        if (!*letter) return fail(ErrorKind::permanent, "there is no dead letter " + std::to_string(id));
        if ((*letter)->direction == store::Direction::export_)
            return fail(
                ErrorKind::permanent,
                "this record was refused by the vendor: correct it where it comes from, or set it right in "
                "the configuration, and replay");
        return database.edit_dead_letter(id, text);
    };
    backend.store.write(work, [answer = call.answer](Status status) {
        answer(status ? ok({{"ok", true}, {"detail", "changed; replay it now"}}) : refusal(status.error()));
    });
}

// One letter, or those of an integration and a reason. Refused exports go into the feed again; refused
// imports are read again by a run.
void replay(const Backend& backend, const Call& call) {
    struct Sorted {
        std::map<std::pair<std::string, std::string>, std::vector<std::int64_t>>
            imports;  // by integration, entity
        std::map<std::string, std::int64_t> exports;
        std::vector<std::string> left;
        std::int64_t count = 0;
    };
    const std::int64_t id = call.number("letter");
    if (id == 0 && call.text("integration").empty())
        return call.answer(
            problem(422, "name one dead letter, or an integration whose letters are replayed"));
    const auto work = [id, integration = call.text("integration"), tenant = call.tenant,
                       reason = call.text("reason")](store::Database& database) -> Result<Sorted> {
        std::vector<store::DeadLetter> letters;
        if (id != 0) {
            auto one = database.dead_letter(id);
            if (!one) return fail(one.error());
            if (!*one) return fail(ErrorKind::permanent, "there is no dead letter " + std::to_string(id));
            letters.push_back(std::move(**one));
        } else {
            store::Filter filter;
            filter.integration = integration;
            filter.tenant = tenant;
            filter.limit = 10'000;
            auto all = database.dead_letters(filter);
            if (!all) return fail(all.error());
            letters = std::move(*all);
        }
        Sorted sorted;
        for (const store::DeadLetter& letter : letters) {
            if (!reason.empty() && letter.reason != reason) continue;
            ++sorted.count;
            if (letter.direction == store::Direction::export_) {
                if (auto replayed = sync::replay_export(database, letter, SystemClock().now()); !replayed)
                    return fail(replayed.error());
                ++sorted.exports[letter.integration];
            } else if (letter.reason == "unmappable" || letter.reason == "invalid_key") {
                sorted.left.push_back(std::to_string(letter.id));
            } else {
                sorted.imports[{letter.integration, letter.entity}].push_back(letter.id);
            }
        }
        return sorted;
    };
    backend.store.write(work, [&backend, answer = call.answer](Result<Sorted> sorted) {
        if (!sorted) return answer(refusal(sorted.error()));
        for (const auto& [integration, count] : sorted->exports) run_soon(backend, integration);
        std::int64_t imports = 0;
        for (const auto& [where, ids] : sorted->imports) {
            sync::RunRequest request;
            request.trigger = "replay";
            request.entity = where.second;
            request.replay = ids;
            imports += static_cast<std::int64_t>(ids.size());
            backend.engine.trigger(where.first, std::move(request), [](Result<std::int64_t>) {});
        }
        json::array left(sorted->left.begin(), sorted->left.end());
        std::string detail =
            std::to_string(sorted->count - static_cast<std::int64_t>(left.size())) + " replayed";
        if (!left.empty())
            detail +=
                "; " + std::to_string(left.size()) +
                " can only be read again from the vendor: correct the mapping, then liaisonctl run ID --full";
        answer(ok({{"ok", true}, {"detail", detail}, {"imports", imports}, {"left", std::move(left)}}));
    });
}

}  // namespace

void add_decision_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "GET",
                .pattern = "/dead-letters",
                .summary = "Records that were refused, with the reason",
                .query = list_parameters(),
                .answers = "[DeadLetter]",
                .handle = [&backend](Call& call) {
                    list(backend, call, &store::Database::dead_letters,
                         [](const store::DeadLetter& row) { return to_json(row); });
                }});
    router.add({.method = "PATCH",
                .pattern = "/dead-letters/{letter:dead_letter}",
                .scope = Scope::operate,
                .summary = "Corrects what a vendor sent, before it is replayed",
                .body = R"({"type":"object","additionalProperties":false,"required":["payload"],
                            "properties":{"payload":{"type":"object"}}})",
                .answers = "Done",
                .handle = [&backend](Call& call) { edit_dead_letter(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/dead-letters/{letter:dead_letter}/replay",
                .scope = Scope::operate,
                .summary = "Tries it again",
                .answers = "Replayed",
                .handle = [&backend](Call& call) { replay(backend, call); }});
    router.add(
        {.method = "POST",
         .pattern = "/dead-letters/replay",
         .scope = Scope::operate,
         .summary = "Tries all of an integration again",
         .query = {text_parameter("integration", "Whose"), text_parameter("reason", "Only with this reason")},
         .answers = "Replayed",
         .handle = [&backend](Call& call) { replay(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/conflicts",
                .summary = "What a person has to decide",
                .query = list_parameters(),
                .answers = "[Conflict]",
                .handle = [&backend](Call& call) {
                    list(backend, call, &store::Database::conflicts,
                         [](const store::Conflict& row) { return api::to_json(row); });
                }});
    router.add({.method = "GET",
                .pattern = "/conflicts/{conflict:conflict}",
                .summary = "One conflict, with both sides",
                .answers = "Conflict",
                .handle = [&backend](Call& call) { show_conflict(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/conflicts/{conflict:conflict}/resolve",
                .scope = Scope::operate,
                .summary = "Decides it",
                .body = R"({"type":"object","additionalProperties":false,
                            "properties":{"take":{"enum":["hub","remote"]},"record":{"type":"string"},
                              "fields":{"type":"object","additionalProperties":{"enum":["hub","remote"]}}}})",
                .answers = "Done",
                .handle = [&backend](Call& call) { resolve_conflict(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/intents",
                .summary = "Sends that are not settled yet",
                .query = list_parameters({{Parameter::Kind::word,
                                           "status",
                                           "Only in this state",
                                           {"ready", "sending", "unknown", "in_doubt", "stale"}}}),
                .answers = "[Intent]",
                .handle = [&backend](Call& call) {
                    list(backend, call, &store::Database::intents,
                         [](const store::Intent& row) { return to_json(row); });
                }});
    router.add({.method = "POST",
                .pattern = "/intents/{intent:intent}/resolve",
                .scope = Scope::operate,
                .summary = "Says whether a send in doubt reached the vendor",
                .body = R"({"type":"object","additionalProperties":false,"required":["action"],
                            "properties":{"action":{"enum":["exists","resend","cancel"]},
                              "external_id":{"type":"string"}}})",
                .answers = "Done",
                .handle = [&backend](Call& call) { resolve_intent(backend, call); }});
}

}  // namespace liaisond::api
