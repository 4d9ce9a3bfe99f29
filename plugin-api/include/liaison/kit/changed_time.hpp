// When a vendor says that a record changed, in whatever form it says so.
#pragma once

#include <cstdint>
#include <string>

#include <liaison/kit/decimal.hpp>
#include <liaison/kit/time.hpp>

namespace liaison::kit {

// Unix milliseconds of an RFC 3339 text, a date, or a Unix time in seconds or milliseconds (told apart by
// size); 0 where it is none of them.
inline std::int64_t changed_ms(const std::string& text) {
    if (const auto number = Decimal::parse(text)) {
        const bool is_ms = *number > Decimal(100'000'000'000);
        const auto scaled = is_ms ? number->rounded(0) : number->rounded(3);
        return scaled ? scaled->units().value_or(0) : 0;
    }
    if (const auto instant = parse_rfc3339(text)) return *instant;
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"}) {
        if (const auto value = parse_time(format, text)) return value->unix_ms();
    }
    return 0;
}

}  // namespace liaison::kit
