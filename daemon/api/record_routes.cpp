// The hub itself, for the house's own software: records, the feed of their changes, and who knows them under
// which id.
#include <boost/json/serialize.hpp>
#include <charconv>

#include "api/backend.hpp"
#include "base/ids.hpp"
#include "base/system.hpp"
#include "sync/hub_edit.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

json::object to_json(const store::RecordRow& r) {
    return {{"id", r.id},
            {"tenant", r.tenant},
            {"entity", r.entity},
            {"version", r.version},
            {"created_at", format_instant(r.created)},
            {"updated_at", format_instant(r.updated)},
            {"deleted", r.deleted},
            {"payload", parsed(r.payload)}};
}

json::object to_json(const store::MappingRow& m) {
    return {{"integration", m.integration},
            {"entity", m.entity},
            {"record", m.record},
            {"external_id", m.external_id},
            {"remote_version", m.remote_version},
            {"synced_at", format_instant(m.synced_at)}};
}

json::object to_json(const store::ChangeRow& c) {
    return {{"seq", c.seq},
            {"at", format_instant(c.at)},
            {"action", store::to_string(c.action)},
            {"origin", c.origin},
            {"run", c.run == 0 ? json::value() : json::value(c.run)},
            {"fields", c.fields.empty() ? json::value() : parsed(c.fields)},
            {"record", to_json(c.record)}};
}

// RFC 9110, 8.8.3
std::string etag(const store::RecordRow& record) { return "\"" + std::to_string(record.version) + "\""; }

web::Answer with_etag(const store::RecordRow& record, unsigned status = 200) {
    web::Answer answer = ok(to_json(record), status);
    answer.headers.emplace_back("ETag", etag(record));
    return answer;
}

// ---- reading ----

// Behind the last change that was seen; `next` is where to go on, also when there is nothing more now.
void changes(const Backend& backend, const Call& call) {
    const store::Filter filter = call.filter();
    const std::int64_t after = call.number("since");
    backend.store.read([filter, after](store::Database& database) { return database.changes(filter, after); },
                       [answer = call.answer, after](Result<std::vector<store::ChangeRow>> rows) {
                           if (!rows) return answer(problem(rows.error()));
                           json::array items;
                           for (const store::ChangeRow& row : *rows) items.push_back(to_json(row));
                           const std::int64_t next = rows->empty() ? after : rows->back().seq;
                           answer(ok({{"items", std::move(items)}, {"next", std::to_string(next)}}));
                       });
}

void list_records(const Backend& backend, const Call& call) {
    if (!call.text("since").empty()) return changes(backend, call);
    list(backend, call, &store::Database::records, [](const store::RecordRow& row) { return to_json(row); });
}

void show_record(const Backend& backend, const Call& call) {
    const store::Filter filter = call.filter();
    const std::string known(call.request.header("If-None-Match"));
    backend.store.read([filter](store::Database& database) { return database.records(filter); },
                       [answer = call.answer, filter, known](Result<std::vector<store::RecordRow>> rows) {
                           if (!rows) return answer(problem(rows.error()));
                           if (rows->size() != 1)
                               return answer(problem(404, "there is no record " + filter.record));
                           if (!known.empty() && known == etag(rows->front())) {
                               web::Answer same{304, "application/json", ""};
                               same.headers.emplace_back("ETag", known);
                               return answer(std::move(same));
                           }
                           answer(with_etag(rows->front()));
                       });
}

// ---- writing ----

web::Answer refused(const sync::EditRefusal& refusal) {
    using Why = sync::EditRefusal::Why;
    switch (refusal.why) {
        case Why::not_found: return problem(404, refusal.text);
        case Why::invalid: return problem(422, refusal.text, errors_of(refusal.faults));
        case Why::changed_meanwhile: return problem(412, refusal.text);
        case Why::say_which_version: return problem(428, refusal.text);
    }
    return problem(500, refusal.text);
}

// The tenant that a record belongs to: the caller's, the one named, or the only one there is.
std::string tenant_for(const Backend& backend, const Call& call) {
    if (!call.tenant.empty()) return call.tenant;
    if (const std::string named = call.text("tenant"); !named.empty()) return named;
    std::string only;
    for (const sync::IntegrationStatus& one : backend.engine.status()) {
        if (!only.empty() && one.tenant != only) return {};
        only = one.tenant;
    }
    return only;
}

// If-Match and If-None-Match, as the version that must be there. What is said and not understood is a fault.
Result<std::optional<std::int64_t>> wanted_version(const web::Request& request) {
    const std::string_view match = request.header("If-Match");
    if (request.header("If-None-Match") == "*") return std::optional<std::int64_t>(0);
    if (match.empty()) return std::optional<std::int64_t>();
    std::int64_t version = 0;
    const std::string_view inside = match.size() > 2 && match.front() == '"' && match.back() == '"'
                                        ? match.substr(1, match.size() - 2)
                                        : "";
    const auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), version);
    if (error != std::errc() || end != inside.data() + inside.size() || version <= 0)
        return fail(ErrorKind::permanent, "If-Match must be the ETag of the record, such as \"3\"");
    return std::optional(version);
}

void edit(const Backend& backend, const Call& call, sync::HubEdit::Kind kind) {
    sync::HubEdit edit;
    edit.kind = kind;
    edit.tenant = tenant_for(backend, call);
    edit.entity = call.text("entity");
    edit.record = call.text("record");
    if (edit.tenant.empty()) return call.answer(problem(422, "say which tenant's record it is: ?tenant=ID"));
    if (!sync::CanonicalSchemas::embedded().allowed(edit.entity))
        return call.answer(problem(404, "the hub has no entity '" + edit.entity + "'"));
    if (!edit.record.empty() && !is_uuid(edit.record))
        return call.answer(problem(422,
                                   "the id of a record is a UUID in lower case, such as "
                                   "0195d1f0-7c1e-7a3b-9f00-2b6d0c1a4e55"));
    if (call.body.is_object()) edit.content = call.body.get_object();
    const auto version = wanted_version(call.request);
    if (!version) return call.answer(problem(400, version.error().message));
    edit.version = *version;
    edit.recognised_by = backend.engine.recognised_by(edit.tenant, edit.entity);
    const auto work = [edit, now = backend.clock.now()](store::Database& database) {
        SystemRandom random;
        return sync::edit_record(database, sync::CanonicalSchemas::embedded(), edit, now, random);
    };
    backend.store.write(work, [&backend, answer = call.answer, edit](Result<sync::EditOutcome> outcome) {
        if (!outcome) return answer(problem(outcome.error()));
        if (const auto* refusal = std::get_if<sync::EditRefusal>(&*outcome)) return answer(refused(*refusal));
        const auto& edited = std::get<sync::Edited>(*outcome);
        if (edited.changed) backend.engine.hub_changed(edit.tenant, edit.entity);
        web::Answer told = with_etag(edited.record, edited.created ? 201 : 200);
        if (edited.created)
            told.headers.emplace_back("Location", "/api/v1/records/" + edit.entity + "/" + edited.record.id);
        answer(std::move(told));
    });
}

constexpr std::string_view any_record = R"({"type":"object"})";

}  // namespace

void add_record_routes(Router& router, const Backend& backend) {
    using access::Scope;
    const Parameter tenant =
        text_parameter("tenant", "Whose record it is, where the caller sees several tenants");
    const auto change = [&](const char* method, const char* pattern, const char* summary,
                            sync::HubEdit::Kind kind, std::string_view body, unsigned status) {
        router.add({.method = method,
                    .pattern = pattern,
                    .scope = Scope::operate,
                    .summary = summary,
                    .query = {tenant},
                    .body = body,
                    .answers = "Record",
                    .status = status,
                    .handle = [&backend, kind](Call& call) { edit(backend, call, kind); }});
    };
    router.add(
        {.method = "GET",
         .pattern = "/records/{entity}",
         .summary = "Records, newest first; with `since`, the feed of their changes, oldest first",
         .query = {text_parameter("tenant", "Only of this tenant"),
                   {Parameter::Kind::number, "since", "Changes behind this `next` (0: from the first)"},
                   limit_parameter(),
                   before_parameter()},
         .answers = "[RecordOrChange]",
         .handle = [&backend](Call& call) { list_records(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/records/{entity}/{record}",
                .summary = "One record; its ETag is its version",
                .answers = "Record",
                .handle = [&backend](Call& call) { show_record(backend, call); }});
    change("POST", "/records/{entity}",
           "A new record; send PUT with an id of your own (UUID) to be able to repeat it",
           sync::HubEdit::Kind::replace, any_record, 201);
    change("PUT", "/records/{entity}/{record}",
           "The whole record, new or under If-Match; If-None-Match: * only makes a new one",
           sync::HubEdit::Kind::replace, any_record, 200);
    change("PATCH", "/records/{entity}/{record}", "What changes of it (RFC 7396: null removes a member)",
           sync::HubEdit::Kind::merge, any_record, 200);
    change("DELETE", "/records/{entity}/{record}", "It is deleted, and will be at whoever exports it",
           sync::HubEdit::Kind::remove, {}, 200);
    router.add({.method = "GET",
                .pattern = "/mappings",
                .summary = "Which record is which at the vendors",
                .query = list_parameters({text_parameter("entity", "Only of this entity"),
                                          text_parameter("record", "Of this record of the hub"),
                                          text_parameter("key", "With this id at the vendor")}),
                .answers = "[Mapping]",
                .handle = [&backend](Call& call) {
                    list(backend, call, &store::Database::mappings,
                         [](const store::MappingRow& row) { return to_json(row); });
                }});
}

}  // namespace liaisond::api
