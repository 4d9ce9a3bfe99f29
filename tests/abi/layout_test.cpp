// Nothing of plugin.h may be missing in fields.inc: what is not listed there, no guard watches.
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "layout.hpp"
#include "paths.hpp"

namespace liaisond::plugin {
namespace {

std::string header_text() {
    std::ifstream file(paths::source("plugin-api/include/liaison/plugin.h"));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::set<std::string> all_matches(const std::string& text, const char* pattern) {
    const std::regex expression(pattern);
    std::set<std::string> found;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), expression); at != std::sregex_iterator();
         ++at)
        found.insert((*at)[1]);
    return found;
}

TEST(Layout, EveryStructOfTheHeaderIsListed) {
    std::set<std::string> listed;
    for (const StructLayout& one : struct_layouts()) listed.insert(one.name);
    EXPECT_EQ(listed, all_matches(header_text(), R"(\bstruct (liaison_\w+) \{)"));
}

TEST(Layout, EveryConstantOfTheHeaderIsListed) {
    std::set<std::string> listed = {"LIAISON_PLUGIN_H", "LIAISON_ABI_MAJOR", "LIAISON_ABI_MINOR",
                                    "LIAISON_CALL", "LIAISON_EXPORT"};
    for (const ConstantLayout& one : constant_layouts()) listed.insert(one.name);
    EXPECT_EQ(listed, all_matches(header_text(), R"(#define (\w+))"));
}

// No struct has padding, so the listed fields fill it without a gap exactly when none is missing.
TEST(Layout, FieldsFillTheirStructs) {
    for (const StructLayout& one : struct_layouts()) {
        std::size_t end = 0;
        for (const FieldLayout& field : one.fields) {
            EXPECT_EQ(field.offset, end)
                << one.name << "." << field.name
                << ": a field before it is missing in fields.inc, or there is padding";
            end = field.offset + field.width;
        }
        EXPECT_EQ(end, one.size) << one.name << ": its last fields are missing in fields.inc";
    }
}

TEST(Layout, LeastSizesEndAtAField) {
    for (const StructLayout& one : struct_layouts()) {
        std::set<std::size_t> ends;
        for (const FieldLayout& field : one.fields) ends.insert(field.offset + field.width);
        EXPECT_TRUE(ends.count(one.least) == 1) << one.name;
        EXPECT_TRUE(!one.is_closed || one.least == one.size) << one.name;
    }
}

}  // namespace
}  // namespace liaisond::plugin
