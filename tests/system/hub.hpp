// What the hub's database holds, read beside the running daemon, and what must be true of it whatever was
// killed.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "house.hpp"

namespace liaison_system {

struct Mapped {
    std::int64_t rid = 0;
    boost::json::object payload;
};

class Hub {
  public:
    explicit Hub(const House& house) : path_(house.state_dir / "liaison.db") {}

    std::int64_t number(const std::string& sql) const;
    std::string text(const std::string& sql) const;
    // The first two columns of every row.
    std::vector<std::pair<std::string, std::string>> pairs(const std::string& sql) const;
    std::int64_t open_intents() const { return number("SELECT count(*) FROM intents"); }
    // By external id. The table's key admits each external id once per integration.
    std::map<std::string, Mapped> mapped(const std::string& integration, const std::string& entity) const;
    // Records of an entity that exist, mapped or not.
    std::int64_t records(const std::string& entity) const;

  private:
    std::filesystem::path path_;
};

// Pointers into a canonical record and into the vendor's that must hold the same.
using Fields = std::vector<std::pair<std::string, std::string>>;

extern const Fields product_fields, order_fields, office_product_fields, pms_fields;

// Each of these vendor records is mapped once, to a hub record of its own with the same content.
testing::AssertionResult hub_knows(const Hub& hub, const std::string& integration, const std::string& entity,
                                   const boost::json::array& vendor, const std::string& key,
                                   const Fields& fields);
// The same, and there are no others.
testing::AssertionResult hub_equals(const Hub& hub, const std::string& integration, const std::string& entity,
                                    const boost::json::array& vendor, const std::string& key,
                                    const Fields& fields);
// All records of a simulated vendor: "shop/products".
boost::json::array vendor_records(const House& house, const std::string& entity);
// No two records of the vendor have the same text there.
testing::AssertionResult all_differ(const boost::json::array& vendor, const std::string& key);

// Everything known of the shop is in the hub.
void expect_hub_equals_shop(const House& house, const std::string& integration = "shop");
// What was exported is there once, agrees with the hub, and nothing is left open.
void expect_pms_holds(const House& house, std::int64_t reservations);
void expect_office_holds(const House& house, std::int64_t products, std::int64_t orders);
// Each guest of `bookings(rows, ...)` is in the hub as often as in the file.
void expect_bookings(const House& house, int rows, bool has_ids);

}  // namespace liaison_system
