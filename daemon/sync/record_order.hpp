// Which of two states of one record is the older one, by what its vendor says of them. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace liaisond::sync {

struct RecordAge {
    std::int64_t changed_ms = 0;  // by the vendor's clock; 0: it does not say
    std::string_view version;     // the vendor's marker; empty: none
};

// True only where the vendor says so: by the times of change, or by versions that are numbers or instants.
// Markers that cannot be compared (an ETag) say nothing.
bool is_older(const RecordAge& one, const RecordAge& than);

}  // namespace liaisond::sync
