// The connector's calls and its reading of answers, against exchanges that real Odoo servers had.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "odoo/writing.hpp"
#include "paths.hpp"

namespace odoo {
namespace {

using kit::xmlrpc::parse_call;
using testing::HasSubstr;

struct Http {
    std::uint32_t status = 0;
    std::string target, body;
};

class Wire : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        const char* data = std::getenv("LIAISON_TEST_DATA");
        folder_ = std::filesystem::path(data != nullptr ? data : paths::source("../shared/data")) /
                  "odoo_wire" / GetParam();
        if (!std::filesystem::is_directory(folder_))
            GTEST_SKIP() << folder_ << " is absent (set LIAISON_TEST_DATA)";
    }
    Http load(const std::string& name) const {
        std::ifstream file(folder_ / (name + ".http"), std::ios::binary);
        EXPECT_TRUE(file) << name;
        std::ostringstream text;
        text << file.rdbuf();
        const std::string all = text.str();
        Http http;
        http.body = all.substr(all.find("\r\n\r\n") + 4);
        std::istringstream first(all.substr(0, all.find('\r')));
        std::string word;
        first >> word >> http.target;
        if (word.starts_with("HTTP/")) http.status = static_cast<std::uint32_t>(std::stoi(http.target));
        return http;
    }
    // What we would send for this call, with the placeholders filled in as in the captured request.
    static Json ours(const Call& call, const Json& captured) {
        std::string text = call.xmlrpc(captured.items().at(0).as_string());
        const auto fill = [&text](const std::string& name, const std::string_view value) {
            text.replace(text.find(name), name.size(), value);
        };
        fill("{{session:uid}}", captured.items().at(1).number_text());
        fill("{{secret:api_key}}", captured.items().at(2).as_string());
        return parse_call(text).parameters;
    }
    void expect_same(const std::string& name, const Call& call) const {
        const Http request = load(name + ".request");
        EXPECT_EQ(request.target, "/xmlrpc/2/object");
        const Json captured = parse_call(request.body).parameters;
        EXPECT_EQ(ours(call, captured).dump(), captured.dump()) << name;
    }
    Response response(const std::string& name) const {
        const Http http = load(name + ".response");
        Response response;
        response.status = http.status;
        response.body = http.body;
        return response;
    }
    Answer answer(const std::string& name) const {
        const bool is_json2 = name.starts_with("json2-");
        return is_json2 ? read_json2(response(name), "u", 0) : read_xmlrpc(response(name), "u", 0);
    }
    Refusal refusal(const std::string& name) const {
        const Answer said = answer(name);
        EXPECT_TRUE(said.refusal) << name;
        return said.refusal.value_or(Refusal(ErrorKind::internal, Effect::done, "no refusal"));
    }
    bool is_19() const { return std::string_view(GetParam()) == "odoo19"; }
    std::filesystem::path folder_;
};

Json j(const std::string& text) { return Json::parse(text); }

TEST_P(Wire, EveryXmlRpcExchangeIsReadAndNoneIsMistaken) {
    int requests = 0, responses = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::string name = entry.path().stem().string();
        if (name.starts_with("json")) continue;
        const Http http = load(name);
        if (name.ends_with(".response")) {
            EXPECT_NO_THROW(kit::xmlrpc::parse_answer(http.body)) << name;
            ++responses;
        } else if (!name.starts_with("malformed")) {
            EXPECT_NO_THROW(parse_call(http.body)) << name;
            ++requests;
        } else {
            EXPECT_THROW(parse_call(http.body), kit::xmlrpc::XmlRpcError);
        }
    }
    EXPECT_GT(requests, 25);
    EXPECT_EQ(responses, requests + 1);
}

TEST_P(Wire, CallsAreThoseOfTheCapturedRequests) {
    const bool is_new = is_19();
    const std::string partner = is_new ? "7" : "9", product = is_new ? "2" : "3", order = is_new ? "2" : "3";
    const Json fields =
        j(R"(["name","client_order_ref","write_date","amount_total","state","partner_id","order_line",)"
          R"("commitment_date","note","date_order"])");
    expect_same(
        "partner-write",
        Call("res.partner", "write").with("ids", ids_of(partner)).with("vals", j(R"({"name":"Renamed"})")));
    expect_same("partner-load-external-id", Call("res.partner", "load")
                                                .with("fields", j(R"(["id","name"])"))
                                                .with("data", j(R"([["__imp.ext_2","Loaded"]])")));
    expect_same(
        "partner-create",
        Call("res.partner", "create")
            .with("vals_list", j(R"({"name":"Café Ñandú & Söhne <B2B> 日本 ]]>","email":"a@example.test",)"
                                 R"("is_company":true,"comment":"line1\nline2\ttab"})")));
    expect_same("sale-order-search-read-by-ref",
                Call("sale.order", "search_read")
                    .with("domain", j(R"([["client_order_ref","=","EXT-32695"]])"))
                    .option("fields", fields));
    expect_same("sale-order-search-read-write-date",
                Call("sale.order", "search_read")
                    .with("domain", j(R"(["|",["write_date",">","2026-11-20 00:00:00"],"&",)"
                                      R"(["write_date","=","2026-11-20 00:00:00"],["id",">",0]])"))
                    .option("fields", fields)
                    .option("order", "write_date asc, id asc")
                    .option("limit", 2));
    expect_same("read-missing-record",
                Call("res.partner", "read").with("ids", ids_of("999999")).option("fields", j(R"(["name"])")));
    Settings bare;
    Call confirm = Call("sale.order", "action_confirm").with("ids", ids_of(order));
    expect_same("sale-order-action-confirm", confirm);
    expect_same(
        "sale-order-create",
        Call("sale.order", "create")
            .with("vals_list",
                  j(R"({"partner_id":)" + partner +
                    R"(,"client_order_ref":"EXT-32695","date_order":"2026-11-20 10:00:00","order_line":)"
                    R"([[0,0,{"product_id":)" +
                    product +
                    R"(,"product_uom_qty":3,"price_unit":12.5}],[0,0,{"display_type":"line_note",)"
                    R"("name":"gift wrap","product_uom_qty":0}]]})")));
}

TEST_P(Wire, TheLoginIsTheCapturedOne) {
    const Json captured = parse_call(load("authenticate-ok.request").body).parameters;
    kit::xmlrpc::MethodCall call("authenticate", kit::xmlrpc::Body::host_template);
    call.parameter(captured.items()[0]).parameter("admin").parameter("admin").parameter(Json::object());
    EXPECT_EQ(parse_call(call.text()).parameters.dump(), captured.dump());
    EXPECT_EQ(answer("authenticate-ok").result.dump(), "2");
    EXPECT_EQ(answer("authenticate-bad-password").result.dump(), "false") << "no fault";
    const Json version = answer("version").result;
    EXPECT_EQ(version.find("server_version")->as_string(), is_19() ? "19.0" : "14.0");
}

TEST_P(Wire, EveryFaultIsClassified) {
    const Refusal denied = refusal("execute-wrong-password");
    EXPECT_EQ(denied.kind, ErrorKind::auth);
    EXPECT_TRUE(denied.stops);
    const Refusal database = refusal("authenticate-bad-database");
    EXPECT_EQ(database.kind, ErrorKind::config);
    EXPECT_THAT(database.text, HasSubstr("\"nodb\" does not exist"));
    for (const char* name : {"fault-access-error", "fault-access-error-read", "fault-private-method"}) {
        EXPECT_EQ(refusal(name).kind, ErrorKind::auth) << name;
        EXPECT_FALSE(refusal(name).stops) << name;
    }
    for (const char* name : {"fault-bad-foreign-key", "fault-missing-record"})
        EXPECT_TRUE(refusal(name).is_missing) << name;
    for (const char* name : {"fault-bad-datetime", "fault-required-missing", "fault-unlink-posted-move"})
        EXPECT_EQ(refusal(name).kind, ErrorKind::invalid_record) << name;
    EXPECT_THAT(refusal("fault-bad-datetime").text, HasSubstr("ValueError: time data 'not a date'"));
    for (const char* name : {"fault-unknown-field", "fault-unknown-method", "fault-unknown-model"})
        EXPECT_EQ(refusal(name).kind, ErrorKind::config) << name;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::string name = entry.path().stem().stem().string();
        if (!name.starts_with("fault-")) continue;
        EXPECT_EQ(refusal(name).effect, Effect::none) << name;
    }
}

TEST_P(Wire, AFaultAfterTheCommitIsNoRefusal) {
    if (is_19()) {
        EXPECT_EQ(answer("account-move-action-post-returns-false").result.dump(), "false");
        return;
    }
    const Refusal posted = refusal("account-move-action-post-fault-but-committed");
    EXPECT_EQ(posted.effect, Effect::done);
    EXPECT_EQ(answer("account-move-search-read").result.at("/0/state")->as_string(), "posted");
}

TEST_P(Wire, AnOrderIsReadWithItsPairsAndItsFalse) {
    const Json rows = answer("sale-order-search-read-by-ref").result;
    Fields fields;
    const std::string text = order_of(Row(rows.items().at(0)), fields, {}).dump();
    EXPECT_THAT(text, HasSubstr(is_19() ? R"("customer_ref":"7")" : R"("customer_ref":"9")"));
    EXPECT_THAT(text, HasSubstr(R"("requested_date":null)"));
    EXPECT_THAT(text, HasSubstr(R"("status":"draft")"));
    EXPECT_THAT(text, testing::Not(HasSubstr("notes")));
    const Record record = record_of(rows.items()[0], "", Json::object());
    EXPECT_THAT(record.version, HasSubstr("2026-11-20 23:21:2"));
    EXPECT_GT(record.changed_ms, 1'795'000'000'000);
}

INSTANTIATE_TEST_SUITE_P(Captured, Wire, testing::Values("odoo14", "odoo19"));

class Json2 : public Wire {};

TEST_P(Json2, CallsAreThoseOfTheCapturedRequests) {
    const auto expect = [this](const std::string& name, const Call& call) {
        const Http http = load(name + ".request");
        EXPECT_EQ(http.target, "/json/2/" + call.model() + "/" + call.method());
        EXPECT_EQ(call.json2(), j(http.body).dump()) << name;
    };
    expect("json2-search-read",
           Call("sale.order", "search_read")
               .with("domain", j(R"([["client_order_ref","!=",false]])"))
               .option("fields", j(R"(["name","client_order_ref","write_date","partner_id"])"))
               .option("limit", 2));
    expect("json2-create", Call("res.partner", "create").with("vals_list", j(R"([{"name":"via json2"}])")));
    expect("json2-write",
           Call("res.partner", "write").with("ids", ids_of("7")).with("vals", j(R"({"name":"via json2"})")));
}

TEST_P(Json2, EveryErrorIsClassified) {
    EXPECT_EQ(refusal("json2-unauthorized").kind, ErrorKind::auth);
    EXPECT_EQ(refusal("json2-no-auth").kind, ErrorKind::auth);
    EXPECT_TRUE(refusal("json2-missing-record").is_missing);
    for (const char* name : {"json2-unknown-field", "json2-unknown-model", "json2-bad-argument"}) {
        EXPECT_EQ(refusal(name).kind, ErrorKind::config) << name;
        EXPECT_EQ(refusal(name).effect, Effect::none) << name;
    }
    EXPECT_EQ(answer("json2-write").result.dump(), "true");
    EXPECT_EQ(answer("json2-search-read").result.items().size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Captured, Json2, testing::Values("odoo19"));

Refusal of_fault(int code, const std::string& text) {
    return call_parts::of_fault(kit::xmlrpc::Fault{code, text});
}

TEST(Refusals, AreReadFromTheEndOfATraceback) {
    const std::string head =
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n    ^^^\n";
    const Refusal busy = of_fault(1, head +
                                         "psycopg2.errors.SerializationFailure: could not serialize access "
                                         "due to concurrent update\nCONTEXT:  x\n");
    EXPECT_EQ(busy.kind, ErrorKind::transient);
    EXPECT_EQ(busy.effect, Effect::none);
    EXPECT_EQ(of_fault(1, head + "odoo.addons.x.Strange: what\n").effect, Effect::unclear);
    EXPECT_EQ(of_fault(1, head + "TypeError: cannot marshal None unless allow_none is enabled\n").effect,
              Effect::done);
    EXPECT_EQ(
        of_fault(1, head + "psycopg2.OperationalError: server closed the connection unexpectedly\n").effect,
        Effect::unclear);
    EXPECT_EQ(
        of_fault(
            1,
            head + "psycopg2.errors.UniqueViolation: duplicate key\nDETAIL:  Key (barcode) already exists.\n")
            .kind,
        ErrorKind::conflict);
    EXPECT_EQ(of_fault(2, "could not obtain lock on row in relation \"stock_quant\"").kind,
              ErrorKind::transient);
    EXPECT_EQ(call_parts::exception_of("no frames at all"), "no frames at all");
}

}  // namespace
}  // namespace odoo
