// Booking.com in the tests: an integration with the simulated one, at a pace that tests can wait for.
#pragma once

#include <string>

#include "house.hpp"
#include "integrations.hpp"

namespace liaison_system {

// `direction`: import or export. `settings`: further lines, indented by six blanks.
std::string booking_com(const Options& options, const std::string& direction,
                        const std::string& settings = {});
// Writes the credentials and tells the simulator the pace; before the daemon starts.
void prepare_booking_com(const House& house);
// Availability from files in @ROOT@/in with the columns id, room, date, free; a day has the id ROOM-DATE.
std::string days_import(const Options& options = {"[availability]"});
// Such a file: each of two rooms has `count` on each of `days` days, none on those from 100 to 106.
std::string days_file(int days, int count);
// "2027-02-01": so many days after the first in the files.
std::string date_of(int day);

}  // namespace liaison_system
