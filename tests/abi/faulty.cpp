// A plugin that breaks every rule; the entity of the START event says which. Anything else is answered as it
// should be.
#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/plugin.h>
#include <unistd.h>

#include "liaison_manifest.hpp"

// What a struct of a newer ABI looks like: known fields first, unknown ones after.
template <class T>
struct Newer {
    T known{};
    char unknown[40] = "fields that nobody here knows";
};

struct liaison_instance {
    const liaison_host* host;
};

struct liaison_job {
    const liaison_instance* instance;
    std::vector<Newer<liaison_record>> records;
    std::vector<liaison_header> headers;
    liaison_record record{};
    liaison_request request{};
    Newer<liaison_effect_emit> newer_emit{};
    liaison_effect_http http{};
    liaison_effect_emit emit{};
    liaison_effect_sleep sleep{};
    liaison_effect_done done{};
    liaison_effect unknown{sizeof(liaison_effect), 99};
    liaison_result result{};
    liaison_effect_result results{};
};

namespace {

liaison_str view(std::string_view text) { return {text.data(), text.size()}; }

template <class T>
const liaison_effect* head(T& effect, std::uint32_t type) {
    effect.size = sizeof effect;
    effect.type = type;
    return reinterpret_cast<const liaison_effect*>(&effect);
}

const liaison_effect* done(liaison_job* job) { return head(job->done, LIAISON_EFFECT_DONE); }

const liaison_effect* emit_one(liaison_job* job) {
    job->record.size = sizeof job->record;
    job->record.op = LIAISON_OP_UPSERT;
    job->record.key = view("1");
    job->emit.records = {&job->record, 1, sizeof job->record};
    return head(job->emit, LIAISON_EFFECT_EMIT);
}

const liaison_effect* crash(liaison_job*) {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would turn it into an exit
    ::raise(SIGSEGV);
    return nullptr;
}
const liaison_effect* loop(liaison_job* job) {
    for (volatile bool forever = true; forever;) {}
    return done(job);
}
const liaison_effect* leave(liaison_job*) { std::_Exit(0); }
const liaison_effect* leave_badly(liaison_job*) { std::_Exit(7); }
const liaison_effect* throw_out(liaison_job*) { throw 42; }
const liaison_effect* garbage(liaison_job* job) {
    (void)!::write(3, "this is no frame at all, but long enough", 40);
    return done(job);
}
const liaison_effect* close_channel(liaison_job* job) {
    ::close(3);
    return loop(job);
}
const liaison_effect* nothing(liaison_job*) { return nullptr; }
const liaison_effect* unknown(liaison_job* job) { return &job->unknown; }
const liaison_effect* huge_count(liaison_job* job) {
    emit_one(job);
    job->emit.records.count = 0xffffffffu;
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* huge_length(liaison_job* job) {
    emit_one(job);
    job->record.payload = {"x", 0xffffffffffffull};
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* null_array(liaison_job* job) {
    emit_one(job);
    job->emit.records.ptr = nullptr;
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* null_string(liaison_job* job) {
    emit_one(job);
    job->record.version = {nullptr, 5};
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* small_stride(liaison_job* job) {
    emit_one(job);
    job->emit.records.count = 2;
    job->emit.records.stride = 8;
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* tiny_size(liaison_job* job) {
    job->unknown = {4, LIAISON_EFFECT_DONE};
    return &job->unknown;
}
const liaison_effect* bad_op(liaison_job* job) {
    emit_one(job);
    job->record.op = 7;
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}
const liaison_effect* no_requests(liaison_job* job) { return head(job->http, LIAISON_EFFECT_HTTP); }
const liaison_effect* many_headers(liaison_job* job) {
    job->headers.assign(201, {view("X"), view("y")});
    job->request.size = sizeof job->request;
    job->request.headers = {job->headers.data(), 201, sizeof(liaison_header)};
    job->http.requests = {&job->request, 1, sizeof job->request};
    return head(job->http, LIAISON_EFFECT_HTTP);
}
const liaison_effect* bad_outcome(liaison_job* job) {
    job->result.size = sizeof job->result;
    job->result.outcome = 77;
    job->results.results = {&job->result, 1, sizeof job->result};
    return head(job->results, LIAISON_EFFECT_RESULT);
}
const liaison_effect* negative_sleep(liaison_job* job) {
    job->sleep.duration_ms = -1;
    return head(job->sleep, LIAISON_EFFECT_SLEEP);
}
const liaison_effect* hold(liaison_job* job) {
    job->sleep.duration_ms = 1000;
    return head(job->sleep, LIAISON_EFFECT_SLEEP);
}
const liaison_effect* flood(liaison_job* job) {
    for (int i = 0; i < 5'000; ++i) job->instance->host->log(job->instance->host->ctx, 1, view("a line"));
    return done(job);
}
const liaison_effect* deluge(liaison_job* job) {
    for (volatile bool forever = true; forever;) flood(job);
    return done(job);
}
const liaison_effect* print(liaison_job* job) {
    (void)!::write(2, "on standard error\nand more", 26);
    return done(job);
}
// Two pipelined records as a newer header would lay them out.
const liaison_effect* wide(liaison_job* job) {
    job->records.resize(2);
    for (std::size_t i = 0; i < job->records.size(); ++i) {
        liaison_record& record = job->records[i].known;
        record.size = sizeof job->records[i];
        record.op = i == 0 ? LIAISON_OP_UPSERT : LIAISON_OP_DELETE;
        record.key = view(i == 0 ? "a" : "b");
        record.payload = view(i == 0 ? "{}" : "");
    }
    job->newer_emit.known.records = {job->records.data(), 2, sizeof job->records[0]};
    job->newer_emit.known.cursor = view("wide");
    job->newer_emit.known.flags = LIAISON_EMIT_PIPELINED;
    job->newer_emit.known.size = sizeof job->newer_emit;
    job->newer_emit.known.type = LIAISON_EFFECT_EMIT;
    return reinterpret_cast<const liaison_effect*>(&job->newer_emit.known);
}
// What an older header knew: records that end after their payload, an emit without flags.
const liaison_effect* narrow(liaison_job* job) {
    emit_one(job);
    job->record.changed_ms = 5;
    job->record.reference = view("beyond its size");
    job->record.size = offsetof(liaison_record, reference);
    job->emit.flags = LIAISON_EMIT_PIPELINED;
    job->emit.size = offsetof(liaison_effect_emit, flags);
    return reinterpret_cast<const liaison_effect*>(&job->emit);
}

const std::map<std::string_view, const liaison_effect* (*)(liaison_job*)> behaviours = {
    {"crash", crash},
    {"loop", loop},
    {"exit", leave},
    {"exit_7", leave_badly},
    {"throw", throw_out},
    {"garbage", garbage},
    {"close_channel", close_channel},
    {"null", nothing},
    {"unknown", unknown},
    {"huge_count", huge_count},
    {"huge_length", huge_length},
    {"null_array", null_array},
    {"null_string", null_string},
    {"small_stride", small_stride},
    {"tiny_size", tiny_size},
    {"bad_op", bad_op},
    {"no_requests", no_requests},
    {"many_headers", many_headers},
    {"bad_outcome", bad_outcome},
    {"negative_sleep", negative_sleep},
    {"hold", hold},
    {"flood", flood},
    {"deluge", deluge},
    {"print", print},
    {"wide", wide},
    {"narrow", narrow}};

liaison_instance* LIAISON_CALL open_instance(const liaison_host* host, liaison_str) {
    return new liaison_instance{host};
}
void LIAISON_CALL close_instance(liaison_instance* instance) { delete instance; }
liaison_job* LIAISON_CALL create(liaison_instance* instance, std::uint32_t kind) {
    if (kind == LIAISON_JOB_FIND) return nullptr;
    auto* job = new liaison_job{};
    job->instance = instance;
    return job;
}
const liaison_effect* LIAISON_CALL step(liaison_job* job, const liaison_event* event) {
    if (event->type != LIAISON_EVENT_START) return done(job);
    const auto* start = reinterpret_cast<const liaison_event_start*>(event);
    const auto found = behaviours.find(std::string_view(start->entity.ptr, start->entity.len));
    return found == behaviours.end() ? done(job) : found->second(job);
}
void LIAISON_CALL destroy(liaison_job* job) { delete job; }

constexpr liaison_str literal(std::string_view text) { return {text.data(), text.size()}; }

constexpr liaison_plugin table = {sizeof(liaison_plugin),
                                  LIAISON_ABI_MAJOR,
                                  LIAISON_ABI_MINOR,
                                  0,
                                  literal(liaison_manifest::id),
                                  literal(liaison_manifest::version),
                                  literal(liaison_manifest::vendor),
                                  literal(liaison_manifest::text),
                                  liaison_manifest::capabilities,
                                  open_instance,
                                  close_instance,
                                  create,
                                  step,
                                  destroy};

}  // namespace

extern "C" LIAISON_EXPORT const liaison_plugin* LIAISON_CALL liaison_plugin_v1(void) { return &table; }
