// What of OData a strict service understands here: $filter with comparisons, and, or and parentheses;
// $orderby; keys in parentheses. Anything else is refused with a text, never guessed.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json.hpp"

namespace liaison_sim {

struct ODataError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Members that a record may have; asking for another one is an error.
using IsProperty = std::function<bool(std::string_view)>;

class ODataFilter {
  public:
    // Throws ODataError.
    ODataFilter(std::string_view text, IsProperty is_property);
    bool matches(const Json& record) const { return test_(record); }

  private:
    using Test = std::function<bool(const Json&)>;

    Test any();
    Test all();
    Test one();
    std::string_view word();
    bool take(std::string_view text);
    Json literal();

    std::string_view text_;
    IsProperty is_property_;
    Test test_;
};

// Negative, zero or positive, as a database orders them: null first, numbers by value, dates by their day.
int compare(const Json* a, const Json* b);

// "A asc,B desc"; throws ODataError.
std::vector<std::pair<std::string, bool>> parse_order(std::string_view text, const IsProperty& is_property);

// "Items('A ''1')" or "Orders(512)": the set, and the key as text.
struct Address {
    std::string set;
    std::optional<std::string> key;
    bool is_quoted = false;
};
Address parse_address(std::string_view segment);

}  // namespace liaison_sim
