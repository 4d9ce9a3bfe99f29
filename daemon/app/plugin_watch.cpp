#include "app/plugin_watch.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/library.hpp"

namespace liaisond::app {

namespace {

constexpr const char* state_kind = "plugin_pin";

}  // namespace

Status PluginWatch::load(store::Database& reader) {
    auto kept = reader.states(state_kind);
    if (!kept) return fail(kept.error());
    for (const auto& [path, text] : *kept) pins_[path] = plugin::pin_of(text);
    return {};
}

void PluginWatch::look(const plugin::Catalog& catalog, Instant now) {
    plugin::PinReview found = plugin::review(pins_, catalog, LIAISON_VERSION, now);
    for (const std::string& sentence : found.replaced)
        log(LogLevel::warning, LogEvent::plugin_changed, sentence);
    for (const auto& one : found.changed) log(LogLevel::warning, LogEvent::plugin_changed, one.text);
    for (const auto& [path, pin] : found.fresh) keep(path, pin);
    changed_ = std::move(found.changed);
}

Status PluginWatch::accept(const plugin::Catalog& catalog, std::string_view name, Instant now) {
    std::vector<std::string> known;
    for (const plugin::PluginInfo& one : catalog.plugins()) {
        if (!one.usable()) continue;
        known.push_back(one.manifest.id);
        if (name != one.manifest.id && name != one.path && name != plugin::library_name(one.path)) continue;
        keep(one.path, plugin::pin_now(one, LIAISON_VERSION, now));
        std::erase_if(changed_, [&](const auto& changed) { return changed.path == one.path; });
        return {};
    }
    return fail(ErrorKind::permanent,
                "there is no plugin '" + std::string(name) + "'" + did_you_mean(name, known));
}

void PluginWatch::keep(const std::string& path, const plugin::Pin& pin) {
    pins_[path] = pin;
    store_.write([path, text = plugin::to_text(pin)](
                     store::Database& database) { return database.save_state(state_kind, path, text); },
                 [path](const Status& saved) {
                     if (!saved)
                         log(LogLevel::error,
                             "that " + path + " is known could not be stored: " + saved.error().message);
                 });
}

}  // namespace liaisond::app
