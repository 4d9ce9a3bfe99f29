// Stores of every liaison that people may have, brought to the form of this one. schemas/N.sql is what such a
// liaison wrote; it never changes.
#include "store/migrations.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "paths.hpp"
#include "simulate/store.hpp"
#include "store/database.hpp"
#include "store/sqlite.hpp"

namespace liaisond::store {
namespace {

namespace fs = std::filesystem;

constexpr int file_flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

const fs::path& schemas() {
    static const fs::path folder = paths::source("tests/unit/store/schemas");
    return folder;
}

std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

std::vector<int> versions() {
    std::vector<int> all;
    for (const fs::directory_entry& entry : fs::directory_iterator(schemas()))
        all.push_back(std::stoi(entry.path().stem().string()));
    std::sort(all.begin(), all.end());
    return all;
}

// Every table and index, by name.
std::map<std::string, std::string> shape(const std::string& path) {
    Connection connection(path, file_flags);
    Statement select = connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_master");
    std::map<std::string, std::string> all;
    while (select.step()) all[select.text(0)] = select.text(1);
    return all;
}

std::string answer(const std::string& path, const char* sql) {
    Connection connection(path, file_flags);
    Statement select = connection.prepare(sql);
    return select.step() ? select.text(0) : "no row";
}

class Migrations : public testing::TestWithParam<int> {
  protected:
    void SetUp() override {
        path = directory.path() + "/liaison.db";
        Connection(path, file_flags).execute(text_of(schemas() / (std::to_string(GetParam()) + ".sql")));
    }
    std::unique_ptr<Database> opened() {
        auto database = Database::open(path, Access::write, Durability::normal);
        EXPECT_TRUE(database) << database.error().message;
        return std::move(*database);
    }
    simulate::TempDir directory;
    std::string path;
};

INSTANTIATE_TEST_SUITE_P(Schema, Migrations, testing::ValuesIn(versions()),
                         testing::PrintToStringParamName());

TEST_P(Migrations, LeadToTheShapeOfANewStore) {
    const std::string fresh = directory.path() + "/fresh.db";
    ASSERT_TRUE(Database::open(fresh, Access::write, Durability::normal));
    opened();
    EXPECT_EQ(shape(path), shape(fresh));
    EXPECT_EQ(answer(path, "PRAGMA user_version"), std::to_string(migrations.size()));
    EXPECT_EQ(answer(path, "PRAGMA integrity_check"), "ok");
}

TEST_P(Migrations, KeepWhatWasThere) {
    const auto database = opened();
    Filter filter;
    filter.tenant = "wholesaler";
    filter.entity = "product";
    const auto records = database->records(filter).value();
    ASSERT_EQ(records.size(), 2u);
    const RecordRow& old = records[0].deleted ? records[1] : records[0];
    EXPECT_EQ(old.payload, R"({"sku":"A-1","name":"Espresso"})");
    EXPECT_EQ(old.version, 2);
    EXPECT_TRUE(records[0].deleted != records[1].deleted);
    EXPECT_EQ(database->changes(filter, 0).value().size(), 4u);
    const auto mappings = database->mappings({}).value();
    ASSERT_EQ(mappings.size(), 1u);
    EXPECT_EQ(mappings[0].external_id, "17");
    EXPECT_EQ(mappings[0].integration, "shop");
    const auto intents = database->intents({}).value();
    ASSERT_EQ(intents.size(), 1u);
    EXPECT_EQ(intents[0].state, IntentState::unknown) << "an answer may still be owed";
    EXPECT_EQ(intents[0].op_key, "LABC");
    EXPECT_EQ(database->dead_letters({}).value().size(), 1u);
    EXPECT_EQ(database->runs({}).value().at(0).requests, 3);
    EXPECT_EQ(database->logs({}).value().rows.size(), 5u) << "the log, and the feed of changes";
    EXPECT_EQ(database->conflicts({}).value().size(), GetParam() >= 3 ? 1u : 0u);
    EXPECT_EQ(database->sealed().value().size(), GetParam() >= 4 ? 1u : 0u);
    EXPECT_EQ(database->tokens().value().size(), GetParam() >= 5 ? 1u : 0u);
    EXPECT_EQ(database->inbox({}).value().size(), GetParam() >= 7 ? 1u : 0u);
}

// Otherwise those who have it would go on with something else than this liaison believes.
TEST_P(Migrations, ThatPeopleHaveAreNotChangedAnyMore) {
    const std::string remade = directory.path() + "/remade.db";
    Connection connection(remade, file_flags);
    for (int step = 0; step < GetParam(); ++step)
        connection.execute(migrations[static_cast<std::size_t>(step)]);
    EXPECT_EQ(shape(remade), shape(path)) << "add a migration instead";
}

TEST(MigrationsOfThisLiaison, StartFromSchemasThatAreHere) {
    EXPECT_GE(versions().size(), 5u);
    EXPECT_LE(versions().back(), static_cast<int>(migrations.size()));
}

}  // namespace
}  // namespace liaisond::store
