#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <memory>
#include <mutex>
#include <utility>

#include "base/redact.hpp"
#include "base/text.hpp"

namespace liaisond {
namespace {

std::atomic<LogLevel> threshold{LogLevel::info};
std::atomic<LogTarget> destination{LogTarget::standard_error};
std::atomic<LogFormat> shape{LogFormat::text};

spdlog::logger& standard_error() {
    static const std::shared_ptr<spdlog::logger> logger = [] {
        auto made =
            std::make_shared<spdlog::logger>("liaison", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_level(spdlog::level::debug);
        return made;
    }();
    return *logger;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warning: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::string_view name(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

const KnownLogEvent* known(LogEvent event) {
    const auto found = std::find_if(known_log_events.begin(), known_log_events.end(),
                                    [&](const KnownLogEvent& one) { return one.event == event; });
    return found == known_log_events.end() ? nullptr : &*found;
}

class Tenants {
  public:
    void set(std::map<std::string, std::string, std::less<>> tenant_of) {
        auto made = std::make_shared<const decltype(tenant_of)>(std::move(tenant_of));
        const std::lock_guard lock(mutex_);
        of_ = std::move(made);
    }
    // Empty: nobody knows.
    std::string of(std::initializer_list<LogField> fields) {
        for (const LogField& field : fields) {
            if (field.name != "integration") continue;
            const std::lock_guard lock(mutex_);
            const auto found = of_->find(field.value);
            return found == of_->end() ? "" : found->second;
        }
        return {};
    }

  private:
    std::mutex mutex_;
    std::shared_ptr<const std::map<std::string, std::string, std::less<>>> of_ =
        std::make_shared<const std::map<std::string, std::string, std::less<>>>();
};

Tenants& tenants() {
    static Tenants all;
    return all;
}

void write_journal(std::vector<std::string> lines) {
    std::vector<iovec> parts;
    for (std::string& line : lines) parts.push_back({line.data(), line.size()});
    sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace

void configure_log(LogLevel level, LogTarget target, LogFormat format) {
    threshold = level;
    destination = target;
    shape = format;
    standard_error().set_pattern(format == LogFormat::json ? "%v" : "%Y-%m-%d %H:%M:%S.%e %l %v");
    standard_error().flush_on(spdlog::level::debug);
}

bool log_enabled(LogLevel level) { return level >= threshold; }

void log_tenants(std::map<std::string, std::string, std::less<>> tenant_of) {
    tenants().set(std::move(tenant_of));
}

std::vector<std::string> journal_entry(LogLevel level, LogEvent event, std::string_view message,
                                       std::initializer_list<LogField> fields) {
    static constexpr int priorities[] = {7, 6, 4, 3};
    std::vector<std::string> lines{"MESSAGE=" + redactor().scrub(message),
                                   "PRIORITY=" + std::to_string(priorities[static_cast<int>(level)])};
    if (const KnownLogEvent* one = known(event)) {
        lines.push_back("MESSAGE_ID=" + std::string(one->message_id));
        lines.push_back("LIAISON_EVENT=" + std::string(one->name));
    }
    if (const std::string tenant = tenants().of(fields); !tenant.empty())
        lines.push_back("LIAISON_TENANT=" + tenant);
    for (const LogField& field : fields) {
        std::string line = "LIAISON_";
        for (const char c : field.name)
            line += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        lines.push_back(line + "=" + redactor().scrub(field.value));
    }
    return lines;
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    log(level, LogEvent::none, message, fields);
}

void log(LogLevel level, LogEvent event, std::string_view message, std::initializer_list<LogField> fields) {
    if (!log_enabled(level)) return;
    if (destination == LogTarget::journal) return write_journal(journal_entry(level, event, message, fields));
    std::string text = redactor().scrub(message);
    if (shape == LogFormat::json) {
        boost::json::object line{{"level", name(level)}, {"message", text}};
        if (const KnownLogEvent* one = known(event)) line["event"] = one->name;
        if (const std::string tenant = tenants().of(fields); !tenant.empty()) line["tenant"] = tenant;
        for (const LogField& field : fields) line[field.name] = redactor().scrub(field.value);
        standard_error().log(to_spdlog(level), boost::json::serialize(line));
        return;
    }
    for (const LogField& field : fields) {
        text += " " + std::string(field.name) + "=" + shortened(redactor().scrub(field.value), 300);
    }
    standard_error().log(to_spdlog(level), text);
}

}  // namespace liaisond
