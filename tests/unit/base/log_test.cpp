#include "base/log.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "base/redact.hpp"
#include "base/secret.hpp"
#include "paths.hpp"

namespace liaisond {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(paths::source(file)).rdbuf();
    return std::move(text).str();
}

TEST(Journal, EntriesCarryTheirFieldsByTheNamesOfTheManual) {
    EXPECT_THAT(journal_entry(LogLevel::error, LogEvent::run_failed, "run 7 ended: failed",
                              {{"integration", "paradise-pms"}, {"run", "7"}}),
                ElementsAre("MESSAGE=run 7 ended: failed", "PRIORITY=3",
                            "MESSAGE_ID=9fbd9dd039744bc48541f4b977868f2e", "LIAISON_EVENT=run_failed",
                            "LIAISON_INTEGRATION=paradise-pms", "LIAISON_RUN=7"));
    EXPECT_THAT(journal_entry(LogLevel::warning, LogEvent::none, "so", {}),
                ElementsAre("MESSAGE=so", "PRIORITY=4"));
}

TEST(Journal, EntriesOfAnIntegrationNameItsTenant) {
    log_tenants({{"paradise-pms", "paradise"}});
    const auto of = [](const std::string& integration) {
        return journal_entry(LogLevel::info, LogEvent::none, "so", {{"integration", integration}});
    };
    EXPECT_THAT(of("paradise-pms"), Contains("LIAISON_TENANT=paradise"));
    EXPECT_THAT(of("other"), Not(Contains(StartsWith("LIAISON_TENANT="))));
    log_tenants({});
    EXPECT_THAT(of("paradise-pms"), Not(Contains(StartsWith("LIAISON_TENANT="))));
}

TEST(Journal, EntriesHoldNoSecrets) {
    redactor().add("hunter2hunter2");
    EXPECT_THAT(
        journal_entry(LogLevel::info, LogEvent::none, "with hunter2hunter2", {{"file", "hunter2hunter2"}}),
        Not(Contains(HasSubstr("hunter2hunter2"))));
}

// Each event has an id of its own, and both are explained to whoever reads the journal.
TEST(Journal, EveryEventIsInTheCatalogAndInTheManual) {
    const std::string catalog = text_of("systemd/liaison.catalog"), manual = text_of("etc/man/liaisond.8.in");
    std::set<std::string_view> ids;
    for (const KnownLogEvent& one : known_log_events) {
        EXPECT_TRUE(ids.insert(one.message_id).second) << one.name;
        const std::string entry = "\n-- " + std::string(one.message_id) + "\nSubject: ";
        EXPECT_NE(catalog.find(entry), std::string::npos) << one.name << " is not in the catalog";
        EXPECT_NE(manual.find(one.name), std::string::npos) << one.name << " is not in the manual";
    }
    std::size_t texts = 0;
    for (std::size_t at = 0; (at = catalog.find("\n-- ", at)) != std::string::npos; ++at) ++texts;
    EXPECT_EQ(texts, known_log_events.size()) << "the catalog explains an event that there is no more";
}

}  // namespace
}  // namespace liaisond
