// Result<T>: what every operation returns that the world can make fail. Exceptions are for bugs only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace liaisond {

// The nine categories of the plugin ABI (plugin.h, LIAISON_ERROR_x), with the same numbers.
enum class ErrorKind : std::uint8_t {
    transient = 1,
    auth,
    rate_limited,
    invalid_record,
    conflict,
    permanent,
    config,
    unknown_outcome,
    internal,
};

std::string_view to_string(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string message;  // one sentence for people: what was attempted, where, what was found, what to do
    std::chrono::milliseconds retry_after{0};  // zero: no advice
    std::string code = {};                     // the vendor's own, or a stable word of ours; may be empty
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  public:
    using tl::expected<T, Error>::expected;
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
  public:
    using tl::expected<void, Error>::expected;
};

using Status = Result<void>;

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
    return tl::unexpected<Error>(Error{kind, std::move(message), {}, {}});
}

}  // namespace liaisond
