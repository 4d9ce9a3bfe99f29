// The sign-in of Lightspeed K-Series, V2 (lightspeed.md 2): a Keycloak for production (`prod`) and one for
// trial systems (`demo`), each with its own app. Refresh tokens are good once.
#pragma once

#include <memory>
#include <string>

#include "oauth.hpp"
#include "vendor.hpp"

namespace liaison_sim {

class LightspeedLogin final : public Vendor {
  public:
    // Of the production system; the trial one has no data here.
    explicit LightspeedLogin(std::shared_ptr<TokenBook> production);
    static std::shared_ptr<TokenBook> new_book(const std::string& environment);

  protected:
    bool is_authorized(const Request&) const override { return true; }
    std::string challenge() const override { return "Basic"; }
    Generated generate(const Collection&, std::int64_t, std::uint64_t, std::int64_t) override { return {}; }
    void forget() override;
    bool set_own(const std::string& name, const Json& value) override;
    void show_own(Json& switches) const override;

  private:
    struct Realm {
        std::shared_ptr<TokenBook> tokens;
        std::string client, basic;
    };
    Response authorize(const Request& request);
    Response token(const Request& request);
    Realm& realm_of(const Request& request);

    Realm production_, trial_;
};

}  // namespace liaison_sim
