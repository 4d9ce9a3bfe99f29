// The inline bodies of field.hpp, apart for length only; include mapping.hpp.
#pragma once

#include <algorithm>
#include <array>

#include <liaison/kit/mapping.hpp>

namespace liaison::kit {

namespace field_parts {

template <class E, std::size_t N>
std::optional<E> by_name(const std::array<std::pair<std::string_view, E>, N>& names, std::string_view name) {
    for (const auto& [candidate, value] : names) {
        if (candidate == name) return value;
    }
    return std::nullopt;
}

inline std::string text_of(const Json& spec, std::string_view key, std::string fallback = {}) {
    const Json* found = spec.find(key);
    return found != nullptr && found->is_string() ? found->as_string() : fallback;
}
inline bool flag_of(const Json& spec, std::string_view key, bool fallback) {
    const Json* found = spec.find(key);
    return found != nullptr && found->is_bool() ? found->as_bool() : fallback;
}
// One text or a list of them.
inline std::vector<std::string> list_of(const Json& spec, std::string_view key) {
    std::vector<std::string> all;
    const Json* found = spec.find(key);
    if (found == nullptr) return all;
    if (found->is_string()) all.push_back(found->as_string());
    if (!found->is_array()) return all;
    for (const Json& item : found->items()) all.emplace_back(item.scalar_text());
    return all;
}

}  // namespace field_parts

inline std::size_t SourceNames::slot(const std::string& name, const std::string& target) {
    const auto known = std::find(names.begin(), names.end(), name);
    if (known != names.end()) return static_cast<std::size_t>(known - names.begin());
    if (are_pointers) {
        try {
            paths.push_back(split_pointer(name));
        } catch (const JsonError& error) {
            throw Failure(ErrorKind::config,
                          "fields: " + target + ": '" + name + "' is no JSON pointer such as /price");
        }
    }
    names.push_back(name);
    optional.push_back(true);
    return names.size() - 1;
}

inline void Field::config_error(const std::string& text) const {
    throw Failure(ErrorKind::config, "fields: " + target_ + ": " + text);
}

inline Field::Field(std::string target, const Json& given, const MappingDefaults& defaults,
                    SourceNames& sources)
    : target_(std::move(target)) {
    using namespace field_parts;
    try {
        path_ = split_pointer(target_);
    } catch (const JsonError&) { config_error("a field is named by a JSON pointer, such as /status"); }
    Json spec = given;
    if (given.is_string()) {
        spec = Json::object();
        spec.set("from", given);
    }
    if (!spec.is_object()) config_error("expected a source name or an object");
    if (const Json* value = spec.find("value")) constant_ = *value;
    required_ = flag_of(spec, "required", false);
    optional_ = flag_of(spec, "optional", false);
    trim_ = flag_of(spec, "trim", true);
    prefix_ = text_of(spec, "prefix");
    join_ = text_of(spec, "join", " ");
    const std::string direction = text_of(spec, "direction", "both");
    imported_ = direction != "export";
    exported_ = direction != "import";
    if (const Json* each = spec.find("each")) {
        if (!sources.are_pointers) config_error("'each' needs a JSON source");
        const Json* fields = spec.find("fields");
        if (fields == nullptr) config_error("'each' needs 'fields'");
        from_.push_back(sources.slot(std::string(each->scalar_text()), target_));
        sources.optional[from_[0]] = optional_;
        each_ = std::make_shared<const Mapping>(Mapping::of_pointers(*fields, defaults));
        if (const Json* fallback = spec.find("default")) default_ = *fallback;
        return;
    }
    take_sources(spec, sources);
    take_type(spec);
    take_values(spec, defaults);
}

inline void Field::take_sources(const Json& spec, SourceNames& sources) {
    using field_parts::list_of;
    const auto take = [&](std::string_view key, std::vector<std::size_t>& slots) {
        for (const std::string& name : list_of(spec, key)) {
            slots.push_back(sources.slot(name, target_));
            if (!optional_) sources.optional[slots.back()] = false;
        }
    };
    take("from", from_);
    take("times", times_);
    take("plus_days", plus_days_from_);
    if (const Json* days = spec.find("plus_days")) plus_days_ = days->to_int().value_or(0);
    std::vector<std::size_t> currency;
    take("currency_from", currency);
    if (!currency.empty()) currency_from_ = currency[0];
    if (from_.empty() && !constant_) config_error("needs one of 'from', 'value' and 'each'");
}

inline void Field::take_type(const Json& spec) {
    using field_parts::text_of;
    static constexpr std::array<std::pair<std::string_view, FieldType>, 11> types = {
        {{"text", FieldType::text},
         {"integer", FieldType::integer},
         {"decimal", FieldType::decimal},
         {"boolean", FieldType::boolean},
         {"date", FieldType::date},
         {"instant", FieldType::instant},
         {"money", FieldType::money},
         {"percent", FieldType::percent},
         {"fraction", FieldType::fraction},
         {"country", FieldType::country},
         {"json", FieldType::json}}};
    static constexpr std::array<std::pair<std::string_view, WriteAs>, 3> forms = {
        {{"string", WriteAs::text}, {"number", WriteAs::number}, {"boolean", WriteAs::boolean}}};
    currency_ = text_of(spec, "money");
    if (!currency_.empty() || currency_from_) type_ = FieldType::money;
    if (spec.find("date") != nullptr || spec.find("plus_days") != nullptr) type_ = FieldType::date;
    if (spec.find("instant") != nullptr) type_ = FieldType::instant;
    if (!times_.empty() && type_ == FieldType::text) type_ = FieldType::decimal;
    if (const Json* as = spec.find("as")) {
        const std::optional<FieldType> type = field_parts::by_name(types, as->scalar_text());
        if (!type) config_error("unknown type '" + std::string(as->scalar_text()) + "'");
        type_ = *type;
    }
    write_as_ = field_parts::by_name(forms, text_of(spec, "write")).value_or(WriteAs::natural);
    minor_ = field_parts::flag_of(spec, "minor", false);
    rounding_ = text_of(spec, "round") == "half_up" ? Rounding::half_up : Rounding::exact;
    if (type_ == FieldType::money && currency_.empty() && !currency_from_ && !constant_) {
        config_error("money needs a currency: `money: EUR` or `currency_from: SOURCE`");
    }
    if (!currency_.empty() && !currency_exponent(currency_))
        config_error("unknown currency '" + currency_ + "'");
    if (type_ == FieldType::date) format_ = text_of(spec, "date", "%Y-%m-%d");
    if (type_ == FieldType::instant) format_ = text_of(spec, "instant", "");
    const std::string fault = time_format_fault(format_);
    if (!fault.empty()) config_error(fault);
}

inline void Field::take_values(const Json& spec, const MappingDefaults& defaults) {
    using namespace field_parts;
    if (const Json* table = spec.find("values")) {
        for (const Json::Member& member : table->members()) values_.emplace_back(member.key, member.value);
    }
    if (const Json* otherwise = spec.find("otherwise")) otherwise_ = *otherwise;
    if (const Json* fallback = spec.find("default")) default_ = *fallback;
    nulls_ = spec.find("nulls") != nullptr ? list_of(spec, "nulls") : defaults.nulls;
    decimals_ = defaults.decimals;
    if (const Json* comma = spec.find("decimal_comma")) decimals_.point = comma->as_bool() ? ',' : '.';
    const std::string thousands = text_of(spec, "thousands");
    if (thousands.size() == 1) decimals_.thousands = thousands[0];
    if (decimals_.thousands == decimals_.point)
        config_error("the thousands separator is also the decimal point");
    const std::string zone = text_of(spec, "zone", defaults.zone);
    if (!zone.empty()) {
        const std::optional<DateTime> parsed = parse_time("%Y %z", "2000 " + zone);
        if (!parsed) config_error("a zone is written as Z or +02:00");
        zone_minutes_ = parsed->offset_minutes.value_or(0);
        has_zone_ = true;
    }
}

inline std::string Field::source_list(const SourceNames& sources) const {
    std::string out;
    for (const std::size_t slot : from_) out += (out.empty() ? "'" : " + '") + sources.names[slot] + "'";
    return out;
}

inline void Field::fail(std::string_view found, const std::string& expected,
                        const SourceNames& sources) const {
    throw ValueError("mapping", target_ + " from " + source_list(sources) + ": found \"" +
                                    excerpt(found, 80) + "\", expected " + expected);
}

inline bool Field::is_null(std::string_view text) const {
    return std::find(nulls_.begin(), nulls_.end(), text) != nulls_.end();
}

// The sources as one text. A missing part makes the whole missing, except in plain text, where parts are
// optional.
inline std::optional<std::string> Field::gather(const SourceRecord& record,
                                                const SourceNames& sources) const {
    std::optional<std::string> joined;
    for (const std::size_t slot : from_) {
        const SourceValue value = record.at(slot);
        const std::string_view text = trim_ ? trimmed(value.text) : value.text;
        if (value.json != nullptr && (value.json->is_array() || value.json->is_object())) {
            fail(value.json->is_array() ? "[...]" : "{...}", "a single value", sources);
        }
        if (!value.is_present || is_null(text)) {
            if (type_ == FieldType::text) continue;
            return std::nullopt;
        }
        if (!joined)
            joined.emplace(text);
        else
            joined->append(join_).append(text);
    }
    return joined;
}

inline Json Field::convert(const std::string& text, const SourceRecord& record,
                           const SourceNames& sources) const {
    if (!values_.empty()) {
        std::string known;
        for (const auto& [word, value] : values_) {
            if (word == text) return value;
            known += (known.empty() ? "" : ", ") + word;
        }
        if (otherwise_) return *otherwise_;
        fail(text, "one of: " + excerpt(known, 200), sources);
    }
    switch (type_) {
        case FieldType::text:
        case FieldType::json: return prefix_ + text;
        case FieldType::date:
        case FieldType::instant: return convert_time(text, record, sources);
        case FieldType::boolean: {
            const std::string word = lowered(text);
            if (word == "true" || word == "1" || word == "yes" || word == "y" || word == "t") return true;
            if (word == "false" || word == "0" || word == "no" || word == "n" || word == "f") return false;
            fail(text, "true or false", sources);
        }
        case FieldType::country: {
            const std::optional<std::string> code = country_code(text);
            if (code) return *code;
            if (otherwise_) return *otherwise_;
            fail(text, "an ISO 3166 country code", sources);
        }
        default: return convert_number(text, record, sources);
    }
}

// The sum of `slots`; what is null there counts as an error, since a product with an unknown is unknown.
inline Decimal Field::sum(const std::vector<std::size_t>& slots, const SourceRecord& record,
                          const SourceNames& sources) const {
    Decimal total;
    for (const std::size_t slot : slots) {
        const SourceValue value = record.at(slot);
        const std::optional<Decimal> number = Decimal::parse(value.text, decimals_);
        const std::optional<Decimal> next = number ? total.plus(*number) : std::nullopt;
        if (!next) {
            throw ValueError("mapping", target_ + " from '" + sources.names[slot] + "': found \"" +
                                            excerpt(value.text, 80) + "\", expected a number");
        }
        total = *next;
    }
    return total;
}

inline std::string Field::money_currency(const SourceRecord& record, const SourceNames& sources) const {
    if (!currency_from_) return currency_;
    const SourceValue value = record.at(*currency_from_);
    const std::string_view text = trimmed(value.text);
    if (text.empty() && !currency_.empty()) return currency_;
    if (!currency_exponent(text)) {
        throw ValueError("unknown_currency", target_ + " from '" + sources.names[*currency_from_] +
                                                 "': found \"" + excerpt(text, 20) +
                                                 "\", expected an ISO 4217 currency");
    }
    return std::string(text);
}

inline Json Field::convert_number(const std::string& text, const SourceRecord& record,
                                  const SourceNames& sources) const {
    std::optional<Decimal> number = Decimal::parse(text, decimals_);
    if (number && !times_.empty()) number = number->times(sum(times_, record, sources));
    if (!number) fail(text, type_ == FieldType::integer ? "a whole number" : "a decimal number", sources);
    switch (type_) {
        case FieldType::integer: {
            const std::optional<std::int64_t> whole = number->to_int();
            if (!whole) fail(text, "a whole number", sources);
            return *whole;
        }
        case FieldType::money: {
            const std::string currency = money_currency(record, sources);
            Json money = Json::object();
            try {
                const std::optional<std::int64_t> minor =
                    minor_ ? number->to_int() : to_minor(*number, currency, rounding_);
                if (!minor) fail(text, "whole minor units", sources);
                money.set("amount", *minor);
            } catch (const ValueError& error) {
                if (error.code == "mapping") throw;
                throw ValueError(error.code, target_ + " from " + source_list(sources) + ": " + error.code +
                                                 ": " + error.what());
            }
            money.set("currency", currency);
            return money;
        }
        case FieldType::percent:
        case FieldType::fraction: {
            const std::int64_t parts = type_ == FieldType::percent ? 10'000 : 1'000'000;
            const std::optional<Decimal> ppm = number->times(Decimal(parts));
            const std::optional<std::int64_t> whole = ppm ? ppm->to_int() : std::nullopt;
            if (!whole) fail(text, "at most parts per million", sources);
            return *whole;
        }
        default: return number->text();
    }
}

inline Json Field::convert_time(const std::string& text, const SourceRecord& record,
                                const SourceNames& sources) const {
    if (type_ == FieldType::instant && format_.empty()) {
        std::string copy = text;
        if (copy.size() > 10 && (copy[10] == ' ' || copy[10] == 't')) copy[10] = 'T';
        std::optional<DateTime> value = parse_time("%Y-%m-%dT%H:%M:%S%z", copy);
        if (!value && has_zone_) value = parse_time("%Y-%m-%dT%H:%M:%S", copy);
        if (!value)
            fail(text,
                 has_zone_ ? "an instant like 2026-01-31T12:00:00"
                           : "an instant like 2026-01-31T12:00:00Z (set 'zone' for times without one)",
                 sources);
        return rfc3339(value->unix_ms(zone_minutes_));
    }
    const std::optional<DateTime> value = parse_time(format_, text);
    if (!value) fail(text, "a date like " + format_time(format_, DateTime{{2026, 1, 31}, 0, {}}), sources);
    if (type_ == FieldType::instant) {
        if (!value->offset_minutes && !has_zone_)
            fail(text, "an instant with an offset, or the setting 'zone'", sources);
        return rfc3339(value->unix_ms(zone_minutes_));
    }
    if (plus_days_from_.empty() && plus_days_ == 0) return date_text(value->date);
    const std::optional<std::int64_t> days = sum(plus_days_from_, record, sources).to_int();
    static constexpr std::int64_t most = 36'525;
    if (!days || *days < -most || *days > most)
        fail(text, "a whole, sensible number of days to add", sources);
    return date_text(value->date.plus_days(*days + plus_days_));
}

inline std::string Field::why_not_writable() const {
    if (from_.size() > 1) return "it is joined of several sources";
    if (!times_.empty()) return "it is a product ('times')";
    if (!plus_days_from_.empty() || plus_days_ != 0) return "it is computed ('plus_days')";
    for (std::size_t i = 0; i < values_.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (values_[i].second == values_[j].second) {
                return "'" + values_[j].first + "' and '" + values_[i].first + "' both mean the same value";
            }
        }
    }
    return {};
}

inline Json Field::written_number(const Decimal& number, bool to_json) const {
    std::string text = number.fixed_text();
    if (to_json && write_as_ != WriteAs::text) return Json::number(std::move(text));
    if (decimals_.point != '.') std::replace(text.begin(), text.end(), '.', decimals_.point);
    return text;
}

inline Json Field::write(const Json& value, bool to_json) const {
    const auto expect = [&](const char* what) -> ValueError {
        return ValueError("mapping", "found " + excerpt(value.dump(), 80) + ", expected " + what);
    };
    if (!values_.empty()) {
        for (const auto& [word, canonical] : values_) {
            if (!(canonical == value)) continue;
            if (write_as_ == WriteAs::number && to_json && Decimal::parse(word)) return Json::number(word);
            if (write_as_ == WriteAs::boolean && to_json) return word == "true";
            return word;
        }
        throw expect("a value that the table 'values' knows");
    }
    switch (type_) {
        case FieldType::json:
            return to_json ? value : Json(value.is_string() ? value.as_string() : value.dump());
        case FieldType::text:
        case FieldType::country: {
            if (!value.is_string() && !value.is_number()) throw expect("a text");
            std::string text(value.scalar_text());
            if (!text.starts_with(prefix_))
                throw ValueError("mapping", "expected the prefix '" + prefix_ + "'");
            text.erase(0, prefix_.size());
            if (write_as_ == WriteAs::number && to_json && Decimal::parse(text)) return Json::number(text);
            return text;
        }
        case FieldType::boolean:
            if (!value.is_bool()) throw expect("true or false");
            if (!to_json || write_as_ == WriteAs::text) return value.scalar_text();
            if (write_as_ == WriteAs::number) return value.as_bool() ? 1 : 0;
            return value;
        case FieldType::date: {
            const auto date = value.is_string() ? parse_date("%Y-%m-%d", value.as_string()) : std::nullopt;
            if (!date) throw expect("a date");
            return format_time(format_, DateTime{*date, 0, zone_minutes_});
        }
        case FieldType::instant: {
            const auto ms = value.is_string() ? parse_rfc3339(value.as_string()) : std::nullopt;
            if (!ms) throw expect("an instant");
            if (format_.empty()) return rfc3339(*ms);
            DateTime local = DateTime::from_unix_ms(*ms + zone_minutes_ * 60'000);
            local.offset_minutes = zone_minutes_;
            return format_time(format_, local);
        }
        case FieldType::money: {
            const Json* amount = value.find("amount");
            const Json* currency = value.find("currency");
            const std::optional<std::int64_t> minor = amount != nullptr ? amount->to_int() : std::nullopt;
            if (!minor || currency == nullptr || !currency->is_string()) throw expect("money");
            if (!currency_from_ && currency->as_string() != currency_) {
                throw ValueError("currency", "found an amount in " + currency->as_string() +
                                                 ", this field takes " + currency_);
            }
            const int exponent = exponent_or_throw(currency->as_string());
            return written_number(Decimal::scaled(*minor, minor_ ? 0 : exponent), to_json);
        }
        default: break;
    }
    const std::optional<Decimal> number = Decimal::parse(value.scalar_text());
    if (!number || value.is_bool()) throw expect("a number");
    if (type_ != FieldType::percent && type_ != FieldType::fraction) return written_number(*number, to_json);
    const std::optional<std::int64_t> ppm = number->to_int();
    if (!ppm) throw expect("parts per million");
    const Decimal scaled = Decimal::scaled(*ppm, type_ == FieldType::percent ? 4 : 6);
    return written_number(*Decimal::parse(scaled.text()), to_json);
}

}  // namespace liaison::kit
