// The invariants of a simulation (reliability.md, section 4).
#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "simulate/simulation.hpp"

namespace liaisond::simulate {
namespace {

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

bool has(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

// By the schemas of the hub.
bool is_invalid(const std::string& entity, const json::object& content) {
    return (entity == "product" && text_of(content, "name").empty()) ||
           (entity == "customer" && text_of(content, "kind") == "unheard-of");
}

constexpr std::uint32_t most_rows = 100'000;

}  // namespace

void Simulation::complain(const std::string& invariant, const std::string& found) {
    if (summary_.violations.size() >= 5) return;
    world_.note("violation", invariant + ": " + found);
    summary_.violations.push_back({invariant, found});
}

// I1: no byte leaves before a durable intent names it, in state `sending`, with these very contents.
void Simulation::check_write(const http::Request& request) {
    store::Filter filter;
    filter.integration = request.pool;
    filter.status = std::string(store::to_string(store::IntentState::sending));
    filter.limit = most_rows;
    const auto [entity, key] = path_of(request.url);
    json::object body = request.body.empty() ? json::object() : json::parse(request.body).as_object();
    const std::string reference = text_of(body, "reference");
    for (const store::Intent& intent : rows_of(house_->store.database().intents(filter))) {
        if (intent.entity != entity) continue;
        const bool names = !reference.empty() ? intent.op_key == reference : intent.external_id == key;
        if (!names || intent.deleted != (request.method == "DELETE")) continue;
        if (intent.deleted) return;
        const json::object payload = json::parse(intent.payload).as_object();
        const std::string name = text_of(payload, entity == "product"    ? "name"
                                                  : entity == "customer" ? "company_name"
                                                                         : "status");
        if (name != text_of(body, entity == "sales_order" ? "status" : "name")) continue;
        if (!reference.empty()) sent_as_[reference] = intent.record;
        return;
    }
    complain("I1 durable intent", "a write left without an intent in state sending that names it: " +
                                      request.method + " " + request.url + " " + request.body);
}

void Simulation::check_vendors() {
    for (const System& system : scenario_.systems) {
        for (const std::string& found : system.vendor->violations)
            complain(found.starts_with("an export of what") ? "I6 no echo"
                     : found.starts_with("a second")        ? "I1 one effect"
                                                            : "vendor",
                     system.vendor->spec.name + ": " + found);
        system.vendor->violations.clear();
    }
}

// The engine lives: everything has a next run, nobody who asked was forgotten.
void Simulation::check_engine() {
    for (const sync::IntegrationStatus& status : house_->engine->status()) {
        // No slot is used twice: after a step back those that were used already come again in vain.
        const bool jumps = scenario_.rates.contains(Fault::clock_steps);
        const Instant latest = world_.now() + std::chrono::hours(jumps ? 11 + 24 : 11);
        if (status.state == "running") continue;
        if (!status.next_run)
            complain("liveness", status.id + " is " + status.state + " and no run is planned");
        else if (*status.next_run > latest)
            complain("liveness", status.id + " runs next at " + format_instant(*status.next_run));
    }
    store::Filter waiting;
    waiting.status = "waiting";
    for (const store::InboxEvent& event : rows_of(house_->store.database().inbox(waiting)))
        complain("liveness", event.event_id + " of " + event.integration + " still waits: " + event.error);
    for (const auto& asked : asked_) {
        if (!asked->is_answered && asked->life == life_)
            complain("every trigger is answered",
                     "a run of " + asked->integration + " was asked for and never began");
    }
    asked_.clear();
}

void Simulation::check_runs() {
    store::Filter filter;
    filter.limit = most_rows;
    std::vector<store::Run> runs = rows_of(house_->store.database().runs(filter));
    std::reverse(runs.begin(), runs.end());
    summary_.runs = runs.size();
    std::set<std::int64_t> live;
    for (const sync::IntegrationStatus& status : house_->engine->status()) {
        if (status.current_run) live.insert(status.current_run->id);
    }
    std::map<std::string, store::Run> before;
    const bool steady =
        !scenario_.rates.contains(Fault::clock_steps) && !scenario_.rates.contains(Fault::small_clock_steps);
    for (const store::Run& run : runs) {
        const std::string name = "run " + std::to_string(run.id) + " of " + run.integration;
        if (run.status == store::RunStatus::running && !live.contains(run.id))
            complain("no run is left running", name + " began " + format_instant(run.started));
        // Events have a lane of their own.
        const std::string lane = run.integration + (run.trigger == "webhook" ? " webhook" : "");
        const auto last = before.find(lane);
        if (steady && last != before.end() && run.started < last->second.ended)
            complain("one run at a time",
                     name + " began before run " + std::to_string(last->second.id) + " ended");
        before[lane] = run;
    }
    if (!steady) return;
    for (const System& system : scenario_.systems) check_schedule(system, runs);
}

// I14: each due time fires once.
void Simulation::check_schedule(const System& system, const std::vector<store::Run>& runs) {
    if (system.cron.empty()) return;
    const config::Cron cron = config::Cron::parse(system.cron).value();
    std::optional<Instant> next;
    for (const store::Run& run : runs) {
        if (run.integration != system.vendor->spec.name || run.trigger != "schedule") continue;
        if (next && run.started < *next)
            complain("I14 a due time fires once", run.integration + " ran by schedule at " +
                                                      format_instant(run.started) + " and was due at " +
                                                      format_instant(*next));
        next = cron.next(run.started, scenario_.zone, zones_);
    }
}

Simulation::Hub Simulation::read_hub() {
    Hub hub;
    store::Database& database = house_->store.database();
    store::Filter all;
    all.limit = most_rows;
    for (const store::RecordRow& row : rows_of(database.records(all)))
        hub.records[row.id] = {row.id, row.entity, json::parse(row.payload).as_object(), row.deleted};
    for (const store::MappingRow& row : rows_of(database.mappings(all))) {
        if (!hub.externals[row.integration].emplace(row.record, row.external_id).second)
            complain("mappings are one to one",
                     row.integration + " knows the record " + row.record + " twice");
        if (!hub.by_external[row.integration].emplace(row.entity + " " + row.external_id, row.record).second)
            complain("mappings are one to one",
                     row.integration + " has " + row.external_id + " for two records");
    }
    for (const store::DeadLetter& letter : rows_of(database.dead_letters(all))) {
        hub.dead[letter.integration].insert(std::string(store::to_string(letter.direction)) + " " +
                                            letter.entity + " " + letter.key);
        if (letter.reason == "conflict") hub.outdated[letter.integration].insert(letter.key);
    }
    for (store::Intent& intent : rows_of(database.intents(all)))
        hub.open[intent.integration][intent.record] = std::move(intent);
    return hub;
}

// What a system has to show of a record, with references in its own ids.
json::object Simulation::as_shown(const Hub& hub, const Hub::Record& record,
                                  const std::string& integration) const {
    const auto external = [&](const std::string& id) {
        const auto all = hub.externals.find(integration);
        if (all == hub.externals.end()) return std::string();
        const auto found = all->second.find(id);
        return found == all->second.end() ? std::string() : found->second;
    };
    const json::object& from = record.payload;
    if (record.entity == "product") {
        return {{"name", text_of(from, "name")},
                {"sku", text_of(from, "sku")},
                {"note", text_of(from, "description")}};
    }
    if (record.entity == "customer")
        return {{"name", text_of(from, "company_name")},
                {"kind", text_of(from, "kind")},
                {"account", text_of(from, "account_no")}};
    json::array rows;
    if (const json::value* lines = from.if_contains("lines")) {
        for (const json::value& line : lines->as_array())
            rows.push_back(json::object{{"product", external(text_of(line.as_object(), "product_ref"))},
                                        {"qty", text_of(line.as_object(), "quantity")}});
    }
    return {{"number", text_of(from, "client_ref")},
            {"status", text_of(from, "status")},
            {"customer", external(text_of(from, "customer_ref"))},
            {"rows", rows}};
}

// I4: the hub has everything that the vendor has, as it is, or a dead letter that says why not.
void Simulation::check_imports(System& system, const Hub& hub) {
    const std::string& integration = system.vendor->spec.name;
    const auto in = [](const auto& map, const std::string& key) {
        const auto found = map.find(key);
        return found == map.end() ? typename std::decay_t<decltype(map)>::mapped_type() : found->second;
    };
    const auto by_external = in(hub.by_external, integration);
    const auto dead = in(hub.dead, integration);
    const auto open = in(hub.open, integration);
    for (const std::string& entity : system.imports) {
        for (const auto& [id, row] : system.vendor->table(entity)) {
            const std::string what =
                integration + " has the " + entity + " " + id + " " + json::serialize(row.content);
            if (!row.deleted && is_invalid(entity, row.content)) {
                if (!dead.contains("import " + entity + " " + id))
                    complain("a rejected record is a dead letter", what + ", and there is no dead letter");
                continue;
            }
            const auto mapped = by_external.find(entity + " " + id);
            if (mapped == by_external.end() || !hub.records.contains(mapped->second)) {
                if (!row.deleted)
                    complain("I4 nothing lost on import", what + ", which the hub does not have");
                continue;
            }
            const Hub::Record& record = hub.records.at(mapped->second);
            const bool waits =
                open.contains(record.id) || dead.contains("export " + entity + " " + record.id);
            if (row.deleted != record.deleted && !waits)
                complain("I4 nothing lost on import",
                         what + (row.deleted ? " deleted" : "") + ", the hub does not");
            const json::object shown = as_shown(hub, record, integration);
            if (!row.deleted && shown != row.content && !waits)
                complain("I4 nothing lost on import", what + ", the hub has " + json::serialize(shown));
        }
    }
}

// I2, I5: the vendor has everything that the hub has, as it is, once; or somebody has been told.
void Simulation::check_exports(System& system, const Hub& hub) {
    const std::string& integration = system.vendor->spec.name;
    const auto in = [](const auto& map, const std::string& key) {
        const auto found = map.find(key);
        return found == map.end() ? typename std::decay_t<decltype(map)>::mapped_type() : found->second;
    };
    const auto externals = in(hub.externals, integration);
    const auto by_external = in(hub.by_external, integration);
    const auto dead = in(hub.dead, integration);
    const auto open = in(hub.open, integration);
    const auto outdated = in(hub.outdated, integration);
    std::set<std::string> operators;  // references somebody has to look at
    for (const auto& [id, intent] : open) {
        // What the vendor has, and the hub cannot accept, stands in the way of what the hub has.
        const bool waits_for_import = intent.state == store::IntentState::stale &&
                                      dead.contains("import " + intent.entity + " " + intent.external_id);
        if (intent.state == store::IntentState::in_doubt || waits_for_import)
            operators.insert(id);
        else
            complain("I5 no open work", integration + ": the " + intent.entity + " " + id +
                                            " is still open, attempt " + std::to_string(intent.attempt) +
                                            ", due " + format_instant(intent.next_at) + ": " +
                                            intent.last_error);
    }
    std::set<std::string> excused;  // records that somebody has to look at
    for (const auto& [id, record] : hub.records) {
        if (!has(system.exports, record.entity)) continue;
        const bool told = operators.contains(id) || dead.contains("export " + record.entity + " " + id);
        if (told) excused.insert(id);
        const std::string what = "the " + record.entity + " " + id + " " + json::serialize(record.payload);
        const auto mapped = externals.find(id);
        if (mapped == externals.end()) {
            if (!told && !record.deleted)
                complain("I5 nothing lost on export", integration + " was never sent " + what);
            continue;
        }
        const Vendor::Table& rows = system.vendor->table(record.entity);
        const auto row = rows.find(mapped->second);
        const bool is_read = has(system.imports, record.entity) &&
                             !dead.contains("import " + record.entity + " " + mapped->second);
        if (is_read && outdated.contains(id) && row != rows.end() && !row->second.deleted &&
            row->second.content != as_shown(hub, record, integration))
            complain("I5 what can be read is not refused as outdated for ever",
                     integration + " has " + json::serialize(row->second.content) + " of " + what);
        if (told) continue;
        if (row == rows.end())
            complain("I2 done means done", mapped->second + " is not at " + integration + ": " + what);
        else if (row->second.deleted != record.deleted)
            complain("I5 nothing lost on export", integration + " has another state of life of " + what);
        else if (!record.deleted && row->second.content != as_shown(hub, record, integration) &&
                 !dead.contains("import " + record.entity + " " + mapped->second))
            complain("I2 done means done",
                     integration + " has " + json::serialize(row->second.content) + " of " + what);
    }
    for (const std::string& entity : system.exports) {
        for (const auto& [id, row] : system.vendor->table(entity)) {
            if (row.reference.empty() || row.deleted || excused.contains(sent_as_[row.reference])) continue;
            if (!by_external.contains(entity + " " + id))
                complain("I2 what was done is known", integration + " has the " + entity + " " + id +
                                                          " of ours, " + json::serialize(row.content) +
                                                          ", and we do not know it");
        }
    }
}

}  // namespace liaisond::simulate
