// Tables for people: aligned columns that know the width of UTF-8 text and of the terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace liaisond::ctl {

// How text may look where it goes to.
struct Look {
    bool colour = false;
    std::size_t width = 0;  // columns of the terminal; 0: no limit, so that a file or a pipe gets everything
};

enum class Tone : std::uint8_t { plain, strong, faint, good, busy, warning, bad };

std::string toned(std::string_view text, Tone tone, const Look& look);

// Columns that UTF-8 text takes on a terminal: wide East Asian characters and emoji two, combining marks
// none.
std::size_t display_width(std::string_view text);
// At most `width` columns, with an ellipsis where something was left out.
// One line as lines of at most that many columns (0: any number), broken between words; all but the first
// begin with `indent`. A longer word stands alone.
std::string wrapped(std::string_view text, std::string_view indent, std::size_t width);
std::string fit(std::string_view text, std::size_t width);

enum class Align : std::uint8_t { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
    bool shrinks = false;  // may be shortened when the terminal is narrow
    // Greatest first, the column is left out where shortening is not enough; 0: never.
    std::uint8_t leaves_at = 0;
    // What a shortened column keeps as long as others can leave: enough to tell one id from another.
    std::size_t readable = 8;
};

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
    Cell() = default;
    Cell(std::string words, Tone look = Tone::plain)
        : text(std::move(words)), tone(look) {}  // NOLINT: cells are mostly text
    Cell(const char* words) : text(words) {}     // NOLINT
};

class Table {
  public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    // Texts are made harmless for the terminal here.
    void add(std::vector<Cell> row);
    bool empty() const { return rows_.empty(); }
    std::string text(const Look& look) const;

  private:
    struct Layout {
        std::vector<bool> shown;
        std::vector<std::size_t> width;
    };
    Layout lay_out(const Look& look) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace liaisond::ctl
