// The wholesaler's invented catalogue, customers and orders: pure functions of a number and a seed.
#pragma once

#include <cstdint>
#include <string>

namespace liaison_sim::shop_data {

// splitmix64: small, fast and the same everywhere.
class Random {
  public:
    Random(std::uint64_t seed, std::int64_t number);
    std::uint64_t next();
    std::int64_t below(std::int64_t bound);

  private:
    std::uint64_t state_;
};

// What an order line needs of a product; money in cents, tax in tenths of a percent.
struct Product {
    std::string sku;
    std::string name;
    std::string unit;
    std::int64_t price_cents = 0;
    std::int64_t cost_cents = 0;
    int vat_tenths = 0;
    std::size_t category = 0;
};

struct OrderSeed {
    std::uint64_t seed = 42;
    std::uint64_t product_seed = 42;  // the seed the catalogue was made with, so that prices agree
    std::int64_t products = 0;
    std::int64_t customers = 0;
};

Product product(std::int64_t number, std::uint64_t seed);
std::string product_json(std::int64_t number, std::uint64_t seed, std::int64_t stamp_ms);
std::string customer_json(std::int64_t number, std::uint64_t seed, std::int64_t stamp_ms);
std::string order_json(std::int64_t number, const OrderSeed& order, std::int64_t stamp_ms);

std::string cents(std::int64_t amount);              // 1250 -> "12.50"
std::string padded(std::int64_t number, int width);  // 12, 6 -> "000012"

}  // namespace liaison_sim::shop_data
