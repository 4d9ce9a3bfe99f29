// What becomes of an export whose answer was lost.
#include "sync/export_verdict.hpp"

#include <gtest/gtest.h>

#include "simulate/world.hpp"

namespace liaisond::sync {
namespace {

class Doubt : public testing::Test {
  protected:
    Doubt() {
        link.effects["product"] = EffectClass::upsert;
        link.config.settle = std::chrono::minutes(5);
        intent.entity = "product";
        intent.state = store::IntentState::sending;
        intent.attempt = 1;
    }
    store::Outcome lost() const {
        plugin::PushResult unknown;
        unknown.outcome = LIAISON_OUTCOME_UNKNOWN;
        return ExportVerdict(link, now, world).of_push(intent, unknown, true, Status());
    }
    mutable simulate::World world{1};
    Link link;
    store::Intent intent;
    Instant now = Instant(Milliseconds(1'700'000'000'000));
};

// Executed late it would undo whatever was written since.
TEST_F(Doubt, AnUpdateIsRepeatedWhenTheFirstOneHasSettled) {
    intent.external_id = "P1";
    EXPECT_GE(lost().next_at, now + link.config.settle);
}

// The next version would be sent at once, and undone by it.
TEST_F(Doubt, WhatIsGivenUpUnansweredHasSettledFirst) {
    intent.external_id = "P1";
    intent.attempt = link.config.retry.attempts;
    const store::Outcome waits = lost();
    EXPECT_EQ(waits.kind, store::Outcome::Kind::unknown);
    EXPECT_GE(waits.next_at, now + link.config.settle);
    EXPECT_NE(waits.message.find("given up after"), std::string::npos) << waits.message;
}

// A record that may be there is not forgotten when the hub's is deleted meanwhile: it must be known first.
TEST_F(Doubt, ACreateThatMayExistIsNotRenewed) {
    EXPECT_EQ(lost().kind, store::Outcome::Kind::unknown);
    intent.attempt = 2;
    intent.state = store::IntentState::sending;
    plugin::PushResult busy;
    busy.outcome = LIAISON_OUTCOME_RETRY;
    EXPECT_EQ(ExportVerdict(link, now, world).of_push(intent, busy, true, Status()).kind,
              store::Outcome::Kind::unknown);
}

// Looking again would find two again: somebody has to remove one.
TEST_F(Doubt, WhatIsFoundTwiceIsAMatterForAPerson) {
    link.effects["product"] = EffectClass::findable;
    link.can_find = true;
    intent.state = store::IntentState::unknown;
    plugin::PushResult twice;
    twice.outcome = LIAISON_OUTCOME_REJECTED;
    twice.category = LIAISON_ERROR_CONFLICT;
    twice.text = "2 records carry our reference";
    const auto outcome = ExportVerdict(link, now, world).of_search(intent, twice, Status());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->kind, store::Outcome::Kind::in_doubt);
    EXPECT_NE(outcome->message.find("the vendor has it twice (2 records carry our reference)"),
              std::string::npos)
        << outcome->message;
}

TEST_F(Doubt, ADeleteMayBeRepeatedAtOnce) {
    intent.external_id = "P1";
    intent.deleted = true;
    EXPECT_LT(lost().next_at, now + link.config.settle);
}

TEST_F(Doubt, WhatWasCertainlyNotExecutedIsRenewed) {
    plugin::PushResult busy;
    busy.outcome = LIAISON_OUTCOME_RETRY;
    EXPECT_EQ(ExportVerdict(link, now, world).of_push(intent, busy, true, Status()).kind,
              store::Outcome::Kind::retry);
}

}  // namespace
}  // namespace liaisond::sync
