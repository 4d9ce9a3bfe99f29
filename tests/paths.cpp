#include "paths.hpp"

namespace paths {

namespace {

std::string in(std::string folder, std::string_view below) {
    if (!below.empty()) folder.append("/").append(below);
    return folder;
}

}  // namespace

std::string source(std::string_view below) { return in(LIAISON_SOURCE_DIR, below); }
std::string built(std::string_view below) { return in(LIAISON_BUILD_DIR, below); }
std::string program(std::string_view name) { return in(built("bin"), name); }
std::string plugin(std::string_view file) { return in(built("connectors"), file); }
std::string test_plugin(std::string_view file) { return in(built("test-plugins"), file); }
std::string hostile_plugin(std::string_view file) { return in(built("hostile-plugins"), file); }
std::string bench_plugin(std::string_view file) { return in(built("bench-plugins"), file); }

}  // namespace paths
