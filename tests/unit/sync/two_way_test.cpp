// Records that go both ways: the real engine between two desks which both edit, and a person who decides.
#include "sync/desks.hpp"
#include "sync/export_plan.hpp"

namespace liaisond::sync_test {
namespace {

class TwoWay : public Desks {};

TEST_F(TwoWay, ARecordReachesTheOtherSideOnceAndNothingEchoes) {
    front->add("S1", "Chair");
    back->add("S2", "Table");
    start();
    sync();
    EXPECT_EQ(front->rows.size(), 2u);
    EXPECT_EQ(back->rows.size(), 2u);
    EXPECT_EQ(other("S1").name, "Chair");
    const int writes = front->writes + back->writes;
    EXPECT_EQ(writes, 2);
    sync();
    EXPECT_EQ(front->writes + back->writes, writes) << "what came from the other side is sent back";
}

TEST_F(TwoWay, EditsOfDifferentFieldsMeet) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    back->edit(back_id("S1"), "note", "by the window");
    sync();
    EXPECT_EQ(front->rows.at(id).name, "Armchair");
    EXPECT_EQ(front->rows.at(id).note, "by the window");
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_EQ(other("S1").note, "by the window");
    EXPECT_TRUE(conflicts().empty());
}

TEST_F(TwoWay, AConflictWaitsForAPersonAndHarmsNeitherSide) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    EXPECT_EQ(front->rows.at(id).name, "Armchair");
    EXPECT_EQ(other("S1").name, "Stool") << "the undecided field was overwritten";
    ASSERT_EQ(conflicts().size(), 1u);
    EXPECT_EQ(conflicts()[0].integration, "back");
    const json::value detail = json::parse(conflicts()[0].detail);
    EXPECT_EQ(detail.at(0).at("pointer"), "/name");
    EXPECT_EQ(detail.at(0).at("hub"), "Armchair");
    EXPECT_EQ(detail.at(0).at("remote"), "Stool");
}

TEST_F(TwoWay, ThePersonTakesTheHubsValue) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    decide({sync::Side::hub, {}, {}});
    sync();
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_EQ(front->rows.at(id).name, "Armchair");
    EXPECT_TRUE(conflicts().empty());
}

TEST_F(TwoWay, ThePersonTakesTheVendorsValue) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    decide({sync::Side::remote, {}, {}});
    sync();
    EXPECT_EQ(other("S1").name, "Stool");
    EXPECT_EQ(front->rows.at(id).name, "Stool");
}

TEST_F(TwoWay, AFieldThatIsNotInConflictCannotBeChosen) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    EXPECT_NE(decide({sync::Side::hub, {{"/sku", sync::Side::remote}}, {}}).find("not in conflict"),
              std::string::npos);
    EXPECT_EQ(conflicts().size(), 1u);
}

// Each side has a rule of its own about how names are written.
TEST_F(TwoWay, AFieldThatGoesBackAndForthIsLeftUntilAPersonDecides) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    int turns = 0;
    for (; turns < 8 && conflicts().empty(); ++turns) {
        if (turns % 2 == 0)
            back->edit(back_id("S1"), "name", "CHAIR");
        else
            front->edit(id, "name", "Chair");
        sync();
    }
    EXPECT_EQ(turns, 4) << "it came back three times";
    ASSERT_EQ(conflicts().size(), 1u);
    EXPECT_EQ(conflicts()[0].kind, store::ConflictKind::oscillation);
    EXPECT_EQ(conflicts()[0].integration, "front");
    sync();
    EXPECT_EQ(front->rows.at(id).name, "Chair");
    EXPECT_EQ(other("S1").name, "CHAIR");
    const auto is_told = [&] {
        for (const sync::IntegrationStatus& one : house.engine->status())
            for (const std::string& problem : one.problems)
                if (problem.find("back and forth") != std::string::npos) return one.id == "front";
        return false;
    };
    EXPECT_TRUE(is_told());
    // Neither does it move when the other side goes on.
    back->edit(back_id("S1"), "name", "Armchair");
    back->edit(back_id("S1"), "note", "by the window");
    sync();
    EXPECT_EQ(conflicts().size(), 2u);
    EXPECT_EQ(front->rows.at(id).name, "Chair");

    while (!conflicts().empty())
        EXPECT_NE(decide({sync::Side::hub, {}, {}}).find("fields"), std::string::npos);
    sync();
    EXPECT_EQ(front->rows.at(id).name, "CHAIR");
    EXPECT_EQ(other("S1").name, "CHAIR");
    EXPECT_EQ(front->rows.at(id).note, "by the window") << "other fields go on";
    EXPECT_FALSE(is_told());
}

TEST_F(TwoWay, AnEditBetweenReadAndWriteIsMergedNotOverwritten) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    house.run("front");
    // Somebody edits at the back after its import and before our write arrives: answered with 412.
    bool edited = false;
    network.before_write = [&](const http::Request& request) {
        if (edited || request.url.find("back.example") == std::string::npos) return;
        edited = true;
        back->edit(back_id("S1"), "note", "just now");
    };
    house.run("back");
    EXPECT_TRUE(edited);
    world.run_until([] { return false; }, std::chrono::seconds(30));  // tried again by itself
    sync();
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_EQ(other("S1").note, "just now");
    EXPECT_EQ(front->rows.at(id).note, "just now");
    EXPECT_TRUE(database().intents({}).value().empty());
}

TEST_F(TwoWay, WhatIsRefusedAsOutdatedIsReadBeforeItIsSentAgain) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    house.run("front");
    // What the back has now, the hub cannot accept: nothing can be merged.
    back->edit(back_id("S1"), "name", "");
    const int writes = back->writes;
    house.run("back");
    EXPECT_EQ(back->writes, writes + 1) << "sent again in the same run, with nothing read in between";
    ASSERT_EQ(database().intents({}).value().size(), 1u);
    EXPECT_GT(database().intents({}).value()[0].next_at, world.now());
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    EXPECT_EQ(conflicts().size(), 1u);
}

TEST_F(TwoWay, AVersionThatShowsNothingNewIsNoReasonToRefuseAWriteForEver) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    back->touch(back_id("S1"));
    front->edit(id, "name", "Armchair");
    sync();
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_TRUE(database().intents({}).value().empty());
}

TEST_F(TwoWay, AnUnansweredWriteThatShowsNothingNewIsRepeated) {
    back->name_limit = 5;
    const std::string id = front->add("S1", "A very long name");
    start();
    sync();
    front->edit(id, "name", "A very long title");  // the back shows "A ver", as before
    house.run("front");
    back->answers_updates = false;
    house.run("back");
    back->answers_updates = true;
    ASSERT_EQ(back->rows.at(back_id("S1")).version, 2) << "executed, and nobody knows";
    world.run_until([] { return false; }, std::chrono::hours(2));
    EXPECT_TRUE(database().dead_letters({}).value().empty());
    EXPECT_TRUE(database().intents({}).value().empty());
    EXPECT_EQ(front->rows.at(id).name, "A very long title");
}

// The version that the search finds may be somebody else's: what it shows is not taken for what was sent.
TEST_F(TwoWay, WhatIsFoundAfterALostAnswerMayHaveBeenChangedThere) {
    const std::string id = front->add("S1", "Chair");
    start();
    house.run("front");
    back->answers_creates = false;
    house.run("back");
    back->answers_creates = true;
    ASSERT_EQ(back->rows.size(), 1u) << "executed, and nobody knows";
    back->edit(back->rows.begin()->first, "name", "Armchair");
    back->unlisted = back->rows.begin()->first;
    world.run_until([] { return false; }, std::chrono::minutes(30));
    back->unlisted.clear();
    ASSERT_TRUE(database().intents({}).value().empty());
    sync();
    EXPECT_EQ(front->rows.at(id).name, "Armchair");
    EXPECT_EQ(other("S1").name, "Armchair");
}

// A short form of what was sent is no change of anybody's, whether its answer came or not.
TEST_F(TwoWay, WhatAVendorCutsShortIsNoEditThoughItsAnswerWasLost) {
    for (const bool is_listed_first : {true, false}) {
        const std::string sku = is_listed_first ? "S1" : "S2";
        back->name_limit = 5;
        const std::string id = front->add(sku, "A very long name");
        if (is_listed_first) start();
        house.run("front");
        back->answers_creates = false;
        house.run("back");
        back->answers_creates = true;
        ASSERT_EQ(other(sku).name, "A ver") << "executed, and nobody knows";
        back->edit(back_id(sku), "note", "edited");
        if (!is_listed_first) back->unlisted = back_id(sku);
        world.run_until([] { return false; }, std::chrono::minutes(30));
        back->unlisted.clear();
        ASSERT_TRUE(database().intents({}).value().empty());
        sync();
        EXPECT_EQ(front->rows.at(id).name, "A very long name") << sku;
        EXPECT_EQ(front->rows.at(id).note, "edited") << sku;
        sync();
        EXPECT_EQ(front->rows.at(id).name, "A very long name") << sku << ", the next time";
        back->edit(back_id(sku), "name", "Bed");
        sync();
        EXPECT_EQ(front->rows.at(id).name, "Bed") << "a real edit must come through";
    }
}

// The one before it is gone there, and known to be.
TEST_F(TwoWay, WhatIsCreatedAgainIsKnownByItsReferenceBeforeItsAnswer) {
    for (const auto& link : {front_link, back_link})
        link->config.entities[0].conflict = config::ConflictPolicy::hub;
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    house.run("front");
    back->rows.clear();
    sync::RunRequest full;
    full.full = true;
    back->answers_creates = false;
    house.run("back", full);
    house.run("back", full);
    back->answers_creates = true;
    ASSERT_EQ(back->rows.size(), 1u) << "executed, and nobody knows";
    ASSERT_EQ(database().intents({}).value().size(), 1u);
    EXPECT_EQ(house.run("back").status, store::RunStatus::success);
    EXPECT_TRUE(database().intents({}).value().empty()) << "it carries our reference";
    sync();
    EXPECT_EQ(back->rows.size(), 1u);
    EXPECT_EQ(other("S1").name, "Armchair");
}

TEST_F(TwoWay, WhatIsGivenUpUnansweredHoldsTheNextVersionBackUntilItHasSettled) {
    back_link->config.retry.attempts = 1;
    back_link->config.settle = std::chrono::minutes(10);
    back_link->config.entities[0].conflict = config::ConflictPolicy::hub;
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    house.run("front");
    back->answers_updates = false;
    house.run("back");
    back->answers_updates = true;
    front->edit(id, "name", "Bench");
    house.run("front");
    const int writes = back->writes;
    house.run("back");
    world.run_until([] { return false; }, std::chrono::minutes(5));
    house.run("back");
    EXPECT_EQ(back->writes, writes) << "the one before may still be executed";
    world.run_until([] { return false; }, std::chrono::minutes(10));
    house.run("back");
    EXPECT_EQ(other("S1").name, "Bench");
    EXPECT_TRUE(database().dead_letters({}).value().empty()) << "of a version that nobody owes any more";
    EXPECT_TRUE(database().intents({}).value().empty());
}

// Put down before the vendor's newer version was read, and due only after it.
TEST_F(TwoWay, WhatIsSentAgainIsSentOverTheVersionThatWasReadSince) {
    back_link->config.retry.attempts = 2;
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    house.run("front");
    const store::PendingExport record =
        database().pending("back", "house", "product", 0, 9).value().records.at(0);
    store::Intent delayed;
    delayed.op_key = "L1";
    delayed.rid = record.rid;
    delayed.version = record.version;
    delayed.payload = record.payload;
    delayed.external_id = record.external_id;
    delayed.remote_version = record.remote_version;
    delayed.attempt = 1;
    delayed.first_sent_at = delayed.next_at = world.now();
    ASSERT_TRUE(database().add_intents("back", "product", {delayed}, 0));
    back->touch(back_id("S1"));
    house.run("back");
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_TRUE(database().dead_letters({}).value().empty());
}

TEST_F(TwoWay, WhatWasRefusedAsOutdatedIsSentOnceItsVersionIsRead) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    back->touch(back_id("S1"));
    front->edit(id, "name", "Armchair");
    house.run("front");
    back->lists = false;
    for (int hour = 0; hour < 24 && database().dead_letters({}).value().empty(); ++hour) {
        world.run_until([] { return false; }, std::chrono::hours(1));
        house.run("back");
    }
    ASSERT_EQ(database().dead_letters({}).value().size(), 1u) << "it is sent again for ever";
    EXPECT_EQ(database().dead_letters({}).value()[0].reason, "conflict");
    back->lists = true;
    world.run_until([] { return false; }, std::chrono::hours(1));
    sync();
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_TRUE(database().dead_letters({}).value().empty());
    EXPECT_TRUE(database().intents({}).value().empty());
}

TEST_F(TwoWay, ADecisionIsWrittenThoughTheVendorsVersionIsAnotherByThen) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    back->touch(back_id("S1"));
    sync();
    ASSERT_EQ(conflicts().size(), 1u);
    decide({sync::Side::hub, {}, {}});
    house.run("back");
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_TRUE(database().intents({}).value().empty());
}

TEST_F(TwoWay, WhatStaysDeletedInTheHubIsDeletedThoughTheVendorChangedItSince) {
    back_link->config.entities[0].conflict = config::ConflictPolicy::hub;
    std::string& settings = back_link->instance.config;
    const std::string plain = R"("delete":{"path":"/items/{key}")";
    settings.replace(settings.find(plain), plain.size(), plain + R"(,"if_match":true)");
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->rows.erase(id);
    sync::RunRequest full;
    full.full = true;
    house.run("front", full);
    house.run("front", full);
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    EXPECT_TRUE(back->rows.empty());
    EXPECT_TRUE(database().intents({}).value().empty());
}

class TwoWayJump : public TwoWay, public testing::WithParamInterface<int> {};  // by that many hours

TEST_P(TwoWayJump, CutsNoSettleTimeShortAndMakesNoneLast) {
    front->add("S1", "Chair");
    start();
    house.run("front");
    const auto pending = database().pending("back", "house", "product", 0, 9).value();
    const store::PendingExport& record = pending.records.at(0);
    store::Intent unanswered;
    unanswered.op_key = sync::reference_of(*back_link, "product", record.record);
    unanswered.rid = record.rid;
    unanswered.version = record.version;
    unanswered.payload = record.payload;
    unanswered.state = store::IntentState::unknown;
    unanswered.attempt = 1;
    unanswered.first_sent_at = world.now();
    unanswered.next_at = world.now() + std::chrono::minutes(10);
    ASSERT_TRUE(database().add_intents("back", "product", {unanswered}, 0));
    world.step_clock(std::chrono::hours(GetParam()));
    house.run("back");
    EXPECT_TRUE(back->rows.empty()) << "sent again while the first attempt may still be executed";
    world.run_until([] { return false; }, std::chrono::minutes(12));
    house.run("back");
    EXPECT_EQ(back->rows.size(), 1u) << "waits for a time that was never meant";
}
INSTANTIATE_TEST_SUITE_P(ByHours, TwoWayJump, testing::Values(24 * 365, -24 * 700, 1, -1));

TEST_F(TwoWay, ASendThatIsRepeatedByAPersonSettlesFromItsLastAttempt) {
    front->add("S1", "Chair");
    start();
    house.run("front");
    store::Intent doubtful;
    doubtful.op_key = "L1";
    doubtful.rid = database().pending("back", "house", "product", 0, 9).value().records.at(0).rid;
    doubtful.state = store::IntentState::in_doubt;
    doubtful.first_sent_at = world.now() - std::chrono::hours(5);
    doubtful.next_at = world.now() - std::chrono::minutes(1);
    const std::int64_t id = database().add_intents("back", "product", {doubtful}, 0).value().at(0);
    sync::IntentChoice again;
    again.action = sync::IntentChoice::Action::resend;
    again.settle = std::chrono::minutes(5);
    ASSERT_TRUE(sync::resolve_intent(database(), id, again, world.now()));
    EXPECT_EQ(database().intent(id).value()->next_at, doubtful.next_at + again.settle);
}

TEST_F(TwoWay, WhatIsCreatedAgainIsAnotherRecordToTheVendor) {
    for (const auto& link : {front_link, back_link})
        link->config.entities[0].conflict = config::ConflictPolicy::hub;
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    const std::string first = other("S1").reference;
    ASSERT_FALSE(first.empty());
    front->edit(id, "name", "Armchair");
    house.run("front");
    back->rows.clear();
    sync::RunRequest full;
    full.full = true;
    house.run("back", full);
    house.run("back", full);
    sync();
    ASSERT_EQ(back->rows.size(), 1u);
    EXPECT_EQ(other("S1").name, "Armchair");
    EXPECT_NE(other("S1").reference, first) << "a vendor that remembers the first one answers for it";
}

TEST_F(TwoWay, ADeleteWaitsWhileAPersonDecidesWhetherTheRecordShallGo) {
    front->add("S1", "Chair");
    start();
    sync();
    const std::string id = back_id("S1");
    front->rows.clear();
    sync::RunRequest full;
    full.full = true;
    house.run("front", full);
    house.run("front", full);
    back->refuses_deletes = true;  // the delete does not get through, and
    house.run("back");
    back->refuses_deletes = false;
    back->edit(id, "name", "Armchair");  // meanwhile somebody there uses it
    sync();
    ASSERT_EQ(conflicts().size(), 1u);
    world.run_until([] { return false; }, std::chrono::hours(1));
    sync();
    ASSERT_TRUE(back->rows.contains(id)) << "deleted while somebody had to decide";
    decide({sync::Side::remote, {}, {}});
    sync();
    EXPECT_TRUE(back->rows.contains(id));
    EXPECT_EQ(front->rows.size(), 1u);
    EXPECT_TRUE(database().intents({}).value().empty());
}

TEST_F(TwoWay, ADecisionDoesNotAcceptWhatWasRefusedSince) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    front->edit(id, "name", "Armchair");
    back->edit(back_id("S1"), "name", "Stool");
    sync();
    ASSERT_EQ(conflicts().size(), 1u);
    back->edit(back_id("S1"), "name", "");
    sync();
    ASSERT_EQ(database().dead_letters({}).value().size(), 1u);
    decide({sync::Side::hub, {}, {}});
    EXPECT_EQ(database().dead_letters({}).value().size(), 1u);
}

TEST_F(TwoWay, WhatAVendorCutsShortIsNoEdit) {
    back->name_limit = 5;
    const std::string id = front->add("S1", "A very long name");
    start();
    sync();
    EXPECT_EQ(other("S1").name, "A ver");
    EXPECT_EQ(front->rows.at(id).name, "A very long name") << "the short form came back as a change";
    front->edit(id, "note", "changed");
    sync();
    EXPECT_EQ(other("S1").note, "changed");
    EXPECT_EQ(front->rows.at(id).name, "A very long name");
    back->edit(back_id("S1"), "name", "Bed");
    sync();
    EXPECT_EQ(front->rows.at(id).name, "Bed") << "a real edit must come through";
}

TEST_F(TwoWay, ADeletionReachesTheOtherSideAndStays) {
    const std::string id = front->add("S1", "Chair");
    front->add("S2", "Table");
    start();
    sync();
    front->rows.erase(id);
    sync::RunRequest full;
    full.full = true;
    house.run("front", full);
    EXPECT_EQ(database().count_records("house", "product").value(), 2) << "one listing is not enough";
    house.run("front", full);
    EXPECT_EQ(database().count_records("house", "product").value(), 1);
    sync();
    EXPECT_EQ(back->rows.size(), 1u);
    sync();
    EXPECT_EQ(front->rows.size(), 1u);
    EXPECT_EQ(database().count_records("house", "product").value(), 1);
}

TEST_F(TwoWay, WhatTheListingLacksButTheVendorHasIsNotDeleted) {
    front->add("S1", "Chair");
    start();
    sync();
    network.hide_from_lists = true;
    sync::RunRequest full;
    full.full = true;
    for (int i = 0; i < 4; ++i) house.run("front", full);
    EXPECT_EQ(database().count_records("house", "product").value(), 1);
}

TEST_F(TwoWay, TheBrakeStopsAMassDeleteAndSaysHowMany) {
    for (int i = 0; i < 40; ++i) front->add("S" + std::to_string(i), "Chair");
    start();
    sync();
    front->rows.clear();
    sync::RunRequest full;
    full.full = true;
    house.run("front", full);
    const store::Run braked = house.run("front", full);
    EXPECT_NE(braked.error.find("40 records of product were deleted"), std::string::npos) << braked.error;
    EXPECT_NE(braked.error.find("--confirm-deletes"), std::string::npos) << braked.error;
    EXPECT_EQ(database().count_records("house", "product").value(), 40);
    EXPECT_EQ(back->rows.size(), 40u);

    full.confirm_deletes = true;
    house.run("front", full);
    EXPECT_EQ(database().count_records("house", "product").value(), 0);
    EXPECT_NE(house.run("back").error.find("would be deleted at the vendor"), std::string::npos);
    EXPECT_EQ(back->rows.size(), 40u);
    sync::RunRequest confirmed;
    confirmed.confirm_deletes = true;
    house.run("back", confirmed);
    EXPECT_TRUE(back->rows.empty());
}

TEST_F(TwoWay, DeletedHereAndEditedThereIsForAPerson) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    const std::string mine = back_id("S1");
    front->rows.erase(id);
    sync::RunRequest full;
    full.full = true;
    house.run("front", full);
    house.run("front", full);
    back->edit(mine, "name", "Stool");
    sync();
    ASSERT_EQ(conflicts().size(), 1u);
    EXPECT_EQ(conflicts()[0].kind, store::ConflictKind::deletion);
    EXPECT_TRUE(back->rows.contains(mine)) << "deleted with an edit that nobody had seen";
    decide({sync::Side::remote, {}, {}});
    sync();
    EXPECT_EQ(back->rows.at(mine).name, "Stool");
    ASSERT_EQ(front->rows.size(), 1u) << "it comes back at the side that had deleted it";
    EXPECT_EQ(front->rows.begin()->second.name, "Stool");
}

TEST_F(TwoWay, RecognisedByItsSkuItIsOneRecord) {
    front->add("S1", "Chair");
    const std::string theirs = back->add("s1 ", "Chair");
    for (const auto& link : {front_link, back_link}) {
        link->config.entities[0].match = {"sku"};
        link->config.entities[0].conflict = config::ConflictPolicy::hub;
        link->recognition["product"] = {"sku"};
    }
    start();
    sync();
    EXPECT_EQ(database().count_records("house", "product").value(), 1);
    EXPECT_EQ(front->rows.size(), 1u);
    EXPECT_EQ(back->rows.size(), 1u);
    EXPECT_EQ(back->rows.at(theirs).sku, "S1") << "the hub's spelling stays, and reaches the other";
}

TEST_F(TwoWay, RecognisedWhicheverBringsItFirstThoughOneOfThemSaysByWhat) {
    front->add("S1", "Chair");
    back->add("S1", "Chair");
    back_link->config.entities[0].match = {"sku"};
    for (const auto& link : {front_link, back_link}) {
        link->config.entities[0].conflict = config::ConflictPolicy::hub;
        link->recognition["product"] = {"sku"};
    }
    start();
    house.run("back");
    house.run("front");
    sync();
    EXPECT_EQ(database().count_records("house", "product").value(), 1);
    EXPECT_EQ(front->rows.size(), 1u);
    EXPECT_EQ(back->rows.size(), 1u);
}

TEST_F(TwoWay, RecognisedThoughItsSideCouldNotBeReadAtFirst) {
    front->add("S1", "Chair");
    back->add("S1", "Chair");
    for (const auto& link : {front_link, back_link}) {
        link->config.entities[0].match = {"sku"};
        link->config.entities[0].conflict = config::ConflictPolicy::hub;
        link->recognition["product"] = {"sku"};
    }
    start();
    house.run("front");
    back->lists = false;
    house.run("back");
    EXPECT_EQ(back->rows.size(), 1u) << "created beside what nobody had read";
    back->lists = true;
    world.run_until([] { return false; }, std::chrono::hours(1));
    sync();
    EXPECT_EQ(database().count_records("house", "product").value(), 1);
    EXPECT_EQ(front->rows.size(), 1u);
    EXPECT_EQ(back->rows.size(), 1u);
    front->add("S2", "Table");
    sync();
    EXPECT_EQ(back->rows.size(), 2u);
}

TEST_F(TwoWay, RecognisedThoughBothSidesBringItAtTheSameMoment) {
    for (const auto& link : {front_link, back_link}) {
        link->config.entities[0].match = {"sku"};
        link->config.entities[0].conflict = config::ConflictPolicy::hub;
        link->recognition["product"] = {"sku"};
    }
    start();
    std::vector<std::int64_t> runs;
    const auto begin = [&](const char* side) {
        house.engine->trigger(side, {}, [&](Result<std::int64_t> run) { runs.push_back(run.value()); });
    };
    const auto ended = [&](std::int64_t run) { return !house.engine->live_run(run); };
    constexpr int tries = 60;  // each a little later behind the other
    for (int i = 0; i < tries; ++i) {
        front->add("S" + std::to_string(i), "Chair");
        back->add("S" + std::to_string(i), "Chair");
        runs.clear();
        begin(i % 2 == 0 ? "front" : "back");
        world.after(Milliseconds(i), [&] { begin(i % 2 == 0 ? "back" : "front"); });
        ASSERT_TRUE(
            world.run_until([&] { return runs.size() == 2 && std::all_of(runs.begin(), runs.end(), ended); },
                            std::chrono::hours(1)));
        ASSERT_EQ(database().count_records("house", "product").value(), i + 1);
    }
    sync();
    EXPECT_EQ(front->rows.size(), std::size_t(tries));
    EXPECT_EQ(back->rows.size(), std::size_t(tries));
}

TEST_F(TwoWay, WhenTwoRecordsFitAPersonSaysWhich) {
    front->add("S1", "Chair");
    front->add("S1", "Chair, old");
    const std::string theirs = back->add("S1", "Chair");
    for (const auto& link : {front_link, back_link}) {
        link->config.entities[0].match = {"sku"};
        link->config.entities[0].conflict = config::ConflictPolicy::hub;
        link->config.entities[0].exports = false;
        link->recognition["product"] = {"sku"};
    }
    start();
    sync();
    EXPECT_EQ(database().count_records("house", "product").value(), 2);
    ASSERT_EQ(conflicts().size(), 1u);
    EXPECT_EQ(conflicts()[0].kind, store::ConflictKind::identity);
    const json::value candidates = json::parse(conflicts()[0].detail);
    ASSERT_EQ(candidates.as_array().size(), 2u);
    EXPECT_NE(decide({sync::Side::hub, {}, "00000000-0000-7000-8000-000000000000"}).find("no record"),
              std::string::npos);
    const std::string chosen = candidates.at(0).as_string().c_str();
    {
        store::Intent intent;
        intent.op_key = "L1";
        intent.rid = database().record(chosen).value()->rid;
        const auto ids = database().add_intents("back", "product", {intent}, 0).value();
        EXPECT_NE(decide({sync::Side::hub, {}, chosen}).find("just being created"), std::string::npos);
        store::Outcome nothing;
        nothing.intent = ids[0];
        nothing.kind = store::Outcome::Kind::superseded;
        ASSERT_TRUE(database().settle(0, "back", "product", {nothing}, world.now()));
    }
    decide({sync::Side::hub, {}, chosen});
    sync();
    EXPECT_EQ(database().count_records("house", "product").value(), 2);
    EXPECT_TRUE(conflicts().empty());
    store::Filter filter;
    filter.integration = "back";
    const auto mappings = database().mappings(filter).value();
    ASSERT_EQ(mappings.size(), 1u);
    EXPECT_EQ(mappings[0].external_id, theirs);
    EXPECT_EQ(mappings[0].record, candidates.at(0).as_string().c_str());
}

}  // namespace
}  // namespace liaisond::sync_test
