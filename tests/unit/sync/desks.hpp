// Two systems that both edit the same records, and the house between them in virtual time.
#pragma once

#include <gtest/gtest.h>

#include "sync/decisions.hpp"
#include "sync/engine.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::sync_test {

// A system whose records can be read, written and deleted by many: versions, If-Match, change times, and a
// search by reference. Names longer than `name_limit` are cut, as vendors do.
struct Desk {
    struct Row {
        int version = 1;
        std::int64_t changed = 0;
        std::string sku, name, note, reference;
    };
    const World* world = nullptr;
    std::map<std::string, Row> rows;
    std::string unlisted;  // the id of one that its search finds before its list has it
    std::size_t name_limit = 100;
    int next = 1, writes = 0;
    bool precondition = true, refuses_deletes = false, answers_updates = true, answers_creates = true,
         lists = true;

    void edit(const std::string& id, const std::string& field, const std::string& value) {
        Row& row = rows.at(id);
        (field == "name" ? row.name : row.note) = value;
        ++row.version;
        row.changed = to_unix_ms(world->now());
    }
    // A new version that shows what the last one showed.
    void touch(const std::string& id) { edit(id, "name", rows.at(id).name); }
    std::string add(const std::string& sku, const std::string& name) {
        const std::string id = "D" + std::to_string(next++);
        rows[id] = {1, to_unix_ms(world->now()), sku, name, "n", {}};
        return id;
    }
    http::Response operator()(const http::Request& request) {
        const std::string id = request.url.substr(request.url.rfind('/') + 1);
        if (request.method == "GET" && request.url.find("/items/") != std::string::npos)
            return rows.contains(id) ? answer_json(200, shown(id)) : answer_json(404, json::object{});
        if (request.method == "GET") return lists ? list(request) : answer_json(400, json::object{});
        ++writes;
        if (request.method == "DELETE" && refuses_deletes) return answer_json(500, json::object{});
        if (request.method != "POST" && is_outdated(id, request)) return answer_json(412, json::object{});
        if (request.method == "DELETE") {
            rows.erase(id);
            return answer_json(204, json::object{});
        }
        const json::object body = json::parse(request.body).as_object();
        if (request.method == "POST") {
            const std::string made = "D" + std::to_string(next++);
            rows[made] = {};
            http::Response answer = store_into(made, body, 201);
            if (!answers_creates) answer.failure = http::Response::Failure::unknown;
            return answer;
        }
        if (!rows.contains(id)) return answer_json(404, json::object{});
        ++rows.at(id).version;
        http::Response answer = store_into(id, body, 200);
        if (!answers_updates) answer.failure = http::Response::Failure::unknown;
        return answer;
    }

  private:
    bool is_outdated(const std::string& id, const http::Request& request) const {
        if (!precondition || !rows.contains(id)) return false;
        const std::string version = std::to_string(rows.at(id).version);
        return std::any_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
            return header.first == "If-Match" && header.second != version;
        });
    }
    json::object shown(const std::string& id) const {
        const Row& row = rows.at(id);
        return {{"id", id},
                {"version", std::to_string(row.version)},
                {"changed", row.changed},
                {"sku", row.sku},
                {"name", row.name},
                {"note", row.note},
                {"reference", row.reference}};
    }
    http::Response store_into(const std::string& id, const json::object& body, unsigned status) {
        Row& row = rows.at(id);
        const auto text = [&](const char* key, std::string& into) {
            if (const json::value* value = body.if_contains(key)) into = value->as_string();
        };
        text("sku", row.sku);
        text("name", row.name);
        text("note", row.note);
        text("reference", row.reference);
        row.name = row.name.substr(0, name_limit);
        row.changed = to_unix_ms(world->now());
        return answer_json(status, shown(id));
    }
    http::Response list(const http::Request& request) const {
        json::array items;
        const std::string reference = query_of(request, "reference");
        for (const auto& [id, row] : rows) {
            if (reference.empty() ? id != unlisted : row.reference == reference) items.push_back(shown(id));
        }
        return answer_json(200, json::object{{"items", items}});
    }
};

inline std::shared_ptr<sync::Link> desk_link(const std::string& name) {
    auto link = make_link(
        name,
        R"({"base_url":"http://)" + name +
            R"(.example","auth":{"scheme":"none"},"entities":{"product":{"key":"/id","version":"/version",
        "changed":"/changed","effect":"findable",
        "list":{"path":"/items","items":"/items","paging":{"style":"none"}},
        "fields":{"/name":"/name","/sku":"/sku","/description":"/note"},
        "create":{"method":"POST","path":"/items","reference":{"field":"/reference"},"id":"/id","version":"/version"},
        "update":{"method":"PUT","path":"/items/{key}","if_match":true,"version":"/version"},
        "delete":{"path":"/items/{key}"},
        "find":{"path":"/items","param":"reference","items":"/items","id":"/id","version":"/version","match":"/reference","key_path":"/items/{key}"}}}})",
        true, "http://" + name + ".example");
    config::Entity& product = link->config.entities[0];
    product.exports = true;
    product.conflict = config::ConflictPolicy::manual;
    link->complete_listings = {"product"};
    link->config.settle = Milliseconds(1000);
    return link;
}

// Two desks, front and back, whose products go both ways through the hub.
class Desks : public testing::Test {
  protected:
    void SetUp() override {
        for (Desk* desk : {front.get(), back.get()}) desk->world = &world;
    }
    void start() { house.start({front_link, back_link}); }
    // Until nothing happens any more.
    void sync() {
        for (int pass = 0; pass < 3; ++pass) {
            house.run("front");
            house.run("back");
        }
    }
    store::Database& database() { return house.store.database(); }
    const Desk::Row& other(const std::string& sku) const {
        for (const auto& [id, row] : back->rows) {
            if (row.sku == sku) return row;
        }
        static const Desk::Row none;
        return none;
    }
    std::string back_id(const std::string& sku) const {
        for (const auto& [id, row] : back->rows) {
            if (row.sku == sku) return id;
        }
        return {};
    }
    std::vector<store::Conflict> conflicts() { return database().conflicts({}).value(); }
    std::string decide(const sync::ConflictChoice& choice) {
        const auto told =
            sync::resolve_conflict(database(), conflicts().at(0).id, choice, world.now(), world);
        return told ? *told : told.error().message;
    }

    World world{7};
    std::shared_ptr<Desk> front = std::make_shared<Desk>(), back = std::make_shared<Desk>();
    SimNetwork network{world,
                       {{"http://front.example:80", [this](const http::Request& r) { return (*front)(r); }},
                        {"http://back.example:80", [this](const http::Request& r) { return (*back)(r); }}}};
    TempDir directory;
    SimHouse house{world, network, directory.path()};
    std::shared_ptr<sync::Link> front_link = desk_link("front"), back_link = desk_link("back");
};

}  // namespace liaisond::sync_test
