// Manual pages that a strict reader accepts, and completion in real shells.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>

#include "integrations.hpp"
#include "paths.hpp"

namespace liaison_system {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string handbook = paths::built("handbook");

std::string output_of(const std::string& command) {
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::string text;
    std::array<char, 4096> piece;
    while (const std::size_t read = std::fread(piece.data(), 1, piece.size(), pipe))
        text.append(piece.data(), read);
    return ::pclose(pipe) == 0 ? text : "failed: " + text;
}

// What bash offers after these words, the last of which is being written.
std::string offered(const std::string& words) {
    return output_of("bash -c '. " + handbook + "/liaisonctl; COMP_WORDS=(" + paths::program("liaisonctl") +
                     " " + words +
                     "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _liaisonctl; echo \"${COMPREPLY[*]}\"'");
}

TEST(Handbook, EachPageIsAcceptedWithoutAWarning) {
    for (const char* page : {"liaisonctl.1", "liaisond.8", "liaison.yaml.5"})
        EXPECT_EQ(output_of("mandoc -Tlint -W warning " + handbook + "/" + page), "") << page;
}

TEST(Handbook, PagesTellWhatTheProgramsKnow) {
    const std::string page = output_of("mandoc -Tascii " + handbook + "/liaisonctl.1 | col -b");
    EXPECT_THAT(page,
                AllOf(HasSubstr("doctor"), HasSubstr("--confirm-deletes"), Not(HasSubstr("@COMMANDS@"))));
    const std::string keys = output_of("mandoc -Tascii " + handbook + "/liaison.yaml.5 | col -b");
    EXPECT_THAT(keys, AllOf(HasSubstr("daemon.state_dir"), Not(HasSubstr("@KEYS@"))));
}

TEST(Handbook, BashOffersCommandsOptionsAndValues) {
    EXPECT_EQ(offered("ru"), "run runs\n");
    EXPECT_EQ(offered("runs \"\""), "show cancel\n");
    EXPECT_EQ(offered("--json --socket runs runs s"), "show\n") << "the value of an option is no command";
    EXPECT_EQ(offered("run x --fu"), "--full\n");
    EXPECT_EQ(offered("token create x --scope \"\""), "read operate admin\n");
    EXPECT_EQ(offered("records prod"), "product\n");
    EXPECT_THAT(offered("config check " + handbook + "/liaisond"), HasSubstr("/liaisond.8"));
    EXPECT_EQ(offered("runs show \"\""), "\n") << "numbers nobody can guess";
}

TEST(Handbook, IdsComeFromTheDaemon) {
    House house;
    house.configure(shop({"[product]"}) + shop({"[customer]"}, "boutique"));
    const std::string socket = "--socket " + (house.root() / "socket").string() + " ";
    EXPECT_EQ(offered(socket + "run \"\""), "\n") << "without a daemon there are none, and no error";
    house.start();
    EXPECT_EQ(offered(socket + "run \"\""), "boutique shop\n");
    EXPECT_EQ(offered(socket + "runs --integration sh"), "shop\n");
    EXPECT_EQ(offered(socket + "webhook show bo"), "boutique\n");
}

TEST(Handbook, ZshUnderstandsTheSameTables) {
    if (output_of("zsh --version").starts_with("failed")) GTEST_SKIP() << "zsh is not installed";
    EXPECT_EQ(output_of("zsh -n " + handbook + "/_liaisonctl"), "");
    const std::string ask =
        "zsh -fc 'compdef() { : }; _describe() { print -l -- ${(P)2} }; _files() { print files }; "
        "words=(liaisonctl token create x --scope \"\"); CURRENT=6; . " +
        handbook + "/_liaisonctl'";
    EXPECT_EQ(output_of(ask), "read\noperate\nadmin\n");
}

}  // namespace
}  // namespace liaison_system
