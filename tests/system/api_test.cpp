// The API on the network, as other software uses it: tokens, what is refused, and what a crash leaves.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>

#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

class NetworkApi : public testing::Test {
  protected:
    void begin() {
        house.daemon_section = "  listen: 127.0.0.1:0\n  hosts: [hub.example]\n";
        house.configure(shop({"[product]"}));
        house.start();
        find_port();
    }
    // The last one that the log names.
    void find_port() {
        static const std::string mark = "port=";
        ASSERT_TRUE(until([&] { return house.log().find("liaisond 0.1.0 is ready") != std::string::npos; }));
        const std::string log = house.log();
        const std::size_t at = log.rfind(mark);
        ASSERT_NE(at, std::string::npos) << log;
        port = static_cast<std::uint16_t>(std::stoi(log.substr(at + mark.size())));
    }
    std::string token(const std::string& scope) {
        const House::Told told = house.ctl("--json token create till --scope " + scope);
        EXPECT_EQ(told.code, 0) << told.text;
        const json::object made = json::parse(told.text).as_object();
        id = text_of(made, "id");
        return text_of(made, "token");
    }
    Reply ask(const std::string& method, const std::string& target, const std::string& token = {},
              const std::string& host = "localhost") const {
        Call call{method, "/api/v1/" + target, method == "GET" ? "" : "{}"};
        if (!token.empty()) call.headers = "Authorization: Bearer " + token + "\r\n";
        call.host = host;
        return ask_port(port, call);
    }
    House house;
    std::uint16_t port = 0;
    std::string id;
};

TEST_F(NetworkApi, AShopkeepersSoftwareRunsAnIntegration) {
    house.seed("shop/products", 20);
    begin();
    const std::string operating = token("operate");
    EXPECT_EQ(ask("GET", "integrations").status, 401u);
    const Reply begun = ask("POST", "integrations/shop/sync", operating);
    ASSERT_EQ(begun.status, 202u) << json::serialize(begun.body);
    house.wait_for_run(number_of(begun.body.as_object(), "run"));
    const Reply records = ask("GET", "records/product?limit=5", operating, "hub.example:443");
    ASSERT_EQ(records.status, 200u);
    EXPECT_EQ(records.body.at("items").as_array().size(), 5u);
    EXPECT_EQ(ask("GET", "integrations", operating, "evil.example").status, 421u) << "DNS rebinding";
    EXPECT_EQ(ask("GET", "secrets", operating).status, 403u);
    EXPECT_EQ(ask("GET", "../../etc/passwd", operating).status, 400u);

    EXPECT_THAT(house.ctl("token list").text, HasSubstr("till"));
    EXPECT_THAT(house.ctl("token list").text, Not(HasSubstr(operating)));
    EXPECT_EQ(house.ctl("token revoke " + id).code, 0);
    EXPECT_EQ(ask("GET", "integrations", operating).status, 401u);
    const std::string audit = house.ctl("audit").text;
    EXPECT_THAT(audit, HasSubstr("token till"));
    EXPECT_THAT(audit, HasSubstr("POST /integrations/shop/sync"));
    EXPECT_THAT(audit, HasSubstr("DELETE /tokens/" + id));
}

TEST_F(NetworkApi, TokensAndTheAuditLogOutliveACrash) {
    begin();
    const std::string reading = token("read");
    house.kill_daemon();
    house.start();
    find_port();
    EXPECT_EQ(ask("GET", "integrations", reading).status, 200u);
    const House::Told told = house.ctl("audit");
    EXPECT_EQ(told.code, 0) << told.text;
    EXPECT_THAT(told.text, HasSubstr("POST /tokens"));
}

TEST_F(NetworkApi, FaultsOfTheAddressAreSaidAtTheStart) {
    house.daemon_section = "  listen: 0.0.0.0:8480\n";
    house.configure(shop({"[product]"}));
    auto daemon = house.try_start();
    EXPECT_EQ(daemon->wait(), 78);
    EXPECT_THAT(daemon->standard_error(),
                HasSubstr("daemon.listen is reachable from the network without TLS"));

    begin();
    House second;
    second.daemon_section = "  listen: 127.0.0.1:" + std::to_string(port) + "\n";
    second.configure(shop({"[product]"}));
    daemon = second.try_start();
    EXPECT_EQ(daemon->wait(), 78);
    EXPECT_THAT(daemon->standard_error(), HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(port)));
}

}  // namespace
}  // namespace liaison_system
