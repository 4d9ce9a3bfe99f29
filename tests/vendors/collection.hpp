// One kind of record of one vendor, in memory: by id, by change time and by an optional lookup field.
// The record is its serialized JSON, so a page is a concatenation. Change times are unique and only grow,
// which makes (updated_at, id) order the order of the time alone; the tree knows ranks, so page 900 costs
// what page 1 costs. Not thread-safe: its vendor locks.
#pragma once

#include <cstdint>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "json.hpp"
#include "schema.hpp"

namespace liaison_sim {

struct Entity {
    std::string name;      // "products", as in the paths
    std::string id_field;  // "id"
    std::string stamp_field;
    std::string lookup_field;  // "" for none
    std::string id_prefix;     // "R" in R000001
    std::size_t id_width = 0;  // digits, padded with zeros
    bool has_number_ids = false;
    Schema schema;                      // id and stamp are read only in it
    bool is_checked_by_vendor = false;  // then the schema says nothing
};

constexpr std::uint64_t default_seed = 42;

struct Record {
    std::string id;
    std::int64_t stamp_ms = 0;
    std::string lookup;
    std::string json;
    std::int64_t born_ms = 0;  // when it was first put; by the clock, unlike its stamp
};

class Collection {
  public:
    using Since = std::optional<std::int64_t>;  // inclusive, milliseconds

    explicit Collection(Entity entity) : entity_(std::move(entity)) {}
    const Entity& entity() const { return entity_; }

    std::size_t size() const { return records_.size(); }
    std::size_t count(Since since) const;
    const Record* find(const std::string& id) const;
    std::vector<const Record*> slice(Since since, std::size_t offset, std::size_t limit) const;
    // Oldest change first.
    std::vector<const Record*> find_by_lookup(const std::string& value) const;
    bool has_lookup(const std::string& value) const { return by_lookup_.contains(value); }

    // The next id's number, not taken until a record with it is put.
    std::int64_t next_number() const { return next_number_; }
    std::string id_of(std::int64_t number) const;
    // The number inside an id of this entity's form.
    std::optional<std::int64_t> number_of(std::string_view id) const;
    // The change time of a write now, and of a seeded record; both later than every one before.
    std::int64_t next_stamp() const;
    std::int64_t seed_stamp() const;

    // Inserts or replaces; the record's stamp must come from next_stamp or seed_stamp.
    const Record& put(Record record);
    // Writes id and stamp into the document and puts it.
    const Record& put(const std::string& id, Json document);
    bool erase(const std::string& id);
    void clear();
    // The seed its records were last generated with, so that later ones agree with them.
    std::uint64_t seed() const { return seed_; }
    void set_seed(std::uint64_t seed) { seed_ = seed; }

  private:
    using Order = __gnu_pbds::tree<std::int64_t, const Record*, std::less<>, __gnu_pbds::rb_tree_tag,
                                   __gnu_pbds::tree_order_statistics_node_update>;

    void unlink(const Record& record);

    Entity entity_;
    std::unordered_map<std::string, Record> records_;
    Order order_;
    std::unordered_multimap<std::string, const Record*> by_lookup_;
    std::int64_t next_number_ = 1;
    std::int64_t last_stamp_ = 0;
    std::uint64_t seed_ = default_seed;
};

// "[{...},{...}]"
void append_array(std::string& out, const std::vector<const Record*>& records);

}  // namespace liaison_sim
