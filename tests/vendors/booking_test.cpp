// The simulated Booking.com refuses what the real one refuses (booking_com.md).
#include "sim_fixture.hpp"

namespace liaison_sim {
namespace {

const std::string secure = "/booking/secure/hotels/ota/", supply = "/booking/supply/hotels/";

class BookingTest : public SimTest {
  protected:
    using Answer = Client::Answer;

    BookingTest() { set("booking", R"({"poll_gap_ms":0,"after_post_ms":0})"); }
    Answer exchange(const std::string& secret = "booking-secret") {
        return control().post("/booking/auth/token-based-authentication/exchange",
                              R"({"client_id":"booking-client","client_secret":")" + secret + "\"}",
                              {{"Content-Type", "application/json"}});
    }
    void sign_in() { token_ = exchange().json().text_of("jwt"); }
    Answer get(const std::string& path) {
        return control().get(path, {{"Authorization", "Bearer " + token_}});
    }
    Answer post(const std::string& path, const std::string& body, const std::string& version = "1.1") {
        return control().post(path, body,
                              {{"Authorization", "Bearer " + token_},
                               {"Content-Type", "application/xml"},
                               {"Accept-Version", version}});
    }
    Answer acknowledge(const std::string& id, bool is_fresh = true) {
        const std::string root = is_fresh ? "OTA_HotelResNotif" : "OTA_HotelResModifyNotif",
                          list = is_fresh ? "HotelReservations" : "HotelResModifies",
                          one = is_fresh ? "HotelReservation" : "HotelResModify";
        return post(
            secure + root,
            "<" + root + "RS xmlns=\"http://www.opentravel.org/OTA/2003/05\" Version=\"2.001\"><Success/><" +
                list + "><" + one +
                "><ResGlobalInfo><HotelReservationIDs><HotelReservationID ResID_Value=\"" + id +
                "\"/></HotelReservationIDs></ResGlobalInfo></" + one + "></" + list + "></" + root + "RS>");
    }
    Answer sell(const std::string& messages) {
        return post(supply + "ota/OTA_HotelAvailNotif",
                    "<OTA_HotelAvailNotifRQ xmlns=\"http://www.opentravel.org/OTA/2003/05\" "
                    "Version=\"1.005\"><AvailStatusMessages>" +
                        messages + "</AvailStatusMessages></OTA_HotelAvailNotifRQ>");
    }
    static std::string rooms(int locator, const std::string& room, int limit,
                             const std::string& first = "2090-06-01",
                             const std::string& last = "2090-06-03") {
        return "<AvailStatusMessage BookingLimit=\"" + std::to_string(limit) + "\" LocatorID=\"" +
               std::to_string(locator) + "\"><StatusApplicationControl Start=\"" + first + "\" End=\"" +
               last + "\" InvTypeCode=\"" + room + "\"/></AvailStatusMessage>";
    }
    static bool has(const Answer& answer, const std::string& text) {
        return answer.body.find(text) != std::string::npos;
    }
    std::string token_;
};

TEST_F(BookingTest, TokensAreCountedAndEnd) {
    EXPECT_EQ(get(secure + "OTA_HotelResNotif").status, 401u);
    EXPECT_EQ(exchange("wrong").status, 401u);
    sign_in();
    EXPECT_EQ(get(secure + "OTA_HotelResNotif").status, 200u);
    set("booking", R"({"expire_tokens":true})");
    const Answer here = get(secure + "OTA_HotelResNotif"),
                 there = post(supply + "xml/roomrates", "<request/>");
    EXPECT_EQ(here.status, 401u);
    EXPECT_EQ(there.status, 401u);
    EXPECT_NE(here.body, there.body) << "what stands in a 401 differs per endpoint";
    set("booking", R"({"tokens_an_hour":3})");
    EXPECT_EQ(exchange().status, 200u);
    EXPECT_EQ(exchange().status, 429u);
}

TEST_F(BookingTest, ReservationsComeFromTheSecureHostAlone) {
    sign_in();
    EXPECT_EQ(get(supply + "ota/OTA_HotelResNotif").status, 403u);
}

TEST_F(BookingTest, MessagesComeAgainUntilTheyAreAcknowledgedAndTheCardOnlyOnce) {
    sign_in();
    seed("booking/reservations", 1);
    const Answer first = get(secure + "OTA_HotelResNotif"), second = get(secure + "OTA_HotelResNotif");
    EXPECT_TRUE(has(first, "4111 1111 1111 1111"));
    EXPECT_TRUE(has(second, "4705900001"));
    EXPECT_FALSE(has(second, "4111"));
    EXPECT_EQ(acknowledge("4705900001", false).status, 400u) << "the wrong endpoint";
    EXPECT_EQ(acknowledge("4705999999").status, 404u);
    EXPECT_EQ(acknowledge("4705900001").status, 200u);
    EXPECT_EQ(acknowledge("4705900001").status, 200u) << "acknowledgements may be repeated";
    EXPECT_FALSE(has(get(secure + "OTA_HotelResNotif"), "4705900001"));
}

TEST_F(BookingTest, AChangeBeforeTheAcknowledgementArrivesAsNew) {
    sign_in();
    seed("booking/reservations", 1);
    get(secure + "OTA_HotelResNotif");
    control().put("/_sim/booking/reservations/4705900001", R"({"surname":"Later"})");
    EXPECT_EQ(acknowledge("4705900001").status, 400u) << "a newer message exists";
    EXPECT_TRUE(has(get(secure + "OTA_HotelResNotif"), "Later"));
    EXPECT_EQ(acknowledge("4705900001").status, 200u);
    control().put("/_sim/booking/reservations/4705900001", R"({"status":"cancelled"})");
    const Answer changed = get(secure + "OTA_HotelResModifyNotif");
    EXPECT_TRUE(has(changed, "ResStatus=\"Cancel\""));
    EXPECT_TRUE(has(changed, "<RoomStays></RoomStays>")) << "cancellations come without rooms";
    EXPECT_EQ(acknowledge("4705900001").status, 400u);
    EXPECT_EQ(acknowledge("4705900001", false).status, 200u);
}

TEST_F(BookingTest, ThePaceIsKeptOrRefused) {
    set("booking", R"({"poll_gap_ms":60000})");
    sign_in();
    EXPECT_EQ(get(secure + "OTA_HotelResNotif").status, 200u);
    const Answer again = get(secure + "OTA_HotelResNotif");
    EXPECT_EQ(again.status, 429u);
    EXPECT_EQ(again.header("Retry-After"), "");
    EXPECT_EQ(get(secure + "OTA_HotelResModifyNotif").status, 200u) << "each queue has a pace of its own";
    set("booking", R"({"poll_gap_ms":0,"after_post_ms":60000})");
    acknowledge("4705900001");
    EXPECT_EQ(get(secure + "OTA_HotelResNotif").status, 429u);
}

TEST_F(BookingTest, WhatNobodyFetchesIsMissed) {
    sign_in();
    seed("booking/reservations", 3);
    set("booking", R"({"message_ms":-1,"missed_page":2})");
    EXPECT_FALSE(has(get(secure + "OTA_HotelResNotif"), "47059"));
    const std::string path = "/booking/supply/reservations-flow-control/missed-reservations";
    EXPECT_EQ(get(path).status, 400u) << "a range is required";
    const Answer page = get(path + "?from=2026-01-01T00:00:00Z&until=2090-01-01T00:00:00Z");
    EXPECT_EQ(page.json().find("data")->items().size(), 2u);
    EXPECT_EQ(page.json().find("meta")->text_of("next_cursor"), "2");
    EXPECT_TRUE(has(get(secure + "OTA_HotelResNotif?id=4705900002"), "4705900002"));
    EXPECT_EQ(acknowledge("4705900002").status, 200u);
    set("booking", R"({"modes":{"recovery":"false"}})");
    EXPECT_EQ(get(path + "?from=2026-01-01T00:00:00Z&until=2090-01-01T00:00:00Z").status, 403u);
}

TEST_F(BookingTest, AvailabilityIsCheckedRangeByRange) {
    sign_in();
    const Answer answer = sell(rooms(1, "36745603", 5) + rooms(2, "1", 5) + rooms(3, "36745603", 255) +
                               rooms(4, "36745604", 1, "2090-06-03", "2090-06-01") +
                               rooms(5, "36745604", 1, "2020-06-01", "2020-06-01"));
    EXPECT_EQ(answer.status, 200u);
    for (const char* locator : {"\"2\"", "\"3\"", "\"4\"", "\"5\""})
        EXPECT_TRUE(has(answer, std::string("LocatorID=") + locator)) << locator << answer.body;
    EXPECT_FALSE(has(answer, "LocatorID=\"1\""));
    EXPECT_EQ(control().get("/_sim/booking/availability/count").json().text_of("count"), "3");
    EXPECT_EQ(sell(rooms(1, "36745603", 5) + rooms(2, "40000101", 5)).status, 400u) << "two hotels";
    EXPECT_EQ(sell(rooms(1, "36745603", 5) + rooms(1, "36745603", 5)).status, 400u) << "one locator twice";
}

TEST_F(BookingTest, RatesNeedTheHousesCurrencyAndTheVersion) {
    sign_in();
    const auto rates = [&](const std::string& money, const std::string& version) {
        return post(
            supply + "ota/OTA_HotelRateAmountNotif",
            "<OTA_HotelRateAmountNotifRQ xmlns=\"http://www.opentravel.org/OTA/2003/05\" Version=\"3.000\">"
            "<RateAmountMessages><RateAmountMessage LocatorID=\"1\"><StatusApplicationControl "
            "Start=\"2090-06-01\" End=\"2090-06-01\" InvTypeCode=\"36745603\" RatePlanCode=\"1278606\"/>"
            "<Rates><Rate><BaseByGuestAmts><BaseByGuestAmt NumberOfGuests=\"2\" AmountAfterTax=\"15000\" " +
                money +
                "/></BaseByGuestAmts></Rate></Rates></RateAmountMessage></RateAmountMessages>"
                "</OTA_HotelRateAmountNotifRQ>",
            version);
    };
    EXPECT_TRUE(has(rates("DecimalPlaces=\"2\" CurrencyCode=\"EUR\"", "1.1"), "<Success/>"));
    EXPECT_TRUE(has(rates("DecimalPlaces=\"2\" CurrencyCode=\"USD\"", "1.1"),
                    "CURRENCY_CODE_DONT_MATCH_HOTEL_CURRENCY"));
    EXPECT_EQ(rates("DecimalPlaces=\"2\" CurrencyCode=\"EUR\"", "1.0").status, 400u);
    EXPECT_EQ(post(supply + "xml/roomrates", "<request><hotel_id>5</hotel_id></request>").status, 403u);
}

}  // namespace
}  // namespace liaison_sim
