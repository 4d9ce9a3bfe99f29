// Makes Links: a checked configuration, the installed connectors and the secrets, put together.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "plugin/catalog.hpp"
#include "sync/link.hpp"

namespace liaisond::app {

// One per enabled or disabled integration. A secret that cannot be read makes its link unusable, not the
// others'. `secrets`: what `!secret` refers to.
// Integrations are moved out of the configuration: nobody else needs them, and there may be thousands.
std::vector<std::shared_ptr<const sync::Link>> make_links(config::Config& config,
                                                          const plugin::Catalog& catalog,
                                                          const auth::Secrets& secrets);

using Fingerprints = std::map<std::string, std::string>;  // of integrations, by id
// What a reload did, for the log: "configuration reloaded; added: shop; changed: pms till".
std::string reload_text(const Fingerprints& before, const Fingerprints& now);

}  // namespace liaisond::app
