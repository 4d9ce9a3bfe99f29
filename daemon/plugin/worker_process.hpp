// WorkerProcess: one running liaison-worker as sockets, pipe and pidfd on the io_context. It moves frames and
// tells how the process ended; what that means is for WorkerSupervisor.  [core thread]
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "plugin/frames.hpp"
#include "plugin/spawn.hpp"

namespace liaisond::plugin {

class WorkerProcess : public std::enable_shared_from_this<WorkerProcess> {
  public:
    struct Handlers {
        std::function<void(const FrameHeader&, Message&&)> message;
        // Exactly once, unless released first: "was killed by SIGSEGV", or the reason given to kill().
        std::function<void(const std::string& how)> ended;
        std::function<void(std::string)> line;  // of its output; may be called after the end
    };

    // `command`: the program and its arguments.
    static Result<std::shared_ptr<WorkerProcess>> start(boost::asio::io_context& io,
                                                        std::vector<std::string> command, Handlers handlers);
    ~WorkerProcess();

    // Frames are appended to the returned buffer and leave with flush().
    std::string& output() { return waiting_; }
    void flush();
    // SIGKILL; `reason` becomes how it ended.
    void kill(std::string reason);
    // Nothing more is reported; the worker gets end of file, and SIGKILL after `grace`.
    void release(std::chrono::milliseconds grace);
    // The same, blocking until it is gone or `until` has passed; then SIGKILL.
    void finish(std::chrono::steady_clock::time_point until);
    void close_socket();
    pid_t pid() const { return pid_; }
    // It is being killed, or has closed its socket: nothing more can be asked of it.
    bool is_ending() const { return is_ending_; }

  private:
    WorkerProcess(boost::asio::io_context& io, Handlers handlers, Child child, UniqueFd socket, UniqueFd log);
    void read();
    // False: garbage was found and the process is being killed.
    bool parse();
    void read_log();
    void take_lines(std::size_t bytes);
    void wait_for_end();
    void reap();
    void kill_after(std::chrono::milliseconds delay, std::string reason);

    Handlers handlers_;
    pid_t pid_;
    bool reaped_ = false, is_ending_ = false;
    std::string reason_;
    boost::asio::local::stream_protocol::socket socket_;
    boost::asio::posix::stream_descriptor pidfd_, log_;
    boost::asio::steady_timer timer_;
    std::vector<char> input_;
    std::size_t begin_ = 0, end_ = 0;  // the unread part of input_
    std::string waiting_, sending_;    // output to come, and on its way
    std::vector<char> log_input_;
    std::string line_;
};

}  // namespace liaisond::plugin
