#include <gtest/gtest.h>

#include <filesystem>

#include "access/audit.hpp"
#include "access/passwords.hpp"
#include "access/sessions.hpp"
#include "access/tokens.hpp"
#include "access/totp.hpp"
#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/system.hpp"
#include "store/database.hpp"

namespace liaisond::access {
namespace {

constexpr Instant start = Instant(Milliseconds(1'700'000'000'000));
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

SystemRandom random_;

// ---- tokens ----------------------------------------------------------------------------------------------

TEST(Tokens, AreGoodUntilTheyExpireOrAreRevoked) {
    Tokens tokens;
    const auto made = Tokens::make("till", Scope::operate, "mill", start, start + hours(1), random_);
    tokens.add(made.row);
    const auto who = tokens.check(made.text.reveal(), start);
    ASSERT_TRUE(who);
    EXPECT_EQ(who->name, "token till");
    EXPECT_EQ(who->tenant, "mill");
    EXPECT_TRUE(who->may(Scope::read) && who->may(Scope::operate) && !who->may(Scope::admin));
    EXPECT_TRUE(who->sees("mill") && !who->sees("hotel") && !who->sees(""));
    EXPECT_FALSE(tokens.check(made.text.reveal(), start + hours(1)));
    tokens.remove(made.row.id);
    EXPECT_FALSE(tokens.check(made.text.reveal(), start));
}

TEST(Tokens, NothingElseIsGood) {
    Tokens tokens;
    const auto made = Tokens::make("a", Scope::admin, "", start, start + hours(1), random_);
    const auto other = Tokens::make("b", Scope::admin, "", start, start + hours(1), random_);
    tokens.add(made.row);
    tokens.add(other.row);
    const std::string text = made.text.reveal();
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == '0' ? '1' : '0';
        EXPECT_FALSE(tokens.check(changed, start)) << i;
        EXPECT_FALSE(tokens.check(text.substr(0, i), start)) << i;
    }
    // The secret of one with the name of the other.
    EXPECT_FALSE(tokens.check("liaison_" + other.row.id + text.substr(text.rfind('_')), start));
    EXPECT_FALSE(tokens.check("", start));
}

TEST(Tokens, AreKeptAsDigestsAndNeverLogged) {
    const auto made = Tokens::make("a", Scope::read, "", start, start + hours(1), random_);
    const std::string secret = made.text.reveal().substr(made.text.reveal().rfind('_') + 1);
    EXPECT_EQ(secret.size(), 64u) << "256 bits";
    EXPECT_EQ(made.row.hash.find(secret), std::string::npos);
    EXPECT_EQ(made.row.hash.size(), 32u);
    EXPECT_EQ(redactor().scrub("Bearer " + made.text.reveal()).find(secret), std::string::npos);
}

TEST(Tokens, UsesAreToldOnce) {
    Tokens tokens;
    const auto made = Tokens::make("a", Scope::read, "", start, start + hours(1), random_);
    tokens.add(made.row);
    (void)tokens.check(made.text.reveal(), start + seconds(1));
    (void)tokens.check(made.text.reveal(), start + seconds(2));
    const auto uses = tokens.take_uses();
    ASSERT_EQ(uses.size(), 1u);
    EXPECT_EQ(uses.front(), std::pair(made.row.id, start + seconds(2)));
    EXPECT_TRUE(tokens.take_uses().empty());
}

TEST(Scopes, HaveWords) {
    for (const Scope scope : {Scope::read, Scope::operate, Scope::admin})
        EXPECT_EQ(parse_scope(to_string(scope)), scope);
    EXPECT_FALSE(parse_scope("root"));
}

// ---- sessions ------------------------------------------------------------------------------------------

TEST(Sessions, EndWhenIdleOrOldOrByHand) {
    Sessions sessions;
    const auto begun = sessions.begin({"user marie", Scope::admin, ""}, start, random_);
    EXPECT_EQ(begun.id.size(), 32u) << "128 bits";
    EXPECT_NE(begun.id, begun.csrf);
    EXPECT_EQ(sessions.find(begun.id, start + minutes(29))->principal.name, "user marie");
    EXPECT_TRUE(sessions.find(begun.id, start + minutes(58))) << "seen in between";
    EXPECT_FALSE(sessions.find(begun.id, start + minutes(89)));

    const auto busy = sessions.begin({"user marie", Scope::admin, ""}, start, random_);
    for (int i = 1; i <= 12 * 4; ++i) EXPECT_TRUE(sessions.find(busy.id, start + minutes(15 * i))) << i;
    EXPECT_FALSE(sessions.find(busy.id, start + hours(12) + minutes(1))) << "however busy";

    const auto third = sessions.begin({"user marie", Scope::admin, ""}, start, random_);
    const auto fourth = sessions.begin({"user paul", Scope::admin, ""}, start, random_);
    sessions.end_all("user marie");
    EXPECT_FALSE(sessions.find(third.id, start));
    EXPECT_TRUE(sessions.find(fourth.id, start));
    sessions.end(fourth.id);
    EXPECT_FALSE(sessions.find(fourth.id, start));
    EXPECT_FALSE(sessions.find("", start));
}

TEST(Sessions, AreNotWithoutBound) {
    Sessions sessions;
    const auto first = sessions.begin({"a", Scope::read, ""}, start, random_);
    for (std::size_t i = 0; i < Sessions::most; ++i)
        sessions.begin({"b", Scope::read, ""}, start + seconds(1), random_);
    EXPECT_FALSE(sessions.find(first.id, start + seconds(2)));
}

// ---- one-time codes ------------------------------------------------------------------------------------

// RFC 6238, appendix B: the last six of its eight digits.
TEST(Totp, CodesAreThoseOfTheStandard) {
    const Secret key("12345678901234567890");
    for (const auto& [second, code] : {std::pair<std::int64_t, const char*>{59, "287082"},
                                       {1111111109, "081804"},
                                       {1111111111, "050471"},
                                       {1234567890, "005924"},
                                       {2000000000, "279037"},
                                       {20000000000, "353130"}}) {
        EXPECT_EQ(totp_code(key, second / 30), code);
        EXPECT_EQ(totp_step(key, code, from_unix_ms(second * 1000)), second / 30);
    }
}

TEST(Totp, AClockMayBeHalfAMinuteOff) {
    const Secret key("12345678901234567890");
    const Instant now = from_unix_ms(1111111111000);
    const std::int64_t step = 1111111111 / 30;
    for (const int off : {-1, 0, 1}) EXPECT_EQ(totp_step(key, totp_code(key, step + off), now), step + off);
    for (const int off : {-2, 2}) EXPECT_EQ(totp_step(key, totp_code(key, step + off), now), std::nullopt);
    EXPECT_EQ(totp_step(key, "050 471", now), step) << "as apps show it";
    for (const char* wrong : {"", "05047", "0504711", "abcdef"})
        EXPECT_EQ(totp_step(key, wrong, now), std::nullopt);
}

// RFC 4648, 10, without the padding.
TEST(Totp, KeysAreToldInBase32) {
    for (const auto& [bytes, text] : {std::pair{"", ""},
                                      {"f", "MY"},
                                      {"fo", "MZXQ"},
                                      {"foo", "MZXW6"},
                                      {"foob", "MZXW6YQ"},
                                      {"fooba", "MZXW6YTB"},
                                      {"foobar", "MZXW6YTBOI"}})
        EXPECT_EQ(to_base32(bytes), text);
    EXPECT_EQ(totp_link(Secret("foobar"), "marie at home"),
              "otpauth://totp/"
              "liaison:marie%20at%20home?secret=MZXW6YTBOI&issuer=liaison&algorithm=SHA1&digits=6&period=30");
}

// ---- passwords -----------------------------------------------------------------------------------------

TEST(Passwords, AreArgon2id) {
    const auto kept = hash_password(Secret("correct horse battery"));
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->starts_with("$argon2id$v=19$m=65536,t=3,p=1$")) << *kept;
    EXPECT_TRUE(is_password(*kept, Secret("correct horse battery")));
    EXPECT_FALSE(is_password(*kept, Secret("correct horse batterz")));
    EXPECT_FALSE(is_password("", Secret("the password of nobody"))) << "a user who does not exist";
    EXPECT_FALSE(hash_password(Secret("eleven char")));
}

// ---- audit -----------------------------------------------------------------------------------------------

class Audit : public testing::Test {
  protected:
    Audit() {
        std::filesystem::remove(file);
        database = store::Database::open(file, store::Access::write).value();
        for (const char* action : {"token.create", "integration.suspend", "secret.set"}) {
            store::AuditRow entry;
            entry.at = start;
            entry.actor = "local";
            entry.action = action;
            entry.target = "x";
            entry.detail = "{}";
            EXPECT_TRUE(database->add_audit(entry, [this](const auto& previous, const auto& row) {
                return audit_digest(key, previous, row);
            }));
        }
        entries = database->audit(1, 100).value();
    }
    ~Audit() override {
        database.reset();
        for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file + end);
    }
    std::string verdict() const {
        const auto fault = verify_audit(key, "", 1, entries);
        return fault ? fault->text : "";
    }
    std::string file =
        (std::filesystem::temp_directory_path() / ("liaison-audit." + std::to_string(::getpid()))).string();
    Secret key{std::string(32, 'k')};
    std::unique_ptr<store::Database> database;
    std::vector<store::AuditRow> entries;
};

TEST_F(Audit, IsWholeAsWritten) {
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(verdict(), "");
    const std::vector<store::AuditRow> tail{entries[1], entries[2]};
    EXPECT_FALSE(verify_audit(key, entries[0].hash, 2, tail)) << "from any point on";
}

TEST_F(Audit, EditsCutsAndReorderingsAreNoticed) {
    entries[1].actor = "nobody";
    EXPECT_EQ(verdict(), "entry 2 was changed after it was written");
    entries = database->audit(1, 100).value();
    entries.erase(entries.begin() + 1);
    EXPECT_EQ(verdict(), "entry 2 is missing");
    entries[1].seq = 2;
    EXPECT_EQ(verdict(), "entry 2 was changed after it was written");
    entries = database->audit(1, 100).value();
    key = Secret(std::string(32, 'x'));
    EXPECT_EQ(verdict(), "entry 1 was changed after it was written")
        << "without the key nobody makes an entry";
}

}  // namespace
}  // namespace liaisond::access
