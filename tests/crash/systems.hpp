// The systems that have a connector of their own, one to a house: what stands in the configuration, what
// happens there between two lives of the daemon, and which of its records must be in the hub.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "house.hpp"
#include "hub.hpp"
#include "plan.hpp"

namespace liaison_crash {

// One kind of records, on both sides.
struct Kind {
    std::string entity, collection;                             // "product", "odoo/products"
    std::function<std::string(const boost::json::object&)> id;  // the external id of the simulator's record
    liaison_system::Fields fields;                              // equal on both sides
    std::string reference = {};  // where the vendor keeps what no two records may share; empty: nowhere
};

class System {
  public:
    struct Names {
        const char *plugin, *vendor, *integration, *tenant;
        const char* source = nullptr;  // an integration whose records go to the vendor
        const char* login = nullptr;   // the vendor of tokens, where a person lets the app in
    };
    virtual ~System() = default;

    virtual Names names() const = 0;
    // What the vendor and the secrets need; before the first daemon starts.
    virtual void prepare(const liaison_system::House& house) const = 0;
    // In YAML. `schedule`: of what is read; `by_change`: writes begin by themselves.
    virtual std::string configuration(const std::string& schedule, bool by_change) const = 0;
    // Lets the app in; the daemon runs.
    virtual void connect(const liaison_system::House&) const {}
    // Wave 0 is what there is before the first life.
    virtual void make_news(const liaison_system::House& house, int wave) const = 0;
    virtual std::vector<Kind> kinds() const = 0;
    // What may never be, seen when no daemon runs; empty: it is not.
    virtual std::string broken(const liaison_system::House&) const { return {}; }
    // What must still happen before the house is at rest; empty: nothing.
    virtual std::string unfinished(const liaison_system::House&) const { return {}; }
};

// Null where the round has none.
std::unique_ptr<System> system_of(const Plan& plan);

}  // namespace liaison_crash
