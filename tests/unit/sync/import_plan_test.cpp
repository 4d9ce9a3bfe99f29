// What a page of records means for the hub, decided without a store.
#include "sync/import_plan.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "base/random.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {
namespace {

constexpr const char* known =
    R"({"status":"confirmed","channel":"booking_com","arrival_date":"2026-06-01",)"
    R"("departure_date":"2026-06-03","total":{"amount":30000,"currency":"EUR"},"stays":[{"external_id":"1"}]})";
constexpr const char* zeroed =
    R"({"mode":"cancel","status":"cancelled","channel":"booking_com","arrival_date":"1970-01-01",)"
    R"("departure_date":"1970-01-01","total":{"amount":0,"currency":"EUR"},"stays":[],)"
    R"("cancellation_fee":{"amount":500,"currency":"EUR"}})";

class Modes : public testing::Test {
  protected:
    Modes() {
        entity.name = "reservation";
        link.config.id = "booking";
    }
    store::ImportPage import(const std::string& payload, bool is_known) {
        plugin::Record record;
        record.key = "4705950059";
        record.payload = payload;
        const std::vector<plugin::Record> records{record};
        sync::ImportPlan plan(sync::CanonicalSchemas::embedded(), link, entity, records);
        store::ImportState state;
        state.mapped = is_known;
        state.rid = is_known ? 7 : 0;
        state.version = state.synced_version = is_known ? 1 : 0;
        if (is_known) state.payload = known;
        plan.know({state});
        return plan.page(world.now(), world);
    }
    static json::object written(const store::ImportPage& page) {
        if (page.writes.size() != 1 || page.writes[0].payload.empty()) return {};
        return json::parse(page.writes[0].payload).as_object();
    }
    World world{1};
    sync::Link link;
    config::Entity entity;
};

TEST_F(Modes, ACancellationChangesTheStatusAndItsZerosChangeNothing) {
    const json::object after = written(import(zeroed, true));
    EXPECT_EQ(after.at("status"), "cancelled");
    EXPECT_EQ(after.at("cancellation_fee").at("amount"), 500);
    EXPECT_EQ(after.at("arrival_date"), "2026-06-01");
    EXPECT_EQ(after.at("total").at("amount"), 30000);
    EXPECT_EQ(after.at("stays").as_array().size(), 1u);
    EXPECT_FALSE(after.contains("mode"));
}

TEST_F(Modes, ACancellationOfAKnownRecordMayLackWhatOthersNeed) {
    const store::ImportPage page = import(R"({"mode":"cancel","status":"cancelled"})", true);
    EXPECT_TRUE(page.dead_letters.empty());
    EXPECT_EQ(written(page).at("status"), "cancelled");
}

TEST_F(Modes, ACancellationIsCheckedLikeEverythingElse) {
    const store::ImportPage page = import(R"({"mode":"cancel","status":"annulled"})", true);
    EXPECT_TRUE(page.writes.empty());
    ASSERT_EQ(page.dead_letters.size(), 1u);
    EXPECT_NE(page.dead_letters[0].message.find("/status"), std::string::npos);
}

TEST_F(Modes, WhatIsCancelledBeforeItIsKnownIsTakenAsItComes) {
    EXPECT_EQ(written(import(zeroed, false)).at("arrival_date"), "1970-01-01");
    EXPECT_EQ(import(R"({"mode":"cancel","status":"cancelled"})", false).dead_letters.size(), 1u);
}

TEST_F(Modes, AnyOtherModeSaysWhatItSays) {
    std::string snapshot = zeroed;
    snapshot.replace(snapshot.find("cancel"), 6, "snapshot");
    const json::object after = written(import(snapshot, true));
    EXPECT_EQ(after.at("arrival_date"), "1970-01-01");
    EXPECT_FALSE(after.contains("mode"));
}

// It may wait for a person who is to say which record it is.
TEST_F(Modes, WhatIsDeletedBeforeItIsKnownIsSaidToBeGone) {
    plugin::Record record;
    record.key = "4705950059";
    record.deleted = true;
    const std::vector<plugin::Record> records{record};
    sync::ImportPlan plan(sync::CanonicalSchemas::embedded(), link, entity, records);
    plan.know({store::ImportState()});
    const store::ImportPage page = plan.page(world.now(), world);
    EXPECT_TRUE(page.writes.empty());
    EXPECT_EQ(page.gone, std::vector<std::string>{"4705950059"});
}

// 0e999 is read as no number at all, which differs from itself: such a field changes with every look.
TEST_F(Modes, ANumberThatCannotBeHeldIsRefusedWithItsPlace) {
    for (const char* number : {"0e999", "1e999", "-1e999"}) {
        const store::ImportPage page = import(
            R"({"mode":"cancel","status":"cancelled","custom":{"a/b":[1,)" + std::string(number) + "]}}",
            true);
        EXPECT_TRUE(page.writes.empty()) << number;
        ASSERT_EQ(page.dead_letters.size(), 1u) << number;
        EXPECT_EQ(page.dead_letters[0].message.find("/custom/a~1b/1 is a number out of range"), 0u)
            << page.dead_letters[0].message;
    }
}

}  // namespace
}  // namespace liaisond::sync_test
