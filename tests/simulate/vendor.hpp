// Vendor: a strict model of somebody else's REST service, written from its own point of view. It checks what
// it is sent, keeps a ledger of what it executed, and reports what no correct client would do. [one thread]
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http/transport.hpp"
#include "plugin/manifest.hpp"
#include "simulate/world.hpp"

namespace liaisond::simulate {

namespace json = boost::json;

enum class Listing : std::uint8_t {
    pages,        // numbered pages over everything, by id
    pages_since,  // numbered pages over what changed since, by id
    keyset_since  // a cursor over what changed since, by change time
};

struct VendorSpec {
    std::string name;
    plugin::EffectClass effect = plugin::EffectClass::findable;
    Listing listing = Listing::pages;
    bool has_etags = false;         // versions in answers, If-Match on updates
    bool unique_reference = false;  // a second create with one reference is answered 409
    Milliseconds index_lag{0};      // until a new record can be found by its reference
    Milliseconds key_life{24 * 3'600'000};
    std::size_t largest_page = 50;
    std::string token = "token-of-the-vendor";
};

class Vendor {
  public:
    struct Row {
        std::string id, reference;
        json::object content;  // its fields, without id and the like
        std::int64_t version = 1;
        Instant created, changed;
        bool deleted = false;
        bool by_us = false;         // who wrote it last
        mutable std::string shown;  // as JSON, until it changes
    };
    using Table = std::map<std::string, Row>;  // by id

    Vendor(World& world, VendorSpec spec) : spec(std::move(spec)), world_(world) {}

    http::Response handle(const http::Request& request);

    // What its own people do.
    std::string add(const std::string& entity, json::object content);
    void edit(const std::string& entity, const std::string& id, const std::string& field, std::string value);
    void renew(const std::string& entity, const std::string& id);  // another version of the same
    void bury(const std::string& entity, const std::string& id);

    Table& table(const std::string& entity) { return tables_[entity]; }
    // Creates executed per reference.
    const std::map<std::string, int>& ledger() const { return ledger_; }
    // What no correct client does; each with what was seen.
    std::vector<std::string> violations;
    const VendorSpec spec;

  private:
    struct Kept {
        std::string body;
        http::Response answer;
        Instant until;
    };
    http::Response list(const std::string& entity, const http::Request& request);
    http::Response find(const std::string& entity, const std::string& reference);
    http::Response create(const std::string& entity, const http::Request& request);
    http::Response replace(const std::string& entity, const std::string& key, const http::Request& request);
    http::Response remove(const std::string& entity, const std::string& id);
    std::optional<http::Response> refuse(const std::string& entity, const json::object& content);
    const std::vector<const Row*>& rows_of(const std::string& entity);
    Row& insert(const std::string& entity, json::object content, const std::string& id);
    http::Response shown(unsigned status, const Row& row) const;
    const std::string& item(const Row& row) const;
    void touch(Row& row);

    World& world_;
    std::map<std::string, Table> tables_;
    std::map<std::string, std::vector<const Row*>> in_order_;  // of tables_
    std::map<std::string, int> ledger_;
    std::map<std::string, Kept> keys_;
    Instant last_change_{};
    std::map<std::string, int> next_id_;
};

http::Response answer_json(unsigned status, const json::value& body);
std::string query_of(const std::string& url, const std::string& name);
// "product" of /product/7?x=1, and "7".
std::pair<std::string, std::string> path_of(const std::string& url);
std::string header_of(const http::Headers& headers, std::string_view name);

}  // namespace liaisond::simulate
