#include "plugin/library.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/file_digest.hpp"
#include "plugin/limits.hpp"

namespace liaisond::plugin {

namespace {

constexpr const char* entry_symbol = "liaison_plugin_v1";

std::string version_text(std::uint32_t major, std::uint32_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
}

tl::unexpected<Error> refused(std::string sentence) { return fail(ErrorKind::internal, std::move(sentence)); }

bool is_shared_object(int file) {
    char magic[18] = {};
    constexpr char shared_object_type = 3;  // ET_DYN, little endian
    return ::pread(file, magic, sizeof magic, 0) == sizeof magic && std::memcmp(magic, "\177ELF", 4) == 0 &&
           magic[16] == shared_object_type;
}

// What the dynamic linker said, of the file by its own name.
std::string linker_text(const std::string& opened_as, const std::string& path) {
    const char* const said = ::dlerror();
    std::string text = said == nullptr ? "the linker does not say why" : said;
    const std::size_t at = text.find(opened_as);
    return at == std::string::npos ? text : text.replace(at, opened_as.size(), path);
}

bool readable(const liaison_str& text, bool required) {
    if (text.len > max_string_bytes || (text.len > 0 && text.ptr == nullptr)) return false;
    return !required || text.len > 0;
}

// Empty when the table can be used; else the rest of the sentence that begins with the file's name.
std::string table_problem(const liaison_plugin& table, const std::string& name) {
    const std::string ours = version_text(LIAISON_ABI_MAJOR, LIAISON_ABI_MINOR);
    if (table.abi_major != LIAISON_ABI_MAJOR) {
        const bool newer = table.abi_major > LIAISON_ABI_MAJOR;
        return " was built for plugin ABI " + version_text(table.abi_major, table.abi_minor) +
               "; this liaison speaks " + ours + ": install " +
               (newer ? "a newer liaison, or a " + name + " built for this one"
                      : "a " + name + " built for this liaison");
    }
    if (table.abi_minor_min > LIAISON_ABI_MINOR) {
        return " needs plugin ABI " + version_text(table.abi_major, table.abi_minor_min) +
               " or newer; this liaison speaks " + ours + ": install a newer liaison, or an older " + name;
    }
    if (table.open == nullptr || table.close == nullptr || table.job_create == nullptr ||
        table.step == nullptr || table.job_destroy == nullptr) {
        return " leaves functions of the plugin table empty: it is broken, ask its vendor for another build";
    }
    if (!readable(table.id, true) || !readable(table.version, true) || !readable(table.vendor, false) ||
        !readable(table.manifest, true)) {
        return " does not say its id, version or manifest: it is broken, ask its vendor for another build";
    }
    return {};
}

// Every loaded file stays mapped for the life of the process, and open: its descriptor's number is the name
// by which the dynamic linker knows it, and a second file of that name would be taken for it.
struct Loaded {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<const Library>> libraries;
    std::vector<PluginFile> files;
};

Loaded& loaded() {
    static Loaded* const forever = new Loaded;
    return *forever;
}

}  // namespace

std::string library_name(const std::string& path) {
    std::string name = path.substr(path.find_last_of('/') + 1);
    if (name.size() > 3 && name.ends_with(".so")) name.resize(name.size() - 3);
    return name;
}

Result<PluginFile> PluginFile::open(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd.get() < 0) return refused("plugin file " + path + " cannot be opened: " + std::strerror(errno));
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || !is_shared_object(fd.get())) {
        return refused(path + " is not a shared library (ELF): it was damaged or is another kind of file");
    }
    return PluginFile(path, std::move(fd));
}

Status PluginFile::expect(const std::string& digest) const {
    if (digest.empty()) return {};
    const auto found = file_digest(fd());
    if (!found) return refused("plugin file " + path_ + ' ' + found.error().message);
    if (*found == digest) return {};
    return refused(path_ +
                   " is not the file that was looked at when liaisond started: it has another SHA-256 (" +
                   *found + ") and is not loaded; if you replaced it, run liaisonctl reload");
}

Result<std::shared_ptr<const Library>> Library::load(const std::string& path, const std::string& digest) {
    {
        const std::lock_guard lock(loaded().mutex);
        const auto found = loaded().libraries.find(path);
        if (found != loaded().libraries.end()) return found->second;
    }
    auto file = PluginFile::open(path);
    if (!file) return fail(file.error());
    if (const Status same = file->expect(digest); !same) return fail(same.error());
    return load(std::move(*file));
}

Result<std::shared_ptr<const Library>> Library::load(PluginFile file) {
    const std::lock_guard lock(loaded().mutex);
    const std::string path = file.path();
    const auto found = loaded().libraries.find(path);
    if (found != loaded().libraries.end()) return found->second;
    auto library = load_new(std::move(file));
    if (library) loaded().libraries.emplace(path, *library);
    return library;
}

Result<std::shared_ptr<const Library>> Library::load_new(PluginFile opened) {
    const std::string name = library_name(opened.path());
    const std::string opened_as = "/proc/self/fd/" + std::to_string(opened.fd());
    void* const file = ::dlopen(opened_as.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (file == nullptr) {
        return refused(name + ".so cannot be loaded: " + linker_text(opened_as, opened.path()));
    }
    loaded().files.push_back(std::move(opened));
    void* const symbol = ::dlsym(file, entry_symbol);
    if (symbol == nullptr) {
        return refused(name + ".so is a shared library but not a liaison plugin: it does not export " +
                       std::string(entry_symbol));
    }
    const liaison_plugin* raw = nullptr;
    try {
        raw = reinterpret_cast<decltype(&liaison_plugin_v1)>(symbol)();
    } catch (...) { return refused(name + ".so threw an exception out of " + std::string(entry_symbol)); }
    std::uint32_t size = 0;
    if (raw != nullptr) std::memcpy(&size, raw, sizeof size);
    if (size < offsetof(liaison_plugin, id)) return refused(name + ".so has no plugin table: it is broken");
    liaison_plugin table{};
    std::memcpy(static_cast<void*>(&table), raw, std::min<std::size_t>(size, sizeof table));
    const std::string problem = table_problem(table, name);
    if (!problem.empty()) return refused(name + ".so" + problem);
    return std::shared_ptr<const Library>(new Library(name, table));
}

}  // namespace liaisond::plugin
