#include <liaison/kit/decimal.hpp>
#include <liaison/kit/money.hpp>

#include <random>

#include <gtest/gtest.h>

namespace {

using liaison::kit::Decimal;
using liaison::kit::DecimalStyle;
using liaison::kit::Rounding;
using liaison::kit::ValueError;

Decimal dec(std::string_view text) { return Decimal::parse(text).value(); }

std::string code_of(std::string_view text, std::string_view currency) {
    try {
        liaison::kit::to_minor(dec(text), currency);
        return "accepted";
    } catch (const ValueError& error) { return error.code; }
}

}  // namespace

TEST(Decimal, ParsesAndNormalises) {
    const std::pair<const char*, const char*> cases[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.00", "0"},
        {"+1.50", "1.5"},
        {"007", "7"},
        {".5", "0.5"},
        {"-.25", "-0.25"},
        {" 12 ", "12"},
        {"1e3", "1000"},
        {"1.5E-3", "0.0015"},
        {"0e99", "0"},
        {"120e-1", "12"},
        {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999"},
        {"0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"}};
    for (const auto& [text, expected] : cases) {
        ASSERT_TRUE(Decimal::parse(text)) << text;
        EXPECT_EQ(dec(text).text(), expected) << text;
    }
}

TEST(Decimal, RefusesEverythingElse) {
    for (const char* text : {"", "-", ".", "1.", "1,5", "1 000", "--1", "1.2.3", "abc", "0x10", "1e", "1e+",
                             "NaN", "1e99", "100000000000000000000000000000000000000", "1e1000", "12a"}) {
        EXPECT_FALSE(Decimal::parse(text)) << text;
    }
}

TEST(Decimal, CommaAndThousands) {
    EXPECT_EQ(Decimal::parse("1.234.567,80", {',', '.'})->text(), "1234567.8");
    EXPECT_EQ(Decimal::parse("-1 234,5", {',', ' '})->text(), "-1234.5");
    EXPECT_EQ(Decimal::parse("1\xC2\xA0"
                             "234\xE2\x80\xAF"
                             "567",
                             {',', ' '})
                  ->text(),
              "1234567");
    EXPECT_EQ(Decimal::parse("12,5", {',', '\0'})->text(), "12.5");
    EXPECT_EQ(Decimal::parse("1'000.5", {'.', '\''})->text(), "1000.5");
    for (const char* text : {"1.23,5", "1.2345,6", ".123", "1..234", "1234.567", "1.234."}) {
        EXPECT_FALSE(Decimal::parse(text, {',', '.'})) << text;
    }
}

// Random values against 64-bit arithmetic on the units.
TEST(Decimal, AgreesWithIntegerArithmetic) {
    std::mt19937_64 random(42);
    std::uniform_int_distribution<std::int64_t> unit(-1'000'000'000, 1'000'000'000);
    for (int i = 0; i < 20'000; ++i) {
        const std::int64_t a = unit(random), b = unit(random);
        const int scale = static_cast<int>(random() % 7);
        const Decimal x = Decimal::scaled(a, scale), y = Decimal::scaled(b, scale);
        EXPECT_EQ(dec(x.text()), x);
        EXPECT_EQ(dec(x.fixed_text()).units(), a);
        EXPECT_EQ(dec(x.fixed_text()).scale(), scale);
        EXPECT_EQ(*x.plus(y), Decimal::scaled(a + b, scale));
        EXPECT_EQ(*x.times(y), Decimal::scaled(a * b, 2 * scale));
        EXPECT_EQ(x < y, a < b);
        EXPECT_EQ(*x.plus(x.negated()), Decimal());
    }
}

TEST(Decimal, ComparesAcrossScales) {
    EXPECT_EQ(dec("1.50"), dec("1.5"));
    EXPECT_LT(dec("-2"), dec("-1.99999"));
    EXPECT_LT(dec("0.00000000000000000000000000000000000001"), dec("99999999999999999999999999999999999999"));
    EXPECT_GT(dec("-0.00000000000000000000000000000000000001"),
              dec("-99999999999999999999999999999999999999"));
}

TEST(Decimal, OverflowIsNothing) {
    const Decimal big = dec("99999999999999999999999999999999999999");
    EXPECT_FALSE(big.plus(Decimal(1)));
    EXPECT_FALSE(big.times(Decimal(10)));
    EXPECT_FALSE(big.rescaled(1));
    EXPECT_TRUE(big.plus(Decimal(-1)));
}

TEST(Decimal, RescalesExactlyOrNotAtAll) {
    EXPECT_EQ(dec("1.50").rescaled(1)->fixed_text(), "1.5");
    EXPECT_FALSE(dec("1.55").rescaled(1));
    EXPECT_EQ(dec("2").rescaled(3)->fixed_text(), "2.000");
    EXPECT_EQ(dec("1.005").rounded(2)->fixed_text(), "1.01");
    EXPECT_EQ(dec("-1.005").rounded(2)->fixed_text(), "-1.01");
    EXPECT_EQ(dec("1.0049").rounded(2)->fixed_text(), "1.00");
    EXPECT_EQ(dec("0.5").rounded(0)->fixed_text(), "1");
    EXPECT_EQ(dec("3.0").to_int(), 3);
    EXPECT_EQ(dec("3.1").to_int(), std::nullopt);
    EXPECT_EQ(dec("9223372036854775808").to_int(), std::nullopt);
}

TEST(Money, ExponentsOfIso4217) {
    EXPECT_EQ(liaison::kit::currency_exponent("EUR"), 2);
    EXPECT_EQ(liaison::kit::currency_exponent("JPY"), 0);
    EXPECT_EQ(liaison::kit::currency_exponent("KWD"), 3);
    EXPECT_EQ(liaison::kit::currency_exponent("CLF"), 4);
    for (const char* code : {"", "EU", "eur", "XYZ", "UR ", "EURO"})
        EXPECT_FALSE(liaison::kit::currency_exponent(code)) << code;
}

TEST(Money, MinorUnitsExactlyOrNotAtAll) {
    EXPECT_EQ(liaison::kit::to_minor(dec("12.3"), "EUR"), 1230);
    EXPECT_EQ(liaison::kit::to_minor(dec("-0.010"), "EUR"), -1);
    EXPECT_EQ(liaison::kit::to_minor(dec("1234"), "JPY"), 1234);
    EXPECT_EQ(liaison::kit::to_minor(dec("1.234"), "KWD"), 1234);
    EXPECT_EQ(code_of("0.001", "EUR"), "money_precision");
    EXPECT_EQ(code_of("1.5", "JPY"), "money_precision");
    EXPECT_EQ(code_of("1", "XXX"), "unknown_currency");
    EXPECT_EQ(code_of("92233720368547758.08", "EUR"), "money_range");
    EXPECT_EQ(liaison::kit::to_minor(dec("0.005"), "EUR", Rounding::half_up), 1);
    EXPECT_EQ(liaison::kit::from_minor(-5, "EUR"), "-0.05");
    EXPECT_EQ(liaison::kit::from_minor(1230, "EUR"), "12.30");
    EXPECT_EQ(liaison::kit::from_minor(7, "JPY"), "7");
    for (std::int64_t amount :
         {INT64_MIN, INT64_MAX, std::int64_t(0), std::int64_t(99), std::int64_t(-100)}) {
        EXPECT_EQ(liaison::kit::to_minor(dec(liaison::kit::from_minor(amount, "EUR")), "EUR"), amount);
    }
}
