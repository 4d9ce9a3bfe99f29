// A wholesaler's ERP behind an API key: products and customers are upserted by our keys, orders are created
// once per Idempotency-Key and refuse what they do not know. Amounts are decimal strings.
#pragma once

#include <unordered_map>

#include "vendor.hpp"

namespace liaison_sim {

class Backoffice : public Vendor {
  public:
    Backoffice();

  protected:
    bool is_authorized(const Request& request) const override;
    std::string challenge() const override { return "ApiKey header=\"X-Api-Key\""; }
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;
    void forget() override { answered_.clear(); }

  private:
    struct Answered {
        std::string body;
        Response response;
    };

    Response ping(const Request& request);
    Response list(const Request& request);
    Response get_one(const Request& request);
    Response upsert_keyed(const Request& request);
    Response list_orders(const Request& request);
    Response create_order(const Request& request);
    Response replace_order(const Request& request);
    Response page(const Collection& collection, const Params& params);
    Collection& named(const std::string& entity);
    Json checked_order(const Request& request) const;

    Collection& products_;
    Collection& customers_;
    Collection& orders_;
    std::unordered_map<std::string, Answered> answered_;  // by Idempotency-Key, kept for ever
};

}  // namespace liaison_sim
