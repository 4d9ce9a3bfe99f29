#include "plugin/abi_bridge.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "plugin/limits.hpp"

namespace liaisond::plugin {
namespace {

std::string_view text(const liaison_str& raw) { return {raw.ptr, raw.len}; }

TEST(EventView, ShowsEveryFieldOfStart) {
    StartEvent start;
    start.entity = "order";
    start.cursor = "c";
    start.full = true;
    start.page_size = 9;
    start.deadline_ms = 10;
    start.seed[0] = 11;
    start.records = {{true, "k", "v", "", "r", 12, ""}};
    start.queries = {{"r", "k", "{}"}};
    start.from_ms = 13;
    start.to_ms = 14;
    start.events = {{"e1", "paid", {{"A", "1"}, {"B", "2"}}, "{}", 15}, {"e2", "", {{"C", "3"}}, "x", 16}};
    const Event event{5, start};
    const EventView view(event);
    const auto& raw = *reinterpret_cast<const liaison_event_start*>(view.get());
    EXPECT_EQ(raw.size, sizeof raw);
    EXPECT_EQ(raw.type, LIAISON_EVENT_START);
    EXPECT_EQ(raw.now_ms, 5);
    EXPECT_EQ(text(raw.entity), "order");
    EXPECT_EQ(text(raw.cursor), "c");
    EXPECT_EQ(raw.mode, LIAISON_MODE_FULL);
    EXPECT_EQ(raw.page_size, 9u);
    EXPECT_EQ(raw.deadline_ms, 10);
    EXPECT_EQ(raw.seed[0], 11);
    ASSERT_EQ(raw.records.count, 1u);
    const auto& record = *static_cast<const liaison_record*>(raw.records.ptr);
    EXPECT_EQ(record.op, LIAISON_OP_DELETE);
    EXPECT_EQ(text(record.reference), "r");
    EXPECT_EQ(record.changed_ms, 12);
    EXPECT_EQ(text(static_cast<const liaison_query*>(raw.queries.ptr)->key), "k");
    EXPECT_EQ(text(static_cast<const liaison_query*>(raw.queries.ptr)->payload), "{}");
    EXPECT_EQ(raw.from_ms, 13);
    EXPECT_EQ(raw.to_ms, 14);
    ASSERT_EQ(raw.events.count, 2u);
    const auto* events = static_cast<const liaison_webhook_event*>(raw.events.ptr);
    EXPECT_EQ(text(events[0].id), "e1");
    EXPECT_EQ(text(events[0].type), "paid");
    EXPECT_EQ(text(static_cast<const liaison_header*>(events[0].headers.ptr)[1].value), "2");
    EXPECT_EQ(text(static_cast<const liaison_header*>(events[1].headers.ptr)[0].name), "C");
    EXPECT_EQ(text(events[1].body), "x");
    EXPECT_EQ(events[1].received_ms, 16);
}

TEST(EventView, KeepsHeadersOfAllResponsesApart) {
    HttpEvent http;
    http.responses.resize(3);
    http.responses[0].headers = {{"A", "1"}, {"B", "2"}};
    http.responses[2].headers = {{"C", "3"}};
    const Event event{1, http};
    const EventView view(event);
    const auto& raw = *reinterpret_cast<const liaison_event_http*>(view.get());
    ASSERT_EQ(raw.responses.count, 3u);
    const auto* responses = static_cast<const liaison_response*>(raw.responses.ptr);
    EXPECT_EQ(text(static_cast<const liaison_header*>(responses[0].headers.ptr)[1].value), "2");
    EXPECT_EQ(responses[1].headers.ptr, nullptr);
    EXPECT_EQ(text(static_cast<const liaison_header*>(responses[2].headers.ptr)->name), "C");
}

struct Emit {
    std::vector<liaison_record> records;
    liaison_effect_emit raw{};
    explicit Emit(std::size_t count) : records(count) {
        for (liaison_record& record : records) {
            record.size = sizeof record;
            record.op = LIAISON_OP_UPSERT;
        }
        raw.size = sizeof raw;
        raw.type = LIAISON_EFFECT_EMIT;
        raw.records = {records.data(), static_cast<std::uint32_t>(count), sizeof(liaison_record)};
    }
    Result<Effect> read() const { return read_effect(reinterpret_cast<const liaison_effect*>(&raw), "x"); }
};

TEST(ReadEffect, RecordsUpToTheLimit) {
    EXPECT_TRUE(Emit(max_records_per_effect).read());
    EXPECT_EQ(Emit(max_records_per_effect + 1).read().error().message,
              "x answered with an effect that has 10001 records (at most 10000)");
}

TEST(ReadEffect, RecordsMaySayTheirEntity) {
    Emit emit(2);
    emit.records[0].entity = {"invoice", 7};
    emit.records[1].size = offsetof(liaison_record, entity);  // built before the field existed
    emit.records[1].entity = {"invoice", 7};
    const auto read = emit.read();
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(std::get<EmitEffect>(*read).records[0].entity, "invoice");
    EXPECT_EQ(std::get<EmitEffect>(*read).records[1].entity, "");
}

TEST(ReadEffect, StringsUpToTheLimit) {
    const std::string large(max_string_bytes + 1, 'x');
    Emit emit(1);
    emit.records[0].payload = {large.data(), max_string_bytes};
    EXPECT_TRUE(emit.read());
    emit.records[0].payload.len = max_string_bytes + 1;
    EXPECT_NE(emit.read().error().message.find("at most 32 MiB"), std::string::npos);
}

TEST(ReadEffect, TheWholeUpToTheLimit) {
    const std::string large(1u << 20, 'x');
    Emit emit(64);
    for (liaison_record& record : emit.records) record.payload = {large.data(), large.size()};
    EXPECT_NE(emit.read().error().message.find("is larger than 64 MiB"), std::string::npos);
    emit.raw.records.count = 63;
    EXPECT_TRUE(emit.read());
}

TEST(ReadEffect, RequestsUpToTheLimit) {
    std::vector<liaison_request> requests(max_requests_per_effect + 1);
    for (liaison_request& request : requests) request.size = sizeof request;
    liaison_effect_http raw{};
    raw.size = sizeof raw;
    raw.type = LIAISON_EFFECT_HTTP;
    raw.requests = {requests.data(), max_requests_per_effect, sizeof(liaison_request)};
    EXPECT_TRUE(read_effect(reinterpret_cast<const liaison_effect*>(&raw), "x"));
    ++raw.requests.count;
    EXPECT_FALSE(read_effect(reinterpret_cast<const liaison_effect*>(&raw), "x"));
}

TEST(ReadEffect, AFailNeedsAKnownCategory) {
    liaison_effect_fail raw{};
    raw.size = sizeof raw;
    raw.type = LIAISON_EFFECT_FAIL;
    EXPECT_FALSE(read_effect(reinterpret_cast<const liaison_effect*>(&raw), "x"));
    raw.category = LIAISON_ERROR_AUTH;
    EXPECT_TRUE(read_effect(reinterpret_cast<const liaison_effect*>(&raw), "x"));
    raw.category = 10;
    EXPECT_FALSE(read_effect(reinterpret_cast<const liaison_effect*>(&raw), "x"));
}

}  // namespace
}  // namespace liaisond::plugin
