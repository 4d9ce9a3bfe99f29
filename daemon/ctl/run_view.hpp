// What is printed about runs, from the API's JSON.
#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "base/time.hpp"
#include "ctl/table.hpp"

namespace liaisond::ctl {

Tone tone_of_status(std::string_view status);

std::string runs_text(const boost::json::array& items, const Look& look, Instant now);
// One run with its entities and its error.
std::string run_text(const boost::json::value& run, const Look& look, Instant now);
// The end of `run --wait`: the verdict in one sentence, the entities, and what to do about what was refused.
std::string run_summary(const boost::json::value& run, const Look& look, Instant now);
// Did it do what was asked? Records that were rejected do not spoil a run; an error does.
bool run_went_well(const boost::json::value& run);
bool run_has_ended(const boost::json::value& run);

// One line about a run under way. `frame` turns the spinner.
std::string progress_text(const boost::json::value& run, const Look& look, Instant now, std::size_t frame);
// The same for a log: no spinner, no shortening.
std::string progress_line(const boost::json::value& run, Instant now);

}  // namespace liaisond::ctl
