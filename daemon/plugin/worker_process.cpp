#include "plugin/worker_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "base/fault_point.hpp"
#include "plugin/limits.hpp"

namespace liaisond::plugin {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t first_input_bytes = 64u << 10;
constexpr std::size_t kept_buffer_bytes = 1u << 20;
constexpr std::size_t log_chunk_bytes = 4u << 10;
// The end of the socket comes before the exit status; a worker that closed it and lives on is killed.
constexpr std::chrono::milliseconds exit_status_delay{500};

}  // namespace

Result<std::shared_ptr<WorkerProcess>> WorkerProcess::start(asio::io_context& io,
                                                            std::vector<std::string> command,
                                                            Handlers handlers) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return fail(ErrorKind::internal, std::string("cannot make a socket pair: ") + std::strerror(errno));
    }
    UniqueFd ours(ends[0]), theirs(ends[1]);
    auto log = make_pipe();
    if (!log) return fail(log.error());
    SpawnOptions options{std::move(command), log->second.get(), log->second.get(), theirs.get()};
    const std::string faults = take_worker_faults();
    if (!faults.empty()) options.environment.push_back("LIAISON_FAULT=" + faults);
    auto child = spawn(options);
    if (!child) return fail(child.error());
    std::shared_ptr<WorkerProcess> self(new WorkerProcess(io, std::move(handlers), std::move(*child),
                                                          std::move(ours), std::move(log->first)));
    self->read();
    self->read_log();
    self->wait_for_end();
    return self;
}

WorkerProcess::WorkerProcess(asio::io_context& io, Handlers handlers, Child child, UniqueFd socket,
                             UniqueFd log)
    : handlers_(std::move(handlers)),
      pid_(child.pid),
      socket_(io, asio::local::stream_protocol(), socket.release()),
      pidfd_(io, child.pidfd.release()),
      log_(io, log.release()),
      timer_(io),
      input_(first_input_bytes),
      log_input_(log_chunk_bytes) {
    socket_.non_blocking(true);
}

WorkerProcess::~WorkerProcess() {
    if (reaped_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void WorkerProcess::flush() {
    if (waiting_.empty() || !sending_.empty() || !socket_.is_open()) return;
    sending_.swap(waiting_);
    asio::async_write(socket_, asio::buffer(sending_),
                      [self = shared_from_this()](error_code problem, std::size_t) {
                          if (self->sending_.capacity() > kept_buffer_bytes)
                              std::string().swap(self->sending_);
                          self->sending_.clear();
                          if (!problem) self->flush();  // the reading side notices a broken socket
                      });
}

void WorkerProcess::read() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == input_.size() && begin_ > 0) {
        std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
    }
    // Grows with what has arrived, never by what a header promises.
    if (end_ == input_.size()) input_.resize(input_.size() * 2);
    socket_.async_read_some(asio::buffer(input_.data() + end_, input_.size() - end_),
                            [self = shared_from_this()](error_code problem, std::size_t bytes) {
                                if (problem == asio::error::operation_aborted || !self->socket_.is_open())
                                    return;
                                self->is_ending_ = static_cast<bool>(problem);
                                if (problem)
                                    return self->kill_after(exit_status_delay, "closed its connection");
                                self->end_ += bytes;
                                if (self->parse()) self->read();
                            });
}

bool WorkerProcess::parse() {
    while (end_ - begin_ >= frame_header_bytes) {
        const std::string_view bytes(input_.data() + begin_, end_ - begin_);
        const auto header = decode_header(bytes);
        if (!header) return kill("sent " + header.error().message + " and was killed"), false;
        if (bytes.size() < frame_header_bytes + header->length) break;
        auto message = decode_body(*header, bytes.substr(frame_header_bytes, header->length));
        if (!message) return kill("sent " + message.error().message + " and was killed"), false;
        begin_ += frame_header_bytes + header->length;
        if (handlers_.message) handlers_.message(*header, std::move(*message));
        if (!socket_.is_open() || !reason_.empty()) return false;
    }
    if (begin_ == end_ && input_.size() > kept_buffer_bytes) {
        begin_ = end_ = 0;
        std::vector<char>(first_input_bytes).swap(input_);
    }
    return true;
}

void WorkerProcess::read_log() {
    log_.async_read_some(asio::buffer(log_input_),
                         [self = shared_from_this()](error_code problem, std::size_t bytes) {
                             if (!problem) {
                                 self->take_lines(bytes);
                                 return self->read_log();
                             }
                             if (!self->line_.empty() && self->handlers_.line)
                                 self->handlers_.line(std::move(self->line_));
                             self->line_.clear();
                         });
}

void WorkerProcess::take_lines(std::size_t bytes) {
    for (const char c : std::string_view(log_input_.data(), bytes)) {
        if (c != '\n' && line_.size() < max_log_text_bytes) line_ += c;
        if (c == '\n') {
            if (!line_.empty() && handlers_.line) handlers_.line(std::move(line_));
            line_.clear();
        }
    }
}

void WorkerProcess::wait_for_end() {
    pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](error_code problem) {
                          if (!problem) self->reap();
                      });
}

void WorkerProcess::reap() {
    int status = 0;
    if (reaped_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return;
    reaped_ = true;
    timer_.cancel();
    close_socket();
    error_code ignored;
    pidfd_.close(ignored);
    handlers_.message = nullptr;
    if (const auto ended = std::exchange(handlers_.ended, nullptr)) {
        ended(reason_.empty() ? describe_exit(status) : reason_);
    }
}

void WorkerProcess::kill(std::string reason) {
    if (reaped_ || !reason_.empty()) return;
    reason_ = std::move(reason);
    is_ending_ = true;
    close_socket();
    ::kill(pid_, SIGKILL);  // not reaped yet, so the number is still its own
}

void WorkerProcess::kill_after(std::chrono::milliseconds delay, std::string reason) {
    timer_.expires_after(delay);
    timer_.async_wait([weak = weak_from_this(), reason = std::move(reason)](error_code problem) {
        const auto self = weak.lock();
        if (!self || problem) return;
        self->reap();  // what it ended with says more
        self->kill(reason);
    });
}

void WorkerProcess::release(std::chrono::milliseconds grace) {
    handlers_.message = nullptr;
    handlers_.ended = nullptr;
    close_socket();
    if (!reaped_) kill_after(grace, "did not end in time");
}

void WorkerProcess::finish(std::chrono::steady_clock::time_point until) {
    handlers_ = {};
    close_socket();
    timer_.cancel();
    if (!reaped_) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        struct pollfd end {
            pidfd_.native_handle(), POLLIN, 0
        };
        if (::poll(&end, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) != 1)
            ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        reaped_ = true;
    }
    error_code ignored;
    pidfd_.close(ignored);
    log_.close(ignored);
}

void WorkerProcess::close_socket() {
    error_code ignored;
    socket_.close(ignored);
}

}  // namespace liaisond::plugin
