#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/system.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "config/cron.hpp"

namespace liaisond {
namespace {

TEST(Redact, BlankedCardNumbersStayNumbers) {
    EXPECT_EQ(blank_card_numbers(R"({"pan":4111111111111111,"text":"4111 1111-1111 1111"})"),
              R"({"pan":9000000000001111,"text":"9000 0000-0000 1111"})");
    for (const char* card : {"5555555555554444", "378282246310005", "6011111111111117", "4222222222222"}) {
        const std::string blanked = blank_card_numbers(card);
        EXPECT_NE(blanked, card);
        EXPECT_EQ(blank_card_numbers(blanked), blanked);
        EXPECT_EQ(mask_card_numbers(blanked), blanked) << "it is no card's number";
        EXPECT_EQ(blanked.substr(blanked.size() - 4), std::string(card).substr(blanked.size() - 4));
    }
}

TEST(Time, InstantsRoundTrip) {
    for (const char* text :
         {"1970-01-01T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "2026-11-21T02:30:00.120Z"}) {
        EXPECT_EQ(format_instant(*parse_instant(text)), text);
    }
    EXPECT_EQ(format_instant(*parse_instant("2026-03-06T20:30:00+01:00")), "2026-03-06T19:30:00.000Z");
    EXPECT_EQ(format_instant(*parse_instant("2026-03-06 00:10:00.5-0030")), "2026-03-06T00:40:00.500Z");
    for (const char* text : {"", "2026-03-06", "2026-02-30T00:00:00Z", "2026-03-06T24:00:00Z",
                             "2026-03-06T19:30:00", "2026-03-06T19:30:00Zx", "2026-03-06T-1:30:00Z"}) {
        EXPECT_FALSE(parse_instant(text)) << text;
    }
}

TEST(Time, Durations) {
    EXPECT_EQ(parse_duration("250ms").value(), Milliseconds(250));
    EXPECT_EQ(parse_duration("7d").value(), std::chrono::hours(168));
    EXPECT_EQ(format_duration(Milliseconds(90'000)), "90s");
    EXPECT_EQ(format_duration(Milliseconds(120'000)), "2m");
    for (const char* text : {"", "5", "m", "5 m", "-5m", "1.5h", "5y", "99999999999999999999s", "999999d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Text, NearestForgivesTyposAndNothingElse) {
    const std::vector<std::string> words{"schedule", "settings", "direction"};
    EXPECT_EQ(nearest("schedul", words), "schedule");
    EXPECT_EQ(nearest("direciton", words), "direction");
    EXPECT_EQ(nearest("colour", words), "");
    EXPECT_EQ(shortened("Hôtel Paradise", 8), "Hôte...");
    EXPECT_TRUE(valid_utf8("Hôtel"));
    EXPECT_FALSE(valid_utf8("\xC3"));
    EXPECT_FALSE(valid_utf8("\xED\xA0\x80"));
    EXPECT_FALSE(valid_utf8("\xC0\xAF"));
}

TEST(Ids, OperationKeysKeepPartsApart) {
    EXPECT_EQ(operation_key({"a", "bc"}), operation_key({"a", "bc"}));
    EXPECT_NE(operation_key({"a", "bc"}), operation_key({"ab", "c"}));
    EXPECT_EQ(operation_key({"a"}).size(), 27u);
    EXPECT_EQ(operation_key({"a"})[0], 'L');
}

TEST(Ids, UuidsSortByTime) {
    SystemRandom random;
    const Instant now = *parse_instant("2026-03-01T00:00:00Z");
    const std::string first = uuid_v7(now, random);
    EXPECT_LT(first, uuid_v7(now + Milliseconds(1), random));
    EXPECT_EQ(first.size(), 36u);
    EXPECT_EQ(first[14], '7');
    EXPECT_NE(uuid_v7(now, random), uuid_v7(now, random));
}

TEST(Redactor, MasksCardNumbersAndOnlyThem) {
    EXPECT_EQ(mask_card_numbers("card 4111111111111111 ok"), "card ****1111 ok");
    EXPECT_EQ(mask_card_numbers("4111 1111 1111 1111"), "****1111");
    EXPECT_EQ(mask_card_numbers("5500-0000-0000-0004."), "****0004.");
    EXPECT_EQ(mask_card_numbers("order 4111111111111112"), "order 4111111111111112") << "fails Luhn";
    EXPECT_EQ(mask_card_numbers("L4111111111111111"), "L4111111111111111") << "part of an id";
    EXPECT_EQ(mask_card_numbers("2026-03-06 19:30"), "2026-03-06 19:30");
}

TEST(Redactor, ScrubsLongerSecretsFirst) {
    Redactor redactor;
    redactor.add("hunter2");
    redactor.add("hunter2-and-more");
    redactor.add("abc");
    EXPECT_EQ(redactor.scrub("x hunter2-and-more y hunter2 abc"), "x *** y *** abc");
}

TEST(Redactor, IsSafeFromManyThreads) {
    Redactor redactor;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&redactor, i] {
            for (int n = 0; n < 200; ++n) {
                redactor.add("secret-" + std::to_string(i) + "-" + std::to_string(n));
                (void)redactor.scrub("nothing to see");
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(redactor.scrub("secret-3-199"), "***");
}

std::string next_cron(const char* expression, const char* after, const char* zone) {
    const auto next =
        config::Cron::parse(expression).value().next(*parse_instant(after), zone, SystemTimeZones());
    return next ? format_instant(*next) : "never";
}

TEST(Cron, FindsTheNextMinute) {
    EXPECT_EQ(next_cron("*/15 * * * *", "2026-03-01T10:07:00Z", "UTC"), "2026-03-01T10:15:00.000Z");
    EXPECT_EQ(next_cron("*/15 * * * *", "2026-03-01T10:15:00Z", "UTC"), "2026-03-01T10:30:00.000Z");
    EXPECT_EQ(next_cron("0 9 * * mon-fri", "2026-03-06T10:00:00Z", "UTC"), "2026-03-09T09:00:00.000Z");
    EXPECT_EQ(next_cron("0 0 29 feb *", "2026-03-01T00:00:00Z", "UTC"), "2028-02-29T00:00:00.000Z");
    EXPECT_EQ(next_cron("0 0 30 2 *", "2026-03-01T00:00:00Z", "UTC"), "never");
    EXPECT_EQ(next_cron("0 12 13 * 5", "2026-03-01T00:00:00Z", "UTC"), "2026-03-06T12:00:00.000Z")
        << "either day field may match";
}

TEST(Cron, RunsOnceOnBothDaysOfChangingClocks) {
    // Europe/Paris: 2026-03-29 02:30 does not exist, 2026-10-25 02:30 exists twice.
    EXPECT_EQ(next_cron("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Paris"), "2026-03-29T01:00:00.000Z");
    EXPECT_EQ(next_cron("30 2 * * *", "2026-03-29T01:00:00Z", "Europe/Paris"), "2026-03-30T00:30:00.000Z");
    EXPECT_EQ(next_cron("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Paris"), "2026-10-25T00:30:00.000Z");
    EXPECT_EQ(next_cron("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Paris"), "2026-10-26T01:30:00.000Z");
}

TEST(Cron, RefusesNonsense) {
    for (const char* text : {"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-1 * * * *",
                             "*/0 * * * *", "a * * * *", "* * * * funday"}) {
        EXPECT_FALSE(config::Cron::parse(text)) << text;
    }
}

}  // namespace
}  // namespace liaisond
