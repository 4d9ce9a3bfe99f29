#include <gtest/gtest.h>

#include <liaison/kit/documents.hpp>

using namespace liaison::kit;
using liaison::Json;

namespace {

std::string price(std::int64_t minor, const char* quantity, int exponent = 2, int decimals = 7) {
    const auto found = price_for(minor, exponent, *Decimal::parse(quantity), decimals);
    return found ? found->text() : "none";
}

std::string change(const char* wanted, const char* present) {
    return issued_change(Json::parse(wanted), Json::parse(present));
}

}  // namespace

TEST(DocumentPrices, ComeToTheAmount) {
    EXPECT_EQ(price(700, "3"), "2.3333333");
    EXPECT_EQ(price(-700, "3"), "-2.3333333");
    EXPECT_EQ(price(700, "-3"), "-2.3333333");
    EXPECT_EQ(price(2000, "3"), "6.6666667");
    EXPECT_EQ(price(1055, "1"), "10.55");
    EXPECT_EQ(price(500, "0.125"), "40");
    EXPECT_EQ(price(0, "4"), "0");
    EXPECT_EQ(price(5, "2", 0, 2), "2.5") << "yen";
}

TEST(DocumentPrices, AreNoneWhereDecimalsDoNotSuffice) {
    EXPECT_EQ(price(700, "0"), "none");
    EXPECT_EQ(price(1, "300000"), "none");
    EXPECT_EQ(price(700, "3", 2, 1), "none") << "3 x 2.3 is 6.90";
    EXPECT_EQ(price(INT64_MAX, "0.0000001"), "none");
    for (std::int64_t cents = 1; cents < 2000; cents += 7) {
        for (const char* quantity : {"3", "7", "11", "0.333", "13.5", "997"}) {
            const auto found = price_for(cents, 2, *Decimal::parse(quantity), 7);
            ASSERT_TRUE(found) << cents << " / " << quantity;
            EXPECT_EQ(found->times(*Decimal::parse(quantity))->rounded(2)->units(), cents);
        }
    }
}

TEST(DocumentStatus, FollowsWhatIsOwed) {
    EXPECT_STREQ(payment_status(100, 100), "issued");
    EXPECT_STREQ(payment_status(100, 40), "part_paid");
    EXPECT_STREQ(payment_status(100, 0), "paid");
    EXPECT_STREQ(payment_status(0, 0), "paid");
}

TEST(IssuedDocuments, MayBePaidAndNotChanged) {
    const char* there = R"({"kind":"invoice","status":"paid","customer_ref":"1","currency":"EUR",
        "lines":[{"product_ref":"a","quantity":"2","unit_price":"9"}]})";
    EXPECT_EQ(change(R"({"kind":"invoice","status":"issued","notes":"x"})", there), "");
    EXPECT_EQ(change(R"({"kind":"credit_note"})", there), "kind");
    EXPECT_EQ(change(R"({"customer_ref":"2"})", there), "customer_ref");
    EXPECT_EQ(change(R"({"currency":"USD"})", there), "currency");
    EXPECT_EQ(change(R"({"lines":[]})", there), "number of lines");
    EXPECT_EQ(change(R"({"lines":[{"quantity":"2.0","unit_price":"9.00"}]})", there), "");
    EXPECT_EQ(change(R"({"lines":[{"quantity":"2","unit_price":"10","discount_ppm":100000}]})", there), "");
    EXPECT_EQ(change(R"({"lines":[{"quantity":"3"}]})", there), "line 1");
    EXPECT_EQ(change(R"({"lines":[{"quantity":"2","unit_price":"8"}]})", there), "line 1");
    EXPECT_EQ(change(R"({"lines":[{"quantity":"2","product_ref":"b"}]})", there), "line 1");
}

TEST(UnsentRecords, AreKnownByTheirKey) {
    EXPECT_TRUE(is_unsent(unsent_key("LA")));
    EXPECT_FALSE(is_unsent("LA"));
    EXPECT_FALSE(is_unsent(""));
}
