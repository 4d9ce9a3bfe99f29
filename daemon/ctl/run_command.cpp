// `run`: starts a run and, with --wait, stays with it to its end.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

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

// Nobody else may read it.
Status write_private(const std::string& path, std::string_view text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    const auto failed = [&] {
        return fail(ErrorKind::config, path + " cannot be written: " + std::strerror(errno));
    };
    if (file < 0) return failed();
    Status written;
    if (::fchmod(file, 0600) != 0) written = failed();
    while (written && !text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) written = failed();
        if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::close(file) != 0 && written) written = failed();
    return written;
}

// Waits for the end of the run; a run that failed is worth most.
int record(Session& session, const std::string& run, const std::string& file) {
    const int ended = RunWatch(session, run).follow();
    if (ended != fine && ended != failed) return ended;
    const auto answer = session.client().get(api_target({"runs", run, "cassette"}));
    if (!answer) return session.report(answer.error());
    const Status written = write_private(file, text_at(*answer, "cassette"));
    if (!written) return session.report(written.error());
    session.console().note("Recorded in " + file + "; play it again with: liaisonctl plugin script " + file);
    return ended;
}

}  // namespace

int run(Session& session, const RunArguments& arguments) {
    const Parameters parameters{{"full", arguments.full ? "true" : ""},
                                {"dry_run", arguments.dry_run ? "true" : ""},
                                {"confirm_deletes", arguments.confirm_deletes ? "true" : ""},
                                {"entity", arguments.entity},
                                {"from", arguments.from},
                                {"to", arguments.to},
                                {"record", arguments.record.empty() ? "" : "true"}};
    if (!arguments.record.empty()) {
        // Before anything begins: whoever cannot write there shall not find out after an hour.
        const Status writable = write_private(arguments.record, "");
        if (!writable) return session.report(writable.error());
    }
    const auto answer = session.client().post(
        api_target({"integrations", arguments.integration, "sync"}, parameters), Client::no_limit);
    if (!answer) return session.report(answer.error());
    const std::string run = text_at(*answer, "run");
    if (!arguments.record.empty()) return record(session, run, arguments.record);
    if (arguments.wait) return RunWatch(session, run).follow();
    return session.show(answer, [&](const json::value&) {
        return "Run " + run + " of " + arguments.integration +
               " has started; look at it with: liaisonctl runs show " + run + "\n";
    });
}

}  // namespace liaisond::ctl
