#include "config_fixtures.hpp"

#include <fstream>

#include "sync/sim_house.hpp"

namespace liaisond::config {
namespace {

const std::string good = R"(tenants:
  paradise: { timezone: Europe/Paris }
integrations:
  paradise-shop:
    tenant: paradise
    connector: shop
    direction: import
    entities: [product]
    schedule: { every: 5m }
    settings: { url: "https://x.example" }
)";

TEST(Config, ReadsAndFillsInDefaults) {
    const Checked checked =
        check_text(good + "defaults: { retry: { attempts: 7 }, timeouts: { request: 5s } }\n");
    ASSERT_TRUE(checked.faults.empty()) << checked.faults[0];
    const Integration& shop = checked.config.integrations.at("paradise-shop");
    EXPECT_EQ(shop.schedule.every, std::chrono::minutes(5));
    EXPECT_EQ(shop.retry.attempts, 7u);
    EXPECT_EQ(shop.timeouts.request, Milliseconds(5000));
    EXPECT_EQ(shop.timeouts.connect, Milliseconds(10'000));
    ASSERT_EQ(shop.entities.size(), 1u);
    EXPECT_TRUE(shop.entities[0].imports);
    EXPECT_FALSE(shop.entities[0].exports);
}

TEST(Config, TheSandboxOfWorkers) {
    const Config usual = check_text(good).config;
    EXPECT_FALSE(usual.degraded_sandbox);
    EXPECT_EQ(usual.worker_memory, 512ull << 20);
    const Config chosen = check_text(good + "daemon: { sandbox: degraded, worker_memory: 2GiB }\n").config;
    EXPECT_TRUE(chosen.degraded_sandbox);
    EXPECT_EQ(chosen.worker_memory, 2ull << 30);
    EXPECT_EQ(
        only_fault(good + "daemon: { worker_memory: 127MiB }\n"),
        "liaison.yaml:11:26: daemon.worker_memory is '127MiB', which is no size of 128MiB or more; write "
        "512MiB or 2GiB");
    EXPECT_NE(only_fault(good + "daemon: { worker_memory: much }\n").find("no size of 128MiB"),
              std::string::npos);
    EXPECT_NE(only_fault(good + "daemon: { sandbox: none }\n").find("daemon.sandbox"), std::string::npos);
}

std::string replaced(const std::string& what, const std::string& with) {
    std::string text = good;
    text.replace(text.find(what), what.size(), with);
    return text;
}

TEST(Config, ErrorsSayFileLineColumnAndWhatWasMeant) {
    EXPECT_EQ(
        only_fault(replaced("schedule:", "schedul:")),
        "liaison.yaml:9:5: integrations.paradise-shop.schedul is not a known key; did you mean 'schedule'?");
    EXPECT_EQ(only_fault(replaced("connector: shop", "connector: shopp")),
              "liaison.yaml:6:16: integrations.paradise-shop.connector is 'shopp', and no installed plugin "
              "offers it; did you mean 'shop'? (installed: shop)");
    EXPECT_EQ(only_fault(replaced("tenant: paradise", "tenant: paradis")),
              "liaison.yaml:5:13: integrations.paradise-shop.tenant is 'paradis', and no such tenant is "
              "defined; did you mean 'paradise'?");
    EXPECT_EQ(only_fault(replaced("every: 5m", "every: 5")),
              "liaison.yaml:9:24: integrations.paradise-shop.schedule.every is 5; write it with its unit, "
              "such as 250ms, 30s, 5m, 2h or 7d");
    EXPECT_EQ(only_fault(replaced("Europe/Paris", "Europe/Pari")),
              "liaison.yaml:2:25: tenants.paradise.timezone is 'Europe/Pari', which is no IANA time zone; "
              "write one such as Europe/Paris");
    EXPECT_EQ(
        only_fault(replaced("[product]", "[produkt]")),
        "liaison.yaml:8:16: integrations.paradise-shop.entities.0 is 'produkt', which shop does not offer; "
        "offered: product or sales_order; did you mean 'product'?");
}

// What nothing would come of is a mistake; in both directions a connector does what it can.
TEST(Config, AnEntityIsUsedInADirectionThatItsConnectorHas) {
    OneConnector connectors;
    connectors.never_exported = {"product"};
    const Checked exported = check_text(replaced("direction: import", "direction: export"), connectors);
    ASSERT_EQ(exported.faults.size(), 1u);
    EXPECT_EQ(exported.faults[0],
              "liaison.yaml:8:16: integrations.paradise-shop.entities.0 is only exported, and shop can only "
              "import 'product'");
    EXPECT_TRUE(
        check_text(replaced("direction: import", "direction: bidirectional"), connectors).faults.empty());
    EXPECT_TRUE(check_text(good, connectors).faults.empty());
}

TEST(Config, NoIsTextAndSaysSo) {
    EXPECT_EQ(only_fault(good + "    enabled: no\n"),
              "liaison.yaml:11:14: integrations.paradise-shop.enabled is \"no\"; expected boolean (YAML 1.2 "
              "reads no as text; write false)");
}

TEST(Config, SettingsAreCheckedAgainstTheManifest) {
    EXPECT_EQ(only_fault(replaced("url: \"https://x.example\"", "url: \"https://x.example\", verfy: true")),
              "liaison.yaml:10:43: integrations.paradise-shop.settings.verfy is not a known key; did you "
              "mean 'verify'?");
    EXPECT_EQ(only_fault(replaced("{ url: \"https://x.example\" }", "{}")),
              "liaison.yaml:10:15: integrations.paradise-shop.settings lacks 'url'");
}

TEST(Config, ASecretInClearTextIsRefusedWithTheWayOut) {
    const std::string fault = only_fault(good + "    credentials: { token: hunter22 }\n");
    EXPECT_NE(fault.find("holds a secret in clear text"), std::string::npos) << fault;
    EXPECT_EQ(fault.find("hunter22"), std::string::npos) << "the secret itself must not be repeated";
    EXPECT_TRUE(check_text(good + "    credentials: { token: !env SHOP_TOKEN, other: \"!file /etc/x\" }\n")
                    .faults.empty());
}

TEST(Config, AllErrorsAtOnceInTheOrderOfTheFile) {
    std::string text = replaced("schedule:", "schedul:");
    text.replace(text.find("direction: import"), 17, "direction: imprt");
    const Checked checked = check_text(text + "demon: {}\n");
    ASSERT_EQ(checked.faults.size(), 3u) << testing::PrintToString(checked.faults);
    EXPECT_TRUE(checked.faults[0].starts_with("liaison.yaml:7:16:"));
    EXPECT_TRUE(
        checked.faults[2].starts_with("liaison.yaml:11:1: demon is not a known key; did you mean 'daemon'?"));
}

const Integration& shop_with(Checked& checked, const std::string& schedule) {
    checked = check_text(replaced("{ every: 5m }", schedule));
    EXPECT_TRUE(checked.faults.empty()) << schedule << ": " << testing::PrintToString(checked.faults);
    return checked.config.integrations.at("paradise-shop");
}

TEST(Config, SchedulesInAllTheirForms) {
    Checked checked;
    EXPECT_EQ(shop_with(checked, R"({ hourly: ":15" })").schedule.cron->text(), "15 * * * *");
    EXPECT_EQ(shop_with(checked, "{ hourly: true }").schedule.cron->text(), "0 * * * *");
    EXPECT_EQ(shop_with(checked, R"({ daily: "02:30" })").schedule.cron->text(), "30 2 * * *");
    EXPECT_EQ(shop_with(checked, R"({ weekly: "mon 02:30" })").schedule.cron->text(), "30 2 * * 1");
    EXPECT_EQ(shop_with(checked, R"({ weekly: { day: sunday, at: "23:05" } })").schedule.text,
              "weekly on sun at 23:05");
    const Integration& all = shop_with(checked,
                                       R"({ every: 5m, jitter: 10s, catch_up: none, full: { daily: "03:00" },
        blackout: ["02:00-03:30", "sun 22:00-02:00"] })");
    EXPECT_EQ(all.schedule.catch_up, CatchUp::none);
    ASSERT_TRUE(all.schedule.full);
    EXPECT_EQ(all.schedule.full->text, "daily at 03:00");
    ASSERT_EQ(all.schedule.blackouts.size(), 2u);
    EXPECT_EQ(all.schedule.blackouts[1].weekday, 0);
    EXPECT_EQ(all.schedule.blackouts[1].to, std::chrono::minutes(120));
}

TEST(Config, AScheduleThatMakesNoSenseIsExplained) {
    const auto fault = [](const std::string& schedule) {
        return only_fault(replaced("{ every: 5m }", schedule));
    };
    EXPECT_EQ(fault(R"({ every: 5m, daily: "02:30" })"),
              "liaison.yaml:9:15: integrations.paradise-shop.schedule has both every and daily; keep one");
    EXPECT_EQ(
        fault("{ jitter: 5s }"),
        "liaison.yaml:9:15: integrations.paradise-shop.schedule needs every, hourly, daily, weekly or cron "
        "(or write schedule: manual)");
    EXPECT_EQ(
        fault(R"({ daily: "2.30" })"),
        "liaison.yaml:9:24: integrations.paradise-shop.schedule.daily is '2.30'; write hours and minutes "
        "in quotes, such as \"02:30\"");
    EXPECT_EQ(fault(R"({ weekly: "monn 02:30" })"),
              "liaison.yaml:9:25: integrations.paradise-shop.schedule.weekly is \"monn 02:30\"; write a day "
              "and a time, such as \"mon 02:30\"");
    EXPECT_EQ(
        fault(R"({ hourly: ":75" })"),
        "liaison.yaml:9:25: integrations.paradise-shop.schedule.hourly is \":75\"; write the minute, such "
        "as \":15\", or true");
    EXPECT_EQ(fault(R"({ every: 5m, blackout: ["25:00-03:00"] })"),
              "liaison.yaml:9:39: integrations.paradise-shop.schedule.blackout.0 is '25:00-03:00'; write two "
              "times of day, such as \"02:00-03:30\", or with a day: \"sun 02:00-03:30\"");
    EXPECT_EQ(
        fault("{ every: 5m, full: {} }"),
        "liaison.yaml:9:34: integrations.paradise-shop.schedule.full needs every, hourly, daily, weekly or "
        "cron");
}

TEST(Config, LimitsBreakersAndAlarms) {
    Checked checked = check_text(
        good +
        "    limits: { requests_per_minute: 60, min_gap: 250ms, pause_after_429: 1m, scope: credential }\n"
        "    tls: { ca_file: /etc/liaison/sap.pem }\n"
        "    circuit_breaker: { failure_rate: 0.25, open_for: 2m }\n"
        "    suspend_after_failures: 3\n"
        "defaults: { circuit_breaker: { window: 10, open_for: 3m }, alert_after_failures: { count: 2, "
        "within: 1h }, retry: { budget: 0.1 }, expect_success_within: 2h }\n");
    ASSERT_TRUE(checked.faults.empty()) << testing::PrintToString(checked.faults);
    const Integration& shop = checked.config.integrations.at("paradise-shop");
    EXPECT_EQ(shop.ca_file, "/etc/liaison/sap.pem");
    EXPECT_EQ(shop.limits.per_minute, 60u);
    EXPECT_EQ(shop.limits.per_second, 7u) << "as the manifest says";
    EXPECT_EQ(shop.limits.min_gap, Milliseconds(250));
    EXPECT_EQ(shop.limits.pause_after_429, std::chrono::minutes(1));
    EXPECT_EQ(shop.limits.scope, Limits::Scope::credential);
    EXPECT_EQ(shop.supervision.breaker.window, 10u);
    EXPECT_EQ(shop.supervision.breaker.failure_rate, 0.25);
    EXPECT_EQ(shop.supervision.breaker.open_for, std::chrono::minutes(2));
    EXPECT_EQ(shop.supervision.suspend_after, 3u);
    EXPECT_EQ(shop.supervision.alert.count, 2u);
    EXPECT_EQ(shop.supervision.expect_success_within, std::chrono::hours(2));
    EXPECT_EQ(shop.supervision.retry_budget, 0.1);

    EXPECT_EQ(
        only_fault(good + "    circuit_breaker: { failure_rate: 1.5 }\n"),
        "liaison.yaml:11:38: integrations.paradise-shop.circuit_breaker.failure_rate is '1.5', which is no "
        "share; write a number from 0 to 1, such as 0.5");
    EXPECT_EQ(
        only_fault(good + "    circuit_breaker: { window: 3, min_calls: 5 }\n"),
        "liaison.yaml:11:22: integrations.paradise-shop.circuit_breaker needs 5 calls (min_calls) within 3 "
        "(window); make the window larger");
    EXPECT_EQ(
        only_fault(good + "    circuit_breaker: { open_for: 2h }\n    suspend_after_failures: 0\n"),
        "liaison.yaml:12:29: integrations.paradise-shop.suspend_after_failures is 0, below the minimum 1");
    EXPECT_EQ(
        only_fault(good + "    limits: { request_per_minute: 5 }\n"),
        "liaison.yaml:11:15: integrations.paradise-shop.limits.request_per_minute is not a known key; did "
        "you mean 'requests_per_minute'?");
    EXPECT_EQ(
        only_fault(good + "defaults: { retry: { budget: lots } }\n"),
        "liaison.yaml:11:30: defaults.retry.budget is 'lots', which is no share; write a number from 0 to "
        "1, such as 0.5");
}

TEST(Config, ChangesThatNeedApproval) {
    EXPECT_EQ(check_text(good).config.integrations.at("paradise-shop").approval, nullptr);
    const Checked checked = check_text(
        good +
        "    guard: { approval: { creates: 100, deletes: 5, fields: { product: { /price: 200 } } } }\n");
    ASSERT_TRUE(checked.faults.empty()) << testing::PrintToString(checked.faults);
    const Approval& approval = *checked.config.integrations.at("paradise-shop").approval;
    EXPECT_EQ(approval.creates, 100u);
    EXPECT_FALSE(approval.updates);
    EXPECT_EQ(approval.deletes, 5u);
    EXPECT_EQ(approval.fields.at("product").at("/price"), 200u);

    EXPECT_EQ(
        only_fault(good + "    guard: { approval: { deleted: 5 } }\n"),
        "liaison.yaml:11:26: integrations.paradise-shop.guard.approval.deleted is not a known key; did you "
        "mean 'deletes'?");
    EXPECT_EQ(only_fault(good + "    guard: { approval: { fields: { product: { price: 5 } } } }\n"),
              "liaison.yaml:11:47: integrations.paradise-shop.guard.approval.fields.product.price is no JSON "
              "pointer; write /price for the field 'price'");
    EXPECT_EQ(
        only_fault(good + "    guard: { approval: { fields: { customer: { /name: 5 } } } }\n"),
        "liaison.yaml:11:36: integrations.paradise-shop.guard.approval.fields.customer names an entity that "
        "this integration does not have");
}

TEST(Config, BrokenYamlIsOneClearError) {
    EXPECT_TRUE(only_fault("tenants: [unclosed\n").starts_with("liaison.yaml:"));
}

TEST(Config, TextIsUtf8) {
    EXPECT_EQ(only_fault("tenants:\n  house: { name: \"Caf\xe9\" }\n"),
              "liaison.yaml:2:1: is not UTF-8; save the file in that encoding");
    EXPECT_EQ(only_fault(std::string("\0\0\0a\0h\0i", 8)),
              "liaison.yaml:1:1: is not UTF-8; save the file in that encoding");
}

TEST(Config, ASectionThatIsNoneInOneFileIsSoInTheNext) {
    std::vector<Fault> faults;
    const Document empty =
        Document::parse("integrations:\nintegrations: { a: { enabled: true } }\n", "liaison.yaml", faults);
    EXPECT_TRUE(faults.empty());
    EXPECT_TRUE(empty.root().at("integrations").as_object().contains("a"));
    Document::parse("tenants: 5\ntenants: { a: { name: A } }\n", "liaison.yaml", faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].text(), "liaison.yaml:2:1: tenants stands twice; the first is at liaison.yaml:1:1");
}

// A few lines that would fill the memory, and then the disk.
TEST(Config, AliasesMakeNothingEndless) {
    std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string name = "a" + std::to_string(i), inner = "*a" + std::to_string(i - 1);
        laughs += name + ": &" + name + " [" + inner;
        for (int more = 0; more < 8; ++more) laughs += ", " + inner;
        laughs += "]\n";
    }
    std::vector<Fault> faults;
    Document::parse(laughs, "liaison.yaml", faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].message,
              "is too much: with its aliases (*name) followed, the file is larger than 32 MiB");
    faults.clear();
    Document::parse("a: &a [*a, *a]\n", "liaison.yaml", faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].message, "is nested too deeply");
    faults.clear();
    const Document plain = Document::parse("a: &a [1]\nb: *a\n", "liaison.yaml", faults);
    EXPECT_TRUE(faults.empty());
    EXPECT_EQ(plain.root().at("b"), plain.root().at("a"));
}

TEST(Config, DuplicateIdsNameBothPlaces) {
    sync_test::TempDir directory;
    std::filesystem::create_directory(directory.path() + "/conf.d");
    std::ofstream(directory.path() + "/liaison.yaml") << "tenants:\n  paradise: {}\n";
    std::ofstream(directory.path() + "/conf.d/a.yaml") << "tenants:\n  other: {}\n  paradise: {}\n";
    std::vector<Fault> faults;
    const auto files = config_files(directory.path() + "/liaison.yaml");
    ASSERT_EQ(files.size(), 2u);
    (void)Document::load(files, faults);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].text(), directory.path() +
                                    "/conf.d/a.yaml:3:3: tenants.paradise stands twice; the first is at " +
                                    directory.path() + "/liaison.yaml:2:3");
}

TEST(Config, NumbersThatAreIdsStayText) {
    std::vector<Fault> faults;
    const Document document = Document::parse("a: 007\nb: 12\nc: \"12\"\nd: true\ne: off\n", "x", faults);
    EXPECT_TRUE(document.root().at("a").is_string());
    EXPECT_EQ(document.root().at("b").as_int64(), 12);
    EXPECT_TRUE(document.root().at("c").is_string());
    EXPECT_TRUE(document.root().at("d").is_bool());
    EXPECT_TRUE(document.root().at("e").is_string());
}

}  // namespace
}  // namespace liaisond::config
