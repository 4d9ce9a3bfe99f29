// The simulated QuickBooks Online and its token service refuse what the real ones refuse (quickbooks.md 10).
#include "sim_fixture.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

namespace liaison_sim {
namespace {

const std::string company = "/quickbooks/v3/company/4620816365000000000";

std::string text_at(const Json& body, const std::string& first, const std::string& second) {
    const Json* found = body.find(first);
    return found != nullptr ? found->text_of(second) : std::string();
}

std::string fault_code(const Client::Answer& answer) {
    const Json body = answer.json();
    const Json* fault = body.find("Fault");
    const Json* errors = fault != nullptr ? fault->find("Error") : nullptr;
    return errors != nullptr && !errors->items().empty() ? errors->items()[0].text_of("code") : "";
}

class QuickBooksTest : public SimTest {
  protected:
    using Answer = Client::Answer;

    Answer token_request(const std::string& form,
                         const std::string& client = "cWItY2xpZW50OnFiLXNlY3JldA==") {
        return control().post("/intuit/oauth2/v1/tokens/bearer", form,
                              {{"Authorization", "Basic " + client},
                               {"Accept", "application/json"},
                               {"Content-Type", "application/x-www-form-urlencoded"}});
    }
    // Lets the app in, and answers with what the first exchange brings.
    Json connect() {
        const Answer sent = control().get(
            "/intuit/connect/"
            "oauth2?client_id=qb-client&response_type=code&scope=com.intuit.quickbooks.accounting"
            "&redirect_uri=http%3A%2F%2Flocalhost%2Fcallback&state=s1");
        EXPECT_EQ(sent.status, 302u) << sent.body;
        const std::string to = sent.header("Location");
        EXPECT_NE(to.find("realmId=4620816365000000000"), std::string::npos) << to;
        const std::size_t at = to.find("code=") + 5;
        const std::string code = to.substr(at, to.find('&', at) - at);
        return token_request("grant_type=authorization_code&code=" + code +
                             "&redirect_uri=http%3A%2F%2Flocalhost%2Fcallback")
            .json();
    }
    void sign_in() { access_ = connect().text_of("access_token"); }
    Answer get(const std::string& path) {
        return control().get(company + path,
                             {{"Authorization", "Bearer " + access_}, {"Accept", "application/json"}});
    }
    Answer post(const std::string& path, const std::string& body) {
        return control().post(company + path, body,
                              {{"Authorization", "Bearer " + access_}, {"Accept", "application/json"}});
    }
    Answer query(const std::string& statement) {
        return get("/query?query=" + boost::urls::encode(statement, boost::urls::unreserved_chars));
    }
    std::string refresh(const std::string& token) {
        return token_request("grant_type=refresh_token&refresh_token=" + token)
            .json()
            .text_of("refresh_token");
    }
    std::string access_;
};

TEST_F(QuickBooksTest, TokensNeedTheClientAndAreExchangedOnce) {
    EXPECT_EQ(token_request("grant_type=refresh_token&refresh_token=x", "d3Jvbmc=").status, 401u);
    const Json given = connect();
    EXPECT_EQ(given.text_of("token_type"), "bearer");
    EXPECT_EQ(token_request("grant_type=authorization_code&code=code1&redirect_uri=x").status, 400u);
    EXPECT_EQ(token_request("grant_type=refresh_token&refresh_token=nobody").json().text_of("error"),
              "invalid_grant");
}

TEST_F(QuickBooksTest, RefreshTokensChangeAsTold) {
    const std::string first = connect().text_of("refresh_token");
    EXPECT_EQ(refresh(first), first) << "at most once a day";
    set("intuit", R"({"rotate":"always","grace_s":60})");
    const std::string second = refresh(first);
    EXPECT_NE(second, first);
    EXPECT_NE(refresh(first), "") << "the one before stays good for a while";
    set("intuit", R"({"grace_s":0})");
    const std::string third = refresh(refresh(first));
    EXPECT_NE(third, "");
    EXPECT_NE(refresh(third), "");
    EXPECT_EQ(refresh(third), "") << "used up";
    set("intuit", R"({"revoke":true})");
    EXPECT_EQ(refresh(third), "");
}

TEST_F(QuickBooksTest, RefusesTokensInAnotherSpelling) {
    const Answer refused = get("/companyinfo/1");
    EXPECT_EQ(refused.status, 401u);
    EXPECT_NE(refused.json().find("fault"), nullptr);
    EXPECT_EQ(refused.json().find("Fault"), nullptr);
    sign_in();
    EXPECT_EQ(get("/companyinfo/1").status, 200u);
    const Answer elsewhere =
        control().get("/quickbooks/v3/company/1/companyinfo/1", {{"Authorization", "Bearer " + access_}});
    EXPECT_EQ(elsewhere.status, 403u);
    EXPECT_EQ(control().get(company + "/companyinfo/1", {{"Authorization", "Bearer " + access_}}).status,
              406u)
        << "XML";
    set("intuit", R"({"expire":true})");
    EXPECT_EQ(get("/companyinfo/1").status, 401u);
}

TEST_F(QuickBooksTest, NamesAreUniqueAndVersionsCounted) {
    sign_in();
    const Answer made = post("/customer", R"({"DisplayName":"Adler","Notes":"n"})");
    EXPECT_EQ(made.status, 200u) << made.body;
    EXPECT_EQ(text_at(made.json(), "Customer", "SyncToken"), "0");
    EXPECT_EQ(fault_code(post("/customer", R"({"DisplayName":"ADLER"})")), "6240");
    EXPECT_EQ(fault_code(post("/customer", R"({"DisplayName":"Weingut Lieferant"})")), "6240");
    EXPECT_EQ(fault_code(post("/customer", R"({"DisplayName":"a:b"})")), "2040");
    EXPECT_EQ(fault_code(post("/customer", R"({"GivenName":"x"})")), "2020");
    EXPECT_EQ(fault_code(post("/customer", R"({"DisplayName":"x","Nick":"y"})")), "2010");
    EXPECT_EQ(fault_code(post("/customer", R"({"Id":"1","DisplayName":"Post","sparse":true})")), "2020");
    EXPECT_EQ(fault_code(post("/customer", R"({"Id":"9","SyncToken":"0","DisplayName":"Post"})")), "610");
    const Answer sparse = post("/customer", R"({"Id":"1","SyncToken":"0","GivenName":"Ana","sparse":true})");
    EXPECT_EQ(text_at(sparse.json(), "Customer", "Notes"), "n");
    EXPECT_EQ(fault_code(post("/customer", R"({"Id":"1","SyncToken":"0","GivenName":"B","sparse":true})")),
              "5010");
    const Answer full = post("/customer", R"({"Id":"1","SyncToken":"1","DisplayName":"Adler"})");
    EXPECT_EQ(text_at(full.json(), "Customer", "Notes"), "") << "what a full update leaves out is gone";
    EXPECT_EQ(text_at(full.json(), "Customer", "SyncToken"), "2");
    const Answer gone = post("/customer", R"({"Id":"1","SyncToken":"2","Active":false,"sparse":true})");
    EXPECT_EQ(text_at(gone.json(), "Customer", "DisplayName"), "Adler (deleted)");
    EXPECT_EQ(query("select * from Customer").json().find("QueryResponse")->members().size(), 0u);
    EXPECT_NE(query("select * from Customer where Active in (true, false)").body.find("Adler"),
              std::string::npos);
    EXPECT_EQ(fault_code(post("/customer?operation=delete", R"({"Id":"1","SyncToken":"3"})")), "2010");
}

TEST_F(QuickBooksTest, DocumentsAreChecked) {
    sign_in();
    seed("quickbooks/customers", 1);
    seed("quickbooks/items", 1);
    const auto order = [](const std::string& line, const std::string& more = {}) {
        return R"({"CustomerRef":{"value":"1"},)" + more + R"("Line":[{"DetailType":"SalesItemLineDetail",)" +
               line + "}]}";
    };
    const std::string good =
        R"("Amount":26.70,"SalesItemLineDetail":{"ItemRef":{"value":"1"},"Qty":3,"UnitPrice":8.9})";
    const Answer made = post("/estimate", order(good));
    EXPECT_EQ(made.status, 200u) << made.body;
    EXPECT_EQ(text_at(made.json(), "Estimate", "TotalAmt"), "26.70");
    EXPECT_NE(made.body.find("SubTotalLineDetail"), std::string::npos);
    const std::string wrong =
        R"("Amount":26.71,"SalesItemLineDetail":{"ItemRef":{"value":"1"},"Qty":3,"UnitPrice":8.9})";
    EXPECT_EQ(fault_code(post("/estimate", order(wrong))), "6070");
    const std::string stranger = R"("Amount":1,"SalesItemLineDetail":{"ItemRef":{"value":"7"}})";
    EXPECT_EQ(fault_code(post("/estimate", order(stranger))), "2500");
    EXPECT_EQ(fault_code(post("/estimate", order(good, R"("DocNumber":"1234567890123456789012",)"))), "2050");
    EXPECT_EQ(fault_code(post("/estimate", order(good, R"("CurrencyRef":{"value":"USD"},)"))), "6000");
    EXPECT_EQ(fault_code(post("/invoice", R"({"CustomerRef":{"value":"9"},"Line":[]})")), "2500");
    set("quickbooks", R"({"needs_tax":true,"unique_numbers":true})");
    EXPECT_EQ(fault_code(post("/estimate", order(good))), "2020");
    EXPECT_EQ(fault_code(post("/estimate", order(good, R"("GlobalTaxCalculation":"TaxExcluded",)"))), "6000");
}

TEST_F(QuickBooksTest, ReceiptsAndInvoicesAreChecked) {
    sign_in();
    seed("quickbooks/customers", 1);
    seed("quickbooks/items", 1);
    const auto document = [](const std::string& amount, const std::string& more = {}) {
        return R"({"CustomerRef":{"value":"1"},)" + more + R"("Line":[{"DetailType":"SalesItemLineDetail",)" +
               R"("Amount":)" + amount + R"(,"SalesItemLineDetail":{"ItemRef":{"value":"1"}}}]})";
    };
    const std::string account = R"("DepositToAccountRef":{"value":"35"},)";
    EXPECT_EQ(fault_code(post("/refundreceipt", document("5"))), "2020") << "from which account?";
    EXPECT_EQ(post("/refundreceipt", document("5", account)).status, 200u);
    EXPECT_EQ(fault_code(post("/salesreceipt", document("-5"))), "6000");
    EXPECT_EQ(fault_code(post("/salesreceipt", document("5", R"("PaymentMethodRef":{"value":"9"},)"))),
              "2500");
    EXPECT_EQ(fault_code(post("/salesreceipt", document("5", R"("DepositToAccountRef":{"value":"9"},)"))),
              "2500");
    EXPECT_EQ(fault_code(post("/invoice", document("5", account))), "2010") << "of receipts only";
    EXPECT_EQ(fault_code(post("/invoice", document("5", R"("GlobalTaxCalculation":"Gross",)"))), "2170");
    const std::string link = R"("LinkedTxn":[{"TxnId":"1","TxnType":"Estimate"}],)";
    EXPECT_EQ(fault_code(post("/invoice", document("5", link))), "2500");
    const Answer made = post("/invoice", document("5", R"("PrivateNote":"n",)"));
    EXPECT_EQ(text_at(made.json(), "Invoice", "Balance"), "5.00");
    EXPECT_EQ(fault_code(post("/invoice?operation=void", R"({"Id":"1","SyncToken":"4"})")), "5010");
    const Answer gone = post("/invoice?operation=void", R"({"Id":"1","SyncToken":"0"})");
    EXPECT_EQ(text_at(gone.json(), "Invoice", "TotalAmt"), "0.00") << gone.body;
    EXPECT_EQ(text_at(gone.json(), "Invoice", "PrivateNote"), "Voided - n");
    EXPECT_EQ(post("/creditmemo", document("5")).status, 200u);
    EXPECT_EQ(fault_code(post("/creditmemo?operation=void", R"({"Id":"1","SyncToken":"0"})")), "2010");
    set("quickbooks", R"({"needs_tax":true})");
    const std::string exempt = R"("GlobalTaxCalculation":"NotApplicable",)";
    EXPECT_EQ(post("/salesreceipt", document("5", exempt)).status, 200u);
}

TEST_F(QuickBooksTest, ARequestIdBringsTheFirstAnswerAgain) {
    sign_in();
    const Answer first = post("/customer?requestid=r1", R"({"DisplayName":"A"})");
    const Answer again = post("/customer?requestid=r1", R"({"DisplayName":"B"})");
    EXPECT_EQ(first.body, again.body);
    EXPECT_EQ(fault_code(post("/customer?requestid=r2", R"({"DisplayName":"A"})")), "6240");
    EXPECT_EQ(fault_code(post("/customer?requestid=r2", R"({"DisplayName":"C"})")), "6240")
        << "refusals, too";
    set("quickbooks", R"({"requestid_s":0})");
    EXPECT_EQ(post("/customer?requestid=r1", R"({"DisplayName":"B"})").status, 200u) << "forgotten";
    EXPECT_EQ(post("/customer?requestid=" + std::string(51, 'x'), R"({"DisplayName":"D"})").status, 400u);
}

TEST_F(QuickBooksTest, TheQueryLanguageIsSmall) {
    sign_in();
    seed("quickbooks/items", 150);
    const auto count = [&](const std::string& statement) {
        const Json body = query(statement).json();
        const Json* rows = body.find("QueryResponse")->find("Item");
        return rows != nullptr ? rows->items().size() : 0;
    };
    EXPECT_EQ(count("SELECT * FROM Item"), 100u);
    EXPECT_EQ(count("SELECT * FROM Item MAXRESULTS 1000"), 150u);
    EXPECT_EQ(count("SELECT * FROM Item STARTPOSITION 101 MAXRESULTS 100"), 50u);
    EXPECT_EQ(count("SELECT * FROM Item WHERE Sku IN ('SKU-7', 'SKU-9') AND Active = true"), 2u);
    EXPECT_EQ(count("SELECT * FROM Item WHERE Name LIKE 'item 14%'"), 11u);
    EXPECT_EQ(count("SELECT * FROM Item WHERE Sku = 'O\\'Neill'"), 0u);
    EXPECT_EQ(text_at(query("SELECT COUNT(*) FROM Item").json(), "QueryResponse", "totalCount"), "150");
    EXPECT_EQ(fault_code(query("SELECT * FROM Item WHERE Sku = 'a' OR Sku = 'b'")), "4000");
    EXPECT_EQ(fault_code(query("SELECT * FROM Item MAXRESULTS 1001")), "4000");
    EXPECT_EQ(fault_code(query("SELECT * FROM Estimate WHERE PrivateNote = 'x'")), "4001");
    EXPECT_EQ(fault_code(query("SELECT * FROM SalesOrder")), "4001");
}

TEST_F(QuickBooksTest, ChangesHaveStubsAndNoSecondPage) {
    sign_in();
    seed("quickbooks/customers", 1);
    seed("quickbooks/items", 1);
    seed("quickbooks/estimates", 2);
    EXPECT_EQ(get("/cdc?entities=Estimate&changedSince=2001-01-01T00:00:00Z").status, 400u) << "30 days";
    EXPECT_EQ(control().put("/_sim/quickbooks/estimates/1", R"({"TxnStatus":"Accepted"})").status, 200u);
    EXPECT_EQ(control().erase("/_sim/quickbooks/estimates/2").status, 204u);
    const Json stats = control().get("/_sim/quickbooks/estimates").json();
    const std::string changed = text_at(stats.items()[0], "MetaData", "LastUpdatedTime");
    const Answer answer = get("/cdc?entities=Estimate,Item&changedSince=" + changed);
    EXPECT_NE(answer.body.find(R"("Accepted")"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find(R"("status":"Deleted","Id":"2")"), std::string::npos) << answer.body;
    EXPECT_EQ(answer.body.find("SKU-1"), std::string::npos) << "not changed since";
}

TEST_F(QuickBooksTest, RefusesTooManyWithoutSayingHowLong) {
    sign_in();
    set("quickbooks", R"({"per_minute":2})");
    EXPECT_EQ(get("/companyinfo/1").status, 200u);
    EXPECT_EQ(get("/companyinfo/1").status, 200u);
    const Answer refused = get("/companyinfo/1");
    EXPECT_EQ(refused.status, 429u);
    EXPECT_EQ(fault_code(refused), "3001");
    EXPECT_EQ(refused.header("Retry-After"), "");
}

}  // namespace
}  // namespace liaison_sim
