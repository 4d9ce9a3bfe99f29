#include "plugin/describe.hpp"

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/wait.h>
#include <boost/json/parse.hpp>

#include "base/time.hpp"
#include "plugin/library.hpp"
#include "plugin/spawn.hpp"

namespace liaisond::plugin {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t max_description_bytes = 4u << 20;
constexpr std::size_t max_complaint_bytes = 4u << 10;
constexpr std::size_t most_at_once = 8;  // processes
constexpr milliseconds slice{50};

struct Output {
    UniqueFd fd;
    std::string text;
    std::size_t limit;

    bool open() const { return fd.get() >= 0; }
    // Reads what is there; closes at the end or when there is too much.
    void read() {
        char chunk[16 << 10];
        const ssize_t got = ::read(fd.get(), chunk, sizeof chunk);
        if (got > 0 && text.size() < limit) text.append(chunk, static_cast<std::size_t>(got));
        if (got <= 0 || text.size() >= limit) fd.reset();
    }
};

// One describing child and what it says.
class Description {
  public:
    Description(std::vector<std::string> command, std::string path, milliseconds time_limit)
        : path_(std::move(path)), time_limit_(time_limit) {
        auto out = make_pipe();
        auto err = make_pipe();
        if (!out || !err) {
            failure_ = out ? err.error() : out.error();
            return;
        }
        command.insert(command.end(), {"--describe", path_});
        auto child = spawn({std::move(command), out->second.get(), err->second.get(), -1});
        if (!child) {
            failure_ = child.error();
            return;
        }
        child_ = std::move(*child);
        out_.fd = std::move(out->first);
        err_.fd = std::move(err->first);
    }
    std::vector<Output*> open_outputs() {
        std::vector<Output*> all;
        for (Output* output : {&out_, &err_}) {
            if (output->open()) all.push_back(output);
        }
        return all;
    }
    void spend(milliseconds passed) { spent_ += passed; }
    bool finished() const {
        return failure_ || spent_ >= time_limit_ || (!out_.open() && !err_.open() && ended());
    }
    int end() const { return child_.pidfd.get(); }  // readable once the child has ended; -1: there is none
    // Call once, when it is finished; a child that still runs is killed.
    Result<boost::json::object> take() {
        if (failure_) return fail(*failure_);
        const std::string name = library_name(path_) + ".so";
        const bool in_time = ended();
        if (!in_time) ::kill(child_.pid, SIGKILL);
        int status = 0;
        ::waitpid(child_.pid, &status, 0);
        if (!in_time) {
            return fail(ErrorKind::internal,
                        name + " did not describe itself within " + format_duration(time_limit_));
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return parse(name);
        while (!err_.text.empty() && err_.text.back() == '\n') err_.text.pop_back();
        if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && !err_.text.empty()) {
            return fail(ErrorKind::internal, err_.text);
        }
        return fail(ErrorKind::internal, "the worker that looked at " + name + " " + describe_exit(status));
    }

  private:
    bool ended() const {
        struct pollfd end {
            child_.pidfd.get(), POLLIN, 0
        };
        return ::poll(&end, 1, 0) == 1;
    }
    Result<boost::json::object> parse(const std::string& name) const {
        boost::system::error_code problem;
        const boost::json::value value = boost::json::parse(out_.text, problem);
        if (problem || !value.is_object()) {
            return fail(ErrorKind::internal,
                        name + " wrote something else than its description to its output");
        }
        return value.get_object();
    }

    std::string path_;
    milliseconds time_limit_, spent_{0};
    Child child_;
    Output out_{UniqueFd(), {}, max_description_bytes}, err_{UniqueFd(), {}, max_complaint_bytes};
    std::optional<Error> failure_;
};

// Reads what they say for a slice of time at most.
void read_for_a_while(std::vector<Description*>& all) {
    std::vector<Output*> outputs;
    std::vector<struct pollfd> ready;
    for (Description* one : all) {
        for (Output* output : one->open_outputs()) {
            outputs.push_back(output);
            ready.push_back({output->fd.get(), POLLIN, 0});
        }
    }
    for (Description* one : all) {
        if (one->open_outputs().empty()) ready.push_back({one->end(), POLLIN, 0});
    }
    const Clock::time_point before = Clock::now();
    if (::poll(ready.data(), ready.size(), static_cast<int>(slice.count())) > 0) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (ready[i].revents != 0) outputs[i]->read();
        }
    }
    // A machine that stood still meanwhile is not held against the plugins.
    const auto passed = std::chrono::ceil<milliseconds>(Clock::now() - before);
    for (Description* one : all) one->spend(std::min(passed, slice));
}

}  // namespace

std::vector<Result<boost::json::object>> describe_all(const std::string& worker_path,
                                                      const SandboxOptions& sandbox,
                                                      const std::vector<std::string>& paths,
                                                      milliseconds time_limit) {
    std::vector<std::optional<Result<boost::json::object>>> results(paths.size());
    std::map<std::size_t, Description> running;  // by place in paths
    std::size_t next = 0;
    while (next < paths.size() || !running.empty()) {
        for (; next < paths.size() && running.size() < most_at_once; ++next) {
            running.try_emplace(next, worker_command(worker_path, sandbox), paths[next], time_limit);
        }
        std::vector<Description*> all;
        for (auto& [place, one] : running) all.push_back(&one);
        read_for_a_while(all);
        for (auto& [place, one] : running) {
            if (one.finished()) results[place] = one.take();
        }
        std::erase_if(running, [&](const auto& entry) { return results[entry.first].has_value(); });
    }
    std::vector<Result<boost::json::object>> given;
    for (auto& result : results) given.push_back(std::move(*result));
    return given;
}

}  // namespace liaisond::plugin
