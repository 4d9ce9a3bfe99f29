#include "house.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "leaks.hpp"
#include "paths.hpp"
#include "until.hpp"

namespace liaison_system {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr std::size_t shown_log_bytes = 6000;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

fs::path make_directory() {
    std::string pattern = (fs::temp_directory_path() / "liaison-system.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create " + pattern);
    return pattern;
}

}  // namespace

House::House() : plugin_dir(paths::plugin()), root_(make_directory()) {
    state_dir = root_ / "state";
    write("secrets/shop-token", "shop-token");
    write("secrets/office-key", "bo-key");
    write("secrets/pms-user", "pms");
    write("secrets/pms-password", "pms-password");
    for (const char* folder : {"in", "done", "conf.d"}) fs::create_directories(root_ / folder);
    const fs::path port = root_ / "port";
    simulator_ = std::make_unique<Process>(
        std::vector<std::string>{paths::program("liaison-sim"), "--quiet", "--port-file", port.string()},
        root_ / "sim.log");
    if (!until([&] { return fs::exists(port); })) throw std::runtime_error("the simulator does not start");
    port_ = static_cast<std::uint16_t>(std::stoi(read_file(port)));
}

House::~House() {
    daemon_.reset();
    look_for_leaks();
    simulator_.reset();
    std::error_code ignored;
    if (!is_kept_ && std::getenv("LIAISON_KEEP") == nullptr) fs::remove_all(root_, ignored);
}

void House::look_for_leaks() {
    std::vector<std::string> secrets = contents_of(root_ / "secrets");
    const Reply made = sim("GET", "secrets");
    if (made.body.is_object()) {
        for (const json::value& one : made.body.at("secrets").as_array())
            secrets.emplace_back(one.as_string());
    }
    for (const std::string& leak : leaks(root_, secrets)) ADD_FAILURE() << leak;
    for (const std::string& leak : leaks("liaisonctl", shown_, secrets)) ADD_FAILURE() << leak;
}

// ---- files ----

std::string House::filled(std::string_view text) const {
    std::string made(text);
    const auto replace = [&](std::string_view what, const std::string& with) {
        for (std::size_t at = 0; (at = made.find(what, at)) != std::string::npos; at += with.size()) {
            made.replace(at, what.size(), with);
        }
    };
    replace("@ROOT@", root_.string());
    replace("@SIM@", sim_url());
    return made;
}

void House::write(const fs::path& path, std::string_view text) const {
    const fs::path target = root_ / path, draft = root_ / ".draft";
    fs::create_directories(target.parent_path());
    std::ofstream file(draft, std::ios::binary);
    file << filled(text);
    file.close();
    fs::permissions(draft, fs::perms::owner_read | fs::perms::owner_write);
    fs::rename(draft, target);
}

void House::configure(std::string_view integrations) const {
    std::string text = "daemon:\n  state_dir: " + state_dir.string() +
                       "\n  socket: @ROOT@/socket\n  plugin_dirs: [" + plugin_dir + "]\n  plugin_trust: { " +
                       plugin_trust + " }\n  worker: " + paths::program("liaison-worker") + "\n" +
                       daemon_section;
    text += "defaults:\n  settle: 1s\n  retry: { attempts: 10, base: 100ms, max: 1s }\n" + defaults;
    text += "tenants:\n  wholesaler: { currency: EUR }\n  hotel: { currency: EUR }\nintegrations:\n";
    write("liaison.yaml", text + std::string(integrations));
}

// ---- the daemon ----

std::vector<std::string> House::command() const {
    return {paths::program("liaisond"), "--config", (root_ / "liaison.yaml").string()};
}

void House::start() {
    if (!start_armed({})) throw std::runtime_error("the daemon does not start:\n" + last_lines());
}

bool House::start_armed(const std::string& fault_points) {
    daemon_ = std::make_unique<Process>(command(), root_ / "log", fault_points);
    const bool is_up =
        until([&] { return !daemon_->is_running() || api("GET", "/api/v1/status").status == 200; }, patience,
              std::chrono::milliseconds(2));
    return is_up && daemon_->is_running();
}

std::unique_ptr<Process> House::try_start() const {
    return std::make_unique<Process>(command(), root_ / "second.log");
}

std::string House::place_of(std::string_view text, const std::string& file) const {
    const std::string all = read_file(root_ / file);
    const std::size_t at = all.rfind(text), line = all.rfind('\n', at);
    return fs::path(file).filename().string() + ":" +
           std::to_string(1 + std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
           ":" + std::to_string(at - line);
}

void House::kill_daemon() {
    daemon_->kill(SIGKILL);
    daemon_->wait();
}

int House::stop() {
    daemon_->kill(SIGTERM);
    const auto code = daemon_->wait();
    EXPECT_TRUE(code) << "the daemon does not stop";
    return code.value_or(-1);
}

std::string House::log() const { return read_file(root_ / "log"); }

std::string House::last_lines() const {
    const std::string all = log();
    return all.size() > shown_log_bytes ? "..." + all.substr(all.size() - shown_log_bytes) : all;
}

House::Told House::ctl(const std::string& words) const {
    const std::string line =
        paths::program("liaisonctl") + " --socket " + (root_ / "socket").string() + " " + words + " 2>&1";
    Told told;
    std::FILE* pipe = ::popen(line.c_str(), "r");
    if (pipe == nullptr) return told;
    std::array<char, 4096> piece;
    while (const std::size_t read = std::fread(piece.data(), 1, piece.size(), pipe))
        told.text.append(piece.data(), read);
    shown_ += told.text;
    const int status = ::pclose(pipe);
    told.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return told;
}

Reply House::api(const std::string& method, const std::string& target) const {
    return ask_socket((root_ / "socket").string(), {method, target, {}, {}, "localhost"});
}

// ---- the simulator ----

Reply House::sim(const std::string& method, const std::string& target, const std::string& body) const {
    return ask_port(port_, {method, "/_sim/" + target, body});
}

Reply House::at_sim(const std::string& method, const std::string& target) const {
    return ask_port(port_, {method, target, {}});
}

void House::seed(const std::string& entity, int count) const {
    const std::string body = json::serialize(json::object{{"count", count}, {"seed", 42}});
    ASSERT_EQ(sim("POST", entity + "/seed", body).status, 200u);
}

void House::set(const std::string& vendor, const std::string& switches) const {
    ASSERT_EQ(sim("PUT", vendor + "/switches", switches).status, 200u);
}

std::int64_t House::count(const std::string& entity) const {
    const Reply reply = sim("GET", entity + "/count");
    return reply.body.is_object() ? number_of(reply.body.get_object(), "count") : -1;
}

bool House::wait_until_at_vendor(const std::string& entity, std::int64_t wanted) const {
    return until([&] { return count(entity) >= wanted; }, patience, std::chrono::milliseconds(1));
}

std::int64_t House::stat(const std::string& vendor, const std::string& name) const {
    const Reply reply = sim("GET", vendor + "/stats");
    return reply.body.is_object() ? number_of(reply.body.get_object(), name) : -1;
}

// ---- runs ----

pid_t House::worker(const std::string& plugin, const std::string& key) const {
    const json::value status = get("/api/v1/status");
    if (!status.is_object()) return 0;
    for (const json::value& worker : status.at("workers").as_array()) {
        const json::object& one = worker.as_object();
        if (text_of(one, "plugin") == plugin && text_of(one, "key") == key)
            return static_cast<pid_t>(number_of(one, "pid"));
    }
    return 0;
}

std::int64_t House::trigger(const std::string& integration, const std::string& entity) const {
    const std::string query = entity.empty() ? std::string() : "?entity=" + entity;
    const Reply reply = api("POST", "/api/v1/integrations/" + integration + "/sync" + query);
    EXPECT_EQ(reply.status, 202u) << json::serialize(reply.body);
    return reply.body.is_object() ? number_of(reply.body.get_object(), "run") : 0;
}

json::object House::look_at_run(std::int64_t run) const {
    const json::value body = get("/api/v1/runs/" + std::to_string(run));
    return body.is_object() ? body.get_object() : json::object();
}

json::object House::wait_for_run(std::int64_t run) const {
    json::object seen;
    const bool has_ended = until([&] {
        seen = look_at_run(run);
        return !seen.empty() && text_of(seen, "status") != "running";
    });
    EXPECT_TRUE(has_ended) << "run " << run << " does not end: " << json::serialize(seen) << '\n'
                           << last_lines();
    return seen;
}

std::vector<json::object> House::runs(const std::string& integration) const {
    std::vector<json::object> all;
    const json::value body = get("/api/v1/runs?limit=1000&integration=" + integration);
    if (!body.is_object()) return all;
    for (const json::value& one : body.at("items").as_array()) all.push_back(one.as_object());
    return all;
}

json::object House::wait_for_status(const std::string& integration, std::int64_t after,
                                    std::string_view status) const {
    json::object found;
    const bool is_there = until([&] {
        for (const json::object& run : runs(integration)) {
            if (number_of(run, "id") > after && text_of(run, "status") == status) found = run;
        }
        return !found.empty();
    });
    EXPECT_TRUE(is_there) << "no run of " << integration << " ends as " << status << '\n' << last_lines();
    return found;
}

bool House::wait_until_fetched(std::int64_t run, std::int64_t records) const {
    const auto has_fetched = [&] {
        const json::object seen = look_at_run(run);
        return !seen.empty() &&
               (total_of(seen, "fetched") >= records || text_of(seen, "status") != "running");
    };
    return until(has_fetched, patience, std::chrono::milliseconds(1)) &&
           text_of(look_at_run(run), "status") == "running";
}

// ---- answers ----

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : -1;
}

std::int64_t total_of(const json::object& run, std::string_view counter) {
    const json::value* totals = run.if_contains("totals");
    return totals != nullptr && totals->is_object() ? number_of(totals->get_object(), counter) : -1;
}

}  // namespace liaison_system
