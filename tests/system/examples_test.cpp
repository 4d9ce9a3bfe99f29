// Every file in etc/examples is a configuration that the programs accept as it stands.
#include <gmock/gmock.h>

#include <filesystem>

#include "house.hpp"

namespace liaison_system {
namespace {

TEST(Examples, EachOfThemIsAccepted) {
    House house;
    int checked = 0;
    for (const auto& entry : std::filesystem::directory_iterator(LIAISON_EXAMPLES_DIR)) {
        const std::string file = entry.path().string();
        const House::Told told = house.ctl("config check --plugin-dir " LIAISON_PLUGIN_DIR " " + file);
        EXPECT_EQ(told.code, 0) << file << ":\n" << told.text;
        ++checked;
    }
    EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace liaison_system
