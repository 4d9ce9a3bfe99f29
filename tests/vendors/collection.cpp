#include "collection.hpp"

#include <algorithm>
#include <charconv>

#include "instant.hpp"

namespace liaison_sim {
namespace {

// Seeded records change once a second from 2026-01-01 on: the same on every run, and in the past.
constexpr std::int64_t seed_epoch_ms = 1'767'225'600'000;
constexpr std::int64_t seed_step_ms = 1000;

}  // namespace

std::size_t Collection::count(Since since) const {
    return since ? order_.size() - order_.order_of_key(*since) : order_.size();
}

const Record* Collection::find(const std::string& id) const {
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : &found->second;
}

std::vector<const Record*> Collection::slice(Since since, std::size_t offset, std::size_t limit) const {
    std::vector<const Record*> records;
    const std::size_t first = (since ? order_.order_of_key(*since) : 0) + offset;
    if (first >= order_.size()) return records;
    records.reserve(std::min(limit, order_.size() - first));
    for (auto at = order_.find_by_order(first); at != order_.end() && records.size() < limit; ++at) {
        records.push_back(at->second);
    }
    return records;
}

std::vector<const Record*> Collection::find_by_lookup(const std::string& value) const {
    std::vector<const Record*> records;
    const auto [first, last] = by_lookup_.equal_range(value);
    for (auto at = first; at != last; ++at) records.push_back(at->second);
    std::sort(records.begin(), records.end(),
              [](const Record* a, const Record* b) { return a->stamp_ms < b->stamp_ms; });
    return records;
}

std::string Collection::id_of(std::int64_t number) const {
    std::string digits = std::to_string(number);
    if (digits.size() < entity_.id_width) digits.insert(0, entity_.id_width - digits.size(), '0');
    return entity_.id_prefix + digits;
}

std::optional<std::int64_t> Collection::number_of(std::string_view id) const {
    std::int64_t number = 0;
    if (!id.starts_with(entity_.id_prefix)) return std::nullopt;
    const std::string_view digits = id.substr(entity_.id_prefix.size());
    const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure != std::errc{} || number < 1 || number > 1'000'000'000'000 || id_of(number) != id) {
        return std::nullopt;
    }
    return number;
}

std::int64_t Collection::next_stamp() const { return std::max(now_ms(), last_stamp_ + 1); }

std::int64_t Collection::seed_stamp() const {
    return std::max(seed_epoch_ms + next_number_ * seed_step_ms, last_stamp_ + 1);
}

const Record& Collection::put(Record record) {
    Record& stored = records_[record.id];
    const std::int64_t born_ms = stored.id.empty() ? now_ms() : stored.born_ms;
    if (!stored.id.empty()) unlink(stored);
    stored = std::move(record);
    stored.born_ms = born_ms;
    order_.insert({stored.stamp_ms, &stored});
    if (!entity_.lookup_field.empty()) by_lookup_.emplace(stored.lookup, &stored);
    last_stamp_ = std::max(last_stamp_, stored.stamp_ms);
    if (const auto number = number_of(stored.id)) next_number_ = std::max(next_number_, *number + 1);
    return stored;
}

const Record& Collection::put(const std::string& id, Json document) {
    Record record{id, next_stamp(), {}, {}};
    document.set(entity_.id_field, entity_.has_number_ids ? Json::number(id) : Json::string(id));
    document.erase(entity_.stamp_field);
    document.set(entity_.stamp_field, Json::string(format_instant(record.stamp_ms)));
    if (!entity_.lookup_field.empty()) record.lookup = document.text_of(entity_.lookup_field);
    // Vendors show the id first.
    auto& members = document.members();
    const auto at = std::find_if(members.begin(), members.end(),
                                 [&](const auto& member) { return member.key == entity_.id_field; });
    std::rotate(members.begin(), at, at + 1);
    record.json = document.serialize();
    return put(std::move(record));
}

bool Collection::erase(const std::string& id) {
    const auto found = records_.find(id);
    if (found == records_.end()) return false;
    unlink(found->second);
    records_.erase(found);
    return true;
}

void Collection::clear() {
    order_.clear();
    by_lookup_.clear();
    records_.clear();
    next_number_ = 1;
    last_stamp_ = 0;
    seed_ = default_seed;
}

void Collection::unlink(const Record& record) {
    order_.erase(record.stamp_ms);
    const auto [first, last] = by_lookup_.equal_range(record.lookup);
    const auto at = std::find_if(first, last, [&](const auto& entry) { return entry.second == &record; });
    if (at != last) by_lookup_.erase(at);
}

void append_array(std::string& out, const std::vector<const Record*>& records) {
    std::size_t bytes = 2;
    for (const Record* record : records) bytes += record->json.size() + 1;
    out.reserve(out.size() + bytes + 64);
    out += '[';
    for (const Record* record : records) {
        if (out.back() == '}') out += ',';
        out += record->json;
    }
    out += ']';
}

}  // namespace liaison_sim
