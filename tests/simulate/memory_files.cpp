#include "simulate/memory_files.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

namespace liaisond::simulate {
namespace {

constexpr std::size_t block_size = 65'536;

struct Content {
    std::vector<std::unique_ptr<char[]>> blocks;
    std::size_t size = 0;
    std::vector<std::unique_ptr<char[]>>
        shared;  // what connections of a database share: the index of its log

    // Calls `each(place, count)` for the pieces of that range in their order.
    template <class Each>
    void pieces(std::size_t from, std::size_t count, Each each) {
        while (count > 0) {
            const std::size_t within = from % block_size, piece = std::min(count, block_size - within);
            each(blocks[from / block_size].get() + within, piece);
            from += piece;
            count -= piece;
        }
    }
    void grow(std::size_t wanted) {
        while (blocks.size() * block_size < wanted) blocks.push_back(std::make_unique<char[]>(block_size));
        size = std::max(size, wanted);
    }
};

std::map<std::string, std::shared_ptr<Content>>& files() {
    static std::map<std::string, std::shared_ptr<Content>> all;
    return all;
}

// What SQLite holds of an open file.
struct Handle {
    sqlite3_file base;
    std::shared_ptr<Content> content;
};

Content& content_of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file)->content; }

int close(sqlite3_file* file) {
    reinterpret_cast<Handle*>(file)->~Handle();
    return SQLITE_OK;
}

int read(sqlite3_file* file, void* into, int count, sqlite3_int64 from) {
    Content& content = content_of(file);
    const auto begin = static_cast<std::size_t>(from), wanted = static_cast<std::size_t>(count);
    const std::size_t there = begin < content.size ? std::min(wanted, content.size - begin) : 0;
    auto* out = static_cast<char*>(into);
    content.pieces(begin, there, [&](const char* place, std::size_t piece) {
        std::memcpy(out, place, piece);
        out += piece;
    });
    if (there == wanted) return SQLITE_OK;
    std::memset(out, 0, wanted - there);
    return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* from, int count, sqlite3_int64 to) {
    Content& content = content_of(file);
    const auto begin = static_cast<std::size_t>(to), size = static_cast<std::size_t>(count);
    content.grow(begin + size);
    const auto* in = static_cast<const char*>(from);
    content.pieces(begin, size, [&](char* place, std::size_t piece) {
        std::memcpy(place, in, piece);
        in += piece;
    });
    return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
    Content& content = content_of(file);
    const std::size_t kept = std::min(content.size, static_cast<std::size_t>(size));
    content.size = kept;
    content.blocks.resize((kept + block_size - 1) / block_size);
    // What grows again there is empty.
    if (kept % block_size != 0)
        std::memset(content.blocks.back().get() + kept % block_size, 0, block_size - kept % block_size);
    return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(content_of(file).size);
    return SQLITE_OK;
}

int is_reserved(sqlite3_file*, int* answer) {
    *answer = 0;
    return SQLITE_OK;
}

int map_shared(sqlite3_file* file, int number, int size, int extend, void volatile** place) {
    auto& shared = content_of(file).shared;
    const auto wanted = static_cast<std::size_t>(number);
    while (extend != 0 && shared.size() <= wanted)
        shared.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
    *place = wanted < shared.size() ? shared[wanted].get() : nullptr;
    return SQLITE_OK;
}

int unmap_shared(sqlite3_file* file, int is_over) {
    if (is_over != 0) content_of(file).shared.clear();
    return SQLITE_OK;
}

int sync(sqlite3_file*, int) { return SQLITE_OK; }
int lock(sqlite3_file*, int) { return SQLITE_OK; }
int lock_shared(sqlite3_file*, int, int, int) { return SQLITE_OK; }
void barrier(sqlite3_file*) {}
int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

constexpr sqlite3_io_methods methods{2,
                                     close,
                                     read,
                                     write,
                                     truncate,
                                     sync,
                                     file_size,
                                     lock,
                                     lock,
                                     is_reserved,
                                     control,
                                     sector_size,
                                     characteristics,
                                     map_shared,
                                     lock_shared,
                                     barrier,
                                     unmap_shared,
                                     nullptr,
                                     nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* given) {
    file->pMethods = nullptr;
    auto content = std::make_shared<Content>();  // of a temporary file, which has no name
    if (name != nullptr) {
        const auto found = files().find(name);
        if (found == files().end() && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
        content = found != files().end() ? found->second : files()[name] = std::move(content);
    }
    auto* handle = new (file) Handle{{&methods}, std::move(content)};
    (void)handle;
    if (given != nullptr) *given = flags;
    return SQLITE_OK;
}

int remove_file(sqlite3_vfs*, const char* name, int) {
    return files().erase(name) != 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int access(sqlite3_vfs*, const char* name, int, int* answer) {
    *answer = files().contains(name) ? 1 : 0;
    return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* into) {
    sqlite3_snprintf(size, into, "%s", name);
    return SQLITE_OK;
}

// Beside the files everything is as usual.
sqlite3_vfs& usual() {
    static sqlite3_vfs* const found = sqlite3_vfs_find("unix");
    if (found == nullptr) throw std::runtime_error("SQLite has no VFS of the name unix");
    return *found;
}

sqlite3_vfs& vfs() {
    static sqlite3_vfs made = [] {
        sqlite3_vfs one = usual();
        one.iVersion = 2;
        one.pNext = nullptr;
        one.szOsFile = sizeof(Handle);
        one.zName = "memory_files";
        one.xOpen = open;
        one.xDelete = remove_file;
        one.xAccess = access;
        one.xFullPathname = full_name;
        return one;
    }();
    return made;
}

}  // namespace

// Before SQLite is used for the first time: one thread needs no locks, and nobody reads its statistics.
MemoryFiles::MemoryFiles() {
    [[maybe_unused]] static const int done =
        sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) + sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_vfs_register(&vfs(), 1);
}

MemoryFiles::~MemoryFiles() {
    sqlite3_vfs_unregister(&vfs());
    files().clear();
}

}  // namespace liaisond::simulate
