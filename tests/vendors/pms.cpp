#include "pms.hpp"

#include <boost/beast/core/detail/base64.hpp>

#include <array>
#include <cstdio>
#include <map>

#include "instant.hpp"
#include "shop_data.hpp"

namespace liaison_sim {
namespace {

constexpr std::int64_t max_per_page = 200;
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::array<std::pair<const char*, std::int64_t>, 2> houses_rooms{{{"DBL", 24}, {"SGL", 8}}};

Entity reservation_entity() {
    using namespace field;
    return {"reservations",
            "id",
            "modified_at",
            "reference",
            "R",
            6,
            false,
            {read_only(text("id")), text("reference", 100), text("channel", 40),
             choice("status", {"confirmed", "checked_in", "checked_out", "cancelled", "no_show"}),
             optional(text("guest_name")), date("arrival"), date("departure"), text("room_type", 40),
             optional(text("rate_plan", 40)), integer("adults", 0, 99), optional(integer("children", 0, 99)),
             decimal("total", 2), currency("currency"), optional(text("notes", 4000)),
             read_only(instant("modified_at"))}};
}

std::string base64(const std::string& text) {
    namespace codec = boost::beast::detail::base64;
    std::string out(codec::encoded_size(text.size()), '\0');
    out.resize(codec::encode(out.data(), text.data(), text.size()));
    return out;
}

// Change times are unique per collection, so they make a strong validator.
std::string etag(const Record& record) {
    char text[32];
    std::snprintf(text, sizeof text, "\"%llx\"", static_cast<unsigned long long>(record.stamp_ms));
    return text;
}

bool is_listed(std::string header, const std::string& tag) {
    for (std::size_t at = 0; at < header.size();) {
        const std::size_t comma = std::min(header.find(',', at), header.size());
        std::string one = header.substr(at, comma - at);
        std::erase_if(one, [](char c) { return c == ' ' || c == '\t'; });
        if (one == "*" || one == tag) return true;
        at = comma + 1;
    }
    return false;
}

std::string encoded(std::string_view text) {
    static constexpr std::string_view plain = "-._~:";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            char hex[8];
            std::snprintf(hex, sizeof hex, "%%%02X", byte);
            out += hex;
        }
    }
    return out;
}

std::string next_link(const Request& request, std::int64_t page, std::int64_t per_page) {
    std::string url = "http://" + request.header("Host") + "/pms/reservations?";
    for (const auto& [name, value] : request.query) {
        if (name == "page" || name == "per_page") continue;
        url += name + "=" + encoded(value) + "&";
    }
    return "<" + url + "page=" + std::to_string(page + 1) + "&per_page=" + std::to_string(per_page) +
           ">; rel=\"next\"";
}

}  // namespace

Pms::Pms()
    : Vendor("pms", "/pms", {{"user", "pms"}, {"password", "pms-password"}}),
      reservations_(add_entity(reservation_entity())) {
    route(http::verb::get, "ping", &Pms::ping);
    route(http::verb::get, "reservations", &Pms::list);
    route(http::verb::get, "availability", &Pms::availability);
    route(http::verb::post, "reservations", &Pms::create);
    route(http::verb::get, "reservations/*", &Pms::get_one);
    route(http::verb::put, "reservations/*", &Pms::replace);
    route(http::verb::delete_, "reservations/*", &Pms::erase);
}

bool Pms::is_authorized(const Request& request) const {
    return request.header("Authorization") ==
           "Basic " + base64(credential("user") + ":" + credential("password"));
}

Response Pms::ping(const Request& request) {
    const Params none(request, {});
    return json_response(200, R"({"property":"Hotel Bellevue","currency":"EUR"})");
}

Response Pms::list(const Request& request) {
    const Params params(request, {"modified_since", "reference", "page", "per_page"});
    const std::int64_t page = params.integer("page", 1, 1, 1'000'000'000);
    const std::int64_t per_page = params.integer("per_page", 100, 1, max_per_page);
    const auto since = params.instant("modified_since");
    const auto reference = params.text("reference");
    const auto first = static_cast<std::size_t>((page - 1) * per_page);
    const auto wanted = static_cast<std::size_t>(per_page);
    std::vector<const Record*> records;
    if (reference) {
        records = search(reservations_, *reference);
        std::erase_if(records, [&](const Record* record) { return since && record->stamp_ms < *since; });
        records.erase(records.begin(),
                      records.begin() + static_cast<std::ptrdiff_t>(std::min(first, records.size())));
        records.resize(std::min(records.size(), wanted + 1));
    } else {
        records = reservations_.slice(since, first, wanted + 1);
    }
    const bool has_more = records.size() > wanted;
    if (has_more) records.pop_back();
    std::string body = R"({"reservations":)";
    append_array(body, records);
    Response response = json_response(200, body + "}");
    if (has_more) response.with("Link", next_link(request, page, per_page));
    return response;
}

Response Pms::availability(const Request& request) {
    const Params params(request, {"days"});
    const std::int64_t today = now_ms() / day_ms, days = params.integer("days", 60, 1, 365);
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> sold;
    for (const Record* record : reservations_.slice(std::nullopt, 0, reservations_.size())) {
        std::string error;
        const Json one = Json::parse(record->json, error).value_or(Json::object());
        const std::string status = one.text_of("status");
        if (status == "cancelled" || status == "no_show") continue;
        const auto day_of = [&](const char* field) {
            return parse_instant(one.text_of(field) + "T00:00:00Z").value_or(0) / day_ms;
        };
        const std::int64_t arrival = day_of("arrival"), departure = day_of("departure");
        for (std::int64_t day = std::max(arrival, today); day < std::min(departure, today + days); ++day)
            ++sold[{one.text_of("room_type"), day}];
    }
    std::string body = R"({"days":[)";
    for (const auto& [room, rooms] : houses_rooms) {
        for (std::int64_t day = today; day < today + days; ++day) {
            ObjectWriter json;
            json.string("id", room + ("-" + format_date(day)))
                .string("room_type", room)
                .string("date", format_date(day));
            json.integer("free", std::max<std::int64_t>(0, rooms - sold[{room, day}]));
            body += (body.back() == '[' ? "" : ",") + json.take();
        }
    }
    return json_response(200, body + "]}");
}

Response Pms::get_one(const Request& request) {
    const Params none(request, {});
    const Record& record = record_or_404(reservations_, request.segments[1]);
    Response response = json_response(200, record.json);
    if (is_listed(request.header("If-None-Match"), etag(record))) {
        response = Response{};
        response.status = 304;
    }
    return response.with("ETag", etag(record));
}

Json Pms::checked_body(const Request& request) const {
    Json body = parse_body(request);
    auto errors = validate(body, reservations_.entity().schema, Origin::vendor_call);
    const bool is_backwards = body.text_of("departure") < body.text_of("arrival");
    if (errors.empty() && is_backwards) errors.push_back({"/departure", "must not be before arrival"});
    if (!errors.empty()) refuse(422, "validation_failed", "the reservation is refused", errors);
    return body;
}

Response Pms::create(const Request& request) {
    const Params none(request, {});
    Json body = checked_body(request);
    if (reservations_.has_lookup(body.text_of("reference"))) ++stats_.duplicates;
    const std::string id = reservations_.id_of(reservations_.next_number());
    const Record& record = reservations_.put(id, std::move(body));
    Response response = json_response(201, record.json);
    response.committed = true;
    return response.with("Location", "/pms/reservations/" + id).with("ETag", etag(record));
}

const Record& Pms::matched(const Request& request) const {
    const Record& record = record_or_404(reservations_, request.segments[1]);
    const std::string wanted = request.header("If-Match");
    if (wanted.empty()) refuse(428, "precondition_required", "If-Match is required");
    if (!is_listed(wanted, etag(record))) refuse(412, "precondition_failed", "the reservation has changed");
    return record;
}

Response Pms::replace(const Request& request) {
    const Params none(request, {});
    const std::string id = matched(request).id;
    const Record& record = reservations_.put(id, checked_body(request));
    Response response = json_response(200, record.json);
    response.committed = true;
    return response.with("ETag", etag(record));
}

Response Pms::erase(const Request& request) {
    const Params none(request, {});
    const std::string id = matched(request).id;
    reservations_.erase(id);
    Response response;
    response.status = 204;
    response.committed = true;
    return response;
}

Vendor::Generated Pms::generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                                std::int64_t stamp_ms) {
    constexpr std::array<const char*, 4> channels{"booking_com", "expedia", "airbnb", "direct"};
    constexpr std::array<const char*, 4> rooms{"STD", "DBL", "SUP", "SUITE"};
    constexpr std::array<const char*, 5> guests{"Claire Durand", "Jean Lefèvre", "Sofia Rossi",
                                                "Paul O'Connor", "Inès Benali"};
    const auto choose = [](shop_data::Random& random, const auto& from) {
        return from[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(from.size())))];
    };
    shop_data::Random random(seed + 4, number);
    const std::int64_t arrival = stamp_ms / day_ms + random.below(180), nights = 1 + random.below(7);
    std::string reference = "SEED-" + shop_data::padded(number, 8);
    ObjectWriter json;
    json.string("id", collection.id_of(number)).string("reference", reference);
    json.string("channel", choose(random, channels)).string("status", "confirmed");
    json.string("guest_name", choose(random, guests)).string("arrival", format_date(arrival));
    json.string("departure", format_date(arrival + nights)).string("room_type", choose(random, rooms));
    json.string("rate_plan", "BAR")
        .integer("adults", 1 + random.below(3))
        .integer("children", random.below(3));
    json.string("total", shop_data::cents(nights * (6000 + random.below(24000)))).string("currency", "EUR");
    return {json.string("modified_at", format_instant(stamp_ms)).take(), std::move(reference)};
}

}  // namespace liaison_sim
