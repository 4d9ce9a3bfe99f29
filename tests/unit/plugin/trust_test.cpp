// Whose a plugin file is, who could have changed it, and who signed it. The keys and signatures were made by
// minisign 0.11.
#include "plugin/trust.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/pins.hpp"

namespace liaisond::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* content = "liaison plugin\n";
constexpr const char* secret_key =
    "untrusted comment: test vector\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQcXr0tVQMvFKKaHsR8fit/"
    "CFZuhLBwmJdN3woKIFeet72ByntZ9Wy4HY2nEy80EfwqV9liabvzNv3XHa2ycwdoK5+"
    "qQgkQgnAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
constexpr const char* public_key = "RWRBxevS1VAy8YHY2nEy80EfwqV9liabvzNv3XHa2ycwdoK5+qQgkQgn";
constexpr const char* encrypted_key =
    "untrusted comment: minisign encrypted secret key\n"
    "RWRTY0Iy7uXnSj6Rew4VKG8Fe/RsH/"
    "biTSprZp94Mp3yMuogzW0AAAACAAAAAAAAAEAAAAAAA2TbKXADOEeMICiTXY5RD+smMCCpVUfh27xcXVewx1D4ovGI+"
    "mQHaX5o3SKPeEPXkV+aXmOizQb03F2Q1+afMHmU/66PBzt9kfbJyKgVHgOrqtmB4xx+vEFQbbNZ4uhf417POmolAhs=\n";
constexpr const char* key_of_encrypted = "RWTqSVveQYTQfDUAfi2xcJriok9DNrmi/57XzBsq8zErKK17hMt9L7Ei";
constexpr const char* signature =
    "untrusted comment: signature from minisign secret key\n"
    "RURBxevS1VAy8f1AkFqE2Xl8COUGEPbKvznj6pNgGPt3VenC0ZzDlVxyqwrrIigIgZ84B5wAkHEUYdTD50IYBbTZVRpP74CDCQo=\n"
    "trusted comment: timestamp:1 file:f.so\n"
    "HIgm0Ry/YGvni5V3sE0MzqYa/q4ZOw4lml0xcUwVNufq8JjtowvVuItjlwj/6CzG3uV+GNnqaS93vhR65pTAAA==\n";

class TrustTest : public testing::Test {
  protected:
    void SetUp() override {
        folder = fs::temp_directory_path() / ("liaison_trust_" + std::to_string(::getpid()));
        fs::create_directories(folder);
        fs::permissions(folder, fs::perms(0755));
        write("f.so", content);
        policy.owner = TrustPolicy::Owner::self;
        policy.keys = {{"acme", PublicKey::parse(public_key).value()}};
    }
    void TearDown() override { fs::remove_all(folder); }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(folder / name, std::ios::binary) << text;
        fs::permissions(folder / name, fs::perms(0644));
    }
    std::string file() const { return (folder / "f.so").string(); }
    std::string refusal() const {
        const auto found = examine(file(), policy);
        return found ? "" : found.error().message;
    }

    fs::path folder;
    TrustPolicy policy;
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(TrustTest, ASignatureOfMinisignIsKnown) {
    write("f.so.minisig", signature);
    const auto found = examine(file(), policy);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->signed_by, "acme");
    EXPECT_EQ(found->warning, "");
    EXPECT_EQ(found->digest, "4515cb0b014ef58870c3819018c9f528a9f23d12068727e13f3c979d2b6ce1b7");
}

TEST_F(TrustTest, ASignatureThatDoesNotFitIsRefusedThoughNoneIsAskedFor) {
    write("f.so.minisig", signature);
    write("f.so", "liaison plugin, changed\n");
    EXPECT_SAYS(refusal(), "its signature by acme does not fit");
    write("f.so", content);
    std::string other = signature;
    other.replace(other.find("file:f"), 6, "file:g");
    write("f.so.minisig", other);
    EXPECT_SAYS(refusal(), "does not fit") << "the comment is signed, too";
    write("f.so.minisig", "no signature at all\n");
    EXPECT_SAYS(refusal(), "f.so.minisig is not a minisign signature");
}

TEST_F(TrustTest, WhoIsNotTrustedCounts) {
    policy.keys = {{"other", PublicKey::parse(key_of_encrypted).value()}};
    write("f.so.minisig", signature);
    const auto found = examine(file(), policy);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->signed_by, "");
    EXPECT_SAYS(found->warning,
                "F13250D5D2EBC541, which is not among the trusted ones (other (7CD08441DE5B49EA))");
    policy.require_signatures = true;
    EXPECT_SAYS(refusal(), "is not loaded: it is signed with key F13250D5D2EBC541");
}

TEST_F(TrustTest, SignaturesCanBeRequired) {
    EXPECT_EQ(refusal(), "");
    policy.require_signatures = true;
    EXPECT_SAYS(refusal(), "has no signature (" + file() + ".minisig)");
}

TEST_F(TrustTest, WhatOthersMayWriteToIsRefused) {
    fs::permissions(file(), fs::perms(0664));
    EXPECT_SAYS(refusal(), "others than its owner may write to it");
    fs::permissions(file(), fs::perms(0644));
    fs::permissions(folder, fs::perms(0777));
    EXPECT_SAYS(
        refusal(),
        "others than root or the user of liaisond can exchange it, for they may write to " + folder.string());
    fs::permissions(folder, fs::perms(01777));
    EXPECT_EQ(refusal(), "") << "as /tmp: what is there stays its owner's";
}

TEST_F(TrustTest, AFileHasToBeRoots) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    policy.owner = TrustPolicy::Owner::root;
    EXPECT_EQ(refusal(), "");
    ASSERT_EQ(::chown(file().c_str(), 65534, 65534), 0);
    EXPECT_SAYS(refusal(), "it belongs to user 65534, not to root");
    ASSERT_EQ(::chown(file().c_str(), 0, 0), 0);
    ASSERT_EQ(::chown(folder.c_str(), 65534, 65534), 0);
    EXPECT_SAYS(refusal(), "can exchange it, for they may write to " + folder.string());
}

TEST_F(TrustTest, ALinkIsFollowedToWhatItNames) {
    const fs::path link = folder / "link.so";
    fs::create_symlink(file(), link);
    fs::permissions(file(), fs::perms(0666));
    const auto found = examine(link.string(), policy);
    ASSERT_FALSE(found);
    EXPECT_SAYS(found.error().message, "others than its owner may write to it");
    EXPECT_SAYS(examine((folder / "none.so").string(), policy).error().message, "cannot be opened");
}

TEST(Minisign, ReadsKeysThatMinisignMadeAndSignsAsItDoes) {
    const auto key = SigningKey::parse(secret_key, Secret());
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->public_key().text(), public_key);
    FileHash hash{};
    hash[0] = 7;
    const auto made = Signature::parse(key->sign(hash, "a comment"));
    ASSERT_TRUE(made);
    EXPECT_TRUE(made->proves(hash, PublicKey::parse(public_key).value()));
    EXPECT_EQ(made->comment, "a comment");
    hash[1] = 1;
    EXPECT_FALSE(made->proves(hash, PublicKey::parse(public_key).value()));
    EXPECT_FALSE(Signature::parse(signature)->proves(FileHash{}, PublicKey::parse(public_key).value()));
}

TEST(Minisign, AnEncryptedKeyTakesItsPassword) {
    EXPECT_TRUE(SigningKey::is_encrypted(encrypted_key));
    EXPECT_FALSE(SigningKey::is_encrypted(secret_key));
    const auto key = SigningKey::parse(encrypted_key, Secret("pass"));
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->public_key().text(), key_of_encrypted);
    const auto wrong = SigningKey::parse(encrypted_key, Secret("word"));
    ASSERT_FALSE(wrong);
    EXPECT_SAYS(wrong.error().message, "cannot be decrypted with this password");
}

TEST(Minisign, AFreshKeyIsReadBack) {
    const SigningKey key = SigningKey::generate();
    const auto again = SigningKey::parse(key.file(Secret()), Secret());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->public_key(), key.public_key());
    EXPECT_FALSE(SigningKey::generate().public_key() == key.public_key());
}

TEST(Minisign, WhatIsNoKeyIsSaid) {
    for (const char* text : {"", "RW", "hello", "RWRBxevS1VAy8YHY2nEy80EfwqV9liabvzNv3XHa2ycwdoK5+qQgkQg"})
        EXPECT_FALSE(PublicKey::parse(text)) << text;
    EXPECT_TRUE(PublicKey::parse(std::string("untrusted comment: x\r\n") + public_key + "\r\n"));
    EXPECT_FALSE(SigningKey::parse(public_key, Secret()));
}

}  // namespace
}  // namespace liaisond::plugin
