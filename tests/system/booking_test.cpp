// Booking.com through the real daemon, worker and transport: messages that come again until they are
// acknowledged, a daemon that is killed in between, card data that must be nowhere, a year of availability.
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "booking_house.hpp"
#include "hub.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

std::string all_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

class Booking : public testing::Test {
  protected:
    Booking() { prepare_booking_com(house); }
    void begin(int reservations, const std::string& settings = {}) {
        if (reservations > 0) house.seed("booking/reservations", reservations);
        house.configure(booking_com({"[reservation]"}, "import", settings));
        house.start();
    }
    // The states of all messages at Booking.com.
    std::size_t in_state(const std::string& state) const {
        std::size_t found = 0;
        for (const json::value& one : vendor_records(house, "booking/reservations"))
            found += text_of(one.as_object(), "state") == state ? 1 : 0;
        return found;
    }
    json::object run_well() {
        json::object run = house.run("booking");
        EXPECT_EQ(text_of(run, "status"), "success") << json::serialize(run) << house.last_lines();
        return run;
    }
    void expect_each_once(std::size_t reservations) const {
        const Hub hub(house);
        EXPECT_TRUE(hub_equals(hub, "booking", "reservation", vendor_records(house, "booking/reservations"),
                               "/id", {{"/booker/surname", "/surname"}, {"/booker/email", "/email"}}));
        EXPECT_EQ(hub.mapped("booking", "reservation").size(), reservations);
        EXPECT_EQ(hub.records("reservation"), static_cast<std::int64_t>(reservations));
        EXPECT_EQ(in_state("done"), reservations);
        EXPECT_EQ(hub.number("SELECT count(*) FROM dead_letters"), 0);
    }
    // Keeping the pace was never a matter of luck.
    void expect_good_manners() const {
        EXPECT_EQ(house.stat("booking", "rate_limited"), 0);
        EXPECT_EQ(house.stat("booking", "refused"), 0);
        EXPECT_LE(house.stat("booking", "in_flight_max"), 1);
    }
    json::object reservation(const std::string& id) const {
        return Hub(house).mapped("booking", "reservation").at(id).payload;
    }
    void change(const std::string& id, const std::string& patch) const {
        const Reply reply = house.sim("PUT", "booking/reservations/" + id, patch);
        ASSERT_EQ(reply.status, 200u) << json::serialize(reply.body);
    }
    House house;
};

TEST_F(Booking, ReservationsAreStoredAcknowledgedAndNotFetchedAgain) {
    begin(250);
    EXPECT_EQ(total_of(run_well(), "created"), 250);
    expect_each_once(250);
    const std::int64_t writes = house.stat("booking", "writes");
    const json::object again = run_well();
    EXPECT_EQ(total_of(again, "fetched"), 0) << json::serialize(again);
    EXPECT_EQ(house.stat("booking", "writes"), writes) << "nothing new, and yet something was acknowledged";
    EXPECT_EQ(house.stat("booking", "logins"), 1) << "thirty tokens an hour";
    expect_good_manners();
}

TEST_F(Booking, ChangesReplaceAndCancellationsKeepWhatIsKnown) {
    begin(3);
    run_well();
    const json::object before = reservation("4705900002");
    change("4705900001",
           R"({"rooms":[{"index":"1","room_id":"36745604","rate_id":"1278606","arrival":"2027-02-01",
        "nights":[9900],"adults":1,"status":""},{"index":"2","room_id":"36745603","rate_id":"1278606",
        "arrival":"2027-02-01","nights":[100],"adults":1,"status":"cancelled"}],"remarks":"By train"})");
    change("4705900002", R"({"status":"cancelled","cancellation_fee":2500})");
    const json::object run = run_well();
    EXPECT_EQ(total_of(run, "updated"), 2) << json::serialize(run);
    const json::object changed = reservation("4705900001"), cancelled = reservation("4705900002");
    EXPECT_EQ(text_of(changed, "arrival_date"), "2027-02-01");
    EXPECT_EQ(changed.at("stays").as_array().size(), 2u);
    EXPECT_EQ(changed.at("stays").at(0).at("room_type"), "SGL");
    EXPECT_EQ(changed.at("stays").at(1).at("status"), "cancelled");
    EXPECT_EQ(changed.at("total").at("amount"), 9900);
    EXPECT_EQ(changed.at("special_requests").at(0).at("text"), "By train");
    EXPECT_EQ(text_of(cancelled, "status"), "cancelled");
    EXPECT_EQ(cancelled.at("cancellation_fee").at("amount"), 2500);
    for (const char* kept : {"arrival_date", "departure_date", "total", "stays", "property_code"})
        EXPECT_EQ(cancelled.at(kept), before.at(kept)) << kept;
    EXPECT_EQ(in_state("done"), 3u);
    expect_good_manners();
}

TEST_F(Booking, AChangeBetweenDeliveryAndAcknowledgementIsNotLost) {
    begin(20);
    house.set("booking", R"({"latency_ms":400})");
    const std::int64_t run = house.trigger("booking");
    ASSERT_TRUE(until([&] { return house.stat("booking", "writes") >= 2; }))
        << "a token, and an acknowledgement";
    change("4705900007", R"({"surname":"Changed"})");
    house.wait_for_run(run);
    house.set("booking", R"({"latency_ms":0})");
    run_well();
    EXPECT_EQ(reservation("4705900007").at("booker").at("surname"), "Changed");
    expect_each_once(20);
}

// Between the commit and the acknowledgement, and behind the acknowledgement that nobody heard the answer of.
class BookingKilled : public Booking, public testing::WithParamInterface<const char*> {};

TEST_P(BookingKilled, EachReservationIsThereOnceAndAcknowledgedInTheEnd) {
    house.seed("booking/reservations", 60);
    house.configure(booking_com({"[reservation]"}, "import"));
    ASSERT_TRUE(house.start_armed(GetParam())) << house.last_lines();
    house.trigger("booking");
    ASSERT_TRUE(until([&] { return !house.daemon().is_running(); })) << "the fault point was not reached";
    house.kill_daemon();
    EXPECT_GT(Hub(house).records("reservation"), 0) << "acknowledged before it was stored, or not stored";
    house.start();
    ASSERT_TRUE(until([&] {
        house.run("booking");
        return in_state("done") == 60u;
    })) << house.last_lines();
    expect_each_once(60);
    EXPECT_EQ(house.stat("booking", "refused"), 0);
}
// The first write is the login.
INSTANTIATE_TEST_SUITE_P(Booking, BookingKilled,
                         testing::Values("transport.write_leaves:2:kill", "request.after_write:2:kill"));

TEST_F(Booking, LostAnswersAndFaultsAfterTheWorkChangeNothing) {
    house.set("booking", R"({"lose_every":2,"fault_after_commit_every":3})");
    begin(230);
    ASSERT_TRUE(until([&] {
        house.run("booking");
        return in_state("done") == 230u;
    })) << house.last_lines();
    EXPECT_GT(house.stat("booking", "answers_lost"), 0);
    expect_each_once(230);
}

TEST_F(Booking, ATokenThatEndsInTheMiddleIsRenewedOnce) {
    begin(200);
    run_well();
    house.seed("booking/reservations", 200);
    house.set("booking", R"({"latency_ms":100})");
    const std::int64_t run = house.trigger("booking");
    ASSERT_TRUE(house.wait_until_fetched(run, 1));
    house.set("booking", R"({"expire_tokens":true})");
    EXPECT_EQ(text_of(house.wait_for_run(run), "status"), "success") << house.last_lines();
    EXPECT_EQ(house.stat("booking", "logins"), 2);
    EXPECT_GT(house.stat("booking", "unauthorized"), 0);
    house.set("booking", R"({"latency_ms":0})");
    run_well();
    expect_each_once(400);
}

TEST_F(Booking, TooManyRequestsAreWaitedOut) {
    house.set("booking", R"({"rate_limit":{"per_second":3,"burst":1}})");
    begin(20);
    ASSERT_TRUE(until([&] {
        house.run("booking");
        return in_state("done") == 20u;
    })) << house.last_lines();
    EXPECT_GT(house.stat("booking", "rate_limited"), 0);
    expect_each_once(20);
}

TEST_F(Booking, FaultsInsideOf200AreTriedAgain) {
    house.set("booking", R"({"fault_in_200_every":2})");
    begin(20);
    ASSERT_TRUE(until([&] {
        house.run("booking");
        return in_state("done") == 20u;
    })) << house.last_lines();
    expect_each_once(20);
}

TEST_F(Booking, WhatLeftTheQueueIsRecovered) {
    begin(5, "      recover_after: 1ms\n");
    run_well();
    house.seed("booking/reservations", 4);
    house.set("booking", R"({"message_ms":1,"missed_page":3})");
    ASSERT_TRUE(until([&] {
        house.run("booking");
        return in_state("done") == 9u;
    })) << house.last_lines();
    EXPECT_EQ(house.count("booking/reservations"), 9);
    expect_each_once(9);
}

TEST_F(Booking, APlanFetchesAndAcknowledgesNothing) {
    begin(4);
    const House::Told told = house.ctl("run booking --dry-run --wait");
    EXPECT_EQ(told.code, 0) << told.text;
    EXPECT_EQ(in_state("pending"), 4u);
    EXPECT_EQ(Hub(house).records("reservation"), 0);
    run_well();
    expect_each_once(4);
}

TEST_F(Booking, CardDataIsNowhere) {
    house.seed("booking/reservations", 3);
    change("4705900002", R"({"remarks":"My card is 5555 5555 5555 4444, thanks"})");
    // This one becomes a dead letter, with what it was made of.
    change("4705900003", R"({"currency":"JPY","decimals":3})");
    house.configure(booking_com({"[reservation]"}, "import"));
    house.start();
    const std::string cassette = (house.root() / "booking.cassette").string();
    const House::Told told = house.ctl("run booking --record " + cassette);
    EXPECT_THAT(told.text, HasSubstr("reservation")) << told.text;
    const std::string recorded = all_of(cassette);
    EXPECT_THAT(recorded, HasSubstr("OTA_HotelResNotif")) << "nothing was recorded";
    EXPECT_THAT(recorded, HasSubstr("<Guarantee/>")) << "no card was put to the test";
    EXPECT_EQ(Hub(house).number("SELECT count(*) FROM dead_letters"), 1);
    EXPECT_EQ(house.stop(), 0);
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(house.root())) {
        if (!entry.is_regular_file()) continue;
        const std::string text = all_of(entry.path());
        ++files;
        for (const char* forbidden :
             {"4111 1111", "41111111", "7391", "CARDHOLDER", "5555 5555 5555", "1231\""})
            EXPECT_EQ(text.find(forbidden), std::string::npos) << forbidden << " is in " << entry.path();
    }
    EXPECT_GT(files, 3);
}

// ---- availability and rates ----

// Days of the house's own system, as files.
class BookingOut : public Booking {
  protected:
    // Each room has the same count but for a week in the middle.
    void write_days(const std::string& file, int days, int count) const {
        house.write("in/" + file, days_file(days, count));
    }
    void begin_out(const std::string& more = "    push_batch: 1000\n") {
        house.configure(days_import() + booking_com({"[availability]", "manual", more}, "export"));
        house.start();
        EXPECT_EQ(text_of(house.run("days"), "status"), "success") << house.last_lines();
    }
    bool wait_until_sold(std::int64_t days, int count) const {
        return until([&] {
            const json::array all = vendor_records(house, "booking/availability");
            if (static_cast<std::int64_t>(all.size()) != days) return false;
            int right = 0;
            for (const json::value& one : all) {
                const std::int64_t sell = number_of(one.as_object(), "to_sell");
                right += sell == count || sell == 0 ? 1 : 0;
            }
            return right == days && Hub(house).open_intents() == 0;
        });
    }
};

TEST_F(BookingOut, AYearOfDaysIsAFewRangesInThirteenMonths) {
    write_days("a.csv", 365, 5);
    begin_out();
    house.run("booking");
    ASSERT_TRUE(wait_until_sold(730, 5)) << house.last_lines();
    // The token, and a request per month.
    EXPECT_LE(house.stat("booking", "writes"), 15);
    EXPECT_EQ(house.stat("booking", "refused"), 0);
    const std::int64_t writes = house.stat("booking", "writes");
    house.run("booking");
    EXPECT_EQ(house.stat("booking", "writes"), writes) << "the second run sends it all again";
    EXPECT_EQ(Hub(house).number("SELECT count(*) FROM dead_letters"), 0);
}

// Prices to one service, restrictions to another; a price in dollars is refused before it is sent.
TEST_F(BookingOut, RatesArriveWithTheirRestrictions) {
    std::string text = "id,date,price,currency,nights,closed\n";
    for (int day = 0; day < 40; ++day)
        text += "r" + date_of(day) + "," + date_of(day) + ",150.00," + (day == 7 ? "USD" : "EUR") + ",2," +
                (day == 9 ? "true" : "false") + "\n";
    house.write("in/rates.csv", text);
    house.configure(R"(  days:
    tenant: hotel
    connector: csv
    direction: import
    entities: [rate]
    schedule: manual
    settings:
      entities:
        rate:
          folder: @ROOT@/in
          processed: @ROOT@/done
          key: [id]
          fields:
            /property_code: { value: PARADISE }
            /room_type: { value: DBL }
            /rate_plan: { value: BAR }
            /date: date
            /prices/0/occupancy: { from: nights, as: integer }
            /prices/0/price: { from: price, as: money, currency_from: currency }
            /restrictions/min_los: { from: nights, as: integer }
            /restrictions/closed: { from: closed, as: boolean }
)" + booking_com({"[rate]"}, "export"));
    house.start();
    const json::object read = house.run("days");
    ASSERT_EQ(total_of(read, "created"), 40) << json::serialize(read) << house.last_lines();
    house.run("booking");
    ASSERT_TRUE(until([&] { return house.count("booking/rates") == 39; })) << house.last_lines();
    for (const json::value& one : vendor_records(house, "booking/rates")) {
        const json::object& rate = one.as_object();
        EXPECT_EQ(number_of(rate, "price2"), 15'000) << json::serialize(one);
        EXPECT_EQ(number_of(rate, "SetMinLOS"), 2);
        EXPECT_EQ(text_of(rate, "status"), text_of(rate, "date") == date_of(9) ? "Close" : "Open");
    }
    ASSERT_EQ(Hub(house).number("SELECT count(*) FROM dead_letters"), 1);
    EXPECT_THAT(Hub(house).text("SELECT message FROM dead_letters"), HasSubstr("sells in EUR"));
}

TEST_F(BookingOut, LostAnswersAreSentAgainSinceCountsAreAbsolute) {
    house.set("booking", R"({"lose_every":4})");
    write_days("a.csv", 120, 7);
    begin_out({});
    house.trigger("booking");
    ASSERT_TRUE(wait_until_sold(240, 7)) << house.last_lines();
    EXPECT_GT(house.stat("booking", "answers_lost"), 0);
}

TEST_F(BookingOut, TheDaemonIsKilledInTheMiddle) {
    house.set("booking", R"({"latency_ms":150})");
    write_days("a.csv", 200, 4);
    begin_out();
    house.trigger("booking");
    ASSERT_TRUE(until([&] { return house.count("booking/availability") >= 60; })) << house.last_lines();
    house.kill_daemon();
    house.start();
    house.set("booking", R"({"latency_ms":0})");
    house.trigger("booking");
    ASSERT_TRUE(wait_until_sold(400, 4)) << house.last_lines();
}

}  // namespace
}  // namespace liaison_system
