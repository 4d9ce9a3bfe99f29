// Alerts, backups and figures over the API: who may see and do what.
#include "api_house.hpp"

namespace liaisond::api {
namespace {

class UpkeepRoutes : public ApiHouse {
  protected:
    void raise(const std::string& tenant, const std::string& integration, const std::string& kind) {
        store::Alert alert;
        alert.tenant = tenant;
        alert.integration = integration;
        alert.kind = kind;
        alert.text = "of " + tenant;
        alert.severity = kind == "in_doubt" ? store::Severity::critical : store::Severity::warning;
        alert.last = world.now();
        ASSERT_TRUE(house.store.database().raise_alert(alert));
    }
    std::size_t count(const std::string& target, const std::string& token = {}) {
        return ask("GET", target, "", token).second.at("items").as_array().size();
    }
};

TEST_F(UpkeepRoutes, AlertsAreFilteredPagedAndOfOnesOwnTenant) {
    raise("house", "shop", "failures");
    raise("house", "shop", "in_doubt");
    raise("other", "bar", "failures");
    raise("", "", "disk_low");
    EXPECT_EQ(count("alerts"), 4u);
    EXPECT_EQ(count("alerts?severity=critical"), 1u);
    EXPECT_EQ(count("alerts?kind=failures"), 2u);
    EXPECT_EQ(count("alerts?integration=shop&state=open"), 2u);
    EXPECT_EQ(ask("GET", "alerts?state=loud").first, 400u);
    const std::string mine = token("operate", "other");
    EXPECT_EQ(count("alerts", mine), 1u);
    EXPECT_EQ(ask("POST", "alerts/1/acknowledge", "", mine).first, 404u);
    EXPECT_EQ(ask("POST", "alerts/4/resolve", "", mine).first, 404u) << "the daemon's own";
    EXPECT_EQ(ask("POST", "alerts/3/acknowledge", "", mine).first, 200u);
    const json::object seen = ask("GET", "alerts?state=acknowledged").second.at("items").at(0).as_object();
    EXPECT_EQ(seen.at("id"), 3);
    EXPECT_EQ(seen.at("acknowledged_by"), "token operateother");
    EXPECT_EQ(ask("POST", "alerts/3/resolve", "", mine).first, 200u);
    EXPECT_EQ(ask("POST", "alerts/3/resolve", "", mine).first, 409u) << "it is over";
    EXPECT_EQ(ask("POST", "alerts/1/resolve", "", token("read")).first, 403u);
    const json::object first = ask("GET", "alerts?limit=3").second;
    EXPECT_EQ(count("alerts?limit=3&before=" + std::string(first.at("next").as_string())), 1u);
}

TEST_F(UpkeepRoutes, WhereABackupGoesIsSaidOnTheMachineItself) {
    EXPECT_EQ(ask("POST", "backup", R"({"to":"/mnt/hub.db"})").second.at("file"), "/mnt/hub.db");
    EXPECT_EQ(ask("POST", "backup", R"({"to":"hub.db"})").first, 403u);
    EXPECT_EQ(ask("POST", "backup", R"({"to":"/mnt/hub.db"})", token("admin")).first, 403u);
    EXPECT_EQ(ask("POST", "backup", "{}", token("admin")).first, 200u);
    EXPECT_EQ(ask("POST", "backup", "{}", token("operate")).first, 403u);
    EXPECT_EQ(ask("POST", "backup", "{}", token("admin", "house")).first, 403u);
}

TEST_F(UpkeepRoutes, OnlyAdministratorsOfTheHouseAcceptAChangedPlugin) {
    EXPECT_EQ(ask("POST", "plugins/com.acme.pos/accept", "").first, 200u);
    EXPECT_EQ(ask("POST", "plugins/com.acme.nobody/accept", "").first, 404u);
    EXPECT_EQ(ask("POST", "plugins/com.acme.pos/accept", "", token("operate")).first, 403u);
    EXPECT_EQ(ask("POST", "plugins/com.acme.pos/accept", "", token("admin", "house")).first, 403u);
}

TEST_F(UpkeepRoutes, FiguresAreForThoseWhoSeeTheWholeHouse) {
    EXPECT_EQ(answer_to("GET", "/metrics").status, 200u);
    EXPECT_EQ(answer_to("GET", "/metrics", "", token("read")).status, 200u);
    EXPECT_EQ(answer_to("GET", "/metrics", "", token("admin", "house")).status, 403u);
    EXPECT_EQ(answer_to("GET", "/metrics", "", "liaison_none").status, 401u);
    EXPECT_EQ(answer_to("GET", "/metrics").type, "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace liaisond::api
