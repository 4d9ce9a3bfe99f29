#include "plugin/bare_host.hpp"

#include <algorithm>
#include <ctime>

#include <unistd.h>

#include "plugin/abi_bridge.hpp"

namespace liaisond::plugin {

namespace {

std::chrono::nanoseconds slowest{0};

std::chrono::nanoseconds processor_time() {
    struct timespec now {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void forget_log(void*, std::uint32_t, liaison_str) {}
const void* no_extension(void*, liaison_str) { return nullptr; }

std::string threw(const char* function) {
    return std::string("threw an exception out of ") + function + ": nothing may be thrown across the ABI";
}

}  // namespace

BareInstance::BareInstance(std::shared_ptr<const Library> library, const std::string& config)
    : library_(std::move(library)) {
    host_.size = LIAISON_SIZE_1_0_HOST;
    host_.abi_major = LIAISON_ABI_MAJOR;
    host_.abi_minor = LIAISON_ABI_MINOR;
    host_.log = forget_log;
    host_.extension = no_extension;
    try {
        instance_ = library_->table().open(&host_, {config.data(), config.size()});
        if (instance_ == nullptr)
            problem_ =
                "open() returned NULL: that says out of memory. What it dislikes about the "
                "configuration it says as FAIL of each job";
    } catch (...) { problem_ = threw("open"); }
}

BareInstance::~BareInstance() {
    if (instance_ != nullptr) library_->table().close(instance_);
}

BareJob::BareJob(const BareInstance& instance, std::uint32_t kind) : instance_(instance) {
    if (instance.get() != nullptr) job_ = instance.library().table().job_create(instance.get(), kind);
}

BareJob::~BareJob() {
    if (job_ != nullptr) instance_.library().table().job_destroy(job_);
}

Result<Effect> BareJob::step(const Event& event) {
    const EventView view(event);
    return step_raw(view.get());
}

Result<Effect> BareJob::step_head(std::uint32_t type, std::int64_t now_ms) {
    const auto event = std::make_unique<liaison_event>(liaison_event{sizeof(liaison_event), type, now_ms});
    return step_raw(event.get());
}

Result<Effect> BareJob::step_raw(const liaison_event* event) {
    const std::chrono::nanoseconds begin = processor_time();
    const liaison_effect* raw = nullptr;
    ::alarm(BareJob::step_patience.count());
    try {
        raw = instance_.library().table().step(job_, event);
    } catch (...) { return fail(ErrorKind::internal, threw("step")); }
    ::alarm(0);
    slowest = std::max(slowest, processor_time() - begin);
    return read_effect(raw, instance_.library().name());
}

std::chrono::nanoseconds BareJob::slowest_step() { return slowest; }

bool is_end(const Effect& effect) {
    return std::holds_alternative<DoneEffect>(effect) || std::holds_alternative<FailEffect>(effect);
}

}  // namespace liaisond::plugin
