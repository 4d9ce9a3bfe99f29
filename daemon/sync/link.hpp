// Link: one integration as the engine works with it - its configuration, its connector, its credentials. Made
// by the composition root when the configuration is loaded, never changed; a reload makes new ones.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "auth/credentials.hpp"
#include "config/config.hpp"
#include "http/transport.hpp"
#include "plugin/manifest.hpp"
#include "plugin/runtime.hpp"

namespace liaisond::sync {

using plugin::EffectClass;

struct Link {
    config::Integration config;
    config::Tenant tenant;
    plugin::InstanceSpec instance;
    std::string connector_title;
    std::shared_ptr<const auth::Authorizer> authorizer;
    std::shared_ptr<const http::Egress> egress;
    std::map<std::string, EffectClass> effects;         // by entity
    std::map<std::string, Milliseconds> key_lifetimes;  // of the entities whose creates are keyed
    bool can_find = false, can_test = false;
    bool can_pull = true;       // without it nothing is ever asked for: what comes in comes by events
    bool takes_events = false;  // it has webhook jobs; otherwise an event only says that something changed
    std::vector<std::string> dropped_elements;  // of XML answers: emptied on arrival
    std::set<std::string> complete_listings;    // entities of which a full pull shows all there are
    std::set<std::string> date_ranges;          // entities that can be asked for by a range of dates
    // Names of the values by which records of an entity are recognised: those of all integrations of the
    // tenant, since each of them must be found by the others.
    std::map<std::string, std::vector<std::string>> recognition;
    // Empty: usable. Otherwise why not (a secret that cannot be read, say); runs fail with it.
    std::string unusable;

    EffectClass effect(const std::string& entity) const {
        const auto found = effects.find(entity);
        return found == effects.end() ? EffectClass::blind : found->second;
    }
    Milliseconds key_lifetime(const std::string& entity) const {
        const auto found = key_lifetimes.find(entity);
        return found == key_lifetimes.end() ? plugin::KeyLifetime().value : found->second;
    }
};

}  // namespace liaisond::sync
