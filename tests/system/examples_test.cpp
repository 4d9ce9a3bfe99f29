// Every file in etc/examples is a configuration that the programs accept as it stands.
#include <gmock/gmock.h>

#include <filesystem>

#include "house.hpp"
#include "paths.hpp"

namespace liaison_system {
namespace {

TEST(Examples, EachOfThemIsAccepted) {
    House house;
    int checked = 0;
    for (const auto& entry : std::filesystem::directory_iterator(paths::source("etc/examples"))) {
        const std::string file = entry.path().string();
        const House::Told told = house.ctl("config check --plugin-dir " + paths::plugin() + " " + file);
        EXPECT_EQ(told.code, 0) << file << ":\n" << told.text;
        ++checked;
    }
    EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace liaison_system
