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

}  // namespace liaison_system
