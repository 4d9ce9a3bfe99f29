// run_scripts LIBRARY (SCRIPT | PLUGIN_FOLDER)...: plays connector scripts in all modes. Exit status 1: one
// differs.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "paths.hpp"
#include "plugin/script_runner.hpp"

namespace fs = std::filesystem;

namespace {

std::vector<std::string> scripts_of(const std::string& path) {
    if (!fs::is_directory(path)) return {path};
    std::vector<std::string> scripts;
    const fs::path folder =
        fs::is_directory(fs::path(path) / "scripts") ? fs::path(path) / "scripts" : fs::path(path);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".script") scripts.push_back(entry.path());
    }
    std::sort(scripts.begin(), scripts.end());
    return scripts;
}

bool run(const std::string& script, const std::string& library) {
    const auto begin = std::chrono::steady_clock::now();
    const auto report = liaisond::plugin::run_script(script, library, paths::program("liaison-worker"));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (report && report->passed()) {
        std::cout << "ok    " << script << " (" << report->steps << " steps, " << took.count() << " ms)\n";
        return true;
    }
    std::cout << "FAIL  " << script << '\n';
    if (!report) std::cout << report.error().message << '\n';
    if (report) {
        for (const std::string& failure : report->failures) std::cout << failure << '\n';
        for (const std::string& line : report->log) std::cout << "log: " << line << '\n';
    }
    return false;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        std::cerr << "usage: run_scripts LIBRARY (SCRIPT | PLUGIN_FOLDER)...\n";
        return 64;
    }
    std::size_t failed = 0, all = 0;
    for (int i = 2; i < count; ++i) {
        for (const std::string& script : scripts_of(arguments[i])) {
            ++all;
            failed += run(script, fs::absolute(arguments[1])) ? 0 : 1;
        }
    }
    std::cout << all - failed << " of " << all << " scripts passed\n";
    return failed == 0 ? 0 : 1;
}
