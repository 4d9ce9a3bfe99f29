// Lightspeed Restaurant K-Series (lightspeed.md): sales, items, discounts and availability of one business
// with two locations. Financial amounts are texts, those of items numbers; ids are beyond 2^53.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "oauth.hpp"
#include "vendor.hpp"

namespace liaison_sim {

inline constexpr const char* lightspeed_location = "9107199254740993";
inline constexpr const char* lightspeed_other_location = "9107199254740995";

class Lightspeed final : public Vendor {
  public:
    explicit Lightspeed(std::shared_ptr<TokenBook> tokens);

  protected:
    bool is_authorized(const Request& request) const override;
    std::string challenge() const override { return R"(Bearer error="invalid_token")"; }
    Response unauthorized() const override;
    Response too_many() const override;
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;
    void forget() override;
    bool set_own(const std::string& name, const Json& value) override;
    void show_own(Json& switches) const override;

  private:
    using Keep = std::function<bool(const Json&)>;

    Response businesses(const Request& request);
    Response sales(const Request& request);
    Response sales_of_day(const Request& request);
    Response items(const Request& request);
    Response item(const Request& request);
    Response create_item(const Request& request);
    Response replace_item(const Request& request);
    Response availability(const Request& request);
    Response discounts(const Request& request);

    std::vector<Json> rows(const Collection& collection, const std::string& location, const Keep& keep) const;
    // With what was asked to be included, and nothing else.
    static Json shown_sale(Json sale, const std::set<std::string>& include);
    Response store_item(const std::string& id, const Json& body, const Json& before, unsigned status);
    static void require_location(const std::string& id);
    Json generated_sale(std::int64_t number) const;
    static Json generated_item(std::int64_t number);

    std::shared_ptr<TokenBook> tokens_;
    Collection& sales_;
    Collection& items_;
    Collection& discounts_;
    Collection& availability_;
    mutable std::int64_t first_sale_ms_ = 0;
    std::string
        unsynced_;  // days (dates, one after the other) of which not all devices have sent their sales
    std::string operational_;  // instant since which the location exists
    bool is_wrapped_ = false;  // the list of items stands in an object
};

}  // namespace liaison_sim
