// Routes: conflicts, sends in doubt and dead letters - what a person decides.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <set>

#include "api/routes.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"
#include "base/system.hpp"
#include "sync/decisions.hpp"
#include "sync/event_job.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

std::string string_in(const json::object& body, std::string_view key) {
    const json::value* found = body.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

Result<json::object> object_of(const std::string& body) {
    boost::system::error_code error;
    json::value value = body.empty() ? json::value(json::object()) : json::parse(body, error);
    if (error || !value.is_object())
        return fail(ErrorKind::permanent, "the request's body must be a JSON object");
    return std::move(value.get_object());
}

Result<sync::Side> side_of(const std::string& word) {
    if (word == "hub") return sync::Side::hub;
    if (word == "remote") return sync::Side::remote;
    return fail(ErrorKind::permanent, "'" + word + "' is no side; take hub or remote");
}

Result<sync::ConflictChoice> choice_of(const json::object& body) {
    sync::ConflictChoice choice;
    const std::string record = string_in(body, "record");
    if (!record.empty() && record != "new") choice.record = record;
    const std::string take = string_in(body, "take");
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

web::Answer refusal(const Error& error) {
    return error.kind == ErrorKind::permanent ? problem(422, error.message) : problem(error);
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

bool Routes::decide(const Call& call) {
    const std::vector<std::string>& path = call.path;
    if (path.size() < 2) return false;
    std::int64_t id = 0;
    if (path.size() == 3) {
        const auto [end, error] = std::from_chars(path[1].data(), path[1].data() + path[1].size(), id);
        if (error != std::errc() || end != path[1].data() + path[1].size()) return false;
    }
    const std::string& action = path.back();
    if (path[0] == "conflicts" && path.size() == 3 && action == "resolve")
        return resolve_conflict(call, id), true;
    if (path[0] == "intents" && path.size() == 3 && action == "resolve")
        return resolve_intent(call, id), true;
    if (path[0] == "plans" && path.size() == 3 && (action == "approve" || action == "discard"))
        return decide_plan(call, id), true;
    if (path[0] == "dead-letters" && path.size() == 3 && action == "edit")
        return edit_dead_letter(call, id), true;
    if (path[0] == "dead-letters" && action == "replay") return replay(call, id), true;
    return false;
}

void Routes::show_conflict(const Call& call) {
    std::int64_t id = 0;
    std::from_chars(call.path[1].data(), call.path[1].data() + call.path[1].size(), id);
    backend_.store.read(
        [id](store::Database& database) { return database.conflict(id); },
        [answer = call.answer, id](Result<std::optional<store::Conflict>> found) {
            if (!found) return answer(problem(found.error()));
            if (!*found) return answer(problem(404, "there is no open conflict " + std::to_string(id)));
            answer(ok(to_json(**found)));
        });
}

// What was decided is sent soon, schedule or not.
void Routes::run_soon(const std::string& integration) {
    sync::RunRequest request;
    request.trigger = "decision";
    backend_.engine.trigger(integration, std::move(request), [integration](Result<std::int64_t> run) {
        if (!run)
            log(LogLevel::warning, "a decision waits for the next run: " + run.error().message,
                {{"integration", integration}});
    });
}

namespace {

// What a decision came to, and whose run it concerns.
struct Told {
    std::string text, integration;
};

}  // namespace

void Routes::resolve_conflict(const Call& call, std::int64_t id) {
    auto body = object_of(call.body);
    auto choice = body ? choice_of(*body) : Result<sync::ConflictChoice>(fail(body.error()));
    if (!choice) return call.answer(refusal(choice.error()));
    const auto work = [id, choice = *choice](store::Database& database) -> Result<Told> {
        auto conflict = database.conflict(id);
        if (!conflict) return fail(conflict.error());
        SystemRandom random;
        auto told = sync::resolve_conflict(database, id, choice, SystemClock().now(), random);
        if (!told) return fail(told.error());
        return Told{std::move(*told), (*conflict)->integration};
    };
    backend_.store.write(work, [this, answer = call.answer](Result<Told> told) {
        if (!told) return answer(refusal(told.error()));
        run_soon(told->integration);
        answer(ok({{"ok", true}, {"detail", told->text}}));
    });
}

void Routes::resolve_intent(const Call& call, std::int64_t id) {
    auto body = object_of(call.body);
    if (!body) return call.answer(refusal(body.error()));
    sync::IntentChoice choice;
    const std::string action = text_in(call.body, "action");
    choice.external_id = text_in(call.body, "external_id");
    if (action == "exists")
        choice.action = sync::IntentChoice::Action::exists;
    else if (action == "resend")
        choice.action = sync::IntentChoice::Action::resend;
    else if (action != "cancel")
        return call.answer(problem(422, "'" + action + "' is no decision; decide exists, resend or cancel"));
    const auto work = [id, choice,
                       settle = backend_.settle_times()](store::Database& database) -> Result<Told> {
        auto intent = database.intent(id);
        if (!intent) return fail(intent.error());
        sync::IntentChoice final_choice = choice;
        const auto known = *intent ? settle.find((*intent)->integration) : settle.end();
        if (known != settle.end()) final_choice.settle = known->second;
        auto told = sync::resolve_intent(database, id, final_choice, SystemClock().now());
        if (!told) return fail(told.error());
        return Told{std::move(*told), (*intent)->integration};
    };
    backend_.store.write(work, [this, answer = call.answer](Result<Told> told) {
        if (!told) return answer(refusal(told.error()));
        run_soon(told->integration);
        answer(ok({{"ok", true}, {"detail", told->text}}));
    });
}

void Routes::edit_dead_letter(const Call& call, std::int64_t id) {
    auto body = object_of(call.body);
    if (!body) return call.answer(refusal(body.error()));
    const json::value* payload = body->if_contains("payload");
    if (payload == nullptr || !payload->is_object())
        return call.answer(problem(422, "the new payload must be a JSON object"));
    const auto work = [id, text = json::serialize(*payload)](store::Database& database) -> Status {
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
    backend_.store.write(work, [answer = call.answer](Status status) {
        answer(status ? ok({{"ok", true}, {"detail", "changed; replay it now"}}) : refusal(status.error()));
    });
}

// One letter, or those of an integration and a reason. Refused exports go into the feed again; refused
// imports are read again by a run.
void Routes::replay(const Call& call, std::int64_t id) {
    struct Sorted {
        std::map<std::pair<std::string, std::string>, std::vector<std::int64_t>>
            imports;  // by integration, entity
        std::map<std::string, std::int64_t> exports;
        std::set<std::string> events;  // integrations whose inbox has something again
        std::vector<std::string> left;
        std::int64_t count = 0;
    };
    const auto text = [&](const char* key) {
        const auto found = call.query.find(key);
        return found != call.query.end() ? found->second : std::string();
    };
    if (id == 0 && text("integration").empty())
        return call.answer(
            problem(422, "name one dead letter, or an integration whose letters are replayed"));
    const auto work = [id, integration = text("integration"),
                       reason = text("reason")](store::Database& database) -> Result<Sorted> {
        std::vector<store::DeadLetter> letters;
        if (id != 0) {
            auto one = database.dead_letter(id);
            if (!one) return fail(one.error());
            if (!*one) return fail(ErrorKind::permanent, "there is no dead letter " + std::to_string(id));
            letters.push_back(std::move(**one));
        } else {
            store::Filter filter;
            filter.integration = integration;
            filter.limit = 10'000;
            auto all = database.dead_letters(filter);
            if (!all) return fail(all.error());
            letters = std::move(*all);
        }
        Sorted sorted;
        for (const store::DeadLetter& letter : letters) {
            if (!reason.empty() && letter.reason != reason) continue;
            ++sorted.count;
            if (letter.reason == sync::event_reason) {
                if (auto replayed = sync::replay_event(database, letter, SystemClock().now()); !replayed)
                    return fail(replayed.error());
                sorted.events.insert(letter.integration);
            } else if (letter.direction == store::Direction::export_) {
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
    backend_.store.write(work, [this, answer = call.answer](Result<Sorted> sorted) {
        if (!sorted) return answer(refusal(sorted.error()));
        for (const auto& [integration, count] : sorted->exports) run_soon(integration);
        for (const std::string& integration : sorted->events) backend_.engine.events_arrived(integration);
        std::int64_t imports = 0;
        for (const auto& [where, ids] : sorted->imports) {
            sync::RunRequest request;
            request.trigger = "replay";
            request.entity = where.second;
            request.replay = ids;
            imports += static_cast<std::int64_t>(ids.size());
            backend_.engine.trigger(where.first, std::move(request), [](Result<std::int64_t>) {});
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

}  // namespace liaisond::api
