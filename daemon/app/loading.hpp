// What the daemon reads before it is there: its configuration, the plugins that fit it, and the vault.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "auth/vault.hpp"
#include "base/random.hpp"
#include "config/config.hpp"
#include "plugin/catalog.hpp"
#include "store/database.hpp"

namespace liaisond::app {

// A configuration, and what it was checked against. Only to be used where nothing was found wrong.
struct Loaded {
    config::Config config;
    plugin::Catalog catalog;
};

// Reads and checks the configuration, and looks at every plugin file (in a worker, where it is not known from
// the last time); what is wrong is added to `faults`. Blocks.
Loaded load(const std::vector<std::filesystem::path>& files, std::vector<config::Fault>& faults);

// The secrets as the store has them sealed, with the key that the configuration or systemd names. A new key
// is made only where nothing is sealed yet: with a lost one, somebody has to decide. Blocks. `random` must
// outlive what is returned.
Result<std::unique_ptr<auth::Secrets>> open_vault(const config::Config& config, store::Database& reader,
                                                  Random& random);

}  // namespace liaisond::app
