// PluginWatch: keeps in the store which plugin files are known, and tells of those that changed. [core
// thread]
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/pins.hpp"
#include "store/store.hpp"

namespace liaisond::app {

class PluginWatch {
  public:
    explicit PluginWatch(store::Store& store) : store_(store) {}
    // What was kept, before anything is held against it.
    Status load(store::Database& reader);
    void look(const plugin::Catalog& catalog, Instant now);
    // Those that a person has to say something about.
    const std::vector<plugin::PinReview::Changed>& changed() const { return changed_; }
    // Takes a changed file for what it is now. `plugin`: its id, path or file name. Errors say what there is.
    Status accept(const plugin::Catalog& catalog, std::string_view plugin, Instant now);

  private:
    void keep(const std::string& path, const plugin::Pin& pin);
    store::Store& store_;
    plugin::Pins pins_;
    std::vector<plugin::PinReview::Changed> changed_;
};

}  // namespace liaisond::app
