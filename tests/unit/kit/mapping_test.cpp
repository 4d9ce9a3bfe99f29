#include <liaison/kit/http.hpp>
#include <liaison/kit/mapping.hpp>

#include <gtest/gtest.h>

namespace {

using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;
using namespace liaison::kit;

Mapping mapping(std::string_view fields, MappingDefaults defaults = {}) {
    return Mapping::of_pointers(Json::parse(fields), std::move(defaults));
}
std::string read(std::string_view fields, std::string_view record, MappingDefaults defaults = {}) {
    try {
        return mapping(fields, std::move(defaults)).read(Json::parse(record)).dump();
    } catch (const ValueError& error) { return error.what(); }
}
std::string config_fault(std::string_view fields, bool writable = false) {
    try {
        const Mapping made = mapping(fields);
        if (writable) made.require_writable();
        return "accepted";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.kind, ErrorKind::config);
        return failure.what();
    }
}

}  // namespace

TEST(Mapping, TypesOfValues) {
    EXPECT_EQ(read(R"({"/a":"/x"})", R"({"x":" t "})"), R"({"a":"t"})");
    EXPECT_EQ(read(R"({"/a":"/x"})", R"({"x":7})"), R"({"a":"7"})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"integer"}})", R"({"x":"7.0"})"), R"({"a":7})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"decimal"}})", R"({"x":1.50})"), R"({"a":"1.5"})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"boolean"}})", R"({"x":"Yes"})"), R"({"a":true})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"percent"}})", R"({"x":"5.5"})"), R"({"a":55000})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"fraction"}})", R"({"x":0.15})"), R"({"a":150000})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"country"}})", R"({"x":"prt"})"), R"({"a":"PT"})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"json"}})", R"({"x":{"y":[1.0]}})"), R"({"a":{"y":[1.0]}})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","date":"%d/%m/%Y"}})", R"({"x":"31/12/2026"})"),
              R"({"a":"2026-12-31"})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","as":"instant"}})", R"({"x":"2026-01-01T02:00:00+02:00"})"),
              R"({"a":"2026-01-01T00:00:00Z"})");
    EXPECT_EQ(
        read(R"({"/a":{"from":"/x","as":"instant","zone":"+02:00"}})", R"({"x":"2026-01-01 02:00:00"})"),
        R"({"a":"2026-01-01T00:00:00Z"})");
    EXPECT_EQ(read(R"({"/a":{"value":{"k":1}}})", "{}"), R"({"a":{"k":1}})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","prefix":"no-"}})", R"({"x":1})"), R"({"a":"no-1"})");
}

TEST(Mapping, Money) {
    EXPECT_EQ(read(R"({"/t":{"from":"/p","money":"EUR"}})", R"({"p":"12.3"})"),
              R"({"t":{"amount":1230,"currency":"EUR"}})");
    EXPECT_EQ(read(R"({"/t":{"from":"/p","currency_from":"/c"}})", R"({"p":12,"c":"JPY"})"),
              R"({"t":{"amount":12,"currency":"JPY"}})");
    EXPECT_EQ(read(R"({"/t":{"from":"/p","money":"EUR","minor":true}})", R"({"p":1230})"),
              R"({"t":{"amount":1230,"currency":"EUR"}})");
    EXPECT_EQ(
        read(R"({"/t":{"from":"/p","times":["/n","/m"],"money":"EUR"}})", R"({"p":"84.67","n":2,"m":4})"),
        R"({"t":{"amount":50802,"currency":"EUR"}})");
    EXPECT_NE(read(R"({"/t":{"from":"/p","money":"EUR"}})", R"({"p":"12.345"})").find("money_precision"),
              std::string::npos);
    EXPECT_EQ(read(R"({"/t":{"from":"/p","money":"EUR","round":"half_up"}})", R"({"p":"12.345"})"),
              R"({"t":{"amount":1235,"currency":"EUR"}})");
    EXPECT_NE(read(R"({"/t":{"from":"/p","currency_from":"/c"}})", R"({"p":12,"c":"eur"})").find("ISO 4217"),
              std::string::npos);
    MappingDefaults comma;
    comma.decimals = {',', '.'};
    EXPECT_EQ(read(R"({"/t":{"from":"/p","money":"EUR"}})", R"({"p":"-1.234,50"})", comma),
              R"({"t":{"amount":-123450,"currency":"EUR"}})");
}

TEST(Mapping, NullsDefaultsAndRequired) {
    EXPECT_EQ(read(R"({"/a":"/x","/b":"/y"})", R"({"x":null,"y":""})"), "{}");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","default":"d"}})", "{}"), R"({"a":"d"})");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","nulls":["NULL","-"]}})", R"({"x":"-"})"), "{}");
    EXPECT_EQ(read(R"({"/a":{"from":"/x","required":true}})", "{}"),
              "/a from '/x': found \"\", expected a value");
    EXPECT_EQ(read(R"({"/a":{"from":["/x","/y","/z"]}})", R"({"x":"A","z":"C"})"), R"({"a":"A C"})");
    EXPECT_EQ(read(R"({"/a":{"from":["/x","/y"],"date":"%Y %m"}})", R"({"x":"2026"})"), "{}");
}

TEST(Mapping, TablesOfValues) {
    const char* fields = R"({"/s":{"from":"/x","values":{"1":"open","true":false}}})";
    EXPECT_EQ(read(fields, R"({"x":1})"), R"({"s":"open"})");
    EXPECT_EQ(read(fields, R"({"x":true})"), R"({"s":false})");
    EXPECT_EQ(read(fields, R"({"x":"2"})"), "/s from '/x': found \"2\", expected one of: 1, true");
    EXPECT_EQ(read(R"({"/s":{"from":"/x","values":{"1":"a"},"otherwise":"unknown"}})", R"({"x":"2"})"),
              R"({"s":"unknown"})");
}

TEST(Mapping, AllFaultsAreNamedAtOnce) {
    EXPECT_EQ(
        read(R"({"/a":{"from":"/x","as":"integer"},"/b":{"from":"/y","date":"%Y-%m-%d"},"/c":{"from":"/z"}})",
             R"({"x":"1.5","y":"soon","z":[1]})"),
        "/a from '/x': found \"1.5\", expected a whole number; /b from '/y': found \"soon\", expected a date "
        "like "
        "2026-01-31; /c from '/z': found \"[...]\", expected a single value");
}

TEST(Mapping, PlusDays) {
    const char* fields = R"({"/d":{"from":["/y","/m","/n"],"date":"%Y %B %d","plus_days":["/a","/b"]}})";
    EXPECT_EQ(read(fields, R"({"y":2015,"m":"December","n":30,"a":1,"b":2})"), R"({"d":"2016-01-02"})");
    EXPECT_EQ(read(fields, R"({"y":2015,"m":"December","n":30,"a":0,"b":0})"), R"({"d":"2015-12-30"})");
    EXPECT_NE(read(fields, R"({"y":2015,"m":"December","n":30,"a":99999,"b":0})").find("sensible"),
              std::string::npos);
    EXPECT_NE(read(fields, R"({"y":2015,"m":"December","n":30,"a":"x","b":0})").find("'/a'"),
              std::string::npos);
    EXPECT_EQ(read(R"({"/d":{"from":"/x","date":"%Y-%m-%d","plus_days":-1}})", R"({"x":"2026-01-01"})"),
              R"({"d":"2025-12-31"})");
}

TEST(Mapping, NestedArrays) {
    const char* fields =
        R"({"/lines":{"each":"/rows","fields":{"/sku":"/s","/quantity":{"from":"/q","as":"decimal"}}}})";
    EXPECT_EQ(read(fields, R"({"rows":[{"s":"a","q":1.0},{"s":"b","q":2.5}]})"),
              R"({"lines":[{"sku":"a","quantity":"1"},{"sku":"b","quantity":"2.5"}]})");
    EXPECT_EQ(read(fields, R"({"rows":[{"s":"a","q":"x"}]})"),
              "/lines/0: /quantity from '/q': found \"x\", expected a decimal number");
    EXPECT_EQ(read(fields, R"({"rows":{}})"), "/lines from '/rows': found \"\", expected an array");
    EXPECT_EQ(read(fields, "{}"), "{}");
}

// Reading what was written gives the same record, for every kind of field that can be written.
TEST(Mapping, WritingIsTheInverseOfReading) {
    const Mapping both = mapping(R"({
        "/text": "/t", "/int": {"from":"/i","as":"integer"}, "/dec": {"from":"/n/d","as":"decimal"},
        "/total": {"from":"/amount","currency_from":"/cur"}, "/fee": {"from":"/fee","money":"KWD"},
        "/cents": {"from":"/cents","money":"EUR","minor":true},
        "/day": {"from":"/day","date":"%d %b %y"}, "/at": {"from":"/at","instant":"%d/%m/%Y %H:%M:%S","zone":"-03:30"},
        "/yes": {"from":"/yes","as":"boolean"}, "/st": {"from":"/st","values":{"1":"open","2":"shut"},"write":"number"},
        "/ppm": {"from":"/pct","as":"percent"}, "/part": {"from":"/part","as":"fraction"}, "/c": {"value":"const"},
        "/no": {"from":"/no","prefix":"SO-"}, "/raw": {"from":"/raw","as":"json"},
        "/lines": {"each":"/rows","fields":{"/q":{"from":"/q","as":"decimal","write":"string"}}},
        "/sum": {"from":["/i","/i"],"join":"-","direction":"import"}})");
    both.require_writable();
    const Json record =
        Json::parse(R"({"text":"x","int":-5,"dec":"0.10","total":{"amount":-1205,"currency":"EUR"},
        "fee":{"amount":5,"currency":"KWD"},"cents":{"amount":99,"currency":"EUR"},"day":"2026-02-28",
        "at":"2026-03-01T02:15:00Z","yes":false,"st":"shut","ppm":55500,"part":150000,"no":"SO-17","raw":[1,{"a":null}],
        "lines":[{"q":"1.5"},{"q":"2"}]})");
    const Json written = both.write_json(record);
    EXPECT_EQ(
        written.dump(),
        R"({"t":"x","i":-5,"n":{"d":0.10},"amount":-12.05,"cur":"EUR","fee":0.005,"cents":99,"day":"28 Feb 26",)"
        R"("at":"28/02/2026 22:45:00","yes":false,"st":2,"pct":5.55,"part":0.15,"no":"17","raw":[1,{"a":null}],)"
        R"("rows":[{"q":"1.5"},{"q":"2"}]})");
    const Json again = both.read(written);
    for (const Json::Member& member : record.members()) {
        if (member.key == "no" || member.key == "dec") continue;
        ASSERT_NE(again.find(member.key), nullptr) << member.key;
        EXPECT_EQ(again.find(member.key)->dump(), member.value.dump());
    }
    EXPECT_EQ(again.find("no")->as_string(), "SO-17");
    EXPECT_EQ(again.find("dec")->as_string(), "0.1");
}

TEST(Mapping, WritingRows) {
    MappingDefaults defaults;
    defaults.decimals.point = ',';
    const Mapping columns = Mapping::of_columns(
        Json::parse(
            R"({"/name":"n","/price":{"from":"p","as":"decimal"},"/on":{"from":"o","as":"boolean"}})"),
        defaults);
    EXPECT_EQ(columns.write_row(Json::parse(R"({"name":"a","price":"1.50","on":true})")),
              (std::vector<std::string>{"a", "1,50", "true"}));
    EXPECT_EQ(columns.write_row(Json::parse(R"({"name":null})")), (std::vector<std::string>{"", "", ""}));
}

TEST(Mapping, RecordsThatCannotBeWritten) {
    const auto fault = [](std::string_view fields, std::string_view record) {
        try {
            return mapping(fields).write_json(Json::parse(record)).dump();
        } catch (const ValueError& error) { return std::string(error.what()); }
    };
    EXPECT_NE(
        fault(R"({"/t":{"from":"/p","money":"EUR"}})", R"({"t":{"amount":1,"currency":"USD"}})").find("USD"),
        std::string::npos);
    EXPECT_NE(fault(R"({"/s":{"from":"/x","values":{"1":"a"}}})", R"({"s":"b"})").find("'values'"),
              std::string::npos);
    EXPECT_NE(fault(R"({"/s":{"from":"/x","prefix":"P"}})", R"({"s":"b"})").find("prefix"),
              std::string::npos);
    EXPECT_NE(fault(R"({"/s":{"from":"/x","required":true}})", "{}").find("no such value"),
              std::string::npos);
    EXPECT_NE(fault(R"({"/d":{"from":"/x","date":"%Y"}})", R"({"d":"2026-13-01"})").find("a date"),
              std::string::npos);
    EXPECT_EQ(fault(R"({"/s":"/x"})", R"({"s":null})"), R"({"x":null})");
}

TEST(Mapping, SettingsThatMakeNoSense) {
    EXPECT_EQ(config_fault(R"({"/a":{"as":"text"}})"), "fields: /a: needs one of 'from', 'value' and 'each'");
    EXPECT_NE(config_fault(R"({"a":"/x"})").find("JSON pointer"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":"x"})").find("JSON pointer"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":{"from":"/x","date":"%Q"}})").find("%Q"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":{"from":"/x","as":"money"}})").find("currency"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":{"from":"/x","money":"XYZ"}})").find("XYZ"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":{"from":"/x","zone":"Paris"}})").find("zone"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":{"from":["/x","/y"]}})", true).find("joined"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":{"from":"/x","times":"/y"}})", true).find("times"), std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":{"from":"/x","values":{"1":"a","2":"a"}}})", true).find("'1' and '2'"),
              std::string::npos);
    EXPECT_NE(config_fault(R"({"/a":"/x","/b":"/x"})", true).find("both /a and /b"), std::string::npos);
    EXPECT_NE(
        config_fault(R"({"/l":{"each":"/r","fields":{"/a":{"from":["/x","/y"]}}}})", true).find("joined"),
        std::string::npos);
    EXPECT_EQ(config_fault(R"({"/a":"/x","/b":{"from":"/x","direction":"import"}})", true), "accepted");
}

TEST(Http, RetryAfter) {
    liaison::Response response;
    const auto wait = [&](std::string value) {
        response.headers.clear();
        response.headers.emplace_back("retry-after", std::move(value));
        const auto delay = retry_after(response, 1767225600000);
        return delay ? delay->count() : -1;
    };
    EXPECT_EQ(wait("3"), 3000);
    EXPECT_EQ(wait("Thu, 01 Jan 2026 00:00:10 GMT"), 10'000);
    EXPECT_EQ(wait("Wed, 31 Dec 2025 00:00:00 GMT"), 0);
    EXPECT_EQ(wait("999999999"), 86'400'000);
    EXPECT_EQ(wait("soon"), -1);
    response.headers = {{"Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT"},
                        {"Date", "Sun, 01 Mar 2026 12:00:20 GMT"}};
    EXPECT_EQ(retry_after(response, 1767225600000)->count(), 10'000) << "the vendor's clock goes by itself";
    EXPECT_EQ(wait("-1"), -1);
}

TEST(Http, LinksAndUrls) {
    liaison::Response response;
    response.headers.emplace_back("LINK",
                                  "<https://a/1>; rel=\"prev\", <https://a/3>; title=\"x\"; rel=\"next\"");
    EXPECT_EQ(link_target(response, "next"), "https://a/3");
    EXPECT_EQ(link_target(response, "last"), "");
    EXPECT_EQ(resolve_url("https://h/v1/x?a=1", "/y"), "https://h/y");
    EXPECT_EQ(resolve_url("https://h/v1/x?a=1", "?p=2"), "https://h/v1/x?p=2");
    EXPECT_EQ(resolve_url("https://h/v1", "http://other/z"), "http://other/z");
    EXPECT_EQ(origin_of("https://h:8443/x"), "https://h:8443");
    EXPECT_EQ(origin_of("ftp://h/x"), "");
}
