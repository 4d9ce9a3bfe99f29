#include "ctl/format.hpp"

#include <cstdio>
#include <ctime>

namespace liaisond::ctl {
namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

template <class... Values>
std::string printed(const char* format, Values... values) {
    char text[64];
    const int length = std::snprintf(text, sizeof text, format, values...);
    return std::string(text, static_cast<std::size_t>(length));
}

// The greatest whole unit only: for ages, where "3 h ago" says enough.
std::string rough(std::int64_t ms) {
    if (ms >= 2 * day) return printed("%lld d", static_cast<long long>(ms / day));
    if (ms >= 2 * hour) return printed("%lld h", static_cast<long long>(ms / hour));
    if (ms >= 2 * minute) return printed("%lld min", static_cast<long long>(ms / minute));
    return printed("%lld s", static_cast<long long>(ms / second));
}

std::string clean(std::string_view text, bool keep_breaks) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::size_t length = byte < 0x80    ? 1
                                   : byte >= 0xF0 ? 4
                                   : byte >= 0xE0 ? 3
                                   : byte >= 0xC2 ? 2
                                                  : 0;
        bool whole = length > 0 && byte <= 0xF4 && i + length <= text.size();
        for (std::size_t k = 1; whole && k < length; ++k)
            whole = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
        const bool second_control_block =
            whole && byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (byte == '\n' || byte == '\t' || byte == '\r') {
            out += keep_breaks && byte != '\r' ? text[i] : ' ';
        } else if (!whole || byte < 0x20 || byte == 0x7F || second_control_block) {
            out += '?';
        } else {
            out += text.substr(i, length);
        }
        i += whole ? length : 1;
    }
    return out;
}

}  // namespace

std::string format_number(std::int64_t number) {
    std::string text = std::to_string(number);
    const std::ptrdiff_t first = number < 0 ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > first; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

std::string format_count(std::int64_t number, std::string_view one, std::string_view many) {
    const std::string word = number == 1    ? std::string(one)
                             : many.empty() ? std::string(one) + "s"
                                            : std::string(many);
    return format_number(number) + " " + word;
}

std::string format_span(Milliseconds span) {
    const std::int64_t ms = span.count();
    const auto tenths = (ms + 50) / 100;
    if (ms < second) return printed("%lld ms", static_cast<long long>(ms));
    if (tenths < 600)
        return printed("%lld.%lld s", static_cast<long long>(tenths / 10),
                       static_cast<long long>(tenths % 10));
    const auto pair = [](std::int64_t big, const char* format, std::int64_t small) {
        return printed(format, static_cast<long long>(big), static_cast<long long>(small));
    };
    if (ms < minute) return "1 min 00 s";  // 59.95 s and more, rounded like the tenths above
    if (ms < hour) return pair(ms / minute, "%lld min %02lld s", ms % minute / second);
    if (ms < day) return pair(ms / hour, "%lld h %02lld min", ms % hour / minute);
    return pair(ms / day, "%lld d %lld h", ms % day / hour);
}

std::string format_bytes(std::int64_t bytes) {
    if (bytes < 1024) return printed("%lld B", static_cast<long long>(bytes));
    double value = static_cast<double>(bytes) / 1024;
    for (const char* unit : {"KiB", "MiB"}) {
        if (value < 1023.95) return printed("%.1f %s", value, unit);
        value /= 1024;
    }
    return printed("%.1f %s", value, "GiB");
}

std::string format_local(Instant at) {
    const auto seconds =
        static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
    std::tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) return format_instant(at);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local));
}

std::string format_local(const std::optional<Instant>& at) { return at ? format_local(*at) : std::string(); }

std::string format_age(Instant at, Instant now) {
    const std::int64_t ms = (now - at).count();
    return ms < 2 * second ? "just now" : rough(ms) + " ago";
}

std::string format_until(Instant at, Instant now) {
    const std::int64_t ms = (at - now).count();
    return ms < second ? "now" : "in " + rough(ms);
}

std::string one_line(std::string_view text) {
    std::string line = clean(text, false);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

std::string many_lines(std::string_view text) { return clean(text, true); }

}  // namespace liaisond::ctl
