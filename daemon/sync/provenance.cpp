#include "sync/provenance.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"

namespace liaisond::sync {
namespace {

// Long enough to notice that a value comes back, too short to learn from it what it was.
std::string trace_of(const json::value& value) {
    return to_hex(content_hash(json::serialize(value))).substr(0, 4);
}

}  // namespace

Provenance::Provenance(std::string_view text) {
    if (text.empty()) return;
    boost::system::error_code error;
    json::value parsed = json::parse(text, error);
    if (!error && parsed.is_object()) fields_ = std::move(parsed.get_object());
}

void Provenance::note(std::string_view pointer, const std::string& integration, std::int64_t changed_ms) {
    put(pointer, {integration, changed_ms}, swings_of(pointer));
}

void Provenance::note(std::string_view pointer, const std::string& integration, std::int64_t changed_ms,
                      const json::value& from, const json::value& to, Instant at) {
    Swings swings = swings_of(pointer);
    if (holder(pointer) != integration) {
        swings = after(pointer, integration, to, at);
        swings.was = trace_of(from);
    }
    put(pointer, {integration, changed_ms}, swings);
}

std::string Provenance::holder(std::string_view pointer) const {
    const json::array* entry = find(pointer);
    return entry != nullptr ? std::string((*entry)[0].get_string()) : std::string();
}

std::int64_t Provenance::changed_ms(std::string_view pointer) const {
    const json::array* entry = find(pointer);
    return entry != nullptr ? (*entry)[1].get_int64() : 0;
}

bool Provenance::swings(std::string_view pointer, const std::string& integration, const json::value& to,
                        Instant at) const {
    const Swings then = after(pointer, integration, to, at);
    return then.frozen || then.count >= swings_before_frozen;
}

void Provenance::freeze(std::string_view pointer) {
    Swings swings = swings_of(pointer);
    swings.frozen = true;
    put(pointer, {holder(pointer), changed_ms(pointer)}, swings);
}

void Provenance::thaw(std::string_view pointer) {
    if (find(pointer) != nullptr) put(pointer, {holder(pointer), changed_ms(pointer)}, {});
}

std::string Provenance::text() const { return fields_.empty() ? std::string() : json::serialize(fields_); }

const json::array* Provenance::find(std::string_view pointer) const {
    const json::value* found = fields_.if_contains(pointer);
    const json::array* entry = found != nullptr ? found->if_array() : nullptr;
    const bool fits =
        entry != nullptr && entry->size() >= 2 && (*entry)[0].is_string() && (*entry)[1].is_int64();
    return fits ? entry : nullptr;
}

Provenance::Swings Provenance::swings_of(std::string_view pointer) const {
    Swings made;
    const json::array* entry = find(pointer);
    const json::object* kept = entry != nullptr && entry->size() > 2 ? (*entry)[2].if_object() : nullptr;
    if (kept == nullptr) return made;
    const auto number = [&](const char* key) {
        const json::value* found = kept->if_contains(key);
        return found != nullptr && found->is_int64() ? found->get_int64() : 0;
    };
    if (const json::value* was = kept->if_contains("was"); was != nullptr && was->is_string())
        made.was = was->get_string();
    made.count = number("swings");
    made.since = from_unix_ms(number("since"));
    made.frozen = kept->contains("frozen");
    return made;
}

// How it stands if that integration changes it to `to`.
Provenance::Swings Provenance::after(std::string_view pointer, const std::string& integration,
                                     const json::value& to, Instant at) const {
    Swings swings = swings_of(pointer);
    if (holder(pointer) == integration) return swings;
    const bool comes_back = !swings.was.empty() && swings.was == trace_of(to);
    const bool goes_on = comes_back && swings.count > 0 && at - swings.since <= swings_within;
    if (!goes_on) swings.since = comes_back ? at : Instant();
    swings.count = goes_on ? swings.count + 1 : comes_back ? 1 : 0;
    return swings;
}

void Provenance::put(std::string_view pointer, json::array entry, const Swings& swings) {
    json::object kept;
    if (!swings.was.empty()) kept["was"] = swings.was;
    if (swings.count > 0) {
        kept["swings"] = swings.count;
        kept["since"] = to_unix_ms(swings.since);
    }
    if (swings.frozen) kept["frozen"] = true;
    if (!kept.empty()) entry.emplace_back(std::move(kept));
    fields_[pointer] = std::move(entry);
}

}  // namespace liaisond::sync
