// Sizes across versions, in both directions: plugins of today under a host that sends less, and effects of
// plugins that say less. What is missing reads as zero, at every boundary between two fields.
#include <filesystem>

#include <gtest/gtest.h>

#include "old_host.hpp"
#include "paths.hpp"
#include "plugin/script.hpp"
#include "plugin/script_compare.hpp"

namespace liaisond::plugin {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Library> loaded(const std::string& path) {
    auto library = Library::load(path);
    EXPECT_TRUE(library) << path << ": " << library.error().message;
    return library ? *library : nullptr;
}
std::string test_plugin(const std::string& name) { return paths::test_plugin(std::string(name) + ".so"); }

// ---- the event stream of 1.0 ----

void play_cut(const Script& script, const Library& library) {
    OldHost host(library, script.config, script.kind);
    EventCutter cutter;
    Event event = script.start;
    for (const Exchange& exchange : script.exchanges) {
        const EventView view(event);
        const auto effect = host.step(cutter.cut(view.get()));
        ASSERT_TRUE(effect) << script.path << ":" << exchange.line << ": " << effect.error().message;
        const Difference difference = compare(exchange, *effect);
        ASSERT_EQ(difference.text, "") << script.path << ":" << difference.line;
        if (!exchange.answer) return;
        const std::int64_t now = event.now_ms;
        event = *exchange.answer;
        event.now_ms += now;
    }
}

void play_all(const std::string& plugin, const fs::path& folder, std::size_t& played) {
    const auto library = loaded(plugin);
    ASSERT_TRUE(library);
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".script") continue;
        const auto scripts = load_scripts(entry.path());
        ASSERT_TRUE(scripts) << scripts.error().message;
        for (const Script& script : *scripts) play_cut(script, *library);
        played += scripts->size();
    }
}

TEST(EventStreamOf10, EveryConnectorPlaysItsScriptsUnderIt) {
    std::size_t played = 0;
    play_all(test_plugin("sdk_sample"), paths::source("tests/abi/scripts"), played);
    for (const fs::directory_entry& entry : fs::directory_iterator(paths::source("plugins"))) {
        const std::string plugin = paths::plugin(entry.path().filename().string() + ".so");
        if (!fs::exists(entry.path() / "scripts") || !fs::exists(plugin)) continue;
        play_all(plugin, entry.path() / "scripts", played);
    }
    EXPECT_GE(played, 6u);
}

// ---- events that end early ----

const std::vector<Header> some_headers = {{"X-A", "1"}};

StartEvent full_start() {
    StartEvent start;
    start.entity = "order";
    start.cursor = "c";
    start.full = true;
    start.page_size = 7;
    start.deadline_ms = 9;
    start.from_ms = 3;
    start.to_ms = 4;
    start.seed.fill(5);
    start.records = {{false, "k1", "v", "{\"a\":1}", "r1", 5, "order"}, {true, "k2", "v", "", "r2", 6, "x"}};
    start.queries = {{"r", "k", "{}"}, {"r2", "k2", "{}"}};
    const std::string body = "{\"records\":[{\"key\":\"1\"}],\"then\":\"ignored\"}";
    start.events = {{"e1", "t", some_headers, body, 8}, {"e2", "t", some_headers, body, 9}};
    return start;
}
Response full_response() { return {0, 200, some_headers, "a\nb", "text"}; }

struct Cut {
    const char* plugin;
    JobKind kind;
    std::vector<Event> before;  // steps in full
    Event event;                // the one that is cut
    std::vector<std::string> structs;
};

std::vector<Cut> cuts() {
    const Event start{1, full_start()};
    HttpEvent http{{full_response()}}, two{{full_response(), full_response()}};
    EmittedEvent emitted{{{0, "no", true}, {1, "neither", false}}};
    return {
        {"sdk_sample", JobKind::pull, {}, start, {"liaison_event_start"}},
        {"sdk_sample", JobKind::push, {}, start, {"liaison_event_start", "liaison_record"}},
        {"sdk_sample", JobKind::find, {}, start, {"liaison_event_start", "liaison_query"}},
        {"webhook_sample", JobKind::webhook, {}, start, {"liaison_event_start", "liaison_webhook_event"}},
        {"sdk_sample", JobKind::test, {start}, {2, http}, {"liaison_event_http", "liaison_response"}},
        {"sdk_sample", JobKind::find, {start}, {2, two}, {"liaison_event_http", "liaison_response"}},
        {"sdk_sample",
         JobKind::pull,
         {start, {2, http}},
         {3, emitted},
         {"liaison_event_emitted", "liaison_rejection"}},
        {"sdk_sample", JobKind::pull, {start}, {2, CancelEvent{}}, {"liaison_event"}},
    };
}

std::string said(const Result<Effect>& effect) {
    return effect ? std::to_string(effect->index()) + " " + describe(*effect) : effect.error().message;
}

std::string play_one(const Cut& cut, EventCutter cutter) {
    const auto library = loaded(test_plugin(cut.plugin));
    OldHost host(*library, "{}", cut.kind);
    for (const Event& event : cut.before) {
        const EventView view(event);
        (void)said(host.step(view.get()));
    }
    const EventView view(cut.event);
    return said(host.step(cutter.cut(view.get())));
}

TEST(CutEvents, AreReadAsFarAsTheyGo) {
    std::size_t tried = 0;
    for (const Cut& cut : cuts()) {
        const std::string whole = play_one(cut, EventCutter());
        for (const std::string& type : cut.structs) {
            const StructLayout& layout = layout_of(type);
            const std::size_t least = type.rfind("liaison_event", 0) == 0 ? LIAISON_SIZE_1_0_EVENT : 8;
            for (const FieldLayout& field : layout.fields) {
                if (field.offset < least) continue;
                const std::string found = play_one(cut, EventCutter({{type, field.offset}}));
                EXPECT_NE(found, "") << cut.plugin << " " << type << " cut before " << field.name;
                ++tried;
            }
            EXPECT_EQ(play_one(cut, EventCutter({{type, layout.size}})), whole) << type;
        }
    }
    EXPECT_GE(tried, 60u);
}

// The fields that a job's first request shows, one by one.
TEST(CutEvents, MissingFieldsReadAsZero) {
    const auto first_url = [](JobKind kind, const std::string& type, std::size_t size) {
        const Cut cut{"sdk_sample", kind, {}, Event{1, full_start()}, {}};
        return play_one(cut, EventCutter({{type, size}}));
    };
    const auto has = [](const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    };
    const std::string start = "liaison_event_start", record = "liaison_record";
    EXPECT_TRUE(has(first_url(JobKind::pull, start, offsetof(liaison_event_start, entity)), "/?after="));
    EXPECT_TRUE(has(first_url(JobKind::pull, start, offsetof(liaison_event_start, cursor)), "/order?after="));
    EXPECT_TRUE(has(first_url(JobKind::pull, start, offsetof(liaison_event_start, mode)), "after=c"));
    EXPECT_TRUE(has(first_url(JobKind::push, start, offsetof(liaison_event_start, records)), "> done"));
    EXPECT_TRUE(has(first_url(JobKind::push, record, offsetof(liaison_record, version)), "/order/k1"));
    EXPECT_FALSE(has(first_url(JobKind::push, record, offsetof(liaison_record, payload)), "{\"a\":1}"));
    EXPECT_TRUE(has(first_url(JobKind::push, record, offsetof(liaison_record, reference)), "{\"a\":1}"));
    EXPECT_FALSE(has(first_url(JobKind::push, record, offsetof(liaison_record, reference)), "key=r1"));
}

TEST(UnknownEvents, EndTheJobAsAFailure) {
    for (const std::uint32_t type : {0u, 7u, 99u, 0xffffffffu}) {
        const auto library = loaded(test_plugin("sdk_sample"));
        OldHost host(*library, "{}", JobKind::test);
        const Event begin{1, full_start()};
        const EventView start(begin);
        ASSERT_TRUE(host.step(start.get()));
        const liaison_event unknown{sizeof unknown, type, 2};
        const auto effect = host.step(&unknown);
        ASSERT_TRUE(effect && std::holds_alternative<FailEffect>(*effect)) << type;
    }
}

// ---- effects that end early ----

const liaison_str word = {"word", 4};

template <class T>
std::vector<T> two_of(T one) {
    one.size = sizeof one;
    return {one, one};
}

// Reads `whole` cut before each of its fields, and the same with zeroes from there on: no difference allowed.
template <class T>
void expect_zeroes(const std::string& type, const T& whole) {
    for (const FieldLayout& field : layout_of(type).fields) {
        if (field.offset < sizeof(liaison_effect)) continue;
        T zeroed = whole;
        zeroed.size = sizeof zeroed;
        std::memset(reinterpret_cast<char*>(&zeroed) + field.offset, 0, sizeof(T) - field.offset);
        const auto cut = std::make_unique<char[]>(field.offset);
        zeroed.size = static_cast<std::uint32_t>(field.offset);
        std::memcpy(cut.get(), &zeroed, field.offset);
        zeroed.size = sizeof zeroed;
        const auto expected = read_effect(reinterpret_cast<const liaison_effect*>(&zeroed), "p");
        const auto found = read_effect(reinterpret_cast<const liaison_effect*>(cut.get()), "p");
        EXPECT_EQ(said(found), said(expected)) << type << " cut before " << field.name;
    }
}

// The same of the elements of `array`, which is a member of `effect`.
template <class T, class Effect>
void expect_zero_elements(const std::string& type, const T& whole, Effect effect,
                          liaison_array Effect::*array) {
    effect.size = sizeof effect;
    for (const FieldLayout& field : layout_of(type).fields) {
        if (field.offset < 2 * sizeof(std::uint32_t)) continue;
        T zeroed = whole;
        std::memset(reinterpret_cast<char*>(&zeroed) + field.offset, 0, sizeof(T) - field.offset);
        const std::vector<T> all = two_of(zeroed);
        const auto cut = std::make_unique<char[]>(2 * field.offset);
        zeroed.size = static_cast<std::uint32_t>(field.offset);
        for (int i = 0; i < 2; ++i) std::memcpy(cut.get() + i * field.offset, &zeroed, field.offset);
        effect.*array = {all.data(), 2, sizeof(T)};
        const auto expected = read_effect(reinterpret_cast<const liaison_effect*>(&effect), "p");
        effect.*array = {cut.get(), 2, static_cast<std::uint32_t>(field.offset)};
        const auto found = read_effect(reinterpret_cast<const liaison_effect*>(&effect), "p");
        EXPECT_EQ(said(found), said(expected)) << type << " cut before " << field.name;
    }
}

TEST(CutEffects, ReadAsZeroes) {
    const liaison_header header{word, word};
    const liaison_array headers{&header, 1, sizeof header};
    const liaison_request request{sizeof request, 1, word, word, word, headers, word, word, 5, 6, 7};
    const liaison_record record{sizeof record, LIAISON_OP_UPSERT, word, word, word, word, 5, word};
    const liaison_result result{sizeof result, 1, LIAISON_OUTCOME_REJECTED, 4, word, word, word, 5};

    const liaison_effect_http http{0, LIAISON_EFFECT_HTTP, {&request, 1, sizeof request}, 3, 0};
    expect_zeroes("liaison_effect_http", http);
    expect_zero_elements("liaison_request", request, http, &liaison_effect_http::requests);
    const liaison_effect_emit emit{0, LIAISON_EFFECT_EMIT, {&record, 1, sizeof record}, word, 1, 0};
    expect_zeroes("liaison_effect_emit", emit);
    expect_zero_elements("liaison_record", record, emit, &liaison_effect_emit::records);
    const liaison_effect_result results{0, LIAISON_EFFECT_RESULT, {&result, 1, sizeof result}};
    expect_zeroes("liaison_effect_result", results);
    expect_zero_elements("liaison_result", result, results, &liaison_effect_result::results);
    expect_zeroes("liaison_effect_sleep", liaison_effect_sleep{0, LIAISON_EFFECT_SLEEP, 5});
    expect_zeroes("liaison_effect_done", liaison_effect_done{0, LIAISON_EFFECT_DONE, word});
    expect_zeroes("liaison_effect_fail",
                  liaison_effect_fail{0, LIAISON_EFFECT_FAIL, 4, 0, 5, word, word, word});
}

}  // namespace
}  // namespace liaisond::plugin
