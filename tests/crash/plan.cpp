#include "plan.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace liaison_crash {
namespace {

constexpr int lives_with_a_fault = 2, most_hits = 3;
constexpr const char* scenario_names[] = {"shop", "findable", "blind",      "office",      "everything",
                                          "odoo", "sap_b1",   "quickbooks", "booking_com", "lightspeed"};

using Random = std::mt19937_64;

std::int64_t below(Random& random, std::int64_t bound) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
}

// How often a daemon passes a point at most, where that is not as often as one likes.
int hits_of(const std::string& name) {
    for (const char* once :
         {"daemon.loaded", "daemon.locked", "daemon.listening", "daemon.stopping", "daemon.stopped",
          "engine.interrupted", "engine.started", "worker.hello", "export.before_doubt"}) {
        if (name == once) return 1;
    }
    for (const char* twice : {"store.open", "store.migrate", "store.migrated", "worker.open",
                              "export.before_find", "export.after_find", "export.found_settled"}) {
        if (name == twice) return 2;
    }
    return most_hits;
}

std::vector<Life> all_faults(const std::vector<Point>& points, const std::string& only) {
    std::vector<Life> all;
    for (const Point& point : points) {
        if (!only.empty() && point.name != only) continue;
        for (int hit = 1; hit <= hits_of(point.name); ++hit) {
            std::vector<std::string> modes{hit % 2 == 1 ? "kill" : "exit"};
            if (point.can_fail) modes.insert(modes.end(), {"ioerr", "enospc"});
            if (hit == 1) modes.emplace_back("delay:40");
            for (const std::string& mode : modes) all.push_back({End::fault, point.name, hit, mode, 0});
        }
    }
    return all;
}

using Houses = std::vector<Scenario>;

bool asks_about_the_past(const std::string& point) {
    return point.ends_with("find") || point == "export.found_settled" || point == "export.before_doubt" ||
           point == "export.due" || point.ends_with("_mark");
}

bool is_of_export(const std::string& point) {
    return point.starts_with("export.") || point.ends_with("_write") || point == "engine.change_due" ||
           point == "transport.write_leaves" || point == "store.intents_half" || point == "store.settle_half";
}

// The houses in which a fault can come about.
Houses houses_of(const Life& life) {
    using enum Scenario;
    const std::string& point = life.point;
    if (point.starts_with("login.")) return {quickbooks, lightspeed};
    if (point == "export.before_doubt") return {blind};
    if (point.ends_with("find") || point == "export.found_settled")
        return {findable, everything, sap_b1, lightspeed};
    if (point.ends_with("_mark")) return {findable, office, everything, odoo, sap_b1, lightspeed};
    if (point == "import.before_cursor") return {shop, office, everything, odoo, sap_b1, quickbooks};
    if (point == "worker.open" && life.hit > 1) return {office, everything};
    // What only a fresh directory shows is over when a person has let the app in.
    if (point.starts_with("store.migrate"))
        return {shop, findable, blind, office, everything, odoo, sap_b1, booking_com};
    if (point == "engine.change_due")
        return {office, everything, odoo, sap_b1, quickbooks, booking_com, lightspeed};
    if (is_of_export(point))
        return {findable, blind, office, everything, odoo, sap_b1, quickbooks, booking_com, lightspeed};
    return {shop, findable, blind, office, everything, odoo, sap_b1, quickbooks, booking_com, lightspeed};
}

// One that suits both faults, if there is one.
Scenario house_for(const Life& first, const Life& second, Random& random) {
    const Houses one = houses_of(first), other = houses_of(second);
    Houses both;
    std::copy_if(one.begin(), one.end(), std::back_inserter(both),
                 [&](Scenario s) { return std::find(other.begin(), other.end(), s) != other.end(); });
    if (both.empty()) both = one;
    return both[static_cast<std::size_t>(below(random, static_cast<std::int64_t>(both.size())))];
}

// Vendors lose, fail and lag in most rounds, each in its own way; never so much that a record cannot get
// through in its attempts.
std::string faults_of(Random& random, bool is_searched) {
    std::string text;
    const auto add = [&](const char* name, std::int64_t least, std::int64_t range) {
        if (random() % 3 != 0) return;
        text += std::string(text.empty() ? "" : ",") + "\"" + name +
                "\":" + std::to_string(least + below(random, range));
    };
    add("latency_ms", 1, 20);
    add("lose_every", 5, 20);
    add("fault_after_commit_every", 6, 20);
    add("fail_every", 9, 20);
    add("reset_every", 11, 20);
    if (is_searched) {
        add("index_lag_ms", 50, 200);
        add("execute_late_every", 9, 20);
    }
    return "{" + text + "}";
}

// Which direction and which entities; one in which its faults can come about.
void draw_system(Plan& plan, Random& random) {
    const bool writes = std::any_of(plan.lives.begin(), plan.lives.end(), [](const Life& life) {
        return is_of_export(life.point) || asks_about_the_past(life.point);
    });
    if (plan.scenario == Scenario::booking_com)
        plan.direction = writes || random() % 3 == 0 ? Direction::out : Direction::in;
    else if (writes)
        plan.direction = random() % 4 == 0 ? Direction::both : Direction::out;
    else
        plan.direction = static_cast<Direction>(below(random, 3));
    plan.has_invoices =
        plan.scenario < Scenario::booking_com && plan.direction != Direction::both && random() % 2 == 0;
    plan.variant = static_cast<int>(below(random, 2));
}

// What the simulator calls it.
const char* vendor_of(Scenario scenario) {
    return scenario == Scenario::booking_com ? "booking" : to_string(scenario);
}

}  // namespace

const char* to_string(Scenario scenario) { return scenario_names[static_cast<int>(scenario)]; }

Scenario scenario_of(const std::string& name) {
    for (int i = 0; i < scenarios; ++i) {
        if (name == scenario_names[i]) return static_cast<Scenario>(i);
    }
    std::string all;
    for (const char* known : scenario_names) all += std::string(all.empty() ? "" : ", ") + known;
    throw std::runtime_error("there is no house " + name + "; there are " + all);
}

std::string to_text(const Plan& plan) {
    static constexpr const char* directions[] = {", in", ", out", ", both ways"};
    std::string text = to_string(plan.scenario);
    if (plan.has_connector()) text += directions[static_cast<int>(plan.direction)];
    if (plan.has_invoices) text += ", invoices";
    if (plan.is_unattended) text += ", unattended";
    for (const auto& [vendor, switches] : plan.switches) text += "\n" + vendor + " " + switches;
    for (const Life& life : plan.lives) {
        text += life.end == End::fault ? "\n" + life.point + ":" + std::to_string(life.hit) + ":" + life.mode
                : life.end == End::worker
                    ? "\nthe worker after " + std::to_string(life.requests) + " requests"
                    : "\nthe daemon after " + std::to_string(life.requests) + " requests";
    }
    return text + "\n";
}

std::size_t combinations(const std::vector<Point>& points) { return all_faults(points, {}).size(); }

Plan make_plan(std::uint64_t seed, int number, const std::vector<Point>& points, const Only& only) {
    std::vector<Life> faults = all_faults(points, only.point);
    Random shuffler(seed);
    std::shuffle(faults.begin(), faults.end(), shuffler);
    Random random(seed * 1'000'003 + static_cast<std::uint64_t>(number));
    Plan plan;
    plan.seed = seed;
    const auto first = static_cast<std::size_t>(number) * lives_with_a_fault;
    for (std::size_t i = 0; i < lives_with_a_fault; ++i)
        plan.lives.push_back(faults[(first + i) % faults.size()]);
    plan.scenario = house_for(plan.lives[0], plan.lives[1], random);
    if (!only.house.empty()) plan.scenario = scenario_of(only.house);
    if (plan.has_connector()) draw_system(plan, random);
    for (Life& life : plan.lives) life.requests = 1 + below(random, 20);  // a survivor's
    // What only a fresh directory can show.
    if (plan.lives[1].point.starts_with("store.migrate")) std::swap(plan.lives[0], plan.lives[1]);
    // What takes up leftovers needs some: sends of which nobody noted the end.
    for (std::size_t i = plan.lives.size(); i-- > 0;) {
        if (asks_about_the_past(plan.lives[i].point))
            plan.lives.insert(plan.lives.begin() + static_cast<std::ptrdiff_t>(i),
                              {End::fault, "export.before_settle", 1, "kill", 0});
    }
    const bool is_short = plan.scenario == Scenario::shop || plan.scenario == Scenario::booking_com;
    const std::int64_t most_requests = is_short ? 6 : 40;
    plan.lives.push_back(
        {random() % 4 == 0 ? End::worker : End::daemon, {}, 0, {}, 1 + below(random, most_requests)});
    plan.is_unattended = random() % 4 == 0;
    if (plan.has_shop()) plan.switches["shop"] = faults_of(random, false);
    if (plan.has_office()) plan.switches["backoffice"] = faults_of(random, false);
    if (plan.has_pms()) plan.switches["pms"] = faults_of(random, true);
    if (plan.has_connector()) plan.switches[vendor_of(plan.scenario)] = faults_of(random, false);
    return plan;
}

}  // namespace liaison_crash
