// Field: one line of a mapping - where a value of the canonical record comes from, and how it goes back.
//
// Settings are checked against the manifest's schema before they get here; what a schema cannot say is
// checked here and thrown as Failure(config). Values that do not fit throw ValueError: they belong to one
// record, not to the job.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <liaison/kit/country.hpp>
#include <liaison/kit/json.hpp>
#include <liaison/kit/money.hpp>
#include <liaison/kit/time.hpp>
#include <liaison/sdk/types.hpp>

namespace liaison::kit {

class Mapping;

// What is used where a field does not say otherwise.
struct MappingDefaults {
    std::vector<std::string> nulls = {""};
    DecimalStyle decimals;
    std::string zone;  // "+02:00": for instants without an offset; empty: such an instant is an error
};

// One value of a foreign record. Absent and null are the same here: nothing is known.
struct SourceValue {
    bool is_present = false;
    std::string_view text;       // of scalars
    const Json* json = nullptr;  // where the source is JSON
};

// A foreign record, seen through the numbered sources of a mapping.
class SourceRecord {
  public:
    virtual ~SourceRecord() = default;
    virtual SourceValue at(std::size_t slot) const = 0;
};

enum class FieldType {
    text,
    integer,
    decimal,
    boolean,
    date,
    instant,
    money,
    percent,
    fraction,
    country,
    json
};
enum class WriteAs { natural, text, number, boolean };

// The numbered sources of a mapping: column names, or JSON pointers.
class SourceNames {
  public:
    explicit SourceNames(bool are_pointers) : are_pointers(are_pointers) {}
    std::size_t slot(const std::string& name, const std::string& target);
    std::vector<std::string> names;
    std::vector<std::vector<std::string>> paths;  // of pointers, split
    std::vector<bool> optional;
    bool are_pointers;
};

class Field {
  public:
    Field(std::string target, const Json& spec, const MappingDefaults& defaults, SourceNames& sources);

    // The canonical value; nothing when the record has none.
    std::optional<Json> read(const SourceRecord& record, const SourceNames& sources) const;
    // Back to the foreign form. For money with a currency source, the currency is written by the mapping.
    Json write(const Json& value, bool to_json) const;
    // Why the field cannot be written back; empty when it can.
    std::string why_not_writable() const;

    const std::string& target() const { return target_; }
    const std::vector<std::string>& path() const { return path_; }
    bool is_imported() const { return imported_; }
    bool is_exported() const { return exported_ && !constant_; }
    bool is_required() const { return required_; }
    bool is_money() const { return type_ == FieldType::money; }
    const Mapping* each() const { return each_.get(); }
    const std::vector<std::size_t>& sources() const { return from_; }
    const std::optional<std::size_t>& currency_source() const { return currency_from_; }

  private:
    void take_sources(const Json& spec, SourceNames& sources);
    void take_type(const Json& spec);
    void take_values(const Json& spec, const MappingDefaults& defaults);
    [[noreturn]] void config_error(const std::string& text) const;
    [[noreturn]] void fail(std::string_view found, const std::string& expected,
                           const SourceNames& sources) const;
    std::string source_list(const SourceNames& sources) const;

    bool is_null(std::string_view text) const;
    std::optional<std::string> gather(const SourceRecord& record, const SourceNames& sources) const;
    Json convert(const std::string& text, const SourceRecord& record, const SourceNames& sources) const;
    Json convert_number(const std::string& text, const SourceRecord& record,
                        const SourceNames& sources) const;
    Json convert_time(const std::string& text, const SourceRecord& record, const SourceNames& sources) const;
    std::string money_currency(const SourceRecord& record, const SourceNames& sources) const;
    Decimal sum(const std::vector<std::size_t>& slots, const SourceRecord& record,
                const SourceNames& sources) const;
    Json written_number(const Decimal& number, bool to_json) const;

    std::string target_;
    std::vector<std::string> path_;
    std::vector<std::size_t> from_, times_, plus_days_from_;
    std::optional<std::size_t> currency_from_;
    std::int64_t plus_days_ = 0;
    FieldType type_ = FieldType::text;
    WriteAs write_as_ = WriteAs::natural;
    std::string format_, currency_, prefix_, join_ = " ";
    std::optional<Json> constant_, default_, otherwise_;
    std::vector<std::pair<std::string, Json>> values_;
    std::vector<std::string> nulls_;
    DecimalStyle decimals_;
    int zone_minutes_ = 0;
    bool has_zone_ = false, required_ = false, optional_ = false, trim_ = true, minor_ = false;
    bool imported_ = true, exported_ = true;
    Rounding rounding_ = Rounding::exact;
    std::shared_ptr<const Mapping> each_;
};

}  // namespace liaison::kit
