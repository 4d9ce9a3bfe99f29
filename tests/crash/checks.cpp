#include "checks.hpp"

#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "hub.hpp"

namespace liaison_crash {
namespace {

namespace json = boost::json;
using namespace liaison_system;

// A create that may not be repeated by class, or was not found after that many sends, is a person's matter.
constexpr std::int64_t sends_until_doubt = 3;

const Fields customer_fields{{"/company_name", "/company"}};
const Fields office_customer_fields{{"/company_name", "/name"}};

class Judge {
  public:
    Judge(const House& house, const Plan& plan, const Bookings& bookings, const System* system)
        : house_(house), plan_(plan), bookings_(bookings), system_(system), hub_(house) {}

    Verdict judge() {
        expect(hub_.text("PRAGMA integrity_check") == "ok", "the database is damaged");
        expect_none("SELECT count(*) FROM runs WHERE status = 0", "runs are left running");
        expect_none("SELECT count(*) FROM dead_letters",
                    "dead letters, and nothing was wrong with any record");
        expect_none("SELECT count(*) FROM records WHERE stub = 1", "stubs that nobody filled");
        expect_none("SELECT count(*) FROM intents WHERE state <> 3", "intents are stuck");
        expect_none(
            "SELECT count(*) FROM (SELECT 1 FROM mappings GROUP BY integration, rid HAVING count(*) > 1)",
            "records are mapped twice");
        if (plan_.has_shop()) judge_shop();
        if (plan_.has_office()) judge_office();
        if (plan_.has_pms()) judge_pms();
        if (system_ != nullptr) judge_system();
        return std::move(verdict_);
    }

  private:
    void expect(bool is_so, const std::string& otherwise) {
        if (!is_so) verdict_.violations.push_back(otherwise);
    }
    void expect(const testing::AssertionResult& result, const std::string& what) {
        if (!result) verdict_.violations.push_back(what + ": " + result.message());
    }
    void expect_none(const std::string& sql, const std::string& otherwise) {
        const std::int64_t count = hub_.number(sql);
        expect(count == 0, std::to_string(count) + " " + otherwise);
    }
    void agree(const std::string& integration, const std::string& entity, const std::string& vendor,
               const std::string& key, const Fields& fields) {
        expect(hub_equals(hub_, integration, entity, vendor_records(house_, vendor), key, fields),
               integration + " " + entity);
    }

    void judge_shop() {
        // The other side has records of its own, and a word in the content of all.
        if (plan_.direction == Direction::both) {
            expect(hub_knows(hub_, "shop", "product", vendor_records(house_, "shop/products"), "/id",
                             {{"/sku", "/sku"}}),
                   "shop product");
            return;
        }
        if (plan_.has_invoices) agree("shop", "invoice", "shop/orders", "/id", {{"/invoice_no", "/number"}});
        agree("shop", "product", "shop/products", "/id", product_fields);
        agree("shop", "customer", "shop/customers", "/id", customer_fields);
        agree("shop", "sales_order", "shop/orders", "/id", order_fields);
    }

    void judge_office() {
        agree("office", "product", "backoffice/products", "/code", office_product_fields);
        agree("office", "customer", "backoffice/customers", "/ref", office_customer_fields);
        agree("office", "sales_order", "backoffice/orders", "/id", {{"/order_no", "/external_ref"}});
        expect(all_differ(vendor_records(house_, "backoffice/orders"), "/external_ref"), "office orders");
        expect(house_.count("backoffice/orders") == hub_.records("sales_order"),
               "office: orders of the hub are not there");
        expect(house_.stat("backoffice", "duplicates") == 0, "office: the vendor counts duplicates");
        const std::int64_t doubts = open("office", 0);
        expect(doubts == 0, "office: " + std::to_string(doubts) + " doubts, and every send may be repeated");
    }

    // Every record of one side is known to the other, once, with the same content.
    void judge_system() {
        const std::string integration = system_->names().integration;
        for (const Kind& kind : system_->kinds()) {
            json::array there = vendor_records(house_, kind.collection);
            for (json::value& one : there) one.as_object()["external id"] = kind.id(one.as_object());
            const std::string what = integration + " " + kind.entity;
            expect(hub_equals(hub_, integration, kind.entity, there, "/external id", kind.fields), what);
            if (!kind.reference.empty()) expect(all_differ(there, kind.reference), what);
        }
        const std::string unfinished = system_->unfinished(house_);
        expect(unfinished.empty(), integration + ": " + unfinished);
        const std::int64_t doubts = open(integration, 0);
        expect(doubts == 0, integration + ": " + std::to_string(doubts) +
                                " doubts, and every send may be repeated or asked about");
    }

    // Each record is there once and agreed, or the operator is asked about it.
    void judge_pms() {
        expect(hub_.records("reservation") == bookings_.rows,
               "bookings: " + std::to_string(hub_.records("reservation")) + " of " +
                   std::to_string(bookings_.rows) + " rows are in the hub");
        expect_none(
            "SELECT count(*) FROM records WHERE entity = (SELECT id FROM names WHERE name = "
            "'reservation') AND payload NOT LIKE '%" +
                bookings_.guest + " %'",
            "bookings have an old guest");
        const json::array there = vendor_records(house_, "pms/reservations");
        expect(all_differ(there, "/reference"), "pms");
        expect(house_.stat("pms", "duplicates") == 0, "pms: the vendor counts duplicates");
        std::map<std::string, std::string> doubtful;  // reference -> external id
        for (const auto& [reference, external] : hub_.pairs(
                 "SELECT op_key, external_id FROM intents WHERE state = 3 AND integration = (SELECT id "
                 "FROM names WHERE name = 'pms')"))
            doubtful[reference] = external;
        verdict_.doubts += static_cast<std::int64_t>(doubtful.size());
        const auto mapped = hub_.mapped("pms", "reservation");
        json::array agreed;
        for (const json::value& record : there) {
            const json::object& one = record.as_object();
            if (mapped.contains(text_of(one, "id")))
                agreed.push_back(record);
            else
                expect(doubtful.contains(text_of(one, "reference")),
                       "pms: " + text_of(one, "id") + " is at the vendor and nobody here knows");
        }
        expect(hub_knows(hub_, "pms", "reservation", agreed, "/id", pms_fields), "pms reservation");
        std::int64_t creates = 0;
        for (const auto& [reference, external] : doubtful) creates += external.empty() ? 1 : 0;
        expect(static_cast<std::int64_t>(mapped.size()) + creates == hub_.records("reservation"),
               "pms: " + std::to_string(mapped.size()) + " records there, " + std::to_string(creates) +
                   " doubts, " + std::to_string(hub_.records("reservation")) + " in the hub");
        expect(mapped.size() == agreed.size(), "pms: records that the vendor does not have are mapped");
        expect(static_cast<std::int64_t>(doubtful.size()) - creates == 0, "pms: an update is in doubt");
        if (plan_.scenario == Scenario::blind) return;
        const std::int64_t early = open("pms", sends_until_doubt);
        expect(early == 0,
               "pms: " + std::to_string(early) + " doubts that the vendor could have been asked about");
    }

    // Doubts about records sent fewer times than that; 0: all.
    std::int64_t open(const std::string& integration, std::int64_t sends) const {
        return hub_.number(
            "SELECT count(*) FROM intents WHERE state = 3 AND integration = (SELECT id FROM names "
            "WHERE name = '" +
            integration + "')" + (sends == 0 ? "" : " AND attempt < " + std::to_string(sends)));
    }

    const House& house_;
    const Plan& plan_;
    const Bookings& bookings_;
    const System* system_;
    Hub hub_;
    Verdict verdict_;
};

}  // namespace

Verdict judge(const House& house, const Plan& plan, const Bookings& bookings, const System* system) {
    return Judge(house, plan, bookings, system).judge();
}

}  // namespace liaison_crash
