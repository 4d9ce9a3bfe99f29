#include "sync/import_job.hpp"

#include <algorithm>

#include "base/fault_point.hpp"

namespace liaisond::sync {
namespace {

// A page is decided anew when somebody else changed one of its records meanwhile.
constexpr int attempts_per_page = 5;

}  // namespace

ImportJob::ImportJob(const Ports& ports, Fibers& fibers, Requester& requester, RunControl& control,
                     const CanonicalSchemas& schemas, std::string entity, std::function<void()> on_change)
    : ports_(ports),
      fibers_(fibers),
      requester_(requester),
      control_(control),
      schemas_(schemas),
      entity_(std::move(entity)),
      on_change_(std::move(on_change)) {}

Task<Status> ImportJob::run() {
    Result<std::string> cursor = co_await load_cursor();
    if (!cursor) co_return fail(cursor.error());
    LIAISON_FAULT_POINT("import.start");
    plugin::StartEvent start;
    start.entity = entity_;
    start.cursor = std::move(*cursor);
    start.full = control_.full;
    start.page_size = control_.link->config.page_size;
    start.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
    ports_.random.fill(start.seed);
    JobPump pump(ports_, requester_, control_);
    Result<std::string> output = co_await pump.run(plugin::JobKind::pull, std::move(start), *this);
    LIAISON_FAULT_POINT("import.end");
    const Status flushed = co_await flush(output.has_value());
    if (!flushed) co_return fail(flushed.error());
    if (!output) co_return fail(output.error());
    co_return Status();
}

// A pipelined page is answered at once and decided beside the connector, which fetches and reads the next one
// meanwhile. Its rejections become dead letters and are not reported to the connector.
Task<Result<plugin::EmittedEvent>> ImportJob::on_emit(plugin::EmitEffect&& emit) {
    LIAISON_FAULT_POINT("import.emit");
    // Between pages nothing is half done: here a run that should end, ends.
    if (control_.stop != Stop::none) co_return control_.stopped();
    Status before = co_await settle();
    if (!before) co_return fail(before.error());
    plugin::EmittedEvent answer;
    if (emit.pipelined) {
        accepted_ = std::make_shared<Deferred<Status>>(ports_.timers);
        auto beside = take_in_beside(std::make_shared<plugin::EmitEffect>(std::move(emit)), accepted_);
        fibers_.spawn(std::move(beside));
        co_return answer;
    }
    Status taken = co_await take_in(emit, false, answer.rejections);
    if (!taken) co_return fail(taken.error());
    co_return answer;
}

Task<void> ImportJob::take_in_beside(std::shared_ptr<plugin::EmitEffect> emit, Pending decided) {
    std::vector<plugin::Rejection> rejections;
    Status taken = co_await take_in(*emit, true, rejections);
    decided->set(std::move(taken));
}

Task<Status> ImportJob::take_in(const plugin::EmitEffect& emit, bool may_lag,
                                std::vector<plugin::Rejection>& rejections) {
    for (int attempt = 1;; ++attempt) {
        ImportPlan plan(schemas_, entity_, emit.records);
        Status decided = co_await decide(plan);
        if (!decided) co_return fail(decided.error());
        LIAISON_FAULT_POINT("import.decided");
        store::ImportPage page = plan.page(ports_.clock.now(), ports_.random);
        Status before = co_await drain();
        if (!before) co_return fail(before.error());
        if (!emit.cursor.empty()) held_cursor_ = emit.cursor;
        const bool news = !page.writes.empty() || !page.dead_letters.empty();
        if (news) start_commit(std::move(page));
        Status durable;
        if (!may_lag) durable = co_await drain();
        if (!durable && durable.error().code == "stale" && attempt < attempts_per_page) continue;
        if (!durable) co_return fail(durable.error());
        count(plan.counters());
        rejections = plan.rejections();
        co_return Status();
    }
}

// Waits until the accepted page is decided; its commit may still be in flight.
Task<Status> ImportJob::settle() {
    if (!accepted_) co_return Status();
    Status status = co_await Deferred<Status>::wait(accepted_);
    accepted_.reset();
    co_return status;
}

// Leaves nothing under way: what was accepted is decided, what was decided durable, and with it the cursor of
// pages that brought no news.
Task<Status> ImportJob::flush(bool with_cursor) {
    const Status settled = co_await settle();
    Status drained = co_await drain();
    if (!settled) co_return fail(settled.error());
    if (drained && with_cursor && held_cursor_) {
        LIAISON_FAULT_POINT("import.before_cursor");
        start_commit({});
        drained = co_await drain();
    }
    co_return drained;
}

Task<Status> ImportJob::decide(ImportPlan& plan) {
    const auto& keys = plan.keys();
    if (std::any_of(keys.begin(), keys.end(),
                    [&](const store::ImportKey& key) { return meets_creation(entity_, key.external_id); })) {
        Status settled = co_await drain();
        if (!settled) co_return fail(settled.error());
    }
    Result<std::vector<store::ImportState>> states = co_await look_up(plan.keys());
    if (!states) co_return fail(states.error());
    plan.know(std::move(*states));
    for (std::size_t i = 0; i < plan.wanted().size(); ++i) {
        const ImportPlan::Wanted& wanted = plan.wanted()[i];
        if (std::any_of(wanted.external_ids.begin(), wanted.external_ids.end(),
                        [&](const std::string& id) { return meets_creation(wanted.entity, id); })) {
            Status settled = co_await drain();
            if (!settled) co_return fail(settled.error());
        }
        Result<std::vector<std::string>> records = co_await records_of(plan.wanted()[i]);
        if (!records) co_return fail(records.error());
        plan.resolve(i, *records);
    }
    co_return Status();
}

bool ImportJob::meets_creation(const std::string& entity, const std::string& external_id) const {
    return !creating_.empty() && creating_.contains(entity + '\n' + external_id);
}

void ImportJob::start_commit(store::ImportPage page) {
    page.tenant = control_.link->tenant.id;
    page.integration = control_.link->config.id;
    page.entity = entity_;
    page.run = control_.run.id;
    page.at = ports_.clock.now();
    for (store::DeadLetter& letter : page.dead_letters) {
        letter.integration = page.integration;
        letter.run = page.run;
        letter.last_at = page.at;
    }
    if (held_cursor_) {
        page.cursor = std::move(*held_cursor_);
        page.has_cursor = true;
        held_cursor_.reset();
    }
    const bool changes = std::any_of(page.writes.begin(), page.writes.end(),
                                     [](const store::ImportWrite& w) { return w.change.has_value(); });
    for (const store::ImportWrite& write : page.writes) {
        if (write.rid == 0)
            creating_.insert((write.entity.empty() ? entity_ : write.entity) + '\n' + write.external_id);
    }
    LIAISON_FAULT_POINT("import.before_page");
    in_flight_ = std::make_shared<Deferred<Status>>(ports_.timers);
    auto shared = std::make_shared<store::ImportPage>(std::move(page));
    ports_.store.write([shared](store::Database& database) { return database.commit_page(*shared); },
                       [flight = in_flight_, changes, notify = on_change_](Status status) {
                           LIAISON_FAULT_POINT("import.page_answered");
                           if (status && changes) notify();
                           flight->set(std::move(status));
                       });
    LIAISON_FAULT_POINT("import.page_enqueued");
}

// Waits for the commit in flight, if there is one.
Task<Status> ImportJob::drain() {
    if (!in_flight_) co_return Status();
    Status status = co_await Deferred<Status>::wait(in_flight_);
    in_flight_.reset();
    creating_.clear();
    co_return status;
}

void ImportJob::count(const store::Counters& counters) {
    control_.counters(entity_, store::Direction::import).counters += counters;
}

Task<Status> ImportJob::on_result(plugin::ResultEffect&&) {
    const int local = 0;
    (void)local;
    co_return fail(ErrorKind::internal,
                   "the connector reported results in a pull job, where there is nothing to report on");
}

// The vendor must not be told that we have something which a crash could still take away.
Task<Status> ImportJob::before_mutation() {
    Status status = co_await flush(true);
    co_return status;
}

Await<Result<std::string>> ImportJob::load_cursor() {
    return Await<Result<std::string>>([this](Completion<Result<std::string>> done) {
        ports_.store.read([integration = control_.link->config.id, entity = entity_](
                              store::Database& database) { return database.cursor(integration, entity); },
                          std::move(done));
    });
}

Await<Result<std::vector<store::ImportState>>> ImportJob::look_up(const std::vector<store::ImportKey>& keys) {
    using Answer = Result<std::vector<store::ImportState>>;
    return Await<Answer>([this, &keys](Completion<Answer> done) {
        ports_.store.read(
            [integration = control_.link->config.id, entity = entity_, &keys](store::Database& database) {
                return database.look_up(integration, entity, keys);
            },
            std::move(done));
    });
}

Await<Result<std::vector<std::string>>> ImportJob::records_of(const ImportPlan::Wanted& wanted) {
    using Answer = Result<std::vector<std::string>>;
    return Await<Answer>([this, &wanted](Completion<Answer> done) {
        ports_.store.read(
            [integration = control_.link->config.id, &wanted](store::Database& database) {
                return database.records_of(integration, wanted.entity, wanted.external_ids);
            },
            std::move(done));
    });
}

}  // namespace liaisond::sync
