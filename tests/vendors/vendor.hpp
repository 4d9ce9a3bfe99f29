// One simulated vendor: its records, its faults and its counts. A new vendor derives from this, declares
// its entities and routes in its constructor and says how it authenticates and what a generated record
// looks like; seeding, the control API and the switches come with the base. Public functions lock and may
// be called from any thread; the protected ones run under that lock.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collection.hpp"
#include "message.hpp"
#include "router.hpp"
#include "switches.hpp"

namespace liaison_sim {

class Vendor {
  public:
    // What to do with a request on arrival: close at once, or answer `early` (a rate limit), or wait
    // `delay` and process it. `is_abrupt` asks for a TCP reset.
    struct Admission {
        bool close = false;
        bool is_abrupt = false;
        bool is_answered = false;
        bool is_late = false;  // close now, process after `delay`: nobody hears the outcome
        Response early;
        std::chrono::milliseconds delay{0};
    };
    struct Outcome {
        bool is_lost = false;  // close without the answer
        Response response;
        std::int64_t body_bytes_per_second = 0;  // 0 is at once
    };

    virtual ~Vendor() = default;
    Vendor(const Vendor&) = delete;
    Vendor& operator=(const Vendor&) = delete;

    const std::string& name() const { return name_; }
    const std::string& prefix() const { return prefix_; }
    std::vector<std::string> entities() const;
    std::vector<std::string> endpoints() const { return routes_.listing(); }

    // Every request: admit, then process after the delay unless closed or answered, then leave.
    Admission admit(const Request& request);
    Outcome process(const Request& request);
    // The same for a request whose connection is closed already.
    void process_late(const Request& request);
    void leave();
    // An answer given before the request could be read whole, such as 413.
    void count_unread(bool is_write, unsigned status);

    // The control API; these throw Refusal.
    Response seed(const std::string& entity, const Json& order);
    Response dump(const std::string& entity);
    Response count(const std::string& entity);
    Response create(const std::string& entity, const Json& patch, bool is_raw);
    Response upsert(const std::string& entity, const std::string& id, const Json& patch, bool is_raw);
    Response remove(const std::string& entity, const std::string& id);
    Response switches();
    Response set_switches(const Json& patch);
    Stats stats();
    void reset_stats();
    void reset();

  protected:
    struct Generated {
        std::string json;
        std::string lookup;
    };

    // `modes`: moods of this vendor alone, with their usual values; the switch "modes" changes them.
    Vendor(std::string name, std::string prefix, Credentials credentials, Modes modes = {});

    virtual bool is_authorized(const Request& request) const = 0;
    virtual std::string challenge() const = 0;  // the WWW-Authenticate value
    // An answer before any route is tried; by default 401 without the right credentials.
    virtual std::optional<Response> turn_away(const Request& request);
    // A plausible record, the same for the same number and seed.
    virtual Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                               std::int64_t stamp_ms) = 0;
    // Makes a record written through the control API whole, e.g. totals; `patch` is what the person gave.
    virtual void complete(const Collection&, Json& /*record*/, const Json& /*patch*/) {}
    // Throws Refusal when such a record cannot be; by default what the entity's schema does not allow.
    virtual void check_record(const Collection& collection, const Json& record) const;
    virtual void forget() {}  // state beside the records
    // A record was removed through the control API.
    virtual void removed(const Collection&, const std::string& /*id*/) {}
    // Switches of this vendor alone: false for a name it does not know; shown with the others.
    virtual bool set_own(const std::string& /*name*/, const Json& /*value*/) { return false; }
    virtual void show_own(Json& /*switches*/) const {}
    // How it refuses credentials, and too many requests.
    virtual Response unauthorized() const;
    virtual Response too_many() const;

    Collection& add_entity(Entity entity);
    template <class Derived>
    void route(http::verb method, std::string_view pattern, Response (Derived::*handler)(const Request&)) {
        routes_.add(method, pattern, [this, handler](const Request& request) {
            return (static_cast<Derived*>(this)->*handler)(request);
        });
    }
    // What a search finds by the lookup field, oldest change first: not yet what is younger than
    // index_lag_ms.
    std::vector<const Record*> search(const Collection& collection, const std::string& value) const;
    // GET one record by the id in the second path segment; 404 when absent.
    const Record& record_or_404(const Collection& collection, const std::string& id) const;

    const std::string& credential(const std::string& key) const { return credentials_.at(key); }
    const std::string& mode(const std::string& key) const { return modes_.at(key); }
    Stats stats_;

  private:
    Collection& collection_or_404(const std::string& entity);
    Response write(Collection& collection, const std::string& id, const Json& patch, bool is_raw);
    void set_modes(const Json& patch);
    Response shown_switches() const;
    bool take_token(const RateLimit& limit);
    void edit_under(const Request& request);
    Response answer(const Request& request);

    const std::string name_;
    const std::string prefix_;
    const Credentials default_credentials_;
    Credentials credentials_;
    const Modes default_modes_;
    Modes modes_;
    Router routes_;
    std::vector<std::unique_ptr<Collection>> collections_;
    Switches switches_;
    double tokens_ = 0;
    std::chrono::steady_clock::time_point tokens_at_;
    std::mutex mutex_;  // guards everything not const above
};

// Every vendor of the simulator; a new one is one line here.
std::vector<std::unique_ptr<Vendor>> make_vendors();

}  // namespace liaison_sim
