#include "round.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <csignal>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_crash {
namespace {

namespace json = boost::json;
using namespace liaison_system;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int page = 20, products = 3 * page, customers = 8, orders = 30, first_bookings = 40,
              more_bookings = 15;
constexpr int waves_per_life = 4;
constexpr milliseconds pace{3};
constexpr seconds longest_work{4}, longest_rest{20}, longest_unattended_rest{90};

// Small pages and batches: many commits in little data.
std::string in_small_pages(std::string text) {
    for (std::size_t at = 0; (at = text.find("size: 100", at)) != std::string::npos;)
        text.replace(at, 9, "size: 20");
    return text;
}

constexpr char small_pages[] = "    page_size: 20\n", small_batches[] = "    push_batch: 20\n";

std::string with_lead(std::string file, const std::string& word) {
    for (std::size_t at = 0; (at = file.find("Guest", at)) != std::string::npos; at += word.size())
        file.replace(at, 5, word);
    return file;
}

}  // namespace

Outcome Round::run(bool keep) {
    build();
    set_faults(true);
    for (const Life& life : plan_.lives) {
        make_news();
        live(life);
    }
    set_faults(false);
    come_to_rest();
    if (keep || !outcome_.violations.empty()) {
        house_.keep();
        outcome_.directory = house_.root().string();
    }
    return std::move(outcome_);
}

// ---- the house ----

void Round::build() {
    const bool by_change = plan_.is_unattended ||
                           std::any_of(plan_.lives.begin(), plan_.lives.end(),
                                       [](const Life& life) { return life.point == "engine.change_due"; });
    const std::string schedule = plan_.is_unattended ? "{ every: 1s }" : "manual";
    const auto entities = [&](std::initializer_list<const char*> names) {
        std::string text;
        for (const char* name : names) {
            text += text.empty() ? "{ " : ", ";
            text += std::string(name) + (by_change ? ": { on_change: true, debounce: 20ms }" : ": {}");
        }
        return text + " }";
    };
    std::string text;
    if (plan_.has_shop()) {
        house_.seed("shop/products", products);
        house_.seed("shop/customers", customers);
        house_.seed("shop/orders", orders);
        const char* ledger = "[product, customer, sales_order, invoice]";
        text += in_small_pages(plan_.has_invoices
                                   ? shop_ledger({ledger, schedule, small_pages})
                                   : shop({"[product, customer, sales_order]", schedule, small_pages}));
    }
    if (plan_.has_office())
        text += office({entities({"product", "customer", "sales_order"}), "manual", small_batches});
    if (plan_.has_pms()) {
        text += bookings_import({"[reservation]", schedule, small_pages});
        text += pms({entities({"reservation"}), "manual", small_batches},
                    plan_.scenario == Scenario::blind ? "blind" : "findable");
    }
    if (system_) text += system_->configuration(schedule, by_change);
    if (system_) system_->prepare(house_);
    house_.configure(text);
    if (system_ && system_->names().login != nullptr) let_in();
}

// Before there is anything to do; what a person does is not killed.
void Round::let_in() {
    // The run that this begins is to learn nothing: what there is, is read in the first life.
    const char* vendor = system_->names().vendor;
    house_.set(vendor, R"({"fail_every":1})");
    house_.start();
    system_->connect(house_);
    until([&] { return !house_.runs(system_->names().integration).empty(); }, longest_work, pace);
    until([&] { return !is_busy(); }, longest_work, pace);
    house_.set(vendor, R"({"fail_every":0})");
    if (house_.stop() != 0) outcome_.violations.emplace_back("the daemon does not stop when asked");
}

void Round::set_faults(bool on) const {
    for (const auto& [vendor, switches] : plan_.switches) {
        house_.set(vendor,
                   on ? switches
                      : R"({"latency_ms":0,"lose_every":0,"fault_after_commit_every":0,"fail_every":0,)"
                        R"("reset_every":0,"index_lag_ms":0,"execute_late_every":0})");
    }
}

// Changes at the sources, so that each life has something to do.
void Round::make_news() {
    const std::string word = "Wave" + std::to_string(wave_);
    if (plan_.has_shop() && wave_ > 0) {
        for (int i = 0; i < 10; ++i) {
            const std::string id = std::to_string(1 + (wave_ * 7 + i * 11) % products);
            house_.sim("PUT", "shop/products/" + id, R"({"name":")" + word + " " + id + R"("})");
        }
        for (int i = 1; i <= 5; ++i) {
            house_.sim("POST", "shop/orders",
                       R"({"status":"new","lines":[{"product_id":)" + std::to_string(i + wave_) +
                           R"(,"quantity":2}]})");
        }
    }
    if (plan_.has_pms()) {
        bookings_ = {first_bookings + wave_ * more_bookings, word};
        char name[32];
        std::snprintf(name, sizeof name, "in/%03d.csv", wave_);
        house_.write(name, with_lead(bookings(static_cast<int>(bookings_.rows)), word));
    }
    if (system_) system_->make_news(house_, wave_);
    ++wave_;
}

// ---- a life ----

void Round::live(const Life& life) {
    const int before = strikes();
    const bool is_fault = life.end == End::fault;
    const std::string armed = is_fault ? life.point + ":" + std::to_string(life.hit) + ":" + life.mode : "";
    const bool is_up = house_.start_armed(armed);
    if (!is_fault) {
        if (is_up) return end_at_random(life);
        outcome_.violations.push_back("the daemon does not start; it says: " + house_.last_lines());
        return;
    }
    const bool has_struck = is_up ? struck_while_working(life, before) : strikes() > before;
    const std::string what = life.point + ":" + std::to_string(life.hit) + ":" + life.mode.substr(0, 5);
    ++(has_struck ? outcome_.struck : outcome_.missed)[what];
    if (house_.daemon().is_running()) return kill_daemon();
    ++outcome_.kills;
    look_at_the_dead();
    if (!has_struck && life.point != "daemon.stopped")
        outcome_.violations.push_back("the daemon ended by itself: " + house_.last_lines());
}

// Works until the fault strikes, with news in every other wave: some points want a run that finds nothing.
bool Round::struck_while_working(const Life& life, int before) {
    const auto is_over = [&] { return !house_.daemon().is_running() || strikes() > before; };
    const bool waits_for_leftovers = life.point.starts_with("export.");
    for (int wave = 0; wave < waves_per_life && !is_over(); ++wave) {
        if (wave % 2 == 1) make_news();
        trigger_all();
        provoke(life);
        until([&] { return is_over() || !is_busy(); }, longest_work, pace);
        const Hub hub(house_);
        if (waits_for_leftovers) {
            until(
                [&] { return is_over() || hub.number("SELECT count(*) FROM intents WHERE state <> 3") == 0; },
                longest_work, pace);
        }
    }
    const bool has_struck = strikes() > before;
    // What the fault left alive goes on for a while.
    const std::int64_t until_then = requests() + life.requests;
    const auto has_gone_on = [&] {
        return !house_.daemon().is_running() || requests() >= until_then || !is_busy();
    };
    if (has_struck) until(has_gone_on, longest_work, pace);
    return has_struck;
}

// Some points are only passed when somebody does something.
void Round::provoke(const Life& life) {
    if (life.point.starts_with("daemon.reload")) house_.daemon().kill(SIGHUP);
    if (life.point.starts_with("daemon.stop")) house_.daemon().kill(SIGTERM);
    const bool wants_new_worker = life.point.starts_with("supervisor.") && life.point != "supervisor.stepped";
    if (wants_new_worker && kill_a_worker()) ++outcome_.kills;
    if (life.point.starts_with("daemon.stop")) house_.daemon().wait(longest_work);
}

void Round::end_at_random(const Life& life) {
    const std::int64_t until_then = requests() + life.requests;
    trigger_all();
    until([&] { return requests() >= until_then || !is_busy(); }, longest_work, milliseconds(1));
    if (life.end == End::worker) {
        if (kill_a_worker()) ++outcome_.kills;
        until([&] { return !is_busy(); }, longest_work, pace);
    }
    kill_daemon();
}

void Round::kill_daemon() {
    if (!is_busy()) ++outcome_.idle;
    house_.kill_daemon();
    ++outcome_.kills;
    look_at_the_dead();
}

void Round::look_at_the_dead() {
    if (!system_) return;
    const std::string broken = system_->broken(house_);
    if (!broken.empty()) outcome_.violations.push_back(broken);
}

bool Round::kill_a_worker() {
    if (system_) {
        const System::Names names = system_->names();
        const pid_t worker = house_.worker(names.plugin, names.tenant);
        if (worker > 0) return ::kill(worker, SIGKILL) == 0;
    }
    for (const char* tenant : {"wholesaler", "hotel"}) {
        const pid_t worker = house_.worker("custom_api", tenant);
        if (worker > 0) return ::kill(worker, SIGKILL) == 0;
    }
    return false;
}

// ---- looking ----

bool Round::is_busy() const {
    const json::value body = house_.get("/api/v1/integrations");
    if (!body.is_object()) return false;
    for (const json::value& one : body.at("items").as_array()) {
        const json::value* run = one.as_object().if_contains("current_run");
        if (run != nullptr && !run->is_null()) return true;
    }
    return false;
}

int Round::strikes() const {
    const std::string log = house_.log();
    int count = 0;
    for (std::size_t at = 0; (at = log.find(" strikes: ", at)) != std::string::npos; ++at) ++count;
    return count;
}

std::int64_t Round::requests() const {
    const Reply reply = house_.sim("GET", "stats");
    if (!reply.body.is_object()) return 0;
    return number_of(reply.body.get_object(), "reads") + number_of(reply.body.get_object(), "writes");
}

void Round::trigger_all() const {
    std::vector<const char*> all;
    if (plan_.has_shop()) all.push_back("shop");
    if (plan_.has_pms()) all.push_back("bookings");
    if (plan_.has_office()) all.push_back("office");
    if (plan_.has_pms()) all.push_back("pms");
    if (system_) {
        if (system_->names().source != nullptr) all.push_back(system_->names().source);
        all.push_back(system_->names().integration);
    }
    for (const char* one : all) house_.api("POST", std::string("/api/v1/integrations/") + one + "/sync");
}

// ---- rest ----

void Round::come_to_rest() {
    house_.start();
    const auto end =
        std::chrono::steady_clock::now() + (plan_.is_unattended ? longest_unattended_rest : longest_rest);
    Verdict verdict;
    do {
        if (!plan_.is_unattended) trigger_all();
        until([&] { return !is_busy(); }, longest_work, pace);
        verdict = judge(house_, plan_, bookings_, system_.get());
        if (verdict.violations.empty()) break;
        until([&] { return is_busy(); }, milliseconds(100), pace);
    } while (std::chrono::steady_clock::now() < end && house_.daemon().is_running());
    outcome_.doubts = verdict.doubts;
    for (std::string& violation : verdict.violations) outcome_.violations.push_back(std::move(violation));
    if (house_.stop() != 0) outcome_.violations.emplace_back("the daemon does not stop when asked");
}

}  // namespace liaison_crash
