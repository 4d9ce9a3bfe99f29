#include "sync/import_job.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "sync/dry_run.hpp"
#include "sync/recognition.hpp"
#include "sync/record_order.hpp"

#include "base/fault_point.hpp"

namespace liaisond::sync {
namespace {

// A page is decided anew when somebody else changed one of its records meanwhile.
constexpr int attempts_per_page = 5;

std::int64_t deletes_in(const store::ImportPage& page) {
    return std::count_if(page.writes.begin(), page.writes.end(), [](const store::ImportWrite& write) {
        return write.change == store::Action::deleted;
    });
}

// Places of the records, in pages in which each key is there once: its oldest state in the first one.
std::vector<std::vector<std::size_t>> in_order(const std::vector<plugin::Record>& records) {
    std::map<std::string_view, std::vector<std::size_t>> by_key;
    for (std::size_t i = 0; i < records.size(); ++i) by_key[records[i].key].push_back(i);
    std::vector<std::vector<std::size_t>> pages;
    for (auto& [key, places] : by_key) {
        // No stable_sort: where some states cannot be compared, the order is no strict weak one.
        for (std::size_t i = 1; i < places.size(); ++i) {
            for (std::size_t k = i; k > 0; --k) {
                const plugin::Record &one = records[places[k]], &before = records[places[k - 1]];
                if (!is_older({one.changed_ms, one.version}, {before.changed_ms, before.version})) break;
                std::swap(places[k], places[k - 1]);
            }
        }
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (pages.size() == i) pages.emplace_back();
            pages[i].push_back(places[i]);
        }
    }
    return pages;
}

}  // namespace

ImportJob::ImportJob(const Ports& ports, Fibers& fibers, Requester& requester, RunControl& control,
                     const CanonicalSchemas& schemas, const config::Entity& entity,
                     std::function<void()> on_change)
    : ports_(ports),
      fibers_(fibers),
      requester_(requester),
      control_(control),
      schemas_(schemas),
      entity_(entity),
      on_change_(std::move(on_change)) {}

Task<Status> ImportJob::run() {
    Status recognisable = co_await prepare_recognition();
    if (!recognisable) co_return fail(recognisable.error());
    if (!control_.replay.empty()) {
        Status replayed = co_await replay();
        co_return replayed;
    }
    Status pulled = co_await pull();
    if (!pulled) co_return fail(pulled.error());
    if (held_deletes_ > 0) co_return stopped_by_brake();
    Status buried = co_await bury_absent();
    if (!buried) co_return fail(buried.error());
    if (held_deletes_ > 0) co_return stopped_by_brake();
    Status noted = co_await note_read_through();
    co_return noted;
}

Task<Status> ImportJob::pull() {
    Result<std::string> cursor = co_await load_cursor();
    if (!cursor) co_return fail(cursor.error());
    LIAISON_FAULT_POINT("import.start");
    began_ = ports_.clock.now();
    plugin::StartEvent start;
    start.entity = entity_.name;
    start.cursor = std::move(*cursor);
    start.full = control_.full;
    if (control_.full && control_.link->complete_listings.contains(entity_.name)) {
        // What it does not show is gone: it has to be seen from its beginning.
        start.cursor.clear();
        listed_.emplace();
    }
    if (control_.lane == store::Lane::backfill) {
        start.from_ms = to_unix_ms(control_.from);
        start.to_ms = to_unix_ms(control_.to);
    }
    start.page_size = control_.link->config.page_size;
    start.deadline_ms = to_unix_ms(ports_.clock.now() + control_.link->config.timeouts.run);
    ports_.random.fill(start.seed);
    JobPump pump(ports_, requester_, control_);
    Result<std::string> output = co_await pump.run(plugin::JobKind::pull, std::move(start), *this);
    LIAISON_FAULT_POINT("import.end");
    const Status flushed = co_await flush(output.has_value());
    if (!flushed) co_return fail(flushed.error());
    // A connector that acknowledges may end its job when the acknowledgement is held back.
    const bool planned = control_.dry_run && control_.dry_run->has_held();
    if (!output && !planned) co_return fail(output.error());
    co_return Status();
}

// Records that were refused, as they were kept or as a person corrected them.
Task<Status> ImportJob::replay() {
    Result<std::vector<store::DeadLetter>> letters = co_await load_letters();
    if (!letters) co_return fail(letters.error());
    auto page = std::make_shared<plugin::EmitEffect>();
    for (store::DeadLetter& letter : *letters) {
        plugin::Record& record = page->records.emplace_back();
        record.key = std::move(letter.key);
        record.payload = std::move(letter.payload);
    }
    Status taken = co_await take_in(std::move(page), false);
    co_return taken;
}

Await<Result<std::vector<store::DeadLetter>>> ImportJob::load_letters() {
    using Answer = Result<std::vector<store::DeadLetter>>;
    return Await<Answer>([this](Completion<Answer> done) {
        const auto work = [id = control_.link->config.id, entity = entity_.name,
                           wanted = control_.replay](store::Database& database) -> Answer {
            std::vector<store::DeadLetter> letters;
            for (const std::int64_t number : wanted) {
                auto letter = database.dead_letter(number);
                if (!letter) return fail(letter.error());
                const bool mine = *letter && (*letter)->integration == id && (*letter)->entity == entity &&
                                  (*letter)->direction == store::Direction::import;
                if (mine) letters.push_back(std::move(**letter));
            }
            return letters;
        };
        ports_.store.read(work, std::move(done));
    });
}

// A key that comes several times comes in several pages: each state of the record builds on the one before.
Task<Result<std::vector<plugin::Rejection>>> ImportJob::take(std::vector<plugin::Record> records) {
    if (!std::exchange(recognisable_, true)) {
        Status recognisable = co_await prepare_recognition();
        if (!recognisable) co_return fail(recognisable.error());
    }
    std::vector<plugin::Rejection> refused;
    for (const std::vector<std::size_t>& places : in_order(records)) {
        auto page = std::make_shared<plugin::EmitEffect>();
        for (const std::size_t place : places) page->records.push_back(std::move(records[place]));
        Status taken = co_await take_in(std::move(page), false);
        if (!taken) co_return fail(taken.error());
        if (held_deletes_ > 0) co_return fail(stopped_by_brake().error());
        for (plugin::Rejection& one : rejections_) {
            const auto place = static_cast<std::uint32_t>(places[one.index]);
            refused.emplace_back(plugin::Rejection{place, std::move(one.text), one.lost});
        }
    }
    co_return std::move(refused);
}

// A pipelined page is answered at once and decided beside the connector, which fetches and reads the next one
// meanwhile. Its rejections become dead letters and are not reported to the connector.
Task<Result<plugin::EmittedEvent>> ImportJob::on_emit(plugin::EmitEffect&& emit) {
    LIAISON_FAULT_POINT("import.emit");
    // Between pages nothing is half done: here a run that should end, ends.
    if (control_.stop != Stop::none) co_return control_.stopped();
    Status before = co_await settle();
    if (!before) co_return fail(before.error());
    if (listed_) {
        for (const plugin::Record& record : emit.records) {
            if (!record.deleted) listed_->insert(key_hash(record.key));
        }
    }
    plugin::EmittedEvent answer;
    const bool pipelined = emit.pipelined;
    Page page = std::make_shared<plugin::EmitEffect>(std::move(emit));
    if (pipelined) {
        accepted_ = std::make_shared<Deferred<Status>>(ports_.timers);
        auto beside = take_in_beside(std::move(page), accepted_);
        fibers_.spawn(std::move(beside));
        co_return answer;
    }
    Status taken = co_await take_in(std::move(page), false);
    if (!taken) co_return fail(taken.error());
    answer.rejections = std::move(rejections_);
    co_return answer;
}

Task<void> ImportJob::take_in_beside(Page page, Pending decided) {
    Status taken = co_await take_in(std::move(page), true);
    decided->set(std::move(taken));
}

Task<Status> ImportJob::take_in(Page page, bool may_lag) {
    Status taken = co_await put(std::move(page));
    if (taken && !may_lag) taken = co_await drain();
    co_return taken;
}

// Decides a page and begins to write it. A brake that is on leaves it out.
Task<Status> ImportJob::put(Page page) {
    ImportPlan plan(schemas_, *control_.link, entity_, page->records);
    switch (control_.lane) {
        case store::Lane::backfill: plan.spare_since(began_); break;
        // What an event brought meanwhile may be newer than what this page shows.
        case store::Lane::live: plan.mind_order(began_); break;
        case store::Lane::events: plan.mind_order_of_events(); break;
    }
    Status decided = co_await decide(plan);
    if (!decided) co_return fail(decided.error());
    LIAISON_FAULT_POINT("import.decided");
    store::ImportPage rows = plan.page(ports_.clock.now(), ports_.random);
    Status before = co_await drain();
    if (!before) co_return fail(before.error());
    Status braked = co_await brake(deletes_in(rows));
    if (!braked) co_return fail(braked.error());
    if (held_deletes_ > 0) co_return Status();
    if (!page->cursor.empty()) held_cursor_ = page->cursor;
    rejections_ = plan.rejections();
    const bool news = !rows.writes.empty() || !rows.versions.empty() || !rows.dead_letters.empty() ||
                      !rows.conflicts.empty() || !rows.gone.empty();
    if (news)
        start_commit(std::move(rows), std::move(page), plan.counters());
    else
        count(plan.counters());
    co_return Status();
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
        start_commit({}, nullptr, {});
        drained = co_await drain();
    }
    co_return drained;
}

Task<Status> ImportJob::decide(ImportPlan& plan) {
    const auto& keys = plan.keys();
    if (std::any_of(keys.begin(), keys.end(), [&](const store::ImportKey& key) {
            return is_being_written(entity_.name, key.external_id);
        })) {
        Status settled = co_await drain();
        if (!settled) co_return fail(settled.error());
    }
    Result<std::vector<store::ImportState>> states = co_await look_up(plan.keys());
    if (!states) co_return fail(states.error());
    const bool strangers = std::any_of(states->begin(), states->end(), [](const store::ImportState& state) {
        return !state.mapped || state.created_by != 0;
    });
    if (strangers && control_.exports != nullptr && control_.exports->is_exporting(entity_.name)) {
        Status quiet = co_await wait_for_exports();
        if (!quiet) co_return fail(quiet.error());
        states = co_await look_up(plan.keys());
        if (!states) co_return fail(states.error());
    }
    plan.know(std::move(*states));
    for (std::size_t i = 0; i < plan.wanted().size(); ++i) {
        const ImportPlan::Wanted& wanted = plan.wanted()[i];
        if (std::any_of(wanted.external_ids.begin(), wanted.external_ids.end(),
                        [&](const std::string& id) { return is_being_written(wanted.entity, id); })) {
            Status settled = co_await drain();
            if (!settled) co_return fail(settled.error());
        }
        Result<std::vector<std::string>> records = co_await records_of(plan.wanted()[i]);
        if (!records) co_return fail(records.error());
        plan.resolve(i, *records);
    }
    if (plan.questions().empty()) co_return Status();
    // The page before may have brought, or taken, what this one is about to recognise.
    Status settled = co_await drain();
    if (!settled) co_return fail(settled.error());
    Result<std::vector<store::Recognised>> known = co_await recognise(plan);
    if (!known) co_return fail(known.error());
    plan.recognise(std::move(*known));
    co_return Status();
}

// A record nobody knows may be one that the live lane has just created there: its answer tells.
Task<Status> ImportJob::wait_for_exports() {
    while (control_.stop == Stop::none && control_.exports->is_exporting(entity_.name)) {
        co_await control_.exports->change(ports_.timers);
    }
    if (control_.stop != Stop::none) co_return control_.stopped();
    co_return Status();
}

bool ImportJob::is_being_written(const std::string& entity, const std::string& external_id) const {
    return !writing_.empty() && writing_.contains(entity + '\n' + external_id);
}

void ImportJob::start_commit(store::ImportPage rows, Page page, const store::Counters& counters) {
    Flight flight{std::make_shared<Deferred<Status>>(ports_.timers), std::move(page), held_cursor_, counters};
    rows.tenant = control_.link->tenant.id;
    rows.integration = control_.link->config.id;
    rows.entity = entity_.name;
    rows.lane = control_.lane;
    rows.run = control_.run.id;
    rows.at = ports_.clock.now();
    for (store::DeadLetter& letter : rows.dead_letters) {
        letter.integration = rows.integration;
        letter.run = rows.run;
        letter.last_at = rows.at;
    }
    for (store::LogEntry& entry : rows.notes) {
        entry.integration = rows.integration;
        entry.run = rows.run;
    }
    if (held_cursor_) {
        rows.cursor = std::move(*held_cursor_);
        rows.has_cursor = true;
        held_cursor_.reset();
    }
    const bool changes = std::any_of(rows.writes.begin(), rows.writes.end(),
                                     [](const store::ImportWrite& w) { return w.change.has_value(); });
    for (const store::ImportWrite& write : rows.writes) {
        writing_.insert((write.entity.empty() ? entity_.name : write.entity) + '\n' + write.external_id);
    }
    for (const store::NewVersion& one : rows.versions) writing_.insert(entity_.name + '\n' + one.external_id);
    LIAISON_FAULT_POINT("import.before_page");
    auto shared = std::make_shared<store::ImportPage>(std::move(rows));
    ports_.store.write([shared](store::Database& database) { return database.commit_page(*shared); },
                       [done = flight.done, changes, notify = on_change_](Status status) {
                           LIAISON_FAULT_POINT("import.page_answered");
                           if (status && changes) notify();
                           done->set(std::move(status));
                       });
    in_flight_ = std::move(flight);
    LIAISON_FAULT_POINT("import.page_enqueued");
}

// Waits for the commit in flight, if there is one. A page that was decided on what somebody else has changed
// meanwhile left nothing behind, its cursor neither: it is decided anew.
Task<Status> ImportJob::drain() {
    for (int attempt = 1; in_flight_; ++attempt) {
        Status status = co_await Deferred<Status>::wait(in_flight_->done);
        Flight flight = std::move(*in_flight_);
        in_flight_.reset();
        writing_.clear();
        if (status) {
            count(flight.counters);
            co_return status;
        }
        if (status.error().code != "stale" || !flight.page || attempt == attempts_per_page) co_return status;
        held_cursor_ = std::move(flight.cursor);
        Status again = co_await put(std::move(flight.page));
        if (!again) co_return again;
    }
    co_return Status();
}

void ImportJob::count(const store::Counters& counters) {
    control_.counters(entity_.name, store::Direction::import).counters += counters;
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

void ImportJob::on_write(const plugin::Request& request, Requester::Write what) {
    if (what == Requester::Write::held) control_.dry_run->hold(entity_.name, nullptr, request);
}

Await<Result<std::string>> ImportJob::load_cursor() {
    return Await<Result<std::string>>([this](Completion<Result<std::string>> done) {
        ports_.store.read(
            [integration = control_.link->config.id, entity = entity_.name, lane = control_.lane](
                store::Database& database) { return database.cursor(integration, entity, lane); },
            std::move(done));
    });
}

Await<Result<std::vector<store::ImportState>>> ImportJob::look_up(const std::vector<store::ImportKey>& keys) {
    using Answer = Result<std::vector<store::ImportState>>;
    return Await<Answer>([this, &keys](Completion<Answer> done) {
        ports_.store.read(
            [integration = control_.link->config.id, entity = entity_.name,
             &keys](store::Database& database) { return database.look_up(integration, entity, keys); },
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

Await<Result<std::vector<store::Recognised>>> ImportJob::recognise(const ImportPlan& plan) {
    using Answer = Result<std::vector<store::Recognised>>;
    return Await<Answer>([this, &plan](Completion<Answer> done) {
        ports_.store.read(
            [link = control_.link, entity = entity_.name, &plan](store::Database& database) {
                return database.recognise(link->config.id, link->tenant.id, entity, plan.questions());
            },
            std::move(done));
    });
}

}  // namespace liaisond::sync
