// The wire between daemon and worker: whatever either sends. What can be read is written again, and must be
// the same bytes.
#include <xxhash.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plugin/frames.hpp"

namespace liaisond::plugin {
namespace {

constexpr std::size_t offset_of_length = 16;

// The length and the checksum made right, so that what is inside is looked at.
std::string sealed(std::string frame) {
    const std::string_view body = std::string_view(frame).substr(frame_header_bytes);
    const auto length = static_cast<std::uint32_t>(body.size()),
               sum = static_cast<std::uint32_t>(XXH3_64bits(body.data(), body.size()));
    for (std::size_t i = 0; i < 4; ++i) {
        frame[offset_of_length + i] = static_cast<char>(length >> (8 * i));
        frame[offset_of_length + 4 + i] = static_cast<char>(sum >> (8 * i));
    }
    return frame;
}

void read(const std::string& frame) {
    const auto header = decode_header(frame);
    if (!header) return;
    const auto message = decode_body(*header, std::string_view(frame).substr(frame_header_bytes));
    if (!message) return;
    std::string again;
    if (!append_frame(again, header->id, *message) || again != frame) std::abort();
}

}  // namespace
}  // namespace liaisond::plugin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace liaisond::plugin;
    if (size < frame_header_bytes) return 0;
    const std::string frame(reinterpret_cast<const char*>(data), size);
    read(frame);
    read(sealed(frame));
    return 0;
}
