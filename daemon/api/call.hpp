// Call: one request to the API, understood: who asks, about which tenant, with which parameters.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "access/principal.hpp"
#include "base/time.hpp"
#include "store/types.hpp"
#include "web/message.hpp"

namespace liaisond::api {

struct Route;

struct Call {
    // A parameter of the path or the query; empty where it is not there.
    std::string text(std::string_view name) const;
    bool flag(std::string_view name) const { return text(name) == "true"; }
    // What the router has checked to be a whole number; `otherwise` where it is not there.
    std::int64_t number(std::string_view name, std::int64_t otherwise = 0) const;
    // Likewise an instant; epoch where it is not there.
    Instant instant(std::string_view name) const;
    // A text member of the body; empty where it is not there.
    std::string body_text(std::string_view key) const;
    // What lists are filtered by: the parameters of that name, and in any case the caller's tenant.
    store::Filter filter() const;
    bool sees(std::string_view other) const { return tenant.empty() || tenant == other; }

    const Route* route = nullptr;
    web::Request request;  // its body and headers
    std::map<std::string, std::string, std::less<>> parameters;
    boost::json::value body;  // checked by the route's schema; null: none
    access::Principal who;
    std::string tenant;  // the only one that this call may see or touch; empty: all
    web::Reply answer;
};

}  // namespace liaisond::api
