// Upkeep in virtual time: backups by the clock of the house, what is let go of, and what it finds wrong.
#include "sync/upkeep.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/json/parse.hpp>

#include "records/canonical_schemas.hpp"
#include "store/sqlite.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

class FakePremises final : public sync::Premises {
  public:
    explicit FakePremises(World& world) : world_(world) {}
    Facts look() override { return facts; }
    void back_up(const config::BackupPlan&, Instant at, Completion<Result<store::Backup>> done) override {
        tried.push_back(format_instant(at).substr(0, 16));
        world_.after(Milliseconds(500), [this, done = std::move(done)] {
            if (!failure.empty()) return done(fail(ErrorKind::transient, failure));
            done(store::Backup());
        });
    }
    void archive(const std::string& day, std::string lines, Completion<Status> done) override {
        if (failure.empty()) archived[day] += lines;
        world_.after(Milliseconds(5), [done = std::move(done), failure = failure] {
            done(failure.empty() ? Status() : Status(fail(ErrorKind::transient, failure)));
        });
    }
    void drop_archives(const std::string& before, Completion<Result<std::int64_t>> done) override {
        dropped = before;
        world_.after(Milliseconds(5), [done = std::move(done)] { done(0); });
    }
    Facts facts;
    std::string failure, dropped;
    std::vector<std::string> tried;
    std::map<std::string, std::string> archived;

  private:
    World& world_;
};

class UpkeepTest : public testing::Test {
  protected:
    World world{1};
    SimNetwork network{world, {}};
    TempDir directory;
    std::unique_ptr<SimHouse> house;
    SystemTimeZones zones;
    FakePremises premises{world};
    std::unique_ptr<sync::Upkeep> upkeep;
    config::Upkeep wanted;

    void SetUp() override {
        wanted.timezone = "Europe/Paris";
        wanted.backup.to = "/backups";
        live();
    }
    void live() {
        upkeep.reset();
        house.reset();
        house = std::make_unique<SimHouse>(world, network, directory.path());
        house->start({});
        const sync::Ports ports{world,   zones,        world,          world,
                                network, house->store, house->runtime, house->secrets};
        upkeep = std::make_unique<sync::Upkeep>(ports, house->engine->alerts(), premises);
        upkeep->configure(wanted);
        pass(Milliseconds(20));
        upkeep->start([](const Status&) {});
        pass(Milliseconds(20));
    }
    void TearDown() override {
        world.forget();
        upkeep.reset();
    }
    void pass(Milliseconds time) {
        world.run_until([] { return false; }, time);
    }
    store::Database& database() { return house->store.database(); }
    std::vector<store::Alert> alerts(const std::string& state = "unresolved") {
        store::Filter filter;
        filter.status = state;
        return database().alerts(filter).value();
    }
};

TEST_F(UpkeepTest, BacksUpOnceADayAtTheHousesTime) {
    pass(days(3));  // from 08:00 UTC
    EXPECT_EQ(premises.tried,
              (std::vector<std::string>{"2026-03-02T02:30", "2026-03-03T02:30", "2026-03-04T02:30"}));
    premises.tried.clear();
    live();
    pass(hours(10));
    EXPECT_TRUE(premises.tried.empty()) << "today's is made";
    upkeep.reset();
    house.reset();
    pass(days(2));
    live();
    pass(minutes(1));
    EXPECT_EQ(premises.tried.size(), 1u) << "missed while it was down: at once, once";
}

TEST_F(UpkeepTest, KeepsTheTimeOfDayWhenClocksChange) {
    world.begin_at(*parse_instant("2026-03-28T12:00:00Z"));
    live();
    pass(days(2));
    EXPECT_EQ(premises.tried, (std::vector<std::string>{"2026-03-29T01:30", "2026-03-30T01:30"}));
}

TEST_F(UpkeepTest, AFailedBackupIsAnAlertUntilOneIsMade) {
    premises.failure = "no room in /backups";
    pass(hours(19));
    ASSERT_EQ(alerts().size(), 1u);
    EXPECT_EQ(alerts()[0].kind, "backup_failed");
    EXPECT_EQ(alerts()[0].severity, store::Severity::critical);
    EXPECT_NE(alerts()[0].text.find("no room in /backups"), std::string::npos);
    live();
    EXPECT_EQ(alerts().size(), 1u) << "a restart forgets that there is none";
    premises.failure.clear();
    pass(hours(2));
    EXPECT_TRUE(alerts().empty());
}

TEST_F(UpkeepTest, TheCertificateAndTheDiskAreWatched) {
    premises.facts.certificate = "/etc/liaison/hub.crt";
    premises.facts.certificate_end = world.now() + days(31);
    premises.facts.disk = "/var/lib/liaison";
    premises.facts.disk_bytes = 100'000'000'000;
    premises.facts.free_bytes = 50'000'000'000;
    pass(hours(12));
    EXPECT_TRUE(alerts().empty());
    pass(hours(13));
    ASSERT_EQ(alerts().size(), 1u);
    EXPECT_EQ(alerts()[0].kind, "certificate_expiry");
    EXPECT_EQ(alerts()[0].subject, "/etc/liaison/hub.crt");
    EXPECT_EQ(alerts()[0].severity, store::Severity::warning);
    pass(days(28));
    ASSERT_EQ(alerts().size(), 1u) << "one, however often it is found";
    EXPECT_EQ(alerts()[0].severity, store::Severity::critical);
    premises.facts.certificate_end = world.now() + days(90);
    premises.facts.free_bytes = 80'000'000;
    pass(minutes(16));
    ASSERT_EQ(alerts().size(), 1u);
    EXPECT_EQ(alerts()[0].kind, "disk_low");
    EXPECT_EQ(alerts()[0].severity, store::Severity::critical);
}

// ---- retention ----

class Retention : public UpkeepTest {
  protected:
    std::int64_t add_run(Instant at) {
        store::Run run;
        run.tenant = "house";
        run.integration = "shop";
        run.trigger = "manual";
        run.started = at;
        run.id = database().begin_run(run).value();
        run.status = store::RunStatus::success;
        run.ended = at + minutes(1);
        EXPECT_TRUE(database().save_run(run));
        return run.id;
    }
    void add_letter(std::int64_t run, const std::string& key, Instant at) {
        store::DeadLetter letter;
        letter.run = run;
        letter.integration = "shop";
        letter.entity = "product";
        letter.key = key;
        letter.reason = "invalid_record";
        letter.first_at = letter.last_at = at;
        EXPECT_TRUE(database().add_dead_letters({letter}));
    }
    void add_log(std::int64_t n, Instant at) {
        store::LogEntry entry;
        entry.at = at;
        entry.integration = "shop";
        entry.entity = "product";
        entry.action = "rejected";
        entry.status = "failed";
        entry.message = "number " + std::to_string(n) + ".";
        EXPECT_TRUE(database().add_log(entry));
    }
    void add_event(const std::string& id, Instant at, store::EventState state) {
        store::InboxEvent event;
        event.tenant = "house";
        event.integration = "shop";
        event.event_id = id;
        event.headers = "{\"a\":\"b\"}";
        event.body = "{}";
        event.received = event.next_at = at;
        event.state = state;
        EXPECT_TRUE(database().add_event(event).value());
    }
    std::size_t lines(const std::string& day) {
        const std::string& text = premises.archived[day];
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
};

TEST_F(Retention, RunsGoUnlessSomethingStillNamesThem) {
    const Instant now = world.now();
    for (int i = 0; i < 450; ++i) add_run(now - days(500));
    const std::int64_t named = add_run(now - days(450));
    add_letter(named, "1", now - days(1));
    add_run(now - days(399));
    const std::int64_t latest = add_run(now - days(1));
    pass(days(1));
    store::Filter filter;
    filter.limit = 1000;
    const auto left = database().runs(filter).value();
    ASSERT_EQ(left.size(), 3u);
    EXPECT_EQ(left[0].id, latest);
    EXPECT_EQ(left[2].id, named);
    EXPECT_EQ(database().dead_letters(filter).value().size(), 1u);
    pass(days(180));
    EXPECT_TRUE(database().dead_letters(filter).value().empty());
    EXPECT_EQ(database().runs(filter).value().size(), 1u) << "nothing names it any more; the latest stays";
}

TEST_F(Retention, LogsAreArchivedByDayBeforeTheyGo) {
    const Instant now = world.now();
    for (int i = 0; i < 500; ++i) add_log(i, now - days(10) + minutes(i));
    for (int i = 0; i < 300; ++i) add_log(i, now - days(9) + minutes(i));
    add_log(0, now - days(2));
    pass(days(1));
    EXPECT_EQ(database().old_logs(now + days(9), 1000).value().size(), 1u);
    EXPECT_EQ(lines("2026-02-19"), 500u);
    EXPECT_EQ(lines("2026-02-20"), 300u);
    EXPECT_NE(premises.archived["2026-02-19"].find("number 17."), std::string::npos);
    EXPECT_EQ(premises.dropped, "2025-12-02");
}

TEST_F(Retention, WhatCannotBeArchivedStays) {
    add_log(1, world.now() - days(10));
    premises.failure = "no room";
    pass(days(1));
    EXPECT_EQ(database().old_logs(world.now(), 1000).value().size(), 1u);
    premises.failure.clear();
    pass(hours(1));
    EXPECT_EQ(database().old_logs(world.now(), 1000).value().size(), 0u) << "tried again";
}

TEST_F(Retention, BodiesOfWebhooksGoAndTheirIdsStay) {
    const Instant old = world.now() - days(40);
    add_event("done", old, store::EventState::done);
    add_event("ignored", old, store::EventState::ignored);
    add_event("dead", old, store::EventState::dead);
    add_event("waiting", old, store::EventState::waiting);
    add_event("young", world.now(), store::EventState::done);
    pass(days(1));
    std::map<std::string, std::string> bodies;
    const auto events = database().inbox({}).value();
    for (const store::InboxEvent& one : events) bodies[one.event_id] = one.body;
    EXPECT_EQ(bodies,
              (std::map<std::string, std::string>{
                  {"done", ""}, {"ignored", ""}, {"dead", "{}"}, {"waiting", "{}"}, {"young", "{}"}}));
}

TEST_F(Retention, ForeverIsForever) {
    wanted.retention.runs = wanted.retention.logs = wanted.retention.inbox = wanted.retention.dead_letters =
        Milliseconds(0);
    upkeep->configure(wanted);
    add_run(world.now() - days(5000));
    add_run(world.now());
    add_log(1, world.now() - days(5000));
    pass(days(2));
    EXPECT_EQ(database().runs({}).value().size(), 2u);
    EXPECT_EQ(database().old_logs(world.now(), 10).value().size(), 1u);
}

// ---- personal data ----

class PersonalData : public Retention {
  protected:
    static std::string stay(const std::string& departure) {
        return R"({"status":"checked_out","channel":"direct","arrival_date":"2026-01-01","departure_date":")" +
               departure +
               R"(","booker":{"customer_ref":"7","surname":"Guest","email":"guest@example.org"},"notes":"late",)"
               R"("stays":[{"adults":2,"guests":[{"guest":{"given_name":"G"},"primary":true}]}]})";
    }
    static std::string without(const std::string& departure) {
        return R"({"status":"checked_out","channel":"direct","arrival_date":"2026-01-01","departure_date":")" +
               departure +
               R"(","booker":{"customer_ref":"7"},"stays":[{"adults":2,"guests":[{"guest":{},"primary":true}]}]})";
    }
    std::string record(int n) { return "00000000-0000-7000-8000-00000000000" + std::to_string(n); }
    void edit(int n, const std::string& payload, bool is_new) {
        store::RecordEdit edit;
        edit.tenant = "house";
        edit.entity = "reservation";
        edit.record = record(n);
        edit.payload = payload;
        edit.origin = "reception";
        edit.action = is_new ? store::Action::created : store::Action::updated;
        edit.is_new = is_new;
        edit.version = is_new ? 1 : row(n).version + 1;
        edit.at = world.now();
        ASSERT_TRUE(database().edit_record(edit));
    }
    void link(int n) {
        store::MappingRow mapping;
        mapping.integration = "pms";
        mapping.entity = "reservation";
        mapping.record = record(n);
        mapping.external_id = "R" + std::to_string(n);
        ASSERT_TRUE(database().link_record(mapping, false));
    }
    // Beside the store, in its file.
    void execute(const std::string& sql) { raw().execute(sql); }
    std::string ask(const char* sql) {
        store::Connection& connection = raw();
        store::Statement select = connection.prepare(sql);
        return select.step() ? select.text(0) : "no row";
    }
    store::Connection& raw() {
        if (!raw_) raw_.emplace(directory.path() + "/liaison.db", SQLITE_OPEN_READWRITE);
        return *raw_;
    }
    store::RecordRow row(int n) {
        store::Filter filter;
        filter.entity = "reservation";
        filter.record = record(n);
        return database().records(filter).value().at(0);
    }
    std::size_t changes() {
        store::Filter filter;
        filter.entity = "reservation";
        return database().changes(filter, 0).value().size();
    }

  private:
    std::optional<store::Connection> raw_;
};

TEST_F(PersonalData, OfGuestsGoesAMonthAfterDepartureAndNothingElseDoes) {
    edit(1, stay("2026-01-31"), true);  // over with the 2nd of March
    edit(2, stay("2026-02-01"), true);
    pass(days(1));  // at 04:10 of 2026-03-02 in Paris
    EXPECT_EQ(row(1).payload, stay("2026-01-31")) << "not before its day";
    pass(days(1));
    EXPECT_EQ(row(1).payload, without("2026-01-31"));
    EXPECT_EQ(row(1).version, 2) << "who edits what he has read before is told";
    EXPECT_EQ(row(2).payload, stay("2026-02-01"));
    EXPECT_EQ(changes(), 2u) << "no integration is told";
    pass(days(3));
    EXPECT_EQ(row(1).version, 2) << "once";
    EXPECT_EQ(row(2).payload, without("2026-02-01"));
    edit(1, stay("2026-01-31"), false);
    pass(days(1));
    EXPECT_EQ(row(1).payload, without("2026-01-31")) << "brought again, taken out again";
}

TEST_F(PersonalData, IsTakenFromWhatWasAgreedOnAndRefused) {
    edit(1, stay("2026-01-01"), true);
    link(1);
    execute("UPDATE mappings SET base = '" + stay("2026-01-01") + "', synced_version = 1");
    store::DeadLetter letter;
    letter.run = add_run(world.now());
    letter.integration = "till";
    letter.entity = "reservation";
    letter.direction = store::Direction::export_;
    letter.key = record(1);
    letter.reason = "invalid_record";
    letter.payload = stay("2026-01-01");
    letter.version = 1;
    letter.first_at = letter.last_at = world.now();
    ASSERT_TRUE(database().add_dead_letters({letter}));
    pass(days(1));
    EXPECT_EQ(row(1).version, 2);
    EXPECT_EQ(ask("SELECT base FROM mappings"), without("2026-01-01"));
    EXPECT_EQ(ask("SELECT synced_version FROM mappings"), "2") << "it would be sent";
    EXPECT_EQ(ask("SELECT payload FROM dead_letters"), without("2026-01-01"));
    EXPECT_EQ(ask("SELECT version FROM dead_letters"), "2") << "what was refused would be sent again";
}

TEST_F(PersonalData, IsTakenFromPlans) {
    edit(1, stay("2026-01-01"), true);
    edit(2, stay("2026-02-20"), true);
    store::Plan plan;
    plan.run = add_run(world.now());
    plan.integration = "till";
    plan.at = world.now();
    ASSERT_TRUE(database().begin_plan(plan));
    for (int n = 1; n <= 2; ++n) {
        store::PlanItem item;
        item.n = n;
        item.action = "created";
        item.entity = "reservation";
        item.record = record(n);
        item.fields = R"([{"pointer":"/booker/surname","from":null,"to":"Guest"}])";
        item.requests = R"([{"body":"Guest"}])";
        ASSERT_TRUE(database().add_plan_items(plan.run, {item}));
    }
    pass(days(1));
    EXPECT_EQ(ask("SELECT fields || requests || action FROM plan_items WHERE n = 1"), "[]created");
    EXPECT_EQ(ask("SELECT count(*) FROM plan_items WHERE fields LIKE '%Guest%' AND requests LIKE '%Guest%'"),
              "1")
        << "of the stay that is not over";
}

TEST_F(PersonalData, StaysWhereSomethingIsOpenOrItIsKeptForEver) {
    edit(1, stay("2026-01-01"), true);
    execute(
        "INSERT INTO conflicts(integration, entity, external_id, rid, kind, detail, payload, remote_version, "
        "hash, run, first_at, last_at) SELECT 1, entity, 'x', rid, 'fields', '{}', '', '', x'', 1, 0, 0 "
        "FROM records");
    pass(days(1));
    EXPECT_EQ(row(1).payload, stay("2026-01-01")) << "a person has to decide first";
    execute("DELETE FROM conflicts");
    wanted.retention.reservations = Milliseconds(0);
    upkeep->configure(wanted);
    pass(days(1));
    EXPECT_EQ(row(1).payload, stay("2026-01-01"));
    wanted.retention.reservations = days(30);
    upkeep->configure(wanted);
    pass(days(1));
    EXPECT_EQ(row(1).payload, without("2026-01-01"));
}

// What the rules of taking it out rest on.
TEST(PersonalDataSchemas, TakeNothingThatARecordNeedsOrIsKnownBy) {
    const auto& schemas = records::CanonicalSchemas::embedded();
    int found = 0;
    for (const std::string& name : schemas.names()) {
        const Schema& schema = *schemas.find(name);
        EXPECT_EQ(schema.personal().empty(), schema.over_field().empty()) << name;
        for (const auto& place : schema.personal()) {
            ++found;
            EXPECT_NE(place.back(), "*") << name;
            const std::vector<std::string> owner(place.begin(), place.end() - 1);
            const auto shape = schema.shape(owner);
            ASSERT_TRUE(shape) << name << " has no " << place.back();
            EXPECT_NE(std::find(shape->members.begin(), shape->members.end(), place.back()),
                      shape->members.end())
                << name << " has no " << place.back();
            EXPECT_EQ(std::count(schema.match().begin(), schema.match().end(), place), 0) << name;
        }
    }
    EXPECT_GT(found, 0);
    const Schema& reservation = *schemas.find("reservation");
    EXPECT_TRUE(reservation
                    .check(json::parse(R"({"status":"checked_out","channel":"direct",)"
                                       R"("arrival_date":"2026-01-01","departure_date":"2026-01-02",)"
                                       R"("booker":{},"special_requests":[{"kind":"bed"}],)"
                                       R"("stays":[{"guests":[{"guest":{}}]}]})"))
                    .empty());
}

}  // namespace
}  // namespace liaisond::sync_test
