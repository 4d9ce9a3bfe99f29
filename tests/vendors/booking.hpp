// Booking.com's Connectivity APIs (OTA messages): tokens of an hour, two queues of reservation messages that
// come again until they are acknowledged, missed reservations, availability and rates. Three hosts as three
// first segments: auth, secure (which alone hands out reservations) and supply. Strict in what it accepts, in
// pace above all.
#pragma once

#include <pugixml.hpp>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "vendor.hpp"

namespace liaison_sim {

class Booking final : public Vendor {
  public:
    Booking();

  private:
    struct House {
        std::string currency;
        int decimals = 2;
        std::vector<std::string> rooms, rates;
    };
    // What one availability or rate message says about its days.
    struct Message {
        std::string locator, hotel, room, rate;
        std::int64_t first_day = 0, last_day = 0;
        pugi::xml_node node;
    };

    std::optional<Response> turn_away(const Request& request) override;
    bool is_authorized(const Request& request) const override;
    std::string challenge() const override { return "Basic realm=\"supply-xml\""; }
    Response unauthorized() const override;
    Response too_many() const override;
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;
    void complete(const Collection& collection, Json& record, const Json& patch) override;
    void check_record(const Collection&, const Json&) const override {}
    void forget() override;
    bool set_own(const std::string& name, const Json& value) override;
    void show_own(Json& switches) const override;

    Response exchange(const Request& request);
    Response serve(const Request& request);
    Response deliver(const Request& request, bool is_fresh);
    Response acknowledge(const Request& request, bool is_fresh);
    Response missed(const Request& request);
    Response room_rates(const Request& request);
    Response set_availability(const Request& request);
    Response set_rates(const Request& request);

    std::string as_xml(const Json& record, bool is_fresh, bool with_card) const;
    std::string room_as_xml(const Json& room, const Json& record, int number, bool is_cancelled) const;
    std::string guarantee() const;
    void expire_messages();
    bool keeps_pace(bool is_fresh);
    std::vector<Message> messages_of(const Request& request, pugi::xml_document& document, const char* root,
                                     const char* list, const char* message,
                                     std::vector<std::string>& errors) const;
    const House* house_of_room(const std::string& room, std::string* id = nullptr) const;
    Response answered(const char* root, const std::vector<std::string>& errors, bool committed) const;
    void patch(Collection& collection, const std::string& id, const Json& members);

    Collection &reservations_, &availability_, &rates_;
    std::map<std::string, House> houses_;
    std::map<std::string, std::int64_t> tokens_;  // until when they are good
    std::deque<std::int64_t> issued_ms_;          // of the last hour
    std::int64_t last_token_ = 0;
    std::int64_t fresh_ms_ = 0, changed_ms_ = 0, posted_ms_ = 0;
    std::int64_t token_ms_ = 3'600'000, tokens_an_hour_ = 30, poll_gap_ms_ = 20'000, after_post_ms_ = 5'000,
                 message_ms_ = 1'800'000, fault_in_200_every_ = 0, fault_in_200_seen_ = 0, missed_page_ = 50;
};

}  // namespace liaison_sim
