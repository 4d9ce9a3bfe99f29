#include "plugin/worker.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <unistd.h>
#include <boost/json/parse.hpp>

#include "base/fault_point.hpp"
#include "plugin/frames.hpp"
#include "plugin/library.hpp"
#include "plugin/limits.hpp"
#include "plugin/local_job.hpp"
#include "plugin/manifest.hpp"

namespace liaisond::plugin {

namespace {

constexpr std::size_t kept_buffer_bytes = 1u << 20;

// Frames over a blocking socket; both buffers are reused.
class Channel {
  public:
    explicit Channel(int fd) : fd_(fd) {}

    enum class Got { message, end, garbage };
    Got receive(FrameHeader& header, Message& message) {
        if (!read_exactly(frame_header_bytes)) return Got::end;
        const auto decoded = decode_header({input_.data(), frame_header_bytes});
        if (!decoded) return Got::garbage;
        header = *decoded;
        if (!read_exactly(header.length)) return Got::end;
        auto body = decode_body(header, {input_.data(), header.length});
        if (!body) return Got::garbage;
        message = std::move(*body);
        shrink(input_);
        return Got::message;
    }
    // Plugins may log from any thread, so sending takes a lock.
    bool send(std::uint64_t id, const Message& message) {
        const std::lock_guard lock(mutex_);
        output_.clear();
        return append_frame(output_, id, message) && flush();
    }
    bool send_effect(std::uint64_t id, std::uint64_t job, const Effect& effect) {
        const std::lock_guard lock(mutex_);
        output_.clear();
        return append_stepped(output_, id, job, effect) && flush();
    }

  private:
    bool read_exactly(std::size_t bytes) {
        if (input_.size() < bytes) input_.resize(bytes);
        for (std::size_t have = 0; have < bytes;) {
            const ssize_t got = ::read(fd_, input_.data() + have, bytes - have);
            if (got == 0 || (got < 0 && errno != EINTR)) return false;
            if (got > 0) have += static_cast<std::size_t>(got);
        }
        return true;
    }
    bool flush() {
        for (std::size_t sent = 0; sent < output_.size();) {
            const ssize_t put = ::write(fd_, output_.data() + sent, output_.size() - sent);
            if (put < 0 && errno != EINTR) return false;
            if (put > 0) sent += static_cast<std::size_t>(put);
        }
        shrink(output_);
        return true;
    }
    static void shrink(std::string& buffer) {
        if (buffer.capacity() > kept_buffer_bytes) std::string().swap(buffer);
    }

    int fd_;
    std::mutex mutex_;
    std::string input_, output_;
};

class Server {
  public:
    explicit Server(const SandboxOptions& options) : channel_(options.channel), sandbox_(options) {}

    int run() {
        FrameHeader header;
        Message message;
        for (;;) {
            switch (channel_.receive(header, message)) {
                case Channel::Got::end: return 0;
                case Channel::Got::garbage:
                    std::fputs("the daemon sent a frame that is not valid\n", stderr);
                    return 2;
                case Channel::Got::message: break;
            }
            if (!library_ && !std::holds_alternative<Hello>(message)) return 2;
            const bool go_on = std::visit([&](auto& body) { return handle(header.id, body); }, message);
            if (!go_on) return 1;
        }
    }

  private:
    bool handle(std::uint64_t id, const Hello& hello) {
        LIAISON_FAULT_POINT("worker.hello");
        auto library = load_in_sandbox(hello.library, hello.digest, sandbox_);
        if (!library) {
            (void)channel_.send(id, Refused{library.error().message});
            return false;
        }
        library_ = *library;
        const liaison_plugin& table = library_->table();
        return channel_.send(id,
                             Ready{library_->id(), library_->version(), library_->vendor(), table.abi_major,
                                   table.abi_minor, table.capabilities, library_->manifest()});
    }
    bool handle(std::uint64_t, const Open& open) {
        LIAISON_FAULT_POINT("worker.open");
        const auto log = [this](std::uint32_t level, std::string_view text) {
            (void)channel_.send(0, Log{level, std::string(text)});
        };
        auto instance = LocalInstance::open(library_, open.config, log);
        if (instance)
            instances_.insert_or_assign(open.instance, *instance);
        else
            errors_.insert_or_assign(open.instance, instance.error().message);
        return true;
    }
    bool handle(std::uint64_t id, const Step& step) {
        LIAISON_FAULT_POINT("worker.step");
        const std::string problem = ensure_job(step);
        if (!problem.empty()) return channel_.send(id, Stepped{step.job, problem, {}});
        const Result<Effect> effect = jobs_.at(step.job)->step(step.event);
        LIAISON_FAULT_POINT("worker.stepped");
        const bool sent = effect ? channel_.send_effect(id, step.job, *effect)
                                 : channel_.send(id, Stepped{step.job, effect.error().message, {}});
        LIAISON_FAULT_POINT("worker.sent");
        return sent;
    }
    bool handle(std::uint64_t, const Destroy& destroy) {
        LIAISON_FAULT_POINT("worker.destroy");
        jobs_.erase(destroy.job);
        return true;
    }
    bool handle(std::uint64_t, const Close& close) {
        instances_.erase(close.instance);
        errors_.erase(close.instance);
        return true;
    }
    template <class T>
    bool handle(std::uint64_t, const T&) {
        return false;  // a message that only workers send
    }

    // What went wrong, or nothing.
    std::string ensure_job(const Step& step) {
        if (jobs_.contains(step.job)) return {};
        const auto instance = instances_.find(step.instance);
        if (instance == instances_.end()) {
            const auto error = errors_.find(step.instance);
            return error != errors_.end() ? error->second
                                          : "the daemon asked for an instance it never opened";
        }
        auto job = LocalJob::create(instance->second, step.kind);
        if (!job) return job.error().message;
        jobs_.emplace(step.job, std::move(*job));
        return {};
    }

    Channel channel_;
    const Sandbox sandbox_;
    std::shared_ptr<const Library> library_;
    std::unordered_map<std::uint64_t, std::shared_ptr<LocalInstance>> instances_;
    std::unordered_map<std::uint64_t, std::string> errors_;  // of instances that did not open
    std::unordered_map<std::uint64_t, std::unique_ptr<LocalJob>> jobs_;
};

}  // namespace

int serve_worker(const SandboxOptions& sandbox) { return Server(sandbox).run(); }

Result<std::shared_ptr<const Library>> load_in_sandbox(const std::string& path, const std::string& digest,
                                                       const Sandbox& sandbox) {
    auto file = PluginFile::open(path);
    if (!file) return fail(file.error());
    if (const Status same = file->expect(digest); !same) return fail(same.error());
    if (const Status closed = sandbox.before_load(file->fd()); !closed) return fail(closed.error());
    auto library = Library::load(std::move(*file));
    // A refused plugin's constructors ran, too.
    if (const Status closed = sandbox.after_load(); !closed) return fail(closed.error());
    return library;
}

Result<boost::json::object> describe_plugin(const std::string& path, const SandboxOptions& sandbox) {
    const auto library = load_in_sandbox(path, {}, Sandbox(sandbox));
    if (!library) return fail(library.error());
    const std::string text = (*library)->manifest();
    const auto manifest = parse_manifest(text);
    if (!manifest) {
        return fail(ErrorKind::internal, (*library)->name() + ".so carries a manifest that is not valid: " +
                                             manifest.error().message);
    }
    const liaison_plugin& table = (*library)->table();
    boost::json::object description;
    description["id"] = (*library)->id();
    description["version"] = (*library)->version();
    description["vendor"] = (*library)->vendor();
    description["abi"] = boost::json::array{table.abi_major, table.abi_minor};
    description["capabilities"] = table.capabilities;
    description["manifest"] = boost::json::parse(text);
    return description;
}

}  // namespace liaisond::plugin
