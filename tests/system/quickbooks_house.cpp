#include "quickbooks_house.hpp"

#include <gtest/gtest.h>

#include "connecting.hpp"
#include "until.hpp"

namespace liaison_system {
namespace json = boost::json;
namespace {

constexpr char settings_text[] =
    R"(    credentials:
      client_id: !file @ROOT@/secrets/qb-id
      client_secret: !file @ROOT@/secrets/qb-secret
    limits: { requests_per_second: 1000, requests_per_minute: 100000, burst: 1000, pause_after_429: 1s }
    settings:
      base_url: @SIM@/quickbooks
      authorize_url: @SIM@/intuit/connect/oauth2
      token_url: @SIM@/intuit/oauth2/v1/tokens/bearer
      realm_id: "4620816365000000000"
      currency: EUR
      items: { name: sku, income_account: "79", expense_account: "80", asset_account: "81" }
)";

}  // namespace

std::string quickbooks(const Options& options, const std::string& direction, const std::string& settings) {
    return "  books:\n    tenant: wholesaler\n    connector: quickbooks\n    direction: " + direction +
           "\n    entities: " + options.entities + "\n    schedule: " + options.schedule + "\n" +
           options.more + settings_text + settings;
}

void write_quickbooks_credentials(const House& house) {
    house.write("secrets/qb-id", "qb-client");
    house.write("secrets/qb-secret", "qb-secret");
}

void connect_quickbooks(const House& house) {
    const json::object account = connect_in_browser(house, "books", "http://localhost:8765/callback");
    ASSERT_EQ(text_of(account, "realmId"), "4620816365000000000");
}

void connect_and_run_quickbooks(const House& house) {
    const auto newest = [&] {
        const auto runs = house.runs("books");
        return runs.empty() ? 0 : number_of(runs.front(), "id");
    };
    const std::int64_t before = newest();
    connect_quickbooks(house);
    ASSERT_TRUE(until([&] { return newest() > before; }));
    house.wait_for_run(newest());
}

}  // namespace liaison_system
