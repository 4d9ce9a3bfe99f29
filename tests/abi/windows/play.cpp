// Plays connector scripts against a plugin on Windows: the script runner of the house with LoadLibrary under
// it.
//
//     play.exe PLUGIN.dll SCRIPT...
#include <cstring>
#include <iostream>
#include <limits>
#include <string>

#include <windows.h>

#include <liaison/plugin.h>

#include "base/ids.hpp"
#include "plugin/abi_bridge.hpp"
#include "plugin/script.hpp"
#include "plugin/script_compare.hpp"

// base/ids.cpp needs libraries that are not there for Windows; of it recordings alone need this.
std::string liaisond::to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text += digits[static_cast<unsigned char>(byte) >> 4];
        text += digits[static_cast<unsigned char>(byte) & 15];
    }
    return text;
}

namespace {

using namespace liaisond;
using namespace liaisond::plugin;

constexpr std::size_t all_steps = std::numeric_limits<std::size_t>::max();

using Entry = const liaison_plugin*(LIAISON_CALL*)();

// The library's own folder is searched for what it needs, and the system's; no other.
const liaison_plugin* load(const char* path) {
    char whole[MAX_PATH];
    if (GetFullPathNameA(path, sizeof whole, whole, nullptr) == 0) return nullptr;
    const HMODULE library =
        LoadLibraryExA(whole, nullptr, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (library == nullptr) {
        std::cerr << whole << " cannot be loaded: error " << GetLastError() << "\n";
        return nullptr;
    }
    const FARPROC symbol = GetProcAddress(library, "liaison_plugin_v1");
    if (symbol == nullptr) {
        std::cerr << whole << " does not export liaison_plugin_v1\n";
        return nullptr;
    }
    Entry entry = nullptr;
    static_assert(sizeof entry == sizeof symbol);
    std::memcpy(&entry, &symbol, sizeof entry);
    return entry();
}

void LIAISON_CALL write_log(void*, std::uint32_t, liaison_str) {}
const void* LIAISON_CALL no_extension(void*, liaison_str) { return nullptr; }

class Player {
  public:
    Player(const liaison_plugin& table, const Script& script) : table_(table), script_(script) {
        host_.size = sizeof host_;
        host_.abi_major = LIAISON_ABI_MAJOR;
        host_.abi_minor = LIAISON_ABI_MINOR;
        host_.log = write_log;
        host_.extension = no_extension;
        instance_ = table_.open(&host_, {script.config.data(), script.config.size()});
    }
    ~Player() { table_.close(instance_); }
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    // At most `limit` steps, after which the job is destroyed. The first difference; empty: none.
    std::string play(std::size_t limit, std::size_t& steps) {
        liaison_job* job = table_.job_create(instance_, static_cast<std::uint32_t>(script_.kind));
        if (job == nullptr) return script_.path + ": the job is refused";
        const std::string difference = step_through(job, limit, steps);
        table_.job_destroy(job);
        return difference;
    }

  private:
    std::string step_through(liaison_job* job, std::size_t limit, std::size_t& steps) {
        Event event = script_.start;
        for (const Exchange& exchange : script_.exchanges) {
            if (steps == limit) return {};
            ++steps;
            const EventView view(event);
            const auto effect = read_effect(table_.step(job, view.get()), "the plugin");
            const std::string where = script_.path + ":" + std::to_string(exchange.line) + ": ";
            if (!effect) return where + effect.error().message;
            const Difference found = compare(exchange, *effect);
            if (!found.text.empty()) return where + found.text + "\n" + describe(*effect);
            if (!exchange.answer) return {};
            const std::int64_t now = event.now_ms;
            event = *exchange.answer;
            event.now_ms += now;
        }
        return {};
    }

    const liaison_plugin& table_;
    const Script& script_;
    liaison_host host_{};
    liaison_instance* instance_ = nullptr;
};

std::string play_whole_and_cut(const liaison_plugin& table, const Script& script, std::size_t& whole) {
    Player player(table, script);
    std::string difference = player.play(all_steps, whole);
    for (std::size_t limit = 0; difference.empty() && limit < whole; ++limit) {
        std::size_t steps = 0;
        difference = player.play(limit, steps);
    }
    return difference;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) return 2;
    const liaison_plugin* table = load(arguments[1]);
    if (table == nullptr) return 1;
    int failures = 0;
    std::size_t steps = 0, jobs = 0;
    for (int i = 2; i < count; ++i) {
        const auto scripts = load_scripts(arguments[i]);
        if (!scripts) {
            std::cerr << scripts.error().message << "\n";
            ++failures;
            continue;
        }
        for (const Script& script : *scripts) {
            const std::string difference = play_whole_and_cut(*table, script, steps);
            if (!difference.empty()) std::cerr << difference << "\n";
            failures += difference.empty() ? 0 : 1;
            ++jobs;
        }
    }
    std::cout << std::string(table->id.ptr, table->id.len) << ": " << jobs << " jobs of " << steps
              << " steps, " << failures << " failed\n";
    return failures == 0 ? 0 : 1;
}
