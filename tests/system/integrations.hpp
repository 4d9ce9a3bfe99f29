// The integrations that the tests use, as YAML for House::configure: the demo's, with shorter pages.
#pragma once

#include <string>

#include "house.hpp"

namespace liaison_system {

struct Options {
    std::string entities;  // in YAML: "[product]" or "{ product: { on_change: true } }"
    std::string schedule = "manual";
    std::string more = {};  // further lines, indented by four blanks
};

std::string shop(const Options& options,
                 const std::string& id = "shop");  // products, customers, orders; 100 a page
// The same, with its orders as `invoice` (cancelled ones are drafts) and as `pos_transaction` (cancelled ones
// are void, shipped ones refunds), and products as `stock_level` (as many as they cost), too.
std::string shop_ledger(const Options& options);
// That many products at a shop that takes its time, so that there is a middle to break in on; starts the
// daemon.
void start_with_slow_shop(House& house, int products, const Options& options = {"[product]"},
                          const std::string& more_integrations = {});
// `concurrent`: requests at once.
std::string office(const Options& options, int concurrent = 16);  // the same, out: upsert, upsert, keyed
std::string pms(const Options& options, const std::string& effect = "findable");  // reservations, out
// The office with products in both directions.
std::string office_both_ways(const Options& options);
// Reservations from files in @ROOT@/in with the columns that `bookings` writes.
std::string bookings_import(const Options& options, const std::string& key = "[id]");

// A CSV file of that many bookings; each has its own guest and total. With `has_ids` false the column is
// missing and each hundredth row equals the one before.
std::string bookings(int rows, bool has_ids = true);

}  // namespace liaison_system
