// What holds the ABI in place, seen from outside: exported symbols, refusals, and how badly laid out effects
// are read.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "paths.hpp"
#include "plugin/abi_bridge.hpp"
#include "plugin/library.hpp"
#include "plugin/limits.hpp"
#include "plugin/local_job.hpp"

namespace liaisond::plugin {
namespace {

namespace fs = std::filesystem;

std::string test_plugin(const std::string& name) { return paths::test_plugin(std::string(name) + ".so"); }

std::string exported_symbols(const std::string& path) {
    FILE* pipe = ::popen(("nm -D --defined-only --format=posix '" + path + "' | cut -d' ' -f1").c_str(), "r");
    if (pipe == nullptr) return "nm cannot be run";
    std::string text;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
    ::pclose(pipe);
    return text;
}

std::string refusal(const std::string& path) {
    const auto library = Library::load(path);
    return library ? "loaded" : library.error().message;
}

Result<Effect> first_effect(const std::string& plugin, const std::string& entity) {
    const auto library = Library::load(test_plugin(plugin));
    if (!library) return fail(library.error());
    auto instance = LocalInstance::open(*library, "{}", {});
    auto job = LocalJob::create(*instance, JobKind::pull);
    StartEvent start;
    start.entity = entity;
    return (*job)->step(Event{1, start});
}

TEST(Exports, EveryPluginExportsWhatTheListSays) {
    std::ifstream list(paths::source("plugin-api/abi/exports.txt"));
    const std::string listed{std::istreambuf_iterator<char>(list), {}};
    ASSERT_EQ(listed, "liaison_plugin_v1\n");
    std::size_t seen = 0;
    for (const std::string& folder : {paths::test_plugin(), paths::plugin()}) {
        if (!fs::exists(folder)) continue;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
            if (entry.path().extension() != ".so") continue;
            const bool none = entry.path().stem() == "no_symbol";
            EXPECT_EQ(exported_symbols(entry.path()), none ? "" : listed) << entry.path();
            ++seen;
        }
    }
    EXPECT_GE(seen, 9u);
}

TEST(Library, RefusesWithASentence) {
    EXPECT_EQ(
        refusal(test_plugin("newer_major")),
        "newer_major.so was built for plugin ABI 9.0; this liaison speaks 1.0: install a newer liaison, or a "
        "newer_major built for this one");
    EXPECT_EQ(refusal(test_plugin("newer_minor")),
              "newer_minor.so needs plugin ABI 1.7 or newer; this liaison speaks 1.0: install a newer "
              "liaison, or an "
              "older newer_minor");
    EXPECT_EQ(
        refusal(test_plugin("no_symbol")),
        "no_symbol.so is a shared library but not a liaison plugin: it does not export liaison_plugin_v1");
    EXPECT_NE(refusal(test_plugin("no_functions")).find("leaves functions of the plugin table empty"),
              std::string::npos);
    EXPECT_EQ(refusal(test_plugin("null_table")), "null_table.so has no plugin table: it is broken");
    EXPECT_NE(refusal("/nowhere/x.so").find("cannot be opened: No such file or directory"),
              std::string::npos);
    const std::string text_file = fs::temp_directory_path() / "liaison_abi_test.so";
    std::ofstream(text_file) << "this is text, not a library at all";
    EXPECT_NE(refusal(text_file).find("is not a shared library"), std::string::npos);
    fs::remove(text_file);
}

TEST(Library, ReadsTheTable) {
    const auto library = Library::load(test_plugin("plain_c"));
    ASSERT_TRUE(library);
    EXPECT_EQ((*library)->name(), "plain_c");
    EXPECT_EQ((*library)->id(), "org.liaison.plain-c");
    EXPECT_EQ((*library)->version(), "1.0.0");
    EXPECT_EQ((*Library::load(test_plugin("plain_c"))).get(), library->get());
}

class PlainC : public testing::TestWithParam<const char*> {};

TEST_P(PlainC, PullsInThreeSteps) {
    const auto library = Library::load(test_plugin(GetParam()));
    ASSERT_TRUE(library);
    std::string logged;
    const auto log = [&](std::uint32_t, std::string_view text) { logged += text; };
    auto instance = LocalInstance::open(*library, "{}", log);
    ASSERT_TRUE(instance);
    auto job = LocalJob::create(*instance, JobKind::pull);
    ASSERT_TRUE(job);
    const auto asked = (*job)->step(Event{1, StartEvent{}});
    ASSERT_TRUE(asked && std::holds_alternative<HttpEffect>(*asked));
    EXPECT_EQ(std::get<HttpEffect>(*asked).requests.at(0).url, "https://c.example/item");
    EXPECT_EQ(logged, "asking");
    Response response;
    response.status = 200;
    response.body = "{\"a\":1}";
    const auto emitted = (*job)->step(Event{2, HttpEvent{{response}}});
    ASSERT_TRUE(emitted && std::holds_alternative<EmitEffect>(*emitted));
    EXPECT_EQ(std::get<EmitEffect>(*emitted).records.at(0).payload, "{\"a\":1}");
    EXPECT_EQ(std::get<EmitEffect>(*emitted).cursor, "after-1");
    const auto done = (*job)->step(Event{3, EmittedEvent{}});
    ASSERT_TRUE(done && std::holds_alternative<DoneEffect>(*done));
    EXPECT_FALSE((*job)->step(Event{4, TimerEvent{}}));
    EXPECT_EQ(LocalJob::create(*instance, JobKind::push).error().message,
              std::string(GetParam()) + " does not offer push jobs");
}

INSTANTIATE_TEST_SUITE_P(OfTodayAndOf10, PlainC, testing::Values("plain_c", "plain_c_1_0"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Bridge, ReadsNewerAndOlderLayouts) {
    const auto wide = first_effect("faulty", "wide");
    ASSERT_TRUE(wide) << wide.error().message;
    const auto& emit = std::get<EmitEffect>(*wide);
    ASSERT_EQ(emit.records.size(), 2u);
    EXPECT_EQ(emit.records[0].key, "a");
    EXPECT_EQ(emit.records[1].key, "b");
    EXPECT_TRUE(emit.records[1].deleted);
    EXPECT_EQ(emit.cursor, "wide");
    EXPECT_TRUE(emit.pipelined);
    const auto narrow = first_effect("faulty", "narrow");
    ASSERT_TRUE(narrow) << narrow.error().message;
    EXPECT_EQ(std::get<EmitEffect>(*narrow).records.at(0).reference, "");
    EXPECT_EQ(std::get<EmitEffect>(*narrow).records.at(0).changed_ms, 0);
    EXPECT_FALSE(std::get<EmitEffect>(*narrow).pipelined);
}

struct Nonsense {
    const char* entity;
    const char* text;
};
class BridgeNonsense : public testing::TestWithParam<Nonsense> {};

TEST_P(BridgeNonsense, IsAnInternalError) {
    const auto effect = first_effect("faulty", GetParam().entity);
    ASSERT_FALSE(effect);
    EXPECT_EQ(effect.error().kind, ErrorKind::internal);
    EXPECT_EQ(effect.error().message.rfind("faulty ", 0), 0u) << effect.error().message;
    EXPECT_NE(effect.error().message.find(GetParam().text), std::string::npos) << effect.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    All, BridgeNonsense,
    testing::Values(Nonsense{"null", "is NULL"}, Nonsense{"unknown", "is unknown (type 99)"},
                    Nonsense{"huge_count", "has 4294967295 records (at most 10000)"},
                    Nonsense{"huge_length", "has a string of 281474976710655 bytes"},
                    Nonsense{"null_array", "has records without a pointer"},
                    Nonsense{"null_string", "has a string without a pointer"},
                    Nonsense{"small_stride", "larger than their stride"},
                    Nonsense{"tiny_size", "says it is 4 bytes"}, Nonsense{"bad_op", "op is 7"},
                    Nonsense{"no_requests", "without a request"}, Nonsense{"many_headers", "has 201 headers"},
                    Nonsense{"bad_outcome", "unknown outcome (77)"},
                    Nonsense{"negative_sleep", "a negative time"}, Nonsense{"throw", "out of step"}),
    [](const auto& test) { return std::string(test.param.entity); });

}  // namespace
}  // namespace liaisond::plugin
