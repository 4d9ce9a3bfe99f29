#include "sync/record_order.hpp"

#include <gtest/gtest.h>

namespace liaisond::sync {
namespace {

TEST(RecordOrder, GoesByTimesOfChange) {
    EXPECT_TRUE(is_older({1, ""}, {2, ""}));
    EXPECT_FALSE(is_older({2, ""}, {2, ""}));
    EXPECT_FALSE(is_older({3, ""}, {2, ""}));
    EXPECT_FALSE(is_older({0, ""}, {2, ""})) << "0 says nothing";
    EXPECT_FALSE(is_older({1, ""}, {0, ""}));
}

TEST(RecordOrder, GoesByVersionsThatAreNumbersOrInstants) {
    EXPECT_TRUE(is_older({0, "9"}, {0, "10"}));
    EXPECT_TRUE(is_older({0, "0009"}, {0, "10"}));
    EXPECT_FALSE(is_older({0, "10"}, {0, "010"}));
    EXPECT_TRUE(is_older({0, "9"}, {0, "100000000000000000000000"}));
    EXPECT_TRUE(is_older({0, "2026-01-01T09:00:00Z"}, {0, "2026-01-01T10:00:00Z"}));
    EXPECT_FALSE(is_older({0, "abc"}, {0, "abd"})) << "an ETag has no order";
    EXPECT_FALSE(is_older({0, "1"}, {0, "2026-01-01T10:00:00Z"}));
    EXPECT_FALSE(is_older({0, ""}, {0, "2"}));
}

TEST(RecordOrder, EitherMayShowThatAStateIsOlder) {
    EXPECT_TRUE(is_older({1, "5"}, {2, "4"}));
    EXPECT_TRUE(is_older({2, "4"}, {1, "5"}));
}

}  // namespace
}  // namespace liaisond::sync
