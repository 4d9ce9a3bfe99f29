#include "plugin/check.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>

#include <malloc.h>
#include <unistd.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "plugin/apart.hpp"
#include "plugin/bare_host.hpp"
#include "plugin/frames.hpp"
#include "plugin/hostile.hpp"
#include "plugin/limits.hpp"
#include "plugin/manifest.hpp"
#include "plugin/script.hpp"
#include "plugin/script_compare.hpp"
#include "plugin/worker.hpp"

namespace liaisond::plugin {

namespace json = boost::json;
namespace {

constexpr std::chrono::seconds patience{120};  // processor time of one check
// Of the hostile answers, after which the rest is left out.
constexpr std::chrono::seconds hostile_budget{20};
constexpr std::size_t steps_after_nonsense = 100, steps_after_cancel = 20;
constexpr std::chrono::milliseconds slowest_allowed{1000};  // half of what a worker is given for a step
constexpr std::size_t largest_wanted = 8u << 20;  // bytes of an effect; the limit is max_effect_bytes
constexpr int warm_rounds = 3, windows = 4, rounds_of_window = 4;

// What goes wrong while a connector is played: its text says where.
struct Problem {
    std::string text;
};

[[noreturn]] void stop(const std::string& where, const std::string& text) {
    throw Problem{where + ": " + text};
}

std::string place_of(const Script& script, const Exchange& exchange) {
    return script.path.substr(script.path.rfind('/') + 1) + ":" + std::to_string(exchange.line);
}
std::string place_of(const Script& script) { return script.path.substr(script.path.rfind('/') + 1); }

using Steps = std::vector<std::string>;  // effects as frames

std::string frame_of(const Effect& effect) {
    std::string frame;
    append_stepped(frame, 0, 0, effect);
    return frame;
}

// Plays a script's first `limit` steps as they are written; differences are for `plugin script` to tell.
Steps play(const BareInstance& instance, const Script& script, std::size_t limit, Whereabouts& where) {
    Steps steps;
    BareJob job(instance, static_cast<std::uint32_t>(script.kind));
    if (job.is_refused()) stop(place_of(script), "the job is refused");
    Event event = script.start;
    for (const Exchange& exchange : script.exchanges) {
        if (steps.size() == limit) break;
        where.at(place_of(script, exchange));
        const auto effect = job.step(event);
        if (!effect) stop(place_of(script, exchange), effect.error().message);
        steps.push_back(frame_of(*effect));
        if (is_end(*effect) || !exchange.answer) break;
        const std::int64_t now = event.now_ms;
        event = *exchange.answer;
        event.now_ms += now;
    }
    return steps;
}

// One job that is played up to some step, then told something wrong, then bland things, then cancelled.
class Ordeal {
  public:
    Ordeal(const BareInstance& instance, const Script& script)
        : script_(script), job_(instance, static_cast<std::uint32_t>(script.kind)) {}

    void run(std::size_t right_steps, const HostileEvent& hostile) {
        Event event = script_.start;
        for (std::size_t i = 0; i < right_steps; ++i) {
            const auto effect = job_.step(event);
            if (!effect || is_end(*effect) || !script_.exchanges[i].answer) return;
            const std::int64_t now = event.now_ms;
            event = *script_.exchanges[i].answer;
            event.now_ms += now;
        }
        now_ms_ = event.now_ms;
        where_ =
            (right_steps == 0 ? place_of(script_) : place_of(script_, script_.exchanges[right_steps - 1])) +
            ", when " + hostile.what;
        Event told = hostile.event;
        told.now_ms = now_ms_;
        auto effect = hostile.bare_type ? job_.step_head(*hostile.bare_type, now_ms_) : job_.step(told);
        for (std::size_t i = 0; go_on(effect) && i < steps_after_nonsense; ++i)
            effect = job_.step(bland_answer(*effect, ++now_ms_));
        if (effect && is_end(*effect)) return;
        if (effect) effect = job_.step(Event{++now_ms_, CancelEvent()});
        for (std::size_t i = 0; go_on(effect) && i < steps_after_cancel; ++i)
            effect = job_.step(bland_answer(*effect, ++now_ms_));
        if (go_on(effect)) stop(where_, "goes on after CANCEL: it must come to an end within a few effects");
    }
    const std::optional<std::string>& internal() const { return internal_; }

  private:
    bool go_on(const Result<Effect>& effect) {
        if (!effect) stop(where_, effect.error().message);
        if (const auto* failed = std::get_if<FailEffect>(&*effect)) {
            if (failed->category == LIAISON_ERROR_INTERNAL && failed->detail.size() < 300)
                internal_ = where_ + ": \"" + failed->text + "\" " + failed->detail;
        }
        return !is_end(*effect);
    }

    const Script& script_;
    BareJob job_;
    std::string where_;
    std::int64_t now_ms_ = 0;
    std::optional<std::string> internal_;
};

std::chrono::nanoseconds processor_time() {
    struct timespec now {};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// What the allocator has given out; zero under a sanitizer's allocator.
std::size_t in_use() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

class Checker {
  public:
    Checker(std::string library, std::vector<Script> scripts)
        : path_(std::move(library)), scripts_(std::move(scripts)) {}

    std::vector<Finding> run() {
        findings_ = check_file(path_);
        if (!findings_.front().ok) return findings_;  // nothing can be called
        findings_.push_back(check_sandbox(kernel_));
        if (!findings_.back().ok || !load()) return findings_;
        for (Finding& finding : check_claims(claims_, beside())) findings_.push_back(std::move(finding));
        add_first_steps();
        apart("jobs", [this](Whereabouts& where) { return jobs(where); });
        apart("scripts", [this](Whereabouts& where) { return as_written(where); });
        apart("replay", [this](Whereabouts& where) { return replay(where); });
        apart("destruction", [this](Whereabouts& where) { return destruction(where); });
        apart("settings", [this](Whereabouts& where) { return settings(where); });
        apart("starts", [this](Whereabouts& where) { return starts(where); });
        apart("answers", [this](Whereabouts& where) { return answers(where); });
        apart("memory", [this](Whereabouts& where) { return memory(where); });
        apart("limits", [this](Whereabouts& where) { return limits(where); });
        return findings_;
    }

  private:
    using Body = std::function<std::string(Whereabouts&)>;

    // The body returns what was found, or throws a Problem.
    void apart(const char* check, const Body& body) {
        const ApartResult result = run_apart(patience, [&](Whereabouts& where) {
            try {
                lock_in(where);
                return "+" + body(where);
            } catch (const Problem& problem) { return "-" + problem.text; }
        });
        if (!result.failure.empty()) {
            findings_.push_back({check, false,
                                 "the plugin " + result.failure +
                                     (result.printed.empty() ? "" : "; it printed: " + result.printed)});
            return;
        }
        const bool ok = result.answer.substr(0, 1) == "+" && result.printed.empty();
        std::string text = result.answer.substr(std::min<std::size_t>(1, result.answer.size()));
        if (!result.printed.empty())
            text =
                "prints to its standard output or error, which is nobody's: log through the host instead. It "
                "printed: " +
                result.printed;
        findings_.push_back({check, ok, std::move(text)});
    }

    // From here on the child has what a worker has. The plugin is loaded then, and only once.
    void lock_in(Whereabouts& where) const {
        SandboxOptions options;
        options.channel = where.fd();
        options.level = kernel_.landlock == 0 ? SandboxLevel::degraded : SandboxLevel::required;
        options.is_check = true;
        const Sandbox sandbox(options);
        sandbox.prepare(self_);
        where.at("while it was loaded");
        const auto loaded = load_in_sandbox(path_, {}, sandbox);
        if (!loaded) throw Problem{loaded.error().message};
        where.at("after it was loaded");
    }

    std::shared_ptr<const Library> library() const {
        auto loaded = Library::load(path_);
        if (!loaded) throw Problem{loaded.error().message};
        return *loaded;
    }

    bool load() {
        apart("loading", [this](Whereabouts&) {
            const auto loaded = library();
            const json::object said{{"id", loaded->id()},
                                    {"version", loaded->version()},
                                    {"vendor", loaded->vendor()},
                                    {"manifest", loaded->manifest()},
                                    {"capabilities", loaded->table().capabilities},
                                    {"abi", std::to_string(loaded->table().abi_major) + "." +
                                                std::to_string(loaded->table().abi_minor)}};
            return json::serialize(said);
        });
        Finding& finding = findings_.back();
        if (!finding.ok) return false;
        const auto claims = read_claims(finding.text);
        finding.ok = claims.has_value();
        if (claims) claims_ = *claims;
        finding.text =
            claims ? "built for plugin ABI " + claims->abi : "it answers for itself, which is no answer";
        return finding.ok;
    }
    std::string beside() const {
        std::ifstream file(path_.substr(0, path_.rfind('.')) + ".manifest.json", std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    // Of each connector and job kind a start without anything after it, for those that no script has.
    void add_first_steps() {
        const auto manifest = parse_manifest(std::string_view(claims_.manifest));
        if (!manifest) return;
        for (const ConnectorManifest& connector : manifest->connectors) {
            for (const JobKind kind : connector.jobs) {
                Script script;
                script.path = connector.name + " " + std::string(to_string(kind));
                script.config = json::serialize(
                    json::object{{"connector", connector.name}, {"settings", json::object()}});
                script.kind = kind;
                StartEvent start;
                start.entity = connector.entities.empty() ? "product" : connector.entities.front().name;
                start.records.assign(1, Record{false, "1", "", "{\"name\":\"x\"}", "r1", 0});
                start.queries.assign(1, Query{"r1", "", "{\"name\":\"x\"}"});
                start.events.assign(1, WebhookEvent{"e1", "t", {{"X-A", "1"}}, "{\"id\":1}", 1});
                script.start = {1'767'225'600'000, std::move(start)};  // 2026-01-01
                first_steps_.push_back(std::move(script));
            }
        }
    }

    std::string jobs(Whereabouts& where) const {
        const BareInstance instance(library(), "{}");
        if (!instance.problem().empty()) stop("an empty configuration", instance.problem());
        std::string offered;
        for (std::uint32_t kind = 0; kind < 70; ++kind) {
            const bool claimed = kind < 64 && (claims_.capabilities >> kind & 1) != 0;
            const bool is_known = kind >= LIAISON_JOB_TEST && kind <= LIAISON_JOB_WEBHOOK;
            const std::string name =
                is_known ? std::string(to_string(static_cast<JobKind>(kind))) : std::to_string(kind);
            where.at("job_create of kind " + name);
            const BareJob job(instance, kind);
            if (claimed && job.is_refused())
                stop("job_create", "gives no job of kind " + name + ", which it claims in `capabilities`");
            if (!claimed && !job.is_refused())
                stop("job_create", "gives a job of kind " + name + ", which it does not claim: answer NULL");
            if (claimed) offered += (offered.empty() ? "" : ", ") + name;
        }
        return "gives " + offered + " and refuses all others";
    }

    std::string as_written(Whereabouts& where) const {
        if (scripts_.empty())
            return "there are none: with --scripts DIR the checks after this one reach much deeper";
        std::size_t steps = 0;
        for (const Script& script : scripts_) {
            const BareInstance instance(library(), script.config);
            BareJob job(instance, static_cast<std::uint32_t>(script.kind));
            if (job.is_refused()) stop(place_of(script), "the job is refused");
            Event event = script.start;
            for (const Exchange& exchange : script.exchanges) {
                where.at(place_of(script, exchange));
                const auto effect = job.step(event);
                ++steps;
                if (!effect) stop(place_of(script, exchange), effect.error().message);
                const Difference difference = compare(exchange, *effect);
                if (!difference.text.empty())
                    stop(place_of(script, exchange),
                         difference.text + "; liaisonctl plugin script tells more");
                if (!exchange.answer) break;
                const std::int64_t now = event.now_ms;
                event = *exchange.answer;
                event.now_ms += now;
            }
        }
        return std::to_string(scripts_.size()) + " jobs of " + std::to_string(steps) + " steps pass";
    }

    // Twice in one instance and once in another: byte for byte the same.
    std::string replay(Whereabouts& where) const {
        std::size_t steps = 0;
        for (const Script& script : scripts_) {
            const BareInstance instance(library(), script.config), other(library(), script.config);
            const Steps first = play(instance, script, SIZE_MAX, where);
            for (const BareInstance* again : {&instance, &other}) {
                const Steps second = play(*again, script, SIZE_MAX, where);
                const auto at = static_cast<std::size_t>(
                    std::mismatch(first.begin(), first.end(), second.begin(), second.end()).first -
                    first.begin());
                if (at < first.size() || second.size() != first.size())
                    stop(place_of(script, script.exchanges[std::min(at, script.exchanges.size() - 1)]),
                         "the same events gave another effect the second time: what is told is all that may "
                         "count; "
                         "the time is now_ms, randomness is START's seed, and instances keep nothing");
            }
            steps += first.size();
        }
        return std::to_string(steps) + " steps gave the same effects, byte for byte";
    }

    std::string destruction(Whereabouts& where) const {
        std::size_t destroyed = 0;
        for (const Script& script : scripts_) {
            const BareInstance instance(library(), script.config);
            for (std::size_t limit = 0; limit <= script.exchanges.size(); ++limit, ++destroyed)
                (void)play(instance, script, limit, where);
        }
        for (const Script& script : first_steps_) {
            const BareInstance instance(library(), script.config);
            const BareJob job(instance, static_cast<std::uint32_t>(script.kind));
            ++destroyed;
        }
        return std::to_string(destroyed) + " jobs were destroyed, one after each step";
    }

    std::string settings(Whereabouts& where) const {
        std::size_t tried = 0;
        std::vector<std::string> configs;
        for (const auto* scripts : {&scripts_, &first_steps_}) {
            for (const Script& script : *scripts) {
                if (std::find(configs.begin(), configs.end(), script.config) == configs.end())
                    configs.push_back(script.config);
            }
        }
        for (const std::string& right : configs) {
            for (const std::string& config : hostile_configs(right)) {
                where.at("the configuration " + config.substr(0, 200));
                const BareInstance instance(library(), config);
                if (!instance.problem().empty())
                    stop("the configuration " + config.substr(0, 200), instance.problem());
                for (const Script& script : first_steps_) {
                    Ordeal ordeal(instance, script);
                    ordeal.run(0, {"the configuration makes no sense", script.start, std::nullopt, false});
                    ++tried;
                }
            }
        }
        return std::to_string(tried) + " jobs under configurations that make no sense came to an end";
    }

    std::string starts(Whereabouts& where) const {
        std::size_t tried = 0;
        const std::chrono::nanoseconds until = processor_time() + hostile_budget;
        std::optional<std::string> internal;
        for (const auto* scripts : {&scripts_, &first_steps_}) {
            for (const Script& script : *scripts) {
                const BareInstance instance(library(), script.config);
                for (const HostileEvent& hostile : hostile_starts(script.start)) {
                    if (processor_time() > until)
                        return told(tried, "starts", internal) + "; the rest was left out for time";
                    where.at(place_of(script) + ", when " + hostile.what);
                    Ordeal ordeal(instance, script);
                    ordeal.run(0, hostile);
                    if (ordeal.internal() && !hostile.bare_type) internal = ordeal.internal();
                    ++tried;
                }
            }
        }
        return told(tried, "starts", internal);
    }

    std::string answers(Whereabouts& where) const {
        std::size_t tried = 0;
        const std::chrono::nanoseconds until = processor_time() + hostile_budget;
        for (const Script& script : scripts_) {
            const BareInstance instance(library(), script.config);
            for (std::size_t i = 0; i < script.exchanges.size(); ++i) {
                if (!script.exchanges[i].answer) break;
                for (const HostileEvent& hostile : hostile_answers(*script.exchanges[i].answer)) {
                    if (processor_time() > until)
                        return told(tried, "answers", std::nullopt) + "; the rest was left out for time";
                    where.at(place_of(script, script.exchanges[i]) + ", when " + hostile.what);
                    Ordeal ordeal(instance, script);
                    ordeal.run(i + 1, hostile);
                    if (ordeal.internal() && hostile.is_from_vendor && !asks_host(script.exchanges[i]))
                        stop(*ordeal.internal(),
                             "FAIL(internal) says that the connector is broken; what a vendor sends is "
                             "judged: "
                             "catch it and throw a Failure of another kind");
                    ++tried;
                }
            }
        }
        return told(tried, "answers", std::nullopt);
    }
    // What a drop folder holds is the host's word.
    static bool asks_host(const Exchange& exchange) {
        const auto* http = std::get_if<ExpectedHttp>(&exchange.expected);
        return http == nullptr || (!http->requests.empty() && http->requests[0].url.rfind("file:", 0) == 0);
    }
    static std::string told(std::size_t tried, const char* what, const std::optional<std::string>& internal) {
        return std::to_string(tried) + " " + what + " that make no sense were survived" +
               (internal ? "; one of them ended in FAIL(internal): " + *internal : "");
    }

    void round(Whereabouts& where) const {
        for (const Script& script : scripts_) {
            const BareInstance instance(library(), script.config);
            for (std::size_t limit = 0; limit <= script.exchanges.size(); ++limit)
                (void)play(instance, script, limit, where);
        }
        for (const Script& script : first_steps_) {
            const BareInstance instance(library(), script.config);
            Ordeal ordeal(instance, script);
            ordeal.run(0, {"nothing is wrong", script.start, std::nullopt, false});
        }
    }
    std::string memory(Whereabouts& where) const {
        for (int i = 0; i < warm_rounds; ++i) round(where);
        // What the allocator keeps for itself changes a little; a leak grows in every window.
        std::size_t grown = SIZE_MAX, before = in_use();
        if (before == 0) return "not measured: a sanitizer has the allocator, and tells of leaks itself";
        for (int window = 0; window < windows; ++window) {
            for (int i = 0; i < rounds_of_window; ++i) round(where);
            const std::size_t after = in_use();
            grown = std::min(grown, after > before ? (after - before) / rounds_of_window : 0);
            before = after;
        }
        if (grown > 0)
            stop("every round of all scripts", "leaves " + std::to_string(grown) +
                                                   " bytes behind: job_destroy must release what a job "
                                                   "holds, and close what an instance holds");
        return std::to_string(windows * rounds_of_window) + " rounds of everything left nothing behind";
    }

    std::string limits(Whereabouts& where) const {
        std::size_t largest = 0;
        for (const Script& script : scripts_) {
            const BareInstance instance(library(), script.config);
            for (const std::string& frame : play(instance, script, SIZE_MAX, where))
                largest = std::max(largest, frame.size());
        }
        for (const Script& script : first_steps_) {
            const BareInstance instance(library(), script.config);
            Ordeal ordeal(instance, script);
            ordeal.run(0, {"nothing is wrong", script.start, std::nullopt, false});
        }
        const auto slowest = std::chrono::duration_cast<std::chrono::microseconds>(BareJob::slowest_step());
        if (slowest > slowest_allowed)
            stop("the slowest step",
                 "took " + std::to_string(slowest.count() / 1000) +
                     " ms of processor time: a worker is killed after a few seconds; ask for smaller pages");
        if (largest > largest_wanted)
            stop("the largest effect",
                 "has " + std::to_string(largest >> 20) + " MiB: emit in batches of a few hundred records");
        return "the slowest step took " + std::to_string(slowest.count()) + " us, the largest effect has " +
               std::to_string(largest) + " bytes";
    }

    const KernelFeatures kernel_ = kernel_features();
    const pid_t self_ = ::getpid();
    std::string path_;
    std::vector<Script> scripts_, first_steps_;
    PluginClaims claims_;
    std::vector<Finding> findings_;
};

}  // namespace

Result<std::vector<Finding>> check_plugin(const std::string& library,
                                          const std::vector<std::string>& scripts) {
    std::vector<Script> all;
    for (const std::string& path : scripts) {
        auto loaded = load_scripts(path);
        if (!loaded) return fail(loaded.error());
        std::move(loaded->begin(), loaded->end(), std::back_inserter(all));
    }
    return Checker(library, std::move(all)).run();
}

}  // namespace liaisond::plugin
