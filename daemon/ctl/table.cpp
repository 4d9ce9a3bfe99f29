#include "ctl/table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "ctl/format.hpp"

namespace liaisond::ctl {
namespace {

constexpr std::size_t gap = 2;          // blanks between columns
constexpr std::size_t least_width = 8;  // of a shortened column, when nothing else helps
constexpr std::string_view ellipsis = "…";

struct Range {
    char32_t first, last;
};
constexpr std::array<Range, 8> without_width{{{0x300, 0x36F},
                                              {0x483, 0x489},
                                              {0x591, 0x5BD},
                                              {0x64B, 0x65F},
                                              {0x1AB0, 0x1AFF},
                                              {0x200B, 0x200F},
                                              {0x20D0, 0x20FF},
                                              {0xFE00, 0xFE0F}}};
constexpr std::array<Range, 9> double_width{{{0x1100, 0x115F},
                                             {0x2E80, 0x303E},
                                             {0x3041, 0xA4CF},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF},
                                             {0xFE30, 0xFE6F},
                                             {0xFF00, 0xFF60},
                                             {0x1F300, 0x1FAFF},
                                             {0x20000, 0x3FFFD}}};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t point) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const Range& range) { return point >= range.first && point <= range.last; });
}

// The character at `at`, which moves past it. A stray byte counts as one character.
std::size_t next_width(std::string_view text, std::size_t& at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? byte : byte & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length && at + k < text.size(); ++k)
        point = point << 6 | (static_cast<unsigned char>(text[at + k]) & 0x3FU);
    at = std::min(at + length, text.size());
    return within(without_width, point) ? 0 : within(double_width, point) ? 2 : 1;
}

std::string_view code_of(Tone tone) {
    switch (tone) {
        case Tone::plain: return "";
        case Tone::strong: return "1";
        case Tone::faint: return "2";
        case Tone::good: return "32";
        case Tone::busy: return "36";
        case Tone::warning: return "33";
        case Tone::bad: return "31";
    }
    return "";
}

std::string padded(const std::string& text, std::size_t width, Align align) {
    const std::size_t used = display_width(text);
    const std::string blanks(width > used ? width - used : 0, ' ');
    return align == Align::right ? blanks + text : text + blanks;
}

}  // namespace

std::string toned(std::string_view text, Tone tone, const Look& look) {
    const std::string_view code = code_of(tone);
    if (!look.colour || code.empty() || text.empty()) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size();) width += next_width(text, at);
    return width;
}

std::string fit(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::size_t used = 0, end = 0;
    for (std::size_t at = 0; at < text.size(); end = at) {
        used += next_width(text, at);
        if (used > width - 1) break;
    }
    return std::string(text.substr(0, end)) + std::string(ellipsis);
}

std::string wrapped(std::string_view text, std::string_view indent, std::size_t width) {
    std::string made;
    std::size_t used = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find_first_not_of(' ', at);
        end = std::min(end == std::string_view::npos ? end : text.find(' ', end), text.size());
        std::string_view word = text.substr(at, end - at);  // with the blanks before it
        at = end;
        const std::size_t wide = display_width(word);
        if (width != 0 && used != 0 && used + wide > width &&
            word.find_first_not_of(' ') != std::string_view::npos) {
            word.remove_prefix(word.find_first_not_of(' '));
            made.append("\n").append(indent);
            used = display_width(indent);
        }
        made += word;
        used += display_width(word);
    }
    return made;
}

void Table::add(std::vector<Cell> row) {
    row.resize(columns_.size());
    for (Cell& cell : row) cell.text = one_line(cell.text);
    rows_.push_back(std::move(row));
}

Table::Layout Table::lay_out(const Look& look) const {
    Layout layout{std::vector<bool>(columns_.size(), true), {}};
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = display_width(columns_[i].title);
        for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
        layout.width.push_back(width);
    }
    if (look.width == 0) return layout;
    const auto total = [&](bool shrunk) {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!layout.shown[i]) continue;
            const bool small = shrunk && columns_[i].shrinks;
            sum += gap + (small ? std::min(layout.width[i], columns_[i].readable) : layout.width[i]);
        }
        return sum == 0 ? 0 : sum - gap;
    };
    while (total(true) > look.width) {
        std::size_t leaving = columns_.size();
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!layout.shown[i] || columns_[i].leaves_at == 0) continue;
            if (leaving == columns_.size() || columns_[i].leaves_at > columns_[leaving].leaves_at)
                leaving = i;
        }
        if (leaving == columns_.size()) break;
        layout.shown[leaving] = false;
    }
    // The widest gives one column after the other, first down to what is readable.
    for (const bool is_last_resort : {false, true}) {
        while (total(false) > look.width) {
            std::size_t widest = columns_.size();
            for (std::size_t i = 0; i < columns_.size(); ++i) {
                const std::size_t least = is_last_resort ? least_width : columns_[i].readable;
                if (!layout.shown[i] || !columns_[i].shrinks || layout.width[i] <= least) continue;
                if (widest == columns_.size() || layout.width[i] > layout.width[widest]) widest = i;
            }
            if (widest == columns_.size()) break;
            --layout.width[widest];
        }
    }
    return layout;
}

std::string Table::text(const Look& look) const {
    const Layout layout = lay_out(look);
    std::string out;
    const auto line = [&](const auto& cell_at) {
        std::string row, blanks;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!layout.shown[i]) continue;
            const Cell cell = cell_at(i);
            const std::string words =
                padded(fit(cell.text, layout.width[i]), layout.width[i], columns_[i].align);
            // Blanks at the end of a line stay away, and colour covers words only.
            const std::size_t first = std::min(words.find_first_not_of(' '), words.size());
            const std::size_t last = words.find_last_not_of(' ') + 1;
            if (first < last)
                row += blanks + words.substr(0, first) +
                       toned(words.substr(first, last - first), cell.tone, look);
            if (first < last)
                blanks = words.substr(last);
            else
                blanks += words;
            blanks += std::string(gap, ' ');
        }
        out += row + "\n";
    };
    line([&](std::size_t i) { return Cell(columns_[i].title, Tone::strong); });
    for (const auto& row : rows_) line([&](std::size_t i) { return row[i]; });
    return out;
}

}  // namespace liaisond::ctl
