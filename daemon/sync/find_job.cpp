#include "sync/find_job.hpp"

namespace liaisond::sync {

FindJob::FindJob(const Ports& ports, Requester& requester, RunControl& control)
    : ports_(ports), requester_(requester), control_(control) {}

Task<Result<std::vector<plugin::PushResult>>> FindJob::ask(std::string entity,
                                                           std::vector<plugin::Query> queries) {
    answers_.assign(queries.size(), {});
    plugin::StartEvent start;
    start.entity = std::move(entity);
    start.queries = std::move(queries);
    start.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
    ports_.random.fill(start.seed);
    JobPump pump(ports_, requester_, control_);
    Result<std::string> output = co_await pump.run(plugin::JobKind::find, std::move(start), *this);
    if (!output) co_return fail(output.error());
    co_return std::move(answers_);
}

Task<Result<plugin::EmittedEvent>> FindJob::on_emit(plugin::EmitEffect&&) {
    const int local = 0;
    (void)local;
    co_return fail(ErrorKind::internal, "the connector emitted records in a find job");
}

Task<Status> FindJob::on_result(plugin::ResultEffect&& effect) {
    for (plugin::PushResult& result : effect.results) {
        if (result.index >= answers_.size())
            co_return fail(ErrorKind::internal, "the connector reported on query number " +
                                                    std::to_string(result.index) + " of " +
                                                    std::to_string(answers_.size()));
        answers_[result.index] = std::move(result);
    }
    co_return Status();
}

Task<Status> FindJob::before_mutation() {
    const int local = 0;
    (void)local;
    co_return Status();
}

}  // namespace liaisond::sync
