#include "sync/export_batch.hpp"

#include "base/fault_point.hpp"
#include "sync/dry_run.hpp"
#include "sync/export_plan.hpp"
#include "sync/export_verdict.hpp"

namespace liaisond::sync {

ExportBatch::ExportBatch(const Ports& ports, Requester& requester, RunControl& control, std::string entity,
                         std::vector<store::Intent> intents)
    : ports_(ports), requester_(requester), control_(control), entity_(std::move(entity)) {
    for (store::Intent& intent : intents) items_.push_back({std::move(intent), std::nullopt, false});
}

Task<Status> ExportBatch::push(std::vector<store::Outcome>& outcomes) {
    plugin::StartEvent start;
    for (const Item& item : items_) {
        plugin::Record& record = start.records.emplace_back();
        record.deleted = item.intent.deleted;
        record.key = item.intent.external_id;
        record.version = item.intent.remote_version;
        record.payload = item.intent.payload;
        record.reference = item.intent.external_id.empty() && !item.intent.deleted
                               ? item.intent.op_key
                               : reference_of(*control_.link, entity_, item.intent.record);
    }
    if (control_.dry_run) {
        for (const Item& item : items_) control_.dry_run->pushes(item.intent);
    }
    Result<std::string> job = co_await run_job(plugin::JobKind::push, std::move(start));
    // A connector may end its job when writes are held back: what it would do with the rest is known anyway.
    const bool planned = control_.dry_run && control_.dry_run->has_held();
    const Status ended = job || planned ? Status() : Status(fail(job.error()));
    const ExportVerdict verdict(*control_.link, ports_.clock.now(), ports_.random);
    for (const Item& item : items_)
        outcomes.push_back(verdict.of_push(item.intent, item.result, item.sent, ended));
    co_return ended;
}

Task<Status> ExportBatch::search(std::vector<store::Outcome>& outcomes,
                                 std::vector<store::Intent>& send_again) {
    plugin::StartEvent start;
    for (const Item& item : items_) {
        // Only a create leaves its key at the vendor; what is there already is asked for by its id.
        const store::Intent& intent = item.intent;
        start.queries.push_back(
            {intent.external_id.empty() ? intent.op_key : std::string(), intent.external_id, intent.payload});
    }
    Result<std::string> job = co_await run_job(plugin::JobKind::find, std::move(start));
    const Status ended = job ? Status() : Status(fail(job.error()));
    const ExportVerdict verdict(*control_.link, ports_.clock.now(), ports_.random);
    for (Item& item : items_) {
        const bool found = item.result && item.result->outcome == LIAISON_OUTCOME_FOUND;
        if (found && !item.intent.external_id.empty()) {
            item.intent.remote_version = item.result->version;
            send_again.push_back(std::move(item.intent));
            continue;
        }
        std::optional<store::Outcome> outcome = verdict.of_search(item.intent, item.result, ended);
        if (outcome)
            outcomes.push_back(std::move(*outcome));
        else
            send_again.push_back(std::move(item.intent));
    }
    co_return ended;
}

Task<Result<std::string>> ExportBatch::run_job(plugin::JobKind kind, plugin::StartEvent&& start) {
    plugin::StartEvent event = std::move(start);
    event.entity = entity_;
    event.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
    ports_.random.fill(event.seed);
    JobPump pump(ports_, requester_, control_);
    Result<std::string> output = co_await pump.run(kind, std::move(event), *this);
    co_return output;
}

Task<Result<plugin::EmittedEvent>> ExportBatch::on_emit(plugin::EmitEffect&&) {
    const int local = 0;
    (void)local;
    co_return fail(ErrorKind::internal, "the connector emitted records in a push or find job");
}

Task<Status> ExportBatch::on_result(plugin::ResultEffect&& effect) {
    LIAISON_FAULT_POINT("export.result");
    for (plugin::PushResult& result : effect.results) {
        if (result.index >= items_.size())
            co_return fail(ErrorKind::internal, "the connector reported on record number " +
                                                    std::to_string(result.index) + " of " +
                                                    std::to_string(items_.size()));
        items_[result.index].result = std::move(result);
    }
    co_return Status();
}

Task<Status> ExportBatch::before_mutation() {
    const int local = 0;
    (void)local;
    co_return Status();  // the intents are durable since before the job began
}

// A write that names no record may concern any of them.
void ExportBatch::on_write(const plugin::Request& request, Requester::Write what) {
    const std::int32_t record_index = request.record_index;
    if (what == Requester::Write::held) {
        const bool named = record_index >= 0 && static_cast<std::size_t>(record_index) < items_.size();
        const store::Intent* intent =
            named ? &items_[static_cast<std::size_t>(record_index)].intent : nullptr;
        return control_.dry_run->hold(entity_, intent, request);
    }
    for (std::size_t i = 0; i < items_.size(); ++i) {
        if (record_index < 0 || static_cast<std::size_t>(record_index) == i) items_[i].sent = true;
    }
}

}  // namespace liaisond::sync
