#include "plugin/frames.hpp"

#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <xxhash.h>

#include "plugin/limits.hpp"

namespace liaisond::plugin {
namespace {

Request sample_request() {
    Request request;
    request.flags = LIAISON_REQUEST_MUTATES;
    request.timeout_ms = 7;
    request.method = "PUT";
    request.url = "https://x.example/ä";
    request.auth = "bearer";
    request.body = std::string("\0binary", 7);
    request.idempotency_key = "k";
    request.headers = {{"A", "1"}, {"A", "2"}};
    request.max_body = 1ull << 40;
    request.record_index = 3;
    return request;
}

Response sample_response() {
    Response response;
    response.status = 200;
    response.headers = {{"Set-Cookie", "a"}, {"Set-Cookie", "b"}};
    response.body = "body";
    response.error_text = "none";
    return response;
}

std::vector<Event> sample_events() {
    StartEvent start;
    start.entity = "order";
    start.cursor = "c";
    start.full = true;
    start.page_size = 9;
    start.deadline_ms = -1;
    start.seed[31] = 5;
    start.records = {{true, "k", "v", "{}", "r", 12}, {}};
    start.queries = {{"r", "k", "{\"a\":1}"}};
    start.from_ms = 6;
    start.to_ms = 7;
    start.events = {{"e1", "paid", {{"A", "1"}}, "{}", 8}, {}};
    return {{1, start},
            {2, HttpEvent{{sample_response(), {}}}},
            {3, EmittedEvent{{{4, "bad"}, {5, "lost", true}}}},
            {4, RecordedEvent{}},
            {-5, TimerEvent{}},
            {6, CancelEvent{}}};
}

std::vector<Effect> sample_effects() {
    return {HttpEffect{{sample_request(), {}}, 4},
            EmitEffect{{{false, "k", "v", "{}", "", 1, "invoice"}}, "cursor", true},
            ResultEffect{{{1, 2, 3, "id", "v", "text", 4}}},
            SleepEffect{1234},
            DoneEffect{"{}"},
            FailEffect{2, 3, "code", "text", "detail"}};
}

std::vector<std::string> sample_frames() {
    std::vector<std::string> frames;
    const auto add = [&](const Message& message) {
        EXPECT_TRUE(append_frame(frames.emplace_back(), 77, message));
    };
    add(Hello{"/x.so", "0f"});
    add(Open{1, "{}"});
    for (const Event& event : sample_events()) add(Step{5, 6, JobKind::find, event});
    add(Destroy{8});
    add(Close{9});
    add(Ready{"id", "1", "v", 0, 1, 30, "{}"});
    add(Refused{"no"});
    for (const Effect& effect : sample_effects()) add(Stepped{3, "", effect});
    add(Stepped{3, "an error", {}});
    add(Log{2, "line"});
    return frames;
}

Result<Message> decode(std::string_view frame) {
    const auto header = decode_header(frame);
    if (!header) return fail(header.error());
    return decode_body(*header, frame.substr(std::min(frame.size(), frame_header_bytes)));
}

// Gives altered bytes a right checksum and length, so that the decoder behind them is what is tested.
void sign(std::string& frame) {
    const std::string_view body = std::string_view(frame).substr(frame_header_bytes);
    const auto length = static_cast<std::uint32_t>(body.size());
    const auto checksum = static_cast<std::uint32_t>(XXH3_64bits(body.data(), body.size()));
    std::memcpy(frame.data() + 16, &length, sizeof length);
    std::memcpy(frame.data() + 20, &checksum, sizeof checksum);
}

TEST(Frames, EventsRoundTrip) {
    for (const Event& event : sample_events()) {
        std::string frame;
        ASSERT_TRUE(append_step(frame, 42, {5, 6, JobKind::push, {}}, event));
        EXPECT_EQ(decode_header(frame)->id, 42u);
        const auto message = decode(frame);
        ASSERT_TRUE(message);
        const auto& step = std::get<Step>(*message);
        EXPECT_EQ(step.job, 5u);
        EXPECT_EQ(step.instance, 6u);
        EXPECT_EQ(step.kind, JobKind::push);
        EXPECT_EQ(step.event, event);
    }
}

TEST(Frames, EffectsRoundTrip) {
    for (const Effect& effect : sample_effects()) {
        std::string frame;
        ASSERT_TRUE(append_stepped(frame, 42, 5, effect));
        const auto message = decode(frame);
        ASSERT_TRUE(message);
        EXPECT_EQ(std::get<Stepped>(*message).job, 5u);
        EXPECT_EQ(std::get<Stepped>(*message).error, "");
        EXPECT_EQ(std::get<Stepped>(*message).effect, effect);
    }
}

TEST(Frames, AreAppended) {
    std::string out;
    ASSERT_TRUE(append_frame(out, 1, Destroy{1}));
    const std::size_t first = out.size();
    ASSERT_TRUE(append_frame(out, 2, Close{2}));
    EXPECT_EQ(std::get<Close>(*decode(std::string_view(out).substr(first))).instance, 2u);
}

TEST(Frames, EveryTruncationIsRefused) {
    for (const std::string& frame : sample_frames()) {
        ASSERT_TRUE(decode(frame));
        for (std::size_t length = 0; length < frame.size(); ++length) {
            EXPECT_FALSE(decode(std::string_view(frame).substr(0, length)));
            if (length < frame_header_bytes) continue;
            std::string cut = frame.substr(0, length);
            sign(cut);
            EXPECT_FALSE(decode(cut)) << "type " << decode_header(frame)->type << " cut at " << length;
        }
        std::string longer = frame + 'x';
        sign(longer);
        EXPECT_FALSE(decode(longer));
    }
}

TEST(Frames, EveryFlippedByteIsNoticed) {
    for (const std::string& frame : sample_frames()) {
        for (std::size_t i = frame_header_bytes; i < frame.size(); ++i) {
            std::string changed = frame;
            changed[i] = static_cast<char>(changed[i] ^ 0x41);
            EXPECT_FALSE(decode(changed));
        }
    }
}

TEST(Frames, SignedGarbageNeverHarms) {
    std::mt19937 random(7);
    const std::vector<std::string> frames = sample_frames();
    for (int round = 0; round < 100'000; ++round) {
        std::string frame = frames[random() % frames.size()];
        for (unsigned i = 0; i < 1 + random() % 8; ++i) {
            const std::size_t at = frame_header_bytes + random() % (frame.size() - frame_header_bytes + 1);
            if (at < frame.size())
                frame[at] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
            else
                frame += static_cast<char>(random());
        }
        sign(frame);
        (void)decode(frame);
    }
}

TEST(Frames, BadHeaders) {
    std::string frame = sample_frames().front();
    const auto with = [&](std::size_t at, char byte) {
        std::string changed = frame;
        changed[at] = byte;
        const auto message = decode(changed);
        return message ? std::string("accepted") : message.error().message;
    };
    EXPECT_EQ(with(0, 'X'), "a bad magic number");
    EXPECT_EQ(with(4, 9), "frame version 9");
    EXPECT_EQ(with(6, 99), "a message of unknown type 99");
    EXPECT_EQ(with(19, 0x7f).find("a message of 21"), 0u);
    EXPECT_EQ(with(20, 0), "a bad checksum");
}

TEST(Frames, AHostileCountAllocatesNothing) {
    std::string frame;
    ASSERT_TRUE(append_stepped(frame, 1, 1, ResultEffect{}));
    const std::uint32_t count = 0xffffffff;
    std::memcpy(frame.data() + frame.size() - sizeof count, &count, sizeof count);
    sign(frame);
    EXPECT_FALSE(decode(frame));
}

TEST(Frames, AWorkerMayNotPassTheCaps) {
    std::string frame;
    ASSERT_TRUE(
        append_stepped(frame, 1, 1, EmitEffect{std::vector<Record>(max_records_per_effect), "", false}));
    EXPECT_TRUE(decode(frame));
    frame.clear();
    ASSERT_TRUE(
        append_stepped(frame, 1, 1, EmitEffect{std::vector<Record>(max_records_per_effect + 1), "", false}));
    EXPECT_FALSE(decode(frame));
    frame.clear();
    EXPECT_FALSE(append_stepped(frame, 1, 1, DoneEffect{std::string(max_frame_bytes, 'x')}));
    EXPECT_TRUE(frame.empty());
}

}  // namespace
}  // namespace liaisond::plugin
