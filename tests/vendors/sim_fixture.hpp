// A simulator on a free port for each test, clients with the right credentials, and sample bodies.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "server.hpp"
#include "sim_client.hpp"

namespace liaison_sim {

inline const std::string reservation =
    R"({"reference":"L-1","channel":"airbnb","status":"confirmed","arrival":"2026-05-01",)"
    R"("departure":"2026-05-03",)"
    R"("room_type":"DBL","adults":2,"total":"240.50","currency":"EUR"})";
inline const std::string bo_product = R"({"label":"Riz","price":"12.5000","currency":"EUR","active":true})";
inline const std::string bo_order =
    R"({"external_ref":"X-1","customer_ref":"C1","currency":"EUR","total":"25.00",)"
    R"("lines":[{"product_code":"P1","quantity":"2","unit_price":"12.5000"}]})";

class SimTest : public testing::Test {
  protected:
    SimTest() : thread_([this] { server_.run(); }) {}
    ~SimTest() override {
        server_.stop();
        thread_.join();
    }

    Client control() { return Client(server_.port()); }
    Client shop(const std::string& token = "shop-token") {
        return {server_.port(), "Authorization", "Bearer " + token};
    }
    Client pms() { return {server_.port(), "Authorization", "Basic cG1zOnBtcy1wYXNzd29yZA=="}; }
    Client backoffice() { return {server_.port(), "X-Api-Key", "bo-key"}; }

    void seed(const std::string& entity, int count) {
        const std::string body = R"({"count":)" + std::to_string(count) + R"(,"seed":42})";
        ASSERT_EQ(control().post("/_sim/" + entity + "/seed", body).status, 200u);
    }
    void set(const std::string& vendor, const std::string& switches) {
        ASSERT_EQ(control().put("/_sim/" + vendor + "/switches", switches).status, 200u);
    }
    std::int64_t stat(const std::string& vendor, const std::string& name) {
        const Json stats = control().get("/_sim/" + vendor + "/stats").json();
        return stats.find(name)->as_integer().value_or(-1);
    }
    void know_references(Client& client) {
        ASSERT_EQ(client.put("/backoffice/v1/products/P1", bo_product).status, 201u);
        ASSERT_EQ(client.put("/backoffice/v1/customers/C1", R"({"name":"Hotel"})").status, 201u);
    }

    Server server_;
    std::thread thread_;
};

inline std::string first_field(const Client::Answer& answer) {
    const Json body = answer.json();
    const Json* error = body.find("error");
    const Json* fields = error ? error->find("fields") : nullptr;
    return fields && !fields->items().empty() ? fields->items()[0].text_of("field") : "";
}

inline std::string code(const Client::Answer& answer) {
    const Json body = answer.json();
    const Json* error = body.find("error");
    return error ? error->text_of("code") : "";
}

// Ids of a page, each of which must be new.
inline void collect(const Json* page, std::set<std::string>& ids) {
    ASSERT_NE(page, nullptr);
    for (const Json& item : page->items()) EXPECT_TRUE(ids.insert(item.text_of("id")).second);
}

}  // namespace liaison_sim
