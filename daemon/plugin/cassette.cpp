#include "plugin/cassette.hpp"

#include <algorithm>
#include <array>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/ids.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "plugin/manifest.hpp"

namespace liaisond::plugin {

namespace json = boost::json;

namespace {

constexpr std::string_view hex_key = "$hex";
constexpr std::size_t shortest_secret = 8;
// What answers call the secrets they hand out. Names of page tokens are no secrets, and connectors need them.
constexpr std::array<std::string_view, 9> secret_names = {"access_token",  "refresh_token", "id_token",
                                                          "session_token", "api_key",       "apikey",
                                                          "password",      "session_id",    "client_secret"};

std::string percent_encoded(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const unsigned char c : text) {
        const bool plain = std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            out += static_cast<char>(c);
        } else {
            out += {'%', digits[c >> 4], digits[c & 15]};
        }
    }
    return out;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

// JSON that reads back to the same bytes is shown as such, for people.
json::value to_value(const std::string& text) {
    if (!valid_utf8(text)) return json::object{{hex_key, to_hex(text)}};
    const bool is_json = text.starts_with("{") || text.starts_with("[");
    if (!is_json || text.find(hex_key) != std::string::npos) return json::value(text);
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error || json::serialize(value) != text) return json::value(text);
    return value;
}

int digit_of(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes += static_cast<char>(digit_of(text[i]) << 4 | digit_of(text[i + 1]));
    return bytes;
}

std::string to_text(const json::value& value) {
    if (value.is_string()) return std::string(value.get_string());
    const json::object* object = value.if_object();
    const json::value* hex = object != nullptr ? object->if_contains(hex_key) : nullptr;
    if (hex != nullptr && hex->is_string()) return from_hex(hex->get_string());
    return json::serialize(value);
}

// Members that say nothing are left out.
class Members {
  public:
    explicit Members(const CassetteMask& mask) : mask_(mask) {}
    Members& text(std::string_view name, const std::string& value) {
        if (!value.empty()) object_[name] = to_value(mask_.text(value));
        return *this;
    }
    template <class Number>
    Members& number(std::string_view name, Number value, Number usual = 0) {
        if (value != usual) object_[name] = value;
        return *this;
    }
    Members& flag(std::string_view name, bool value) {
        if (value) object_[name] = true;
        return *this;
    }
    Members& list(std::string_view name, json::array items) {
        if (!items.empty()) object_[name] = std::move(items);
        return *this;
    }
    Members& headers(const std::vector<Header>& headers) {
        json::array items;
        for (const Header& header : headers)
            items.push_back(json::array{to_value(header.name), to_value(mask_.text(header.value))});
        return list("headers", std::move(items));
    }
    json::object take() { return std::move(object_); }

  private:
    const CassetteMask& mask_;
    json::object object_;
};

json::object to_json(const Record& record, const CassetteMask& mask) {
    return Members(mask)
        .text("entity", record.entity)
        .text("key", record.key)
        .text("version", record.version)
        .text("reference", record.reference)
        .flag("deleted", record.deleted)
        .number("changed_ms", record.changed_ms)
        .text("payload", record.payload)
        .take();
}

json::object to_json(const WebhookEvent& event, const CassetteMask& mask) {
    return Members(mask)
        .text("id", event.id)
        .text("type", event.type)
        .headers(event.headers)
        .text("body", event.body)
        .number("received_ms", event.received_ms)
        .take();
}

json::object to_json(const Response& response, const CassetteMask& mask) {
    return Members(mask)
        .number("error", response.error)
        .text("error_text", response.error_text)
        .number("status", response.status)
        .headers(response.headers)
        .text("body", response.body)
        .take();
}

// ---- effects ----

class EffectWriter {
  public:
    explicit EffectWriter(const CassetteMask& mask) : mask_(mask) {}

    void operator()(const HttpEffect& effect) {
        if (effect.requests.empty()) lines.emplace_back("> http 0");
        for (const Request& request : effect.requests) {
            json::object members = Members(mask_)
                                       .number("parallel", lines.empty() ? effect.max_parallel : 0u)
                                       .number("flags", request.flags)
                                       .text("auth", request.auth)
                                       .headers(request.headers)
                                       .text("idempotency_key", request.idempotency_key)
                                       .number("record_index", request.record_index, -1)
                                       .number("timeout_ms", request.timeout_ms)
                                       .number("max_body", request.max_body)
                                       .text("body", request.body)
                                       .take();
            add("> " + request.method + " " + one_line(mask_.text(request.url)), members);
        }
    }
    void operator()(const EmitEffect& effect) {
        add("> emit " + std::to_string(effect.records.size()) + (effect.pipelined ? " pipelined" : ""),
            Members(mask_).text("cursor", effect.cursor).take());
        for (const Record& record : effect.records) add(">record", to_json(record, mask_));
    }
    void operator()(const ResultEffect& effect) {
        if (effect.results.empty()) lines.emplace_back("> results 0");
        for (const PushResult& result : effect.results) {
            add("> result", Members(mask_)
                                .number("index", result.index)
                                .number("outcome", result.outcome)
                                .number("category", result.category)
                                .text("external_id", result.external_id)
                                .text("version", result.version)
                                .text("text", result.text)
                                .number("retry_after_ms", result.retry_after_ms)
                                .take());
        }
    }
    void operator()(const SleepEffect& effect) {
        lines.push_back("> sleep " + std::to_string(effect.duration_ms));
    }
    void operator()(const DoneEffect& effect) {
        add("> done", Members(mask_).text("output", effect.output).take());
    }
    void operator()(const FailEffect& effect) {
        add("> fail", Members(mask_)
                          .number("category", effect.category)
                          .number("retry_after_ms", effect.retry_after_ms)
                          .text("code", effect.code)
                          .text("text", effect.text)
                          .text("detail", effect.detail)
                          .take());
    }

    std::vector<std::string> lines;

  private:
    void add(const std::string& head, const json::object& members) {
        lines.push_back(head + " " + json::serialize(members));
    }
    // A URL with a line break in it must not make two lines.
    static std::string one_line(const std::string& text) {
        const std::string quoted = json::serialize(json::string(text));
        return quoted.substr(1, quoted.size() - 2);
    }
    const CassetteMask& mask_;
};

// ---- events ----

json::object job_json(JobKind kind, const Event& event, const StartEvent& start, const CassetteMask& mask) {
    json::array records, queries;
    for (const Record& record : start.records) records.push_back(to_json(record, mask));
    for (const Query& query : start.queries)
        queries.push_back(Members(mask)
                              .text("reference", query.reference)
                              .text("key", query.key)
                              .text("payload", query.payload)
                              .take());
    json::array events;
    for (const WebhookEvent& one : start.events) events.push_back(to_json(one, mask));
    Members members(mask);
    members.text("kind", std::string(to_string(kind))).number("now_ms", event.now_ms);
    members.text("entity", start.entity).text("cursor", start.cursor).flag("full", start.full);
    members.number("page_size", start.page_size).number("deadline_ms", start.deadline_ms);
    members.number("from_ms", start.from_ms).number("to_ms", start.to_ms);
    members.list("records", std::move(records)).list("queries", std::move(queries));
    members.list("events", std::move(events));
    json::object job = members.take();
    job["seed"] = to_hex({reinterpret_cast<const char*>(start.seed.data()), start.seed.size()});
    return job;
}

class EventWriter {
  public:
    explicit EventWriter(const CassetteMask& mask) : mask_(mask) {}
    std::string operator()(const StartEvent&) const { return {}; }
    std::string operator()(const HttpEvent& event) const {
        json::array responses;
        for (const Response& response : event.responses) responses.push_back(to_json(response, mask_));
        return "http " + json::serialize(responses);
    }
    std::string operator()(const EmittedEvent& event) const {
        json::array rejections;
        for (const Rejection& one : event.rejections) {
            json::array& rejection =
                rejections.emplace_back(json::array{one.index, to_value(mask_.text(one.text))}).get_array();
            if (one.lost) rejection.emplace_back(true);
        }
        return "emitted " + json::serialize(rejections);
    }
    std::string operator()(const RecordedEvent&) const { return "recorded"; }
    std::string operator()(const TimerEvent&) const { return "timer"; }
    std::string operator()(const CancelEvent&) const { return "cancel"; }

  private:
    const CassetteMask& mask_;
};

// Reads members; what is not there reads as empty.
class Reader {
  public:
    explicit Reader(const json::value& value) : object_(value.if_object()) {}
    std::string text(std::string_view name) const {
        const json::value* found = find(name);
        return found != nullptr ? to_text(*found) : std::string();
    }
    template <class Number = std::int64_t>
    Number number(std::string_view name) const {
        const json::value* found = find(name);
        boost::system::error_code error;
        return found != nullptr && found->is_number() ? found->to_number<Number>(error) : Number();
    }
    bool flag(std::string_view name) const { return find(name) != nullptr; }
    const json::array& list(std::string_view name) const {
        static const json::array none;
        const json::value* found = find(name);
        return found != nullptr && found->is_array() ? found->get_array() : none;
    }

  private:
    const json::value* find(std::string_view name) const {
        return object_ != nullptr ? object_->if_contains(name) : nullptr;
    }
    const json::object* object_;
};

std::vector<Header> read_headers(const Reader& from) {
    std::vector<Header> headers;
    for (const json::value& header : from.list("headers")) {
        const json::array* pair = header.if_array();
        if (pair != nullptr && pair->size() == 2)
            headers.push_back({to_text((*pair)[0]), to_text((*pair)[1])});
    }
    return headers;
}

Response read_response(const json::value& value) {
    const Reader from(value);
    Response response;
    response.error = from.number<std::uint32_t>("error");
    response.error_text = from.text("error_text");
    response.status = from.number<std::uint32_t>("status");
    response.body = from.text("body");
    response.headers = read_headers(from);
    return response;
}

WebhookEvent read_webhook(const json::value& value) {
    const Reader from(value);
    WebhookEvent event;
    event.id = from.text("id");
    event.type = from.text("type");
    event.headers = read_headers(from);
    event.body = from.text("body");
    event.received_ms = from.number("received_ms");
    return event;
}

Record read_record(const json::value& value) {
    const Reader from(value);
    Record record;
    record.entity = from.text("entity");
    record.key = from.text("key");
    record.version = from.text("version");
    record.reference = from.text("reference");
    record.deleted = from.flag("deleted");
    record.changed_ms = from.number("changed_ms");
    record.payload = from.text("payload");
    return record;
}

Result<json::value> parsed(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error) return fail(ErrorKind::config, "the recording is damaged here: " + error.message());
    return value;
}

}  // namespace

// ---- the mask ----

std::string CassetteMask::text(std::string_view text) const {
    std::string out(text);
    for (const auto& [secret, placeholder] : learnt_) replace_all(out, secret, placeholder);
    return blank_card_numbers(redactor().scrub_secrets(out));
}

void CassetteMask::add(std::string_view secret) {
    if (secret.size() < shortest_secret || secret.starts_with("redacted-")) return;
    const auto known = [&](const auto& one) { return one.first == secret; };
    if (std::any_of(learnt_.begin(), learnt_.end(), known)) return;
    const std::string placeholder = "redacted-" + std::to_string(learnt_.size() + 1);
    const std::string encoded = percent_encoded(secret), quoted = json::serialize(json::string(secret));
    for (const std::string& form : {std::string(secret), encoded, quoted.substr(1, quoted.size() - 2)})
        learnt_.emplace_back(form, placeholder);
}

void CassetteMask::learn(const Response& response) {
    for (const Header& header : response.headers) {
        std::string name = header.name;
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (name != "set-cookie") continue;
        const std::string cookie = header.value.substr(0, header.value.find(';'));
        if (const std::size_t equals = cookie.find('='); equals != std::string::npos)
            add(std::string_view(cookie).substr(equals + 1));
    }
    const bool may_name = std::any_of(secret_names.begin(), secret_names.end(), [&](std::string_view name) {
        return response.body.find(name) != std::string::npos;
    });
    boost::system::error_code error;
    const json::value body = may_name ? json::parse(response.body, error) : json::value();
    const json::object* object = body.if_object();
    for (const std::string_view name : secret_names) {
        const json::value* found = object != nullptr ? object->if_contains(name) : nullptr;
        if (found != nullptr && found->is_string()) add(found->get_string());
    }
}

// ---- lines ----

std::vector<std::string> recorded_lines(const Effect& effect, const CassetteMask& mask) {
    EffectWriter writer(mask);
    std::visit(writer, effect);
    return std::move(writer.lines);
}

Result<RecordedJob> read_recorded_job(std::string_view text) {
    const auto value = parsed(text);
    if (!value) return fail(value.error());
    const Reader from(*value);
    const auto kind = parse_job_kind(from.text("kind"));
    if (!kind) return fail(ErrorKind::config, "'" + from.text("kind") + "' is no job");
    RecordedJob job;
    job.kind = *kind;
    job.start.now_ms = from.number("now_ms");
    StartEvent start;
    start.entity = from.text("entity");
    start.cursor = from.text("cursor");
    start.full = from.flag("full");
    start.page_size = from.number<std::uint32_t>("page_size");
    start.deadline_ms = from.number("deadline_ms");
    start.from_ms = from.number("from_ms");
    start.to_ms = from.number("to_ms");
    const std::string seed = from_hex(from.text("seed"));
    std::copy_n(seed.begin(), std::min(seed.size(), start.seed.size()), start.seed.begin());
    for (const json::value& record : from.list("records")) start.records.push_back(read_record(record));
    for (const json::value& query : from.list("queries"))
        start.queries.push_back(
            {Reader(query).text("reference"), Reader(query).text("key"), Reader(query).text("payload")});
    for (const json::value& event : from.list("events")) start.events.push_back(read_webhook(event));
    job.start.body = std::move(start);
    return job;
}

Result<decltype(Event::body)> read_recorded_event(std::string_view text) {
    using Body = decltype(Event::body);
    const std::string_view word = text.substr(0, text.find(' '));
    if (word == "recorded") return Body(RecordedEvent{});
    if (word == "timer") return Body(TimerEvent{});
    if (word != "http" && word != "emitted")
        return fail(ErrorKind::config, "'" + std::string(word) + "' answers no effect");
    const auto value = parsed(text.substr(std::min(text.size(), word.size() + 1)));
    if (!value) return fail(value.error());
    if (!value->is_array()) return fail(ErrorKind::config, "a list is missing after " + std::string(word));
    HttpEvent http;
    EmittedEvent emitted;
    for (const json::value& one : value->get_array()) {
        if (word == "http") http.responses.push_back(read_response(one));
        const json::array* pair = one.if_array();
        if (word == "emitted" && pair != nullptr && pair->size() >= 2) {
            boost::system::error_code error;
            emitted.rejections.push_back(
                {(*pair)[0].to_number<std::uint32_t>(error), to_text((*pair)[1]), pair->size() == 3});
        }
    }
    return word == "http" ? Body(std::move(http)) : Body(std::move(emitted));
}

// ---- recording ----

Cassette::Cassette(const std::string& title, std::string_view config, std::size_t most_bytes)
    : most_bytes_(most_bytes) {
    std::string on_one_line = mask_.text(config);
    std::replace(on_one_line.begin(), on_one_line.end(), '\n', ' ');  // in JSON never inside a text
    text_ = "cassette 1\n# " + title + "\n# Play it with: liaisonctl plugin script FILE\n" +
            "# It may hold personal data: keep it as you keep the records themselves.\nconfig " +
            on_one_line + "\n";
}

void Cassette::add(const std::string& job) {
    if (is_full_) return;
    is_full_ = !has_room(job.size());
    text_ += is_full_ ? "\n# The recording ends here: it would have become longer than " +
                            std::to_string(most_bytes_ >> 20) + " MiB.\n"
                      : "\n" + job;
}

void Cassette::Tape::event(const Event& event) {
    if (is_over_) return;
    if (const auto* start = std::get_if<StartEvent>(&event.body)) {
        pending_ = "job " + json::serialize(job_json(kind_, event, *start, cassette_.mask_)) + "\n";
    } else {
        if (const auto* http = std::get_if<HttpEvent>(&event.body)) {
            for (const Response& response : http->responses) cassette_.mask_.learn(response);
        }
        // A clock that was set back stands still here.
        const std::int64_t moved = std::max<std::int64_t>(0, event.now_ms - now_ms_);
        pending_ =
            "< +" + std::to_string(moved) + " " + std::visit(EventWriter(cassette_.mask_), event.body) + "\n";
    }
    now_ms_ = event.now_ms;
}

void Cassette::Tape::effect(const Effect& effect) {
    if (is_over_) return;
    text_ += std::exchange(pending_, {});
    for (const std::string& line : recorded_lines(effect, cassette_.mask_)) text_ += line + "\n";
    is_over_ = std::holds_alternative<DoneEffect>(effect) || std::holds_alternative<FailEffect>(effect);
    is_open_ = !is_over_;
    if (is_open_ && !cassette_.has_room(text_.size())) is_over_ = true;
}

Cassette::Tape::~Tape() {
    if (is_open_) text_ += "< cut\n";
    if (!text_.empty()) cassette_.add(text_);
}

}  // namespace liaisond::plugin
