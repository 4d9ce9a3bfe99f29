// ElfFile: what a shared library says of itself without being loaded. Reads bytes of unknown origin.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace liaisond::plugin {

struct ElfFile {
    bool is_for_this_machine = false;
    bool has_writable_code = false;  // a segment that is written and executed
    bool has_executable_stack = false;
    bool binds_at_load = false;                    // symbols are resolved when it is loaded, and never again
    std::vector<std::string> needed;               // libraries, by the names the linker looks for
    std::vector<std::string> exported, undefined;  // dynamic symbols, without versions

    // 64-bit little-endian ELF alone; errors are the rest of a sentence that begins with the file's name.
    static Result<ElfFile> read(const std::string& path);
};

}  // namespace liaisond::plugin
