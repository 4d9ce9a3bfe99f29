// Plans: what a run would do, shown without doing it; and guards that make a run wait for a person.
#include "sync/desks.hpp"
#include "sync/merge.hpp"

namespace liaisond::sync_test {
namespace {

class Plan : public Desks {
  protected:
    store::Run rehearse(const std::string& integration) {
        sync::RunRequest request;
        request.dry_run = true;
        return run_of(integration, std::move(request));
    }
    // A plan is not the integration's last run: it is found in the store.
    store::Run run_of(const std::string& integration, sync::RunRequest request) {
        (void)house.run(integration, std::move(request));
        return database().runs({}).value().at(0);
    }
    store::Run approve(const store::Plan& plan) {
        sync::RunRequest request;
        request.trigger = "approval";
        request.full = plan.full;
        request.approved = std::make_shared<const store::Plan>(plan);
        return run_of(plan.integration, std::move(request));
    }
    store::Plan plan_of(const store::Run& run) { return database().plan(run.id).value().value(); }
    std::vector<store::PlanItem> items_of(const store::Run& run) {
        return database().plan_items(run.id, 0, 1000).value();
    }
    void guard(const config::Approval& approval) {
        front_link->config.approval = std::make_shared<const config::Approval>(approval);
    }
    std::int64_t records() { return database().count_records("house", "product").value(); }
};

TEST_F(Plan, ShowsWhatWouldBeCreatedOnBothSidesAndDoesNothing) {
    front->add("S1", "Chair");
    back->add("S2", "Table");
    start();
    house.run("back");
    const store::Run run = rehearse("front");
    EXPECT_EQ(run.status, store::RunStatus::planned) << run.error;
    EXPECT_EQ(records(), 1) << "the plan imported";
    EXPECT_EQ(front->writes, 0) << "the plan exported";
    const store::Plan plan = plan_of(run);
    EXPECT_EQ(plan.hub, (store::Tally{{"creates", 1}}));
    EXPECT_EQ(plan.vendor, (store::Tally{{"creates", 1}}));
    const std::vector<store::PlanItem> items = items_of(run);
    ASSERT_EQ(items.size(), 2u);
    EXPECT_FALSE(items[0].at_vendor);
    EXPECT_EQ(items[0].action, "created");
    EXPECT_EQ(items[0].external_id, "D1");
    EXPECT_NE(items[0].fields.find(R"({"pointer":"/name","from":null,"to":"Chair"})"), std::string::npos)
        << items[0].fields;
    EXPECT_TRUE(items[1].at_vendor);
    EXPECT_NE(items[1].requests.find(R"("method":"POST","url":"http://front.example/items")"),
              std::string::npos)
        << items[1].requests;
    EXPECT_NE(items[1].requests.find(R"(\"name\":\"Table\")"), std::string::npos) << items[1].requests;
}

TEST_F(Plan, WhatItShowedIsWhatTheRunDoes) {
    front->add("S1", "Chair");
    back->add("S2", "Table");
    start();
    house.run("back");
    rehearse("front");
    rehearse("front");
    sync();
    EXPECT_EQ(front->rows.size(), 2u);
    EXPECT_EQ(back->rows.size(), 2u);
    EXPECT_EQ(front->writes, 1);
    EXPECT_EQ(rehearse("front").status, store::RunStatus::planned);
    EXPECT_TRUE(items_of(database().runs({}).value().at(0)).empty())
        << "all is done, and yet something is planned";
}

TEST_F(Plan, ShowsTheFieldsThatWouldChangeAtTheVendor) {
    const std::string id = front->add("S1", "Chair");
    start();
    sync();
    back->edit(back_id("S1"), "name", "Armchair");
    house.run("back");
    const store::Run run = rehearse("front");
    const std::vector<store::PlanItem> items = items_of(run);
    ASSERT_EQ(items.size(), 1u);
    EXPECT_TRUE(items[0].at_vendor);
    EXPECT_EQ(items[0].action, "updated");
    EXPECT_EQ(items[0].external_id, id);
    EXPECT_EQ(items[0].fields, R"([{"pointer":"/name","from":"Chair","to":"Armchair"}])");
    EXPECT_EQ(front->rows.at(id).name, "Chair");
}

TEST_F(Plan, ShowsDeletesThatTheBrakeWouldHold) {
    for (int i = 0; i < 30; ++i) front->add("S" + std::to_string(i), "Chair");
    start();
    sync();
    back->rows.clear();
    sync::RunRequest full;
    full.full = true;
    house.run("back", full);  // lacking once proves nothing
    full.dry_run = true;
    const store::Run run = run_of("back", full);
    EXPECT_EQ(run.status, store::RunStatus::planned) << run.error;
    EXPECT_EQ(plan_of(run).hub.at("deletes"), 30);
    EXPECT_EQ(records(), 30);
}

TEST_F(Plan, AGuardMakesTheRunWaitUntilItIsApproved) {
    config::Approval approval;
    approval.creates = 2;
    guard(approval);
    for (int i = 0; i < 3; ++i) front->add("S" + std::to_string(i), "Chair");
    start();
    const store::Run held = run_of("front", {});
    EXPECT_EQ(held.status, store::RunStatus::suspended);
    EXPECT_EQ(held.error,
              "nothing was changed: 3 creates in the hub (limit 2) need approval; look with: liaisonctl "
              "plans show " +
                  std::to_string(held.id) + ", and then: liaisonctl plans approve " +
                  std::to_string(held.id));
    EXPECT_EQ(records(), 0);
    EXPECT_EQ(house.engine->status().at(1).state, "held");
    EXPECT_EQ(plan_of(held).state, store::PlanState::waiting);
    EXPECT_EQ(approve(plan_of(held)).status, store::RunStatus::success);
    EXPECT_EQ(records(), 3);
}

TEST_F(Plan, WhatIsBelowTheLimitsNeedsNobody) {
    config::Approval approval;
    approval.creates = 3;
    guard(approval);
    for (int i = 0; i < 3; ++i) front->add("S" + std::to_string(i), "Chair");
    start();
    const store::Run run = run_of("front", {});
    EXPECT_EQ(run.status, store::RunStatus::success);
    EXPECT_EQ(run.entities.at(0).counters.fetched, 3) << "the rehearsal is counted too";
    EXPECT_EQ(records(), 3);
}

TEST_F(Plan, ApprovalCoversWhatWasShownAndNoMore) {
    config::Approval approval;
    approval.creates = 2;
    guard(approval);
    for (int i = 0; i < 3; ++i) front->add("S" + std::to_string(i), "Chair");
    start();
    const store::Plan shown = plan_of(run_of("front", {}));
    front->add("S9", "A fourth");
    EXPECT_EQ(approve(shown).status, store::RunStatus::suspended);
    EXPECT_EQ(records(), 0);
}

TEST_F(Plan, ANewerPlanTakesThePlaceOfTheOneThatWaits) {
    config::Approval approval;
    approval.creates = 0;
    guard(approval);
    front->add("S1", "Chair");
    start();
    const store::Run first = run_of("front", {}), second = run_of("front", {});
    EXPECT_EQ(plan_of(first).state, store::PlanState::superseded);
    EXPECT_EQ(plan_of(second).state, store::PlanState::waiting);
    EXPECT_FALSE(database().decide_plan(first.id, store::PlanState::discarded));
    EXPECT_TRUE(database().decide_plan(second.id, store::PlanState::discarded));
}

TEST_F(Plan, CountsTheFieldsThatAreGuarded) {
    config::Approval approval;
    approval.fields["product"]["/name"] = 1;
    start();
    for (int i = 0; i < 3; ++i) front->add("S" + std::to_string(i), "Chair");
    sync();
    guard(approval);
    house.engine->configure({front_link, back_link});
    for (int i = 1; i <= 2; ++i) front->edit("D" + std::to_string(i), "name", "Stool");
    front->edit("D3", "note", "by the door");
    const store::Run held = run_of("front", {});
    EXPECT_EQ(held.status, store::RunStatus::suspended);
    EXPECT_EQ(plan_of(held).reason, "2 changes of product /name in the hub (limit 1)");
    EXPECT_EQ(plan_of(held).hub, (store::Tally{{"product /name", 2}, {"updates", 3}}));
}

TEST_F(Plan, LeavesNoFilesBehind) {
    front->add("S1", "Chair");
    start();
    rehearse("front");
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
        EXPECT_EQ(entry.path().string().find("scratch"), std::string::npos) << entry.path();
}

TEST(Differences, AreAsFineAsTheMerge) {
    const auto object = [](const char* text) { return json::parse(text).as_object(); };
    const auto found = sync::differences(
        object(
            R"({"name":"a","guest":{"first":"Ana","last":"B"},"total":{"amount":"1.00","currency":"EUR"},"old":1})"),
        object(
            R"({"name":"a","guest":{"first":"Eva","last":"B"},"total":{"amount":"2.00","currency":"EUR"},"tags":[1]})"));
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].pointer, "/guest/first");
    EXPECT_EQ(found[1].pointer, "/total");
    EXPECT_EQ(found[2].pointer, "/tags");
    EXPECT_TRUE(found[2].from.is_null());
    EXPECT_EQ(found[3].pointer, "/old");
    EXPECT_TRUE(found[3].to.is_null());
}

}  // namespace
}  // namespace liaisond::sync_test
