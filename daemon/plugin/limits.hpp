// What a plugin may hand over at once, enforced where its memory or its frames are read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace liaisond::plugin {

inline constexpr std::size_t max_records_per_effect =
    10'000;  // records of an emit, results of a push or find
inline constexpr std::size_t max_requests_per_effect = 1'000;
inline constexpr std::size_t max_headers_per_request = 200;
inline constexpr std::size_t max_string_bytes = 32u << 20;
inline constexpr std::size_t max_effect_bytes = 64u << 20;  // all strings, plus the cost of each element
inline constexpr std::size_t max_frame_bytes = 64u << 20;   // body of one frame to or from a worker
inline constexpr std::size_t max_log_text_bytes = 8u << 10;
inline constexpr std::uint32_t max_log_lines_per_second = 200;       // of one worker; more are dropped,
inline constexpr std::uint32_t fatal_log_lines_per_second = 20'000;  // and at this many it is killed

// What an element costs beyond its strings when an effect is measured; never less than its size in a frame.
inline constexpr std::size_t element_cost_bytes = 64;

}  // namespace liaisond::plugin
