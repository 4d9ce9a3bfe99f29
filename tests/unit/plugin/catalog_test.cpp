#include "plugin/catalog.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "paths.hpp"
#include "plugin/pins.hpp"

namespace liaisond::plugin {
namespace {

namespace fs = std::filesystem;

class CatalogTest : public testing::Test {
  protected:
    void SetUp() override {
        folder = fs::temp_directory_path() / ("liaison_catalog_" + std::to_string(::getpid()));
        fs::create_directories(folder);
        options.plugin_dirs = {folder.string(), "/nowhere"};
        options.worker_path = paths::program("liaison-worker");
        options.cache_file = (folder / "cache.json").string();
        options.trust.owner = TrustPolicy::Owner::self;
    }
    void TearDown() override { fs::remove_all(folder); }
    void install(const std::string& name) {
        for (const char* suffix : {".so", ".manifest.json"}) {
            const fs::path from = paths::test_plugin(name + suffix);
            if (fs::exists(from)) fs::copy_file(from, folder / (name + suffix));
        }
    }
    const PluginInfo& info(const Catalog& catalog, const std::string& name) {
        for (const PluginInfo& one : catalog.plugins()) {
            if (fs::path(one.path).stem() == name) return one;
        }
        ADD_FAILURE() << name << " is not in the catalog";
        return catalog.plugins().front();
    }

    fs::path folder;
    CatalogOptions options;
};

TEST_F(CatalogTest, FindsConnectorsAndKeepsBrokenPlugins) {
    install("plain_c");
    install("sdk_sample");
    install("newer_major");
    install("no_symbol");
    std::ofstream(folder / "text.so") << "not a library, just some text";
    const Catalog catalog = Catalog::scan(options);
    EXPECT_EQ(catalog.plugins().size(), 5u);
    EXPECT_EQ(catalog.names(), (std::vector<std::string>{"plain_c", "sample"}));
    const Catalog::Found found = catalog.connector("sample");
    ASSERT_TRUE(found);
    EXPECT_EQ(found.plugin->manifest.version, "1.2.3");
    EXPECT_EQ(found.plugin->abi_major, 1u);
    EXPECT_EQ(found.plugin->abi_minor, 0u);
    EXPECT_EQ(found.connector->effect.value, EffectClass::keyed);
    EXPECT_TRUE(found.plugin->warnings.empty());
    EXPECT_FALSE(catalog.connector("odo"));
    EXPECT_EQ(info(catalog, "newer_major").error.find("newer_major.so was built for plugin ABI 9.0"), 0u);
    EXPECT_NE(info(catalog, "no_symbol").error.find("not a liaison plugin"), std::string::npos);
    EXPECT_NE(info(catalog, "text").error.find("is not a shared library"), std::string::npos);
}

TEST_F(CatalogTest, UnchangedFilesComeFromTheCache) {
    install("sdk_sample");
    EXPECT_TRUE(Catalog::scan(options).connector("sample"));
    options.worker_path = "/nowhere/liaison-worker";
    EXPECT_TRUE(Catalog::scan(options).connector("sample"));
    fs::last_write_time(folder / "sdk_sample.so", fs::file_time_type::clock::now() + std::chrono::hours(1));
    EXPECT_TRUE(Catalog::scan(options).connector("sample")) << "what counts is what is in it";
    std::ofstream(folder / "sdk_sample.so", std::ios::app) << "more";
    const Catalog changed = Catalog::scan(options);
    EXPECT_FALSE(changed.connector("sample"));
    EXPECT_NE(changed.plugins().at(0).error.find("cannot start /nowhere/liaison-worker"), std::string::npos);
}

TEST_F(CatalogTest, ADamagedCacheCostsNothingButTime) {
    install("sdk_sample");
    std::ofstream(options.cache_file) << "{";
    const Catalog catalog = Catalog::scan(options);
    EXPECT_TRUE(catalog.connector("sample"));
    EXPECT_EQ(catalog.warnings().size(), 1u);
    EXPECT_TRUE(Catalog::scan(options).warnings().empty());
}

TEST_F(CatalogTest, ADifferentManifestBesideItIsAWarning) {
    install("sdk_sample");
    std::ofstream(folder / "sdk_sample.manifest.json") << "{}";
    const Catalog catalog = Catalog::scan(options);
    ASSERT_EQ(catalog.plugins().at(0).warnings.size(), 1u);
    EXPECT_NE(catalog.plugins()[0].warnings[0].find("differs from the manifest inside"), std::string::npos);
}

TEST_F(CatalogTest, TheSecondOfTwoEqualConnectorsIsReported) {
    install("faulty");
    install("sdk_sample");
    const Catalog catalog = Catalog::scan(options);
    EXPECT_EQ(fs::path(catalog.connector("sample").plugin->path).stem(), "faulty");
    EXPECT_EQ(info(catalog, "sdk_sample").warnings.size(), 1u);
}

TEST_F(CatalogTest, AHangingPluginCostsTheTimeLimitOnly) {
    install("hanging");
    install("sdk_sample");
    options.time_limit = std::chrono::milliseconds(1'000);
    const Catalog catalog = Catalog::scan(options);
    EXPECT_TRUE(catalog.connector("sample"));
    EXPECT_EQ(info(catalog, "hanging").error, "hanging.so did not describe itself within 1s");
}

// In a process of its own, which its worker stops for longer than the limit.
TEST_F(CatalogTest, AMachineThatStoodStillIsNotHeldAgainstAPlugin) {
    install("sdk_sample");
    options.time_limit = std::chrono::milliseconds(500);
    const fs::path standstill = folder / "standstill";
    std::ofstream(standstill) << "#!/bin/sh\nkill -STOP $PPID; sleep 1; kill -CONT $PPID\nexec " +
                                     options.worker_path + " \"$@\"\n";
    fs::permissions(standstill, fs::perms::owner_all);
    options.worker_path = standstill.string();
    EXPECT_EXIT(std::exit(Catalog::scan(options).connector("sample") ? 0 : 1), testing::ExitedWithCode(0),
                "");
}

TEST_F(CatalogTest, WhatMayNotBeTrustedIsNotLookedAt) {
    install("sdk_sample");
    fs::permissions(folder / "sdk_sample.so", fs::perms(0666));
    const Catalog catalog = Catalog::scan(options);
    EXPECT_FALSE(catalog.connector("sample"));
    EXPECT_NE(catalog.plugins().at(0).error.find("others than its owner may write to it"), std::string::npos);
}

// ---- files that are others than they were ----

class PinsTest : public CatalogTest {
  protected:
    void SetUp() override {
        CatalogTest::SetUp();
        install("sdk_sample");
        path = (folder / "sdk_sample.so").string();
        pins = review({}, Catalog::scan(options), "1.0", first_day).fresh;
        ASSERT_EQ(pins.size(), 1u);
    }
    void change() { std::ofstream(path, std::ios::app) << "more"; }
    PinReview now(std::string_view liaison = "1.0") {
        return review(pins, Catalog::scan(options), liaison, first_day + std::chrono::hours(24));
    }

    const Instant first_day = *parse_instant("2026-03-01T08:00:00Z");
    std::string path;
    Pins pins;
};

TEST_F(PinsTest, TheSameFileIsNoNews) {
    const PinReview found = now();
    EXPECT_TRUE(found.fresh.empty() && found.replaced.empty() && found.changed.empty());
    EXPECT_EQ(pin_of(to_text(pins.at(path))), pins.at(path));
    EXPECT_EQ(pin_of("{"), Pin());
}

TEST_F(PinsTest, OtherBytesOfTheSameVersionAreForAPerson) {
    change();
    const PinReview found = now();
    EXPECT_TRUE(found.fresh.empty()) << "it would be forgotten at the next start";
    ASSERT_EQ(found.changed.size(), 1u);
    EXPECT_EQ(found.changed[0].path, path);
    EXPECT_NE(found.changed[0].text.find("still version 1.2.3"), std::string::npos) << found.changed[0].text;
    EXPECT_NE(found.changed[0].text.find("first used on 2026-03-01"), std::string::npos);
    EXPECT_NE(found.changed[0].text.find("liaisonctl plugin accept "), std::string::npos);
    pins[path] = pin_now(Catalog::scan(options).plugins().at(0), "1.0", first_day);
    EXPECT_TRUE(now().changed.empty()) << "accepted";
}

TEST_F(PinsTest, AnUpdateIsNone) {
    change();
    pins[path].version = "1.2.2";
    EXPECT_TRUE(now().changed.empty());
    EXPECT_EQ(now().fresh.at(path).version, "1.2.3");
    ASSERT_EQ(now().replaced.size(), 1u);
    EXPECT_NE(now().replaced[0].find("version 1.2.2 by 1.2.3"), std::string::npos);
    pins[path].version = "1.2.3";
    EXPECT_TRUE(now("1.1").changed.empty()) << "came with a new liaison";
    EXPECT_EQ(now("1.1").fresh.at(path).liaison, "1.1");
}

TEST_F(PinsTest, ANewLiaisonIsRememberedThoughNothingElseChanged) {
    pins = now("1.1").fresh;
    ASSERT_EQ(pins.size(), 1u);
    EXPECT_EQ(pins.at(path).at, first_day);
    change();
    EXPECT_EQ(now("1.1").changed.size(), 1u) << "that excuse is used up";
}

}  // namespace
}  // namespace liaisond::plugin
