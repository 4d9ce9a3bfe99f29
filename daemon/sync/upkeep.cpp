#include "sync/upkeep.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/log.hpp"
#include "sync/canonical.hpp"

namespace liaisond::sync {
namespace json = boost::json;
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using store::Severity;

constexpr Milliseconds between_looks = minutes(15), retry_after_failure = hours(1), between_steps{20};
// Rows that one transaction lets go of: few, so that nobody waits for it.
constexpr std::uint32_t step_rows = 200;
constexpr const char* state_kind = "upkeep";

// Of the certificate's end (reliability.md 5.3), and of a disk's room.
constexpr days warn_before(30), warn_again(14), alarm_before(3);
constexpr std::uint64_t least_free = 500'000'000, alarming_free = 100'000'000;  // bytes
constexpr double least_share = 0.05;

bool ever(Instant at) { return to_unix_ms(at) != 0; }

std::string day_of(Instant at) { return format_instant(at).substr(0, 10); }

std::string line_of(const store::LogEntry& e) {
    return json::serialize(json::object{{"id", e.id},
                                        {"run", e.run},
                                        {"at", format_instant(e.at)},
                                        {"integration", e.integration},
                                        {"entity", e.entity},
                                        {"direction", store::to_string(e.direction)},
                                        {"action", e.action},
                                        {"status", e.status},
                                        {"external_id", e.external_id},
                                        {"record", e.record},
                                        {"message", e.message}}) +
           "\n";
}

std::optional<Finding> certificate_finding(const Premises::Facts& facts, Instant now) {
    if (!facts.certificate_end || *facts.certificate_end > now + warn_before) return std::nullopt;
    const auto left = std::chrono::floor<days>(*facts.certificate_end - now);
    const bool is_over = *facts.certificate_end <= now;
    Finding made;
    made.kind = "certificate_expiry";
    made.subject = facts.certificate;
    made.severity = left < alarm_before ? Severity::critical : Severity::warning;
    made.text = "the certificate " + facts.certificate +
                (is_over ? " has expired, on "
                         : " expires in " + std::to_string(left.count()) +
                               (left < warn_again ? " days, soon: on " : " days: on ")) +
                day_of(*facts.certificate_end) + "; renew it and run: liaisonctl reload";
    return made;
}

std::optional<Finding> disk_finding(const Premises::Facts& facts) {
    if (facts.disk_bytes == 0) return std::nullopt;
    const bool is_low = facts.free_bytes < least_free ||
                        static_cast<double>(facts.free_bytes) <
                            least_share * static_cast<double>(std::min(facts.disk_bytes, 20 * least_free));
    if (!is_low) return std::nullopt;
    Finding made;
    made.kind = "disk_low";
    made.subject = facts.disk;
    made.severity = facts.free_bytes < alarming_free ? Severity::critical : Severity::warning;
    made.text = "the disk that holds " + facts.disk + " has only " +
                std::to_string(facts.free_bytes / 1'000'000) +
                " MB left; when it is full nothing can be stored and nothing is sent: make room";
    return made;
}

}  // namespace

Upkeep::Upkeep(const Ports& ports, Alerts& alerts, Premises& premises)
    : ports_(ports), alerts_(alerts), premises_(premises), fibers_(ports.timers) {}

void Upkeep::configure(const config::Upkeep& wanted) {
    wanted_ = wanted;
    look_again();
}

void Upkeep::look_again() {
    if (started_ && !stopped_) look_at_the_house();
}

void Upkeep::start(Completion<Status> done) {
    const auto work = [](store::Database& database) { return database.state(state_kind, ""); };
    ports_.store.read(work, [this, done = std::move(done)](Result<std::string> text) {
        if (!text) return done(fail(text.error()));
        boost::system::error_code error;
        const json::value value = json::parse(*text, error);
        if (!error && value.is_object()) {
            const auto moment = [&](const char* key) {
                const json::value* found = value.get_object().if_contains(key);
                return from_unix_ms(found != nullptr && found->is_int64() ? found->get_int64() : 0);
            };
            kept_.backed_up = moment("backed_up");
            kept_.swept = moment("swept");
            kept_.failed = moment("failed");
            const json::value* failure = value.get_object().if_contains("backup_error");
            if (failure != nullptr && failure->is_string())
                kept_.backup_error = std::string(failure->get_string());
        }
        // What has never been done is due at its next time of day, not in the middle of the first one.
        const Instant now = ports_.clock.now();
        if (!ever(kept_.backed_up) && kept_.backup_error.empty()) kept_.backed_up = now;
        if (!ever(kept_.swept)) kept_.swept = now;
        started_ = true;
        wake();
        done({});
    });
}

void Upkeep::arm() {
    ports_.timers.after(between_looks, [this] { wake(); });
}

void Upkeep::wake() {
    if (stopped_) return;
    arm();
    look_at_the_house();
    if (is_working_) return;
    is_working_ = true;
    auto body = work();
    fibers_.spawn(std::move(body));
}

Task<void> Upkeep::work() {
    const Instant now = ports_.clock.now();
    const bool was_failure = !kept_.backup_error.empty();
    const bool wants_backup =
        !wanted_.backup.to.empty() && (was_failure ? now >= kept_.failed + retry_after_failure
                                                   : is_due(wanted_.backup.at, kept_.backed_up, now));
    Status done;
    if (wants_backup) done = co_await back_up();
    if (!stopped_ && is_due(wanted_.retention.at, kept_.swept, now)) {
        Status swept = co_await sweep();
        if (!swept)
            log(LogLevel::error, "what is no longer kept could not be removed: " + swept.error().message);
    }
    is_working_ = false;
}

// ---- when ----

Instant Upkeep::latest(minutes at, Instant now) const {
    const auto today = std::chrono::floor<days>(ports_.zones.to_local(wanted_.timezone, now));
    const auto on = [&](auto day) {
        return ports_.zones.to_instant(wanted_.timezone, std::chrono::local_time<Milliseconds>(day + at));
    };
    const Instant moment = on(today);
    return moment <= now ? moment : on(today - days(1));
}

// A clock that was wrong and far ahead must not put it off for years.
bool Upkeep::is_due(minutes at, Instant last, Instant now) const {
    return last < latest(at, now) || last > now + hours(1);
}

// ---- backups ----

Task<Status> Upkeep::back_up() {
    const Instant began = ports_.clock.now();
    Result<store::Backup> made = co_await make_backup();
    if (made) {
        kept_.backed_up = began;
        kept_.backup_error.clear();
        log(LogLevel::info, LogEvent::backed_up, "backed up",
            {{"file", made->file.string()}, {"bytes", std::to_string(made->bytes)}});
    } else {
        kept_.failed = began;
        kept_.backup_error = made.error().message;
    }
    look_at_the_house();
    keep();
    if (!made) co_return fail(made.error());
    co_return Status();
}

Await<Result<store::Backup>> Upkeep::make_backup() {
    return Await<Result<store::Backup>>([this](Completion<Result<store::Backup>> done) {
        premises_.back_up(wanted_.backup, ports_.clock.now(), std::move(done));
    });
}

// ---- retention ----

Task<Status> Upkeep::sweep() {
    const Instant began = ports_.clock.now();
    Status done = co_await sweep_logs();
    if (done) done = co_await sweep_rows(&store::Database::sweep_inbox, wanted_.retention.inbox);
    if (done)
        done = co_await sweep_rows(&store::Database::sweep_dead_letters, wanted_.retention.dead_letters);
    // Last: what named them is gone by then.
    if (done) done = co_await sweep_rows(&store::Database::sweep_alerts, wanted_.retention.runs);
    if (done) done = co_await sweep_rows(&store::Database::sweep_runs, wanted_.retention.runs);
    if (done) done = co_await sweep_personal_data("reservation", wanted_.retention.reservations);
    if (done) kept_.swept = began;
    if (done) keep();
    co_return done;
}

Task<Status> Upkeep::sweep_rows(Sweep what, Milliseconds age) {
    if (age.count() == 0) co_return Status();
    const Instant before = ports_.clock.now() - age;
    std::int64_t gone = step_rows;
    while (gone == step_rows && !stopped_) {
        Result<std::int64_t> step = co_await drop(what, before);
        if (!step) co_return fail(step.error());
        gone = *step;
        co_await pause(ports_.timers, between_steps);
    }
    co_return Status();
}

// Days of departure are those of the house.
Task<Status> Upkeep::sweep_personal_data(const std::string& entity, Milliseconds age) {
    if (age.count() == 0) co_return Status();
    const Instant before = ports_.clock.now() - age;
    std::int64_t erased = 0;
    store::Rid after = 0;
    while (!stopped_) {
        Result<std::vector<store::Rid>> over = co_await records_over(entity, before, after);
        if (!over) co_return fail(over.error());
        if (over->empty()) break;
        after = over->back();
        Result<std::int64_t> step = co_await erase(entity, *over);
        if (!step) co_return fail(step.error());
        erased += *step;
        co_await pause(ports_.timers, between_steps);
    }
    if (erased > 0) {
        log(LogLevel::info, LogEvent::personal_data_removed,
            "took the personal data out of records whose time is over",
            {{"entity", entity}, {"records", std::to_string(erased)}});
    }
    co_return Status();
}

Await<Result<std::vector<store::Rid>>> Upkeep::records_over(const std::string& entity, Instant before,
                                                            store::Rid after) {
    using Rids = Result<std::vector<store::Rid>>;
    return Await<Rids>([this, entity, before, after](Completion<Rids> done) {
        const std::string field = CanonicalSchemas::embedded().find(entity)->over_field();
        const Instant local(ports_.zones.to_local(wanted_.timezone, before).time_since_epoch());
        const auto work = [entity, field, day = day_of(local), after](store::Database& database) {
            return database.records_over(entity, field, day, after, step_rows);
        };
        ports_.store.read(work, std::move(done));
    });
}

Await<Result<std::int64_t>> Upkeep::erase(const std::string& entity, std::vector<store::Rid> records) {
    const Schema* const schema = CanonicalSchemas::embedded().find(entity);
    return Await<Result<std::int64_t>>([this, schema, records](Completion<Result<std::int64_t>> done) {
        const auto work = [schema, records](store::Database& database) {
            const auto without = [schema](std::string_view content) {
                return without_personal_data(*schema, content);
            };
            return database.erase_from(records, without);
        };
        ports_.store.write(work, std::move(done));
    });
}

// First into the archive, then out of the store: a crash between leaves a line twice, never none.
Task<Status> Upkeep::sweep_logs() {
    const config::Retention& retention = wanted_.retention;
    const Instant now = ports_.clock.now();
    std::size_t count = retention.logs.count() == 0 ? 0 : step_rows;
    while (count == step_rows && !stopped_) {
        Result<std::vector<store::LogEntry>> rows = co_await old_logs(now - retention.logs);
        if (!rows) co_return fail(rows.error());
        count = rows->size();
        if (rows->empty()) break;
        // Of one day at a time, so that each goes to its file.
        const std::string day = day_of(rows->front().at);
        const auto other = std::find_if(rows->begin(), rows->end(),
                                        [&](const store::LogEntry& one) { return day_of(one.at) != day; });
        if (other != rows->end()) count = step_rows;
        rows->erase(other, rows->end());
        Status kept = co_await archive(*rows);
        if (!kept) co_return kept;
        Result<std::int64_t> dropped = co_await drop_logs(*rows);
        if (!dropped) co_return fail(dropped.error());
        co_await pause(ports_.timers, between_steps);
    }
    if (retention.archive.count() == 0) co_return Status();
    Result<std::int64_t> forgotten = co_await drop_archives(now - retention.archive);
    if (!forgotten) co_return fail(forgotten.error());
    co_return Status();
}

Await<Result<std::int64_t>> Upkeep::drop(Sweep what, Instant before) {
    return Await<Result<std::int64_t>>([this, what, before](Completion<Result<std::int64_t>> done) {
        const auto work = [what, before](store::Database& database) {
            return (database.*what)(before, step_rows);
        };
        ports_.store.write(work, std::move(done));
    });
}

Await<Result<std::vector<store::LogEntry>>> Upkeep::old_logs(Instant before) {
    using Rows = Result<std::vector<store::LogEntry>>;
    return Await<Rows>([this, before](Completion<Rows> done) {
        const auto work = [before](store::Database& database) {
            return database.old_logs(before, step_rows);
        };
        ports_.store.read(work, std::move(done));
    });
}

Await<Status> Upkeep::archive(std::vector<store::LogEntry> rows) {
    std::string lines;
    for (const store::LogEntry& row : rows) lines += line_of(row);
    return Await<Status>([this, day = day_of(rows.front().at), lines](Completion<Status> done) {
        premises_.archive(day, lines, std::move(done));
    });
}

Await<Result<std::int64_t>> Upkeep::drop_logs(const std::vector<store::LogEntry>& rows) {
    std::vector<std::int64_t> ids;
    for (const store::LogEntry& row : rows) ids.push_back(row.id);
    return Await<Result<std::int64_t>>([this, ids](Completion<Result<std::int64_t>> done) {
        const auto work = [ids](store::Database& database) { return database.drop_logs(ids); };
        ports_.store.write(work, std::move(done));
    });
}

Await<Result<std::int64_t>> Upkeep::drop_archives(Instant before) {
    return Await<Result<std::int64_t>>([this, day = day_of(before)](Completion<Result<std::int64_t>> done) {
        premises_.drop_archives(day, std::move(done));
    });
}

// ---- the house ----

void Upkeep::look_at_the_house() {
    const Instant now = ports_.clock.now();
    const Premises::Facts facts = premises_.look();
    std::vector<Finding> found;
    if (auto one = certificate_finding(facts, now)) found.push_back(std::move(*one));
    if (auto one = disk_finding(facts)) found.push_back(std::move(*one));
    for (const Premises::Suspect& one : facts.suspects)
        found.push_back({"plugin_changed", one.path, Severity::warning, one.text});
    if (!kept_.backup_error.empty() && !wanted_.backup.to.empty()) {
        found.push_back(
            {"backup_failed", "", Severity::critical,
             "the backup failed: " + kept_.backup_error +
                 (ever(kept_.backed_up) ? "; the last one is of " + day_of(kept_.backed_up) : "") +
                 "; it is tried again every hour"});
    }
    alerts_.found({}, {}, found, now, false);
}

void Upkeep::keep() {
    const std::string text = json::serialize(json::object{{"backed_up", to_unix_ms(kept_.backed_up)},
                                                          {"swept", to_unix_ms(kept_.swept)},
                                                          {"failed", to_unix_ms(kept_.failed)},
                                                          {"backup_error", kept_.backup_error}});
    ports_.store.write(
        [text](store::Database& database) { return database.save_state(state_kind, "", text); },
        [](const Status& saved) {
            if (!saved)
                log(LogLevel::error,
                    "when the last backup was made could not be stored: " + saved.error().message);
        });
}

}  // namespace liaisond::sync
