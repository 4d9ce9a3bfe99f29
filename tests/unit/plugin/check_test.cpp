#include "plugin/check.hpp"

#include <gmock/gmock.h>

namespace liaisond::plugin {
namespace {
using testing::HasSubstr;

TEST(Check, SaysHowMuchOfASandboxThereIs) {
    const Finding whole = check_sandbox({1, true}), part = check_sandbox({0, true}),
                  none = check_sandbox({0, false});
    EXPECT_TRUE(whole.ok);
    if (!has_sandbox) {
        EXPECT_THAT(whole.text, HasSubstr("there is none in this build"));
        return;
    }
    EXPECT_THAT(whole.text, HasSubstr("no files, no network"));
    EXPECT_TRUE(part.ok);
    EXPECT_THAT(part.text, HasSubstr("this kernel has no Landlock, so that a plugin can read files"));
    EXPECT_FALSE(none.ok) << "then nothing of it is run";
    EXPECT_THAT(none.text, HasSubstr("seccomp"));
}

TEST(Check, WhatAPluginSaysOfItselfIsBelievedInOneFormOnly) {
    const std::string right =
        R"({"id":"a.b","version":"1","vendor":"v","manifest":"{}","abi":"1.0","capabilities":3})";
    const auto claims = read_claims(right);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->id, "a.b");
    EXPECT_EQ(claims->manifest, "{}");
    EXPECT_EQ(claims->capabilities, 3u);
    for (const char* part : {R"("a.b")", R"("1")", R"("v")", R"("{}")", R"("1.0")", "3"}) {
        for (const char* wrong : {"null", "[]", "-1", "{}", "1.5", ""}) {
            std::string odd = right;
            odd.replace(odd.rfind(part), std::string(part).size(), wrong);
            EXPECT_FALSE(read_claims(odd)) << odd;
        }
    }
    for (const char* odd : {"", "[]", "{}", "3", "{", "\"a\""}) EXPECT_FALSE(read_claims(odd)) << odd;
}

}  // namespace
}  // namespace liaisond::plugin
