#include "ctl/format.hpp"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace liaisond::ctl {
namespace {

TEST(CtlFormat, Numbers) {
    EXPECT_EQ(format_number(0), "0");
    EXPECT_EQ(format_number(999), "999");
    EXPECT_EQ(format_number(12345), "12,345");
    EXPECT_EQ(format_number(1234567), "1,234,567");
    EXPECT_EQ(format_number(-123), "-123");
    EXPECT_EQ(format_number(-1234), "-1,234");
    EXPECT_EQ(format_count(1, "run"), "1 run");
    EXPECT_EQ(format_count(0, "run"), "0 runs");
    EXPECT_EQ(format_count(2, "record is", "records are"), "2 records are");
}

TEST(CtlFormat, Spans) {
    EXPECT_EQ(format_span(Milliseconds(0)), "0 ms");
    EXPECT_EQ(format_span(Milliseconds(999)), "999 ms");
    EXPECT_EQ(format_span(Milliseconds(1234)), "1.2 s");
    EXPECT_EQ(format_span(Milliseconds(59'940)), "59.9 s");
    EXPECT_EQ(format_span(Milliseconds(60'000)), "1 min 00 s");
    EXPECT_EQ(format_span(Milliseconds(125'000)), "2 min 05 s");
    EXPECT_EQ(format_span(Milliseconds(11'400'000)), "3 h 10 min");
    EXPECT_EQ(format_span(Milliseconds(352'800'000)), "4 d 2 h");
}

// Whatever rounds up to a minute is said in minutes, without a gap between the two forms.
TEST(CtlFormat, SpansNeverSaySixtySeconds) {
    for (int ms = 59'900; ms <= 60'100; ++ms) {
        const std::string text = format_span(Milliseconds(ms));
        EXPECT_TRUE(text == "59.9 s" || text == "1 min 00 s") << ms << " gives " << text;
    }
}

TEST(CtlFormat, Bytes) {
    EXPECT_EQ(format_bytes(812), "812 B");
    EXPECT_EQ(format_bytes(1434), "1.4 KiB");
    EXPECT_EQ(format_bytes(32 * 1024 * 1024), "32.0 MiB");
    EXPECT_EQ(format_bytes(std::int64_t{3} * 1024 * 1024 * 1024), "3.0 GiB");
}

TEST(CtlFormat, LocalTimes) {
    const char* before = std::getenv("TZ");
    const std::string kept = before == nullptr ? "" : before;
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
    EXPECT_EQ(format_local(*parse_instant("2026-03-06T18:30:05.999Z")), "2026-03-06 19:30:05");
    EXPECT_EQ(format_local(*parse_instant("2026-07-06T18:30:05Z")), "2026-07-06 20:30:05");
    EXPECT_EQ(format_local(std::optional<Instant>()), "");
    if (before == nullptr)
        ::unsetenv("TZ");
    else
        ::setenv("TZ", kept.c_str(), 1);
    ::tzset();
}

TEST(CtlFormat, AgesAndExpectations) {
    const Instant now = *parse_instant("2026-03-06T18:30:00Z");
    EXPECT_EQ(format_age(now, now), "just now");
    EXPECT_EQ(format_age(now - std::chrono::seconds(90), now), "90 s ago");
    EXPECT_EQ(format_age(now - std::chrono::minutes(5), now), "5 min ago");
    EXPECT_EQ(format_age(now - std::chrono::hours(50), now), "2 d ago");
    EXPECT_EQ(format_until(now - std::chrono::seconds(5), now), "now");
    EXPECT_EQ(format_until(now + std::chrono::minutes(5), now), "in 5 min");
}

TEST(CtlFormat, MakesForeignTextHarmless) {
    EXPECT_EQ(one_line("a\nb\tc\r\n"), "a b c");
    EXPECT_EQ(one_line("\x1b]0;title\x07"), "?]0;title?");
    EXPECT_EQ(one_line("Hôtel \xff\xc3"), "Hôtel ??");
    EXPECT_EQ(one_line("\xc2\x9b"
                       "31m"),
              "?31m");  // the one-character form of ESC [
    EXPECT_EQ(many_lines("a\nb\x1b"), "a\nb?");
}

}  // namespace
}  // namespace liaisond::ctl
