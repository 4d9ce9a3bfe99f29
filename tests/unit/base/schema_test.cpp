#include "base/schema.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <random>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "paths.hpp"
#include "sync/canonical.hpp"

namespace liaisond {
namespace {
namespace json = boost::json;

Schema compiled(const char* text) { return Schema::compile(json::parse(text)).value(); }
std::string first_fault(const char* schema, const char* value) {
    const auto faults = compiled(schema).check(json::parse(value));
    return faults.empty() ? "" : faults[0].pointer + " " + faults[0].message;
}

TEST(Schema, SaysWhereAndWhatAndWhatIsAllowed) {
    EXPECT_EQ(first_fault(R"({"type":"integer"})", "\"x\""), " is \"x\"; expected integer");
    EXPECT_EQ(first_fault(R"({"properties":{"a/b":{"maximum":10}}})", R"({"a/b":12})"),
              "/a~1b is 12, above the maximum 10");
    EXPECT_EQ(first_fault(R"({"items":{"enum":["import","export"]}})", R"(["exprot"])"),
              "/0 is \"exprot\"; allowed: import or export; did you mean 'export'?");
    EXPECT_EQ(
        first_fault(R"({"properties":{"schedule":{}},"additionalProperties":false})", R"({"schedul":1})"),
        "/schedul is not a known key; did you mean 'schedule'?");
    EXPECT_EQ(first_fault(R"({"required":["key"]})", "{}"), " lacks 'key'");
    EXPECT_EQ(first_fault(R"({"pattern":"^[A-Z]{3}$"})", "\"eur\""),
              " is 'eur', which does not have the form ^[A-Z]{3}$");
    EXPECT_EQ(first_fault(R"({"format":"date"})", "\"2026-02-30\""),
              " is '2026-02-30'; expected a date such as 2026-03-06");
}

TEST(Schema, LengthsCountCharactersNotBytes) {
    EXPECT_EQ(first_fault(R"({"maxLength":5})", "\"Hôtel\""), "");
    EXPECT_NE(first_fault(R"({"maxLength":4})", "\"Hôtel\""), "");
}

TEST(Schema, ReferencesMayBeRecursive) {
    const char* tree =
        R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}})";
    EXPECT_EQ(first_fault(tree, R"({"children":[{"children":[]}]})"), "");
    EXPECT_EQ(first_fault(tree, R"({"children":[{"children":[7]}]})"),
              "/children/0/children/0 is 7; expected object");
}

TEST(Schema, ReferencesMayNotGoRoundTheSameValue) {
    for (const char* text :
         {R"({"$ref":"#"})", R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#"}]}}})",
          R"({"properties":{"a":{"$ref":"#/$defs/b"}},"$defs":{"b":{"oneOf":[{"$ref":"#/$defs/b"}]}}})"}) {
        const auto compiled = Schema::compile(boost::json::parse(text));
        ASSERT_FALSE(compiled) << text;
        EXPECT_NE(compiled.error().message.find("refers to itself"), std::string::npos)
            << compiled.error().message;
    }
}

TEST(Schema, APatternThatWouldTakeForEverIsNotFound) {
    const auto schema =
        Schema::compile(boost::json::parse(R"({"type":"string","pattern":"^(a|aa|a?)+(a|aa|a?)+$"})"));
    ASSERT_TRUE(schema);
    EXPECT_EQ(schema->check(boost::json::value(std::string(200, 'a') + "!")).size(), 1u);
}

TEST(Schema, RefusesWhatItDoesNotKnow) {
    EXPECT_FALSE(Schema::compile(json::parse(R"({"propertyNames":{}})")));
    EXPECT_FALSE(Schema::compile(json::parse(R"({"type":"float"})")));
    EXPECT_FALSE(Schema::compile(json::parse(R"({"pattern":"("})")));
    EXPECT_FALSE(Schema::compile(json::parse(R"({"$ref":"#/nowhere"})")));
}

bool valijson_accepts(const valijson::Schema& schema, const json::value& value) {
    valijson::Validator validator;
    const valijson::adapters::BoostJsonAdapter adapter(value);
    return validator.validate(schema, adapter, nullptr);
}

// A product with one thing changed at random: some results are valid, most are not.
json::value mutated(std::mt19937& random) {
    json::object product =
        json::parse(
            R"({"sku":"S1","name":"Tomate","kind":"stock","base_unit":"kg","sales_price":"2.88","currency":"EUR",
        "active":true,"tax_rate_ppm":55000,"gtins":["3098765412340"],"packs":[{"unit":"ct","factor":"6"}]})")
            .as_object();
    static const std::vector<json::value> junk{nullptr,
                                               true,
                                               -1,
                                               1.5,
                                               "",
                                               "EUR",
                                               "2.88",
                                               json::array{},
                                               json::array{1},
                                               json::object{},
                                               json::object{{"unit", 5}}};
    const std::size_t member = random() % (product.size() + 1);
    if (member == product.size())
        product["unheard_of"] = 1;
    else
        (product.begin() + static_cast<std::ptrdiff_t>(member))->value() = junk[random() % junk.size()];
    return product;
}

// The library that knows the whole standard is the oracle: both must agree on every document.
TEST(Schema, AgreesWithValijson) {
    const json::value document = json::parse([] {
        std::ifstream stream(paths::source("plugin-api/schemas/product.json"));
        return std::string(std::istreambuf_iterator<char>(stream), {});
    }());
    const Schema mine = Schema::compile(document).value();
    valijson::Schema theirs;
    valijson::SchemaParser parser;
    const valijson::adapters::BoostJsonAdapter adapter(document);
    parser.populateSchema(adapter, theirs);
    std::mt19937 random(42);
    int valid = 0;
    for (int i = 0; i < 400; ++i) {
        const json::value value = mutated(random);
        const bool accepted = mine.check(value).empty();
        valid += accepted ? 1 : 0;
        ASSERT_EQ(accepted, valijson_accepts(theirs, value)) << json::serialize(value);
    }
    EXPECT_GT(valid, 10);
    EXPECT_LT(valid, 390);
}

TEST(CanonicalSchemas, AllCompileAndKnowTheirOrder) {
    const sync::CanonicalSchemas& schemas = sync::CanonicalSchemas::embedded();
    EXPECT_NE(schemas.find("reservation"), nullptr);
    EXPECT_EQ(schemas.rank("x_minibar"), 0);
    EXPECT_GT(schemas.rank("sales_order"), schemas.rank("product"));
    EXPECT_GT(schemas.rank("sales_order"), schemas.rank("customer"));
    EXPECT_TRUE(schemas.allowed("x_minibar"));
    EXPECT_FALSE(schemas.allowed("minibar"));
}

}  // namespace
}  // namespace liaisond
