#include "base/result.hpp"

namespace liaisond {

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::transient: return "transient";
        case ErrorKind::auth: return "auth";
        case ErrorKind::rate_limited: return "rate_limited";
        case ErrorKind::invalid_record: return "invalid_record";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::permanent: return "permanent";
        case ErrorKind::config: return "config";
        case ErrorKind::unknown_outcome: return "unknown_outcome";
        case ErrorKind::internal: return "internal";
    }
    return "internal";
}

}  // namespace liaisond
