// The vault: what it seals opens with its key and under its name only.
#include "auth/vault.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "base/redact.hpp"
#include "base/system.hpp"
#include "simulate/store.hpp"

namespace liaisond::auth {
namespace {

std::string text_of(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

class VaultTest : public testing::Test {
  protected:
    Vault open(bool create = true) { return Vault::open(file, random, create).value(); }
    simulate::TempDir directory;
    std::string file = directory.path() + "/vault.key";
    SystemRandom random;
};

TEST_F(VaultTest, SealsForOneNameAndOpensAfterARestart) {
    const std::string sealed = open().seal("secret/pms", Secret("hunter2-hunter2"), random);
    EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
    EXPECT_EQ(open().unseal("secret/pms", sealed)->reveal(), "hunter2-hunter2");
    EXPECT_EQ(open().unseal("secret/shop", sealed).error().message,
              "the secret 'shop' in the vault is damaged; set it again: liaisonctl secret set shop");
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(VaultTest, EveryChangedByteIsNoticed) {
    const Vault vault = open();
    const std::string sealed = vault.seal("secret/a", Secret("value"), random);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(vault.unseal("secret/a", changed)) << i;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(vault.unseal("secret/a", sealed.substr(0, size)));
}

TEST_F(VaultTest, TheSameValueIsNeverSealedTheSame) {
    const Vault vault = open();
    EXPECT_NE(vault.seal("secret/a", Secret("value"), random),
              vault.seal("secret/a", Secret("value"), random));
}

TEST_F(VaultTest, ALostKeyFileIsNotReplacedWhereSomethingIsSealed) {
    EXPECT_EQ(Vault::open(file, random, false).error().message,
              "the key of the vault, " + file +
                  ", cannot be read: No such file or directory; restore it from where it "
                  "was kept; the secrets in the vault are lost without it");
    EXPECT_FALSE(std::filesystem::exists(file));
    const std::string sealed = open().seal("secret/a", Secret("value"), random);
    std::filesystem::remove(file);
    EXPECT_NE(open().unseal("secret/a", sealed).error().message.find("was sealed with another key"),
              std::string::npos);
}

TEST_F(VaultTest, KeyFilesMustBePrivateAndWhole) {
    open();
    ::chmod(file.c_str(), 0640);
    EXPECT_NE(Vault::open(file, random).error().message.find("chmod 600"), std::string::npos);
    ::chmod(file.c_str(), 0600);
    std::ofstream(file) << "# nothing\nabcd notbase64!\n";
    EXPECT_NE(Vault::open(file, random).error().message.find("line 2 is no key"), std::string::npos);
}

TEST_F(VaultTest, ACredentialOfSystemdIsGuardedByItsFolder) {
    open();
    ::chmod(file.c_str(), 0440);
    ::setenv("CREDENTIALS_DIRECTORY", std::filesystem::path(file).parent_path().c_str(), 1);
    EXPECT_TRUE(Vault::open(file, random, false));
    ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/another.service", 1);
    EXPECT_FALSE(Vault::open(file, random, false));
    ::unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(VaultTest, RotationKeepsEverythingReadableAtEveryStep) {
    Secrets secrets(open(), random);
    for (const char* name : {"secret/a", "secret/b"})
        secrets.keep(name, secrets.seal(name, Secret(std::string("value of ") + name)));
    const std::string first_key = text_of(file);
    const auto anew = secrets.seal_anew().value();
    ASSERT_EQ(anew.size(), 2u);
    // Set by somebody while the rotation was being stored.
    secrets.keep("secret/b", secrets.seal("secret/b", Secret("newer")));
    for (const Secrets::Anew& one : anew) {
        EXPECT_TRUE(open().unseal(one.name, one.old)) << "a crash here loses " << one.name;
        secrets.replace(one.name, one.old, one.sealed);
    }
    ASSERT_TRUE(secrets.drop_old_keys());
    EXPECT_EQ(secrets.find("secret/a")->reveal(), "value of secret/a");
    EXPECT_EQ(secrets.find("secret/b")->reveal(), "newer");
    EXPECT_FALSE(open().unseal("secret/a", anew[0].old)) << "the old key is still there";
    EXPECT_EQ(text_of(file).find(first_key.substr(first_key.rfind(' '))), std::string::npos);
}

TEST_F(VaultTest, AMissingSecretSaysHowToSetIt) {
    Secrets secrets(open(), random);
    EXPECT_EQ(secrets.find("secret/pms").error().message,
              "the vault has no secret 'pms'; set it: liaisonctl secret set pms");
    secrets.keep("secret/pms", secrets.seal("secret/pms", Secret("very-private-4711")));
    EXPECT_EQ(secrets.find("secret/pms")->reveal(), "very-private-4711");
}

}  // namespace
}  // namespace liaisond::auth
