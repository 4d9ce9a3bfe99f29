// Small text tools for messages to people.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace liaisond {

// The candidate nearest to `word` by edit distance (a swap of neighbours counts one), or empty when none is
// near.
std::string nearest(std::string_view word, std::span<const std::string> candidates);
// "; did you mean 'x'?" or empty.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);
// "a, b or c"
std::string list_of(std::span<const std::string> words, std::string_view last_joint = " or ");
// At most `limit` bytes, cut at a character boundary, with "..." where something was left out.
std::string shortened(std::string_view text, std::size_t limit);
std::vector<std::string> split(std::string_view text, char separator);
// ASCII letters of either case are equal.
bool equals_ignoring_case(std::string_view a, std::string_view b);
// Is `text` well-formed UTF-8?
bool valid_utf8(std::string_view text);

}  // namespace liaisond
