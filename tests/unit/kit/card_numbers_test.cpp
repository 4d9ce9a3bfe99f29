#include <liaison/kit/card_numbers.hpp>

#include <gtest/gtest.h>

namespace liaison::kit {
namespace {

TEST(CardNumbers, AreShownWithTheirLastFour) {
    EXPECT_EQ(without_card_numbers("card 4111 1111 1111 1111, please"), "card ****1111, please");
    EXPECT_EQ(without_card_numbers("4111-1111-1111-1111"), "****1111");
    EXPECT_EQ(without_card_numbers("x378282246310005y"), "x****0005y");
    EXPECT_EQ(without_card_numbers("4111.1111.1111.1111"), "****1111");
}

TEST(CardNumbers, OtherNumbersStay) {
    for (const char* text : {"4111 1111 1111 1112", "+31 20 123 4567", "4705950059",
                             "from 2026-06-01 to 2026-06-03", "12345678901234567890123", "", "no digits"})
        EXPECT_EQ(without_card_numbers(text), text);
}

}  // namespace
}  // namespace liaison::kit
