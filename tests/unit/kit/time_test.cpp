#include <liaison/kit/time.hpp>

#include <gtest/gtest.h>

using namespace liaison::kit;

namespace {

std::string date(std::string_view format, std::string_view text) {
    const std::optional<Date> parsed = parse_date(format, text);
    return parsed ? date_text(*parsed) : "no date";
}

}  // namespace

TEST(Time, Formats) {
    EXPECT_EQ(date("%Y-%m-%d", "2026-02-28"), "2026-02-28");
    EXPECT_EQ(date("%d/%m/%Y", "1/2/2026"), "2026-02-01");
    EXPECT_EQ(date("%m/%d/%Y", "7/1/2015"), "2015-07-01");
    EXPECT_EQ(date("%Y%m%d", "20260102"), "2026-01-02");
    EXPECT_EQ(date("%d.%m.%y", "31.12.68"), "2068-12-31");
    EXPECT_EQ(date("%d.%m.%y", "31.12.69"), "1969-12-31");
    EXPECT_EQ(date("%Y %B %d", "2015   July 1"), "2015-07-01");
}

TEST(Time, MonthNamesInTwoLanguages) {
    const char* english[] = {"January", "February", "March",     "April",   "May",      "June",
                             "July",    "August",   "September", "October", "November", "December"};
    const char* french[] = {"janvier", "f\u00e9vrier", "mars",      "avril",   "mai",      "juin",
                            "juillet", "ao\u00fbt",    "septembre", "octobre", "novembre", "d\u00e9cembre"};
    for (int month = 1; month <= 12; ++month) {
        const std::string expected = date_text(Date{2026, month, 3});
        const auto index = static_cast<std::size_t>(month - 1);
        EXPECT_EQ(date("%d %B %Y", std::string("3 ") + english[index] + " 2026"), expected);
        EXPECT_EQ(date("%d %b %Y", std::string("3 ") + std::string(english[index]).substr(0, 3) + " 2026"),
                  expected);
        EXPECT_EQ(date("%d %B %Y", std::string("3 ") + french[index] + " 2026"), expected);
    }
    EXPECT_EQ(date("%d %b %Y", "14 F\u00c9VR. 2026"), "2026-02-14");
    EXPECT_EQ(date("%d %B %Y", "14 Februar 2026"), "no date");
}

TEST(Time, RefusesWhatIsNoDate) {
    for (const char* text :
         {"2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "26-01-01", "2026-01-01x", "", "2026-01"}) {
        EXPECT_EQ(date("%Y-%m-%d", text), "no date") << text;
    }
    EXPECT_EQ(date("%Y-%m-%d", "2024-02-29"), "2024-02-29");
    EXPECT_EQ(date("%Y-%m-%d", "1900-02-29"), "no date");
    EXPECT_FALSE(time_format_fault("%Q").empty());
    EXPECT_FALSE(time_format_fault("%").empty());
    EXPECT_TRUE(time_format_fault("%Y-%m-%dT%H:%M:%S%z").empty());
}

// Every day of eight centuries: days and dates are inverse, and consecutive.
TEST(Time, CivilCalendar) {
    Date expected{1600, 1, 1};
    const std::int64_t first = expected.days();
    EXPECT_EQ(first, -135140);
    EXPECT_EQ((Date{1970, 1, 1}.days()), 0);
    for (std::int64_t day = first; day < first + 292'194; ++day) {
        const Date date = Date::from_days(day);
        ASSERT_EQ(date, expected) << day;
        ASSERT_EQ(date.days(), day);
        if (++expected.day > Date::days_in(expected.year, expected.month)) {
            expected.day = 1;
            if (++expected.month > 12) expected.month = 1, ++expected.year;
        }
    }
    EXPECT_EQ(date_text(Date{2024, 2, 28}.plus_days(2)), "2024-03-01");
    EXPECT_EQ(date_text(Date{2026, 1, 1}.plus_days(-1)), "2025-12-31");
}

TEST(Time, Instants) {
    EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(parse_rfc3339("2026-01-01T01:30:00.250+02:00"), 1767223800250);
    EXPECT_EQ(parse_rfc3339("2026-01-01 00:00:00-0500"), 1767243600000);
    EXPECT_EQ(parse_rfc3339("2026-01-01T00:00:00"), std::nullopt);
    EXPECT_EQ(parse_rfc3339("2026-01-01T24:00:00Z"), std::nullopt);
    for (std::int64_t ms : {std::int64_t(0), std::int64_t(-1), std::int64_t(1767223800250),
                            std::int64_t(-86'400'001), std::int64_t(253402300799999)}) {
        EXPECT_EQ(parse_rfc3339(rfc3339(ms)), ms) << rfc3339(ms);
    }
    EXPECT_EQ(rfc3339(1767225600000), "2026-01-01T00:00:00Z");
    EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT"), 1445412480000);
    EXPECT_EQ(parse_http_date("soon"), std::nullopt);
}

TEST(Time, FormatsBack) {
    const DateTime value{Date{2026, 3, 5}, 3'723'000, 120};
    for (const char* format : {"%Y-%m-%dT%H:%M:%S%z", "%d %B %y %H:%M:%S %z", "%d/%b/%Y %H:%M:%S%z"}) {
        const std::optional<DateTime> again = parse_time(format, format_time(format, value));
        ASSERT_TRUE(again) << format_time(format, value);
        EXPECT_EQ(again->unix_ms(), value.unix_ms());
    }
}

TEST(Time, Durations) {
    EXPECT_EQ(parse_duration("250ms"), 250);
    EXPECT_EQ(parse_duration("5m"), 300'000);
    EXPECT_EQ(parse_duration("7d"), 604'800'000);
    for (const char* text : {"", "5", "m", "-5m", "5 m", "1w"}) EXPECT_FALSE(parse_duration(text)) << text;
}
