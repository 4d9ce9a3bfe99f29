// The wire between daemon and worker: frames of {header, body} over one stream socket, little endian.
// Everything a worker sends is hostile: decoding checks every length against the bytes at hand and never
// throws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

inline constexpr std::uint32_t frame_magic = 0x4e53494c;  // "LISN"
inline constexpr std::uint16_t frame_version = 4;
inline constexpr std::size_t frame_header_bytes = 24;

struct FrameHeader {
    std::uint16_t type = 0;  // wire number of the message
    std::uint64_t id = 0;    // of the request; an answer repeats it
    std::uint32_t length = 0;
    std::uint32_t checksum = 0;  // XXH3 of the body, low half
};

// ---- daemon to worker ----

struct Hello {
    std::string library;
};
struct Open {
    std::uint64_t instance = 0;
    std::string config;
};
struct Step {  // the first one of a job creates it
    std::uint64_t job = 0, instance = 0;
    JobKind kind = JobKind::test;
    Event event;
};
struct Destroy {
    std::uint64_t job = 0;
};
struct Close {
    std::uint64_t instance = 0;
};

// ---- worker to daemon ----

struct Ready {
    std::string id, version, vendor;
    std::uint32_t abi_major = 0, abi_minor = 0;
    std::uint64_t capabilities = 0;
    std::string manifest;
};
struct Refused {
    std::string text;
};
struct Stepped {
    std::uint64_t job = 0;
    std::string error;  // not empty: the plugin answered nonsense, and `effect` means nothing
    Effect effect;
};
struct Log {
    std::uint32_t level = 0;
    std::string text;
};

using Message = std::variant<Hello, Open, Step, Destroy, Close, Ready, Refused, Stepped, Log>;

// Each appends one frame to `out`. False: the body would pass max_frame_bytes, and nothing was appended.
bool append_frame(std::string& out, std::uint64_t id, const Message& message);
// The same for what is large, without copying it into a Message first.
bool append_step(std::string& out, std::uint64_t id, const Step& where, const Event& event);
bool append_stepped(std::string& out, std::uint64_t id, std::uint64_t job, const Effect& effect);

// `bytes` holds at least frame_header_bytes. Errors are clauses: "a bad magic number".
Result<FrameHeader> decode_header(std::string_view bytes);
// `body` is exactly header.length bytes.
Result<Message> decode_body(const FrameHeader& header, std::string_view body);

}  // namespace liaisond::plugin
