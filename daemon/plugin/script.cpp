#include "plugin/script.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <boost/json/serialize.hpp>

#include "base/time.hpp"
#include "plugin/cassette.hpp"
#include "plugin/manifest.hpp"
#include "plugin/script_line.hpp"

namespace liaisond::plugin {

namespace json = boost::json;

namespace {

constexpr std::string_view default_now = "2026-01-01T00:00:00Z";
constexpr std::array<std::string_view, 10> category_words = {
    "none",     "transient", "auth",   "rate_limited",    "invalid_record",
    "conflict", "permanent", "config", "unknown_outcome", "internal"};
constexpr std::array<std::string_view, 13> outcome_words = {
    "",         "created", "updated", "unchanged", "deleted", "duplicate", "rejected",
    "conflict", "unknown", "found",   "not_found", "retry",   "ignored"};

template <std::size_t N>
std::uint32_t index_of(const std::array<std::string_view, N>& words, std::size_t first, ScriptLine& line,
                       std::string_view what) {
    const std::string found = line.word();
    std::string allowed;
    for (std::size_t i = first; i < N; ++i) {
        if (words[i] == found) return static_cast<std::uint32_t>(i);
        allowed += (i == first ? "" : ", ") + std::string(words[i]);
    }
    line.wrong("'" + found + "' is no " + std::string(what) + "; allowed are " + allowed);
    return 0;
}

std::string member(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    if (found == nullptr) return {};
    return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

bool flag(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::int64_t number(const std::string& text, ScriptLine& line) {
    ScriptLine only(text, line.number());
    const std::int64_t parsed = only.number("a number");
    if (!only.problem().empty()) line.wrong(only.problem());
    return parsed;
}

std::int64_t instant(const std::string& text, ScriptLine& line) {
    const auto at = parse_instant(text);
    if (!at) line.wrong("'" + text + "' is not a time such as " + std::string(default_now));
    return at ? to_unix_ms(*at) : 0;
}

bool is_method(std::string_view word) {
    return !word.empty() &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

class Parser {
  public:
    explicit Parser(const std::string& path) : folder_(path.substr(0, path.find_last_of('/') + 1)) {
        script_.path = path;
        script_.config = "{}";
    }

    Result<std::vector<Script>> parse(std::string_view text) {
        for (int number = 1; !text.empty(); ++number) {
            const std::size_t end = text.find('\n');
            ScriptLine line(text.substr(0, end), number);
            text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
            last_line_ = number;
            if (!line.at_end() && line.next() != '#') read(line);
            if (!line.problem().empty()) return wrong(number, line.problem());
        }
        const std::string problem = finish();
        if (!problem.empty()) return wrong(last_line_, problem);
        done_.push_back(std::move(script_));
        return std::move(done_);
    }

  private:
    tl::unexpected<Error> wrong(int line, const std::string& text) const {
        return fail(ErrorKind::config, script_.path + ":" + std::to_string(line) + ": " + text);
    }

    void read(ScriptLine& line) {
        const std::string word = line.word();
        if (word == ">") return read_expectation(line);
        if (word == "<") return read_answer(line);
        if (word == ">body") return read_body(line);
        if (word == ">record") return read_record(line);
        if (has_job_ && finish().empty()) begin_another();
        if (has_job_) return line.wrong("'" + word + "' after the job: expected >, >body, >record, < or #");
        if (word == "config") {
            script_.config = line.body(folder_);
            return;
        }
        if (word == "cassette") {
            if (line.word() != "1")
                line.wrong("a recording of another liaison: only `cassette 1` is known here");
            is_exact_ = true;
            return;
        }
        if (is_exact_ && word == "job") {
            has_job_ = true;
            const auto job = read_recorded_job(line.rest());
            if (!job) return line.wrong(job.error().message);
            script_.kind = job->kind;
            script_.start = job->start;
            return;
        }
        const auto kind = parse_job_kind(word);
        if (!kind)
            return line.wrong(
                "'" + word +
                "' is no job; expected config, test, pull, push, find, login, logout or webhook");
        script_.kind = *kind;
        has_job_ = true;
        read_job(line);
    }

    void begin_another() {
        Script next;
        next.path = script_.path;
        next.config = script_.config;
        done_.push_back(std::exchange(script_, std::move(next)));
        has_job_ = complete_ = false;
        answered_ = 0;
    }

    void read_job(ScriptLine& line) {
        StartEvent start;
        for (std::size_t i = 0; i < start.seed.size(); ++i) start.seed[i] = static_cast<std::uint8_t>(i);
        std::string value, now(default_now);
        if (script_.kind != JobKind::test && script_.kind != JobKind::webhook) start.entity = line.word();
        while (!line.at_end() && line.problem().empty()) {
            if (line.take("now", value))
                now = value;
            else if (line.take("cursor", value))
                start.cursor = value;
            else if (line.take("mode", value))
                start.full = value == "full";
            else if (line.take("page_size", value))
                start.page_size = static_cast<std::uint32_t>(number(value, line));
            else if (line.take("from", value))
                start.from_ms = instant(value, line);
            else if (line.take("to", value))
                start.to_ms = instant(value, line);
            else if (line.next() == '@' || line.next() == '[')
                read_input(line.json(folder_), line, start);
            else
                line.wrong("'" + line.word() +
                           "': expected cursor=, mode=full, page_size=, from=, to=, now= or @file.json");
        }
        script_.start.now_ms = instant(now, line);
        script_.start.body = std::move(start);
    }
    void read_input(const json::value& items, ScriptLine& line, StartEvent& start) const {
        if (!items.is_array()) return line.wrong("expected a JSON list of objects");
        for (const json::value& item : items.get_array()) {
            if (!item.is_object()) return line.wrong("expected a JSON list of objects");
            const json::object& from = item.get_object();
            if (script_.kind == JobKind::find) {
                start.queries.push_back(
                    {member(from, "reference"), member(from, "key"), member(from, "payload")});
                continue;
            }
            if (script_.kind == JobKind::webhook) {
                start.events.push_back(read_webhook(from, line));
                continue;
            }
            Record record;
            record.deleted = flag(from, "deleted");
            record.key = member(from, "key");
            record.version = member(from, "version");
            record.payload = member(from, "payload");
            record.reference = member(from, "reference");
            start.records.push_back(std::move(record));
        }
    }

    // {"id", "type", "headers": {name: value}, "body": an object or a text, "received": an instant}
    static WebhookEvent read_webhook(const json::object& from, ScriptLine& line) {
        WebhookEvent event;
        event.id = member(from, "id");
        event.type = member(from, "type");
        event.body = member(from, "body");
        const std::string received = member(from, "received");
        if (!received.empty()) event.received_ms = instant(received, line);
        const json::value* headers = from.if_contains("headers");
        if (headers == nullptr || !headers->is_object()) return event;
        for (const auto& [name, value] : headers->get_object())
            event.headers.push_back({name, member(headers->get_object(), name)});
        return event;
    }

    // ---- expectations ----

    Exchange* open_exchange() {
        return script_.exchanges.empty() || answered_ > 0 ? nullptr : &script_.exchanges.back();
    }
    template <class T>
    T* open_expected() {
        Exchange* exchange = open_exchange();
        return exchange == nullptr ? nullptr : std::get_if<T>(&exchange->expected);
    }
    // A new expectation may begin once the previous one is answered in full.
    template <class T>
    T& begin(ScriptLine& line) {
        if (!has_job_) line.wrong("an expectation before the job");
        if (!script_.exchanges.empty()) {
            const std::string problem = missing_answer();
            if (!problem.empty()) line.wrong(problem);
        }
        answered_ = 0;
        complete_ = false;
        Exchange& exchange = script_.exchanges.emplace_back();
        exchange.line = line.number();
        return exchange.expected.emplace<T>();
    }

    void read_expectation(ScriptLine& line) {
        if (is_exact_) return read_recorded(line, "> ");
        const std::string word = line.word();
        if (is_method(word)) {
            ExpectedHttp* http = open_expected<ExpectedHttp>();
            if (http == nullptr) http = &begin<ExpectedHttp>(line);
            http->requests.push_back(read_request(word, line));
        } else if (word == "emit") {
            read_emit(line);
        } else if (word == "result") {
            ExpectedResults* results = open_expected<ExpectedResults>();
            if (results == nullptr) results = &begin<ExpectedResults>(line);
            results->outcomes.push_back(read_outcome(line));
        } else if (word == "sleep") {
            begin<ExpectedSleep>(line).duration_ms = line.number("milliseconds");
        } else if (word == "done") {
            ExpectedDone& done = begin<ExpectedDone>(line);
            if (!line.at_end()) done.output = line.json(folder_);
        } else if (word == "fail") {
            read_fail(line);
        } else {
            line.wrong("'" + word + "': expected a METHOD, emit, result, sleep, done or fail");
        }
    }
    ExpectedRequest read_request(const std::string& method, ScriptLine& line) const {
        ExpectedRequest request;
        request.line = line.number();
        request.method = method;
        request.url = line.part();
        if (request.url.empty()) line.wrong("a request needs a URL");
        while (!line.at_end() && line.problem().empty()) {
            std::string value;
            if (line.take("auth", value))
                request.auth = value;
            else if (line.take("key", value))
                request.idempotency_key = value;
            else if (line.take("record", value))
                request.record_index = static_cast<std::int32_t>(number(value, line));
            else
                read_header_or_flag(line.part(), line, request);
        }
        return request;
    }
    static void read_header_or_flag(const std::string& part, ScriptLine& line, ExpectedRequest& request) {
        if (part == "mutates") {
            request.mutates = true;
        } else if (!add_header(part, request.headers)) {
            line.wrong("'" + part +
                       "': expected 'Name: value', auth=, key=, record= or mutates, two blanks apart");
        }
    }
    static bool add_header(const std::string& part, std::vector<Header>& headers) {
        const std::size_t colon = part.find(':');
        if (colon == std::string::npos || colon == 0 || part.find(' ') < colon) return false;
        const std::size_t value = part.find_first_not_of(' ', colon + 1);
        headers.push_back(
            {part.substr(0, colon), value == std::string::npos ? std::string() : part.substr(value)});
        return true;
    }
    void read_emit(ScriptLine& line) {
        ExpectedEmit& emit = begin<ExpectedEmit>(line);
        emit.count = static_cast<std::size_t>(line.number("the number of records"));
        std::string value;
        while (!line.at_end() && line.problem().empty()) {
            if (line.take("cursor", value)) {
                emit.cursor = value;
            } else if (const std::string entity = line.word(); entity == "pipelined") {
                emit.pipelined = true;
            } else if (script_.kind != JobKind::webhook &&
                       entity != std::get<StartEvent>(script_.start.body).entity) {
                line.wrong("'" + entity + "' is not the entity of this job");
            }
        }
    }
    ExpectedOutcome read_outcome(ScriptLine& line) const {
        ExpectedOutcome outcome;
        outcome.line = line.number();
        outcome.index = static_cast<std::uint32_t>(line.number("the index of a record"));
        outcome.outcome = index_of(outcome_words, 1, line, "outcome");
        std::string value;
        while (!line.at_end() && line.problem().empty()) {
            if (line.take("id", value))
                outcome.external_id = value;
            else if (line.take("version", value))
                outcome.version = value;
            else if (line.take("category", value))
                outcome.category = category(value, line);
            else if (line.next() == '"')
                outcome.text = line.value();
            else
                line.wrong("'" + line.word() + "': expected id=, version=, category= or \"text\"");
        }
        return outcome;
    }
    static std::uint32_t category(const std::string& word, ScriptLine& line) {
        ScriptLine only(word, line.number());
        const std::uint32_t found = index_of(category_words, 0, only, "error category");
        if (!only.problem().empty()) line.wrong(only.problem());
        return found;
    }
    void read_fail(ScriptLine& line) {
        ExpectedFail& failed = begin<ExpectedFail>(line);
        failed.category = index_of(category_words, 1, line, "error category");
        std::string value;
        while (!line.at_end() && line.problem().empty()) {
            if (line.take("retry_after", value))
                failed.retry_after_ms = number(value, line);
            else if (line.next() == '"')
                failed.text = line.value();
            else
                line.wrong("'" + line.word() + "': expected \"text\" or retry_after=");
        }
    }
    // A line of a recorded effect; the first word after > says of which.
    void read_recorded(ScriptLine& line, const std::string& mark) {
        const std::string text = mark + std::string(line.rest());
        const std::string word = line.word();
        const bool is_request = mark == "> " && is_method(word);
        const bool continues = mark != "> " || (is_request && open_expected<ExpectedHttp>() != nullptr) ||
                               (word == "result" && open_expected<ExpectedResults>() != nullptr);
        if (!continues) begin_recorded(is_request ? "http" : word, line);
        if (script_.exchanges.empty()) return line.wrong("'" + mark + "' before the effect it belongs to");
        script_.exchanges.back().exact.emplace_back(line.number(), text);
    }
    void begin_recorded(const std::string& word, ScriptLine& line) {
        if (word == "http") {
            begin<ExpectedHttp>(line);
        } else if (word == "emit") {
            begin<ExpectedEmit>(line);
        } else if (word == "result" || word == "results") {
            begin<ExpectedResults>(line);
        } else if (word == "sleep") {
            begin<ExpectedSleep>(line);
        } else if (word == "done") {
            begin<ExpectedDone>(line);
        } else if (word == "fail") {
            begin<ExpectedFail>(line);
        } else {
            line.wrong("'" + word + "' is no effect");
        }
    }
    void read_body(ScriptLine& line) {
        if (is_exact_) return read_recorded(line, ">body ");
        ExpectedHttp* http = open_expected<ExpectedHttp>();
        if (http != nullptr)
            http->requests.back().body = line.body(folder_);
        else
            line.wrong(">body without a request before it");
    }
    void read_record(ScriptLine& line) {
        if (is_exact_) return read_recorded(line, ">record ");
        ExpectedEmit* emit = open_expected<ExpectedEmit>();
        if (emit == nullptr) return line.wrong(">record without an emit before it");
        const json::value value = line.json(folder_);
        if (!value.is_object()) return line.wrong(">record needs an object");
        emit->records.push_back({line.number(), value.get_object()});
    }

    // ---- answers ----

    void read_answer(ScriptLine& line) {
        if (script_.exchanges.empty() || complete_) return line.wrong("an answer to nothing");
        Exchange& exchange = script_.exchanges.back();
        if (!exchange.answer) exchange.answer.emplace();
        ++answered_;
        if (line.next() == '+') {
            const std::string moved = line.word();
            exchange.answer->now_ms += number(moved.substr(1), line);
        }
        ScriptLine ahead = line;
        if (ahead.word() == "cancel") {
            line = ahead;
            exchange.answer->body = CancelEvent{};
            complete_ = true;
            return;
        }
        if (is_exact_) return read_recorded_answer(line, exchange);
        std::visit([&](const auto& expected) { answer(expected, *exchange.answer, line); },
                   exchange.expected);
    }
    // `cut`: the job got no further.
    void read_recorded_answer(ScriptLine& line, Exchange& exchange) {
        complete_ = true;
        if (line.rest() == "cut") { return exchange.answer.reset(); }
        auto body = read_recorded_event(line.rest());
        if (!body) return line.wrong(body.error().message);
        exchange.answer->body = std::move(*body);
    }
    void answer(const ExpectedHttp& expected, Event& event, ScriptLine& line) {
        if (answered_ == 1) event.body = HttpEvent{};
        std::vector<Response>& responses = std::get<HttpEvent>(event.body).responses;
        responses.push_back(read_response(line));
        complete_ = responses.size() == expected.requests.size();
    }
    void answer(const ExpectedEmit&, Event& event, ScriptLine& line) {
        expect_word("emitted", line);
        EmittedEvent& emitted = event.body.emplace<EmittedEvent>();
        while (!line.at_end() && line.problem().empty()) {
            const std::string word = line.word();
            if (word != "reject" && word != "lose")
                line.wrong("expected 'reject' or 'lose', found '" + word + "'");
            Rejection& rejection = emitted.rejections.emplace_back();
            rejection.lost = word == "lose";
            rejection.index = static_cast<std::uint32_t>(line.number("the index of a record"));
            rejection.text = line.value();
        }
        complete_ = true;
    }
    void answer(const ExpectedResults&, Event& event, ScriptLine& line) {
        expect_word("recorded", line);
        event.body = RecordedEvent{};
        complete_ = true;
    }
    void answer(const ExpectedSleep& expected, Event& event, ScriptLine& line) {
        expect_word("timer", line);
        event.now_ms += expected.duration_ms;
        event.body = TimerEvent{};
        complete_ = true;
    }
    template <class Last>
    void answer(const Last&, Event&, ScriptLine& line) {
        line.wrong("done and fail end the job: nothing answers them");
    }
    static void expect_word(std::string_view wanted, ScriptLine& line) {
        const std::string found = line.word();
        if (found != wanted) line.wrong("expected '" + std::string(wanted) + "', found '" + found + "'");
    }
    Response read_response(ScriptLine& line) const {
        Response response;
        ScriptLine ahead = line;
        if (ahead.word() == "error") {
            line = ahead;
            response.error = index_of(category_words, 1, line, "error category");
            response.error_text = line.value();
            return response;
        }
        response.status = static_cast<std::uint32_t>(line.number("a status, error, or cancel"));
        while (!line.at_end() && line.problem().empty()) {
            if (std::string_view("@{[\"").find(line.next()) != std::string_view::npos) {
                response.body = line.body(folder_);
            } else if (const std::string part = line.part(); !add_header(part, response.headers)) {
                line.wrong("'" + part +
                           "': expected 'Name: value', @file, JSON or \"text\", two blanks apart");
            }
        }
        return response;
    }

    std::string missing_answer() const {
        const Exchange& last = script_.exchanges.back();
        if (std::holds_alternative<ExpectedDone>(last.expected) ||
            std::holds_alternative<ExpectedFail>(last.expected)) {
            return "the job has ended: nothing may follow";
        }
        return complete_
                   ? ""
                   : "the expectation of line " + std::to_string(last.line) + " is not answered in full";
    }
    std::string finish() const {
        if (!has_job_) return "no job: expected a line with test, pull, push, find or webhook";
        if (script_.exchanges.empty()) return "nothing is expected of the job";
        if (complete_ && !script_.exchanges.back().answer) return {};
        const Expected& last = script_.exchanges.back().expected;
        if (std::holds_alternative<ExpectedDone>(last) || std::holds_alternative<ExpectedFail>(last))
            return {};
        return "the script ends before the job: its last expectation is done or fail";
    }

    std::vector<Script> done_;
    Script script_;
    std::string folder_;
    bool is_exact_ = false;
    int last_line_ = 0;
    bool has_job_ = false;
    bool complete_ = false;     // the last expectation has its whole answer
    std::size_t answered_ = 0;  // lines of that answer so far
};

}  // namespace

std::string category_word(std::uint32_t category) {
    return category < category_words.size() ? std::string(category_words[category])
                                            : std::to_string(category);
}

std::string outcome_word(std::uint32_t outcome) {
    return outcome > 0 && outcome < outcome_words.size() ? std::string(outcome_words[outcome])
                                                         : std::to_string(outcome);
}

Result<std::vector<Script>> parse_scripts(std::string_view text, const std::string& path) {
    return Parser(path).parse(text);
}

Result<std::vector<Script>> load_scripts(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorKind::config, "script " + path + " cannot be read");
    std::ostringstream text;
    text << file.rdbuf();
    return parse_scripts(text.str(), path);
}

}  // namespace liaisond::plugin
