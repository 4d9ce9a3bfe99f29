// Mapping: declarative translation between a foreign record (CSV row or JSON document) and a canonical one.
//
//     fields:
//       /status:  { from: state, values: { "1": confirmed, "2": cancelled }, otherwise: unknown }
//       /total:   { from: amount, money: EUR }
//       /name:    name
//
// The same lines read backwards write a record. Immutable, so usable from any thread.
#pragma once

#include <liaison/kit/field.hpp>

namespace liaison::kit {

class JsonSource : public SourceRecord {
  public:
    JsonSource(const Json& record, const SourceNames& names) : record_(record), names_(names) {}
    SourceValue at(std::size_t slot) const override {
        const Json* found = record_.at(names_.paths[slot]);
        if (found == nullptr || found->is_null()) return {};
        return {true, found->scalar_text(), found};
    }

  private:
    const Json& record_;
    const SourceNames& names_;
};

class Mapping {
  public:
    static Mapping of_columns(const Json& fields, MappingDefaults defaults) {
        return Mapping(fields, std::move(defaults), false);
    }
    static Mapping of_pointers(const Json& fields, MappingDefaults defaults) {
        return Mapping(fields, std::move(defaults), true);
    }

    const SourceNames& sources() const { return sources_; }

    // The canonical record. Throws ValueError that names every field at fault.
    Json read(const SourceRecord& record) const {
        Json result = Json::object();
        result.members().reserve(fields_.size());
        std::string faults;
        for (const Field& field : fields_) {
            if (!field.is_imported()) continue;
            try {
                if (std::optional<Json> value = field.read(record, sources_)) {
                    result.place(field.path()) = std::move(*value);
                }
            } catch (const ValueError& error) { add_fault(faults, error.what()); }
        }
        if (!faults.empty()) throw ValueError("mapping", faults);
        return result;
    }
    Json read(const Json& record) const { return read(JsonSource(record, sources_)); }

    // For a mapping of pointers.
    Json write_json(const Json& record) const {
        Json result = Json::object();
        write(record, true,
              [&](std::size_t slot, Json value) { result.place(sources_.paths[slot]) = std::move(value); });
        return result;
    }
    // For a mapping of columns: one text per source, in the order of sources().
    std::vector<std::string> write_row(const Json& record) const {
        std::vector<std::string> row(sources_.names.size());
        write(record, false, [&](std::size_t slot, const Json& value) { row[slot] = value.scalar_text(); });
        return row;
    }

    // Throws Failure(config) unless every exported field can be written, each source by one field only.
    void require_writable() const {
        std::vector<const Field*> writers(sources_.names.size());
        for (const Field& field : fields_) {
            if (!field.is_exported()) continue;
            const std::string fault = field.why_not_writable();
            if (!fault.empty()) {
                throw Failure(ErrorKind::config, "fields: " + field.target() + " cannot be written back: " +
                                                     fault + "; mark it `direction: import`");
            }
            if (field.each() != nullptr) field.each()->require_writable();
            const Field*& writer = writers[field.sources()[0]];
            if (writer != nullptr) {
                throw Failure(ErrorKind::config, "fields: " + sources_.names[field.sources()[0]] +
                                                     " would be written by both " + writer->target() +
                                                     " and " + field.target() +
                                                     "; mark one of them `direction: import`");
            }
            writer = &field;
        }
    }
    // Slots that an export fills, for the default columns of a file.
    std::vector<std::size_t> written_slots() const {
        std::vector<std::size_t> slots;
        const auto add = [&](std::size_t slot) {
            if (std::find(slots.begin(), slots.end(), slot) == slots.end()) slots.push_back(slot);
        };
        for (const Field& field : fields_) {
            if (!field.is_exported()) continue;
            add(field.sources()[0]);
            if (field.currency_source()) add(*field.currency_source());
        }
        return slots;
    }

  private:
    Mapping(const Json& fields, MappingDefaults defaults, bool are_pointers) : sources_(are_pointers) {
        if (!fields.is_object()) throw Failure(ErrorKind::config, "fields: expected an object");
        for (const Json::Member& member : fields.members()) {
            fields_.emplace_back(member.key, member.value, defaults, sources_);
        }
    }
    static void add_fault(std::string& faults, std::string_view fault) {
        if (faults.size() > 1000) return;
        if (!faults.empty()) faults += "; ";
        faults += fault;
    }

    template <class Put>
    void write(const Json& record, bool to_json, Put put) const {
        std::string faults;
        for (const Field& field : fields_) {
            if (!field.is_exported()) continue;
            try {
                write_field(field, record, to_json, put);
            } catch (const ValueError& error) { add_fault(faults, field.target() + ": " + error.what()); }
        }
        if (!faults.empty()) throw ValueError("mapping", faults);
    }
    template <class Put>
    void write_field(const Field& field, const Json& record, bool to_json, Put& put) const {
        const Json* value = record.at(field.path());
        const std::size_t slot = field.sources()[0];
        if (value == nullptr) {
            if (field.is_required()) throw ValueError("required", "the record has no such value");
            return;
        }
        if (value->is_null()) {
            if (to_json) put(slot, Json());
        } else if (field.each() != nullptr) {
            if (!value->is_array()) throw ValueError("mapping", "expected an array");
            Json items = Json::array();
            for (const Json& item : value->items()) items.push_back(field.each()->write_json(item));
            put(slot, std::move(items));
        } else {
            put(slot, field.write(*value, to_json));
            const Json* currency = field.is_money() ? value->find("currency") : nullptr;
            if (field.currency_source() && currency != nullptr) put(*field.currency_source(), *currency);
        }
    }

    SourceNames sources_;
    std::vector<Field> fields_;
};

inline std::optional<Json> Field::read(const SourceRecord& record, const SourceNames& sources) const {
    if (constant_) return constant_;
    if (each_) {
        const SourceValue value = record.at(from_[0]);
        if (!value.is_present) {
            if (required_) fail({}, "an array", sources);
            return default_;
        }
        if (!value.json->is_array()) fail(value.text, "an array", sources);
        Json items = Json::array();
        for (std::size_t i = 0; i < value.json->items().size(); ++i) {
            try {
                items.push_back(each_->read(value.json->items()[i]));
            } catch (const ValueError& error) {
                throw ValueError("mapping", target_ + "/" + std::to_string(i) + ": " + error.what());
            }
        }
        return items;
    }
    if (type_ == FieldType::json) {
        const SourceValue value = record.at(from_[0]);
        if (value.is_present) return value.json != nullptr ? *value.json : Json(value.text);
    } else if (std::optional<std::string> text = gather(record, sources)) {
        return convert(*text, record, sources);
    }
    if (default_) return default_;
    if (required_) fail({}, "a value", sources);
    return std::nullopt;
}

}  // namespace liaison::kit

#include <liaison/kit/field_impl.hpp>
