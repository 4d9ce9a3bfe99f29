#include "ctl/manual.hpp"

#include <gmock/gmock.h>

#include "config/config.hpp"
#include "ctl/help.hpp"

namespace liaisond::ctl {
namespace {

using testing::HasSubstr;

TEST(CtlManual, EveryCommandHasItsLineInTheGuideAndInTheManual) {
    const std::vector<KnownCommand> commands = known_commands();
    const std::string text = manual_of_commands(commands);
    EXPECT_GT(commands.size(), 40u);
    for (const KnownCommand& command : commands) {
        if (command.path.empty()) continue;
        const Guide* words = guide(command.path);
        ASSERT_NE(words, nullptr) << command.path;
        std::string safe;
        for (const char c : command.path) safe += c == '-' ? "\\-" : std::string(1, c);
        const bool is_listed = text.find(".It Cm " + safe + "\n") != std::string::npos ||
                               text.find(".It Cm " + safe + " No ") != std::string::npos;
        EXPECT_EQ(is_listed, !words->group.empty()) << command.path;
    }
    EXPECT_THAT(text, HasSubstr(".It Fl \\-confirm\\-deletes\n"));
    EXPECT_THAT(text, HasSubstr(".It Fl \\-limit Ar N\n"));
}

TEST(CtlManual, KeysAreFoundWhereverTheyStandInTheSchema) {
    const std::string text = manual_of_keys(config::daemon_schema());
    for (const char* key :
         {"daemon.state_dir", "daemon.tls.certificate", "store.durability", "defaults.retry.attempts",
          "tenants.TENANT.timezone", "integrations.INTEGRATION.entities.ENTITY.debounce",
          "integrations.INTEGRATION.schedule.full.daily", "integrations.INTEGRATION.guard.approval.deletes",
          "integrations.INTEGRATION.webhook.profile"})
        EXPECT_THAT(text, HasSubstr(std::string(".It Ic ") + key + "\n"));
    EXPECT_THAT(text, HasSubstr("Value: a whole number from 1 to 100.\nDefault: 5\n"));
    EXPECT_THAT(text, HasSubstr("Takes what defaults.retry takes.\n")) << "told once";
}

}  // namespace
}  // namespace liaisond::ctl
