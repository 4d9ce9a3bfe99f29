#include "systems.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <map>

#include "booking_house.hpp"
#include "integrations.hpp"
#include "lightspeed_house.hpp"
#include "odoo_house.hpp"
#include "quickbooks_house.hpp"
#include "sap_b1_house.hpp"

namespace liaison_crash {
namespace {

namespace json = boost::json;
using namespace liaison_system;

constexpr int seeded = 60, seeded_documents = 30, changed_in_a_wave = 5;
constexpr int seeded_sales = 250, late_sales = 9000, seeded_reservations = 40, menu_items = 24, days = 40;

constexpr const char* directions[] = {"import", "export", "bidirectional"};
const char* text(Direction direction) { return directions[static_cast<int>(direction)]; }

std::string member(const json::object& row, const char* name) {
    const json::value* found = row.if_contains(name);
    if (found == nullptr) return {};
    return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}
std::function<std::string(const json::object&)> by(const char* name, const std::string& prefix = {}) {
    return [name, prefix](const json::object& row) { return prefix + member(row, name); };
}

void put(const House& house, const std::string& record, const json::object& members) {
    const Reply reply = house.sim("PUT", record, json::serialize(members));
    EXPECT_LT(reply.status, 300u) << record << json::serialize(reply.body);
}

void sell_everything(const House& house) {
    for (const json::value& one : vendor_records(house, "shop/products")) {
        if (member(one.as_object(), "active") == "false")
            put(house, "shop/products/" + member(one.as_object(), "id"), {{"active", true}});
    }
}

// Numbers of records that change in this wave, below `count`.
std::vector<int> changed_in(int wave, int count) {
    std::vector<int> numbers;
    for (int i = 0; i < changed_in_a_wave; ++i) numbers.push_back(1 + (wave * 7 + i * 11) % count);
    return numbers;
}

std::string numbered(const char* format, int number) {
    char text[40];
    std::snprintf(text, sizeof text, format, number);
    return text;
}

// Entities in YAML, as the direction and the way in which writes begin demand it.
std::string in_yaml(const std::vector<std::string>& entities, Direction direction, bool by_change) {
    std::string options = direction == Direction::both ? "conflict: remote" : "";
    if (by_change && direction != Direction::in)
        options += std::string(options.empty() ? "" : ", ") + "on_change: true, debounce: 20ms";
    std::string all;
    for (const std::string& entity : entities)
        all += (all.empty() ? "{ " : ", ") + entity + ": { " + options + " }";
    return all + " }";
}

// What a shop sells, in the books of a company.
class Books : public System {
  public:
    explicit Books(const Plan& plan) : direction_(plan.direction), has_invoices_(plan.has_invoices) {}

  protected:
    std::vector<std::string> entities() const {
        if (direction_ == Direction::both) return {"product"};
        if (has_invoices_) return {"product", "customer", "sales_order", "invoice"};
        return {"product", "customer", "sales_order"};
    }
    Options options(const std::string& schedule, bool by_change) const {
        return {in_yaml(entities(), direction_, by_change),
                direction_ == Direction::out ? "manual" : schedule,
                std::string(direction_ == Direction::both ? "    match: { product: [sku] }\n" : "") +
                    (direction_ == Direction::in ? "" : "    push_batch: 20\n")};
    }
    // The first ones of `all`, which has all four.
    std::vector<Kind> used(std::vector<Kind> all) const {
        all.resize(entities().size());
        return all;
    }
    bool is_read() const { return direction_ != Direction::out; }
    Direction direction_;
    bool has_invoices_;
};

class OdooBooks : public Books {
  public:
    explicit OdooBooks(const Plan& plan)
        : Books(plan),
          server_(plan.variant % 2 == 0 ? OdooServer{"sim17", "xmlrpc"} : OdooServer{"sim19", "json2"}) {}

    Names names() const override { return {"odoo", "odoo", "odoo", "wholesaler"}; }
    void prepare(const House& house) const override { write_odoo_credentials(house); }
    std::string configuration(const std::string& schedule, bool by_change) const override {
        return odoo(server_, text(direction_), options(schedule, by_change),
                    has_invoices_ ? "      post_invoices: true\n" : "");
    }
    void make_news(const House& house, int wave) const override {
        if (!is_read()) return;
        if (wave == 0) return seed(house);
        const std::string word = "Wave" + std::to_string(wave) + " ";
        for (const int number : changed_in(wave, seeded)) {
            const std::string id = std::to_string(number);
            put(house, "odoo/products/" + id + "?raw=true", {{"name", word + id}});
            if (direction_ == Direction::both) continue;
            put(house, "odoo/partners/" + id + "?raw=true", {{"name", "Hotel " + word + id}});
            if (number <= seeded_documents)
                put(house, "odoo/lines/" + id + "?raw=true", {{"product_uom_qty", 2.5 + wave}});
        }
    }
    std::vector<Kind> kinds() const override {
        const bool is_out = direction_ == Direction::out;
        return used({{"product",
                      "odoo/products",
                      by("id"),
                      {{"/sku", "/default_code"}, {"/name", "/name"}, {"/sales_price", "/list_price"}},
                      "/default_code"},
                     {"customer", "odoo/partners", by("id"), {{"/company_name", "/name"}}},
                     {"sales_order",
                      "odoo/orders",
                      by("id"),
                      {{"/order_no", is_out ? "/client_order_ref" : "/name"}},
                      is_out ? "/client_order_ref" : "/name"},
                     {"invoice",
                      "odoo/invoices",
                      by("id"),
                      {{"/invoice_no", is_out ? "/ref" : "/name"}},
                      is_out ? "/ref" : ""}});
    }

  private:
    void seed(const House& house) const {
        house.seed("odoo/products", seeded);
        if (direction_ == Direction::both) return;
        house.seed("odoo/partners", seeded);
        for (const char* one : {"odoo/orders", "odoo/lines", "odoo/invoices", "odoo/invoice_lines"})
            house.seed(one, seeded_documents);
    }
    OdooServer server_;
};

class SapBooks : public Books {
  public:
    using Books::Books;

    Names names() const override { return {"sap_b1", "sap_b1", "sap", "wholesaler"}; }
    void prepare(const House& house) const override { write_sap_b1_credentials(house); }
    std::string configuration(const std::string& schedule, bool by_change) const override {
        return sap_b1(options(schedule, by_change), text(direction_), "page_size: 20");
    }
    void make_news(const House& house, int wave) const override {
        if (direction_ == Direction::out) renew_cancelled_orders(house);
        if (!is_read()) return;
        if (wave == 0) return seed(house);
        const std::string word = "Wave" + std::to_string(wave) + " ";
        for (const int number : changed_in(wave, seeded)) {
            put(house, "sap_b1/Items/" + numbered("I%06d", number),
                {{"ItemName", word + std::to_string(number)}});
            if (direction_ == Direction::both) continue;
            put(house, "sap_b1/BusinessPartners/" + numbered("C%05d", number), {{"CardName", word}});
        }
    }
    std::vector<Kind> kinds() const override {
        const bool is_out = direction_ == Direction::out;
        const std::string number = is_out ? "/NumAtCard" : "/DocNum",
                          reference = is_out ? "/U_ExtId" : "/DocNum";
        const Fields first_line{{"/lines/0/quantity", "/DocumentLines/0/Quantity"}};
        Fields order = first_line, invoice = first_line;
        if (!is_out) order.emplace_back("/order_no", number);
        if (!is_out) invoice.emplace_back("/invoice_no", number);
        return used(
            {{"product", "sap_b1/Items", by("ItemCode"), {{"/name", "/ItemName"}}},
             {"customer", "sap_b1/BusinessPartners", by("CardCode"), {{"/company_name", "/CardName"}}},
             {"sales_order", "sap_b1/Orders", by("DocEntry"), order, reference},
             {"invoice", "sap_b1/Invoices", by("DocEntry"), invoice, reference}});
    }
    std::string unfinished(const House& house) const override {
        return house.stat("sap_b1", "duplicates") > 0 ? "the vendor counts duplicates" : "";
    }

  private:
    void seed(const House& house) const {
        house.seed("sap_b1/Items", seeded);
        if (direction_ == Direction::both) return;
        house.seed("sap_b1/BusinessPartners", seeded);
        for (const char* one : {"sap_b1/Orders", "sap_b1/Invoices"}) house.seed(one, seeded_documents);
    }
};

class QuickBooks : public Books {
  public:
    using Books::Books;

    Names names() const override {
        return {"quickbooks", "quickbooks", "books", "wholesaler", nullptr, "intuit"};
    }
    void prepare(const House& house) const override {
        write_quickbooks_credentials(house);
        house.set("quickbooks", R"({"per_minute":100000})");
        house.set("intuit", R"({"rotate":"always"})");
    }
    std::string configuration(const std::string& schedule, bool by_change) const override {
        return quickbooks(options(schedule, by_change), text(direction_));
    }
    void connect(const House& house) const override { connect_quickbooks(house); }
    void make_news(const House& house, int wave) const override {
        house.set("intuit", R"({"expire":true})");
        // The books take neither drafts nor orders of what is no longer sold.
        if (direction_ == Direction::out) renew_cancelled_orders(house);
        if (direction_ == Direction::out && wave == 0) sell_everything(house);
        if (!is_read()) return;
        if (wave == 0) return seed(house);
        for (const int number : changed_in(wave, seeded)) {
            const std::string id = std::to_string(number);
            put(house, "quickbooks/items/" + id, {{"UnitPrice", 10 + wave}});
            if (direction_ == Direction::both) continue;
            put(house, "quickbooks/customers/" + id,
                {{"CompanyName", "Hotel " + std::to_string(wave) + " " + id}});
        }
        if (direction_ == Direction::in) {
            EXPECT_EQ(house.sim("DELETE", "quickbooks/estimates/" + std::to_string(wave)).status, 204u);
        }
    }
    std::vector<Kind> kinds() const override {
        const bool is_out = direction_ == Direction::out;
        Fields item{{"/sku", "/Sku"}, {"/sales_price", "/UnitPrice"}};
        if (is_out) item.emplace_back("/name", "/Description");
        return used({{"product", "quickbooks/items", by("Id"), item, "/Sku"},
                     {"customer",
                      "quickbooks/customers",
                      by("Id"),
                      {{"/company_name", "/CompanyName"}},
                      "/DisplayName"},
                     {"sales_order",
                      "quickbooks/estimates",
                      by("Id"),
                      {{"/order_no", "/DocNumber"}, {"/lines/0/quantity", "/Line/0/SalesItemLineDetail/Qty"}},
                      "/DocNumber"},
                     {"invoice",
                      "quickbooks/invoices",
                      by("Id", "invoice:"),
                      {{"/invoice_no", "/DocNumber"}},
                      "/DocNumber"}});
    }
    std::string unfinished(const House& house) const override {
        return house.stat("quickbooks", "duplicates") > 0 ? "the vendor counts duplicates" : "";
    }

  private:
    void seed(const House& house) const {
        house.seed("quickbooks/items", seeded);
        if (direction_ == Direction::both) return;
        house.seed("quickbooks/customers", seeded);
        for (const char* one : {"quickbooks/estimates", "quickbooks/invoices"})
            house.seed(one, seeded_documents);
    }
};

// Reservations that are handed out until they are acknowledged, or days that are sold.
class BookingCom : public System {
  public:
    explicit BookingCom(const Plan& plan) : is_in_(plan.direction == Direction::in) {}

    Names names() const override {
        return {"booking_com", "booking", "booking", "hotel", is_in_ ? nullptr : "days"};
    }
    void prepare(const House& house) const override {
        prepare_booking_com(house);
        house.set("booking", R"({"tokens_an_hour":10000})");
    }
    std::string configuration(const std::string& schedule, bool by_change) const override {
        if (is_in_) return booking_com({"[reservation]", schedule}, "import");
        return days_import({"[availability]", schedule, "    page_size: 20\n"}) +
               booking_com(
                   {in_yaml({"availability"}, Direction::out, by_change), "manual", "    push_batch: 20\n"},
                   "export");
    }
    void make_news(const House& house, int wave) const override {
        if (!is_in_) return house.write("in/" + numbered("%03d.csv", wave), days_file(days, 1 + wave));
        house.seed("booking/reservations", wave == 0 ? seeded_reservations : changed_in_a_wave);
        if (wave == 0) return;
        for (const int number : changed_in(wave, seeded_reservations))
            put(house, "booking/reservations/" + numbered("47059%05d", number),
                {{"surname", "Wave " + std::to_string(wave)}});
    }
    std::vector<Kind> kinds() const override {
        if (is_in_) return {{"reservation", "booking/reservations", by("id"), reservation_fields(), "/id"}};
        const auto day = [](const json::object& row) {
            return "367456/" + std::string(member(row, "room") == "36745603" ? "DBL" : "SGL") + "/" +
                   member(row, "date");
        };
        return {{"availability", "booking/availability", day, {{"/sellable", "/to_sell"}}}};
    }
    // An acknowledged message never comes again, so it must be stored before.
    std::string broken(const House& house) const override {
        if (!is_in_) return {};
        json::array done;
        for (const json::value& one : vendor_records(house, "booking/reservations")) {
            if (member(one.as_object(), "state") == "done") done.push_back(one);
        }
        if (done.empty()) return {};
        const auto stored =
            hub_knows(Hub(house), "booking", "reservation", done, "/id", reservation_fields());
        return stored ? "" : std::string("acknowledged and not stored: ") + stored.message();
    }
    std::string unfinished(const House& house) const override {
        if (!is_in_) return {};
        int open = 0;
        for (const json::value& one : vendor_records(house, "booking/reservations"))
            open += member(one.as_object(), "state") == "done" ? 0 : 1;
        return open == 0 ? "" : std::to_string(open) + " messages are not acknowledged";
    }

  private:
    static Fields reservation_fields() {
        return {{"/booker/surname", "/surname"}, {"/booker/email", "/email"}};
    }
    bool is_in_;
};

// What a till sold, and its menu, from there or from a file.
class Till : public System {
  public:
    explicit Till(const Plan& plan) : direction_(plan.direction) {}

    Names names() const override {
        return {"lightspeed", "lightspeed", "till", "hotel", is_in() ? nullptr : "menu", "lightspeed_login"};
    }
    void prepare(const House& house) const override {
        write_lightspeed_credentials(house);
        // A refresh token that is good once may be lost with the daemon, which is for a person.
        house.set("lightspeed_login", R"({"grace_s":86400})");
    }
    std::string configuration(const std::string& schedule, bool by_change) const override {
        if (is_in()) return lightspeed({"[menu_item, pos_transaction]", schedule}, "import");
        std::string more = "    push_batch: 5\n";
        if (direction_ == Direction::both) more += "    match: { menu_item: [sku] }\n";
        return menu_import({"[menu_item]", schedule, "    page_size: 10\n"}) +
               lightspeed({in_yaml({"menu_item"}, direction_, by_change),
                           direction_ == Direction::both ? schedule : "manual", more},
                          text(direction_));
    }
    void connect(const House& house) const override { connect_lightspeed(house); }
    void make_news(const House& house, int wave) const override {
        house.set("lightspeed_login", R"({"expire":true})");
        if (!is_in())
            house.write("in/" + numbered("menu_item%03d.csv", wave),
                        menu_items_file(menu_items + 3 * wave, std::to_string(10 + wave) + ".50"));
        if (direction_ == Direction::out) return;
        if (wave == 0) house.seed("lightspeed/items", seeded);
        if (is_in() && wave == 0) house.seed("lightspeed/sales", seeded_sales);
        if (wave == 0) return;
        for (const int number : changed_in(wave, seeded))
            put(house, "lightspeed/items/" + numbered("9107199254%06d", number),
                {{"name", "Plat " + std::to_string(wave) + " " + std::to_string(number)}});
        if (is_in()) sell(house, wave);
    }
    std::vector<Kind> kinds() const override {
        const std::string location = std::string(till_location) + "/";
        Fields item{{"/sku", "/sku"}, {"/name", "/name"}};
        // The till's own may have a price that is asked for at the counter.
        if (direction_ == Direction::out) item.emplace_back("/sales_price", "/prices/0/amount");
        const Kind items{"menu_item", "lightspeed/items", by("id", location), item, "/sku"};
        if (!is_in()) return {items};
        return {items,
                {"pos_transaction",
                 "lightspeed/sales",
                 by("accountFiscId", location),
                 {{"/receipt_no", "/receiptId"}}}};
    }
    std::string unfinished(const House& house) const override {
        return house.stat("lightspeed", "duplicates") > 0 ? "the vendor counts duplicates" : "";
    }

  private:
    // The next sales, and one of a till that was offline: closed before what is known already.
    static void sell(const House& house, int wave) {
        for (int i = 1; i <= changed_in_a_wave; ++i) {
            const int number = seeded_sales + (wave - 1) * changed_in_a_wave + i;
            put(house, "lightspeed/sales/" + numbered("A65315.%d", number), {});
        }
        const json::value known = vendor_records(house, "lightspeed/sales").at(seeded_sales - 10);
        put(house, "lightspeed/sales/" + numbered("A65315.%d", late_sales + wave),
            {{"timeClosed", text_of(known.as_object(), "timeClosed")}});
    }
    bool is_in() const { return direction_ == Direction::in; }
    Direction direction_;
};

}  // namespace

std::unique_ptr<System> system_of(const Plan& plan) {
    switch (plan.scenario) {
        case Scenario::odoo: return std::make_unique<OdooBooks>(plan);
        case Scenario::sap_b1: return std::make_unique<SapBooks>(plan);
        case Scenario::quickbooks: return std::make_unique<QuickBooks>(plan);
        case Scenario::booking_com: return std::make_unique<BookingCom>(plan);
        case Scenario::lightspeed: return std::make_unique<Till>(plan);
        default: return nullptr;
    }
}

}  // namespace liaison_crash
