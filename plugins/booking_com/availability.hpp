// Availability and rates on their way out: what single days say is merged into ranges, a request per house
// and month, and what Booking.com says against one range goes back to the records of its days.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <liaison/kit/money.hpp>

#include "wire.hpp"

namespace booking_com {

using liaison::Record;
using liaison::Request;
using liaison::Result;

inline constexpr std::int64_t most_rooms = 254;  // 255 would mean: without limit
inline constexpr std::size_t most_ranges = 500;  // of one request

// One kind of statement about some days: Booking.com wants room counts and restrictions at one place, prices
// at another.
struct Range {
    enum class Service { availability, rates } service = Service::availability;
    std::string hotel, room, rate;
    kit::Date first, last;           // both included
    std::string attributes, inside;  // of the message: ` BookingLimit="5"`, child elements
    std::vector<std::uint32_t> records;

    // What must be the same in a range.
    std::string group() const {
        return hotel + "/" + std::to_string(first.year * 100 + first.month) + "/" + room + "/" + rate + "/" +
               attributes + inside;
    }
};

// Why a record cannot be sent.
class Unfit : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class Outgoing {
  public:
    // `now_ms`: days that are over everywhere are not sent.
    Outgoing(const Settings& settings, bool is_rate, const std::vector<Record>& records, std::int64_t now_ms)
        : settings_(settings), is_rate_(is_rate), today_(kit::DateTime::from_unix_ms(now_ms).date) {
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            results_.emplace_back(index,
                                  records[i].key.empty() ? LIAISON_OUTCOME_CREATED : LIAISON_OUTCOME_UPDATED);
            try {
                take(index, records[i]);
            } catch (const Unfit& why) { refuse(index, ErrorKind::invalid_record, why.what()); }
        }
        merge();
        divide();
    }

    std::size_t requests() const { return requests_.size(); }
    Request request(std::size_t number, std::int64_t now_ms) const {
        const std::vector<Range>& ranges = requests_[number];
        const bool rates = ranges.front().service == Range::Service::rates;
        const std::string root = rates ? "OTA_HotelRateAmountNotifRQ" : "OTA_HotelAvailNotifRQ";
        const std::string list = rates ? "RateAmountMessages" : "AvailStatusMessages";
        std::string body = ota_open(root, settings_, now_ms, rates ? "3.000" : "1.005") + "<" + list + ">";
        for (std::size_t i = 0; i < ranges.size(); ++i) body += message(ranges[i], i + 1);
        return Request("POST", url(number))
            .auth(settings_.auth)
            .header("Accept-Version", "1.1")
            .content("application/xml", body + "</" + list + "></" + root + ">")
            .mutates();
    }
    std::string url(std::size_t number) const {
        const bool rates = requests_[number].front().service == Range::Service::rates;
        return settings_.supply_url +
               (rates ? "/hotels/ota/OTA_HotelRateAmountNotif" : "/hotels/ota/OTA_HotelAvailNotif");
    }

    // What Booking.com answered. Returns what ends the job, for what is not about these records.
    std::optional<Failure> take_answer(std::size_t number, const Response& answer, std::int64_t now_ms) {
        if (answer.error != LIAISON_ERROR_NONE) {
            const auto kind = static_cast<ErrorKind>(answer.error);
            settle_all(number,
                       kind == ErrorKind::unknown_outcome ? LIAISON_OUTCOME_UNKNOWN : LIAISON_OUTCOME_RETRY,
                       kind, answer.error_text, 0);
            if (kind == ErrorKind::transient || kind == ErrorKind::unknown_outcome) return std::nullopt;
            return Failure(kind, answer.error_text);
        }
        if (!answer.ok()) {
            Failure why = refusal(answer, url(number), now_ms);
            const bool is_bad_request = answer.status == 400 || answer.status == 404;
            settle_all(number, is_bad_request ? LIAISON_OUTCOME_REJECTED : LIAISON_OUTCOME_RETRY, why.kind,
                       std::string(why.what()) + "; " + why.detail, why.retry_after_ms);
            if (is_bad_request) return std::nullopt;
            return why;
        }
        try {
            read_answer(number, answer);
        } catch (const Failure& why) {  // no XML: nobody knows what became of it, and it may be sent again
            settle_all(number, LIAISON_OUTCOME_UNKNOWN, ErrorKind::unknown_outcome, why.what(), 0);
        }
        return std::nullopt;
    }
    // Requests from this one on are not sent in this job.
    void abandon(std::size_t from, const Failure& why) {
        for (std::size_t i = from; i < requests_.size(); ++i)
            settle_all(i, LIAISON_OUTCOME_RETRY, why.kind, why.what(), why.retry_after_ms);
    }

    std::vector<Result> results() { return results_; }

  private:
    void refuse(std::uint32_t index, ErrorKind kind, const std::string& why) {
        results_[index] = Result(index, LIAISON_OUTCOME_REJECTED).because(kind, why);
        is_settled_.insert(index);
    }
    // The worst counts: a record may be in several requests.
    void settle(std::uint32_t index, std::uint32_t outcome, ErrorKind kind, const std::string& why,
                std::int64_t retry_after_ms) {
        if (!is_settled_.insert(index).second) return;
        results_[index] = Result(index, outcome).because(kind, why);
        results_[index].retry_after_ms = retry_after_ms;
    }
    void settle_all(std::size_t number, std::uint32_t outcome, ErrorKind kind, const std::string& why,
                    std::int64_t retry_after_ms) {
        for (const Range& range : requests_[number]) {
            for (const std::uint32_t index : range.records) settle(index, outcome, kind, why, retry_after_ms);
        }
    }
    void read_answer(std::size_t number, const Response& answer) {
        pugi::xml_document document;
        load(document, answer, url(number));
        for (const Fault& fault : faults_of(document)) {
            const std::string why = "Booking.com: " + fault.text + " (code " + fault.code + ")";
            const ErrorKind kind = fault_failure(fault, "").kind == ErrorKind::transient
                                       ? ErrorKind::transient
                                       : ErrorKind::invalid_record;
            const std::uint32_t outcome =
                kind == ErrorKind::transient ? LIAISON_OUTCOME_RETRY : LIAISON_OUTCOME_REJECTED;
            const std::size_t place = static_cast<std::size_t>(std::atoi(fault.locator.c_str()));
            if (place >= 1 && place <= requests_[number].size()) {
                for (const std::uint32_t index : requests_[number][place - 1].records)
                    settle(index, outcome, kind, why, 0);
            } else if (!fault.is_warning) {
                settle_all(number, outcome, kind, why, 0);
            }
        }
    }

    // ---- records to ranges ----

    static std::string text(const Json& from, const char* name) {
        const Json* found = from.find(name);
        return found != nullptr ? std::string(found->scalar_text()) : std::string();
    }
    static bool flag(const Json& from, const char* name) {
        const Json* found = from.find(name);
        return found != nullptr && found->is_bool() && found->as_bool();
    }
    static std::vector<std::string> ids_of(const std::map<std::string, std::string, std::less<>>& codes,
                                           const std::string& code) {
        std::vector<std::string> found;
        for (const auto& [id, house] : codes) {
            if (house == code) found.push_back(id);
        }
        return found;
    }

    void take(std::uint32_t index, const Record& record) {
        const Json payload = record.deleted ? from_key(record.key) : Json::parse(record.payload);
        const std::string code = text(payload, "property_code"), room = text(payload, "room_type");
        const Property* property = settings_.property_by_code(code);
        if (property == nullptr)
            throw Unfit("no property has the code '" + code + "'; see the setting 'properties'");
        const auto date = kit::parse_date("%Y-%m-%d", text(payload, "date"));
        if (!date) throw Unfit("the date '" + text(payload, "date") + "' is none");
        Range range;
        range.hotel = property->hotel_id;
        range.first = range.last = *date;
        range.records.push_back(index);
        std::string key = range.hotel + "/" + room + "/";
        const std::vector<std::string> rooms = ids_of(property->rooms, room);
        if (rooms.empty())
            throw Unfit("no room of property " + range.hotel + " has the code '" + room + "'; see 'rooms'");
        std::vector<std::string> rates{""};
        if (is_rate_) {
            const std::string plan = text(payload, "rate_plan");
            rates = ids_of(property->rate_plans, plan);
            if (rates.empty())
                throw Unfit("no rate plan of property " + range.hotel + " has the code '" + plan +
                            "'; see 'rate_plans'");
            key += plan + "/";
        }
        results_[index].external_id = key + kit::date_text(*date);
        // A house may be a day behind this clock; what is over even there nobody can book.
        if (date->days() < today_.days() - 1) {
            results_[index].outcome = LIAISON_OUTCOME_UNCHANGED;
            return;
        }
        for (const std::string& room_id : rooms) {
            for (const std::string& rate : rates) {
                range.room = room_id;
                range.rate = rate;
                if (is_rate_)
                    add_rate(range, *property, payload, record.deleted);
                else
                    add_rooms(range, payload, record.deleted);
            }
        }
    }
    // "hotel/room/2026-06-01" or "hotel/room/plan/2026-06-01": a tombstone has no content.
    static Json from_key(const std::string& key) {
        std::vector<std::string> parts(1);
        for (const char c : key) {
            if (c == '/')
                parts.emplace_back();
            else
                parts.back().push_back(c);
        }
        Json made = Json::object();
        made.set("property_code", parts.front());
        made.set("room_type", parts.size() > 1 ? parts[1] : "");
        if (parts.size() > 3) made.set("rate_plan", parts[2]);
        made.set("date", parts.back());
        return made;
    }

    // On doubt fewer rooms: closed days and deleted records sell none, more than 254 are 254.
    void add_rooms(Range range, const Json& payload, bool is_gone) {
        const Json* sellable = payload.find("sellable");
        const std::optional<std::int64_t> count =
            sellable != nullptr ? sellable->to_int() : std::optional<std::int64_t>();
        const bool is_closed = is_gone || flag(payload, "closed");
        if (!is_closed && !count)
            throw Unfit("it says neither how many rooms may be sold nor that it is closed");
        const std::int64_t limit = is_closed ? 0 : std::clamp<std::int64_t>(*count, 0, most_rooms);
        range.attributes = " BookingLimit=\"" + std::to_string(limit) + "\"";
        ranges_.push_back(std::move(range));
    }

    void add_rate(const Range& range, const Property& property, const Json& payload, bool is_gone) {
        if (!is_gone) add_prices(range, property, payload);
        const Json none = Json::object();
        const Json* given = payload.find("restrictions");
        const Json& rules = given != nullptr ? *given : none;
        const auto add = [&](const std::string& inside) {
            Range made = range;
            made.inside = inside;
            ranges_.push_back(std::move(made));
        };
        std::string stays;
        const auto length = [&](const char* name, const char* type) {
            const std::string nights = text(rules, name);
            if (!nights.empty())
                stays += "<LengthOfStay Time=\"" + nights + "\" MinMaxMessageType=\"" + type + "\"/>";
        };
        length("min_los", "SetMinLOS");
        length("max_los", "SetMaxLOS");
        const auto status = [](bool is_closed, const char* what) {
            return std::string("<RestrictionStatus Status=\"") + (is_closed ? "Close" : "Open") + "\"" +
                   what + "/>";
        };
        if (!stays.empty()) stays = "<LengthsOfStay>" + stays + "</LengthsOfStay>";
        const bool says_closed = is_gone || rules.find("closed") != nullptr;
        if (says_closed) stays += status(is_gone || flag(rules, "closed"), "");
        if (!stays.empty()) add(stays);
        if (rules.find("cta") != nullptr) add(status(flag(rules, "cta"), " Restriction=\"Arrival\""));
        if (rules.find("ctd") != nullptr) add(status(flag(rules, "ctd"), " Restriction=\"Departure\""));
    }
    void add_prices(Range range, const Property& property, const Json& payload) {
        const Json* included = payload.find("tax_included");
        const bool before_tax = included != nullptr && included->is_bool() && !included->as_bool();
        std::string amounts;
        const auto add = [&](const Json& price, std::int64_t guests, bool is_per_person) {
            const Json *amount = price.find("amount"), *currency = price.find("currency");
            const std::optional<std::int64_t> units = amount != nullptr ? amount->to_int() : std::nullopt;
            if (!units || currency == nullptr) throw Unfit("a price is no amount of money");
            if (currency->as_string() != property.currency)
                throw Unfit("the price is in " + currency->as_string() + ", and property " +
                            property.hotel_id + " sells in " + property.currency);
            amounts +=
                std::string("<BaseByGuestAmt ") + (before_tax ? "AmountBeforeTax" : "AmountAfterTax") +
                "=\"" + std::to_string(is_per_person ? *units * guests : *units) + "\" DecimalPlaces=\"" +
                std::to_string(kit::currency_exponent(property.currency).value_or(2)) + "\" CurrencyCode=\"" +
                property.currency + "\" NumberOfGuests=\"" + std::to_string(guests) + "\"/>";
        };
        if (const Json* prices = payload.find("prices"); prices != nullptr && prices->is_array()) {
            for (const Json& one : prices->items())
                add(one.get("price"), one.get("occupancy").to_int().value_or(1),
                    text(one, "per") == "person");
        }
        if (const Json* single = payload.find("single_use"); single != nullptr && single->is_object())
            add(*single, 1, false);
        if (amounts.empty()) return;
        range.service = Range::Service::rates;
        range.inside = "<Rates><Rate><BaseByGuestAmts>" + amounts + "</BaseByGuestAmts></Rate></Rates>";
        ranges_.push_back(std::move(range));
    }

    // ---- ranges to requests ----

    // Days that follow each other and say the same are one range; none goes beyond a month.
    void merge() {
        const auto before = [](const Range& a, const Range& b) {
            const std::string left = a.group(), right = b.group();
            return std::tuple(a.service, left, a.first.days()) < std::tuple(b.service, right, b.first.days());
        };
        std::sort(ranges_.begin(), ranges_.end(), before);
        std::vector<Range> merged;
        for (Range& one : ranges_) {
            const bool follows = !merged.empty() && merged.back().service == one.service &&
                                 merged.back().group() == one.group() &&
                                 one.first.days() <= merged.back().last.days() + 1;
            if (!follows) {
                merged.push_back(std::move(one));
                continue;
            }
            merged.back().last = one.last;
            merged.back().records.push_back(one.records.front());
        }
        ranges_ = std::move(merged);
    }
    void divide() {
        for (Range& one : ranges_) {
            const auto fits = [&](const std::vector<Range>& request) {
                const Range& first = request.front();
                return first.service == one.service && first.hotel == one.hotel &&
                       first.first.month == one.first.month && first.first.year == one.first.year &&
                       request.size() < most_ranges;
            };
            const auto found = std::find_if(requests_.begin(), requests_.end(), fits);
            if (found != requests_.end())
                found->push_back(std::move(one));
            else
                requests_.emplace_back().push_back(std::move(one));
        }
    }
    static std::string message(const Range& range, std::size_t locator) {
        const bool rates = range.service == Range::Service::rates;
        const std::string name = rates ? "RateAmountMessage" : "AvailStatusMessage";
        std::string out = "<" + name + range.attributes + " LocatorID=\"" + std::to_string(locator) +
                          "\"><StatusApplicationControl Start=\"" + kit::date_text(range.first) +
                          "\" End=\"" + kit::date_text(range.last) + "\" InvTypeCode=\"" +
                          escaped(range.room) + "\"";
        if (!range.rate.empty()) out += " RatePlanCode=\"" + escaped(range.rate) + "\"";
        return out + "/>" + range.inside + "</" + name + ">";
    }

    const Settings& settings_;
    bool is_rate_;
    kit::Date today_;
    std::vector<Range> ranges_;
    std::vector<std::vector<Range>> requests_;
    std::vector<Result> results_;
    std::set<std::uint32_t> is_settled_;
};

}  // namespace booking_com
