// Where the sources and this build are. Only paths.cpp is compiled with these folders' names, so that a
// compiler's cache serves every clone of the project.
#pragma once

#include <string>
#include <string_view>

namespace paths {

// Each names a file or folder below the one it is called after; the folder itself without an argument.
std::string source(std::string_view below = {});  // the top of the sources
std::string built(std::string_view below = {});   // the top of this build
std::string program(std::string_view name);       // what this build has made, as in `liaisond`
std::string plugin(std::string_view file = {});   // a connector of ours, as in `csv.so`
std::string test_plugin(std::string_view file = {});
std::string hostile_plugin(std::string_view file = {});
std::string bench_plugin(std::string_view file = {});

}  // namespace paths
