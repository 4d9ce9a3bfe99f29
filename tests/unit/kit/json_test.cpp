#include <liaison/kit/json.hpp>

#include <gtest/gtest.h>

using liaison::Json;
using liaison::JsonError;

TEST(Json, KeepsNumbersAndOrderAsWritten) {
    for (const char* text : {"0", "-0", "1.50", "12345678901234567890.123456789", "1E+2", "1e-7",
                             "[1.0,2.00]", R"({"z":1,"a":[true,false,null],"m":{"x":0.10}})"}) {
        EXPECT_EQ(Json::parse(text).dump(), text);
    }
}

TEST(Json, RefusesWhatIsNotJsonAndSaysWhere) {
    const std::pair<const char*, std::size_t> cases[] = {{"", 0},
                                                         {"{", 1},
                                                         {"[1,]", 3},
                                                         {"{\"a\" 1}", 5},
                                                         {"01", 1},
                                                         {"1.", 2},
                                                         {"-", 1},
                                                         {"+1", 0},
                                                         {".5", 0},
                                                         {"1e", 2},
                                                         {"tru", 0},
                                                         {"\"a", 2},
                                                         {"\"\n\"", 1},
                                                         {"\"\\x\"", 2},
                                                         {"\"\xff\"", 1},
                                                         {"\"\xc0\xaf\"", 1},
                                                         {"\"\xed\xa0\x80\"", 1},
                                                         {"1 2", 2},
                                                         {"\"\\u12\"", 3},
                                                         {"NaN", 0},
                                                         {"{a:1}", 1}};
    for (const auto& [text, offset] : cases) {
        try {
            Json::parse(text);
            ADD_FAILURE() << "accepted: " << text;
        } catch (const JsonError& error) { EXPECT_EQ(error.offset, offset) << text << ": " << error.what(); }
    }
}

TEST(Json, LimitsDepth) {
    const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_NO_THROW(Json::parse(nested(Json::max_depth)));
    EXPECT_THROW(Json::parse(nested(Json::max_depth + 1)), JsonError);
    EXPECT_THROW(Json::parse(std::string(100'000, '[')), JsonError);
}

TEST(Json, LimitsTheLengthOfNumbers) {
    EXPECT_NO_THROW(Json::parse(std::string(Json::max_number_length, '1')));
    EXPECT_THROW(Json::parse(std::string(Json::max_number_length + 1, '1')), JsonError);
}

TEST(Json, Escapes) {
    EXPECT_EQ(Json::parse(R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")").as_string(),
              "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80");
    EXPECT_EQ(Json::parse(R"("a\ud83d")").as_string(), "a\xEF\xBF\xBD");
    EXPECT_EQ(Json::parse(R"("\ud83dx")").as_string(), "\xEF\xBF\xBDx");
    EXPECT_EQ(Json(std::string("\x01\"\\\n", 4)).dump(), R"("\u0001\"\\\n")");
}

TEST(Json, TheLastOfRepeatedKeysCounts) {
    EXPECT_EQ(Json::parse(R"({"a":1,"b":2,"a":3})").dump(), R"({"a":3,"b":2})");
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\":0,";
    const Json json = Json::parse(many + "\"k7\":1}");
    EXPECT_EQ(json.members().size(), 100u);
    EXPECT_EQ(json.find("k7")->to_int(), 1);
}

TEST(Json, Pointers) {
    // The examples of RFC 6901.
    const Json json = Json::parse(R"({"foo":["bar","baz"],"":0,"a/b":1,"m~n":8,"o":{"p":[{"q":9}]}})");
    EXPECT_EQ(json.at("")->kind(), Json::Kind::object);
    EXPECT_EQ(json.at("/foo/0")->as_string(), "bar");
    EXPECT_EQ(json.at("/")->to_int(), 0);
    EXPECT_EQ(json.at("/a~1b")->to_int(), 1);
    EXPECT_EQ(json.at("/m~0n")->to_int(), 8);
    EXPECT_EQ(json.at("/o/p/0/q")->to_int(), 9);
    for (const char* missing : {"/foo/2", "/foo/00", "/foo/-", "/foo/x", "/nope/x", "/foo/0/x"})
        EXPECT_EQ(json.at(missing), nullptr);
    EXPECT_THROW(json.at("foo"), JsonError);
    EXPECT_THROW(json.at("/a~2"), JsonError);
}

TEST(Json, PlaceCreatesContainers) {
    Json json = Json::object();
    json.place("/stays/0/adults") = 2;
    json.place("/stays/0/room") = "A";
    json.place("/stays/-/adults") = 1;
    json.place("/x/1") = true;
    EXPECT_EQ(json.dump(), R"({"stays":[{"adults":2,"room":"A"},{"adults":1}],"x":{"1":true}})");
    EXPECT_THROW(json.place("/stays/5/adults"), JsonError);
    EXPECT_THROW(json.place("/stays/0/adults/deeper"), JsonError);
}

TEST(Json, Integers) {
    EXPECT_EQ(Json::parse("9223372036854775807").to_int(), INT64_MAX);
    EXPECT_EQ(Json::parse("9223372036854775808").to_int(), std::nullopt);
    EXPECT_EQ(Json::parse("1.0").to_int(), std::nullopt);
    EXPECT_EQ(Json("1").to_int(), std::nullopt);
    EXPECT_TRUE(Json(true).is_bool());
    EXPECT_TRUE(Json("text").is_string());
    EXPECT_EQ(Json(std::uint64_t(18446744073709551615u)).dump(), "18446744073709551615");
}
