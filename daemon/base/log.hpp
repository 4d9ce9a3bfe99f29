// Structured log of the process: a level, one sentence, and fields. The place that decides logs; libraries
// return.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace liaisond {

enum class LogLevel { debug, info, warning, error };

struct LogField {
    std::string_view name;  // "integration", "run", "entity", "record", ...
    std::string value;
};

enum class LogTarget { standard_error, journal };
enum class LogFormat { text, json };

// [main thread, before any other starts]
void configure_log(LogLevel level, LogTarget target, LogFormat format);
bool log_enabled(LogLevel level);
// Scrubs secrets and card numbers from everything. [any thread]
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace liaisond
