#include "backoffice.hpp"
#include "booking.hpp"
#include "intuit.hpp"
#include "lightspeed.hpp"
#include "lightspeed_login.hpp"
#include "odoo.hpp"
#include "pms.hpp"
#include "quickbooks.hpp"
#include "sap_b1.hpp"
#include "shop.hpp"
#include "vendor.hpp"

namespace liaison_sim {

std::vector<std::unique_ptr<Vendor>> make_vendors() {
    std::vector<std::unique_ptr<Vendor>> vendors;
    vendors.push_back(std::make_unique<Shop>());
    vendors.push_back(std::make_unique<Pms>());
    vendors.push_back(std::make_unique<Backoffice>());
    vendors.push_back(std::make_unique<SapB1>());
    vendors.push_back(std::make_unique<Odoo>());
    vendors.push_back(std::make_unique<Booking>());
    const auto tokens = std::make_shared<TokenBook>();
    vendors.push_back(std::make_unique<Intuit>(tokens));
    vendors.push_back(std::make_unique<QuickBooks>(tokens));
    const auto till_tokens = LightspeedLogin::new_book("prod");
    vendors.push_back(std::make_unique<LightspeedLogin>(till_tokens));
    vendors.push_back(std::make_unique<Lightspeed>(till_tokens));
    return vendors;
}

}  // namespace liaison_sim
