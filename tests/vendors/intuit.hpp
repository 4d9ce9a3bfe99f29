// Intuit's OAuth 2 service, as QuickBooks Online uses it (quickbooks.md 2): a person lets an app in at once,
// access tokens last an hour, and refresh tokens change.
#pragma once

#include <memory>
#include <string>

#include "oauth.hpp"
#include "vendor.hpp"

namespace liaison_sim {

class Intuit final : public Vendor {
  public:
    explicit Intuit(std::shared_ptr<TokenBook> tokens);

  protected:
    bool is_authorized(const Request&) const override { return true; }
    std::string challenge() const override { return "Basic"; }
    Generated generate(const Collection&, std::int64_t, std::uint64_t, std::int64_t) override { return {}; }
    void forget() override;
    bool set_own(const std::string& name, const Json& value) override;
    void show_own(Json& switches) const override;

  private:
    Response authorize(const Request& request);
    Response token(const Request& request);

    std::shared_ptr<TokenBook> tokens_;
};

inline constexpr const char* quickbooks_realm = "4620816365000000000";

}  // namespace liaison_sim
