#include <liaison/kit/csv.hpp>

#include <gtest/gtest.h>

namespace {

using namespace liaison::kit;

std::string show(const CsvRow& row) {
    std::string out = std::to_string(row.line) + (row.error.empty() ? "" : "!" + row.error) + ":";
    for (const std::string& field : row.fields) out += "[" + field + "]";
    return out;
}

// All rows of `text`, fed in two pieces cut at `cut`.
std::vector<std::string> rows_of(std::string_view text, std::size_t cut, CsvFormat format = {},
                                 std::size_t fields = 0) {
    CsvReader reader(format);
    reader.expect_fields(fields);
    std::vector<std::string> rows;
    const auto drain = [&] {
        while (const std::optional<CsvRow> row = reader.next()) rows.push_back(show(*row));
    };
    reader.feed(text.substr(0, cut));
    drain();
    reader.feed(text.substr(cut));
    drain();
    reader.finish();
    drain();
    return rows;
}

using Rows = std::vector<std::string>;

constexpr std::string_view tricky =
    "\xEF\xBB\xBF"
    "a,b\r\n\"x,\"\"y\"\"\r\nz\",2\n\r\n,\r\n\"\",q\"r\r\nlast,\xC3\xA9";
const Rows tricky_rows = {"1:[a][b]", "2:[x,\"y\"\r\nz][2]", "5:[][]", "6:[][q\"r]", "7:[last][\xC3\xA9]"};

}  // namespace

TEST(Csv, ReadsTheSameHoweverItIsCut) {
    for (std::size_t cut = 0; cut <= tricky.size(); ++cut)
        EXPECT_EQ(rows_of(tricky, cut), tricky_rows) << cut;
}

TEST(Csv, ReadsByteByByte) {
    CsvReader reader({});
    Rows rows;
    for (const char c : tricky) {
        reader.feed(std::string_view(&c, 1));
        while (const std::optional<CsvRow> row = reader.next()) rows.push_back(show(*row));
    }
    reader.finish();
    while (const std::optional<CsvRow> row = reader.next()) rows.push_back(show(*row));
    EXPECT_EQ(rows, tricky_rows);
}

// Reading on from the end of any row gives the rest, with the same line numbers.
TEST(Csv, ContinuesFromEveryRowBoundary) {
    CsvReader reader({});
    reader.feed(tricky);
    reader.finish();
    std::size_t done = 0;
    while (const std::optional<CsvRow> row = reader.next()) {
        ++done;
        CsvReader rest({}, row->end, row->next_line);
        rest.feed(tricky.substr(row->end));
        rest.finish();
        Rows rows;
        while (const std::optional<CsvRow> next = rest.next()) rows.push_back(show(*next));
        EXPECT_EQ(rows, Rows(tricky_rows.begin() + static_cast<std::ptrdiff_t>(done), tricky_rows.end()));
    }
    EXPECT_EQ(done, tricky_rows.size());
}

TEST(Csv, BadRowsAreErrorsOfTheRowOnly) {
    EXPECT_EQ(rows_of("a,b\n1\n1,2,3\n\"x\"y,2\n3,4\n", 0, {}, 2),
              (Rows{"1:[a][b]", "2!the row has 1 fields, expected 2:[1]",
                    "3!the row has 3 fields, expected 2:[1][2][3]", "4!text follows a closing quote:[x][]",
                    "5:[3][4]"}));
    EXPECT_EQ(rows_of("a\n\"open\n", 3), (Rows{"1:[a]", "2!a quoted field does not end:[open\n]"}));
    EXPECT_EQ(rows_of("\xE9\nb\n", 1)[0].substr(0, 10), "1!field 1 ");
    EXPECT_EQ(rows_of("", 0), Rows());
    EXPECT_EQ(rows_of("\n\r\n\n", 1), Rows());
    EXPECT_EQ(rows_of("\"\"\n", 1), Rows{"1:[]"});
}

TEST(Csv, LimitsFieldsAndRows) {
    const std::string long_field(CsvReader::max_field_bytes + 1, 'x');
    const Rows rows = rows_of("a\n" + long_field + "\nb\n", 10);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[1].substr(0, 30), "2!a field is longer than 1 MiB");
    EXPECT_EQ(rows[2], "3:[b]");
    EXPECT_EQ(rows_of(long_field.substr(1) + "\n", 10)[0].substr(0, 3), "1:[");
    const Rows wide = rows_of(std::string(CsvReader::max_fields, ',') + "\nb\n", 10);
    EXPECT_EQ(wide[0].substr(0, 25), "1!the row has more than 4");
    EXPECT_EQ(wide[1], "2:[b]");
    std::string long_row;
    for (int i = 0; i < 6; ++i) long_row += std::string(1'000'000, 'y') + ",";
    EXPECT_EQ(rows_of(long_row + "\nb\n", 10)[0].substr(0, 20), "1!the row is longer ");
}

TEST(Csv, OtherDelimitersAndEncodings) {
    CsvFormat format{';', '"', Encoding::windows1252};
    EXPECT_EQ(rows_of("\x80;\xE9;\"a;b\"\n", 2, format), Rows{"1:[\u20AC][\u00E9][a;b]"});
    EXPECT_EQ(rows_of("\x81\n", 1, format)[0].substr(0, 3), "1!f");
    format.encoding = Encoding::latin1;
    EXPECT_EQ(rows_of("\xFF\n", 1, format), Rows{"1:[\u00FF]"});
    EXPECT_EQ(rows_of("a\tb\n", 1, CsvFormat{'\t', '"', Encoding::utf8}), Rows{"1:[a][b]"});
}

TEST(Csv, WhatIsWrittenReadsBack) {
    const std::vector<std::vector<std::string>> rows = {
        {"a", "b"},           {"", ""},       {" x", "y "},    {"\"", "a\"b"},
        {"l1\nl2", "c\r\nd"}, {"x;y", "1,5"}, {"\r", "\u00e9"}};
    for (const char delimiter : {',', ';', '\t'}) {
        const CsvFormat format{delimiter, '"', Encoding::utf8};
        std::string text;
        for (const auto& row : rows) append_csv_row(text, row, format);
        CsvReader reader(format);
        reader.feed(text);
        reader.finish();
        for (const auto& row : rows) {
            const std::optional<CsvRow> read = reader.next();
            ASSERT_TRUE(read);
            EXPECT_EQ(read->fields, row);
        }
        EXPECT_FALSE(reader.next());
    }
    std::string one;
    append_csv_row(one, {""}, {});
    EXPECT_EQ(one, "\"\"\r\n");
}

TEST(Text, Utf8) {
    EXPECT_EQ(utf8_fault("a\u00e9\u20ac\U0001F600"), std::string_view::npos);
    EXPECT_EQ(utf8_fault("ab\xC3"), 2u);
    EXPECT_EQ(utf8_fault("\xF4\x90\x80\x80"), 0u);
    EXPECT_EQ(utf8_fault("\xE0\x80\x80"), 0u);
    EXPECT_EQ(excerpt("ab\u00e9", 3), "ab");
    EXPECT_EQ(excerpt("a\nb\xFF", 9), "a b?");
    EXPECT_EQ(percent_encoded("a/b \u00e9~"), "a%2Fb%20%C3%A9~");
}

TEST(Text, HashIsFnv1aAndTellsFieldsApart) {
    EXPECT_EQ(Hash128().hex(), "6c62272e07bb014262b821756295c58d");
    EXPECT_EQ(Hash128().add("a").hex(), "d228cb696f1a8caf78912b704e4a8964");
    EXPECT_NE(Hash128().add_field("ab").add_field("c").hex(), Hash128().add_field("a").add_field("bc").hex());
}
