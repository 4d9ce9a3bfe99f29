#include "campaign.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "paths.hpp"
#include "plan.hpp"
#include "process.hpp"
#include "round.hpp"
#include "until.hpp"

namespace liaison_crash {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using liaison_system::Process;

constexpr std::chrono::seconds longest_round{240};
constexpr int kills_a_round = 3;  // about; for how many rounds to have under way near the end

std::vector<Point> known_points() {
    const std::unique_ptr<FILE, int (*)(FILE*)> list(
        ::popen((paths::program("liaisond") + " --fault-points").c_str(), "r"), ::pclose);
    std::vector<Point> points;
    char line[200];
    while (list && std::fgets(line, sizeof line, list.get()) != nullptr) {
        std::istringstream words(line);
        Point point;
        std::string more;
        words >> point.name >> more;
        point.can_fail = more == "fails";
        points.push_back(point);
    }
    if (points.empty())
        throw std::runtime_error(paths::program("liaisond") + " --fault-points lists nothing");
    return points;
}

std::vector<Point> wanted_points(const Wishes& wishes) {
    std::vector<Point> points = known_points();
    const bool is_known = std::any_of(points.begin(), points.end(),
                                      [&](const Point& point) { return point.name == wishes.point; });
    if (!wishes.point.empty() && !is_known)
        throw std::runtime_error("there is no fault point " + wishes.point + "; " +
                                 paths::program("liaisond") + " --fault-points lists them");
    if (!wishes.house.empty()) (void)scenario_of(wishes.house);
    return points;
}

json::object to_json(const Outcome& outcome, const Plan& plan, double took) {
    json::array violations;
    for (const std::string& violation : outcome.violations) violations.emplace_back(violation);
    const auto counts = [](const std::map<std::string, int>& map) {
        json::object object;
        for (const auto& [name, count] : map) object[name] = count;
        return object;
    };
    return {{"scenario", to_string(plan.scenario)},
            {"unattended", plan.is_unattended},
            {"kills", outcome.kills},
            {"idle", outcome.idle},
            {"doubts", outcome.doubts},
            {"struck", counts(outcome.struck)},
            {"missed", counts(outcome.missed)},
            {"violations", std::move(violations)},
            {"directory", outcome.directory},
            {"seconds", took}};
}

// Rounds under way and what the ended ones found.
class Campaign {
  public:
    explicit Campaign(const Wishes& wishes)
        : wishes_(wishes), combinations_(combinations(wanted_points(wishes))) {
        std::string pattern = (fs::temp_directory_path() / "liaison-crash.XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create " + pattern);
        directory_ = pattern;
    }
    Campaign(const Campaign&) = delete;
    Campaign& operator=(const Campaign&) = delete;
    ~Campaign() {
        running_.clear();
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }

    int run() {
        while (!is_decided() && (wants_more() || !running_.empty())) {
            while (wants_more() && static_cast<int>(running_.size()) < wishes_.jobs) begin();
            liaison_system::until([&] { return collect(); }, longest_round);
        }
        report();
        return failed_ == 0 ? exit_clean : exit_violations;
    }

  private:
    struct House {
        int rounds = 0, kills = 0, failed = 0;
    };
    struct Running {
        int number = 0;
        Clock::time_point began;
        std::unique_ptr<Process> process;
    };

    bool is_decided() const { return wishes_.stop_at_first && failed_ > 0; }
    bool wants_more() const {
        return kills_ + kills_a_round * static_cast<int>(running_.size()) < wishes_.kills;
    }
    fs::path file(int number, const char* extension) const {
        return directory_ / (std::to_string(number) + extension);
    }
    std::string replay(int number) const {
        return "tests/crash/run --seed " + std::to_string(wishes_.seed) +
               (wishes_.point.empty() ? "" : " --point " + wishes_.point) +
               (wishes_.house.empty() ? "" : " --house " + wishes_.house) + " --round " +
               std::to_string(number) + " --keep";
    }

    void begin() {
        const int number = next_++;
        std::vector<std::string> command{
            "/proc/self/exe",       "--seed",   std::to_string(wishes_.seed),  "--round",
            std::to_string(number), "--result", file(number, ".json").string()};
        if (wishes_.keep) command.emplace_back("--keep");
        if (!wishes_.point.empty()) command.insert(command.end(), {"--point", wishes_.point});
        if (!wishes_.house.empty()) command.insert(command.end(), {"--house", wishes_.house});
        running_.push_back({number, Clock::now(), std::make_unique<Process>(command, file(number, ".log"))});
    }

    // True when a round has ended.
    bool collect() {
        for (auto at = running_.begin(); at != running_.end(); ++at) {
            const bool is_late = Clock::now() - at->began > longest_round;
            if (at->process->is_running() && !is_late) continue;
            const Running ended = std::move(*at);
            running_.erase(at);
            take(ended, is_late);
            return true;
        }
        return false;
    }

    void take(const Running& ended, bool is_late) {
        ++rounds_;
        std::ifstream stream(file(ended.number, ".json"), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        boost::system::error_code error;
        const json::value result = json::parse(text, error);
        if (error || !result.is_object()) {
            const std::string said = ended.process->standard_error();
            return blame(ended.number, is_late ? "did not end in time" : "ended without a result: " + said,
                         {});
        }
        const json::object& round = result.get_object();
        kills_ += static_cast<int>(round.at("kills").as_int64());
        House& house = houses_[std::string(round.at("scenario").as_string())];
        ++house.rounds;
        house.kills += static_cast<int>(round.at("kills").as_int64());
        house.failed += round.at("violations").as_array().empty() ? 0 : 1;
        idle_ += static_cast<int>(round.at("idle").as_int64());
        doubts_ += round.at("doubts").as_int64();
        slowest_ = std::max(slowest_, round.at("seconds").to_number<double>());
        for (const auto& [name, count] : round.at("struck").as_object()) struck_[name] += count.as_int64();
        for (const auto& [name, count] : round.at("missed").as_object()) missed_[name] += count.as_int64();
        std::string all;
        for (const json::value& violation : round.at("violations").as_array())
            all += (all.empty() ? "" : "; ") + std::string(violation.as_string());
        if (!all.empty()) blame(ended.number, all, std::string(round.at("directory").as_string()));
        if (wishes_.keep && all.empty())
            std::cout << "round " << ended.number << " kept " << round.at("directory").as_string() << '\n';
    }

    void blame(int number, const std::string& what, const std::string& directory) {
        ++failed_;
        std::cout << "FAILED round " << number << ": " << what << "\n  "
                  << (directory.empty() ? "" : "kept " + directory + "; ") << "again: " << replay(number)
                  << std::endl;
    }

    void report() const {
        const std::chrono::duration<double> took = Clock::now() - began_;
        for (const auto& [name, count] : missed_) {
            if (!struck_.contains(name)) std::cout << "never came about: " << name << '\n';
        }
        std::map<std::string, std::int64_t> by_point;
        for (const auto& [name, count] : struck_) by_point[name.substr(0, name.find(':'))] += count;
        for (const auto& [name, count] : by_point) std::cout << count << ' ' << name << '\n';
        for (const auto& [name, house] : houses_) {
            std::cout << "house " << name << ": " << house.kills << " kills in " << house.rounds
                      << " rounds, " << house.failed << " with something lost, doubled or stuck\n";
        }
        std::cout << kills_ << " kills (" << idle_ << " while idle) in " << rounds_ << " rounds, "
                  << struck_.size() << " of " << combinations_ << " faults struck at " << by_point.size()
                  << " points, " << doubts_ << " doubts left to a person, " << failed_
                  << " rounds with something lost, doubled or stuck, " << static_cast<int>(took.count())
                  << " s (the slowest round " << static_cast<int>(slowest_) << " s), seed " << wishes_.seed
                  << std::endl;
    }

    Wishes wishes_;
    std::size_t combinations_;
    fs::path directory_;
    std::vector<Running> running_;
    Clock::time_point began_ = Clock::now();
    int next_ = 0, rounds_ = 0, kills_ = 0, idle_ = 0, failed_ = 0;
    std::int64_t doubts_ = 0;
    double slowest_ = 0;
    std::map<std::string, std::int64_t> struck_, missed_;
    std::map<std::string, House> houses_;
};

}  // namespace

int run_campaign(const Wishes& wishes) { return Campaign(wishes).run(); }

int run_round(const Wishes& wishes) {
    const auto began = Clock::now();
    const Plan plan =
        make_plan(wishes.seed, wishes.round, wanted_points(wishes), {wishes.point, wishes.house});
    std::cerr << to_text(plan);
    Outcome outcome = Round(plan).run(wishes.keep);
    if (testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed())
        outcome.violations.emplace_back("an expectation of the house failed; see the round's output");
    const std::chrono::duration<double> took = Clock::now() - began;
    const std::string text = json::serialize(to_json(outcome, plan, took.count()));
    if (wishes.result.empty())
        std::cout << text << std::endl;
    else
        std::ofstream(wishes.result, std::ios::binary) << text;
    return outcome.violations.empty() ? exit_clean : exit_violations;
}

}  // namespace liaison_crash
