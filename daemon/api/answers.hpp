// Answers: how the API says things. Errors are problem documents (RFC 9457).
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/schema.hpp"
#include "base/time.hpp"
#include "web/message.hpp"

namespace liaisond::api {

web::Answer ok(const boost::json::value& body, unsigned status = 200);
// The status by the kind of error.
web::Answer problem(const Error& error);
// The `type` is a URN by the status: "urn:liaison:problem:not-found". The detail is for people.
web::Answer problem(unsigned status, std::string_view detail);
// With errors[]: {"pointer", "detail"}.
web::Answer problem(unsigned status, std::string_view detail, boost::json::array errors);
boost::json::array errors_of(const std::vector<Schema::Fault>& faults);
// An error of what was asked for is 422, others as usual.
web::Answer refusal(const Error& error);

// As the API writes an instant; null before the first.
boost::json::value time_or_null(Instant at);
// The JSON that a text is; the text itself where it is none.
boost::json::value parsed(const std::string& text);
boost::json::value text_or_null(const std::string& text);

}  // namespace liaisond::api
