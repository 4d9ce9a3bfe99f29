// Pins: which file each plugin was when it was first used. One that is another file now is noticed; whether
// that is an update or something else is for this to tell apart, and for a person where it cannot.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "plugin/catalog.hpp"

namespace liaisond::plugin {

struct Pin {
    std::string digest;   // SHA-256, hex
    std::string version;  // of the plugin
    std::string liaison;  // version of the daemon that saw it
    Instant at{};
    bool operator==(const Pin&) const = default;
};

std::string to_text(const Pin& pin);
Pin pin_of(std::string_view text);  // an empty digest where it is none

using Pins = std::map<std::string, Pin>;  // by path

struct PinReview {
    struct Changed {
        std::string path, text;  // a sentence
    };
    Pins fresh;                         // to be kept from now on: new plugins, and updates
    std::vector<std::string> replaced;  // updates, a sentence each
    std::vector<Changed> changed;       // other bytes that call themselves the same: a person has to say
};

// An update is a file that says a new version of itself, comes with a new liaison, or is signed by somebody
// trusted.
PinReview review(const Pins& pins, const Catalog& catalog, std::string_view liaison, Instant now);

// What is in the place of a pin now, for the person who accepts it.
Pin pin_now(const PluginInfo& plugin, std::string_view liaison, Instant now);

}  // namespace liaisond::plugin
