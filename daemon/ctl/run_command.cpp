// `run`: starts a run and, with --wait, stays with it to its end.
#include <chrono>

#include "ctl/commands.hpp"
#include "ctl/format.hpp"
#include "ctl/interrupt.hpp"
#include "ctl/json_view.hpp"
#include "ctl/run_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

constexpr Milliseconds poll_period{200};
constexpr std::chrono::seconds line_period{5};       // between lines where nothing can be drawn over
constexpr std::chrono::seconds daemon_patience{15};  // a daemon that restarts comes back within this

class RunWatch {
  public:
    RunWatch(Session& session, std::string run) : session_(session), run_(std::move(run)) {}

    int follow() {
        auto last_line = std::chrono::steady_clock::now();
        auto last_answer = last_line;
        for (std::size_t frame = 0;; ++frame) {
            const Result<json::value> run = session_.client().get(api_target({"runs", run_}));
            const auto now = std::chrono::steady_clock::now();
            if (interrupt_.raised()) return leave();
            if (run) last_answer = now;
            if (run && run_has_ended(*run)) return conclude(*run);
            if (!run && (run.error().code != Client::unreachable || now - last_answer > daemon_patience))
                return lose(run.error());
            if (session_.json()) {
            } else if (session_.console().interactive) {
                draw(run ? progress_text(*run, session_.look(), Session::now(), frame)
                         : "liaisond is away; waiting for it");
            } else if (now - last_line >= line_period) {
                last_line = now;
                session_.console().out
                    << (run ? progress_line(*run, Session::now()) : "liaisond is away; waiting for it")
                    << std::endl;
            }
            interrupt_.wait(poll_period);
        }
    }

  private:
    void draw(const std::string& line) {
        session_.console().out << "\r\x1b[K" << line << std::flush;
        drawn_ = true;
    }
    void erase() {
        if (drawn_) session_.console().out << "\r\x1b[K" << std::flush;
    }

    int conclude(const json::value& run) {
        erase();
        if (session_.json())
            session_.print_json(run);
        else
            session_.console().out << run_summary(run, session_.look(), Session::now()) << std::flush;
        return run_went_well(run) ? fine : failed;
    }
    int leave() {
        erase();
        session_.console().note("Run " + run_ + " goes on. Look at it with: liaisonctl runs show " + run_ +
                                "\n" + "Stop it with: liaisonctl runs cancel " + run_);
        return interrupted;
    }
    int lose(const Error& error) {
        erase();
        const int code = session_.report(error);
        if (code == not_reachable)
            session_.console().note("What became of the run tells: liaisonctl runs show " + run_);
        return code;
    }

    Session& session_;
    std::string run_;
    Interrupt interrupt_;
    bool drawn_ = false;
};

}  // namespace

int run(Session& session, const RunArguments& arguments) {
    const Parameters parameters{{"full", arguments.full ? "true" : ""},
                                {"confirm_deletes", arguments.confirm_deletes ? "true" : ""},
                                {"entity", arguments.entity},
                                {"from", arguments.from},
                                {"to", arguments.to}};
    const auto answer = session.client().post(
        api_target({"integrations", arguments.integration, "sync"}, parameters), Client::no_limit);
    if (!answer) return session.report(answer.error());
    const std::string run = text_at(*answer, "run");
    if (arguments.wait) return RunWatch(session, run).follow();
    return session.show(answer, [&](const json::value&) {
        return "Run " + run + " of " + arguments.integration +
               " has started; look at it with: liaisonctl runs show " + run + "\n";
    });
}

}  // namespace liaisond::ctl
