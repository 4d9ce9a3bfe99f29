#include "sync/merge.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "sync/canonical.hpp"
#include "sync/conflict_rules.hpp"
#include "sync/recognition.hpp"

namespace liaisond::sync {
namespace {

json::object object(const char* text) { return json::parse(text).as_object(); }

MergeRules all_to(Side side) {
    return {[side](const FieldConflict&) { return side; },
            [](std::string_view, const json::value&, const json::value&) { return true; }};
}

TEST(Merge, TakesWhatOnlyTheVendorChanged) {
    const json::object base = object(R"({"name":"A","sku":"1"})");
    const Merge merged = merge(&base, nullptr, base, object(R"({"name":"B","sku":"1"})"), all_to(Side::hub));
    EXPECT_EQ(merged.content, object(R"({"name":"B","sku":"1"})"));
    EXPECT_EQ(merged.taken, std::vector<std::string>{"/name"});
    EXPECT_FALSE(merged.owes_export());
}

TEST(Merge, KeepsWhatOnlyTheHubChangedAndOwesItToTheVendor) {
    const json::object base = object(R"({"name":"A","sku":"1"})");
    const Merge merged =
        merge(&base, nullptr, object(R"({"name":"B","sku":"1"})"), base, all_to(Side::remote));
    EXPECT_EQ(merged.content, object(R"({"name":"B","sku":"1"})"));
    EXPECT_EQ(merged.base, base);
    EXPECT_TRUE(merged.taken.empty());
    EXPECT_TRUE(merged.owes_export());
}

TEST(Merge, DifferentFieldsOfBothSidesComeTogether) {
    const json::object base = object(R"({"guest":{"name":"A","phone":"1"},"note":"x"})");
    const Merge merged =
        merge(&base, nullptr, object(R"({"guest":{"name":"A","phone":"2"},"note":"x"})"),
              object(R"({"guest":{"name":"B","phone":"1"},"note":"y"})"), all_to(Side::later));
    EXPECT_EQ(merged.content, object(R"({"guest":{"name":"B","phone":"2"},"note":"y"})"));
    EXPECT_TRUE(merged.open.empty());
    EXPECT_TRUE(merged.owes_export());
}

TEST(Merge, TheSameChangeOnBothSidesIsNoConflict) {
    const json::object base = object(R"({"name":"A"})");
    const json::object both = object(R"({"name":"B"})");
    const Merge merged = merge(&base, nullptr, both, both, all_to(Side::later));
    EXPECT_TRUE(merged.open.empty());
    EXPECT_FALSE(merged.owes_export());
}

TEST(Merge, AConflictGoesToTheSideThatWins) {
    const json::object base = object(R"({"name":"A"})");
    const json::object hub = object(R"({"name":"B"})");
    const json::object remote = object(R"({"name":"C"})");
    const Merge theirs = merge(&base, nullptr, hub, remote, all_to(Side::remote));
    EXPECT_EQ(theirs.content, remote);
    EXPECT_FALSE(theirs.owes_export());
    const Merge ours = merge(&base, nullptr, hub, remote, all_to(Side::hub));
    EXPECT_EQ(ours.content, hub);
    EXPECT_TRUE(ours.owes_export()) << "the vendor is to get the hub's value";
    EXPECT_EQ(ours.base, remote);
    EXPECT_EQ(ours.notes.size(), 1u);
}

TEST(Merge, AnOpenConflictIsFoundAgainNextTime) {
    const json::object base = object(R"({"name":"A"})");
    const json::object hub = object(R"({"name":"B"})");
    const Merge first = merge(&base, nullptr, hub, object(R"({"name":"C"})"), all_to(Side::later));
    ASSERT_EQ(first.open.size(), 1u);
    EXPECT_EQ(first.open[0].pointer, "/name");
    EXPECT_EQ(first.open[0].base, "A");
    EXPECT_EQ(first.open[0].hub, "B");
    EXPECT_EQ(first.open[0].remote, "C");
    const Merge second =
        merge(&first.base, nullptr, first.content, object(R"({"name":"D"})"), all_to(Side::later));
    ASSERT_EQ(second.open.size(), 1u);
    EXPECT_EQ(second.open[0].remote, "D");
}

TEST(Merge, WhatTheVendorMadeOfOurValueIsNoChangeOfItsOwn) {
    const json::object base = object(R"({"name":"A very long name"})");
    const json::object shown = object(R"({"name":"A very lo"})");
    const Merge same = merge(&base, &shown, base, shown, all_to(Side::remote));
    EXPECT_TRUE(same.taken.empty());
    EXPECT_FALSE(same.owes_export());
    const Merge edited = merge(&base, &shown, base, object(R"({"name":"Another"})"), all_to(Side::hub));
    EXPECT_EQ(edited.content, object(R"({"name":"Another"})"));
}

TEST(Merge, WhatAVendorKeepsOfATextIsStillThatText) {
    const auto kept = [](const char* sent, const char* there) {
        return json::serialize(as_kept(object(sent), object(there)));
    };
    EXPECT_EQ(kept(R"({"a":"A very long name"})", R"({"a":"A very"})"), R"({"a":"A very"})") << "cut";
    EXPECT_EQ(kept(R"({"a":" Fish  soup "})", R"({"a":"FISH SOUP"})"), R"({"a":"FISH SOUP"})");
    EXPECT_EQ(kept(R"({"a":"Soup"})", R"({"a":"Fish soup"})"), R"({"a":"Soup"})") << "an edit";
    EXPECT_EQ(kept(R"({"a":"Soup"})", R"({"a":""})"), R"({"a":"Soup"})") << "removed";
    EXPECT_EQ(kept(R"({"a":"Soup"})", R"({"a":null,"b":"x"})"), R"({"a":"Soup"})");
    EXPECT_EQ(kept(R"({"a":{"b":"Main street 1","c":1}})", R"({"a":{"b":"Main","c":2}})"),
              R"({"a":{"b":"Main","c":1}})");
}

TEST(Merge, MoneyIsOneValue) {
    const json::object base = object(R"({"total":{"amount":100,"currency":"EUR"}})");
    const Merge merged = merge(&base, nullptr, object(R"({"total":{"amount":200,"currency":"EUR"}})"),
                               object(R"({"total":{"amount":100,"currency":"USD"}})"), all_to(Side::later));
    ASSERT_EQ(merged.open.size(), 1u) << "200 USD would be nobody's amount";
    EXPECT_EQ(merged.open[0].pointer, "/total");
}

TEST(Merge, ARecognisedRecordIsFilledAndWhatDiffersIsAConflict) {
    const Merge merged = merge(nullptr, nullptr, object(R"({"name":"A","email":"a@x.example"})"),
                               object(R"({"name":"B","phone":"1"})"), all_to(Side::later));
    EXPECT_EQ(merged.content, object(R"({"name":"A","email":"a@x.example","phone":"1"})"));
    EXPECT_EQ(merged.open.size(), 1u);
}

TEST(Merge, PointersReachIntoObjects) {
    json::object record = object(R"({"guest":{"a/b":"x"}})");
    EXPECT_EQ(*at_pointer(record, "/guest/a~1b"), "x");
    set_pointer(record, "/guest/a~1b", "y");
    set_pointer(record, "/new/deep", 1);
    EXPECT_EQ(record, object(R"({"guest":{"a/b":"y"},"new":{"deep":1}})"));
    set_pointer(record, "/new/deep", nullptr);
    EXPECT_EQ(record, object(R"({"guest":{"a/b":"y"},"new":{}})"));
}

// ---- whose value wins ----

struct Rules : testing::Test {
    config::Entity entity;
    Provenance provenance{""};
    std::string me = "channel";
    FieldConflict status{"/status", "confirmed", "checked_in", "cancelled"};
    Side decide(std::int64_t changed_ms = 0) {
        return ConflictRules(nullptr, entity, me, provenance, changed_ms, {}).decide(status);
    }
};

TEST_F(Rules, ThePolicyDecidesWhereNobodyOwnsTheField) {
    entity.conflict = config::ConflictPolicy::remote;
    EXPECT_EQ(decide(), Side::remote);
    entity.conflict = config::ConflictPolicy::hub;
    EXPECT_EQ(decide(), Side::hub);
    entity.conflict = config::ConflictPolicy::manual;
    EXPECT_EQ(decide(), Side::later);
}

TEST_F(Rules, NewestGoesByTheVendorsStampsAndAsksWhereOneIsMissing) {
    entity.conflict = config::ConflictPolicy::newest;
    EXPECT_EQ(decide(2000), Side::later) << "the hub's value has no stamp";
    provenance.note("/status", "pms", 1000);
    EXPECT_EQ(decide(2000), Side::remote);
    EXPECT_EQ(decide(1000), Side::hub);
    EXPECT_EQ(decide(0), Side::later);
}

TEST_F(Rules, OwnersComeBeforeThePolicyAndByRank) {
    entity.conflict = config::ConflictPolicy::remote;
    entity.authority["/status"] = {"pms", "channel"};
    EXPECT_EQ(decide(), Side::remote) << "the hub's value is nobody's";
    provenance.note("/status", "pms", 0);
    EXPECT_EQ(decide(), Side::hub);
    me = "pms";
    EXPECT_EQ(decide(), Side::remote);
    me = "stranger";
    EXPECT_EQ(decide(), Side::hub);
}

TEST_F(Rules, TheNarrowestGroupCounts) {
    entity.authority["/"] = {"pms"};
    entity.authority["/status"] = {"channel"};
    provenance.note("/status", "pms", 0);
    EXPECT_EQ(decide(), Side::remote);
}

TEST_F(Rules, AChannelMayNotMoveAReservationOutOfCheckedIn) {
    const Schema* schema = CanonicalSchemas::embedded().find("reservation");
    ASSERT_NE(schema, nullptr);
    const auto may = [&](const char* from, const char* to) {
        return ConflictRules(schema, entity, me, provenance, 0, {}).may_move("/status", from, to);
    };
    EXPECT_TRUE(may("checked_in", "cancelled")) << "nobody else has a say";
    provenance.note("/status", "channel", 0);
    EXPECT_TRUE(may("checked_in", "cancelled")) << "it checked the guest in itself";
    provenance.note("/status", "pms", 0);
    EXPECT_FALSE(may("checked_in", "cancelled"));
    EXPECT_TRUE(may("checked_in", "checked_out"));
    EXPECT_TRUE(may("confirmed", "cancelled"));
    entity.authority["/status"] = {"channel"};
    EXPECT_TRUE(may("checked_in", "cancelled")) << "the owner may do what it likes";
}

// ---- fields that go back and forth ----

struct Swings : testing::Test {
    Provenance provenance{""};
    Instant now = from_unix_ms(1'772'355'600'000);
    json::value value = "A";
    // Somebody changes the field; false: it is frozen.
    bool set(const std::string& who, const char* to, Milliseconds later = std::chrono::minutes(1)) {
        now += later;
        provenance = Provenance(provenance.text());
        if (provenance.swings("/status", who, to, now)) {
            provenance.freeze("/status");
            return false;
        }
        provenance.note("/status", who, 0, value, to, now);
        value = to;
        return true;
    }
};

TEST_F(Swings, TheThirdTimeItComesBackIsNotTaken) {
    EXPECT_TRUE(set("pms", "B"));
    EXPECT_TRUE(set("channel", "A"));
    EXPECT_TRUE(set("pms", "B"));
    EXPECT_FALSE(set("channel", "A"));
    EXPECT_FALSE(set("channel", "C", std::chrono::hours(5))) << "until somebody decides";
    EXPECT_EQ(provenance.holder("/status"), "pms");
    provenance.thaw("/status");
    EXPECT_TRUE(set("channel", "A"));
    EXPECT_TRUE(set("pms", "B")) << "what was before the decision does not count any more";
}

TEST_F(Swings, WhatOneSystemDoesAloneIsItsOwnAffair) {
    for (const char* to : {"B", "A", "B", "A", "B", "A", "B"}) EXPECT_TRUE(set("pms", to));
}

TEST_F(Swings, ValuesThatGoOnDoNotSwing) {
    for (const char* to : {"B", "C", "D", "E", "F", "G", "H"}) {
        EXPECT_TRUE(set("pms", to));
        EXPECT_TRUE(set("channel", (std::string(to) + "2").c_str()));
    }
}

TEST_F(Swings, SlowlyIsNotBackAndForth) {
    for (int day = 0; day < 9; ++day) {
        EXPECT_TRUE(set("pms", "B", std::chrono::minutes(9)));
        EXPECT_TRUE(set("channel", "A", std::chrono::minutes(9)));
    }
}

TEST_F(Swings, NothingOfTheValuesIsKept) {
    value = "Ana Lima";
    set("pms", "Ana Lima-Costa");
    EXPECT_EQ(provenance.text().find("Lima"), std::string::npos) << provenance.text();
    EXPECT_LT(provenance.text().size(), 60u) << provenance.text();
}

TEST(Merge, WhatSwingsIsLeftAndSaidToWait) {
    MergeRules rules = all_to(Side::remote);
    rules.swings = [](std::string_view pointer, const json::value&) { return pointer == "/name"; };
    const json::object agreed = object(R"({"name":"A","price":1})");
    const Merge merged = merge(&agreed, nullptr, agreed, object(R"({"name":"B","price":2})"), rules);
    EXPECT_EQ(merged.content, object(R"({"name":"A","price":2})"));
    EXPECT_EQ(merged.base, object(R"({"name":"A","price":2})"));
    EXPECT_EQ(merged.frozen, std::vector<std::string>{"/name"});
    ASSERT_EQ(merged.open.size(), 1u);
    EXPECT_EQ(merged.open[0].remote, "B");
}

// ---- recognition ----

TEST(Recognition, ReadsEveryPlaceOfAName) {
    const Schema& schema = *CanonicalSchemas::embedded().find("customer");
    const json::object customer = object(
        R"({"email":" Ana@Example.org ","emails":[{"value":"b@x.example"}],"phones":[{"e164":"+33612345678"}]})");
    const store::MatchValues expected{
        {"email", "ana@example.org"}, {"email", "b@x.example"}, {"phone", "+33612345678"}};
    EXPECT_EQ(match_values(schema, {"email", "phone"}, customer), expected);
    EXPECT_TRUE(match_values(schema, {"email"}, object(R"({"surname":"A"})")).empty());
    EXPECT_EQ(unknown_match_name(schema, {"email", "shoe_size"}), "shoe_size");
    EXPECT_EQ(unknown_match_name(schema, {"email", "vat_id"}), "");
}

}  // namespace
}  // namespace liaisond::sync
