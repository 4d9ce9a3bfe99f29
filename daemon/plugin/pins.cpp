#include "plugin/pins.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace liaisond::plugin {

namespace json = boost::json;

namespace {

constexpr std::size_t shown_digits = 12;

std::string digits(const std::string& digest) { return digest.substr(0, shown_digits); }

std::string change_text(const Pin& pin, const PluginInfo& now) {
    return now.path + " is not the file it was: still version " + pin.version + ", but " +
           digits(now.digest) + "... instead of " + digits(pin.digest) + "... (SHA-256), first used on " +
           format_instant(pin.at).substr(0, 10) + "; if you installed it, run: liaisonctl plugin accept " +
           now.manifest.id + "; if not, take it away and look who could write there";
}

}  // namespace

std::string to_text(const Pin& pin) {
    return json::serialize(json::object{{"digest", pin.digest},
                                        {"version", pin.version},
                                        {"liaison", pin.liaison},
                                        {"at", to_unix_ms(pin.at)}});
}

Pin pin_of(std::string_view text) {
    boost::system::error_code problem;
    const json::value value = json::parse(text, problem);
    if (problem || !value.is_object()) return {};
    const auto word = [&](const char* key) {
        const json::value* found = value.get_object().if_contains(key);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    const json::value* const at = value.get_object().if_contains("at");
    return {word("digest"), word("version"), word("liaison"),
            from_unix_ms(at != nullptr && at->is_int64() ? at->get_int64() : 0)};
}

Pin pin_now(const PluginInfo& plugin, std::string_view liaison, Instant now) {
    return {plugin.digest, plugin.manifest.version, std::string(liaison), now};
}

PinReview review(const Pins& pins, const Catalog& catalog, std::string_view liaison, Instant now) {
    PinReview made;
    for (const PluginInfo& plugin : catalog.plugins()) {
        if (!plugin.usable()) continue;
        const auto pin = pins.find(plugin.path);
        if (pin == pins.end() || pin->second.digest.empty()) {
            made.fresh[plugin.path] = pin_now(plugin, liaison, now);
        } else if (pin->second.digest == plugin.digest) {
            // The usual case. What counts as an update is measured from the last liaison that saw it.
            if (pin->second.liaison != liaison) {
                made.fresh[plugin.path] = pin->second;
                made.fresh[plugin.path].liaison = std::string(liaison);
            }
        } else if (!plugin.signed_by.empty() || pin->second.version != plugin.manifest.version ||
                   pin->second.liaison != liaison) {
            made.fresh[plugin.path] = pin_now(plugin, liaison, now);
            made.replaced.push_back(plugin.path + " was replaced: version " + pin->second.version + " by " +
                                    plugin.manifest.version +
                                    (plugin.signed_by.empty() ? "" : ", signed by " + plugin.signed_by));
        } else {
            made.changed.push_back({plugin.path, change_text(pin->second, plugin)});
        }
    }
    return made;
}

}  // namespace liaisond::plugin
