// What the tests of plugin/ share: paths, events, and driving an io_context until something is true.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "paths.hpp"
#include "plugin/worker_runtime.hpp"

namespace liaisond::plugin::fixtures {

inline std::string library(const std::string& name) { return paths::test_plugin(std::string(name) + ".so"); }

inline InstanceSpec spec(const std::string& plugin, const std::string& integration,
                         const std::string& tenant = "t") {
    return {library(plugin), tenant, integration, "{\"connector\":\"sample\",\"settings\":{}}",
            Isolation::plugin};
}

inline Event start(const std::string& entity, std::int64_t now_ms = 1) {
    StartEvent event;
    event.entity = entity;
    return {now_ms, std::move(event)};
}

inline Event answer(std::uint32_t status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    HttpEvent event;
    event.responses.push_back(std::move(response));
    return {2, std::move(event)};
}

template <class Condition>
bool run_until(boost::asio::io_context& io, Condition condition,
               std::chrono::milliseconds limit = std::chrono::minutes(2)) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        io.restart();
        if (io.run_one_until(until) == 0 && std::chrono::steady_clock::now() >= until) return false;
    }
    return true;
}

// One step to its end.
inline Result<Effect> step(boost::asio::io_context& io, Job& job, Event event) {
    std::optional<Result<Effect>> effect;
    job.step(std::move(event), [&](Result<Effect> got) { effect = std::move(got); });
    EXPECT_FALSE(effect) << "completed from inside the call";
    if (!run_until(io, [&] { return effect.has_value(); }))
        return fail(ErrorKind::transient, "no answer in time");
    return std::move(*effect);
}

inline std::string error_text(const Result<Effect>& effect) {
    return effect ? "no error" : effect.error().message;
}

// Short waits, so that tests are quick.
inline WorkerOptions quick_options() {
    WorkerOptions options;
    options.worker_path = paths::program("liaison-worker");
    options.first_backoff = std::chrono::milliseconds(10);
    options.longest_backoff = std::chrono::milliseconds(100);
    options.step_deadline = std::chrono::seconds(10);
    return options;
}

}  // namespace liaisond::plugin::fixtures
