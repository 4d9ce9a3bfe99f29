// What the simulated Odoo refuses, and how.
#include "sim_fixture.hpp"

namespace liaison_sim {
namespace {

const std::string head = "<?xml version='1.0'?><methodCall><methodName>execute_kw</methodName><params>";
const std::string tail = "</params></methodCall>";

std::string param(const std::string& value) { return "<param><value>" + value + "</value></param>"; }
std::string text(const std::string& value) { return param("<string>" + value + "</string>"); }

class OdooTest : public SimTest {
  protected:
    std::string object(const std::string& model, const std::string& method, const std::string& positional,
                       const std::string& database = "sim17", const std::string& key = "odoo-key") {
        const std::string body = head + text(database) + param("<int>7</int>") + text(key) + text(model) +
                                 text(method) + param("<array><data>" + positional + "</data></array>") +
                                 tail;
        return raw(body);
    }
    std::string raw(const std::string& body) {
        const Client::Answer answer =
            control().post("/odoo/xmlrpc/2/object", body, {{"Content-Type", "text/xml"}});
        EXPECT_EQ(answer.status, 200u) << "faults too are 200";
        return answer.body;
    }
    Client::Answer json2(const std::string& target, const std::string& body,
                         const std::string& key = "odoo-key") {
        Client client(server_.port(), "Authorization", "bearer " + key);
        return client.post("/odoo/json/2/" + target, body, {{"X-Odoo-Database", "sim19"}});
    }
    std::string name_of(const Client::Answer& answer) { return answer.json().text_of("name"); }
};

bool has(const std::string& whole, const std::string& part) { return whole.find(part) != std::string::npos; }
std::string fault(int code) { return "<value><int>" + std::to_string(code) + "</int>"; }

TEST_F(OdooTest, LoginsAreFalseOrTheUser) {
    const auto authenticate = [&](const std::string& database, const std::string& key) {
        const std::string body =
            "<?xml version='1.0'?><methodCall><methodName>authenticate</methodName><params>" +
            text(database) + text("bot@paradise.example") + text(key) + param("<struct></struct>") + tail;
        return control().post("/odoo/xmlrpc/2/common", body).body;
    };
    EXPECT_TRUE(has(authenticate("sim17", "odoo-key"), "<int>7</int>"));
    EXPECT_TRUE(has(authenticate("sim17", "wrong"), "<boolean>0</boolean>"));
    EXPECT_TRUE(has(authenticate("nodb", "odoo-key"), "FATAL:  database \"nodb\" does not exist"));
}

TEST_F(OdooTest, CallsWithAWrongKeyAreFault3) {
    EXPECT_TRUE(
        has(object("res.partner", "read", "<value><array><data/></array></value>", "sim17", "x"), fault(3)));
    EXPECT_EQ(json2("res.partner/search_read", R"({"domain":[]})", "x").status, 401u);
}

TEST_F(OdooTest, TheParserRefusesWhatPythonsDoes) {
    EXPECT_TRUE(has(object("res.partner", "search_read", "<value><nil/></value>"), "ExpatError"));
    EXPECT_TRUE(has(object("res.partner", "read", "<value><int>2147483648</int></value>"), "XML-RPC limits"));
    EXPECT_TRUE(has(raw(head + text("a\x01") + tail), "invalid token"));
    EXPECT_TRUE(has(raw("<methodCall><methodName>x"), fault(1)));
}

TEST_F(OdooTest, UnknownModelsMethodsAndFieldsAreTold) {
    EXPECT_TRUE(has(object("no.such", "read", ""), "Object no.such doesn't exist"));
    EXPECT_TRUE(has(object("res.partner", "_private", ""), fault(4)));
    EXPECT_TRUE(has(object("res.partner", "no_such", ""), "AttributeError"));
    EXPECT_EQ(json2("no.such/read", "{}").status, 404u);
    const Client::Answer field = json2("res.partner/search_read", R"({"domain":[["nope","=",1]]})");
    EXPECT_EQ(field.status, 500u);
    EXPECT_EQ(name_of(field), "builtins.ValueError");
    EXPECT_EQ(json2("res.partner/search_read", "{}").status, 422u) << "the domain is missing";
}

TEST_F(OdooTest, VersionsHaveTheirOwnFields) {
    seed("odoo/products", 1);
    EXPECT_TRUE(
        has(json2("product.product/fields_get", R"({"allfields":["detailed_type","is_storable"]})").body,
            "is_storable"));
    EXPECT_FALSE(
        has(json2("product.product/fields_get", R"({"allfields":["detailed_type"]})").body, "detailed_type"));
    const std::string write =
        "<value><array><data><value><int>1</int></value></data></array></value>"
        "<value><struct><member><name>is_storable</name><value><boolean>1</boolean></value>"
        "</member></struct></value>";
    EXPECT_TRUE(has(object("product.product", "write", write), "Invalid field"));
    EXPECT_TRUE(has(object("product.product", "write", write, "sim18"), "<boolean>1</boolean>"));
}

TEST_F(OdooTest, LoadCreatesOnceAndIsAllOrNothing) {
    const std::string one = R"({"fields":["id","name","list_price"],"data":[["liaison.A","Salt","1.5"]]})";
    const Client::Answer first = json2("product.product/load", one),
                         second = json2("product.product/load", one);
    EXPECT_EQ(first.body, second.body);
    EXPECT_EQ(control().get("/_sim/odoo/products/count").json().text_of("count"), "1");
    const Client::Answer refused =
        json2("product.product/load", R"({"fields":["id","name","list_price"],)"
                                      R"("data":[["liaison.B","Oil","2"],["liaison.C","Tea","cheap"]]})");
    EXPECT_EQ(refused.status, 200u);
    EXPECT_TRUE(has(refused.body, "does not seem to be a number"));
    EXPECT_EQ(control().get("/_sim/odoo/products/count").json().text_of("count"), "1");
    EXPECT_EQ(json2("product.product/load", R"({"fields":["id","name"],"data":[["liaison.D",4]]})").status,
              500u)
        << "texts only";
}

TEST_F(OdooTest, OrdersNeedAPartnerAndCancellingItsFlag) {
    seed("odoo/partners", 1);
    EXPECT_TRUE(
        has(json2("sale.order/load", R"({"fields":["id","client_order_ref"],"data":[["l.A","x"]]})").body,
            "Missing required value for the field (partner_id)"));
    ASSERT_EQ(json2("sale.order/load", R"({"fields":["id","partner_id/.id"],"data":[["l.A","1"]]})").status,
              200u);
    const std::string ids = "<value><array><data><value><int>1</int></value></data></array></value>";
    EXPECT_TRUE(has(object("sale.order", "action_confirm", ids), "<boolean>1</boolean>"));
    EXPECT_TRUE(has(object("sale.order", "action_confirm", ids), fault(2)));
    EXPECT_TRUE(has(object("sale.order", "action_cancel", ids), "sale.order.cancel")) << "a wizard";
    EXPECT_TRUE(has(control().get("/_sim/odoo/orders").body, R"("state":"sale")"));
}

TEST_F(OdooTest, AnActionThatReturnsNoneIsDoneAndFaults) {
    seed("odoo/partners", 1);
    ASSERT_EQ(json2("sale.order/load", R"({"fields":["id","partner_id/.id"],"data":[["l.A","1"]]})").status,
              200u);
    const std::string ids = "<value><array><data><value><int>1</int></value></data></array></value>";
    EXPECT_TRUE(has(object("sale.order", "action_confirm", ids, "sim16-none"), "cannot marshal None"));
    EXPECT_TRUE(has(control().get("/_sim/odoo/orders").body, R"("state":"sale")"));
}

TEST_F(OdooTest, MicrosecondsCountUntil18) {
    seed("odoo/products", 1);
    ASSERT_EQ(control().put("/_sim/odoo/products/1?raw=true", R"({"name":"x"})").status, 200u);
    const Client::Answer shown =
        json2("product.product/search_read", R"({"domain":[],"fields":["write_date"]})");
    const std::string date = shown.body.substr(shown.body.find("write_date\":\"") + 13, 19);
    const std::string later =
        "<value><array><data><value><array><data><value><string>write_date</string></value><value>"
        "<string>&gt;</string></value><value><string>" +
        date + "</string></value></data></array></value></data></array></value>";
    EXPECT_FALSE(has(object("product.product", "search_read", later, "sim19"), "<name>id</name>"));
    const std::string older = object("product.product", "search_read", later, "sim14");
    EXPECT_TRUE(has(older, "<name>id</name>") || has(control().get("/_sim/odoo/products").body, ".000Z"));
}

TEST_F(OdooTest, PostedInvoicesStayAndStockIsCounted) {
    seed("odoo/products", 1);
    seed("odoo/partners", 1);
    const auto call = [&](const std::string& target, const std::string& body) {
        return json2(target, body).body;
    };
    const std::string load =
        R"({"fields":["id","move_type","partner_id/.id","invoice_date","invoice_line_ids/id",)"
        R"("invoice_line_ids/name","invoice_line_ids/quantity","invoice_line_ids/price_unit"],)"
        R"("data":[["liaison.I","out_invoice","1","2026-05-01","liaison.I_1","Salt","2","1.5"]]})";
    EXPECT_TRUE(has(call("account.move/load", load), R"("ids":[1])"));
    EXPECT_TRUE(has(call("account.move/load", load), R"("ids":[1])")) << "a draft can be loaded again";
    EXPECT_TRUE(
        has(call("account.move/load", R"({"fields":["id","partner_id/.id"],"data":[["liaison.J","1"]]})"),
            "move_type"));
    EXPECT_TRUE(has(call("account.move/load", R"({"fields":["id","move_type","invoice_date"],)"
                                              R"("data":[["liaison.J","out_invoice","1 May"]]})"),
                    "valid date"));
    const std::string ids = R"({"ids":[1]})";
    EXPECT_EQ(json2("account.move/action_post", ids).status, 200u);
    EXPECT_TRUE(has(call("account.move/action_post", ids), "must be in draft"));
    EXPECT_TRUE(has(call("account.move/load", load), "cannot modify a posted entry"));
    EXPECT_TRUE(has(call("account.move/write", R"({"ids":[1],"vals":{"invoice_date":"2026-05-02"}})"),
                    "cannot modify a posted entry"));
    EXPECT_EQ(json2("account.move/write", R"({"ids":[1],"vals":{"ref":"x"}})").status, 200u);
    EXPECT_TRUE(has(call("account.move/search_read", R"({"domain":[],"fields":["amount_total","name"]})"),
                    R"("amount_total":3.00,"name":"INV/2026/00001")"));

    const std::string count = R"({"vals_list":[{"product_id":1,"location_id":8,"inventory_quantity":4.5}])";
    EXPECT_EQ(json2("stock.quant/create", count + "}").status, 403u) << "only in inventory mode";
    EXPECT_EQ(call("stock.quant/create", count + R"(,"context":{"inventory_mode":true}})"), "[1]");
    EXPECT_EQ(call("stock.quant/create", count + R"(,"context":{"inventory_mode":true}})"), "[1]")
        << "one quant";
    EXPECT_EQ(json2("stock.quant/write", R"({"ids":[1],"vals":{"quantity":3.0}})").status, 422u);
    const std::string search = R"({"domain":[["location_id.usage","=","internal"]],"fields":["quantity"]})";
    EXPECT_TRUE(has(call("stock.quant/search_read", search), R"("quantity":0.0)")) << "not applied yet";
    EXPECT_EQ(json2("stock.quant/action_apply_inventory", ids).status, 200u);
    EXPECT_TRUE(has(call("stock.quant/search_read", search), R"("quantity":4.5)"));
}

TEST_F(OdooTest, DomainsAreInPolishNotation) {
    seed("odoo/products", 3);
    const auto found = [&](const std::string& domain) {
        const Json rows =
            json2("product.product/search_read", R"({"fields":["name"],"domain":)" + domain + "}").json();
        return rows.items().size();
    };
    EXPECT_EQ(found(R"(["|",["id","=",1],["id","=",3]])"), 2u);
    EXPECT_EQ(found(R"(["!",["id","=",1]])"), 2u);
    EXPECT_EQ(found(R"([["id",">",1],["id","in",[1,2]]])"), 1u);
    EXPECT_EQ(json2("product.product/search_read", R"({"domain":["|",["id","=",1]]})").status, 500u);
}

}  // namespace
}  // namespace liaison_sim
