// What configuration says about records and limits: values that work, and what a person reads about the
// others.
#include "config_fixtures.hpp"

namespace liaisond::config {
namespace {

// Two systems of one tenant and one of another; `entities` and `more` are those of the first.
struct House {
    std::string entities = "{ reservation: { direction: bidirectional } }";
    std::string more = {};  // further lines of the integration "pms", with their line ends

    std::string text() const {
        return "tenants: { hotel: {}, wholesaler: {} }\n"
               "integrations:\n"
               "  pms:\n"
               "    tenant: hotel\n"
               "    connector: shop\n"
               "    settings: { url: x }\n"
               "    entities: " +
               entities + "\n" + more +
               "  channel: { tenant: hotel, connector: shop, settings: { url: x }, direction: import, "
               "entities: [reservation, customer] }\n"
               "  portal: { tenant: hotel, connector: shop, settings: { url: x }, direction: export, "
               "entities: [reservation] }\n"
               "  cash: { tenant: wholesaler, connector: shop, settings: { url: x }, direction: import, "
               "entities: [reservation] }\n";
    }
};

OneConnector offering_all() {
    OneConnector connector;
    connector.entities = {};
    return connector;
}

Integration pms_of(const House& house) {
    const Checked checked = check_text(house.text(), offering_all());
    EXPECT_TRUE(checked.faults.empty()) << testing::PrintToString(checked.faults);
    return checked.config.integrations.at("pms");
}
std::string fault_of(const House& house) { return only_fault(house.text(), offering_all()); }

Entity entity_of(const std::string& options) {
    return pms_of({"{ reservation: { direction: bidirectional, " + options + " } }"}).entities.at(0);
}
// The place and the path of the entity's options come first in each.
std::string entity_fault(const std::string& options) {
    return fault_of({"{ reservation: { direction: bidirectional, " + options + " } }"});
}

TEST(ConflictRules, AreReadAndHaveDefaults) {
    EXPECT_EQ(entity_of("conflict: remote").conflict, ConflictPolicy::remote);
    EXPECT_EQ(entity_of("conflict: hub").conflict, ConflictPolicy::hub);
    EXPECT_EQ(entity_of("conflict: newest").conflict, ConflictPolicy::newest);
    EXPECT_EQ(entity_of("conflict: manual").conflict, ConflictPolicy::manual);
    EXPECT_EQ(pms_of({}).entities.at(0).conflict, ConflictPolicy::manual) << "both ways: a person decides";
    const House imported{"{ reservation: { direction: import } }"};
    EXPECT_EQ(pms_of(imported).entities.at(0).conflict, ConflictPolicy::remote);
}

TEST(ConflictRules, AnUnknownOneIsExplained) {
    EXPECT_EQ(
        entity_fault("conflict: newst"),
        "liaison.yaml:7:68: integrations.pms.entities.reservation.conflict is \"newst\"; allowed: remote, "
        "hub, newest or manual; did you mean 'newest'?");
    EXPECT_EQ(
        entity_fault("conflict: last"),
        "liaison.yaml:7:68: integrations.pms.entities.reservation.conflict is \"last\"; allowed: remote, "
        "hub, newest or manual");
}

TEST(Authority, NamesFieldsGroupsAndTheWholeRecord) {
    const Entity entity =
        entity_of("authority: { /status: [pms, channel], /booker: [channel], \"/\": [pms] }");
    EXPECT_EQ(entity.authority.at("/status"), (std::vector<std::string>{"pms", "channel"}));
    EXPECT_EQ(entity.authority.at("/booker"), (std::vector<std::string>{"channel"}));
    EXPECT_EQ(entity.authority.at("/"), (std::vector<std::string>{"pms"}));
    EXPECT_TRUE(entity_of("authority: { /booker/email: [channel] }").authority.contains("/booker/email"));
    const House custom{"{ x_spa: { direction: import, authority: { /whatever/there: [pms] } } }"};
    EXPECT_TRUE(pms_of(custom).entities.at(0).authority.contains("/whatever/there")) << "it has no schema";
}

TEST(Authority, OfAFieldThatIsNoneIsExplained) {
    const std::string place = "liaison.yaml:7:71: integrations.pms.entities.reservation.authority.";
    EXPECT_EQ(entity_fault("authority: { status: [pms] }"),
              place + "status is no JSON pointer; write \"/status\", say");
    EXPECT_EQ(entity_fault("authority: { /statu: [pms] }"),
              place + "/statu is no field: there is no 'statu' in the record; did you mean 'status'?");
    EXPECT_EQ(entity_fault("authority: { /booker/emial: [pms] }"),
              place + "/booker/emial is no field: there is no 'emial' in /booker; did you mean 'email'?");
    EXPECT_EQ(entity_fault("authority: { /stays/0/status: [pms] }"),
              place + "/stays/0/status is inside a list, which is decided as a whole; write \"/stays\"");
    EXPECT_EQ(
        entity_fault("authority: { /total/amount: [pms] }"),
        place + "/total/amount is inside an amount of money, which is decided as a whole; write \"/total\"");
}

TEST(Authority, OfSomebodyWhoCannotHaveItIsExplained) {
    const std::string place = "liaison.yaml:7:81: integrations.pms.entities.reservation.authority./status.0 ";
    EXPECT_EQ(entity_fault("authority: { /status: [chanel] }"),
              place + "is 'chanel', and no such integration is defined; did you mean 'channel'?");
    EXPECT_EQ(
        entity_fault("authority: { /status: [opera] }"),
        place + "is 'opera', and no such integration is defined; reservation is imported by: channel or pms");
    EXPECT_EQ(entity_fault("authority: { /status: [cash] }"),
              place + "is 'cash', which belongs to another tenant, wholesaler");
    EXPECT_EQ(entity_fault("authority: { /status: [portal] }"),
              place + "is 'portal', which does not import reservation, so that it never has a value to own");
    EXPECT_EQ(
        entity_fault("authority: { /status: [pms, channel, pms] }"),
        "liaison.yaml:7:95: integrations.pms.entities.reservation.authority./status.2 is 'pms' a second "
        "time");
    EXPECT_EQ(entity_fault("authority: { /status: [] }"),
              "liaison.yaml:7:80: integrations.pms.entities.reservation.authority./status is an empty list; "
              "at least 1 element is needed");
    EXPECT_EQ(
        entity_fault("authority: { /status: pms }"),
        "liaison.yaml:7:80: integrations.pms.entities.reservation.authority./status is \"pms\"; expected "
        "array");
}

const std::string customers = "{ customer: { direction: import } }";

TEST(Match, NamesValuesTheSchemaKnows) {
    const House house{customers, "    match: { customer: [email, phone, vat_id] }\n"};
    EXPECT_EQ(pms_of(house).entities.at(0).match, (std::vector<std::string>{"email", "phone", "vat_id"}));
}

TEST(Match, ByNothingUsableIsExplained) {
    EXPECT_EQ(fault_of({customers, "    match: { customer: [e-mail] }\n"}),
              "liaison.yaml:8:25: integrations.pms.match.customer.0 is 'e-mail', by which no customer can be "
              "recognised; did you mean 'email'?");
    EXPECT_EQ(fault_of({customers, "    match: { customer: [email, shoe_size] }\n"}),
              "liaison.yaml:8:32: integrations.pms.match.customer.1 is 'shoe_size', by which no customer can "
              "be recognised; usable: email, phone, vat_id or account_no");
    EXPECT_EQ(fault_of({customers, "    match: { custmer: [email] }\n"}),
              "liaison.yaml:8:14: integrations.pms.match.custmer is no entity of this integration; did you "
              "mean 'customer'?");
    EXPECT_EQ(fault_of({customers, "    match: { product: [sku] }\n"}),
              "liaison.yaml:8:14: integrations.pms.match.product is no entity of this integration; it has: "
              "customer");
    EXPECT_EQ(fault_of({"{ x_spa: { direction: import } }", "    match: { x_spa: [code] }\n"}),
              "liaison.yaml:8:21: integrations.pms.match.x_spa cannot be used: x_spa has no schema, so that "
              "nobody knows which of its values tell records apart");
}

TEST(MissingReference, IsAnIdAtTheVendor) {
    EXPECT_EQ(entity_of("missing_reference: { customer: WALK-IN }").missing_reference.at("customer"),
              "WALK-IN");
}

TEST(MissingReference, OfWhatIsNotReferredToIsExplained) {
    EXPECT_EQ(entity_fault("missing_reference: { custmer: WALK-IN }"),
              "liaison.yaml:7:79: integrations.pms.entities.reservation.missing_reference.custmer is nothing "
              "that reservation refers to; did you mean 'customer'?");
    EXPECT_EQ(entity_fault("missing_reference: { product: WALK-IN }"),
              "liaison.yaml:7:79: integrations.pms.entities.reservation.missing_reference.product is nothing "
              "that reservation refers to; it refers to: customer");
    EXPECT_EQ(fault_of({"{ reservation: { direction: import, missing_reference: { customer: X } } }"}),
              "liaison.yaml:7:72: integrations.pms.entities.reservation.missing_reference.customer stands in "
              "for a missing record in what is exported, and reservation is only imported here");
    EXPECT_EQ(entity_fault("missing_reference: { customer: \"\" }"),
              "liaison.yaml:7:89: integrations.pms.entities.reservation.missing_reference.customer is empty; "
              "write the id of a record at the vendor");
    EXPECT_EQ(entity_fault("missing_reference: { customer: 17 }"),
              "liaison.yaml:7:89: integrations.pms.entities.reservation.missing_reference.customer is 17; "
              "expected string");
}

House with(const std::string& line) { return {House().entities, "    " + line + "\n"}; }

TEST(Guard, MassDeleteAsTheManualWritesIt) {
    const Integration pms = pms_of(with("guard: { mass_delete: { share: 0.05, count: 25, within: 2h } }"));
    EXPECT_EQ(pms.mass_delete.share, 0.05);
    EXPECT_EQ(pms.mass_delete.count, 25u);
    EXPECT_EQ(pms.mass_delete.within, std::chrono::hours(2));
    EXPECT_EQ(pms_of({}).mass_delete.share, 0.02);
    EXPECT_EQ(pms_of(with("guard: { mass_delete: { share: 1 } }")).mass_delete.share, 1.0);
    EXPECT_EQ(pms_of(with("guard: { mass_delete: { count: 0, share: 0 } }")).mass_delete.count, 0u);
}

TEST(Guard, AShareThatIsNoneIsExplained) {
    const std::string path = "integrations.pms.guard.mass_delete.";
    EXPECT_EQ(fault_of(with("guard: { mass_delete: { share: 2 } }")),
              "liaison.yaml:8:36: " + path +
                  "share is '2', which is no share; write a number from 0 to 1, such as 0.5");
    EXPECT_EQ(fault_of(with("guard: { mass_delete: { share: 2% } }")),
              "liaison.yaml:8:36: " + path +
                  "share is '2%', which is no share; write a number from 0 to 1, such as 0.5");
    EXPECT_EQ(fault_of(with("guard: { mass_delete: { count: -1 } }")),
              "liaison.yaml:8:36: " + path + "count is -1, below the minimum 0");
    EXPECT_EQ(fault_of(with("guard: { mass_delete: { within: 1ms } }")),
              "liaison.yaml:8:37: " + path + "within is 1ms; at least 1s is needed");
    EXPECT_EQ(fault_of(with("guard: { mass_deletes: { count: 1 } }")),
              "liaison.yaml:8:14: integrations.pms.guard.mass_deletes is not a known key; did you mean "
              "'mass_delete'?");
}

TEST(Limits, ThatCannotHoldAreExplained) {
    const std::string path = "integrations.pms.limits.";
    EXPECT_EQ(fault_of(with("limits: { concurrent: 0 }")),
              "liaison.yaml:8:27: " + path + "concurrent is 0, below the minimum 1");
    EXPECT_EQ(fault_of(with("limits: { concurrent: 65 }")),
              "liaison.yaml:8:27: " + path + "concurrent is 65, above the maximum 64");
    EXPECT_EQ(fault_of(with("limits: { requests_per_minute: lots }")),
              "liaison.yaml:8:36: " + path + "requests_per_minute is \"lots\"; expected integer");
    EXPECT_EQ(fault_of(with("limits: { scope: vendors }")),
              "liaison.yaml:8:22: " + path +
                  "scope is \"vendors\"; allowed: integration, credential or vendor; did you mean 'vendor'?");
    EXPECT_EQ(fault_of(with("limits: { min_gap: 5 }")),
              "liaison.yaml:8:24: " + path +
                  "min_gap is 5; write it with its unit, such as 250ms, 30s, 5m, 2h or 7d");
}

TEST(Limits, ABurstNeedsARate) {
    EXPECT_EQ(pms_of(with("limits: { burst: 3 }")).limits.burst, 3u) << "the manifest has one";
    const std::string text = House{House().entities, "    limits: { burst: 3 }\n"}.text();
    OneConnector connector = offering_all();
    connector.per_second = 0;
    EXPECT_EQ(
        only_fault(text, connector),
        "liaison.yaml:8:22: integrations.pms.limits.burst says how much of a rate may come at once, and "
        "there is no rate here; add requests_per_second, requests_per_minute, requests_per_hour or "
        "requests_per_day");
}

TEST(CircuitBreaker, ValuesThatWouldNeverOrAlwaysOpenItAreExplained) {
    const std::string path = "integrations.pms.circuit_breaker";
    EXPECT_EQ(fault_of(with("circuit_breaker: { failure_rate: 0 }")),
              "liaison.yaml:8:38: " + path +
                  ".failure_rate is 0, which would open the breaker without any failure");
    EXPECT_EQ(fault_of(with("circuit_breaker: { window: 65 }")),
              "liaison.yaml:8:32: " + path + ".window is 65, above the maximum 64");
    EXPECT_EQ(fault_of(with("circuit_breaker: { open_for: 10ms }")),
              "liaison.yaml:8:34: " + path + ".open_for is 10ms; at least 1s is needed");
    EXPECT_EQ(fault_of(with("circuit_breaker: { open_for: 5m, max_open_for: 1m }")),
              "liaison.yaml:8:52: " + path + ".max_open_for is shorter than open_for, which is 5m");
    EXPECT_EQ(fault_of(with("circuit_breaker: { opens_for: 5m }")),
              "liaison.yaml:8:24: " + path + ".opens_for is not a known key; did you mean 'open_for'?");
}

TEST(Suspension, ValuesThatMakeNoSenseAreExplained) {
    EXPECT_EQ(pms_of(with("suspend_after_failures: 3")).supervision.suspend_after, 3u);
    EXPECT_EQ(fault_of(with("suspend_after_failures: never")),
              "liaison.yaml:8:29: integrations.pms.suspend_after_failures is \"never\"; expected integer");
    EXPECT_EQ(fault_of(with("alert_after_failures: { count: 0 }")),
              "liaison.yaml:8:36: integrations.pms.alert_after_failures.count is 0, below the minimum 1");
    EXPECT_EQ(
        fault_of(with("alert_after_failures: { within: 10s }")),
        "liaison.yaml:8:37: integrations.pms.alert_after_failures.within is 10s; at least 1m is needed");
    EXPECT_EQ(fault_of(with("suspend_after_failure: 3")),
              "liaison.yaml:8:5: integrations.pms.suspend_after_failure is not a known key; did you mean "
              "'suspend_after_failures'?");
}

TEST(ExpectSuccessWithin, HoldsItselfAgainstTheSchedule) {
    const std::string line = "expect_success_within: ";
    const House fine = with("schedule: { every: 5m }\n    " + line + "15m");
    EXPECT_EQ(pms_of(fine).supervision.expect_success_within, std::chrono::minutes(15));
    EXPECT_EQ(
        fault_of(with("schedule: { every: 5m }\n    " + line + "2m")),
        "liaison.yaml:9:28: integrations.pms.expect_success_within is 2m, and it runs every 5m: that would "
        "be an alarm before every run");
    EXPECT_EQ(
        fault_of(with("schedule: { daily: \"02:30\" }\n    " + line + "2h")),
        "liaison.yaml:9:28: integrations.pms.expect_success_within is 2h, and it runs daily at 02:30: that "
        "would be an alarm before every run");
    EXPECT_EQ(fault_of(with(line + "10s")),
              "liaison.yaml:8:28: integrations.pms.expect_success_within is 10s; at least 1m is needed");
    EXPECT_EQ(fault_of(with(line + "soon")),
              "liaison.yaml:8:28: integrations.pms.expect_success_within is wrong: 'soon' is not a duration; "
              "write a whole number and a unit, such as 250ms, 30s, 5m, 2h or 7d");
}

TEST(Retry, WaitsThatShrinkAreExplained) {
    EXPECT_EQ(fault_of(with("retry: { base: 10s, max: 1s }")),
              "liaison.yaml:8:30: integrations.pms.retry.max is shorter than base, which is 10s");
}

}  // namespace
}  // namespace liaisond::config
