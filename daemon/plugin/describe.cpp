#include "plugin/describe.hpp"

#include <algorithm>
#include <csignal>
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

constexpr std::size_t max_description_bytes = 4u << 20;
constexpr std::size_t max_complaint_bytes = 4u << 10;
constexpr std::size_t most_at_once = 32;  // processes

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
    Description(std::vector<std::string> command, std::string path) : path_(std::move(path)) {
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
    // Call once, when its outputs are closed or time is up; a child that still runs is killed.
    Result<boost::json::object> take(Clock::time_point until, const std::string& limit) {
        if (failure_) return fail(*failure_);
        const std::string name = library_name(path_) + ".so";
        struct pollfd end {
            child_.pidfd.get(), POLLIN, 0
        };
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        const bool ended = ::poll(&end, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) == 1;
        if (!ended) ::kill(child_.pid, SIGKILL);
        int status = 0;
        ::waitpid(child_.pid, &status, 0);
        if (!ended) return fail(ErrorKind::internal, name + " did not describe itself within " + limit);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return parse(name);
        while (!err_.text.empty() && err_.text.back() == '\n') err_.text.pop_back();
        if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && !err_.text.empty()) {
            return fail(ErrorKind::internal, err_.text);
        }
        return fail(ErrorKind::internal, "the worker that looked at " + name + " " + describe_exit(status));
    }

  private:
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
    Child child_;
    Output out_{UniqueFd(), {}, max_description_bytes}, err_{UniqueFd(), {}, max_complaint_bytes};
    std::optional<Error> failure_;
};

void read_until_closed(std::vector<Description>& all, Clock::time_point until) {
    for (;;) {
        std::vector<Output*> outputs;
        for (Description& one : all) {
            for (Output* output : one.open_outputs()) outputs.push_back(output);
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (outputs.empty() || left <= 0) return;
        std::vector<struct pollfd> ready;
        for (const Output* output : outputs) ready.push_back({output->fd.get(), POLLIN, 0});
        if (::poll(ready.data(), ready.size(), static_cast<int>(left)) < 0 && errno != EINTR) return;
        for (std::size_t i = 0; i < ready.size(); ++i) {
            if (ready[i].revents != 0) outputs[i]->read();
        }
    }
}

}  // namespace

std::vector<Result<boost::json::object>> describe_all(const std::string& worker_path,
                                                      const SandboxOptions& sandbox,
                                                      const std::vector<std::string>& paths,
                                                      std::chrono::milliseconds time_limit) {
    std::vector<Result<boost::json::object>> results;
    for (std::size_t first = 0; first < paths.size(); first += most_at_once) {
        const Clock::time_point until = Clock::now() + time_limit;
        std::vector<Description> running;
        const std::size_t last = std::min(paths.size(), first + most_at_once);
        for (std::size_t i = first; i < last; ++i)
            running.emplace_back(worker_command(worker_path, sandbox), paths[i]);
        read_until_closed(running, until);
        for (Description& one : running) results.push_back(one.take(until, format_duration(time_limit)));
    }
    return results;
}

}  // namespace liaisond::plugin
