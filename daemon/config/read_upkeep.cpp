// The sections `backup` and `retention`.
#include "config/section.hpp"

namespace liaisond::config {
namespace {

// "03:30", as the schema has it.
std::chrono::minutes time_of_day(const Section& from, std::chrono::minutes otherwise) {
    const std::string text = from.text("at");
    if (text.size() != 5) return otherwise;
    return std::chrono::minutes(std::stoi(text.substr(0, 2)) * 60 + std::stoi(text.substr(3, 2)));
}

// As a duration; "forever" is zero.
Milliseconds kept_for(const Section& from, const char* key, Milliseconds otherwise) {
    if (from.text(key) == "forever") return Milliseconds(0);
    return from.duration(key, otherwise, Retention::day);
}

}  // namespace

Upkeep read_upkeep(const Section& root) {
    Upkeep made;
    const Section backup = root.section("backup");
    made.backup.to = backup.text("to");
    made.backup.at = time_of_day(backup, made.backup.at);
    made.backup.daily = backup.section("keep").number("daily", made.backup.daily);
    made.backup.weekly = backup.section("keep").number("weekly", made.backup.weekly);
    const Section retention = root.section("retention");
    made.retention.at = time_of_day(retention, made.retention.at);
    made.retention.runs = kept_for(retention, "runs", made.retention.runs);
    made.retention.logs = kept_for(retention, "logs", made.retention.logs);
    made.retention.archive = kept_for(retention, "archive", made.retention.archive);
    made.retention.inbox = kept_for(retention, "inbox", made.retention.inbox);
    made.retention.dead_letters = kept_for(retention, "dead_letters", made.retention.dead_letters);
    made.retention.reservations = kept_for(retention, "reservations", made.retention.reservations);
    return made;
}

}  // namespace liaisond::config
