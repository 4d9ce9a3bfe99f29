// Backups: whole, checked, private, rotated; and restoring them.
#include "store/backup.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "simulate/store.hpp"
#include "store/database.hpp"
#include "store/sqlite.hpp"
#include "store/state_lock.hpp"

namespace liaisond::store {
namespace {

namespace fs = std::filesystem;
using simulate::TempDir;
using std::chrono::days;

const Instant start = *parse_instant("2026-03-01T08:00:00Z");

class Backups : public testing::Test {
  protected:
    TempDir directory;
    const std::string database = directory.path() + "/liaison.db";
    const fs::path folder = directory.path() + "/backups";

    void SetUp() override {
        auto made = Database::open(database, Access::write).value();
        ASSERT_TRUE(made->begin());
        ASSERT_TRUE(made->save_sealed("secret/x", std::string("v1\0\0\0\7", 6) + "rest", start));
        ASSERT_TRUE(made->save_state("test", "mark", "before"));
        ASSERT_TRUE(made->commit());
    }
    void change(const std::string& mark) {
        auto opened = Database::open(database, Access::write).value();
        ASSERT_TRUE(opened->begin());
        ASSERT_TRUE(opened->save_state("test", "mark", mark));
        ASSERT_TRUE(opened->commit());
    }
    std::string mark(const std::string& file) {
        return Database::open(file, Access::write).value()->state("test", "mark").value();
    }
    Backup backup() { return make_daily_backup(database, folder, {}, start).value(); }
    static void overwrite(const fs::path& file, std::streamoff at, const std::string& bytes) {
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(at);
        out << bytes;
    }
    static std::size_t count(const fs::path& in) {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(in), fs::directory_iterator()));
    }
};

TEST_F(Backups, AreOneFileThatIsWholeAndPrivate) {
    auto writer = Database::open(database, Access::write).value();  // a daemon at work
    ASSERT_TRUE(writer->begin());
    ASSERT_TRUE(writer->save_state("test", "mark", "not committed"));
    const Backup made = backup();
    writer->rollback();
    EXPECT_EQ(made.file, folder / "liaison-20260301T080000Z.db");
    EXPECT_EQ(count(folder), 3u) << "the file, its digest, what it is";
    for (const char* part : {"", ".sha256", ".json"}) {
        struct stat facts {};
        ASSERT_EQ(::stat((made.file.string() + part).c_str(), &facts), 0) << part;
        EXPECT_EQ(facts.st_mode & 0777, 0600u) << part;
    }
    EXPECT_EQ(made.keys, (std::vector<std::string>{"00000007"}));
    EXPECT_EQ(made.sha256.size(), 64u);
    const Backup checked = check_backup(made.file).value();
    EXPECT_EQ(checked.sha256, made.sha256);
    EXPECT_EQ(checked.at, start);
    EXPECT_EQ(checked.schema, made.schema);
    EXPECT_EQ(std::system(("cd " + folder.string() + " && sha256sum --quiet -c *.sha256").c_str()), 0);
    std::ifstream in(made.file.string() + ".json");
    const std::string manifest{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NE(manifest.find("\"vault_keys\":[\"00000007\"]"), std::string::npos) << manifest;
    EXPECT_NE(manifest.find("The key of the vault is not in this backup"), std::string::npos);
    EXPECT_EQ(mark(made.file.string()), "before");
    const fs::path named = directory.path() + "/hub.db";
    ASSERT_TRUE(make_backup(database, named, start - days(3)));
    EXPECT_EQ(check_backup(named).value().at, start - days(3)) << "under any name";
}

TEST_F(Backups, SevenDaysAndFourWeeksAreKept) {
    std::vector<Instant> moments;
    for (int i = 0; i < 60; ++i) moments.push_back(start - days(i));  // a Sunday
    moments.push_back(start - std::chrono::hours(2));                 // twice on one day
    const std::vector<Instant> expired = expired_backups(moments, {7, 4});
    std::vector<std::string> left;
    for (const Instant at : moments) {
        if (std::find(expired.begin(), expired.end(), at) == expired.end())
            left.push_back(format_instant(at).substr(5, 8));
    }
    EXPECT_EQ(left, (std::vector<std::string>{"03-01T08", "02-28T08", "02-27T08", "02-26T08", "02-25T08",
                                              "02-24T08", "02-23T08", "02-22T08", "02-15T08", "02-08T08"}));
}

TEST_F(Backups, WhatIsNoLongerKeptIsRemovedAndNothingElse) {
    fs::create_directories(folder);
    std::ofstream(folder / "notes.txt") << "mine";
    std::ofstream(folder / "liaison-20260101T000000Z.db.partial") << "cut short";
    for (int i = 10; i >= 0; --i) ASSERT_TRUE(make_daily_backup(database, folder, {2, 0}, start - days(i)));
    EXPECT_EQ(count(folder), 2 * 3 + 1u);
    EXPECT_TRUE(fs::exists(folder / "notes.txt"));
    EXPECT_TRUE(fs::exists(folder / "liaison-20260228T080000Z.db"));
}

TEST_F(Backups, AFailureLeavesNothingBehindAndSaysWhy) {
    const auto missing = make_backup(directory.path() + "/none.db", directory.path() + "/x.db", start);
    ASSERT_FALSE(missing);
    EXPECT_EQ(count(directory.path()), 1u) << missing.error().message;
    const auto nowhere = make_daily_backup(database, "/proc/liaison", {}, start);
    ASSERT_FALSE(nowhere);
    EXPECT_NE(nowhere.error().message.find("check backup.to"), std::string::npos);
}

TEST_F(Backups, DamagedForeignAndNewerFilesAreRefused) {
    const fs::path file = backup().file;
    const auto refusal = [&](const fs::path& of) {
        const auto restored = restore_backup(of, database, start);
        EXPECT_FALSE(restored) << of;
        return restored ? std::string() : restored.error().message;
    };
    change("after");
    const auto spoil = [&](std::streamoff at, const std::string& bytes, bool with_digest) {
        const fs::path copy = directory.path() + "/copy.db";
        fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
        fs::remove(copy.string() + ".sha256");
        if (with_digest) fs::copy_file(file.string() + ".sha256", copy.string() + ".sha256");
        overwrite(copy, at, bytes);
        return refusal(copy);
    };
    EXPECT_NE(spoil(5000, "x", true).find("its digest is not the one in"), std::string::npos);
    const std::string torn = spoil(4096, std::string(8192, '\x5a'), false);
    EXPECT_NE(torn.find("damaged"), std::string::npos) << torn;
    EXPECT_NE(torn.find("take an older backup"), std::string::npos) << torn;
    const std::string newer = spoil(60, std::string("\0\0\3\xe7", 4), false);  // user_version 999
    EXPECT_NE(newer.find("made by a newer liaison (schema 999"), std::string::npos) << newer;
    EXPECT_NE(spoil(0, "no database", false).find("damaged"), std::string::npos);
    EXPECT_NE(refusal(directory.path() + "/none.db").find("there is no backup"), std::string::npos);
    EXPECT_EQ(mark(database), "after") << "nothing was touched";
    EXPECT_FALSE(fs::exists(database + ".restoring"));
}

TEST_F(Backups, RestoringKeepsWhatWasThereAside) {
    const fs::path file = backup().file;
    change("after");
    const Restored restored = restore_backup(file, database, start + days(1)).value();
    EXPECT_EQ(restored.backup.at, start);
    EXPECT_EQ(mark(database), "before");
    EXPECT_EQ(mark(restored.aside.string()), "after");
    EXPECT_EQ(restored.aside.filename(), "liaison.db.before-restore-20260302T080000Z");
    const std::string told =
        Database::open(database, Access::read).value()->state(restored_state, "").value();
    EXPECT_NE(told.find("2026-03-01T08:00:00"), std::string::npos) << told;
    EXPECT_TRUE(check_backup(file)) << "the backup itself stays as it is";
}

TEST_F(Backups, ADamagedDatabaseIsReplacedAndKept) {
    const fs::path file = backup().file;
    overwrite(database, 0, std::string(8192, '\x5a'));
    const Restored restored = restore_backup(file, database, start + days(1)).value();
    EXPECT_EQ(mark(database), "before");
    EXPECT_TRUE(fs::exists(restored.aside));
}

TEST_F(Backups, WhatWasOpenMayHaveBeenSent) {
    {
        auto opened = Database::open(database, Access::write).value();
        ASSERT_TRUE(opened->begin());
        std::vector<Intent> intents(3);
        const IntentState states[] = {IntentState::ready, IntentState::sending, IntentState::in_doubt};
        for (std::size_t i = 0; i < intents.size(); ++i) {
            intents[i].op_key = "key" + std::to_string(i);
            intents[i].rid = static_cast<Rid>(i) + 1;
            intents[i].payload = "{}";
            intents[i].state = states[i];
        }
        ASSERT_TRUE(opened->add_intents("office", "product", intents, 0));
        ASSERT_TRUE(opened->commit());
    }
    const Restored restored = restore_backup(backup().file, database, start + days(1)).value();
    EXPECT_EQ(restored.doubtful, 2);
    Connection connection(database, SQLITE_OPEN_READONLY);
    Statement states = connection.prepare("SELECT state, first_sent_at > 0 FROM intents ORDER BY id");
    for (const std::int64_t state : {2, 2, 3}) {
        ASSERT_TRUE(states.step());
        EXPECT_EQ(states.integer(0), state);
        EXPECT_EQ(states.integer(1), state == 2 ? 1 : 0);
    }
}

}  // namespace
}  // namespace liaisond::store
