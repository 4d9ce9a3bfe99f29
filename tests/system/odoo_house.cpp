#include "odoo_house.hpp"

namespace liaison_system {

std::string odoo(const OdooServer& server, const std::string& direction, const Options& options,
                 const std::string& settings) {
    return "  odoo:\n    tenant: wholesaler\n    connector: odoo\n    direction: " + direction +
           "\n    entities: " + options.entities + "\n    schedule: " + options.schedule + "\n" +
           options.more +
           "    credentials: { api_key: !file @ROOT@/secrets/odoo-key }\n    settings:\n"
           "      url: @SIM@/odoo\n      database: " +
           server.database + "\n      login: bot@paradise.example\n      transport: " + server.transport +
           "\n      page_size: 50\n" + settings;
}

void write_odoo_credentials(const House& house) { house.write("secrets/odoo-key", "odoo-key"); }

}  // namespace liaison_system
