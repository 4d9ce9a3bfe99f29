// What must be nowhere: secrets and card numbers in anything that liaison writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace liaison_system {

// "state/liaison.db: runs.error: 'acce...'": every file below `root` that holds one of these texts, and every
// value in its databases. Left out are what people and the simulator wrote: secrets/, *.yaml, sim.log.
std::vector<std::string> leaks(const std::filesystem::path& root, const std::vector<std::string>& secrets);
// The same for one text, such as what a program has shown.
std::vector<std::string> leaks(const std::string& where, const std::string& text,
                               const std::vector<std::string>& secrets);

// The contents of the files in a folder; short ones would be found in ordinary words and are left out.
std::vector<std::string> contents_of(const std::filesystem::path& folder);

}  // namespace liaison_system
