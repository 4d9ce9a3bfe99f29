// Keeps secrets and card numbers out of every log line, error text, dead letter and API answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/thread_safety.hpp"

namespace liaisond {

// Masks digit runs of 13 to 19 (blanks and dashes between them allowed) that pass the Luhn check, down to the
// last four, in any text. Runs inside longer runs of digits or letters are left alone: they are ids.
std::string mask_card_numbers(std::string_view text);

// The same numbers with all but their last four digits replaced by others, separators kept: what was a number
// stays one, and is no longer a card's. Done twice it changes nothing more.
std::string blank_card_numbers(std::string_view text);

// The same of numbers in the ranges of card issuers alone: for data in which other long numbers have to stay
// what they are.
std::string blank_issued_card_numbers(std::string_view text);

// Knows every secret value in use. One per process; [any thread].
class Redactor {
  public:
    // Values shorter than four characters are not registered: masking them would eat ordinary text.
    void add(std::string_view secret);
    // Secrets become "***", card numbers their last four digits.
    std::string scrub(std::string_view text) const;
    // The secrets alone.
    std::string scrub_secrets(std::string_view text) const;

  private:
    mutable Mutex mutex_;
    std::vector<std::string> secrets_ GUARDED_BY(mutex_);  // longest first
};

Redactor& redactor();

}  // namespace liaisond
