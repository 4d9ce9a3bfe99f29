#include "simulate/simulation.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

namespace liaisond::simulate {
namespace {

// What tests/abi/webhook_sample.cpp makes records of: the fields as in fields_of().
json::object webhook_body(const VendorSpec& spec, const std::string& entity, const Vendor::Row& row) {
    const auto field = [&](const char* name) -> const json::value& { return row.content.at(name); };
    json::object payload;
    if (entity == "product") {
        payload = {{"name", field("name")}, {"sku", field("sku")}, {"description", field("note")}};
    } else if (entity == "customer") {
        payload = {
            {"company_name", field("name")}, {"kind", field("kind")}, {"account_no", field("account")}};
    } else {
        json::array lines;
        for (const json::value& line : field("rows").as_array())
            lines.push_back({{"product_ref", line.at("product")}, {"quantity", line.at("qty")}});
        payload = {{"client_ref", field("number")},
                   {"status", field("status")},
                   {"customer_ref", field("customer")},
                   {"lines", lines}};
    }
    json::object record{{"entity", entity},
                        {"key", row.id},
                        {"reference", row.reference},
                        {"changed_ms", to_unix_ms(row.changed)}};
    if (spec.has_etags) record["version"] = std::to_string(row.version);
    if (row.deleted)
        record["deleted"] = true;
    else
        record["payload"] = std::move(payload);
    return {{"records", json::array{record}}};
}

constexpr Milliseconds day_length = std::chrono::hours(24);
constexpr Milliseconds quiet_length = std::chrono::hours(2);
constexpr Milliseconds between_asked_runs = std::chrono::minutes(30);
constexpr int most_moved_a_day = 150;
constexpr double touches_a_day = 40;
constexpr const char* database_path = "/liaison.db";

}  // namespace

Simulation::Simulation(std::uint64_t seed, const Options& options)
    : seed_(seed), options_(options), world_(seed), database_(SimStore::open(database_path)), postman_(seed) {
    world_.trace = options.trace;
    scenario_ = draw_scenario(world_, options);
    const bool tells = options.faults ? options.faults->contains(Fault::webhooks) : seed % 4 == 3;
    if (tells) scenario_.rates[Fault::webhooks] = 0.6;
    const bool touches = options.faults ? options.faults->contains(Fault::touches) : seed % 8 == 6;
    if (touches) scenario_.rates[Fault::touches] = touches_a_day;
    world_.begin_at(scenario_.start);
    std::map<std::string, Vendor*> by_origin;
    for (System& system : scenario_.systems)
        by_origin["http://" + system.vendor->spec.name + ".example:80"] = system.vendor.get();
    network_ = std::make_unique<SimNetwork>(world_, std::move(by_origin));
    network_->on_write = [this](const http::Request& request) { check_write(request); };
    network_->on_executed = [this] { check_vendors(); };
    network_->dies_at = [this](std::string_view point) { return dies(Fault::crash_at_send, point); };
    network_->between_pages = [this](Vendor& vendor) {
        if (++moved_ > most_moved_a_day) return;  // each new page would bring more of them
        for (System& system : scenario_.systems) {
            if (system.vendor.get() == &vendor) change_something(system);
        }
    };
    summary_.seed = seed;
    summary_.topology = scenario_.topology;
    summary_.faults = scenario_.describe_faults();
}

Summary Simulation::run() {
    for (System& system : scenario_.systems) {
        if (!system.is_edited) continue;
        for (const std::string& entity : system.imports) {
            const std::int64_t count = world_.between(3, 25);
            for (std::int64_t i = 0; i < count; ++i) add_record(system, entity);
        }
    }
    for (int i = 0; i < options_.days && summary_.violations.empty(); ++i) day();
    end_house();
    summary_.hash = world_.hash();
    summary_.requests = network_->requests;
    summary_.events = world_.events();
    for (const auto& [fault, count] : network_->injected) summary_.injected[fault] += count;
    return summary_;
}

void Simulation::day() {
    world_.note("day", std::to_string(summary_.days));
    const Milliseconds busy = day_length - quiet_length;
    is_quiet_ = false;
    moved_ = 0;
    decided_.clear();
    network_->rates = scenario_.rates;
    plan_changes(busy);
    plan_touches(busy);
    plan_machine(busy);
    plan_people(busy);
    live(busy);
    // Faults end, the clock is right again, everything is enabled.
    world_.note("quiet");
    is_quiet_ = true;
    disk_is_full_ = false;
    network_->rates.clear();
    world_.set_clock_right();
    for (System& system : scenario_.systems) {
        if (system.enabled) continue;
        system.enabled = true;
        configure();
    }
    settle(quiet_length);
    decide_until_settled();
    ++summary_.days;
    if (!summary_.violations.empty()) return;
    if (!house_) start_house();
    check_engine();
    check_runs();
    const Hub hub = read_hub();
    for (System& system : scenario_.systems) {
        check_imports(system, hub);
        check_exports(system, hub);
    }
}

// Lives on without changes; what runs a few times a day only is asked to run more often.
void Simulation::settle(Milliseconds duration) {
    for (Milliseconds passed(0); passed < duration; passed += between_asked_runs) {
        if (!summary_.violations.empty()) return;
        if (!house_) start_house();
        for (const System& system : scenario_.systems) {
            if (system.cron.starts_with("30 "))
                house_->engine->trigger(system.vendor->spec.name, {}, [](const Result<std::int64_t>&) {});
        }
        live(between_asked_runs);
    }
}

// The daemon runs for that long, and is started again whenever it dies.
void Simulation::live(Milliseconds duration) {
    const std::chrono::nanoseconds end = world_.monotonic() + duration;
    while (world_.monotonic() < end && summary_.violations.empty()) {
        if (!house_) start_house();
        const auto left = std::chrono::duration_cast<Milliseconds>(end - world_.monotonic());
        world_.run_until([this] { return is_dead_ || !summary_.violations.empty(); }, left);
        if (!is_dead_) continue;
        end_house();
        const Milliseconds down = world_.chance(0.9)
                                      ? world_.between(Milliseconds(2000), Milliseconds(10'000))
                                      : world_.between(Milliseconds(0), Milliseconds(3'600'000));
        const auto rest = std::chrono::duration_cast<Milliseconds>(end - world_.monotonic());
        world_.run_until([] { return false; }, is_quiet_ ? Milliseconds(2000) : std::min(down, rest));
    }
}

void Simulation::start_house() {
    ++life_;
    is_dead_ = false;
    world_.note("start");
    house_ = std::make_unique<House>(world_, *network_, zones_, database_path, *database_);
    house_->store.dies_at = [this](std::string_view point) { return dies(Fault::crash_at_store, point); };
    house_->store.disk_fault = [this]() -> std::optional<Error> {
        if (disk_is_full_)
            return Error{ErrorKind::transient, "the disk is full", Milliseconds(5000), "disk_full"};
        if (!is_quiet_ && world_.chance(rate_of(Fault::disk_error))) {
            strike(Fault::disk_error);
            is_dead_ = true;  // a daemon that cannot trust its disk exits
            return Error{ErrorKind::internal, "the disk failed", {}, "disk_error"};
        }
        return std::nullopt;
    };
    house_->runtime.breaks = [this] {
        const bool breaks = !is_quiet_ && world_.chance(rate_of(Fault::plugin_crash));
        if (breaks) strike(Fault::plugin_crash);
        return breaks;
    };
    configure();
    house_->engine->start([this](Status started) {
        if (!started) is_dead_ = true;  // the service manager tries again
    });
}

void Simulation::end_house() {
    if (!house_) return;
    world_.note("end");
    house_.reset();
    is_dead_ = false;
}

bool Simulation::dies(Fault fault, std::string_view point) {
    if (is_dead_) return true;
    if (is_quiet_ || point.empty() || !world_.chance(rate_of(fault))) return false;
    strike(fault, point);
    ++summary_.crashes;
    is_dead_ = true;
    return true;
}

void Simulation::configure() {
    if (!house_) return;
    std::vector<std::shared_ptr<const sync::Link>> links;
    for (System& system : scenario_.systems) links.push_back(link_of(system, scenario_.zone));
    house_->engine->configure(links);
}

double Simulation::rate_of(Fault fault) const {
    const auto rate = scenario_.rates.find(fault);
    return rate == scenario_.rates.end() ? 0 : rate->second;
}

void Simulation::strike(Fault fault, std::string_view detail) {
    ++summary_.injected[fault];
    world_.note("fault", std::string(to_string(fault)) + " " + std::string(detail));
}

// ---- what happens in a day ----

void Simulation::plan_changes(Milliseconds within) {
    for (int i = 0; i < scenario_.changes_a_day; ++i) {
        world_.outside(world_.between(Milliseconds(0), within), [this] {
            std::vector<System*> edited;
            for (System& system : scenario_.systems) {
                if (system.is_edited) edited.push_back(&system);
            }
            change_something(*edited[world_.below(edited.size())]);
        });
    }
}

void Simulation::plan_touches(Milliseconds within) {
    for (int i = static_cast<int>(rate_of(Fault::touches)); i > 0; --i) {
        const auto at = static_cast<std::int64_t>(postman_() % static_cast<std::uint64_t>(within.count()));
        world_.outside(Milliseconds(at), [this] { touch_something(); });
    }
}

// Nobody sees a difference, and every write over what was there before is refused.
void Simulation::touch_something() {
    const System& system = scenario_.systems[postman_() % scenario_.systems.size()];
    if (!system.vendor->spec.has_etags) return;
    const std::vector<std::string>& entities = system.imports.empty() ? system.exports : system.imports;
    const std::string& entity = entities[postman_() % entities.size()];
    std::vector<std::string> ids;
    for (const auto& [id, row] : system.vendor->table(entity)) {
        if (!row.deleted) ids.push_back(id);
    }
    if (ids.empty()) return;
    const std::string& id = ids[postman_() % ids.size()];
    strike(Fault::touches, entity + " " + id);
    system.vendor->renew(entity, id);
}

void Simulation::times_a_day(Fault fault, Milliseconds within, const std::function<void()>& what) {
    for (int i = static_cast<int>(rate_of(fault)); i > 0; --i) {
        world_.outside(world_.between(Milliseconds(0), within), [this, fault, what] {
            strike(fault);
            what();
        });
    }
}

void Simulation::plan_machine(Milliseconds within) {
    times_a_day(Fault::small_clock_steps, within,
                [this] { world_.step_clock(world_.between(Milliseconds(-30'000), Milliseconds(30'000))); });
    times_a_day(Fault::clock_steps, within, [this] {
        static constexpr std::int64_t hour = 3'600'000;
        static constexpr std::int64_t largest[] = {hour, 24 * hour, 2 * 365 * 24 * hour};
        const std::int64_t most = largest[world_.below(3)];
        world_.step_clock(Milliseconds(world_.between(-most, most)));
    });
    times_a_day(Fault::suspend, within, [this] {
        network_->suspend();
        world_.suspend(world_.between(Milliseconds(1000), Milliseconds(8 * 3'600'000)));
    });
    times_a_day(Fault::disk_full, within, [this] {
        if (is_quiet_) return;
        disk_is_full_ = true;
        world_.outside(world_.between(Milliseconds(1000), Milliseconds(1'800'000)),
                       [this] { disk_is_full_ = false; });
    });
    // Bad half hours, in which everything that goes wrong goes wrong often.
    for (std::int64_t i = world_.between(0, 3); i > 0; --i) {
        world_.outside(world_.between(Milliseconds(0), within), [this] {
            network_->storm = static_cast<double>(world_.between(3, 20));
            world_.outside(world_.between(Milliseconds(60'000), Milliseconds(1'800'000)),
                           [this] { network_->storm = 1; });
        });
    }
}

void Simulation::plan_people(Milliseconds within) {
    times_a_day(Fault::operator_runs, within, [this] { operate(); });
    times_a_day(Fault::reload, within, [this] { reload(); });
    times_a_day(Fault::stop, within, [this] { stop_and_start(); });
    times_a_day(Fault::disable, within, [this] {
        System& system = scenario_.systems[world_.below(scenario_.systems.size())];
        system.enabled = false;
        configure();
        world_.outside(world_.between(Milliseconds(1000), Milliseconds(4 * 3'600'000)), [this, &system] {
            if (system.enabled) return;
            system.enabled = true;
            configure();
        });
    });
}

void Simulation::operate() {
    if (!house_ || is_dead_) return;
    const System& system = scenario_.systems[world_.below(scenario_.systems.size())];
    if (scenario_.two_way && world_.chance(0.2)) return void(decide_everything());
    if (world_.chance(0.3)) {
        for (const sync::IntegrationStatus& status : house_->engine->status()) {
            if (status.current_run && status.current_run->id != 0)
                (void)house_->engine->cancel(status.current_run->id);
        }
        return;
    }
    sync::RunRequest request;
    request.full = world_.chance(0.3);
    for (std::int64_t i = world_.between(1, 3); i > 0; --i) {
        const auto asked = std::make_shared<Asked>(Asked{system.vendor->spec.name, life_, false});
        asked_.push_back(asked);
        house_->engine->trigger(system.vendor->spec.name, request,
                                [asked](const Result<std::int64_t>&) { asked->is_answered = true; });
    }
}

void Simulation::reload() {
    System& system = scenario_.systems[world_.below(scenario_.systems.size())];
    ++system.edition;
    system.push_batch = static_cast<std::uint32_t>(world_.between(1, 30));
    system.on_change = world_.chance(0.4);
    system.every = std::chrono::minutes(world_.between(10, 30));
    configure();
}

void Simulation::stop_and_start() {
    if (!house_ || is_dead_) return;
    house_->engine->stop(Milliseconds(world_.between(0, 20'000)), [this] { is_dead_ = true; });
}

// ---- what people at the vendors do ----

void Simulation::change_something(System& system) {
    if (!system.is_edited) return;
    const std::string& entity = system.imports[world_.below(system.imports.size())];
    if (world_.chance(0.35))
        add_record(system, entity);
    else
        edit_record(system, entity);
}

// Where records are recognised by it, people type the sku of a product that the other side has.
std::string Simulation::sku_for(System& system, const std::string& mark) {
    if (!system.recognises || !world_.chance(0.25)) return "S-" + mark;
    const System& from = scenario_.systems[world_.below(scenario_.systems.size())];
    std::vector<const Vendor::Row*> rows;
    for (const auto& [id, row] : from.vendor->table("product")) {
        if (!row.deleted) rows.push_back(&row);
    }
    if (rows.empty()) return "S-" + mark;
    return rows[world_.below(rows.size())]->content.at("sku").as_string().c_str();
}

void Simulation::add_record(System& system, const std::string& entity) {
    Vendor& vendor = *system.vendor;
    const std::string mark = vendor.spec.name + std::to_string(++names_);
    const auto any = [&](const std::string& other) {
        const Vendor::Table& rows = vendor.table(other);
        auto row = rows.begin();
        std::advance(row, static_cast<std::ptrdiff_t>(world_.below(rows.size())));
        return row->first;
    };
    std::string id;
    if (entity == "product") {
        id = vendor.add(entity, {{"name", "Product " + mark}, {"sku", sku_for(system, mark)}, {"note", "-"}});
    } else if (entity == "customer") {
        id = vendor.add(entity, {{"name", "Company " + mark}, {"kind", "company"}, {"account", "A-" + mark}});
    } else {
        if (vendor.table("customer").empty()) add_record(system, "customer");
        if (vendor.table("product").empty()) add_record(system, "product");
        json::array rows{json::object{{"product", any("product")}, {"qty", "1"}}};
        if (world_.chance(0.5)) rows.push_back(json::object{{"product", any("product")}, {"qty", "2"}});
        id = vendor.add(entity, {{"number", "N-" + mark},
                                 {"status", "confirmed"},
                                 {"customer", any("customer")},
                                 {"rows", rows}});
    }
    world_.note("added", entity + " " + id);
    tell(system, entity, id);
}

// What the vendor sends of a change: the record as it is now, or no more than that something changed. One to
// three times, within two minutes.
void Simulation::tell(const System& system, const std::string& entity, const std::string& id) {
    const auto drawn = [this](std::uint64_t below) { return postman_() % below; };
    if (rate_of(Fault::webhooks) == 0 || drawn(100) >= 100 * rate_of(Fault::webhooks)) return;
    strike(Fault::webhooks);
    const std::string& name = system.vendor->spec.name;
    const std::string body =
        json::serialize(webhook_body(system.vendor->spec, entity, system.vendor->table(entity).at(id)));
    const std::string event = "event " + std::to_string(++told_);
    for (std::uint64_t copies = 1 + drawn(3); copies > 0; --copies) {
        world_.outside(Milliseconds(static_cast<std::int64_t>(drawn(120'000))),
                       [this, name, event, body] { deliver(name, event, body); });
    }
}

// What arrives while the daemon is down is lost.
void Simulation::deliver(const std::string& integration, const std::string& id, const std::string& body) {
    if (!house_ || is_dead_) return;
    store::InboxEvent event;
    event.tenant = "house";
    event.integration = integration;
    event.event_id = id;
    event.headers = "{}";
    event.body = body;
    event.received = event.next_at = world_.now();
    house_->store.write([event](store::Database& database) { return database.add_event(event); },
                        [this, integration](const Result<bool>& added) {
                            if (added) house_->engine->events_arrived(integration);
                        });
}

void Simulation::edit_record(System& system, const std::string& entity) {
    Vendor& vendor = *system.vendor;
    std::vector<const Vendor::Row*> rows;
    for (const auto& [id, row] : vendor.table(entity)) {
        const bool ours = row.reference.empty() || scenario_.two_way;
        if (ours && !row.deleted) rows.push_back(&row);
    }
    if (rows.empty()) return add_record(system, entity);
    const std::string id = rows[world_.below(rows.size())]->id;
    const std::string mark = std::to_string(++names_);
    world_.note("edited", entity + " " + id + " " + mark);
    change_record(system, entity, id, mark);
    tell(system, entity, id);
}

void Simulation::change_record(System& system, const std::string& entity, const std::string& id,
                               const std::string& mark) {
    Vendor& vendor = *system.vendor;
    static constexpr const char* states[] = {"draft", "confirmed", "fulfilled", "invoiced", "cancelled"};
    if (entity == "sales_order") return vendor.edit(entity, id, "status", states[world_.below(5)]);
    const double kind = static_cast<double>(world_.below(100));
    // Nobody refers to the products of a chain or a pair, so they may go.
    if (kind < 5 && scenario_.topology != "orders") return vendor.bury(entity, id);
    if (kind < 10)  // which no hub accepts
        return entity == "product" ? vendor.edit(entity, id, "name", "")
                                   : vendor.edit(entity, id, "kind", "unheard-of");
    if (kind < 15) return vendor.edit(entity, id, "name", "unwanted " + mark);  // which no vendor accepts
    if (entity == "customer") vendor.edit(entity, id, "kind", "company");
    if (entity == "product" && kind < 40) return vendor.edit(entity, id, "note", "Noted " + mark);
    vendor.edit(entity, id, "name", "Changed " + mark);
}

}  // namespace liaisond::simulate
