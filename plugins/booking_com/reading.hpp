// Reservation messages to records. Money is exact or the record is rejected; stay dates are the house's own
// and never converted; card data is gone before anything is read.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <liaison/kit/card_numbers.hpp>
#include <liaison/kit/country.hpp>
#include <liaison/kit/money.hpp>

#include "wire.hpp"

namespace booking_com {

using kit::ValueError;
using liaison::Record;

// One message: its record, what to acknowledge it by (empty: it cannot be), and its house (empty: it does not
// say).
struct Message {
    Message(Record record, std::string id, std::string hotel)
        : record(std::move(record)), id(std::move(id)), hotel(std::move(hotel)) {}
    Record record;
    std::string id, hotel;
};

inline constexpr std::size_t most_text = 4000, most_raw = 12'000;

// "Cancel", "Cancelled", "CANCELLED", "Canceled".
inline bool is_cancel_word(const std::string& word) { return kit::lowered(word).starts_with("cancel"); }

class MessageReader {
  public:
    MessageReader(const Settings& settings, Queue queue, const pugi::xml_node& node)
        : settings_(settings), queue_(queue), node_(node), global_(child(node, "ResGlobalInfo")) {
        for (const pugi::xml_node& one : children(child(node, "RoomStays"), "RoomStay"))
            rooms_.push_back(one);
        for (const pugi::xml_node& one : children(child(node, "ResGuests"), "ResGuest"))
            guests_[attribute(one, "ResGuestRPH")] = one;
        for (const pugi::xml_node& one :
             children(child(global_, "HotelReservationIDs"), "HotelReservationID")) {
            if (id_.empty()) id_ = attribute(one, "ResID_Value"), date_ = attribute(one, "ResID_Date");
        }
    }

    Message read() {
        const bool cancels = is_cancelled();
        Json payload = Json::object();
        std::string fault = id_.empty() ? "it has no ResID_Value" : "";
        try {
            payload = content(cancels);
        } catch (const ValueError& error) { fault = error.code + ": " + error.what(); }
        if (!fault.empty() && cancels && !id_.empty()) {
            payload = status(true);  // whatever the rest was: the room is free
        } else if (!fault.empty()) {
            payload = rejected(fault);
        }
        std::string key = id_.empty() ? "unreadable-" + kit::Hash128().add(as_text()).hex(16) : id_;
        return Message(Record(std::move(key), payload.dump()), id_, hotel_id());
    }

  private:
    bool is_cancelled() const {
        if (is_cancel_word(attribute(node_, "ResStatus")) || is_cancel_word(attribute(global_, "ResStatus")))
            return true;
        return !rooms_.empty() && std::all_of(rooms_.begin(), rooms_.end(), room_is_cancelled);
    }
    static bool room_is_cancelled(const pugi::xml_node& room) {
        return is_cancel_word(attribute(room, "RoomStayStatus")) ||
               is_cancel_word(attribute(room, "ResStatus"));
    }

    std::string as_text() const {
        struct Writer : pugi::xml_writer {
            void write(const void* data, std::size_t size) override {
                text.append(static_cast<const char*>(data), size);
            }
            std::string text;
        } writer;
        node_.print(writer, "", pugi::format_raw);
        return kit::without_card_numbers(writer.text);
    }
    // What a person needs to enter it by hand; the queue will not show it again once it is acknowledged.
    Json rejected(const std::string& why) const {
        Json raw = Json::object();
        raw.set("reservation", id_);
        raw.set("xml", kit::excerpt(as_text(), most_raw));
        Json payload = Json::object();
        payload.set("$rejected", "reservation " + id_ + " cannot be read: " + why);
        payload.set("$raw", std::move(raw));
        return payload;
    }

    Json status(bool cancels) const {
        Json out = Json::object();
        out.set("mode", cancels ? "cancel" : "snapshot");
        out.set("status", cancels ? "cancelled" : "confirmed");
        out.set("status_raw", cancels ? "cancelled" : queue_ == Queue::fresh ? "new" : "modified");
        out.set("channel", "booking_com");
        return out;
    }

    Json content(bool cancels) {
        Json out = status(cancels);
        Json reference = Json::object();
        reference.set("system", "booking_com");
        reference.set("kind", "channel");
        reference.set("value", id_);
        out.set("external_refs", Json::array()).push_back(std::move(reference));
        if (const std::string hotel = hotel_id(); !hotel.empty()) out.set("property_code", hotel);
        set_instants(out);
        Json stays = Json::array();
        for (const pugi::xml_node& room : rooms_) stays.push_back(stay(room));
        set_dates(out, stays);
        out.set("stays", std::move(stays));
        set_money(out, cancels);
        if (Json person = guest(descend(global_, {"Profiles", "ProfileInfo", "Profile", "Customer"}));
            !person.members().empty())
            out.set("booker", std::move(person));
        out.set("special_requests", requests());
        out.set("fees", fees());
        set_payment(out);
        if (!extra_.members().empty()) out.set("extra", extra_);
        return out;
    }

    std::string hotel_id() const {
        for (const pugi::xml_node& room : rooms_) {
            const std::string code = attribute(child(room, "BasicPropertyInfo"), "HotelCode");
            if (!code.empty()) return code;
        }
        return attribute(child(global_, "BasicPropertyInfo"), "HotelCode");
    }

    void set_instants(Json& out) {
        const auto read = [&](const std::string& text) -> std::optional<std::string> {
            for (const char* format : {"%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
                const std::optional<kit::DateTime> time = kit::parse_time(format, text);
                if (!time) continue;
                if (!time->offset_minutes) extra_.set("assumed_zone", settings_.zone);
                return kit::rfc3339(time->unix_ms(settings_.zone_minutes));
            }
            return std::nullopt;
        };
        if (const auto booked = read(date_)) out.set("booked_at", *booked);
        std::string changed = attribute(node_, "LastModifyDateTime");
        if (const auto modified = read(changed)) out.set("modified_at", *modified);
    }

    static void set_dates(Json& out, const Json& stays) {
        std::string first, last;
        for (const Json& one : stays.items()) {
            const Json *from = one.find("arrival_date"), *to = one.find("departure_date");
            if (from == nullptr || to == nullptr) continue;
            if (first.empty() || from->as_string() < first) first = from->as_string();
            if (to->as_string() > last) last = to->as_string();
        }
        if (!first.empty()) out.set("arrival_date", first), out.set("departure_date", last);
    }

    // ---- money ----

    static Json money(std::int64_t amount, const std::string& currency) {
        Json made = Json::object();
        made.set("amount", amount);
        made.set("currency", currency);
        return made;
    }
    // An integer with DecimalPlaces beside it; prices of services are decimals and have none.
    static std::optional<std::int64_t> minor(const pugi::xml_node& node, const char* name,
                                             const std::string& currency, bool is_service) {
        const std::string text = attribute(node, name), places = attribute(node, "DecimalPlaces");
        if (text.empty()) return std::nullopt;
        std::optional<kit::Decimal> value = kit::Decimal::parse(text);
        if (!value) throw ValueError("money", std::string(name) + " is '" + kit::excerpt(text, 40) + "'");
        if (places.empty() && !is_service)
            throw ValueError("money_scale", "'" + text + "' does not say its DecimalPlaces");
        if (!places.empty()) {
            const bool is_digit = places.size() == 1 && places[0] >= '0' && places[0] <= '9';
            const std::optional<std::int64_t> units = value->scale() == 0 ? value->units() : std::nullopt;
            if (!is_digit || !units)
                throw ValueError("money_scale",
                                 "'" + text + "' with DecimalPlaces '" + kit::excerpt(places, 10) + "'");
            value = kit::Decimal::scaled(*units, places[0] - '0');
        }
        return kit::to_minor(*value, currency);
    }
    struct Amount {
        std::optional<std::int64_t> after, before;
        std::string currency;
        Json total() const { return money(after ? *after : *before, currency); }
    };
    std::optional<Amount> amount(const pugi::xml_node& node, bool is_service = false) const {
        if (!node) return std::nullopt;
        Amount made;
        made.currency = attribute(node, "CurrencyCode");
        if (made.currency.empty()) made.currency = house_currency();
        made.after = minor(node, "AmountAfterTax", made.currency, is_service);
        made.before = minor(node, "AmountBeforeTax", made.currency, is_service);
        if (!made.after && !made.before) made.after = minor(node, "Amount", made.currency, is_service);
        if (!made.after && !made.before) return std::nullopt;
        return made;
    }
    std::string house_currency() const {
        const Property* property = settings_.property(hotel_id());
        return property != nullptr ? property->currency : "";
    }
    void set_total(Json& out, const pugi::xml_node& node) const {
        const std::optional<Amount> total = amount(node);
        if (!total) return;
        out.set("total", total->total());
        if (total->after && total->before)
            out.set("total_tax", money(*total->after - *total->before, total->currency));
    }
    void set_money(Json& out, bool cancels) {
        const pugi::xml_node total = child(global_, "Total");
        out.set("amount_basis", "sell");
        set_total(out, total);
        const std::optional<Amount> amounts = amount(total);
        if (amounts) out.set("tax_inclusive", amounts->after.has_value());
        if (cancels && amounts) out.set("cancellation_fee", amounts->total());
        if (commission_) {
            Json made = Json::object();
            made.set("money", money(*commission_, commission_currency_));
            out.set("commission", std::move(made));
        }
        const bool differs = amounts && !cancels && rooms_total_ &&
                             *rooms_total_ != (amounts->after ? *amounts->after : *amounts->before);
        if (differs) extra_.set("total_mismatch", true);
    }

    // ---- rooms ----

    struct Night {
        std::string date, rate;
        Json price;
    };
    std::vector<Night> nights(const pugi::xml_node& room) const {
        std::vector<Night> found;
        for (const pugi::xml_node& one : children(child(room, "RoomRates"), "RoomRate")) {
            Night night;
            night.date = attribute(one, "EffectiveDate").substr(0, 10);
            night.rate = attribute(one, "RatePlanCode");
            if (!kit::parse_date("%Y-%m-%d", night.date))
                throw ValueError("date", "EffectiveDate is '" + kit::excerpt(night.date, 20) + "'");
            const std::optional<Amount> price = amount(descend(one, {"Rates", "Rate", "Total"}));
            if (!price) throw ValueError("money", "the night " + night.date + " has no price");
            night.price = price->total();
            found.push_back(std::move(night));
        }
        std::sort(found.begin(), found.end(), [](const Night& a, const Night& b) { return a.date < b.date; });
        return found;
    }
    static std::string code_in(const std::map<std::string, std::string, std::less<>>& codes,
                               const std::string& id) {
        const auto found = codes.find(id);
        return found != codes.end() ? found->second : std::string();
    }

    Json stay(const pugi::xml_node& room) {
        Json out = Json::object();
        if (const std::string id = attribute(room, "IndexNumber"); !id.empty()) out.set("external_id", id);
        if (room_is_cancelled(room)) out.set("status", "cancelled");  // else as the reservation
        const std::vector<Night> all = nights(room);
        set_stay_dates(out, room, all);
        const pugi::xml_node type = descend(room, {"RoomTypes", "RoomType"});
        const Property* property = settings_.property(hotel_id());
        const std::string room_id = attribute(type, "RoomTypeCode");
        std::string rate = all.empty() ? "" : all.front().rate;
        if (rate.empty()) rate = attribute(descend(room, {"RatePlans", "RatePlan"}), "RatePlanCode");
        is_virtual_card_ = is_virtual_card_ || rate.ends_with("VCC");
        const auto set_code = [&](const char* name, const char* external, const std::string& id,
                                  const std::map<std::string, std::string, std::less<>>* codes) {
            if (id.empty()) return;
            out.set(external, id);
            const std::string code = codes != nullptr ? code_in(*codes, id) : "";
            if (!code.empty()) out.set(name, code);
        };
        set_code("room_type", "external_room_type", room_id,
                 property != nullptr ? &property->rooms : nullptr);
        set_code("rate_plan", "external_rate_plan", rate,
                 property != nullptr ? &property->rate_plans : nullptr);
        Json list = Json::array();
        for (const Night& one : all) {
            Json night = Json::object();
            night.set("date", one.date);
            night.set("price", one.price);
            if (!one.rate.empty()) night.set("rate_plan", one.rate);
            list.push_back(std::move(night));
        }
        out.set("nights", std::move(list));
        set_total(out, child(room, "Total"));
        add_up(room);
        set_people(out, room);
        set_meal(out, text_of(descend(type, {"RoomDescription", "MealPlan"})));
        return out;
    }
    static void set_stay_dates(Json& out, const pugi::xml_node& room, const std::vector<Night>& all) {
        const pugi::xml_node span = child(room, "TimeSpan");
        std::string from = attribute(span, "Start").substr(0, 10), to = attribute(span, "End").substr(0, 10);
        const bool has_span = kit::parse_date("%Y-%m-%d", from) && kit::parse_date("%Y-%m-%d", to);
        if (!has_span && all.empty()) return;
        if (!has_span) {
            from = all.front().date;
            to = kit::date_text(kit::parse_date("%Y-%m-%d", all.back().date)->plus_days(1));
        }
        out.set("arrival_date", from);
        out.set("departure_date", to);
    }
    // Commission and totals of all rooms together.
    void add_up(const pugi::xml_node& room) {
        for (const pugi::xml_node& plan : children(child(room, "RatePlans"), "RatePlan")) {
            const std::optional<Amount> one =
                amount(descend(plan, {"Commission", "CommissionPayableAmount"}));
            if (!one) continue;
            commission_ = commission_.value_or(0) + (one->after ? *one->after : *one->before);
            commission_currency_ = one->currency;
        }
        if (room_is_cancelled(room)) return;
        const std::optional<Amount> total = amount(child(room, "Total"));
        if (total) rooms_total_ = rooms_total_.value_or(0) + (total->after ? *total->after : *total->before);
    }
    void set_people(Json& out, const pugi::xml_node& room) const {
        std::int64_t adults = 0, minors = 0, infants = 0;
        Json ages = Json::array();
        for (const pugi::xml_node& one : children(child(room, "GuestCounts"), "GuestCount")) {
            const int count = std::clamp(one.attribute("Count").as_int(), 0, 255);
            const std::string code = attribute(one, "AgeQualifyingCode");
            (code == "8" ? minors : code == "7" ? infants : adults) += count;
            const int age = one.attribute("Age").as_int(-1);
            for (int i = 0; code == "8" && age >= 0 && age <= 17 && i < count; ++i) ages.push_back(age);
        }
        if (adults > 0) out.set("adults", adults);
        if (adults > 0) out.set("children", minors);
        if (infants > 0) out.set("infants", infants);
        if (!ages.items().empty()) out.set("child_ages", std::move(ages));
        Json list = Json::array();
        for (const pugi::xml_node& one : children(child(room, "ResGuestRPHs"), "ResGuestRPH")) {
            const auto found = guests_.find(attribute(one, "RPH"));
            if (found == guests_.end()) continue;
            Json entry = Json::object();
            entry.set("guest",
                      guest(descend(found->second, {"Profiles", "ProfileInfo", "Profile", "Customer"})));
            entry.set("primary", list.items().empty());
            list.push_back(std::move(entry));
        }
        out.set("guests", std::move(list));
    }
    static void set_meal(Json& out, const std::string& text) {
        if (text.empty()) return;
        const std::string said = kit::lowered(text);
        const auto has = [&](const char* word) { return said.find(word) != std::string::npos; };
        const char* plan = has("all inclusive") || has("all-inclusive")                ? "all_inclusive"
                           : has("full board")                                         ? "full_board"
                           : has("half board")                                         ? "half_board"
                           : has("not included") || has("no meal") || has("room only") ? "none"
                           : has("breakfast")                                          ? "breakfast"
                                                                                       : "unknown";
        out.set("meal_plan", plan);
        out.set("meal_plan_text", kit::excerpt(text, 500));
    }

    // ---- people and words ----

    static std::string words(const std::string& text, std::size_t limit) {
        return kit::excerpt(kit::without_card_numbers(text), limit);
    }
    static Json guest(const pugi::xml_node& customer) {
        Json out = Json::object();
        const auto set = [&](const char* name, const std::string& text, std::size_t limit) {
            if (!text.empty()) out.set(name, words(text, limit));
        };
        const pugi::xml_node name = child(customer, "PersonName");
        const std::string given = text_of(child(name, "GivenName")), sur = text_of(child(name, "Surname"));
        set("given_name", given, 200);
        set("surname", sur, 200);
        if (given.empty()) set("full_name_raw", sur, 400);  // all of it may stand in one field
        const std::string email = text_of(child(customer, "Email"));
        if (!email.empty()) {
            out.set("email", kit::excerpt(email, 320));
            out.set("email_is_relay", kit::lowered(email).ends_with("@guest.booking.com"));
        }
        if (const std::string phone = attribute(child(customer, "Telephone"), "PhoneNumber"); !phone.empty())
            out.set("phone", kit::excerpt(phone, 60));
        Json address = home(child(customer, "Address"));
        if (!address.members().empty()) out.set("address", std::move(address));
        return out;
    }
    static Json home(const pugi::xml_node& node) {
        Json out = Json::object();
        Json lines = Json::array();
        for (const pugi::xml_node& one : children(node, "AddressLine")) {
            if (lines.items().size() < 10 && !text_of(one).empty()) lines.push_back(words(text_of(one), 200));
        }
        if (!lines.items().empty()) out.set("lines", std::move(lines));
        if (const std::string city = text_of(child(node, "CityName")); !city.empty())
            out.set("city", words(city, 200));
        if (const std::string code = text_of(child(node, "PostalCode")); !code.empty())
            out.set("postal_code", words(code, 40));
        std::string country = attribute(child(node, "CountryName"), "Code");
        if (country.empty()) country = text_of(child(node, "CountryName"));
        if (const auto code = kit::country_code(country)) out.set("country", *code);
        return out;
    }
    Json requests() const {
        Json list = Json::array();
        const auto add = [&](const char* kind, const std::string& code, const std::string& text) {
            if (text.empty() || list.items().size() >= 200) return;
            Json one = Json::object();
            one.set("kind", kind);
            if (!code.empty()) one.set("code", kit::excerpt(code, 100));
            one.set("text", words(text, most_text));
            list.push_back(std::move(one));
        };
        const auto of = [&](const pugi::xml_node& node) {
            for (const pugi::xml_node& one : children(child(node, "SpecialRequests"), "SpecialRequest")) {
                const std::string name = attribute(one, "Name"), said = kit::lowered(name);
                const auto has = [&](const char* word) { return said.find(word) != std::string::npos; };
                add(has("smok")      ? "smoking"
                    : has("bed")     ? "bed"
                    : has("arrival") ? "arrival_time"
                                     : "other",
                    name, text_of(child(one, "Text")));
            }
        };
        for (const pugi::xml_node& room : rooms_) of(room);
        of(global_);
        for (const pugi::xml_node& one : children(child(global_, "Comments"), "Comment"))
            add("free_text", "", text_of(child(one, "Text")));
        return list;
    }
    Json fees() const {
        Json list = Json::array();
        for (const pugi::xml_node& one : children(child(node_, "Services"), "Service")) {
            const std::optional<Amount> price = amount(descend(one, {"Price", "Total"}), true);
            if (!price) continue;
            Json fee = Json::object();
            if (const std::string code = attribute(one, "ServiceInventoryCode"); !code.empty())
                fee.set("code", kit::excerpt(code, 100));
            const std::string said = text_of(descend(one, {"ServiceDetails", "ServiceDescription", "Text"}));
            if (!said.empty()) fee.set("description", words(said, 500));
            fee.set("money", price->total());
            if (const std::string with = attribute(one, "Inclusive"); !with.empty())
                fee.set("included", with == "true" || with == "1");
            list.push_back(std::move(fee));
        }
        return list;
    }
    // Only what is known: the guarantee comes once, and later deliveries say nothing about it.
    void set_payment(Json& out) const {
        const bool has_card = child(global_, "Guarantee") || child(node_, "Guarantee");
        if (!is_virtual_card_ && !has_card) return;
        Json payment = Json::object();
        payment.set("collect_mode", is_virtual_card_ ? "channel" : "hotel");
        payment.set("instrument_kind", is_virtual_card_ ? "virtual_card" : "guest_card");
        out.set("payment", std::move(payment));
    }

    const Settings& settings_;
    Queue queue_;
    pugi::xml_node node_, global_;
    std::vector<pugi::xml_node> rooms_;
    std::map<std::string, pugi::xml_node> guests_;  // by RPH
    std::string id_, date_;
    std::optional<std::int64_t> commission_, rooms_total_;
    std::string commission_currency_;
    bool is_virtual_card_ = false;
    Json extra_ = Json::object();
};

// Throws Failure for what is no list of messages, faults in an answer of status 200 among it.
inline std::vector<Message> read_messages(const Settings& settings, Queue queue, const Response& answer,
                                          const std::string& url) {
    pugi::xml_document document;
    load(document, answer, url);
    const std::vector<Fault> faults = faults_of(document);
    if (!faults.empty()) throw fault_failure(faults.front(), url);
    const QueueNames& names = names_of(queue);
    const pugi::xml_node root = document.document_element(), list = child(root, names.messages);
    if (!local_name(root).ends_with("NotifRQ") || !list)
        throw Failure(ErrorKind::permanent,
                      "the answer holds no " + std::string(names.messages) + " (" + url + ")",
                      "root element " + std::string(local_name(root)));
    std::vector<Message> messages;
    for (const pugi::xml_node& one : children(list, names.message))
        messages.push_back(MessageReader(settings, queue, one).read());
    return messages;
}

}  // namespace booking_com
