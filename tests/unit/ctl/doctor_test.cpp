#include "ctl/doctor.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>

namespace liaisond::ctl {
namespace {

using http::ProbeAnswer;
using std::chrono::days;
using std::chrono::hours;
using testing::HasSubstr;

const Instant now = parse_instant("2026-03-06T19:30:00Z").value();
const Account liaison{990, {990, 100}, "liaison"};

FileFacts file(mode_t mode, uid_t user = 990, gid_t group = 990) {
    return {"/x/thing", 0, static_cast<mode_t>(S_IFREG | mode), user, group};
}
FileFacts folder(mode_t mode, uid_t user = 990, gid_t group = 990) {
    return {"/x/thing", 0, static_cast<mode_t>(S_IFDIR | mode), user, group};
}
FileFacts absent(int error) { return {"/x/thing", error, 0, 0, 0}; }

ProbeAnswer answered(std::optional<Instant> date, Milliseconds took = Milliseconds(0)) {
    ProbeAnswer answer;
    answer.reached = ProbeAnswer::Reached::answer;
    answer.status = 200;
    answer.at = now;
    answer.duration = took;
    answer.date = date;
    return answer;
}

ProbeAnswer stuck(ProbeAnswer::Reached where, bool is_distrusted = false) {
    ProbeAnswer answer;
    answer.reached = where;
    answer.is_distrusted = is_distrusted;
    answer.error = "because";
    return answer;
}

TEST(Doctor, WhatTheKernelGivesForTheSandbox) {
    if (!plugin::has_sandbox) GTEST_SKIP() << "skipped: no sandbox in this build (sanitizers)";
    EXPECT_EQ(judge_sandbox({6, true}, false).verdict, Verdict::fine);
    EXPECT_EQ(judge_sandbox({6, true}, false).found, "seccomp filters and Landlock ABI 6");
    EXPECT_EQ(judge_sandbox({2, true}, false).verdict, Verdict::fine);
    EXPECT_THAT(judge_sandbox({2, true}, false).found, HasSubstr("Landlock ABI 2, which knows files alone"));
    EXPECT_EQ(judge_sandbox({0, true}, false).verdict, Verdict::failed);
    EXPECT_THAT(judge_sandbox({0, true}, false).advice, HasSubstr("daemon.sandbox: degraded"));
    EXPECT_EQ(judge_sandbox({0, true}, true).verdict, Verdict::warning);
    EXPECT_EQ(judge_sandbox({6, false}, true).verdict, Verdict::failed);
}

TEST(Doctor, OwnerGroupAndOthersAreToldApartAsTheKernelDoes) {
    EXPECT_TRUE(may(liaison, file(0400), 4));
    EXPECT_FALSE(may(liaison, file(0400), 2));
    EXPECT_FALSE(may(liaison, file(0077), 4)) << "the owner's bits count, however generous the others are";
    EXPECT_TRUE(may(liaison, file(0040, 0, 100), 4));
    EXPECT_FALSE(may(liaison, file(0604, 0, 100), 4));
    EXPECT_TRUE(may(liaison, file(0604, 0, 0), 4));
    EXPECT_TRUE(may({0, {0}, "root"}, file(0000), 4));
}

TEST(Doctor, TheStateDirectoryIsTheDaemonsAlone) {
    EXPECT_EQ(judge_state_dir(folder(0700), liaison).verdict, Verdict::fine);
    EXPECT_EQ(judge_state_dir(folder(0750), liaison).verdict, Verdict::fine) << "a group for backups";
    EXPECT_EQ(judge_state_dir(folder(0755), liaison).verdict, Verdict::warning);
    EXPECT_EQ(judge_state_dir(folder(0500), liaison).verdict, Verdict::failed);
    EXPECT_EQ(judge_state_dir(folder(0700, 0, 0), liaison).verdict, Verdict::failed);
    EXPECT_EQ(judge_state_dir(file(0700), liaison).verdict, Verdict::failed);
    EXPECT_EQ(judge_state_dir(absent(ENOENT), liaison).verdict, Verdict::failed);
    EXPECT_EQ(judge_state_dir(absent(EACCES), liaison).verdict, Verdict::skipped) << "who asks may not look";
}

TEST(Doctor, ASecretIsReadByTheDaemonAndNobodyElse) {
    EXPECT_EQ(judge_secret_file("secret", file(0600), liaison).verdict, Verdict::fine);
    EXPECT_EQ(judge_secret_file("secret", file(0400), liaison).verdict, Verdict::fine);
    const Finding open = judge_secret_file("secret", file(0640), liaison);
    EXPECT_EQ(open.verdict, Verdict::failed);
    EXPECT_THAT(open.advice, HasSubstr("chmod 0600 /x/thing"));
    const Finding foreign = judge_secret_file("secret", file(0600, 0, 0), liaison);
    EXPECT_EQ(foreign.verdict, Verdict::failed);
    EXPECT_THAT(foreign.advice, HasSubstr("chown liaison /x/thing"));
    EXPECT_EQ(judge_secret_file("secret", absent(ENOENT), liaison).verdict, Verdict::failed);
    EXPECT_EQ(judge_secret_file("secret", folder(0600), liaison).verdict, Verdict::failed);
}

TEST(Doctor, FoldersAreWritableForTheDaemon) {
    EXPECT_EQ(judge_folder("socket folder", folder(0750), liaison).verdict, Verdict::fine);
    EXPECT_EQ(judge_folder("socket folder", folder(0755, 0, 0), liaison).verdict, Verdict::failed);
    EXPECT_EQ(judge_folder("socket folder", absent(ENOENT), liaison).verdict, Verdict::failed);
}

TEST(Doctor, DisksThatFillUpAreNoticedBeforeTheyAreFull) {
    constexpr std::uint64_t mib = 1u << 20, all = 100'000 * mib;
    EXPECT_EQ(judge_space("/x", {2'000 * mib, all, 0, 0}).verdict, Verdict::fine);
    EXPECT_EQ(judge_space("/x", {1'000 * mib, all, 0, 0}).verdict, Verdict::warning);
    EXPECT_EQ(judge_space("/x", {255 * mib, all, 0, 0}).verdict, Verdict::failed);
    EXPECT_EQ(judge_space("/x", {2'000 * mib, all, 10, 1'000'000}).verdict, Verdict::failed) << "inodes";
}

TEST(Doctor, ADatabaseOfANewerLiaisonIsRefused) {
    EXPECT_EQ(judge_schema("/x", 7, 7).verdict, Verdict::fine);
    EXPECT_EQ(judge_schema("/x", 6, 7).verdict, Verdict::fine) << "migrated at the start";
    EXPECT_EQ(judge_schema("/x", 8, 7).verdict, Verdict::failed);
}

TEST(Doctor, TheLimitOfOpenFilesGrowsWithTheIntegrations) {
    EXPECT_EQ(judge_file_limit("liaisond", 1024, 10).verdict, Verdict::fine);
    EXPECT_EQ(judge_file_limit("liaisond", 1024, 1000).verdict, Verdict::warning);
}

TEST(Doctor, TheClockIsHeldAgainstTheVendors) {
    using Answers = std::vector<std::pair<std::string, ProbeAnswer>>;
    const auto verdict = [](const Answers& answers) { return judge_skew(answers).verdict; };
    EXPECT_EQ(verdict({}), Verdict::skipped);
    EXPECT_EQ(verdict({{"https://a:443", answered({})}}), Verdict::skipped);
    EXPECT_EQ(verdict({{"https://a:443", answered(now - Milliseconds(60'000))}}), Verdict::fine);
    EXPECT_EQ(verdict({{"https://a:443", answered(now - Milliseconds(61'000))}}), Verdict::failed);
    EXPECT_EQ(verdict({{"https://a:443", answered(now - Milliseconds(61'000), Milliseconds(4'000))}}),
              Verdict::fine)
        << "a slow answer is an old one";
    const Finding behind = judge_skew(
        {{"https://a:443", answered(now)}, {"https://b:443", answered(now + Milliseconds(120'000))}});
    EXPECT_EQ(behind.verdict, Verdict::failed);
    EXPECT_THAT(behind.found, HasSubstr("behind b"));
}

TEST(Doctor, EachWayOfNotReachingAVendorHasItsOwnAdvice) {
    using Reached = ProbeAnswer::Reached;
    const std::string origin = "https://api.example.com:443";
    const auto advice = [&](const ProbeAnswer& answer) {
        const Finding finding = judge_host(origin, answer, now);
        EXPECT_EQ(finding.verdict, Verdict::failed);
        return finding.advice;
    };
    EXPECT_THAT(advice(stuck(Reached::nothing)), HasSubstr("resolvectl query api.example.com"));
    EXPECT_THAT(advice(stuck(Reached::name)), HasSubstr("firewall"));
    EXPECT_THAT(advice(stuck(Reached::connection)), HasSubstr("http or https"));
    EXPECT_THAT(advice(stuck(Reached::connection, true)), HasSubstr("ca_file"));
}

TEST(Doctor, AVendorsCertificateIsItsOwnAffairUntilItIsLate) {
    ProbeAnswer answer = answered(now);
    EXPECT_EQ(judge_host("https://a:443", answer, now).verdict, Verdict::fine);
    answer.expiry = now + days(14);
    EXPECT_EQ(judge_host("https://a:443", answer, now).verdict, Verdict::fine);
    answer.expiry = now + days(14) - hours(1);
    EXPECT_EQ(judge_host("https://a:443", answer, now).verdict, Verdict::warning);
}

TEST(Doctor, OurCertificateIsRenewedInTime) {
    const auto judged = [](Milliseconds left) {
        return judge_certificate({"/x/hub.crt", "", now + left, true}, now);
    };
    EXPECT_EQ(judged(days(30)).verdict, Verdict::fine);
    EXPECT_EQ(judged(days(30) - hours(1)).verdict, Verdict::warning);
    EXPECT_THAT(judged(days(20)).advice, HasSubstr("renew it, then"));
    EXPECT_THAT(judged(days(14) - hours(1)).advice, HasSubstr("at once"));
    EXPECT_EQ(judged(days(3)).verdict, Verdict::warning);
    EXPECT_EQ(judged(days(3) - hours(1)).verdict, Verdict::failed);
    EXPECT_THAT(judged(-hours(1)).found, HasSubstr("expired"));
    EXPECT_EQ(judge_certificate({"/x", "", now + days(90), false}, now).verdict, Verdict::failed);
    EXPECT_EQ(judge_certificate({"/x", "it cannot be read", {}, false}, now).verdict, Verdict::failed);
}

TEST(Doctor, FilesThatAreJustBeingWrittenAreNoLeftovers) {
    using std::chrono::seconds;
    EXPECT_EQ(judge_leftovers({}).verdict, Verdict::fine);
    EXPECT_EQ(judge_leftovers({{"/x/vault.key.new", seconds(5)}}).verdict, Verdict::fine);
    const Finding old = judge_leftovers({{"/x/vault.key.new", seconds(3600)}, {"/x/.a.new", seconds(5)}});
    EXPECT_EQ(old.verdict, Verdict::warning);
    EXPECT_EQ(old.advice, "rm /x/vault.key.new");
}

TEST(Doctor, WarningsAloneAreNoFailure) {
    EXPECT_TRUE(
        is_healthy({{"a", Verdict::warning, "", "so so", "look"}, {"b", Verdict::skipped, "", "", ""}}));
    const std::vector<Finding> findings{{"disk", Verdict::failed, "/x", "full\x1b[2J", "make room"},
                                        {"time zones", Verdict::fine, "tzdata", "1 zone found", ""}};
    EXPECT_FALSE(is_healthy(findings));
    EXPECT_EQ(
        doctor_text(findings, {}),
        "failed   disk /x: full?[2J\n         -> make room\nfine     time zones tzdata: 1 zone found\n\n"
        "2 checks: 1 failed\n");
    EXPECT_FALSE(doctor_json(findings).at("ok").as_bool());
}

}  // namespace
}  // namespace liaisond::ctl
