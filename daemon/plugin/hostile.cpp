#include "plugin/hostile.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace liaisond::plugin {

namespace json = boost::json;

namespace {

constexpr std::size_t most_spoilt_members = 40;  // of one document
constexpr std::size_t large = 1u << 20;
constexpr std::array<std::uint32_t, 17> statuses = {100, 204, 301, 304, 400, 401, 403, 404, 409,
                                                    412, 422, 429, 500, 502, 503, 504, 999};
constexpr std::array<std::uint32_t, 5> unknown_types = {0, 7, 99, 0x7fffffff, 0xffffffff};

std::string noise(std::size_t length) {
    std::mt19937 engine(20260101);  // the same in every check
    std::string bytes(length, '\0');
    for (char& byte : bytes) byte = static_cast<char>(engine());
    return bytes;
}

struct Named {
    std::string what, text;
};

const std::vector<Named>& odd_texts() {
    static const std::vector<Named> all = {
        {"is empty", ""},
        {"is null", "null"},
        {"is a list", "[]"},
        {"is a list of nulls", "[null,null]"},
        {"is an empty object", "{}"},
        {"is a text", "\"text\""},
        {"is a number", "1e999"},
        {"is true", "true"},
        {"is HTML", "<!doctype html><title>Welcome</title>"},
        {"is XML", "<?xml version=\"1.0\"?><a><b c=\"d\">&amp;</b></a>"},
        {"ends early", "{\"a\": [1, 2, {\"b\":"},
        {"is nested 10,000 deep", std::string(10'000, '[')},
        {"is noise", noise(4096)},
        {"is not UTF-8", "{\"a\": \"\xff\xfe\xc3\x28\"}"},
        {"has zero bytes", std::string("\0\0{}\0", 5)},
        {"is 1 MiB of one letter", std::string(large, 'a')},
        {"is a text of 1 MiB", "\"" + std::string(large, 'a') + "\""},
    };
    return all;
}

// ---- documents with one thing wrong ----

using Change = json::value (*)(const json::value&);
struct NamedChange {
    const char* what;
    Change change;
};
constexpr std::array<NamedChange, 6> changes = {{
    {"is null", [](const json::value&) { return json::value(nullptr); }},
    {"is an object", [](const json::value&) { return json::value(json::object()); }},
    {"is a list", [](const json::value&) { return json::value(json::array{nullptr}); }},
    {"is an odd text", [](const json::value&) { return json::value("\t\xf0\x9f\x8d\xba 0x10 -"); }},
    {"is a number below zero", [](const json::value&) { return json::value(-9'007'199'254'740'993); }},
    {"is empty", [](const json::value&) { return json::value(""); }},
}};

// Places of all members and elements, breadth first.
void collect(const json::value& value, const std::string& at, std::vector<std::string>& into) {
    if (into.size() >= most_spoilt_members) return;
    std::vector<std::pair<std::string, const json::value*>> inside;
    if (const json::object* object = value.if_object()) {
        for (const auto& [key, one] : *object) {
            if (key.find_first_of("~/") == json::string_view::npos)
                inside.emplace_back(at + "/" + std::string(key), &one);
        }
    } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
        inside.emplace_back(at + "/0", &array->front());
    }
    for (const auto& [pointer, one] : inside) into.push_back(pointer);
    for (const auto& [pointer, one] : inside) collect(*one, pointer, into);
}

void remove_at(json::value& document, const std::string& pointer) {
    const std::size_t cut = pointer.rfind('/');
    boost::system::error_code error;
    json::value* parent = document.find_pointer(pointer.substr(0, cut), error);
    if (parent == nullptr || error) return;
    if (json::object* object = parent->if_object()) object->erase(pointer.substr(cut + 1));
    if (json::array* array = parent->if_array()) array->clear();
}

std::vector<Named> spoilt_documents(const std::string& text) {
    std::vector<Named> all;
    if (text.size() > 1) {
        all.push_back({"ends in the middle", text.substr(0, text.size() / 2)});
        all.push_back({"lacks its last byte", text.substr(0, text.size() - 1)});
        all.push_back({"comes twice", text + text});
    }
    boost::system::error_code error;
    const json::value document = json::parse(text, error);
    if (error) return all;
    std::vector<std::string> places;
    collect(document, "", places);
    places.resize(std::min(places.size(), most_spoilt_members));
    for (const std::string& place : places) {
        json::value without = document;
        remove_at(without, place);
        all.push_back({"lacks " + place, json::serialize(without)});
        for (const NamedChange& one : changes) {
            json::value changed = document;
            boost::system::error_code none;
            if (json::value* found = changed.find_pointer(place, none)) *found = one.change(*found);
            all.push_back({place + " " + one.what, json::serialize(changed)});
        }
    }
    return all;
}

// ---- answers ----

class Answers {
  public:
    explicit Answers(const Event& right) : right_(right) {}

    std::vector<HostileEvent> take() {
        if (const auto* http = std::get_if<HttpEvent>(&right_.body)) spoil(*http);
        if (std::holds_alternative<EmittedEvent>(right_.body)) {
            add("two records that were never emitted are rejected",
                EmittedEvent{{{0, "no", false}, {4'000'000'000u, "nor that", true}}});
        }
        const std::size_t expected = right_.body.index();
        const std::vector<std::pair<const char*, decltype(Event::body)>> others = {
            {"another START comes", StartEvent()},
            {"an HTTP event without responses comes", HttpEvent()},
            {"EMITTED comes out of turn", EmittedEvent()},
            {"RECORDED comes out of turn", RecordedEvent()},
            {"TIMER comes out of turn", TimerEvent()},
            {"CANCEL comes", CancelEvent()}};
        for (const auto& [what, body] : others) {
            if (body.index() != expected || std::holds_alternative<HttpEvent>(body)) add(what, body);
        }
        for (const std::uint32_t type : unknown_types)
            add_bare("an event of the unknown type " + std::to_string(type) + " comes", type);
        add_bare("the HTTP event ends after its head", LIAISON_EVENT_HTTP);
        add_bare("the EMITTED event ends after its head", LIAISON_EVENT_EMITTED);
        return std::move(all_);
    }

  private:
    void add(std::string what, decltype(Event::body) body) {
        all_.push_back({std::move(what), Event{right_.now_ms, std::move(body)}, std::nullopt, false});
    }
    void add_bare(std::string what, std::uint32_t type) {
        all_.push_back({std::move(what), right_, type, false});
    }
    template <class Change>
    void each_response(const std::string& what, const HttpEvent& http, Change change) {
        HttpEvent changed = http;
        for (Response& response : changed.responses) change(response);
        add(what, std::move(changed));
        all_.back().is_from_vendor = true;
    }
    void spoil(const HttpEvent& http) {
        for (const std::uint32_t status : statuses) {
            each_response("the status is " + std::to_string(status), http,
                          [&](Response& response) { response.status = status; });
        }
        for (std::uint32_t category = 1; category <= LIAISON_ERROR_INTERNAL; ++category) {
            each_response("no answer comes (category " + std::to_string(category) + ")", http,
                          [&](Response& response) {
                              response = {category, 0, {}, {}, "no answer"};
                          });
            all_.back().is_from_vendor = category != LIAISON_ERROR_INTERNAL;
        }
        for (const Named& odd : odd_texts()) {
            each_response("the body " + odd.what, http,
                          [&](Response& response) { response.body = odd.text; });
            each_response("the status is 500 and the body " + odd.what, http, [&](Response& response) {
                response.status = 500;
                response.body = odd.text;
            });
        }
        each_response("there are no headers", http, [](Response& response) { response.headers.clear(); });
        each_response("every header is noise", http, [](Response& response) {
            for (Header& header : response.headers) header.value = noise(64);
        });
        for (std::size_t i = 0; i < std::min<std::size_t>(http.responses.size(), 3); ++i) {
            for (const Named& spoilt : spoilt_documents(http.responses[i].body)) {
                HttpEvent changed = http;
                changed.responses[i].body = spoilt.text;
                add("the body " + spoilt.what, std::move(changed));
                all_.back().is_from_vendor = true;
            }
        }
        HttpEvent one_more = http;
        one_more.responses.emplace_back();
        add("there is one response too many", std::move(one_more));
    }

    const Event& right_;
    std::vector<HostileEvent> all_;
};

}  // namespace

std::vector<HostileEvent> hostile_answers(const Event& right) { return Answers(right).take(); }

std::vector<HostileEvent> hostile_starts(const Event& right) {
    std::vector<HostileEvent> all;
    const auto& start = std::get<StartEvent>(right.body);
    const auto add = [&](std::string what, auto change) {
        StartEvent changed = start;
        change(changed);
        all.push_back({std::move(what), Event{right.now_ms, std::move(changed)}, std::nullopt, false});
    };
    for (const Named& odd : odd_texts()) {
        add("the cursor " + odd.what, [&](StartEvent& it) { it.cursor = odd.text; });
        add("the entity " + odd.what, [&](StartEvent& it) { it.entity = odd.text; });
        add("each payload " + odd.what, [&](StartEvent& it) {
            for (Record& record : it.records) record.payload = odd.text;
            for (Query& query : it.queries) query.payload = odd.text;
            for (WebhookEvent& event : it.events) event.body = odd.text;
        });
        add("each key " + odd.what, [&](StartEvent& it) {
            for (Record& record : it.records) record.key = odd.text;
            for (Query& query : it.queries) query.key = odd.text;
        });
    }
    for (const Record& record : start.records) {
        for (const Named& spoilt : spoilt_documents(record.payload))
            add("a payload " + spoilt.what,
                [&](StartEvent& it) { it.records = {record}, it.records[0].payload = spoilt.text; });
        if (all.size() > 1'000) break;
    }
    for (const WebhookEvent& event : start.events) {
        for (const Named& spoilt : spoilt_documents(event.body))
            add("an event's body " + spoilt.what,
                [&](StartEvent& it) { it.events = {event}, it.events[0].body = spoilt.text; });
        if (all.size() > 2'000) break;
    }
    add("the entity is unknown", [](StartEvent& it) { it.entity = "no_such_entity"; });
    add("a deletion has no key", [](StartEvent& it) {
        it.records.assign(1, Record{true, "", "", "", "", 0});
    });
    add("times are out of range", [](StartEvent& it) {
        it.from_ms = INT64_MIN;
        it.to_ms = INT64_MAX;
        it.deadline_ms = -1;
        it.page_size = 0xffffffff;
    });
    for (const std::uint32_t type : unknown_types)
        all.push_back({"the first event is of the unknown type " + std::to_string(type), right, type, false});
    all.push_back({"START ends after its head", right, LIAISON_EVENT_START, false});
    all.push_back({"CANCEL comes before START", Event{right.now_ms, CancelEvent()}, std::nullopt, false});
    return all;
}

std::vector<std::string> hostile_configs(const std::string& right) {
    std::vector<std::string> all;
    for (const Named& odd : odd_texts()) all.push_back(odd.text);
    for (Named& spoilt : spoilt_documents(right)) all.push_back(std::move(spoilt.text));
    return all;
}

Event bland_answer(const Effect& effect, std::int64_t now_ms) {
    if (const auto* http = std::get_if<HttpEffect>(&effect)) {
        Response response;
        response.status = 200;
        response.headers = {{"Content-Type", "application/json"}};
        response.body = "{}";
        return {now_ms, HttpEvent{std::vector<Response>(http->requests.size(), response)}};
    }
    if (std::holds_alternative<EmitEffect>(effect)) return {now_ms, EmittedEvent()};
    if (std::holds_alternative<ResultEffect>(effect)) return {now_ms, RecordedEvent()};
    return {now_ms, TimerEvent()};
}

}  // namespace liaisond::plugin
