#include "plugin/elf_file.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include <elf.h>

namespace liaisond::plugin {

namespace {

#if defined(__x86_64__)
constexpr std::uint16_t this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t this_machine = EM_AARCH64;
#else
constexpr std::uint16_t this_machine = EM_NONE;
#endif

class Reader {
  public:
    explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}

    // Nothing where the file ends before it.
    template <class T>
    bool at(std::uint64_t offset, T& into) const {
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return false;
        std::memcpy(&into, bytes_.data() + offset, sizeof(T));
        return true;
    }
    std::string text(std::uint64_t offset) const {
        if (offset >= bytes_.size()) return {};
        const std::size_t end = std::min(bytes_.find('\0', offset), bytes_.size());
        return bytes_.substr(offset, end - offset);
    }

  private:
    std::string bytes_;
};

void read_segments(const Reader& file, const Elf64_Ehdr& head, ElfFile& into) {
    Elf64_Phdr segment;
    for (std::uint64_t i = 0; i < head.e_phnum; ++i) {
        if (!file.at(head.e_phoff + i * sizeof segment, segment)) return;
        const bool is_code = (segment.p_flags & PF_X) != 0, is_data = (segment.p_flags & PF_W) != 0;
        if (segment.p_type == PT_LOAD && is_code && is_data) into.has_writable_code = true;
        if (segment.p_type == PT_GNU_STACK && is_code) into.has_executable_stack = true;
    }
}

void read_dynamic(const Reader& file, const Elf64_Shdr& section, std::uint64_t strings, ElfFile& into) {
    Elf64_Dyn entry;
    for (std::uint64_t at = 0; at + sizeof entry <= section.sh_size; at += sizeof entry) {
        if (!file.at(section.sh_offset + at, entry) || entry.d_tag == DT_NULL) return;
        if (entry.d_tag == DT_NEEDED) into.needed.push_back(file.text(strings + entry.d_un.d_val));
        if (entry.d_tag == DT_BIND_NOW || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_BIND_NOW) != 0))
            into.binds_at_load = true;
    }
}

void read_symbols(const Reader& file, const Elf64_Shdr& section, std::uint64_t strings, ElfFile& into) {
    Elf64_Sym symbol;
    for (std::uint64_t at = sizeof symbol; at + sizeof symbol <= section.sh_size; at += sizeof symbol) {
        if (!file.at(section.sh_offset + at, symbol)) return;
        const std::string name = file.text(strings + symbol.st_name);
        if (name.empty()) continue;
        if (symbol.st_shndx == SHN_UNDEF)
            into.undefined.push_back(name);
        else if (ELF64_ST_BIND(symbol.st_info) != STB_LOCAL)
            into.exported.push_back(name);
    }
}

}  // namespace

Result<ElfFile> ElfFile::read(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return fail(ErrorKind::config, "cannot be opened");
    const Reader file(std::string(std::istreambuf_iterator<char>(stream), {}));
    Elf64_Ehdr head;
    if (!file.at(0, head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_type != ET_DYN)
        return fail(ErrorKind::config, "is not a shared library (ELF)");
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB)
        return fail(ErrorKind::config, "is not for a 64-bit little-endian machine");
    ElfFile made;
    made.is_for_this_machine = head.e_machine == this_machine;
    read_segments(file, head, made);
    Elf64_Shdr section, strings;
    for (std::uint64_t i = 0; i < head.e_shnum; ++i) {
        if (!file.at(head.e_shoff + i * sizeof section, section)) break;
        if (section.sh_type != SHT_DYNAMIC && section.sh_type != SHT_DYNSYM) continue;
        if (!file.at(head.e_shoff + section.sh_link * sizeof strings, strings)) continue;
        if (section.sh_type == SHT_DYNAMIC)
            read_dynamic(file, section, strings.sh_offset, made);
        else
            read_symbols(file, section, strings.sh_offset, made);
    }
    std::sort(made.exported.begin(), made.exported.end());
    std::sort(made.undefined.begin(), made.undefined.end());
    return made;
}

}  // namespace liaisond::plugin
