// Connector scripts: what a connector must ask and what it is told, as text. This is the parsed form;
// script_runner.hpp plays it. Grammar by example:
//
//     # a comment
//     config {"connector": "shop", "settings": {"base_url": "https://x.example"}}
//     pull order cursor="" mode=full page_size=2 now=2026-01-01T00:00:00Z from=2025-12-01T00:00:00Z
//     > GET https://x.example/orders  Accept: application/json  auth=bearer
//     < +500 200 ETag: "7"  [{"id": 1}]
//     > emit 1 order pipelined cursor="1"
//     >record {"key": "1", "payload": {"number": "A1"}}
//     < emitted
//     > GET https://x.example/orders?page=2
//     < error transient "connection reset"
//     > sleep 1000
//     < timer
//     > done
//
//     webhook [{"id": "1", "type": "order.paid", "headers": {"X-Shop": "7"}, "body": {"id": 7}}]
//     > emit 1
//     >record {"entity": "sales_order", "key": "7"}
//     < emitted
//     > result 0 updated
//     < recorded
//     > done {"changed": ["product"]}
//
// `config @file.json` reads it from a file; the other jobs are test, push, find, login and logout; +500 moves
// the clock on by 500 ms. After the end of a job another one may follow, under the same config.
//
// A file that begins with `cassette` is a recording (cassette.hpp): its effects are compared as text, with
// everything they say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

struct ExpectedRequest {
    int line = 0;
    std::string method, url;
    std::vector<Header> headers;      // must be there with that value
    std::optional<std::string> auth;  // what is absent is not compared
    std::optional<std::string> idempotency_key;
    std::optional<std::int32_t> record_index;
    bool mutates = false;
    std::optional<std::string> body;
};
struct ExpectedHttp {
    std::vector<ExpectedRequest> requests;
};
struct ExpectedRecord {
    int line = 0;
    boost::json::object
        members;  // a subset of {entity, key, version, reference, deleted, changed_ms, payload}
};
struct ExpectedEmit {
    std::size_t count = 0;
    std::optional<std::string> cursor;
    std::vector<ExpectedRecord> records;
    bool pipelined = false;  // must be; absent: not compared
};
struct ExpectedOutcome {
    int line = 0;
    std::uint32_t index = 0, outcome = 0;
    std::optional<std::string> external_id, version, text;
    std::optional<std::uint32_t> category;
};
struct ExpectedResults {
    std::vector<ExpectedOutcome> outcomes;
};
struct ExpectedSleep {
    std::int64_t duration_ms = 0;
};
struct ExpectedDone {
    std::optional<boost::json::value> output;  // a subset
};
struct ExpectedFail {
    std::uint32_t category = 0;
    std::optional<std::string> text;
    std::optional<std::int64_t> retry_after_ms;
};
using Expected =
    std::variant<ExpectedHttp, ExpectedEmit, ExpectedResults, ExpectedSleep, ExpectedDone, ExpectedFail>;

// One expectation with the event that answers it; the last one has no answer.
struct Exchange {
    int line = 0;
    Expected expected;
    std::vector<std::pair<int, std::string>>
        exact;                    // of a recording: each line of the effect, with its number
    std::optional<Event> answer;  // now_ms is how far the clock has moved, not yet the time
};

struct Script {
    std::string path, config;
    JobKind kind = JobKind::test;
    Event start;
    std::vector<Exchange> exchanges;
};

// One for each job in the file. Errors are "path:line: what is wrong". Files named in the script are looked
// for beside it.
Result<std::vector<Script>> load_scripts(const std::string& path);
Result<std::vector<Script>> parse_scripts(std::string_view text, const std::string& path);

// Words of scripts and of messages: "transient", "created".
std::string category_word(std::uint32_t category);
std::string outcome_word(std::uint32_t outcome);

}  // namespace liaisond::plugin
