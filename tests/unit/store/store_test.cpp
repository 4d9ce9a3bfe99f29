#include <gtest/gtest.h>
#include <sqlite3.h>
#include <filesystem>
#include <fstream>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/ids.hpp"
#include "base/system.hpp"
#include "store/sqlite_store.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::store {
namespace {

const Instant noon = *parse_instant("2026-03-01T12:00:00Z");

class StoreTest : public testing::Test {
  protected:
    StoreTest()
        : database(
              Database::open(directory.path() + "/liaison.db", Access::write, Durability::normal).value()) {}

    ImportWrite created(const std::string& key, const std::string& payload) {
        ImportWrite write;
        write.external_id = key;
        write.record = uuid_v7(noon, random);
        write.payload = payload;
        write.hash = content_hash(payload);
        write.new_version = write.synced_version = 1;
        write.change = Action::created;
        return write;
    }
    ImportWrite updated(const std::string& key, const std::string& payload) {
        const ImportState state = look_up(key, payload);
        ImportWrite write;
        write.rid = state.rid;
        write.external_id = key;
        write.payload = payload;
        write.expected_version = state.version;
        write.new_version = write.synced_version = state.version + 1;
        write.change = Action::updated;
        return write;
    }
    ImportPage page(std::vector<ImportWrite> writes, const std::string& integration = "shop") {
        ImportPage made;
        made.tenant = "house";
        made.integration = integration;
        made.entity = "product";
        made.run = 1;
        made.at = noon;
        made.writes = std::move(writes);
        return made;
    }
    Status commit(const ImportPage& page) {
        EXPECT_TRUE(database->begin());
        Status status = database->atomically([&] { return database->commit_page(page); });
        EXPECT_TRUE(database->commit());
        return status;
    }
    ImportState look_up(const std::string& key, const std::string& payload, const std::string& version = {}) {
        return database->look_up("shop", "product", {{key, content_hash(payload), version, false, {}}})
            .value()
            .at(0);
    }
    PendingExports pending(std::int64_t after = 0) {
        return database->pending("office", "house", "product", after, 100).value();
    }

    sync_test::TempDir directory;
    SystemRandom random;
    std::unique_ptr<Database> database;
};

TEST_F(StoreTest, StatesAreKeptByKindAndKeyAndForgottenWhenEmpty) {
    EXPECT_TRUE(database->save_state("breaker", "a", "1"));
    EXPECT_TRUE(database->save_state("breaker", "a", "2"));
    EXPECT_TRUE(database->save_state("breaker", "b", "3"));
    EXPECT_TRUE(database->save_state("quota", "a", "4"));
    EXPECT_TRUE(database->save_state("breaker", "b", ""));
    EXPECT_EQ(database->states("breaker").value(), (std::map<std::string, std::string>{{"a", "2"}}));
    EXPECT_EQ(database->states("quota").value(), (std::map<std::string, std::string>{{"a", "4"}}));
    EXPECT_TRUE(database->states("nothing").value().empty());
}

TEST_F(StoreTest, KnowsWhatItHasSeen) {
    ASSERT_TRUE(commit(page({created("1", "{\"a\":1}")})));
    EXPECT_TRUE(look_up("1", "{\"a\":1}").same);
    const ImportState changed = look_up("1", "{\"a\":2}");
    EXPECT_TRUE(changed.mapped);
    EXPECT_FALSE(changed.same);
    EXPECT_EQ(changed.payload, "{\"a\":1}");
    EXPECT_FALSE(look_up("2", "{}").mapped);
}

TEST_F(StoreTest, RecordsAndCursorAreOneTransaction) {
    ImportPage good = page({created("1", "{}")});
    good.cursor = "after-1";
    good.has_cursor = true;
    ASSERT_TRUE(commit(good));
    ImportPage bad = page({created("2", "{}")});
    bad.writes.push_back(created("1", "{}"));  // takes over somebody's external id
    bad.cursor = "after-2";
    bad.has_cursor = true;
    const Status refused = commit(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "stale");
    EXPECT_EQ(database->cursor("shop", "product").value(), "after-1");
    EXPECT_FALSE(look_up("2", "{}").mapped) << "nothing of a refused page may stay";
}

TEST_F(StoreTest, AnUpdateOfAnOldVersionIsStale) {
    ASSERT_TRUE(commit(page({created("1", "{\"a\":1}")})));
    const ImportWrite update = updated("1", "{\"a\":2}");
    ASSERT_TRUE(commit(page({update})));
    EXPECT_FALSE(commit(page({update}))) << "the version has moved on";
}

TEST_F(StoreTest, WhatIsGoneAtTheVendorIsNoLongerInQuestion) {
    ImportPage asked = page({});
    asked.conflicts.push_back({});
    asked.conflicts[0].external_id = "1";
    asked.conflicts[0].kind = ConflictKind::identity;
    asked.dead_letters.push_back({});
    asked.dead_letters[0].integration = "shop";
    asked.dead_letters[0].entity = "product";
    asked.dead_letters[0].key = "2";
    ASSERT_TRUE(commit(asked));
    ASSERT_EQ(database->conflicts({}).value().size(), 1u);
    ASSERT_EQ(database->dead_letters({}).value().size(), 1u);
    ImportPage gone = page({});
    gone.gone = {"1", "2", "3"};
    ASSERT_TRUE(commit(gone));
    EXPECT_TRUE(database->conflicts({}).value().empty());
    EXPECT_TRUE(database->dead_letters({}).value().empty());
}

// Somebody decided, after it was looked up and before the page was written, that it is a record.
TEST_F(StoreTest, WhatIsGoneIsLookedUpAgainWhereItIsMappedByNow) {
    ASSERT_TRUE(commit(page({created("1", "{}")})));
    ImportPage gone = page({});
    gone.gone = {"1"};
    const Status refused = commit(gone);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "stale");
}

// Its newer version was read while it was being refused for the older one: there is no reason to give up.
TEST_F(StoreTest, WhatIsRefusedForAVersionThatIsKnownByNowIsPresentedAgain) {
    ASSERT_TRUE(commit(page({created("1", "{\"a\":1}")})));
    const auto send = [&](const std::string& external_id, const std::string& version, const char* payload) {
        Intent intent;
        intent.op_key = "L" + version;
        intent.rid = look_up("1", "{}").rid;
        intent.external_id = external_id;
        intent.remote_version = version;
        intent.version = look_up("1", "{}").version;
        intent.payload = payload;
        return database->add_intents("office", "product", {intent}, 0).value().at(0);
    };
    Outcome done;
    done.intent = send("", "", "{\"a\":1}");
    done.external_id = "X";
    done.remote_version = "2";
    ASSERT_TRUE(database->settle(1, "office", "product", {done}, noon));
    ASSERT_TRUE(commit(page({updated("1", "{\"a\":2}")})));
    const std::int64_t seen = pending().last_seq;
    ASSERT_TRUE(pending(seen).records.empty());
    Outcome refused;
    refused.intent = send("X", "1", "{\"a\":2}");
    refused.kind = Outcome::Kind::rejected;
    refused.reason = "conflict";
    ASSERT_TRUE(database->settle(1, "office", "product", {refused}, noon));
    EXPECT_TRUE(database->dead_letters({}).value().empty());
    EXPECT_TRUE(database->intents({}).value().empty());
    EXPECT_EQ(pending(seen).records.size(), 1u);
}

TEST_F(StoreTest, TheLastRunIsNoPlanAndNoneOfTheLanesBeside) {
    const auto ran = [&](const std::string& integration, const std::string& trigger, RunStatus status) {
        store::Run run;
        run.tenant = "house";
        run.integration = integration;
        run.trigger = trigger;
        run.started = noon;
        run.id = database->begin_run(run).value();
        run.status = status;
        EXPECT_TRUE(database->save_run(run));
        return run.id;
    };
    EXPECT_FALSE(database->last_run("shop", {}).value());
    const std::int64_t scheduled = ran("shop", "schedule", RunStatus::failed);
    const std::int64_t event = ran("shop", "event", RunStatus::success);
    ran("shop", "manual", RunStatus::planned);
    ran("office", "schedule", RunStatus::success);
    EXPECT_EQ(database->last_run("shop", {}).value()->id, event);
    const auto last = database->last_run("shop", {"event", "backfill"}).value();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->id, scheduled);
    EXPECT_EQ(last->status, RunStatus::failed);
    EXPECT_FALSE(database->last_run("shop", {"event", "schedule"}).value());
}

// Two integrations looked for it before either brought it.
TEST_F(StoreTest, WhatAnotherHasBroughtMeanwhileIsNotBroughtTwice) {
    ImportWrite first = created("1", "{}"), second = created("x", "{}");
    for (ImportWrite* one : {&first, &second}) one->match = one->unknown_by = {{"sku", "s1"}};
    ASSERT_TRUE(commit(page({first})));
    const Status late = commit(page({second}, "office"));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, "stale") << "it is decided anew, and recognised";
    ImportWrite own = created("2", "{}");
    own.match = own.unknown_by = {{"sku", "s1"}};
    EXPECT_TRUE(commit(page({own}))) << "two of one system's are two";
    second.unknown_by.clear();
    EXPECT_TRUE(commit(page({second}, "office"))) << "nobody asked";
}

TEST_F(StoreTest, ExportsWhatTheOtherSideHasNotSeen) {
    ASSERT_TRUE(commit(page({created("1", "{}"), created("2", "{}")})));
    const PendingExports first = pending();
    ASSERT_EQ(first.records.size(), 2u);
    EXPECT_TRUE(first.records[0].external_id.empty());
    EXPECT_TRUE(database->pending("shop", "house", "product", 0, 100).value().records.empty())
        << "no echo to where it came from";
    EXPECT_TRUE(database->pending("office", "elsewhere", "product", 0, 100).value().records.empty())
        << "tenants are apart";
    EXPECT_TRUE(pending(first.last_seq).records.empty());
}

TEST_F(StoreTest, AnOpenIntentOwnsItsRecordAndHoldsTheCursor) {
    ASSERT_TRUE(commit(page({created("1", "{}"), created("2", "{}")})));
    const PendingExports all = pending();
    Intent intent;
    intent.op_key = "L1";
    intent.rid = all.records[0].rid;
    intent.version = 1;
    intent.state = IntentState::sending;
    const auto ids = database->add_intents("office", "product", {intent}, 0).value();
    const PendingExports rest = pending();
    EXPECT_EQ(rest.records.size(), 1u);
    EXPECT_GT(rest.blocked_seq, 0);

    Outcome done;
    done.intent = ids[0];
    done.external_id = "O1";
    done.action = "created";
    ASSERT_TRUE(database->settle(1, "office", "product", {done}, noon));
    EXPECT_EQ(pending().blocked_seq, 0);
    EXPECT_EQ(pending().records.size(), 1u);
    EXPECT_EQ(database->externals_of("office", {all.records[0].record}).value()[0], "O1");
}

TEST_F(StoreTest, ADeletionWaitsForTheCreateThatIsUnanswered) {
    ASSERT_TRUE(commit(page({created("1", "{}")})));
    Intent intent;
    intent.op_key = "L1";
    intent.rid = pending().records[0].rid;
    intent.version = 1;
    intent.state = IntentState::sending;
    const auto ids = database->add_intents("office", "product", {intent}, 0).value();
    const ImportState state = look_up("1", "{}");
    ImportWrite gone;
    gone.rid = intent.rid;
    gone.external_id = "1";
    gone.payload = "{}";
    gone.expected_version = 1;
    gone.new_version = gone.synced_version = 2;
    gone.change = Action::deleted;
    gone.tomb = true;
    ASSERT_TRUE(commit(page({gone})));
    EXPECT_GT(pending().blocked_seq, 0) << "the cursor would pass the deletion";

    Outcome done;
    done.intent = ids[0];
    done.external_id = "O1";
    ASSERT_TRUE(database->settle(1, "office", "product", {done}, noon));
    ASSERT_EQ(pending().records.size(), 1u);
    EXPECT_TRUE(pending().records[0].deleted);
}

TEST_F(StoreTest, AfterAStartWhatIsUnknownSettlesAnewAndNothingWaitsForGood) {
    ASSERT_TRUE(commit(page({created("1", "{}"), created("2", "{}")})));
    std::vector<Intent> intents(2);
    for (std::size_t i = 0; i < 2; ++i) {
        intents[i].op_key = "L" + std::to_string(i);
        intents[i].rid = pending().records[i].rid;
    }
    intents[0].state = IntentState::unknown;
    intents[0].next_at = noon - Milliseconds(1);  // by a clock that jumped, perhaps
    intents[1].next_at = noon + std::chrono::hours(24 * 365);
    const auto ids = database->add_intents("office", "product", intents, 0).value();
    ASSERT_TRUE(database->settle_anew("office", noon + Milliseconds(5), noon + Milliseconds(9)));
    EXPECT_EQ(database->intent(ids[0]).value()->next_at, noon + Milliseconds(5));
    EXPECT_EQ(database->intent(ids[1]).value()->next_at, noon + Milliseconds(9));
}

TEST_F(StoreTest, NothingIsCreatedThatIsThereMeanwhile) {
    ASSERT_TRUE(commit(page({created("1", "{}")})));
    Intent intent;
    intent.op_key = "L1";
    intent.rid = pending().records[0].rid;
    intent.record = pending().records[0].record;
    intent.version = 1;
    const auto added = database->add_intents("shop", "product", {intent}, 0);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, "stale");
    EXPECT_TRUE(database->intents({}).value().empty());
}

TEST_F(StoreTest, ARefusedRecordIsNotSentAgainUntilItChanges) {
    ASSERT_TRUE(commit(page({created("1", "{}")})));
    Intent intent;
    intent.op_key = "L1";
    intent.rid = pending().records[0].rid;
    intent.version = 1;
    const auto ids = database->add_intents("office", "product", {intent}, 0).value();
    Outcome refused;
    refused.kind = Outcome::Kind::rejected;
    refused.intent = ids[0];
    refused.reason = "rejected_by_vendor";
    ASSERT_TRUE(database->settle(1, "office", "product", {refused}, noon));
    EXPECT_TRUE(pending().records.empty());
    EXPECT_EQ(database->dead_letters({}).value().size(), 1u);

    const ImportState state = look_up("1", "{\"fixed\":1}");
    ImportWrite update;
    update.rid = state.rid;
    update.external_id = "1";
    update.payload = "{\"fixed\":1}";
    update.expected_version = 1;
    update.new_version = update.synced_version = 2;
    update.change = Action::updated;
    ASSERT_TRUE(commit(page({update})));
    EXPECT_EQ(pending().records.size(), 1u);
}

TEST_F(StoreTest, OpenRunsAreInterruptedAfterACrash) {
    store::Run run;
    run.tenant = "house";
    run.integration = "shop";
    run.started = noon;
    run.id = database->begin_run(run).value();
    EXPECT_EQ(database->interrupt_runs(noon).value(), 1);
    EXPECT_EQ(database->runs({}).value().at(0).status, RunStatus::interrupted);
    EXPECT_EQ(database->interrupt_runs(noon).value(), 0);
}

TEST_F(StoreTest, ANewerSchemaIsRefusedWithTheWayOut) {
    database.reset();
    {
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open((directory.path() + "/liaison.db").c_str(), &raw), SQLITE_OK);
        sqlite3_exec(raw, "PRAGMA user_version = 999", nullptr, nullptr, nullptr);
        sqlite3_close(raw);
    }
    const auto opened = Database::open(directory.path() + "/liaison.db", Access::write, Durability::normal);
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("newer liaison (schema 999"), std::string::npos)
        << opened.error().message;
}

// A core thread in miniature: runs what is posted until told to stop.
class Loop {
  public:
    void post(std::function<void()> call) {
        const std::lock_guard lock(mutex_);
        calls_.push_back(std::move(call));
        wake_.notify_one();
    }
    void run_until(const std::function<bool()>& done) {
        while (!done()) {
            std::unique_lock lock(mutex_);
            ASSERT_TRUE(wake_.wait_for(lock, std::chrono::seconds(30), [this] { return !calls_.empty(); }));
            const std::function<void()> call = std::move(calls_.front());
            calls_.pop_front();
            lock.unlock();
            call();
        }
    }

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> calls_;
};

TEST(SqliteStoreTest, GroupCommitKeepsTheGoodAndDropsTheBad) {
    sync_test::TempDir directory;
    Loop loop;
    auto store = SqliteStore::open(directory.path() + "/liaison.db", Durability::full,
                                   [&loop](std::function<void()> call) { loop.post(std::move(call)); })
                     .value();
    int good = 0, bad = 0;
    for (int i = 0; i < 200; ++i) {
        const auto work = [i](Database& database) -> Result<std::int64_t> {
            store::Run run;
            run.tenant = run.integration = "x";
            auto id = database.begin_run(run);
            if (i % 3 == 0) return fail(ErrorKind::permanent, "refused on purpose");
            return id;
        };
        store->write(work, [&](Result<std::int64_t> id) { ++(id ? good : bad); });
    }
    loop.run_until([&] { return good + bad == 200; });
    EXPECT_EQ(bad, 67);
    Filter filter;
    filter.limit = 1000;
    std::size_t rows = 0;
    bool read = false;
    store->read([filter](Database& database) { return database.runs(filter); },
                [&](Result<std::vector<store::Run>> runs) {
                    rows = runs.value().size();
                    read = true;
                });
    loop.run_until([&] { return read; });
    EXPECT_EQ(rows, 133u);
}

TEST(SqliteStoreTest, AScratchCopyHasEverythingAndReachesNobody) {
    sync_test::TempDir directory;
    Loop loop;
    auto store = SqliteStore::open(directory.path() + "/liaison.db", Durability::full,
                                   [&loop](std::function<void()> call) { loop.post(std::move(call)); })
                     .value();
    const auto begin = [](Database& database) {
        store::Run run;
        run.tenant = run.integration = "x";
        return database.begin_run(run);
    };
    int begun = 0;
    const auto count = [&begun](Result<std::int64_t> id) { begun += id ? 1 : 0; };
    std::unique_ptr<Store> scratch;
    store->write(begin, [&](Result<std::int64_t> first) {
        count(first);
        store->scratch([&](Result<std::unique_ptr<Store>> made) {
            scratch = std::move(made.value());
            scratch->write(begin, count);
            scratch->write(begin, count);
        });
    });
    loop.run_until([&] { return begun == 3; });
    std::vector<std::size_t> runs;
    for (Store* one : std::vector<Store*>{store.get(), scratch.get()}) {
        one->read([](Database& database) { return database.runs({}); },
                  [&](Result<std::vector<store::Run>> rows) { runs.push_back(rows.value().size()); });
        loop.run_until([&, wanted = runs.size() + 1] { return runs.size() == wanted; });
    }
    EXPECT_EQ(runs, (std::vector<std::size_t>{1, 3}));
    scratch.reset();
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
        EXPECT_EQ(entry.path().string().find("scratch"), std::string::npos) << entry.path();
}

TEST(SqliteStoreTest, ScratchCopiesOfADaemonThatDiedAreRemoved) {
    sync_test::TempDir directory;
    Loop loop;
    const std::string left = directory.path() + "/liaison.db.scratch-7";
    std::ofstream(left) << "left";
    const auto store = SqliteStore::open(directory.path() + "/liaison.db", Durability::normal,
                                         [&loop](std::function<void()> call) { loop.post(std::move(call)); });
    EXPECT_FALSE(std::filesystem::exists(left));
}

}  // namespace
}  // namespace liaisond::store
