#include "simulate/scenario.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "paths.hpp"
#include "simulate/network.hpp"

namespace liaisond::simulate {
namespace {

using plugin::EffectClass;

// How often each fault happens where a seed has it: from, to, in thousandths per occasion or times a day.
struct Range {
    std::int64_t from, to;
};
const std::map<Fault, Range> usual_rates{{Fault::refused, {2, 60}},
                                         {Fault::lost_request, {2, 40}},
                                         {Fault::lost_answer, {5, 80}},
                                         {Fault::late, {5, 80}},
                                         {Fault::late_update, {5, 80}},
                                         {Fault::error_before, {2, 60}},
                                         {Fault::error_after, {2, 60}},
                                         {Fault::too_many, {2, 60}},
                                         {Fault::slow, {2, 60}},
                                         {Fault::portal, {1, 20}},
                                         {Fault::moving_pages, {10, 200}},
                                         {Fault::repeated_records, {10, 100}},
                                         {Fault::plugin_crash, {1, 10}},
                                         {Fault::crash_at_store, {1, 6}},
                                         {Fault::crash_at_send, {5, 60}},
                                         {Fault::disk_error, {1, 2}},
                                         // times a day
                                         {Fault::small_clock_steps, {1, 10}},
                                         {Fault::clock_steps, {1, 4}},
                                         {Fault::suspend, {1, 3}},
                                         {Fault::disk_full, {1, 3}},
                                         {Fault::stop, {1, 4}},
                                         {Fault::operator_runs, {2, 20}},
                                         {Fault::reload, {1, 6}},
                                         {Fault::disable, {1, 2}}};

bool is_times_a_day(Fault fault) {
    switch (fault) {
        case Fault::small_clock_steps:
        case Fault::clock_steps:
        case Fault::suspend:
        case Fault::disk_full:
        case Fault::stop:
        case Fault::operator_runs:
        case Fault::reload:
        case Fault::disable: return true;
        default: return false;
    }
}

json::object fields_of(const std::string& entity) {
    if (entity == "product") return {{"/name", "/name"}, {"/sku", "/sku"}, {"/description", "/note"}};
    if (entity == "customer")
        return {{"/company_name", "/name"}, {"/kind", "/kind"}, {"/account_no", "/account"}};
    return {{"/client_ref", "/number"},
            {"/status", "/status"},
            {"/customer_ref", "/customer"},
            {"/lines",
             json::object{{"each", "/rows"},
                          {"fields", json::object{{"/product_ref", "/product"}, {"/quantity", "/qty"}}}}}};
}

std::string unique_field(const std::string& entity) {
    return entity == "product" ? "/sku" : entity == "customer" ? "/account_no" : "/client_ref";
}

json::object list_settings(const VendorSpec& spec, const std::string& path, std::uint32_t size) {
    json::object paging{
        {"style", "page"}, {"size_param", "limit"}, {"size", size}, {"total_pages", "/pages"}};
    if (spec.listing == Listing::keyset_since)
        paging = {{"style", "cursor"},
                  {"next", "/next"},
                  {"cursor_param", "after"},
                  {"size_param", "limit"},
                  {"size", size}};
    json::object list{{"path", path}, {"items", "/items"}, {"paging", paging}};
    if (spec.listing != Listing::pages)
        list["since"] = json::object{{"param", "since"}, {"format", "unix_ms"}, {"overlap", "5m"}};
    return list;
}

json::object entity_settings(const System& system, const std::string& entity) {
    const VendorSpec& spec = system.vendor->spec;
    const std::string path = "/" + entity;
    json::object settings{{"key", "/id"},
                          {"changed", "/changed"},
                          {"deleted", "/deleted"},
                          {"effect", plugin::to_string(spec.effect)},
                          {"fields", fields_of(entity)},
                          {"list", list_settings(spec, path, system.page_size)},
                          {"delete", json::object{{"path", path + "/{key}"}}}};
    if (spec.has_etags) settings["version"] = "/version";
    json::object update{{"method", "PUT"}, {"path", path + "/{key}"}};
    if (spec.has_etags) update["if_match"] = true;
    json::object reference{{"field", "/reference"}};
    if (spec.effect == EffectClass::keyed) reference["header"] = "Idempotency-Key";
    json::object create{{"method", "POST"}, {"path", path}, {"reference", reference}, {"id", "/id"}};
    if (spec.effect == EffectClass::upsert) {
        create = {
            {"method", "PUT"}, {"path", path + "/{key}"}, {"reference", reference}, {"id_from", "path"}};
        settings["write_key"] = unique_field(entity);
    }
    settings["create"] = create;
    settings["update"] = update;
    if (spec.effect != EffectClass::blind) {
        json::object find{{"path", path}, {"param", "reference"},  {"items", "/items"},
                          {"id", "/id"},  {"match", "/reference"}, {"key_path", path + "/{key}"}};
        if (spec.has_etags) find["version"] = "/version";
        settings["find"] = find;
    }
    return settings;
}

VendorSpec draw_vendor(World& world, const std::string& name, EffectClass effect) {
    VendorSpec spec;
    spec.name = name;
    spec.effect = effect;
    spec.listing = static_cast<Listing>(world.below(3));
    spec.has_etags = effect == EffectClass::findable && world.chance(0.5);
    spec.unique_reference = effect == EffectClass::findable && world.chance(0.3);
    spec.key_life = std::chrono::hours(world.between(1, 24));
    if (effect == EffectClass::findable) spec.index_lag = Milliseconds(world.between(0, 60) * 1000);
    return spec;
}

System draw_system(World& world, VendorSpec spec) {
    System system;
    system.request_timeout = Milliseconds(world.between(5, 30) * 1000);
    // T + M + L (reliability.md 2.2), and a little for the way.
    system.settle = system.request_timeout + longest_late + spec.index_lag + Milliseconds(5000);
    system.page_size = static_cast<std::uint32_t>(world.between(2, 25));
    system.push_batch = static_cast<std::uint32_t>(world.between(1, 30));
    system.concurrent = static_cast<std::uint32_t>(world.between(1, 6));
    system.parallel = static_cast<std::uint32_t>(world.between(1, 6));
    system.attempts = world.chance(0.2) ? 4 : 60;
    system.on_change = world.chance(0.4);
    system.every = std::chrono::minutes(world.between(10, 30));
    if (world.chance(0.2)) system.cron = "*/20 * * * *";
    system.vendor = std::make_unique<Vendor>(world, std::move(spec));
    return system;
}

EffectClass draw_effect(World& world) { return static_cast<EffectClass>(world.below(4)); }

void draw_systems(World& world, Scenario& scenario) {
    const auto add = [&](const std::string& name, EffectClass effect, std::vector<std::string> imports,
                         std::vector<std::string> exports) -> System& {
        System system = draw_system(world, draw_vendor(world, name, effect));
        system.is_edited = !imports.empty();
        system.imports = std::move(imports);
        system.exports = std::move(exports);
        return scenario.systems.emplace_back(std::move(system));
    };
    if (scenario.topology == "chain") {
        add("shop", EffectClass::findable, {"product"}, {});
        add("office", draw_effect(world), {}, {"product"});
        if (world.chance(0.4)) add("depot", draw_effect(world), {}, {"product"});
    } else if (scenario.topology == "orders") {
        const std::vector<std::string> all{"customer", "product", "sales_order"};
        add("till", EffectClass::findable, all, {});
        add("books", draw_effect(world), {}, all);
    } else {
        for (const char* name : {"left", "right"}) {
            System& side = add(name, EffectClass::findable, {"product"}, {"product"});
            side.vendor = std::make_unique<Vendor>(world, [&] {
                VendorSpec spec = side.vendor->spec;
                spec.has_etags = true;
                return spec;
            }());
            side.conflict = static_cast<config::ConflictPolicy>(world.below(4));
        }
        const bool recognise = scenario.two_way && world.chance(0.4);
        for (System& side : scenario.systems) side.recognises = recognise;
    }
    // One of them by the night, in local time: the days when clocks change have one 02:30 each, too.
    if (world.chance(0.15)) scenario.systems.front().cron = "30 2,9,14,20,22,23 * * *";
}

}  // namespace

std::set<Fault> usual_faults() {
    std::set<Fault> all;
    for (const auto& [fault, range] : usual_rates) all.insert(fault);
    return all;
}

std::string Scenario::describe_faults() const {
    std::string text;
    for (const auto& [fault, rate] : rates) text += (text.empty() ? "" : ",") + std::string(to_string(fault));
    return text.empty() ? "none" : text;
}

Scenario draw_scenario(World& world, const Options& options) {
    static constexpr const char* zones[] = {"UTC", "Europe/Helsinki", "America/New_York", "Asia/Kolkata"};
    static constexpr const char* topologies[] = {"chain", "chain", "orders", "orders", "pair", "pair"};
    Scenario scenario;
    scenario.zone = zones[world.below(4)];
    const std::size_t drawn_topology = world.below(6);
    scenario.topology = topologies[drawn_topology];
    if (!options.topology.empty()) scenario.topology = options.topology;
    scenario.two_way = options.two_way || (options.topology.empty() && drawn_topology == 5);
    scenario.changes_a_day = static_cast<int>(world.between(4, 40));
    // Half of the seeds live through a change of the clocks.
    static constexpr const char* starts[] = {"2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z",
                                             "2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z"};
    scenario.start = *parse_instant(world.chance(0.5) ? starts[world.below(4)] : "2026-06-10T00:00:00Z");
    const std::set<Fault> offered = options.faults ? *options.faults : usual_faults();
    const bool calm = !options.faults && world.chance(0.05);
    for (const auto& [fault, range] : usual_rates) {
        const std::int64_t drawn = world.between(range.from, range.to);
        const bool taken = world.chance(0.35) || options.faults.has_value();
        if (!taken || calm || !offered.contains(fault)) continue;
        scenario.rates[fault] =
            is_times_a_day(fault) ? static_cast<double>(drawn) : static_cast<double>(drawn) / 1000;
    }
    draw_systems(world, scenario);
    return scenario;
}

namespace {

std::string edition_of(const System& system) {
    return " " + std::to_string(system.edition) + (system.enabled ? " enabled" : " disabled");
}

std::shared_ptr<const sync::Link> make_link(const System& system, const std::string& zone) {
    const VendorSpec& spec = system.vendor->spec;
    auto link = std::make_shared<sync::Link>();
    config::Integration& config = link->config;
    json::object entities;
    std::set<std::string> names(system.imports.begin(), system.imports.end());
    names.insert(system.exports.begin(), system.exports.end());
    for (const std::string& name : names) {
        const auto among = [&](const std::vector<std::string>& list) {
            return std::find(list.begin(), list.end(), name) != list.end();
        };
        config::Entity& entity = config.entities.emplace_back();
        entity.name = name;
        entity.imports = among(system.imports);
        entity.exports = among(system.exports);
        entity.on_change = entity.exports && system.on_change;
        entity.conflict = system.conflict;
        if (system.recognises) {
            entity.match = {"sku"};
            link->recognition[name] = entity.match;
        }
        entities[name] = entity_settings(system, name);
        link->effects[name] = spec.effect;
        link->key_lifetimes[name] = spec.key_life;
    }
    const std::string origin = "http://" + spec.name + ".example";
    const json::object settings{{"base_url", origin},
                                {"auth", json::object{{"scheme", "bearer"}}},
                                {"parallel", system.parallel},
                                {"entities", entities}};
    config.id = spec.name;
    config.tenant = "house";
    config.connector = "custom_api";
    config.enabled = system.enabled;
    if (system.cron.empty()) {
        config.schedule.kind = config::Schedule::Kind::every;
        config.schedule.every = system.every;
    } else {
        config.schedule.kind = config::Schedule::Kind::cron;
        config.schedule.cron = config::Cron::parse(system.cron).value();
    }
    config.page_size = system.page_size;
    config.push_batch = system.push_batch;
    config.concurrent = system.concurrent;
    config.settle = system.settle;
    config.retry.attempts = system.attempts;
    config.timeouts.request = system.request_timeout;
    config.fingerprint = json::serialize(settings) + edition_of(system);
    link->tenant = {"house", "House", "other", zone, "EUR"};
    link->instance = {paths::plugin("custom_api.so"), "house", spec.name,
                      json::serialize(json::object{{"connector", "custom_api"}, {"settings", settings}}),
                      plugin::Isolation::none};
    auto egress = std::make_shared<http::Egress>();
    egress->origins = {origin};
    link->egress = egress;
    auth::Schemes schemes;
    schemes["bearer"].name = "bearer";
    schemes["bearer"].headers["Authorization"] = "Bearer {{secret:token}}";
    auth::Credentials credentials;
    credentials["token"] = Secret(spec.token);
    link->authorizer =
        std::make_shared<auth::Authorizer>(std::make_shared<const auth::Schemes>(std::move(schemes)),
                                           json::serialize(settings), std::move(credentials));
    link->can_find = spec.effect != EffectClass::blind;
    link->can_test = true;
    // The job of another connector (house.hpp); of a name of uneven length: none.
    link->takes_events = spec.name.size() % 2 == 0;
    return link;
}

}  // namespace

std::shared_ptr<const sync::Link> link_of(System& system, const std::string& zone) {
    const std::string edition = edition_of(system);
    if (!system.link || !system.link->config.fingerprint.ends_with(edition))
        system.link = make_link(system, zone);
    return system.link;
}

}  // namespace liaisond::simulate
