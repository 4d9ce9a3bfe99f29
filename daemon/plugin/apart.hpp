// Running something in a child process of its own, so that its crash is an answer and not our end.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace liaisond::plugin {

// What the child tells: where it is, for the case that it does not come back.
class Whereabouts {
  public:
    explicit Whereabouts(int fd) : fd_(fd) {}
    void at(const std::string& place);
    int fd() const { return fd_; }  // that the child writes to

  private:
    int fd_;
    std::string last_;
};

struct ApartResult {
    std::string answer;   // what the body returned
    std::string failure;  // "crashed (SIGSEGV) in pull.script, step 2"; empty: it came back
    std::string printed;  // what it wrote to standard output or error, its last lines
};

// Forks: the caller must have no other thread. The child gets no core dump, no descriptor of the caller's but
// the one it tells by, and `limit` of processor time, and is killed after twice that.
ApartResult run_apart(std::chrono::seconds limit, const std::function<std::string(Whereabouts&)>& body);

}  // namespace liaisond::plugin
