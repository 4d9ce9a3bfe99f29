#include "plugin/script_compare.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "plugin/cassette.hpp"

namespace liaisond::plugin {

namespace json = boost::json;

namespace {

constexpr std::size_t shown_bytes = 2'000;
constexpr std::size_t shown_items = 20;

std::optional<json::value> parse(std::string_view text) {
    boost::system::error_code problem;
    json::value value = json::parse(text, problem);
    if (problem) return std::nullopt;
    return value;
}

std::string quote(std::string_view text) {
    return json::serialize(json::string(shortened(text, shown_bytes)));
}

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool same_body(const std::string& expected, const std::string& actual) {
    if (expected == actual ||
        (expected.ends_with('\n') && expected.substr(0, expected.size() - 1) == actual)) {
        return true;
    }
    const auto left = parse(expected), right = parse(actual);
    return left && right && *left == *right;
}

Difference differs(int line, const std::string& what, const std::string& expected,
                   const std::string& actual) {
    return {line, what + " differs: expected " + expected + ", the connector has " + actual};
}

Difference compare(const ExpectedRequest& expected, const Request& actual) {
    const int line = expected.line;
    if (expected.method != actual.method) return differs(line, "the method", expected.method, actual.method);
    if (expected.url != actual.url) return differs(line, "the URL", expected.url, actual.url);
    for (const Header& header : expected.headers) {
        const auto found = std::find_if(actual.headers.begin(), actual.headers.end(), [&](const Header& one) {
            return same_name(one.name, header.name) && one.value == header.value;
        });
        if (found != actual.headers.end()) continue;
        const auto named = std::find_if(actual.headers.begin(), actual.headers.end(),
                                        [&](const Header& one) { return same_name(one.name, header.name); });
        return differs(line, "header " + header.name, quote(header.value),
                       named == actual.headers.end() ? "no such header" : quote(named->value));
    }
    if (expected.auth && *expected.auth != actual.auth) {
        return differs(line, "auth", quote(*expected.auth), quote(actual.auth));
    }
    if (expected.mutates && !actual.mutates()) return {line, "the request is not marked as one that mutates"};
    if (expected.idempotency_key && *expected.idempotency_key != actual.idempotency_key) {
        return differs(line, "the idempotency key", quote(*expected.idempotency_key),
                       quote(actual.idempotency_key));
    }
    if (expected.record_index && *expected.record_index != actual.record_index) {
        return differs(line, "the record index", std::to_string(*expected.record_index),
                       std::to_string(actual.record_index));
    }
    if (expected.body && !same_body(*expected.body, actual.body)) {
        return differs(line, "the body", shortened(*expected.body, shown_bytes),
                       shortened(actual.body, shown_bytes));
    }
    return {};
}

Difference compare(int line, const std::vector<ExpectedRequest>& expected,
                   const std::vector<Request>& actual) {
    for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
        Difference difference = compare(expected[i], actual[i]);
        if (!difference.text.empty()) return difference;
    }
    if (expected.size() == actual.size()) return {};
    return differs(line, "the number of requests", std::to_string(expected.size()),
                   std::to_string(actual.size()));
}

json::object to_json(const Record& record) {
    json::object object{{"entity", record.entity},   {"key", record.key},
                        {"version", record.version}, {"reference", record.reference},
                        {"deleted", record.deleted}, {"changed_ms", record.changed_ms}};
    const auto payload = parse(record.payload);
    object["payload"] = payload ? *payload : json::value(record.payload);
    return object;
}

// One overload per expectation; the generic one below is for an effect of another type.
class Comparison {
  public:
    explicit Comparison(int line) : line_(line) {}

    Difference operator()(const ExpectedHttp& expected, const HttpEffect& actual) const {
        return compare(line_, expected.requests, actual.requests);
    }
    Difference operator()(const ExpectedEmit& expected, const EmitEffect& actual) const {
        if (expected.count != actual.records.size()) {
            return differs(line_, "the number of records", std::to_string(expected.count),
                           std::to_string(actual.records.size()));
        }
        if (expected.cursor && *expected.cursor != actual.cursor) {
            return differs(line_, "the cursor", quote(*expected.cursor), quote(actual.cursor));
        }
        for (std::size_t i = 0; i < expected.records.size(); ++i) {
            const ExpectedRecord& record = expected.records[i];
            if (i >= actual.records.size()) return {record.line, "there is no such record"};
            const json::value found = to_json(actual.records[i]);
            if (is_subset(record.members, found)) continue;
            return differs(record.line, "record " + std::to_string(i), json::serialize(record.members),
                           json::serialize(found));
        }
        if (expected.pipelined && !actual.pipelined) return {line_, "the emit is not pipelined"};
        return {};
    }
    Difference operator()(const ExpectedResults& expected, const ResultEffect& actual) const {
        for (std::size_t i = 0; i < std::min(expected.outcomes.size(), actual.results.size()); ++i) {
            const ExpectedOutcome& one = expected.outcomes[i];
            const PushResult& result = actual.results[i];
            if (!equal(one, result)) return {one.line, "the result is another one"};
        }
        if (expected.outcomes.size() == actual.results.size()) return {};
        return differs(line_, "the number of results", std::to_string(expected.outcomes.size()),
                       std::to_string(actual.results.size()));
    }
    Difference operator()(const ExpectedSleep& expected, const SleepEffect& actual) const {
        if (expected.duration_ms == actual.duration_ms) return {};
        return differs(line_, "the sleep", std::to_string(expected.duration_ms),
                       std::to_string(actual.duration_ms));
    }
    Difference operator()(const ExpectedDone& expected, const DoneEffect& actual) const {
        if (!expected.output) return {};
        const auto output = parse(actual.output);
        if (output && is_subset(*expected.output, *output)) return {};
        return differs(line_, "the output", json::serialize(*expected.output),
                       shortened(actual.output, shown_bytes));
    }
    Difference operator()(const ExpectedFail& expected, const FailEffect& actual) const {
        if (expected.category != actual.category) {
            return differs(line_, "the error category", category_word(expected.category),
                           category_word(actual.category));
        }
        if (expected.text && actual.text.find(*expected.text) == std::string::npos) {
            return differs(line_, "the error text", quote(*expected.text), quote(actual.text));
        }
        if (expected.retry_after_ms && *expected.retry_after_ms != actual.retry_after_ms) {
            return differs(line_, "retry_after", std::to_string(*expected.retry_after_ms),
                           std::to_string(actual.retry_after_ms));
        }
        return {};
    }
    template <class E, class A>
    Difference operator()(const E&, const A&) const {
        return {line_, "the connector asks for something else"};
    }

  private:
    static bool equal(const ExpectedOutcome& expected, const PushResult& actual) {
        return expected.index == actual.index && expected.outcome == actual.outcome &&
               (!expected.external_id || *expected.external_id == actual.external_id) &&
               (!expected.version || *expected.version == actual.version) &&
               (!expected.category || *expected.category == actual.category) &&
               (!expected.text || actual.text.find(*expected.text) != std::string::npos);
    }
    int line_;
};

// Line by line, as the recording has it.
Difference compare_recorded(const Exchange& exchange, const Effect& effect) {
    const std::vector<std::string> actual = recorded_lines(effect);
    for (std::size_t i = 0; i < std::max(actual.size(), exchange.exact.size()); ++i) {
        const bool has_line = i < exchange.exact.size();
        const int line = has_line ? exchange.exact[i].first : exchange.exact.back().first;
        const std::string expected = has_line ? exchange.exact[i].second : "nothing more";
        const std::string found = i < actual.size() ? actual[i] : "nothing more";
        if (expected == found) continue;
        const auto [left, right] =
            std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
        const auto at = static_cast<std::size_t>(left - expected.begin());
        const std::size_t from = at < 40 ? 0 : at - 40;
        return {line, "the recording differs at character " + std::to_string(at + 1) + ": recorded ..." +
                          shortened(expected.substr(from), 120) + ", the connector has ..." +
                          shortened(found.substr(from), 120)};
    }
    return {};
}

std::string describe(const Request& request) {
    std::string text = request.method + " " + request.url;
    for (const Header& header : request.headers) text += "  " + header.name + ": " + header.value;
    if (!request.auth.empty()) text += "  auth=" + request.auth;
    if (request.mutates()) text += "  mutates";
    if (!request.idempotency_key.empty()) text += "  key=" + request.idempotency_key;
    if (request.record_index >= 0) text += "  record=" + std::to_string(request.record_index);
    if (!request.body.empty()) {
        const auto parsed = parse(request.body);
        text += "\n>body " + shortened(parsed ? json::serialize(*parsed) : quote(request.body), shown_bytes);
    }
    return text;
}

// The first items, and how many more there are.
template <class T, class Describe>
std::string lines(const std::vector<T>& items, Describe describe_one) {
    std::string text;
    for (std::size_t i = 0; i < std::min(items.size(), shown_items); ++i)
        text += "\n" + describe_one(items[i]);
    if (items.size() > shown_items) text += "\n# and " + std::to_string(items.size() - shown_items) + " more";
    return text;
}

std::string describe_one(const HttpEffect& effect) {
    return lines(effect.requests, [](const Request& request) { return "> " + describe(request); });
}
std::string describe_one(const EmitEffect& effect) {
    return "\n> emit " + std::to_string(effect.records.size()) +
           (effect.pipelined ? " pipelined cursor=" : " cursor=") + quote(effect.cursor) +
           lines(effect.records, [](const Record& record) {
               return ">record " + shortened(json::serialize(to_json(record)), shown_bytes);
           });
}
std::string describe_one(const ResultEffect& effect) {
    return lines(effect.results, [](const PushResult& result) {
        std::string text = "> result " + std::to_string(result.index) + " " + outcome_word(result.outcome);
        if (!result.external_id.empty()) text += " id=" + quote(result.external_id);
        if (!result.version.empty()) text += " version=" + quote(result.version);
        if (result.category != 0) text += " category=" + category_word(result.category);
        if (!result.text.empty()) text += " " + quote(result.text);
        return text;
    });
}
std::string describe_one(const SleepEffect& effect) {
    return "\n> sleep " + std::to_string(effect.duration_ms);
}
std::string describe_one(const DoneEffect& effect) {
    return "\n> done" + (effect.output.empty() ? "" : " " + shortened(effect.output, shown_bytes));
}
std::string describe_one(const FailEffect& effect) {
    return "\n> fail " + category_word(effect.category) + " " + quote(effect.text) +
           (effect.retry_after_ms != 0 ? " retry_after=" + std::to_string(effect.retry_after_ms) : "") +
           (effect.detail.empty() ? "" : "\n# detail: " + shortened(effect.detail, shown_bytes));
}

}  // namespace

bool is_subset(const json::value& expected, const json::value& actual) {
    if (expected.is_object() && actual.is_object()) {
        for (const auto& [key, value] : expected.get_object()) {
            const json::value* found = actual.get_object().if_contains(key);
            if (found == nullptr || !is_subset(value, *found)) return false;
        }
        return true;
    }
    if (expected.is_array() && actual.is_array()) {
        const json::array& left = expected.get_array();
        const json::array& right = actual.get_array();
        return std::equal(left.begin(), left.end(), right.begin(), right.end(), is_subset);
    }
    if (expected.is_number() && actual.is_number()) {
        return expected == actual || expected.to_number<double>() == actual.to_number<double>();
    }
    return expected == actual;
}

Difference compare(const Exchange& exchange, const Effect& effect) {
    if (!exchange.exact.empty()) return compare_recorded(exchange, effect);
    return std::visit(Comparison(exchange.line), exchange.expected, effect);
}

std::string describe(const Effect& effect) {
    const std::string text = std::visit([](const auto& one) { return describe_one(one); }, effect);
    return text.empty() ? text : text.substr(1);
}

}  // namespace liaisond::plugin
