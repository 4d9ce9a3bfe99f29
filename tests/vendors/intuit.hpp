// Intuit's OAuth 2 service, as QuickBooks Online uses it (quickbooks.md 2): a person lets an app in at once,
// access tokens last an hour, and refresh tokens change.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "vendor.hpp"

namespace liaison_sim {

// Who may do what, shared by the token service and the API. Its functions lock.
class TokenBook {
  public:
    enum class Rotate { always, daily, never };
    struct Rules {
        Rotate rotate = Rotate::daily;  // when a refresh brings another refresh token
        std::int64_t grace_s = 86'400;  // how long the one before stays good
        std::int64_t access_s = 3'600;
        std::int64_t refresh_s = 100 * 86'400;
        std::int64_t lag_ms = 0;  // a new access token is refused so long
    };
    struct Pair {
        std::string access, refresh;
    };

    std::string new_code(const std::string& redirect_uri);
    // Nothing when the code is used up, or belongs to another address.
    std::optional<Pair> exchange(const std::string& code, const std::string& redirect_uri);
    std::optional<Pair> refresh(const std::string& token);
    bool may_read(const std::string& access) const;
    // Somebody disconnects the app: nothing is good any more.
    void revoke();
    void expire_access();
    void clear();

    Rules rules() const;
    void set_rules(const Rules& rules);

  private:
    struct Access {
        std::int64_t from_ms, to_ms;
    };
    struct Refresh {
        std::int64_t born_ms, to_ms;
        bool is_current;
    };
    std::string made(const char* kind);
    Pair give(const std::string& refresh);
    std::string new_refresh();

    Rules rules_;
    std::map<std::string, std::string> codes_;
    std::map<std::string, Access> access_;
    std::map<std::string, Refresh> refresh_;
    std::uint64_t count_ = 0;
    mutable std::mutex mutex_;  // guards everything above
};

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
