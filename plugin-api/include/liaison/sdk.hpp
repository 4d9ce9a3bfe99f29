// The liaison C++20 SDK: write a connector as straight-line coroutines over the C ABI of plugin.h.
//
//     class Shop : public liaison::Connector {
//         liaison::Task<void> pull(liaison::Context& context, const liaison::Start& start) override {
//             liaison::Response page = co_await context.send(liaison::Request("GET", url).auth("bearer"));
//             ...
//             co_await context.emit(std::move(records), next_cursor);
//         }
//     };
//
// The one rule: A CO_AWAIT STANDS ALONE (sdk/task.hpp says why). Needs the standard library only.
#pragma once

#include <liaison/sdk/context.hpp>
#include <liaison/sdk/plugin.hpp>
#include <liaison/sdk/task.hpp>
#include <liaison/sdk/types.hpp>
