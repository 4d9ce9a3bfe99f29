#include "booking.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "instant.hpp"
#include "ledger.hpp"
#include "shop_data.hpp"

namespace liaison_sim {

namespace {

constexpr std::int64_t day_ms = 86'400'000, hour_ms = 3'600'000;
constexpr char space[] = "http://www.opentravel.org/OTA/2003/05";

Entity entity(const char* name, const char* prefix, std::size_t width) {
    return {name, "id", "_changed", "", prefix, width, false, {}};
}

Response xml_response(unsigned status, std::string body) {
    Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "text/xml; charset=UTF-8");
    response.body = std::move(body);
    return response;
}

[[noreturn]] void refuse_xml(unsigned status, const std::string& code, const std::string& text) {
    throw Refusal{xml_response(
        status, "<errors><error code=\"" + code + "\"><message>" + text + "</message></error></errors>")};
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

// Days since 1970; nothing for what is no date.
std::optional<std::int64_t> day_of(const std::string& date) {
    if (!is_date(date)) return std::nullopt;
    const auto instant = parse_instant(date + "T00:00:00Z");
    return instant ? std::optional(*instant / day_ms) : std::nullopt;
}

std::string element(const std::string& name, const std::string& text) {
    return text.empty() ? "" : "<" + name + ">" + escaped(text) + "</" + name + ">";
}

std::string money(const char* attribute, std::int64_t amount, const Json& record) {
    return std::string(attribute) + "=\"" + std::to_string(amount) + "\" DecimalPlaces=\"" +
           record.text_of("decimals") + "\" CurrencyCode=\"" + record.text_of("currency") + "\"";
}

std::int64_t integer_of(const Json& from, const char* name) {
    const Json* found = from.find(name);
    return found ? found->as_integer().value_or(0) : 0;
}
bool truth_of(const Json& from, const char* name) {
    const Json* found = from.find(name);
    return found && found->truth();
}
const std::vector<Json>& items_of(const Json& from, const char* name) {
    static const std::vector<Json> none;
    const Json* found = from.find(name);
    return found ? found->items() : none;
}

std::int64_t sum_of(const Json& room) {
    std::int64_t sum = 0;
    for (const Json& night : items_of(room, "nights")) sum += night.as_integer().value_or(0);
    return sum;
}

bool is_cancelled(const Json& record) { return record.text_of("status") == "cancelled"; }

Json document_of(const Record& record) {
    std::string error;
    return Json::parse(record.json, error).value_or(Json::object());
}

}  // namespace

Booking::Booking()
    : Vendor("booking", "/booking",
             {{"client_id", "booking-client"},
              {"client_secret", "booking-secret"},
              {"user", "booking-user"},
              {"password", "booking-password"}},
             {{"basic", "true"}, {"recovery", "true"}}),
      reservations_(add_entity(entity("reservations", "47059", 5))),
      availability_(add_entity(entity("availability", "A", 6))),
      rates_(add_entity(entity("rates", "P", 6))) {
    houses_["367456"] = {"EUR", 2, {"36745603", "36745604"}, {"1278606", "1278607VCC"}};
    houses_["400001"] = {"JPY", 0, {"40000101"}, {"4000011"}};
    for (const char* path : {"*/*/*", "*/*/*/*"}) {
        for (const auto method : {http::verb::get, http::verb::post}) route(method, path, &Booking::serve);
    }
}

void Booking::forget() {
    tokens_.clear();
    issued_ms_.clear();
    fresh_ms_ = changed_ms_ = posted_ms_ = 0;
    token_ms_ = hour_ms;
    tokens_an_hour_ = 30;
    poll_gap_ms_ = 20'000;
    after_post_ms_ = 5'000;
    message_ms_ = 1'800'000;
    fault_in_200_every_ = fault_in_200_seen_ = 0;
    missed_page_ = 50;
}

bool Booking::set_own(const std::string& name, const Json& value) {
    const std::map<std::string, std::int64_t*> numbers{
        {"token_ms", &token_ms_},       {"tokens_an_hour", &tokens_an_hour_},
        {"poll_gap_ms", &poll_gap_ms_}, {"after_post_ms", &after_post_ms_},
        {"message_ms", &message_ms_},   {"fault_in_200_every", &fault_in_200_every_},
        {"missed_page", &missed_page_},
    };
    if (name == "expire_tokens") {
        tokens_.clear();
        return true;
    }
    const auto found = numbers.find(name);
    if (found == numbers.end() || !value.as_integer()) return false;
    *found->second = *value.as_integer();
    return true;
}

void Booking::show_own(Json& switches) const {
    switches.set("token_ms", Json::integer(token_ms_)).set("poll_gap_ms", Json::integer(poll_gap_ms_));
    switches.set("after_post_ms", Json::integer(after_post_ms_))
        .set("message_ms", Json::integer(message_ms_));
}

// ---- credentials ----

std::optional<Response> Booking::turn_away(const Request& request) {
    const bool is_exchange = !request.segments.empty() && request.segments[0] == "auth";
    if (is_exchange || is_authorized(request)) return std::nullopt;
    // What stands in it differs per endpoint.
    const bool is_secure = !request.segments.empty() && request.segments[0] == "secure";
    return is_secure ? xml_response(401, "<html><body><h1>Authorization Required</h1></body></html>")
                     : xml_response(401, "<fault code=\"401\" string=\"Access denied\"/>");
}

bool Booking::is_authorized(const Request& request) const {
    const std::string given = request.header("Authorization");
    if (given.starts_with("Bearer ")) {
        const auto found = tokens_.find(given.substr(7));
        return found != tokens_.end() && found->second > now_ms();
    }
    return mode("basic") == "true" && given == "Basic Ym9va2luZy11c2VyOmJvb2tpbmctcGFzc3dvcmQ=";
}

Response Booking::unauthorized() const { return xml_response(401, "Access denied"); }
Response Booking::too_many() const { return xml_response(429, "Too Many Requests"); }  // no Retry-After

Response Booking::exchange(const Request& request) {
    const Json body = parse_body(request);
    for (const auto& [name, value] : body.members()) {
        if (name != "client_id" && name != "client_secret")
            throw Refusal{json_response(400, R"({"status":"400","message":"Unknown field"})")};
    }
    const std::int64_t now = now_ms();
    while (!issued_ms_.empty() && issued_ms_.front() <= now - hour_ms) issued_ms_.pop_front();
    if (static_cast<std::int64_t>(issued_ms_.size()) >= tokens_an_hour_)
        throw Refusal{json_response(429, R"({"status":"429","message":"Too many tokens"})")};
    issued_ms_.push_back(now);
    ++stats_.logins;
    if (body.text_of("client_id") != credential("client_id") ||
        body.text_of("client_secret") != credential("client_secret"))
        throw Refusal{json_response(401, R"({"status":"401","message":"Invalid credentials"})")};
    const std::string token =
        secret("eyJhbGciOiJSUzI1NiJ9.simulated-" + std::to_string(++last_token_) + ".c2ln");
    tokens_[token] = now + token_ms_;
    return json_response(200, R"({"jwt":")" + token + R"(","ruid":"UmFuZG9tSVY"})");
}

// ---- requests ----

Response Booking::serve(const Request& request) {
    std::string path;
    for (const std::string& segment : request.segments) path += "/" + segment;
    const bool posts = request.method == http::verb::post;
    if (path == "/auth/token-based-authentication/exchange" && posts) return exchange(request);
    if (stats_.in_flight > 1) return xml_response(429, "concurrent calls");
    if (fault_in_200_every_ > 0 && ++fault_in_200_seen_ % fault_in_200_every_ == 0) {
        ++stats_.faults;
        return xml_response(200,
                            "<OTA_HotelResNotifRS xmlns=\"" + std::string(space) +
                                "\"><Errors><Error Type=\"6\" Code=\"450\" ShortText=\"Unable to process\" "
                                "Status=\"NotProcessed\">try later</Error></Errors></OTA_HotelResNotifRS>");
    }
    const bool is_fresh = path.ends_with("/OTA_HotelResNotif"),
               is_changed = path.ends_with("/OTA_HotelResModifyNotif");
    if (is_fresh || is_changed) {
        if (path.starts_with("/supply/"))
            refuse_xml(403, "403", "Reservations are handed out by the secure host alone");
        return posts ? acknowledge(request, is_fresh) : deliver(request, is_fresh);
    }
    if (path == "/supply/reservations-flow-control/missed-reservations" && !posts) return missed(request);
    if (path == "/supply/hotels/xml/roomrates" && posts) return room_rates(request);
    if (path == "/supply/hotels/ota/OTA_HotelAvailNotif" && posts) return set_availability(request);
    if (path == "/supply/hotels/ota/OTA_HotelRateAmountNotif" && posts) return set_rates(request);
    refuse_xml(404, "404", "no such endpoint");
}

void Booking::patch(Collection& collection, const std::string& id, const Json& members) {
    const Record* record = collection.find(id);
    Json document = record ? document_of(*record) : Json::object();
    document.merge_patch(members);
    collection.put(id, std::move(document));
}

// ---- reservation messages ----

Vendor::Generated Booking::generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                                    std::int64_t stamp_ms) {
    if (&collection != &reservations_) return {"{}", ""};
    shop_data::Random random(seed, number);
    const std::int64_t first = stamp_ms / day_ms + 10 + random.below(200), nights = 1 + random.below(4);
    Json record = Json::object();
    record.set("id", Json::string(collection.id_of(number))).set("hotel_id", Json::string("367456"));
    record.set("status", Json::string("new"))
        .set("booked_at", Json::string(format_instant(stamp_ms).substr(0, 19)));
    record.set("given_name", Json::string("Ann"))
        .set("surname", Json::string("Smith " + std::to_string(number)));
    record.set("email", Json::string("guest." + std::to_string(number) + "@guest.booking.com"));
    record.set("phone", Json::string("+31201234567")).set("country", Json::string("nl"));
    record.set("currency", Json::string("EUR")).set("decimals", Json::integer(2));
    record.set("remarks", Json::string("Late arrival"));
    Json rooms = Json::array();
    for (std::int64_t i = 0; i <= random.below(2); ++i) {
        Json room = Json::object();
        room.set("index", Json::string(std::to_string(1'799'000'000 + number * 10 + i)));
        room.set("room_id", Json::string(i == 0 ? "36745603" : "36745604"));
        room.set("rate_id", Json::string("1278606")).set("arrival", Json::string(format_date(first)));
        Json prices = Json::array();
        for (std::int64_t night = 0; night < nights; ++night)
            prices.items().push_back(Json::integer(10'000 + random.below(9'000)));
        room.set("nights", std::move(prices)).set("adults", Json::integer(2));
        rooms.items().push_back(std::move(room));
    }
    record.set("rooms", std::move(rooms));
    record.set("kind", Json::string("fresh")).set("state", Json::string("pending"));
    record.set("queued_ms", Json::integer(now_ms()));
    return {record.serialize(), ""};
}

// Whatever a person does to a reservation is a message: new, as long as nobody acknowledged that; else a
// change.
void Booking::complete(const Collection& collection, Json& record, const Json& patch) {
    if (&collection != &reservations_ || patch.find("state")) return;
    if (truth_of(record, "acknowledged")) record.set("kind", Json::string("changed"));
    record.set("state", Json::string("pending")).set("queued_ms", Json::integer(now_ms()));
    record.erase("delivered");
}

// Within the gap, or too soon after an acknowledgement: refused.
bool Booking::keeps_pace(bool is_fresh) {
    std::int64_t& last = is_fresh ? fresh_ms_ : changed_ms_;
    const std::int64_t now = now_ms();
    if (now - last < poll_gap_ms_ || now - posted_ms_ < after_post_ms_) return false;
    last = now;
    return true;
}

// What nobody fetched in time was mailed to the house, and leaves the queue.
void Booking::expire_messages() {
    const std::int64_t oldest = now_ms() - message_ms_;
    Json gone = Json::object();
    gone.set("state", Json::string("missed"));
    std::vector<std::string> ids;
    for (const Record* record : reservations_.slice({}, 0, reservations_.size())) {
        const Json document = document_of(*record);
        if (document.text_of("state") == "pending" && integer_of(document, "queued_ms") < oldest)
            ids.push_back(record->id);
    }
    for (const std::string& id : ids) patch(reservations_, id, gone);
}

Response Booking::deliver(const Request& request, bool is_fresh) {
    const Params params(request, {"id", "hotel_ids", "last_change", "limit"});
    if (!keeps_pace(is_fresh)) return too_many();
    expire_messages();
    std::optional<std::int64_t> since;
    if (const auto text = params.text("last_change")) {
        std::string instant = *text;
        std::replace(instant.begin(), instant.end(), ' ', 'T');
        since = parse_instant(instant + "Z");
        if (!since) refuse_xml(400, "320", "last_change is YYYY-MM-DD HH:MM:SS");
    }
    const auto id = params.text("id");
    const std::string kind = is_fresh ? "fresh" : "changed";
    std::vector<std::string> ids;
    for (const Record* record : reservations_.slice(since, 0, reservations_.size())) {
        const Json document = document_of(*record);
        const bool wanted = id ? record->id == *id : since || document.text_of("state") == "pending";
        if (wanted && document.text_of("kind") == kind && houses_.contains(document.text_of("hotel_id")))
            ids.push_back(record->id);
    }
    if (static_cast<std::int64_t>(ids.size()) > params.integer("limit", 100'000, 1, 100'000))
        ids.resize(static_cast<std::size_t>(params.integer("limit", 100'000, 1, 100'000)));
    std::string body;
    for (const std::string& one : ids) {
        const Json document = document_of(*reservations_.find(one));
        body += as_xml(document, is_fresh, !truth_of(document, "card_sent"));
        Json sent = Json::object();
        sent.set("card_sent", Json::boolean(true)).set("delivered", Json::boolean(true));
        sent.set("deliveries", Json::integer(integer_of(document, "deliveries") + 1));
        patch(reservations_, one, sent);
    }
    const std::string root = is_fresh ? "OTA_HotelResNotifRQ" : "OTA_HotelResModifyNotifRQ",
                      list = is_fresh ? "HotelReservations" : "HotelResModifies";
    return xml_response(200, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + root + " xmlns=\"" + space +
                                 "\" TimeStamp=\"" + format_instant(now_ms()) +
                                 "\" Target=\"Production\" Version=\"2.001\"><" + list + ">" + body + "</" +
                                 list + "></" + root + "><!-- RUID: [UmFuZG9tSVY] -->");
}

std::string Booking::guarantee() const {
    secret("4111111111111111");
    return "<Guarantee><GuaranteesAccepted><GuaranteeAccepted><PaymentCard CardCode=\"VI\" "
           "CardNumber=\"" +
           secret("4111 1111 1111 1111") + "\" SeriesCode=\"7391\" ExpireDate=\"1231\"><CardHolderName>" +
           secret("CARDHOLDER ANN SMITH") +
           "</CardHolderName></PaymentCard></GuaranteeAccepted>"
           "</GuaranteesAccepted></Guarantee>";
}

std::string Booking::room_as_xml(const Json& room, const Json& record, int number, bool is_gone) const {
    const std::string rate = room.text_of("rate_id"), index = room.text_of("index"),
                      total_name = truth_of(record, "before_tax") ? "AmountBeforeTax" : "AmountAfterTax";
    const std::int64_t first = day_of(room.text_of("arrival")).value_or(0);
    std::string out = "<RoomStay IndexNumber=\"" + escaped(index) + "\"" +
                      (is_gone ? " RoomStayStatus=\"Cancelled\"" : "") +
                      "><RoomTypes><RoomType RoomTypeCode=\"" + escaped(room.text_of("room_id")) +
                      "\"><RoomDescription Name=\"Double Room\">" +
                      element("MealPlan", room.text_of("meal")) + "</RoomDescription></RoomType></RoomTypes>";
    out += "<RatePlans><RatePlan RatePlanCode=\"" + escaped(rate) +
           "\"><Commission><CommissionPayableAmount " +
           money("Amount", is_gone ? 0 : sum_of(room) * 15 / 100, record) +
           "/></Commission></RatePlan></RatePlans><RoomRates>";
    std::int64_t day = first;
    for (const Json& price : is_gone ? std::vector<Json>() : items_of(room, "nights")) {
        out += "<RoomRate EffectiveDate=\"" + format_date(day++) + "\" RatePlanCode=\"" + escaped(rate) +
               "\"><Rates><Rate><Total " + money(total_name.c_str(), price.as_integer().value_or(0), record) +
               "/></Rate></Rates></RoomRate>";
    }
    out += "</RoomRates><GuestCounts><GuestCount Count=\"" + std::to_string(integer_of(room, "adults")) +
           "\" AgeQualifyingCode=\"10\"/>";
    if (integer_of(room, "children") > 0)
        out += "<GuestCount Count=\"" + std::to_string(integer_of(room, "children")) +
               "\" AgeQualifyingCode=\"8\" Age=\"7\"/>";
    out += "</GuestCounts><Total " + money(total_name.c_str(), is_gone ? 0 : sum_of(room), record) +
           "/><BasicPropertyInfo HotelCode=\"" + escaped(record.text_of("hotel_id")) +
           "\"/><ResGuestRPHs><ResGuestRPH RPH=\"" + std::to_string(number) + "\"/></ResGuestRPHs>";
    if (const std::string smoking = room.text_of("smoking"); !smoking.empty())
        out += "<SpecialRequests><SpecialRequest Name=\"smoking preference\"><Text>" + escaped(smoking) +
               "</Text></SpecialRequest></SpecialRequests>";
    return out + "</RoomStay>";
}

std::string Booking::as_xml(const Json& record, bool is_fresh, bool with_card) const {
    const std::string name = is_fresh ? "HotelReservation" : "HotelResModify";
    const bool gone = is_cancelled(record);
    std::string rooms, guests;
    std::int64_t total = 0;
    int number = 0;
    for (const Json& room : items_of(record, "rooms")) {
        if (gone) break;  // cancellations come without rooms and with zeros
        const bool room_gone = room.text_of("status") == "cancelled";
        rooms += room_as_xml(room, record, ++number, room_gone);
        if (!room_gone) total += sum_of(room);
        const std::string guest = room.text_of("guest");
        guests += "<ResGuest ResGuestRPH=\"" + std::to_string(number) +
                  "\"><Profiles><ProfileInfo><Profile><Customer><PersonName><Surname>" +
                  escaped(guest.empty() ? record.text_of("surname") : guest) +
                  "</Surname></PersonName></Customer></Profile></ProfileInfo></Profiles></ResGuest>";
    }
    if (gone) total = integer_of(record, "cancellation_fee");
    const std::string total_name = truth_of(record, "before_tax") ? "AmountBeforeTax" : "AmountAfterTax";
    std::string out = "<" + name +
                      (gone       ? " ResStatus=\"Cancel\""
                       : is_fresh ? ""
                                  : " ResStatus=\"Modify\"") +
                      ">" + "<RoomStays>" + rooms + "</RoomStays><Services>";
    if (const std::string service = record.text_of("service"); !service.empty())
        out += "<Service ServiceInventoryCode=\"Breakfast\"><Price><Total AmountAfterTax=\"" + service +
               "\" CurrencyCode=\"" + record.text_of("currency") + "\"/></Price></Service>";
    out += "</Services><ResGuests>" + guests + "</ResGuests><ResGlobalInfo><Comments>";
    if (const std::string remarks = record.text_of("remarks"); !remarks.empty())
        out += "<Comment><Text>" + escaped(remarks) + "</Text></Comment>";
    out += "</Comments>" + (with_card ? guarantee() : std::string()) + "<Total " +
           money(total_name.c_str(), total, record) +
           "/><HotelReservationIDs><HotelReservationID ResID_Value=\"" + escaped(record.text_of("id")) +
           "\" ResID_Date=\"" + escaped(record.text_of("booked_at")) +
           "\"/></HotelReservationIDs><Profiles><ProfileInfo><Profile><Customer><PersonName>" +
           element("GivenName", record.text_of("given_name")) +
           element("Surname", record.text_of("surname")) + "</PersonName><Telephone PhoneNumber=\"" +
           escaped(record.text_of("phone")) + "\"/>" + element("Email", record.text_of("email")) +
           "<Address><CityName/><CountryName Code=\"" + escaped(record.text_of("country")) +
           "\"/></Address></Customer></Profile></ProfileInfo></Profiles></ResGlobalInfo></" + name + ">";
    return out;
}

namespace {

// The document of a request: its type, its root and its namespace are checked.
void load(const Request& request, pugi::xml_document& document, const char* root) {
    if (!request.header("Content-Type").starts_with("application/xml"))
        refuse_xml(415, "415", "Content-Type must be application/xml");
    if (!document.load_buffer(request.body.data(), request.body.size()))
        refuse_xml(400, "400", "the body is no XML");
    const pugi::xml_node given = document.document_element();
    if (std::string_view(given.name()) != root) refuse_xml(400, "400", std::string("expected ") + root);
    if (root != std::string_view("request") && std::string_view(given.attribute("xmlns").value()) != space)
        refuse_xml(400, "400", "wrong namespace");
}

}  // namespace

Response Booking::acknowledge(const Request& request, bool is_fresh) {
    const std::string root = is_fresh ? "OTA_HotelResNotifRS" : "OTA_HotelResModifyNotifRS";
    posted_ms_ = now_ms();
    pugi::xml_document document;
    load(request, document, root.c_str());
    const pugi::xml_node given = document.document_element();
    if (std::string_view(given.attribute("Version").value()) != "2.001")
        refuse_xml(400, "400", "Version must be 2.001");
    if (given.child("Errors")) return answered(root.c_str(), {}, false);  // stays in the queue
    if (!given.child("Success")) refuse_xml(400, "400", "neither Success nor Errors");
    std::vector<std::string> ids;
    for (const pugi::xml_node& message :
         given.child(is_fresh ? "HotelReservations" : "HotelResModifies").children()) {
        const pugi::xml_node numbers = message.child("ResGlobalInfo").child("HotelReservationIDs");
        const std::string id = numbers.child("HotelReservationID").attribute("ResID_Value").value();
        if (std::string_view(message.name()) != (is_fresh ? "HotelReservation" : "HotelResModify") ||
            id.empty())
            refuse_xml(400, "400", "ResID_Value is required");
        ids.push_back(id);
    }
    if (ids.empty()) refuse_xml(400, "400", "nothing is acknowledged");
    for (const std::string& id : ids) {
        const Record* record = reservations_.find(id);
        if (!record) refuse_xml(404, "404", "Hotel reservation was not found");
        const Json known = document_of(*record);
        if (!houses_.contains(known.text_of("hotel_id"))) refuse_xml(403, "403", "Access denied for hotel");
        const bool is_done = known.text_of("state") == "done";
        const bool is_right = known.text_of("kind") == (is_fresh ? "fresh" : "changed");
        if (!is_right || (!is_done && !truth_of(known, "delivered")))
            refuse_xml(400, "400", "Hotel reservation has transaction message of the wrong type");
    }
    for (const std::string& id : ids) {
        Json done = Json::object();
        done.set("state", Json::string("done")).set("acknowledged", Json::boolean(true));
        patch(reservations_, id, done);
    }
    return answered(root.c_str(), {}, true);
}

Response Booking::answered(const char* root, const std::vector<std::string>& errors, bool committed) const {
    std::string body = "<" + std::string(root) + " xmlns=\"" + space + "\">";
    if (errors.empty()) body += "<Success/>";
    if (!errors.empty()) body += "<Errors>";
    for (const std::string& error : errors) body += error;
    if (!errors.empty()) body += "</Errors>";
    Response response = xml_response(200, body + "</" + root + "><!-- RUID: [UmFuZG9tSVY] -->");
    response.committed = committed;
    return response;
}

Response Booking::missed(const Request& request) {
    const Params params(request, {"from", "until", "check_in_start", "check_in_end", "page_size", "cursor"});
    if (mode("recovery") != "true")
        throw Refusal{json_response(403, R"({"errors":[{"code":403,"message":"not enabled"}],"data":null})")};
    const bool has_times = params.instant("from") && params.instant("until");
    const bool has_days = params.text("check_in_start") && params.text("check_in_end");
    if (!has_times && !has_days)
        throw Refusal{
            json_response(400, R"({"errors":[{"code":320,"message":"Invalid value"}],"data":null})")};
    expire_messages();
    const std::int64_t begin = params.integer("cursor", 0, 0, 1'000'000);
    const std::int64_t page = std::min(missed_page_, params.integer("page_size", 50, 1, 50));
    Json list = Json::array();
    std::int64_t place = 0;
    bool is_more = false;
    for (const Record* record : reservations_.slice({}, 0, reservations_.size())) {
        const Json document = document_of(*record);
        if (document.text_of("state") != "missed" || place++ < begin) continue;
        if (place > begin + page) {
            is_more = true;
            break;
        }
        Json one = Json::object();
        one.set("checkin", Json::string("2026-06-01")).set("reservation_id", Json::number(record->id));
        one.set("property_id", Json::number(document.text_of("hotel_id")));
        list.items().push_back(std::move(one));
    }
    Json meta = Json::object();
    meta.set("ruid", Json::string("UmFuZG9tSVY"));
    if (is_more) meta.set("next_cursor", Json::string(std::to_string(begin + page)));
    Json body = Json::object();
    body.set("errors", Json::array()).set("data", std::move(list));
    body.set("meta", std::move(meta));
    return json_response(200, body.serialize());
}

// ---- rooms, availability and rates ----

Response Booking::room_rates(const Request& request) {
    pugi::xml_document document;
    load(request, document, "request");
    const std::string hotel = document.child("request").child_value("hotel_id");
    const auto found = houses_.find(hotel);
    if (found == houses_.end()) refuse_xml(403, "403", "This account doesn't have access to this property");
    std::string body = "<rooms>";
    for (const std::string& room : found->second.rooms) {
        body += "<room id=\"" + room + "\" hotel_id=\"" + hotel + "\" name=\"Room\"><rates>";
        for (const std::string& rate : found->second.rates) body += "<rate id=\"" + rate + "\"/>";
        body += "</rates></room>";
    }
    return xml_response(200, body + "</rooms>");
}

const Booking::House* Booking::house_of_room(const std::string& room, std::string* id) const {
    for (const auto& [hotel, house] : houses_) {
        if (std::find(house.rooms.begin(), house.rooms.end(), room) == house.rooms.end()) continue;
        if (id) *id = hotel;
        return &house;
    }
    return nullptr;
}

// Those that can be read; what cannot is an error of its own, and two houses in one request are none at all.
std::vector<Booking::Message> Booking::messages_of(const Request& request, pugi::xml_document& document,
                                                   const char* root, const char* list, const char* name,
                                                   std::vector<std::string>& errors) const {
    load(request, document, root);
    std::vector<Message> messages;
    std::set<std::string> hotels, locators;
    const std::int64_t yesterday = now_ms() / day_ms - 1;
    for (const pugi::xml_node& node : document.document_element().child(list).children()) {
        const pugi::xml_node control = node.child("StatusApplicationControl");
        Message message;
        message.node = node;
        message.locator = node.attribute("LocatorID").value();
        message.room = control.attribute("InvTypeCode").value();
        message.rate = control.attribute("RatePlanCode").value();
        const auto first = day_of(control.attribute("Start").value()),
                   last = day_of(control.attribute("End").value());
        if (std::string_view(node.name()) != name || !locators.insert(message.locator).second)
            refuse_xml(400, "400", "LocatorID must be there once, in a " + std::string(name));
        const auto wrong = [&](const char* code, const std::string& text) {
            errors.push_back("<Error Type=\"3\" Code=\"" + std::string(code) + "\" LocatorID=\"" +
                             message.locator + "\" ShortText=\"" + text + "\"/>");
        };
        const House* house = house_of_room(message.room, &message.hotel);
        const bool knows_rate =
            house && (message.rate.empty() || std::find(house->rates.begin(), house->rates.end(),
                                                        message.rate) != house->rates.end());
        if (house) hotels.insert(message.hotel);
        if (!house) {
            wrong("402", "Invalid room type");
        } else if (!knows_rate) {
            wrong("249", "Invalid rate code");
        } else if (!first || !last || *first > *last) {
            wrong("404", "Invalid start/end date combination");
        } else if (*first < yesterday) {
            wrong("136", "Invalid date: in the past");
        } else {
            message.first_day = *first;
            message.last_day = *last;
            messages.push_back(std::move(message));
        }
    }
    if (hotels.size() > 1) refuse_xml(400, "400", "one hotel per request");
    if (messages.empty() && errors.empty()) refuse_xml(400, "400", "no messages");
    return messages;
}

Response Booking::set_availability(const Request& request) {
    pugi::xml_document document;
    std::vector<std::string> errors;
    const std::vector<Message> messages = messages_of(request, document, "OTA_HotelAvailNotifRQ",
                                                      "AvailStatusMessages", "AvailStatusMessage", errors);
    if (std::string_view(document.document_element().attribute("Version").value()) != "1.005")
        refuse_xml(400, "400", "Version must be 1.005");
    bool is_changed = false;
    for (const Message& message : messages) {
        const pugi::xml_attribute limit = message.node.attribute("BookingLimit");
        const auto wrong = [&](const std::string& text) {
            errors.push_back("<Error Type=\"3\" Code=\"320\" LocatorID=\"" + message.locator +
                             "\" ShortText=\"" + text + "\"/>");
        };
        if (limit && (!message.rate.empty() || limit.as_int(-1) < 0 || limit.as_int() > 254)) {
            wrong("BookingLimit is of rooms, 0 to 254");
            continue;
        }
        if (!limit && message.rate.empty()) {
            wrong("restrictions need a RatePlanCode");
            continue;
        }
        Json members = Json::object();
        members.set("room", Json::string(message.room));
        if (limit) members.set("to_sell", Json::integer(limit.as_int()));
        for (const pugi::xml_node& one : message.node.child("LengthsOfStay").children("LengthOfStay"))
            members.set(one.attribute("MinMaxMessageType").value(),
                        Json::integer(one.attribute("Time").as_int()));
        for (const pugi::xml_node& one : message.node.children("RestrictionStatus"))
            members.set(std::string("status") + one.attribute("Restriction").value(),
                        Json::string(one.attribute("Status").value()));
        for (std::int64_t day = message.first_day; day <= message.last_day; ++day) {
            members.set("date", Json::string(format_date(day)));
            const std::string id = message.room + (limit ? "" : "-" + message.rate) + "-" + format_date(day);
            members.set("id", Json::string(id));
            patch(limit ? availability_ : rates_, id, members);
            is_changed = true;
        }
    }
    return answered("OTA_HotelAvailNotifRS", errors, is_changed);
}

Response Booking::set_rates(const Request& request) {
    if (request.header("Accept-Version") != "1.1") refuse_xml(400, "400", "Accept-Version must be 1.1");
    pugi::xml_document document;
    std::vector<std::string> errors;
    const std::vector<Message> messages = messages_of(request, document, "OTA_HotelRateAmountNotifRQ",
                                                      "RateAmountMessages", "RateAmountMessage", errors);
    bool is_changed = false;
    for (const Message& message : messages) {
        const House& house = houses_.at(message.hotel);
        Json members = Json::object();
        std::string why = message.rate.empty() ? "RatePlanCode is missing" : "";
        const pugi::xml_node amounts = message.node.child("Rates").child("Rate").child("BaseByGuestAmts");
        for (const pugi::xml_node& one : amounts.children("BaseByGuestAmt")) {
            if (std::string_view(one.attribute("CurrencyCode").value()) != house.currency)
                why = "CURRENCY_CODE_DONT_MATCH_HOTEL_CURRENCY";
            if (one.attribute("DecimalPlaces").as_int(-1) != house.decimals) why = "DecimalPlaces is wrong";
            members.set("price" + std::string(one.attribute("NumberOfGuests").value()),
                        Json::integer(one.attribute("AmountAfterTax").as_llong()));
        }
        if (!amounts.first_child()) why = "no amounts";
        if (!why.empty()) {
            errors.push_back("<Error Type=\"3\" Code=\"320\" LocatorID=\"" + message.locator +
                             "\" ShortText=\"" + why + "\"/>");
            continue;
        }
        for (std::int64_t day = message.first_day; day <= message.last_day; ++day) {
            const std::string id = message.room + "-" + message.rate + "-" + format_date(day);
            members.set("id", Json::string(id)).set("date", Json::string(format_date(day)));
            patch(rates_, id, members);
            is_changed = true;
        }
    }
    return answered("OTA_HotelRateAmountNotifRS", errors, is_changed);
}

}  // namespace liaison_sim
