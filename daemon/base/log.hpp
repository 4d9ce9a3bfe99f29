// Structured log of the process: a level, one sentence, and fields. The place that decides logs; libraries
// return.
#pragma once

#include <array>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace liaisond {

enum class LogLevel { debug, info, warning, error };

struct LogField {
    std::string_view name;  // "integration", "run", "entity", "record", ...
    std::string value;
};

// What is worth finding again in the journal: each has a MESSAGE_ID (systemd.journal-fields(7)), and a text
// in systemd/liaison.catalog that `journalctl -x` shows beside it. An id is never used for something else.
enum class LogEvent {
    none,
    ready,
    stopping,
    reloaded,
    reload_refused,
    run_ended,
    run_failed,
    alert_raised,
    alert_ended,
    suspended,
    resumed,
    plugin_changed,
    backed_up,
    login_refused,
    personal_data_removed,
    clock_jumped,
};
struct KnownLogEvent {
    LogEvent event;
    std::string_view name;        // LIAISON_EVENT
    std::string_view message_id;  // 32 hex digits
};
inline constexpr std::array<KnownLogEvent, 15> known_log_events{{
    {LogEvent::ready, "ready", "8cbf134bf34244559011d36f28a98aee"},
    {LogEvent::stopping, "stopping", "64561429f259422d89382a422462e0a6"},
    {LogEvent::reloaded, "reloaded", "ef29f4e625b64fbab53ea103fabf6d50"},
    {LogEvent::reload_refused, "reload_refused", "27abf5ec7ccb4b9291f19cdfbd770632"},
    {LogEvent::run_ended, "run_ended", "890375d264ea41b2bdfa5c41cf0338aa"},
    {LogEvent::run_failed, "run_failed", "9fbd9dd039744bc48541f4b977868f2e"},
    {LogEvent::alert_raised, "alert_raised", "ab269dd5e61f4986b5d93372307befb6"},
    {LogEvent::alert_ended, "alert_ended", "a6e8bb027b3d46af9772b3e8ab16aea2"},
    {LogEvent::suspended, "suspended", "cd39e880f3864110bdb4280423ed468e"},
    {LogEvent::resumed, "resumed", "700d67d47b934390a540c8b0ac83752a"},
    {LogEvent::plugin_changed, "plugin_changed", "2bf8c86537b641068439961b54b6c3e8"},
    {LogEvent::backed_up, "backed_up", "7905350b84a8471e8af6e7ea8bca1e28"},
    {LogEvent::login_refused, "login_refused", "723df8e7f8af4b5790ad3a3fae442659"},
    {LogEvent::personal_data_removed, "personal_data_removed", "81d3ed9ebe974a40b0373a51b28870e6"},
    {LogEvent::clock_jumped, "clock_jumped", "226d134491614ea9907257e216530893"},
}};

enum class LogTarget { standard_error, journal };
enum class LogFormat { text, json };

// [main thread, before any other starts]
void configure_log(LogLevel level, LogTarget target, LogFormat format);
bool log_enabled(LogLevel level);
// Whose each integration is: lines with the field `integration` get the field `tenant`, too. [any thread]
void log_tenants(std::map<std::string, std::string, std::less<>> tenant_of);
// Scrubs secrets and card numbers from everything. [any thread]
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
void log(LogLevel level, LogEvent event, std::string_view message,
         std::initializer_list<LogField> fields = {});

// NAME=value lines as the journal gets them (sd_journal_sendv(3)); the fields as LIAISON_*.
std::vector<std::string> journal_entry(LogLevel level, LogEvent event, std::string_view message,
                                       std::initializer_list<LogField> fields);

}  // namespace liaisond
