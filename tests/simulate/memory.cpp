// The memory of this program. It makes small things by the hundred million, one thread to a process, and
// glibc's malloc is made for many threads: a third of a simulated day went there. Small blocks are kept in
// lists by size and never given back; everything else is glibc's.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
}

namespace {

constexpr std::size_t step = 16, largest = 2048, portion = 1 << 20;

// In front of each block.
struct alignas(step) Head {
    std::uint32_t list;    // which one it belongs to; 0: glibc's
    std::uint32_t before;  // glibc's: bytes between what it gave and the block
    std::size_t size;
};
static_assert(sizeof(Head) == step);

struct Free {
    Free* next;
};
thread_local Free* lists[largest / step + 1];
thread_local char* unused = nullptr;
thread_local std::size_t left = 0;

Head& head_of(void* block) { return static_cast<Head*>(block)[-1]; }

void* made(char* place, Head head) {
    auto* const block = reinterpret_cast<Head*>(place);
    block[-1] = head;
    return block;
}

[[gnu::noinline]] void* cut(std::size_t list) {
    const std::size_t whole = sizeof(Head) + list * step;
    if (left < whole) {
        void* const more =
            ::mmap(nullptr, portion, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED) return nullptr;
        unused = static_cast<char*>(more);
        left = portion;
    }
    char* const place = unused + sizeof(Head);
    unused += whole;
    left -= whole;
    return made(place, {static_cast<std::uint32_t>(list), 0, list * step});
}

[[gnu::noinline]] void* of_glibc(std::size_t alignment, std::size_t size) {
    const std::size_t before = std::max(alignment, sizeof(Head));
    if (size > SIZE_MAX / 2) return nullptr;
    void* const given =
        alignment <= step ? __libc_malloc(before + size) : __libc_memalign(alignment, before + size);
    if (given == nullptr) return nullptr;
    return made(static_cast<char*>(given) + before, {0, static_cast<std::uint32_t>(before), size});
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept {
    if (size > largest) return of_glibc(step, size);
    const std::size_t list = size == 0 ? 1 : (size + step - 1) / step;
    Free* const first = lists[list];
    if (first == nullptr) return cut(list);
    lists[list] = first->next;
    return first;
}

void free(void* block) noexcept {
    if (block == nullptr) return;
    const Head& head = head_of(block);
    if (head.list == 0) return __libc_free(static_cast<char*>(block) - head.before);
    auto* const one = static_cast<Free*>(block);
    one->next = lists[head.list];
    lists[head.list] = one;
}

void* calloc(std::size_t count, std::size_t size) noexcept {
    if (size != 0 && count > SIZE_MAX / size) return nullptr;
    void* const block = malloc(count * size);
    if (block != nullptr) std::memset(block, 0, count * size);
    return block;
}

void* realloc(void* block, std::size_t size) noexcept {
    if (block == nullptr) return malloc(size);
    if (size == 0) return free(block), nullptr;
    const std::size_t had = head_of(block).size;
    if (size <= had && had <= largest) return block;
    void* const next = malloc(size);
    if (next == nullptr) return nullptr;
    std::memcpy(next, block, std::min(had, size));
    free(block);
    return next;
}

void* memalign(std::size_t alignment, std::size_t size) noexcept { return of_glibc(alignment, size); }
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return of_glibc(alignment, size); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    *block = of_glibc(alignment, size);
    return *block == nullptr ? ENOMEM : 0;
}
std::size_t malloc_usable_size(void* block) noexcept { return block == nullptr ? 0 : head_of(block).size; }

}  // extern "C"
