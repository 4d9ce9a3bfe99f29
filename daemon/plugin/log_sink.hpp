// Where lines from plugin code go; the daemon attributes and writes them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace liaisond::plugin {

struct LogLine {
    std::uint32_t level = 0;  // LIAISON_LOG_x
    std::string plugin;       // "csv"
    std::string integration;  // of the job that was running; empty when none was
    std::string text;
};

using LogSink = std::function<void(const LogLine&)>;

}  // namespace liaisond::plugin
