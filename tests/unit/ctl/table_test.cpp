#include "ctl/table.hpp"

#include <gtest/gtest.h>

namespace liaisond::ctl {
namespace {

TEST(CtlTable, AlignsByDisplayedWidth) {
    Table table({{"NAME"}, {"COUNT", Align::right}, {"NOTE"}});
    table.add({"Hôtel", "7", "first"});
    table.add({"宿屋", "1,234", ""});
    table.add({"inn", "", "last"});
    EXPECT_EQ(table.text({}),
              "NAME   COUNT  NOTE\n"
              "Hôtel      7  first\n"
              "宿屋   1,234\n"
              "inn           last\n");
}

TEST(CtlTable, KnowsTheWidthOfText) {
    EXPECT_EQ(display_width("Hôtel"), 5U);
    EXPECT_EQ(display_width("e\u0301"), 1U);  // a combining accent
    EXPECT_EQ(display_width("宿屋"), 4U);
    EXPECT_EQ(display_width(""), 0U);
}

TEST(CtlTable, FitsTextAtCharacters) {
    EXPECT_EQ(fit("Hôtel Paradise", 6), "Hôtel…");
    EXPECT_EQ(fit("Hôtel", 5), "Hôtel");
    EXPECT_EQ(fit("宿屋宿屋", 4), "宿…");  // a wide character does not fit by half
    EXPECT_EQ(fit("abc", 1), "…");
    EXPECT_EQ(fit("abc", 0), "");
}

TEST(CtlTable, ShortensWideColumnsToTheTerminal) {
    Table table({{"ID"}, {"MESSAGE", Align::left, true}});
    table.add({"1", "the quick brown fox jumps over the lazy dog"});
    Look look;
    look.width = 20;
    EXPECT_EQ(table.text(look), "ID  MESSAGE\n1   the quick brown…\n");
    EXPECT_EQ(table.text({}), "ID  MESSAGE\n1   the quick brown fox jumps over the lazy dog\n");
}

TEST(CtlTable, LeavesColumnsOutWhereShorteningIsNotEnough) {
    Table table({{"KEPT"}, {"FIRST", Align::left, false, 2}, {"SECOND", Align::left, false, 1}});
    table.add({"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"});
    Look look;
    look.width = 25;
    EXPECT_EQ(table.text(look), "KEPT        SECOND\naaaaaaaaaa  cccccccccc\n");
    look.width = 12;
    EXPECT_EQ(table.text(look), "KEPT\naaaaaaaaaa\n");
}

TEST(CtlTable, ColoursWordsOnly) {
    Table table({{"A"}, {"B"}});
    table.add({{"bad", Tone::bad}, "x"});
    Look look;
    look.colour = true;
    EXPECT_EQ(table.text(look), "\x1b[1mA\x1b[0m    \x1b[1mB\x1b[0m\n\x1b[31mbad\x1b[0m  x\n");
}

TEST(CtlTable, RemoteTextCannotSteerTheTerminal) {
    Table table({{"A"}});
    table.add({"x\x1b[2Jy\nz"});
    EXPECT_EQ(table.text({}), "A\nx?[2Jy z\n");
}

TEST(CtlTable, AColumnLeavesBeforeAnIdBecomesUnreadable) {
    Table table({{"ID", Align::left, true, 0, 12}, {"NOTE", Align::left, true, 1}});
    table.add({"wholesaler-1", "a note of some length"});
    Look look;
    look.width = 22;
    EXPECT_EQ(table.text(look), "ID            NOTE\nwholesaler-1  a note …\n");
    look.width = 21;
    EXPECT_EQ(table.text(look), "ID\nwholesaler-1\n");
    look.width = 10;
    EXPECT_EQ(table.text(look), "ID\nwholesale…\n") << "nothing else helps";
}

TEST(CtlTable, WrapsBetweenWords) {
    EXPECT_EQ(wrapped("  shop: one two three", "    ", 12), "  shop: one\n    two\n    three");
    EXPECT_EQ(wrapped("a verylongwordindeed b", " ", 8), "a\n verylongwordindeed\n b");
    EXPECT_EQ(wrapped("two  blanks ", "", 0), "two  blanks ");
    EXPECT_EQ(wrapped("Hôtel Émile", "", 11), "Hôtel Émile");
}

TEST(CtlTable, FillsMissingCells) {
    Table table({{"A"}, {"B"}});
    table.add({"x"});
    EXPECT_EQ(table.text({}), "A  B\nx\n");
}

}  // namespace
}  // namespace liaisond::ctl
