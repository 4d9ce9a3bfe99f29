// One read, judged: its JSON, or a Failure.
#pragma once

#include <string>
#include <utility>

#include "faults.hpp"

namespace lightspeed {

using liaison::Context;
using liaison::Start;
using liaison::Task;

inline Task<Json> read_json(Context& context, const Settings& settings, std::string url) {
    Request request = settings.get(url);
    Response response = co_await context.send(std::move(request));
    if (!response.ok()) throw read_failure(response, url, context.now_ms());
    Json body = kit::json_body(response, url);
    co_return body;
}

}  // namespace lightspeed
