// Card data in what vendors send (reliability.md 5.7): it must not reach the disk.
#pragma once

#include <string>
#include <string_view>

namespace liaisond::webhooks {

// Numbers of cards - 13 to 19 digits, of an issuer's range, that pass the Luhn check - keep their last four
// digits and become numbers that are no card's; security codes after their usual names ("cvc", say) become
// zeros. What was well-formed stays so.
std::string without_card_data(std::string_view text);
// The same inside the fields of a form ("a=1&b=2"); what has none stays as it was.
std::string form_without_card_data(std::string_view body);

}  // namespace liaisond::webhooks
