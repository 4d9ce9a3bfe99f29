// The generic REST shop: where a wholesaler's products, customers and orders come from. Read only over its
// own API, one paging style per entity (page numbers, offsets, cursors); bearer token; prices are numbers.
#pragma once

#include "vendor.hpp"

namespace liaison_sim {

class Shop : public Vendor {
  public:
    Shop();

  protected:
    bool is_authorized(const Request& request) const override;
    std::string challenge() const override { return "Bearer realm=\"shop\""; }
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;
    void complete(const Collection& collection, Json& record, const Json& patch) override;

  private:
    Response ping(const Request& request);
    Response list_products(const Request& request);
    Response list_customers(const Request& request);
    Response list_orders(const Request& request);
    std::vector<const Record*> placed_between(Collection::Since since, std::optional<std::int64_t> from,
                                              std::optional<std::int64_t> to, std::size_t limit) const;
    Response get_one(const Request& request);
    void complete_lines(Json& lines);

    Collection& products_;
    Collection& customers_;
    Collection& orders_;
};

}  // namespace liaison_sim
