// FileReading: one CSV file on its way in, from ranges of bytes to batches of records. Does no waiting
// itself.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <liaison/sdk/context.hpp>

#include "settings.hpp"

namespace csv {

using liaison::Record;
using liaison::Request;
using liaison::Response;

// An entry of a folder listing.
struct Listed {
    std::string name;
    std::uint64_t size = 0;
    std::int64_t modified_ms = 0;
    std::string marker() const { return std::to_string(size) + "-" + std::to_string(modified_ms); }
};

// What survives a crash: how far the current file was read, and, where files stay in their folder, which are
// done.
class Cursor {
  public:
    static constexpr std::size_t max_seen = 1000;
    Cursor() = default;
    explicit Cursor(const std::string& text) {
        if (text.empty()) return;
        const Json json = Json::parse(text);
        file = text_or(json, "file", "");
        etag = text_or(json, "etag", "");
        if (const Json* value = json.find("offset"))
            offset = static_cast<std::uint64_t>(value->to_int().value_or(0));
        if (const Json* value = json.find("line"))
            line = static_cast<std::uint64_t>(value->to_int().value_or(1));
        if (const Json* value = json.find("done")) done = value->is_bool() && value->as_bool();
        if (const Json* value = json.find("seen")) seen = *value;
    }
    std::string text() const {
        Json json = Json::object();
        if (!file.empty()) json.set("file", file);
        if (!file.empty()) json.set("etag", etag);
        if (offset != 0) json.set("offset", offset);
        if (offset != 0) json.set("line", line);
        if (done) json.set("done", true);
        if (!seen.is_null()) json.set("seen", seen);
        return json.dump();
    }
    bool has_seen(const Listed& listed) const {
        const Json* marker = seen.find(listed.name);
        return marker != nullptr && marker->is_string() && marker->as_string() == listed.marker();
    }
    std::string file, etag;
    std::uint64_t offset = 0, line = 1;
    bool done = false;
    Json seen;
};

class RowSource : public kit::SourceRecord {
  public:
    RowSource(const std::vector<std::string>& fields, const std::vector<int>& columns)
        : fields_(fields), columns_(columns) {}
    kit::SourceValue at(std::size_t slot) const override {
        const int column = columns_[slot];
        if (column < 0 || static_cast<std::size_t>(column) >= fields_.size()) return {};
        return {true, fields_[static_cast<std::size_t>(column)], nullptr};
    }

  private:
    const std::vector<std::string>& fields_;
    const std::vector<int>& columns_;
};

class FileReading {
  public:
    static constexpr std::uint64_t range_bytes = 4 << 20;
    static constexpr std::size_t max_batch_bytes = 4 << 20;
    static constexpr std::size_t max_raw_field = 500;
    static constexpr std::size_t max_raw_fields = 100;

    FileReading(const Import& in, const Listed& listed, const Cursor& cursor)
        : in_(in), listed_(listed), position_(cursor), reader_(in.format) {
        is_resumed_ = cursor.file == listed.name && (cursor.offset > 0 || cursor.done);
    }

    // The next range. All but the first insist on the file being the same.
    Request next_request() const {
        Request request("GET", file_url(in_.folder, listed_.name));
        request.headers.emplace_back("Range", "bytes=" + std::to_string(next_byte_) + "-" +
                                                  std::to_string(next_byte_ + range_bytes - 1));
        if (!etag_.empty()) request.headers.emplace_back("If-Match", etag_);
        request.max_body = range_bytes;
        return request;
    }

    // False when the file is gone. Throws when it changed.
    bool take(const Response& response) {
        if (response.status == 404) return false;
        if (response.status == 412) {
            throw Failure(ErrorKind::transient, listed_.name +
                                                    " changed while it was being read; the next run reads "
                                                    "it from its beginning");
        }
        if (response.status == 416) return all_read_ = true, reader_.finish(), true;
        if (response.status != 206 && response.status != 200) {
            throw Failure(ErrorKind::transient,
                          "reading " + listed_.name + ": status " + std::to_string(response.status));
        }
        const bool is_first = etag_.empty();
        if (is_first) etag_ = std::string(response.header("ETag"));
        if (etag_.empty()) throw Failure(ErrorKind::internal, "the host sent no ETag for " + listed_.name);
        if (response.status == 200 && next_byte_ > 0)
            throw Failure(ErrorKind::internal, "the host ignored a Range");
        next_byte_ += response.body.size();
        all_read_ = response.status == 200 || response.body.empty() || next_byte_ >= total(response);
        if (is_first && is_resumed_)
            resume(response.body);
        else
            reader_.feed(response.body);
        if (all_read_) reader_.finish();
        return true;
    }

    // Turns rows into records until the batch is full, the bytes run out, or the file ends.
    void fill(std::size_t limit) {
        while (records_.size() < limit && batch_bytes_ < max_batch_bytes) {
            const std::optional<kit::CsvRow> row = reader_.next();
            if (!row) {
                is_done_ = all_read_;
                needs_bytes_ = !all_read_;
                return;
            }
            if (columns_.empty()) {
                start_rows(*row);
                if (in_.has_header) continue;
            }
            records_.push_back(record_of(*row));
            batch_bytes_ += records_.back().payload.size();
            position_.offset = row->end;
            position_.line = row->next_line;
        }
        needs_bytes_ = false;
    }
    bool needs_bytes() const { return needs_bytes_; }
    bool is_done() const { return is_done_; }
    bool has_records() const { return !records_.empty(); }

    std::vector<Record> take_batch() {
        batch_bytes_ = 0;
        return std::exchange(records_, {});
    }
    // The position after the batch that was just taken.
    Cursor position() const {
        Cursor cursor = position_;
        cursor.file = listed_.name;
        cursor.etag = etag_;
        cursor.done = is_done_;
        if (in_.key.is_row) cursor.offset = 0;  // equal rows are counted from the top
        if (is_done_ && in_.processed.empty()) {
            cursor.seen.set(listed_.name, listed_.marker());
            cursor.file.clear();
            cursor.offset = 0;
            cursor.done = false;
        }
        return cursor;
    }

  private:
    std::uint64_t total(const Response& response) const {
        const std::string_view range = response.header("Content-Range");
        const std::size_t slash = range.find('/');
        std::uint64_t value = listed_.size;
        if (slash != std::string_view::npos)
            std::from_chars(range.data() + slash + 1, range.data() + range.size(), value);
        return value;
    }

    // The first range is in; go on where the cursor says, if this is still the same file.
    void resume(const std::string& bytes) {
        const Cursor from = position_;
        position_.offset = 0;
        position_.done = false;
        if (from.etag != etag_) return reader_.feed(bytes);
        if (from.done) {
            all_read_ = true;
            is_done_ = true;
            return;
        }
        if (in_.has_header) {
            reader_.feed(bytes);
            if (all_read_) reader_.finish();
            const std::optional<kit::CsvRow> header = reader_.next();
            if (header) start_rows(*header);
        }
        reader_ = kit::CsvReader(in_.format, from.offset, from.line);
        if (!columns_.empty()) reader_.expect_fields(width_);
        position_ = from;
        if (from.offset <= bytes.size()) {
            reader_.feed(std::string_view(bytes).substr(from.offset));
        } else {
            next_byte_ = from.offset;
            all_read_ = false;
        }
    }

    // Binds the mapping's sources to columns. Throws when a column is missing.
    void start_rows(const kit::CsvRow& first) {
        width_ = first.fields.size();
        names_ = first.fields;
        if (!first.error.empty())
            throw Failure(ErrorKind::config, listed_.name + ": the first row: " + first.error);
        for (std::size_t i = 0; i < width_; ++i)
            names_[i] = in_.has_header ? kit::trimmed(names_[i]) : std::to_string(i + 1);
        std::string missing;
        const auto column_of = [&](const std::string& name, bool optional) {
            for (std::size_t i = 0; i < names_.size(); ++i) {
                if (names_[i] == name) return static_cast<int>(i);
            }
            if (!optional) missing += (missing.empty() ? "'" : ", '") + name + "'";
            return -1;
        };
        const kit::SourceNames& sources = in_.mapping.sources();
        for (std::size_t slot = 0; slot < sources.names.size(); ++slot) {
            columns_.push_back(column_of(sources.names[slot], sources.optional[slot]));
        }
        for (const std::string& column : in_.key.columns) key_columns_.push_back(column_of(column, false));
        if (columns_.empty()) columns_.push_back(-1);
        reader_.expect_fields(width_);
        if (missing.empty()) return;
        std::string present;
        for (const std::string& name : names_) present += (present.empty() ? "" : ", ") + name;
        throw Failure(ErrorKind::config, listed_.name + ": the columns " + missing +
                                             " are missing; it has: " + kit::excerpt(present, 500));
    }

    std::string key_of(const kit::CsvRow& row) {
        if (in_.key.is_row) {
            kit::Hash128 hash;
            for (const std::string& field : row.fields) hash.add_field(field);
            const std::string digest = hash.hex(16);
            return in_.key.prefix + digest + "-" + std::to_string(++occurrences_[digest]);
        }
        std::string key = in_.key.prefix;
        bool is_empty = true;
        for (std::size_t i = 0; i < key_columns_.size(); ++i) {
            const auto column = static_cast<std::size_t>(key_columns_[i]);
            const std::string_view part =
                column < row.fields.size() ? kit::trimmed(row.fields[column]) : std::string_view();
            is_empty = is_empty && part.empty();
            if (i > 0) key += "|";
            key += part;
        }
        return is_empty ? std::string() : key;
    }

    Record record_of(const kit::CsvRow& row) {
        std::string key = key_of(row);
        std::string fault = row.error;
        if (fault.empty() && key.empty()) fault = "the key is empty";
        Record record(std::move(key), {});
        record.changed_ms = listed_.modified_ms;
        if (fault.empty()) {
            try {
                in_.mapping.read(RowSource(row.fields, columns_)).dump_to(record.payload);
                return record;
            } catch (const kit::ValueError& error) {
                fault = error.what();
            } catch (const liaison::JsonError& error) { fault = error.what(); }
        }
        reject(record, row, fault);
        return record;
    }

    // The host makes a dead letter of a payload with "$rejected".
    void reject(Record& record, const kit::CsvRow& row, const std::string& fault) const {
        const std::string place = listed_.name + ":" + std::to_string(row.line);
        if (record.key.empty() || (!row.error.empty() && !in_.key.is_row)) record.key = place;
        Json raw = Json::object();
        for (std::size_t i = 0; i < row.fields.size() && i < max_raw_fields; ++i) {
            raw.set(i < names_.size() ? names_[i] : std::to_string(i + 1),
                    kit::excerpt(row.fields[i], max_raw_field));
        }
        Json payload = Json::object();
        payload.set("$rejected", place + ": " + fault);
        payload.set("$raw", std::move(raw));
        record.payload = payload.dump();
    }

    const Import& in_;
    const Listed& listed_;
    Cursor position_;
    kit::CsvReader reader_;
    bool is_resumed_ = false, all_read_ = false, is_done_ = false, needs_bytes_ = false;
    std::string etag_;
    std::uint64_t next_byte_ = 0;
    std::size_t width_ = 0, batch_bytes_ = 0;
    std::vector<std::string> names_;
    std::vector<int> columns_, key_columns_;  // by slot; -1: absent
    std::unordered_map<std::string, std::uint32_t> occurrences_;
    std::vector<Record> records_;
};

}  // namespace csv
