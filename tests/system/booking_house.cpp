#include "booking_house.hpp"

#include <ctime>

namespace liaison_system {
namespace {

constexpr char settings_text[] =
    R"(    credentials: { client_id: !file @ROOT@/secrets/booking-id, client_secret: !file @ROOT@/secrets/booking-secret }
    limits: { pause_after_429: 300ms }
    settings:
      reservations_url: @SIM@/booking/secure
      supply_url: @SIM@/booking/supply
      token_url: @SIM@/booking/auth
      poll_gap: 300ms
      after_post: 100ms
      properties:
        "367456": { code: PARADISE, currency: EUR, rooms: { "36745603": DBL, "36745604": SGL }, rate_plans: { "1278606": BAR } }
)";

constexpr char days_settings[] = R"(    settings:
      entities:
        availability:
          folder: @ROOT@/in
          processed: @ROOT@/done
          key: [id]
          fields:
            /property_code: { value: PARADISE }
            /room_type: room
            /date: date
            /sellable: { from: free, as: integer }
)";

std::string head(const char* id, const char* connector, const std::string& direction,
                 const Options& options) {
    return "  " + std::string(id) + ":\n    tenant: hotel\n    connector: " + connector +
           "\n    direction: " + direction + "\n    entities: " + options.entities +
           "\n    schedule: " + options.schedule + "\n" + options.more;
}

}  // namespace

std::string booking_com(const Options& options, const std::string& direction, const std::string& settings) {
    return head("booking", "booking_com", direction, options) + settings_text + settings;
}

void prepare_booking_com(const House& house) {
    house.write("secrets/booking-id", "booking-client");
    house.write("secrets/booking-secret", "booking-secret");
    house.set("booking", R"({"poll_gap_ms":300,"after_post_ms":100})");
}

std::string days_import(const Options& options) {
    return head("days", "csv", "import", options) + days_settings;
}

std::string date_of(int day) {
    const std::time_t when = std::time(nullptr) + (10 + day) * 86'400L;
    std::tm parts{};
    gmtime_r(&when, &parts);
    char text[16];
    std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
    return text;
}

std::string days_file(int days, int count) {
    std::string text = "id,room,date,free\n";
    for (const char* room : {"DBL", "SGL"}) {
        for (int day = 0; day < days; ++day) {
            const int free = day >= 100 && day < 107 ? 0 : count;
            text += std::string(room) + "-" + date_of(day) + "," + room + "," + date_of(day) + "," +
                    std::to_string(free) + "\n";
        }
    }
    return text;
}

}  // namespace liaison_system
