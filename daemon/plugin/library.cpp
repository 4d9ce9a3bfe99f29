#include "plugin/library.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <vector>

#include <sys/stat.h>
#include <boost/dll/shared_library.hpp>

#include "plugin/limits.hpp"

namespace liaisond::plugin {

namespace {

constexpr const char* entry_symbol = "liaison_plugin_v1";

std::string version_text(std::uint32_t major, std::uint32_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
}

tl::unexpected<Error> refused(std::string sentence) { return fail(ErrorKind::internal, std::move(sentence)); }

bool is_shared_object(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    char magic[18] = {};
    file.read(magic, sizeof magic);
    constexpr char shared_object_type = 3;  // ET_DYN, little endian
    return file.gcount() == sizeof magic && std::memcmp(magic, "\177ELF", 4) == 0 &&
           magic[16] == shared_object_type;
}

// What the dynamic linker said, without Boost's frame around it.
std::string linker_text(const std::exception& error) {
    const std::string text = error.what();
    const std::string mark = "(dlerror system message: ";
    const std::size_t at = text.find(mark);
    if (at == std::string::npos) return text;
    return text.substr(at + mark.size(), text.find(')', at) - at - mark.size());
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

// Keeps every loaded file mapped for the life of the process.
struct Loaded {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<const Library>> libraries;
    std::vector<boost::dll::shared_library> files;
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

Result<std::shared_ptr<const Library>> Library::load(const std::string& path) {
    const std::lock_guard lock(loaded().mutex);
    const auto found = loaded().libraries.find(path);
    if (found != loaded().libraries.end()) return found->second;
    auto library = load_new(path);
    if (library) loaded().libraries.emplace(path, *library);
    return library;
}

Result<std::shared_ptr<const Library>> Library::load_new(const std::string& path) {
    const std::string name = library_name(path);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        const int problem = errno;
        return refused("plugin file " + path + " cannot be opened: " + std::strerror(problem));
    }
    if (!is_shared_object(path)) {
        return refused(path + " is not a shared library (ELF): it was damaged or is another kind of file");
    }
    boost::dll::shared_library file;
    try {
        file.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::exception& error) {
        return refused(name + ".so cannot be loaded: " + linker_text(error));
    }
    loaded().files.push_back(file);
    if (!file.has(entry_symbol)) {
        return refused(name + ".so is a shared library but not a liaison plugin: it does not export " +
                       std::string(entry_symbol));
    }
    const liaison_plugin* raw = nullptr;
    try {
        raw = file.get<const liaison_plugin*()>(entry_symbol)();
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
