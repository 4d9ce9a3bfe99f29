// CSV as found in the wild: RFC 4180 with any one-byte delimiter, read from chunks of any size, written back
// safely.
//
// The reader works on raw bytes and reports byte offsets, so that reading can go on later from a row
// boundary. Fields are turned into UTF-8 row by row; all supported encodings keep ASCII where it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/text.hpp>

namespace liaison::kit {

struct CsvFormat {
    char delimiter = ',';
    char quote = '"';
    Encoding encoding = Encoding::utf8;
};

struct CsvRow {
    std::vector<std::string> fields;  // UTF-8, unless `error` says otherwise
    std::uint64_t line = 0;           // of the row's first byte, from 1
    std::uint64_t end = 0;            // offset of the first byte after the row
    std::uint64_t next_line = 0;      // line of that byte
    std::string error;                // empty: the row is good
};

class CsvReader {
  public:
    static constexpr std::size_t max_field_bytes = 1 << 20;
    static constexpr std::size_t max_row_bytes = 4 << 20;
    static constexpr std::size_t max_fields = 4096;

    // Begins at a row boundary; a byte order mark is skipped at offset 0 only.
    explicit CsvReader(CsvFormat format, std::uint64_t offset = 0, std::uint64_t line = 1)
        : format_(format), offset_(offset), row_start_(offset), line_(line), row_line_(line) {}

    // Rows with another number of fields become errors. 0: any.
    void expect_fields(std::size_t count) { expected_ = count; }
    void feed(std::string_view bytes) {
        buffer_.erase(0, at_);
        at_ = 0;
        buffer_.append(bytes);
    }
    // After the last chunk.
    void finish() { finished_ = true; }
    // The next row; nothing when more bytes are needed, or at the end after finish(). Empty lines are
    // skipped.
    std::optional<CsvRow> next() {
        if (!skip_mark()) return std::nullopt;
        while (at_ < buffer_.size()) {
            const char c = buffer_[at_];
            if (state_ == State::after_quote && c != format_.quote) {
                state_ = State::plain;
                after_quote_ = true;
            }
            if (state_ != State::quoted && c == '\r') {
                if (at_ + 1 == buffer_.size() && !finished_) return std::nullopt;
                if (at_ + 1 < buffer_.size() && buffer_[at_ + 1] == '\n') step();
                if (buffer_[at_] == '\n') continue;
            }
            step();
            if (c == '\n') ++line_;
            if (state_ != State::quoted && c == '\n') {
                if (std::optional<CsvRow> row = take_row()) return row;
            } else {
                take_byte(c);
            }
        }
        if (!finished_ || offset_ == row_start_) return std::nullopt;
        if (state_ == State::quoted) error_ = "a quoted field does not end";
        return take_row();
    }

  private:
    enum class State { start, plain, quoted, after_quote };

    void step() { ++at_, ++offset_; }

    bool skip_mark() {
        if (offset_ != 0) return true;
        if (buffer_.size() - at_ < 3 && !finished_) { return buffer_.empty() ? false : buffer_[0] != '\xEF'; }
        if (buffer_.compare(at_, 3, "\xEF\xBB\xBF") == 0) at_ += 3, offset_ += 3, row_start_ = 3;
        return true;
    }

    void take_byte(char c) {
        if (offset_ - row_start_ > max_row_bytes) error_ = "the row is longer than 4 MiB";
        if (state_ == State::after_quote) {  // c is a quote: a doubled one
            state_ = State::quoted;
            append(c);
        } else if (state_ == State::quoted) {
            if (c == format_.quote)
                state_ = State::after_quote;
            else
                append(c);
        } else if (c == format_.delimiter) {
            end_field();
        } else if (state_ == State::start && c == format_.quote) {
            state_ = State::quoted;
            was_quoted_ = true;
        } else {
            if (after_quote_) error_ = "text follows a closing quote";
            state_ = State::plain;
            append(c);
        }
    }
    void append(char c) {
        if (!error_.empty()) return;
        if (field_.size() == max_field_bytes) error_ = "a field is longer than 1 MiB";
        field_.push_back(c);
    }
    void end_field() {
        if (fields_.size() == max_fields) error_ = "the row has more than 4096 fields";
        if (fields_.size() < max_fields) fields_.push_back(std::move(field_));
        field_.clear();
        state_ = State::start;
        after_quote_ = false;
    }

    std::optional<CsvRow> take_row() {
        const bool empty = fields_.empty() && field_.empty() && !was_quoted_ && error_.empty();
        std::optional<CsvRow> row;
        if (!empty) {
            end_field();
            row.emplace();
            row->line = row_line_;
            row->end = offset_;
            row->next_line = line_;
            row->error = std::move(error_);
            row->fields = std::move(fields_);
            if (row->error.empty()) decode(*row);
            if (row->error.empty() && expected_ != 0 && row->fields.size() != expected_) {
                row->error = "the row has " + std::to_string(row->fields.size()) + " fields, expected " +
                             std::to_string(expected_);
            }
        }
        fields_.clear();
        field_.clear();
        error_.clear();
        state_ = State::start;
        was_quoted_ = after_quote_ = false;
        row_start_ = offset_;
        row_line_ = line_;
        return row;
    }
    void decode(CsvRow& row) const {
        for (std::size_t i = 0; i < row.fields.size(); ++i) {
            std::string& field = row.fields[i];
            if (utf8_fault(field) == std::string::npos && format_.encoding == Encoding::utf8) continue;
            if (std::optional<std::string> text = to_utf8(field, format_.encoding)) {
                field = std::move(*text);
            } else {
                row.error = "field " + std::to_string(i + 1) + " is not in the configured encoding";
                return;
            }
        }
    }

    CsvFormat format_;
    std::uint64_t offset_, row_start_, line_, row_line_;
    std::size_t expected_ = 0;
    std::string buffer_;
    std::size_t at_ = 0;
    bool finished_ = false;
    State state_ = State::start;
    bool was_quoted_ = false, after_quote_ = false;
    std::vector<std::string> fields_;
    std::string field_, error_;
};

// One row with CRLF. Quotes what needs it; an only, empty field too, as an empty line means nothing.
inline void append_csv_row(std::string& out, const std::vector<std::string>& fields,
                           const CsvFormat& format) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string& field = fields[i];
        if (i > 0) out.push_back(format.delimiter);
        bool quote = field.empty() ? fields.size() == 1 : field.front() == ' ' || field.back() == ' ';
        for (const char c : field) {
            quote = quote || c == format.delimiter || c == format.quote || c == '\r' || c == '\n';
        }
        if (i == 0 && field.starts_with("\xEF\xBB\xBF")) quote = true;
        if (!quote) {
            out += field;
            continue;
        }
        out.push_back(format.quote);
        for (const char c : field) {
            if (c == format.quote) out.push_back(c);
            out.push_back(c);
        }
        out.push_back(format.quote);
    }
    out += "\r\n";
}

}  // namespace liaison::kit
