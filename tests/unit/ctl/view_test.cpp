// What people read, from the JSON that the daemon answers.
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "ctl/decision_views.hpp"
#include "ctl/json_view.hpp"
#include "ctl/list_views.hpp"
#include "ctl/run_view.hpp"
#include "ctl/status_view.hpp"

namespace liaisond::ctl {
namespace {

using boost::json::parse;

const Instant now = *parse_instant("2026-03-06T18:30:00Z");

boost::json::value sample_run(std::string_view status, std::string_view error = "", int rejected = 0) {
    const std::string n = std::to_string(rejected);
    return parse(
        R"({"id": 17, "tenant": "paradise", "integration": "paradise-shop", "trigger": "manual", "status": ")" +
        std::string(status) +
        R"(", "started_at": "2026-03-06T18:29:50.000Z", "ended_at": null, "duration_ms": 8450, "requests": 12, "bytes": 40960, "error": ")" +
        std::string(error) + R"(", "working_on": "pulling product, page 3", "entities": [
        {"entity": "product", "direction": "import", "fetched": 12345, "created": 12000, "updated": 40, "deleted": 0, "unchanged": 303, "exported": 0, "rejected": )" +
        n + R"(, "duration_ms": 6000},
        {"entity": "sales_order", "direction": "export", "fetched": 0, "created": 0, "updated": 0, "deleted": 0, "unchanged": 0, "exported": 7, "rejected": 0, "duration_ms": 2000}],
        "totals": {"fetched": 12345, "created": 12000, "updated": 40, "deleted": 0, "unchanged": 303, "exported": 7, "rejected": )" +
        n + "}}");
}

TEST(CtlRunView, SummaryOfASuccess) {
    EXPECT_EQ(
        run_summary(sample_run("success"), {}, now),
        "Run 17 of paradise-shop succeeded after 8.5 s (12 requests, 40.0 KiB).\n"
        "\n"
        "ENTITY       DIRECTION  FETCHED  CREATED  UPDATED  DELETED  UNCHANGED  EXPORTED  REJECTED   TIME\n"
        "product      import      12,345   12,000       40        0        303         0         0  6.0 s\n"
        "sales_order  export           0        0        0        0          0         7         0  2.0 s\n"
        "all                      12,345   12,000       40        0        303         7         0  8.0 s\n");
    EXPECT_TRUE(run_went_well(sample_run("success")));
}

TEST(CtlRunView, RejectedRecordsAreSaidAndDoNotSpoilTheRun) {
    const auto run = sample_run("partial", "", 2);
    const std::string text = run_summary(run, {}, now);
    EXPECT_NE(text.find("Run 17 of paradise-shop succeeded, but not for every record after"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\n2 records were rejected; see them with: liaisonctl dead-letters --integration "
                        "paradise-shop\n"),
              std::string::npos)
        << text;
    EXPECT_TRUE(run_went_well(run));
}

TEST(CtlRunView, AnErrorSpoilsIt) {
    const auto run = sample_run("partial", "the vendor answered 401");
    EXPECT_FALSE(run_went_well(run));
    EXPECT_NE(run_summary(run, {}, now).find("\nError: the vendor answered 401\n"), std::string::npos);
    EXPECT_FALSE(run_went_well(sample_run("failed")));
    EXPECT_FALSE(run_went_well(sample_run("interrupted")));
    EXPECT_FALSE(run_went_well(sample_run("cancelled")));
}

TEST(CtlRunView, Progress) {
    const auto run = sample_run("running", "", 1);
    EXPECT_EQ(progress_line(run, now),
              "run 17: pulling product, page 3  fetched 12,345  created 12,000  updated 40  unchanged 303  "
              "exported 7  rejected 1  1,235/s  10.0 s");
    Look narrow;
    narrow.width = 120;
    const std::string text = progress_text(run, narrow, now, 3);
    EXPECT_TRUE(text.starts_with("⠸ pulling pr")) << text;
    EXPECT_TRUE(text.ends_with("1,235/s  10.0 s")) << text;
    EXPECT_LT(display_width(text), narrow.width);
    narrow.width = 80;
    EXPECT_LT(display_width(progress_text(run, narrow, now, 0)), narrow.width);
}

TEST(CtlRunView, ListsRuns) {
    const std::string text = runs_text({sample_run("failed", "no route")}, {}, now);
    EXPECT_NE(
        text.find("paradise-shop  manual   failed  8.5 s   12,345   12,040         7         0  no route\n"),
        std::string::npos)
        << text;
    EXPECT_EQ(runs_text({}, {}, now), "There are no runs yet.\n");
}

TEST(CtlStatusView, TheComingRunsSayWhyTheyAreThen) {
    const auto answer = parse(R"({"integration": "paradise-shop", "timezone": "Europe/Paris",
        "schedule": "daily at 02:10", "note": "it is suspended", "items": [
        {"at": "2026-03-06T19:30:00.000Z", "local": "2026-03-06T20:30:00+01:00", "kind": "quick", "why": ""},
        {"at": "2026-03-29T01:30:00.000Z", "local": "2026-03-29T03:30:00+02:00", "kind": "full",
         "why": "moved out of the blackout 02:00-03:30"}]})");
    EXPECT_EQ(schedule_text(answer, {}, now),
              "Integration:  paradise-shop\n"
              "Schedule:     daily at 02:10\n"
              "Time zone:    Europe/Paris\n"
              "Nothing is started now: it is suspended.\n"
              "\n"
              "LOCAL TIME           OFFSET  RUN    IN         WHY THEN\n"
              "2026-03-06 20:30:00  +01:00  quick  in 60 min\n"
              "2026-03-29 03:30:00  +02:00  full   in 22 d    moved out of the blackout 02:00-03:30\n");
}

TEST(CtlStatusView, ProblemsNeedAttention) {
    const auto status = parse(R"({"version": "1", "pid": 1, "running": 0, "integrations": [{"id": "shop",
        "tenant": "t", "connector": "c", "state": "suspended", "detail": "",
        "problems": ["no success since 2026-03-01T08:00Z"]}]})");
    EXPECT_NE(status_text(status, {}, now).find("shop: no success since 2026-03-01T08:00Z"),
              std::string::npos);
}

TEST(CtlStatusView, ShowsEverythingThatNeedsAttention) {
    boost::json::value status = parse(
        R"({"version": "0.1.0", "pid": 812, "started_at": "2026-03-06T15:20:00.000Z", "state_dir": "/var/lib/liaison",
        "running": 1, "integrations": [
        {"id": "shop", "tenant": "paradise", "connector": "custom_api", "state": "running", "detail": "", "next_run": null, "failures": 0,
         "working_on": "product: page 3", "current_run": {"id": 4, "status": "running", "started_at": "2026-03-06T18:29:55.000Z"}, "last_run": null,
         "mappings": 12345, "dead_letters": 0, "intents_open": 0, "intents_in_doubt": 0},
        {"id": "pms", "tenant": "paradise", "connector": "opera", "state": "failing", "detail": "the vendor cannot be reached", "next_run": "2026-03-06T18:33:00.000Z",
         "failures": 3, "working_on": "", "current_run": null, "last_run": {"id": 3, "status": "failed", "ended_at": "2026-03-06T18:25:00.000Z"},
         "mappings": 10, "dead_letters": 2, "intents_open": 1, "intents_in_doubt": 1, "problems": ["1 record is in doubt (sent, and nobody knows whether it arrived); see: liaisonctl intents --integration pms"]}],
        "workers": [{"plugin": "custom_api", "key": "paradise", "pid": 900, "jobs": 1, "restarts": 0, "state": "running"}],
        "problems": ["plugin acme.so was built for another ABI"]})");
    EXPECT_EQ(status_text(status, {}, now),
              "liaisond 0.1.0, up for 3 h 10 min (pid 812), 1 run in progress, state in /var/lib/liaison\n"
              "\n"
              "INTEGRATION  TENANT    CONNECTOR   STATE    LAST RUN           NEXT RUN  MAPPED  DEAD LETTERS "
              " IN DOUBT\n"
              "shop         paradise  custom_api  running  running for 5.0 s  -         12,345             0 "
              "        0\n"
              "pms          paradise  opera       failing  failed, 5 min ago  in 3 min      10             2 "
              "        1\n"
              "\n"
              "WORKER      FOR       PID  JOBS  RESTARTS  STATE\n"
              "custom_api  paradise  900     1         0  running\n"
              "\n"
              "Working on\n"
              "  shop: product: page 3\n"
              "\n"
              "Needs attention\n"
              "  pms: the vendor cannot be reached\n"
              "  pms: 1 record is in doubt (sent, and nobody knows whether it arrived); see: liaisonctl "
              "intents --integration pms\n"
              "  plugin acme.so was built for another ABI\n");
    status.as_object()["integrations"] = boost::json::array();
    EXPECT_NE(status_text(status, {}, now).find("No integrations are configured"), std::string::npos);
}

TEST(CtlStatusView, SurvivesAnswersThatLackEverything) {
    EXPECT_FALSE(status_text(parse("{}"), {}, now).empty());
    EXPECT_FALSE(status_text(parse(R"({"integrations": [7, null, {}], "workers": 3})"), {}, now).empty());
    EXPECT_FALSE(run_summary(parse("[]"), {}, now).empty());
}

TEST(CtlStatusView, TellsHowATestWent) {
    EXPECT_EQ(test_text("shop", parse(R"({"ok": false, "output": null, "error": "401: wrong key"})"), {}),
              "shop: failed: 401: wrong key\n");
    EXPECT_EQ(
        test_text("shop", parse(R"({"ok": true, "output": {"account": "Paradise"}, "error": null})"), {}),
        "shop: the connection works\n{\n  \"account\": \"Paradise\"\n}\n");
}

TEST(CtlListViews, LogsStandOldestFirst) {
    const auto items = parse(R"([
        {"id": 2, "run": 7, "at": "2026-03-06T18:00:02Z", "integration": "shop", "entity": "product", "direction": "import", "action": "update", "status": "failed", "external_id": "b", "record": "", "message": "no name"},
        {"id": 1, "run": 7, "at": "2026-03-06T18:00:01Z", "integration": "shop", "entity": "product", "direction": "import", "action": "create", "status": "success", "external_id": "a", "record": "", "message": ""}])");
    const std::string text = logs_text(items.as_array(), {});
    EXPECT_LT(text.find("import create"), text.find("import update")) << text;
    EXPECT_EQ(logs_text({}, {}), "Nothing is logged there.\n");
}

TEST(CtlListViews, ShowsARecordWithItsMappings) {
    const auto record = parse(
        R"({"id": "0195", "tenant": "paradise", "entity": "product", "version": 3, "created_at": "2026-03-06T18:00:02Z",
        "updated_at": "2026-03-06T18:00:02Z", "deleted": false, "payload": {"sku": "4711", "name": "Sel", "tags": ["a", "b"]}})");
    const auto mappings = parse(
        R"([{"integration": "shop", "entity": "product", "record": "0195", "external_id": "99", "remote_version": "7", "synced_at": "2026-03-06T18:00:02Z"}])");
    const std::string text = record_text(record, mappings.as_array(), {});
    EXPECT_NE(
        text.find("\nPayload\n{\n  \"sku\": \"4711\",\n  \"name\": \"Sel\",\n  \"tags\": [\"a\",\"b\"]\n}\n"),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("shop         product  0195    99           7"), std::string::npos) << text;
    EXPECT_NE(records_text({record}, {}).find("sku: 4711, name: Sel"), std::string::npos);
}

TEST(CtlListViews, ListsPluginsAndBrokenOnes) {
    const auto answer = parse(
        R"({"items": [{"id": "org.acme", "version": "1.2", "vendor": "ACME", "path": "/p/acme.so", "abi": "0.1",
        "connectors": [{"name": "acme_pos", "title": "POS", "jobs": ["test", "pull"]}, {"name": "acme_erp", "title": "ERP", "jobs": ["push"]}], "warnings": ["old"]}],
        "broken": [{"path": "/p/bad.so", "error": "it has no entry point"}]})");
    EXPECT_EQ(plugins_text(answer, {}),
              "PLUGIN    VERSION  VENDOR  ABI  CONNECTOR  TITLE  JOBS\n"
              "org.acme  1.2      ACME    0.1  acme_pos   POS    test, pull\n"
              "                                acme_erp   ERP    push\n"
              "\n"
              "Warning: old\n"
              "Cannot be used: /p/bad.so: it has no entry point\n");
}

TEST(CtlViews, ConflictingValuesAreWholeOnANarrowTerminal) {
    const boost::json::value conflict = boost::json::parse(R"({"id":7,"kind":"fields","detail":[
        {"pointer":"/name","base":"Soap","hub":"A name that is longer than forty columns are wide","remote":"B"},
        {"pointer":"/active","hub":true,"remote":false}]})");
    Look look;
    look.width = 40;
    const std::string text = conflict_text(conflict, look);
    EXPECT_NE(text.find("/name\n"
                        "  agreed before  \"Soap\"\n"
                        "  hub            \"A name that is longer\n"
                        "                 than forty columns are\n"
                        "                 wide\"\n"
                        "  vendor         \"B\"\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("  agreed before  (nothing)\n"), std::string::npos) << text;
    EXPECT_NE(text.find("resolve 7 --take hub --field /name=remote"), std::string::npos) << text;
}

}  // namespace
}  // namespace liaisond::ctl
