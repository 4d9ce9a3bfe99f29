// Console: where a command writes, and what it may assume about the reader.
#pragma once

#include <ostream>
#include <string_view>

#include "ctl/table.hpp"

namespace liaisond::ctl {

struct Console {
    std::ostream& out;
    std::ostream& error;
    Look look;                 // of `out`
    bool interactive = false;  // `out` is a terminal: lines may be drawn over

    // The real streams. Colour only on a terminal and unless NO_COLOR is set.
    static Console standard();
    // "liaisonctl: ..." on the error stream.
    void complain(std::string_view text) const;
    // A remark that is not the answer itself; on the error stream too.
    void note(std::string_view text) const;
};

}  // namespace liaisond::ctl
