#include "lightspeed_house.hpp"

#include "connecting.hpp"

namespace liaison_system {
namespace {

constexpr char settings_text[] =
    R"(    credentials:
      client_id: !file @ROOT@/secrets/till-id
      client_secret: !file @ROOT@/secrets/till-secret
    limits: { requests_per_second: 1000, burst: 1000 }
    settings:
      series: k
      production_url: @SIM@/lightspeed
      login_url: @SIM@/lightspeed_login/prod
      locations: ["9107199254740993"]
      currency: EUR
      summer_time: none
      payment_methods: { CB: card, CASH: cash }
      items: { default_accounting_group: "40570261078058" }
)";

std::string file_entity(const std::string& name, const std::string& fields) {
    return "        " + name + ":\n          folder: @ROOT@/in\n          pattern: \"" + name +
           "*.csv\"\n          processed: @ROOT@/done\n          key: [id]\n          fields:\n" + fields;
}

}  // namespace

std::string lightspeed(const Options& options, const std::string& direction, const std::string& settings) {
    return "  till:\n    tenant: hotel\n    connector: lightspeed\n    direction: " + direction +
           "\n    entities: " + options.entities + "\n    schedule: " + options.schedule + "\n" +
           options.more + settings_text + settings;
}

void write_lightspeed_credentials(const House& house) {
    house.write("secrets/till-id", "devp-v2-prod");
    house.write("secrets/till-secret", "ls-secret");
}

void connect_lightspeed(const House& house) {
    (void)connect_in_browser(house, "till", "https://liaison.example/callback");
}

std::string menu_import(const Options& options) {
    return "  menu:\n    tenant: hotel\n    connector: csv\n    direction: import\n    entities: " +
           options.entities + "\n    schedule: " + options.schedule + "\n" + options.more +
           "    settings:\n      entities:\n" +
           file_entity(
               "menu_item",
               "            /sku: sku\n            /name: name\n            /active: { value: true }\n"
               "            /sales_price: price\n            /currency: { value: EUR }\n") +
           file_entity("price",
                       "            /menu_item_ref: item\n            /kind: { value: list }\n"
                       "            /unit_price: price\n            /currency: { value: EUR }\n");
}

std::string menu_items_file(int items, const std::string& price) {
    std::string text = "id,sku,name,price\n";
    for (int i = 1; i <= items; ++i) {
        const std::string number = std::to_string(i);
        text += "M" + number + ",SKU-" + number + ",Plat du jour " + number + "," + price + "\n";
    }
    return text;
}

}  // namespace liaison_system
