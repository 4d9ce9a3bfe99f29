#include "control.hpp"

#include "ledger.hpp"

namespace liaison_sim {
namespace {

Response no_content() {
    Response response;
    response.status = 204;
    return response;
}

// ?raw=true stores a record unchecked and uncompleted, to show what a broken vendor would send.
bool is_raw(const Request& request) {
    const Params params(request, {"raw"});
    const auto raw = params.text("raw");
    if (raw && *raw != "true" && *raw != "false") {
        refuse(400, "bad_parameter", "query parameters refused", {{"raw", "must be true or false"}});
    }
    return raw == "true";
}

Json strings(const std::vector<std::string>& from) {
    Json list = Json::array();
    for (const auto& text : from) list.items().push_back(Json::string(text));
    return list;
}

}  // namespace

Control::Control(const std::vector<std::unique_ptr<Vendor>>& vendors) : vendors_(vendors) {
    using http::verb;
    routes_.add(verb::get, "_sim", [this](const Request&) { return index(); });
    routes_.add(verb::post, "_sim/reset", [this](const Request&) { return reset(); });
    routes_.add(verb::get, "_sim/stats", [this](const Request&) { return all_stats(); });
    routes_.add(verb::get, "_sim/secrets", [](const Request&) {
        Json body = Json::object();
        return json_response(200, body.set("secrets", strings(secrets())).serialize());
    });
    routes_.add(verb::post, "_sim/stats/reset", [this](const Request&) { return reset_stats(); });
    routes_.add(verb::get, "_sim/*/stats", [this](const Request& request) {
        return json_response(200, vendor(request).stats().to_json().serialize());
    });
    routes_.add(verb::get, "_sim/*/switches",
                [this](const Request& request) { return vendor(request).switches(); });
    routes_.add(verb::put, "_sim/*/switches",
                [this](const Request& request) { return vendor(request).set_switches(parse_body(request)); });
    add_vendor_routes();
}

void Control::add_vendor_routes() {
    using http::verb;
    routes_.add(verb::post, "_sim/*/*/seed", [this](const Request& request) {
        return vendor(request).seed(request.segments[2], parse_body(request));
    });
    routes_.add(verb::get, "_sim/*/*/count",
                [this](const Request& request) { return vendor(request).count(request.segments[2]); });
    routes_.add(verb::get, "_sim/*/*",
                [this](const Request& request) { return vendor(request).dump(request.segments[2]); });
    routes_.add(verb::post, "_sim/*/*", [this](const Request& request) {
        return vendor(request).create(request.segments[2], parse_body(request), is_raw(request));
    });
    routes_.add(verb::put, "_sim/*/*/*", [this](const Request& request) {
        const auto& path = request.segments;
        return vendor(request).upsert(path[2], path[3], parse_body(request), is_raw(request));
    });
    routes_.add(verb::delete_, "_sim/*/*/*", [this](const Request& request) {
        return vendor(request).remove(request.segments[2], request.segments[3]);
    });
}

Vendor& Control::vendor(const Request& request) const {
    for (const auto& vendor : vendors_) {
        if (vendor->name() == request.segments[1]) return *vendor;
    }
    refuse(404, "not_found", "no vendor " + request.segments[1]);
}

Response Control::index() const {
    Json vendors = Json::array();
    for (const auto& vendor : vendors_) {
        Json one = Json::object();
        one.set("name", Json::string(vendor->name())).set("prefix", Json::string(vendor->prefix()));
        one.set("entities", strings(vendor->entities())).set("endpoints", strings(vendor->endpoints()));
        vendors.items().push_back(std::move(one));
    }
    Json body = Json::object();
    body.set("vendors", std::move(vendors)).set("control", strings(routes_.listing()));
    return json_response(200, body.serialize());
}

Response Control::all_stats() const {
    Stats total;
    Json each = Json::object();
    for (const auto& vendor : vendors_) {
        const Stats stats = vendor->stats();
        total.add(stats);
        each.set(vendor->name(), stats.to_json());
    }
    Json body = total.to_json();
    return json_response(200, body.set("vendors", std::move(each)).serialize());
}

Response Control::reset() const {
    for (const auto& vendor : vendors_) vendor->reset();
    return no_content();
}

Response Control::reset_stats() const {
    for (const auto& vendor : vendors_) vendor->reset_stats();
    return no_content();
}

}  // namespace liaison_sim
