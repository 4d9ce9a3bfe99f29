#include "sap_b1_house.hpp"

#include <gtest/gtest.h>

#include "hub.hpp"

namespace liaison_system {
namespace json = boost::json;

std::string sap_b1(const Options& options, const std::string& direction, const std::string& settings) {
    return "  sap:\n    tenant: wholesaler\n    connector: sap_b1\n    direction: " + direction +
           "\n    entities: " + options.entities + "\n    schedule: " + options.schedule + "\n" +
           options.more +
           "    credentials: { username: !file @ROOT@/secrets/sap-user, "
           "password: !file @ROOT@/secrets/sap-password }\n"
           "    settings: { server: \"@SIM@\", company_db: SBODEMODE, currency: EUR" +
           (settings.empty() ? "" : ", " + settings) + " }\n";
}

void write_sap_b1_credentials(const House& house) {
    house.write("secrets/sap-user", "manager");
    house.write("secrets/sap-password", "sap-password");
}

void renew_cancelled_orders(const House& house) {
    for (const json::value& order : vendor_records(house, "shop/orders")) {
        if (text_of(order.as_object(), "status") != "cancelled") continue;
        const std::string id = std::to_string(number_of(order.as_object(), "id"));
        ASSERT_EQ(house.sim("PUT", "shop/orders/" + id, R"({"status":"new"})").status, 200u);
    }
}

}  // namespace liaison_system
