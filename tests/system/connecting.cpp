#include "connecting.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace liaison_system {
namespace json = boost::json;

json::object connect_in_browser(const House& house, const std::string& integration,
                                const std::string& redirect_uri) {
    const std::string socket = (house.root() / "socket").string(),
                      target = "/api/v1/integrations/" + integration + "/connect";
    const json::object redirect{{"redirect_uri", redirect_uri}};
    const Reply asked = ask_socket(socket, {"POST", target, json::serialize(redirect)});
    EXPECT_EQ(asked.status, 200u) << json::serialize(asked.body);
    if (asked.status != 200) return {};
    const std::string url = text_of(asked.body.as_object(), "url");
    EXPECT_EQ(url.find(house.sim_url()), 0u) << url;
    const Reply sent = house.at_sim("GET", url.substr(house.sim_url().size()));
    EXPECT_EQ(sent.status, 302u) << url;
    const json::object callback{{"callback", sent.location}};
    const Reply done = ask_socket(socket, {"POST", target + "/finish", json::serialize(callback)});
    EXPECT_EQ(done.status, 200u) << json::serialize(done.body) << sent.location;
    if (done.status != 200) return {};
    const json::value* account = done.body.as_object().if_contains("account");
    return account != nullptr && account->is_object() ? account->get_object() : json::object();
}

}  // namespace liaison_system
