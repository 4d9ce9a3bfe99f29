#include "sync/absence_check.hpp"

namespace liaisond::sync {

AbsenceCheck::AbsenceCheck(const Ports& ports, Requester& requester, RunControl& control, std::string entity)
    : ports_(ports), requester_(requester), control_(control), entity_(std::move(entity)) {}

Task<Result<std::vector<std::string>>> AbsenceCheck::not_found(std::vector<std::string> keys) {
    if (!control_.link->can_find) co_return std::move(keys);
    asked_ = std::move(keys);
    gone_.clear();
    plugin::StartEvent start;
    start.entity = entity_;
    for (const std::string& key : asked_) start.queries.push_back({{}, key});
    start.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
    ports_.random.fill(start.seed);
    JobPump pump(ports_, requester_, control_);
    Result<std::string> output = co_await pump.run(plugin::JobKind::find, std::move(start), *this);
    // A connector that is not set up to look for this entity leaves the listing to be believed.
    if (!output && output.error().kind == ErrorKind::config) co_return std::move(asked_);
    if (!output) co_return fail(output.error());
    co_return std::move(gone_);
}

Task<Result<plugin::EmittedEvent>> AbsenceCheck::on_emit(plugin::EmitEffect&&) {
    const int local = 0;
    (void)local;
    co_return fail(ErrorKind::internal, "the connector emitted records in a find job");
}

Task<Status> AbsenceCheck::on_result(plugin::ResultEffect&& effect) {
    for (const plugin::PushResult& result : effect.results) {
        if (result.index >= asked_.size())
            co_return fail(ErrorKind::internal, "the connector reported on query number " +
                                                    std::to_string(result.index) + " of " +
                                                    std::to_string(asked_.size()));
        if (result.outcome == LIAISON_OUTCOME_NOT_FOUND) gone_.push_back(asked_[result.index]);
    }
    co_return Status();
}

Task<Status> AbsenceCheck::before_mutation() {
    const int local = 0;
    (void)local;
    co_return Status();
}

}  // namespace liaisond::sync
