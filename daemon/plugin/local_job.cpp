#include "plugin/local_job.hpp"

#include <algorithm>
#include <utility>

#include "plugin/abi_bridge.hpp"
#include "plugin/limits.hpp"
#include "plugin/manifest.hpp"

namespace liaisond::plugin {

namespace {

const void* no_extension(void*, liaison_str) { return nullptr; }

tl::unexpected<Error> threw(const Library& library, const char* function) {
    return fail(ErrorKind::internal, library.name() + " threw an exception out of " + function +
                                         ": it is broken, ask its vendor for another build");
}

}  // namespace

LocalInstance::LocalInstance(std::shared_ptr<const Library> library, Log log)
    : library_(std::move(library)), log_(std::move(log)) {
    host_.size = sizeof host_;
    host_.abi_major = LIAISON_ABI_MAJOR;
    host_.abi_minor = LIAISON_ABI_MINOR;
    host_.ctx = this;
    host_.log = write_log;
    host_.extension = no_extension;
}

LocalInstance::~LocalInstance() {
    if (instance_ == nullptr) return;
    try {
        library_->table().close(instance_);
    } catch (...) {
        if (log_) log_(LIAISON_LOG_ERROR, "threw an exception out of close; ignoring it");
    }
}

void LocalInstance::write_log(void* context, std::uint32_t level, liaison_str text) {
    const auto& self = *static_cast<const LocalInstance*>(context);
    if (!self.log_ || (text.len > 0 && text.ptr == nullptr)) return;
    const std::size_t length = std::min<std::uint64_t>(text.len, max_log_text_bytes);
    self.log_(std::min(level, LIAISON_LOG_ERROR), std::string_view(text.ptr, length));
}

Result<std::shared_ptr<LocalInstance>> LocalInstance::open(std::shared_ptr<const Library> library,
                                                           const std::string& config, Log log) {
    std::shared_ptr<LocalInstance> self(new LocalInstance(std::move(library), std::move(log)));
    try {
        self->instance_ = self->library_->table().open(&self->host_, {config.data(), config.size()});
    } catch (...) { return threw(*self->library_, "open"); }
    if (self->instance_ == nullptr) {
        return fail(ErrorKind::internal,
                    self->library_->name() + " could not open an integration: out of memory");
    }
    return self;
}

Result<std::unique_ptr<LocalJob>> LocalJob::create(std::shared_ptr<LocalInstance> instance, JobKind kind) {
    const Library& library = instance->library();
    liaison_job* job = nullptr;
    try {
        job = library.table().job_create(instance->instance_, static_cast<std::uint32_t>(kind));
    } catch (...) { return threw(library, "job_create"); }
    if (job == nullptr) {
        return fail(ErrorKind::internal,
                    library.name() + " does not offer " + std::string(to_string(kind)) + " jobs");
    }
    return std::unique_ptr<LocalJob>(new LocalJob(std::move(instance), job));
}

LocalJob::~LocalJob() {
    try {
        instance_->library().table().job_destroy(job_);
    } catch (...) {
        if (instance_->log_)
            instance_->log_(LIAISON_LOG_ERROR, "threw an exception out of job_destroy; ignoring it");
    }
}

Result<Effect> LocalJob::step(const Event& event) {
    const Library& library = instance_->library();
    if (over_) return fail(ErrorKind::internal, "a job of " + library.name() + " was stepped after its end");
    const EventView view(event);
    const liaison_effect* raw = nullptr;
    try {
        raw = library.table().step(job_, view.get());
    } catch (...) {
        over_ = true;
        return threw(library, "step");
    }
    Result<Effect> effect = read_effect(raw, library.name());
    over_ =
        !effect || std::holds_alternative<DoneEffect>(*effect) || std::holds_alternative<FailEffect>(*effect);
    return effect;
}

}  // namespace liaisond::plugin
