// A plugin with one fault, which the build chooses: what `liaisonctl plugin check` must find. Written on the
// bare ABI, as the SDK would prevent most of them.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

#include <liaison/plugin.h>

#include "liaison_manifest.hpp"

struct liaison_instance {
    char name[200] = {};
};

struct liaison_job {
    int step = 0;
    char* kept = nullptr;
    std::string text, url;
    liaison_request request{};
    liaison_effect_http http{};
    liaison_effect_sleep sleep{};
    liaison_effect_done done{};
    liaison_effect_fail fail{};
};

namespace {

liaison_str view(const std::string& text) { return {text.data(), text.size()}; }

template <class T>
const liaison_effect* head(T& effect, std::uint32_t type) {
    effect.size = sizeof effect;
    effect.type = type;
    return reinterpret_cast<const liaison_effect*>(&effect);
}

// The sandbox refuses that and lets the plugin go on; without one a file is left behind.
[[maybe_unused]] bool writes_a_file(const char* path) {
    std::FILE* const file = std::fopen(path, "we");
    if (file != nullptr) std::fclose(file);
    return file != nullptr;
}
#ifdef WRITES_AT_LOAD
const bool has_written = writes_a_file(BAD_FILE ".at_load");
#endif

#ifdef FORGES_ANSWER
const bool has_answered = [] {
    const std::string answer = R"(+{"id":1,"manifest":null})";
    const auto length = static_cast<std::uint32_t>(answer.size());
    (void)!::write(3, "a", 1);
    (void)!::write(3, &length, sizeof length);
    (void)!::write(3, answer.data(), answer.size());
    ::_exit(0);
    return true;
}();
#endif

const liaison_effect* ask(liaison_job* job) {
    job->url = "https://bad.example/list";
#ifdef COUNTS
    static int asked = 0;
    job->url += "?" + std::to_string(++asked);
#endif
#ifdef TELLS_TIME
    job->url += "?" + std::to_string(std::time(nullptr));
#endif
#ifdef HUGE_EFFECT
    job->url += std::string(40u << 20, 'x');
#endif
    static const std::string get = "GET";
    job->request.size = sizeof job->request;
    job->request.method = view(get);
    job->request.url = view(job->url);
    job->request.record_index = -1;
    job->http.requests = {&job->request, 1, sizeof job->request};
    return head(job->http, LIAISON_EFFECT_HTTP);
}

const liaison_effect* wait(liaison_job* job) {
    job->sleep.duration_ms = 1000;
    return head(job->sleep, LIAISON_EFFECT_SLEEP);
}

const liaison_effect* give_up(liaison_job* job, std::uint32_t category) {
    job->text = "it did not go well";
    job->fail.category = category;
    job->fail.text = view(job->text);
    return head(job->fail, LIAISON_EFFECT_FAIL);
}

[[maybe_unused]] bool is_noise(const liaison_event* event) {
    if (event->type != LIAISON_EVENT_HTTP || event->size < sizeof(liaison_event_http)) return false;
    const auto* http = reinterpret_cast<const liaison_event_http*>(event);
    if (http->responses.count != 1) return false;
    const auto* response = static_cast<const liaison_response*>(http->responses.ptr);
    return response->body.len == 0 || response->body.ptr[0] != '{';
}

liaison_instance* LIAISON_CALL open_instance(const liaison_host*, liaison_str) {
#ifdef NO_INSTANCE
    return nullptr;
#else
    return new liaison_instance;
#endif
}
void LIAISON_CALL close_instance(liaison_instance* instance) {
#ifdef LEAKS_INSTANCES
    (void)instance;
#else
    delete instance;
#endif
}
liaison_job* LIAISON_CALL create(liaison_instance*, std::uint32_t kind) {
#ifdef REFUSES_JOBS
    if (kind == LIAISON_JOB_PULL) return nullptr;
#endif
#ifndef TAKES_ANY_JOB
    if (kind != LIAISON_JOB_TEST && kind != LIAISON_JOB_PULL) return nullptr;
#endif
    (void)kind;
    return new liaison_job;
}
const liaison_effect* LIAISON_CALL step(liaison_job* job, const liaison_event* event) {
#ifdef CRASHES_AT_ONCE
    *static_cast<volatile int*>(nullptr) = 1;
#endif
#ifdef WRITES_IN_STEP
    (void)writes_a_file(BAD_FILE ".in_step");
#endif
#ifdef SENDS
    (void)::socket(AF_INET, SOCK_STREAM, 0);
#endif
#ifdef PRINTS
    std::puts("hello from the connector");
    std::fflush(stdout);
#endif
#ifdef LEAKS_JOBS
    job->kept = static_cast<char*>(std::malloc(100));
    std::memset(job->kept, 1, 100);
#endif
#ifdef STARTS_THREADS
    std::thread([] {}).join();
#endif
#ifdef NULL_EFFECT
    if (event->type == LIAISON_EVENT_TIMER) return nullptr;
#endif
#ifdef IGNORES_CANCEL
    return event->type == LIAISON_EVENT_TIMER && ++job->step == 1 && event->now_ms == 1767225601000
               ? head(job->done, LIAISON_EFFECT_DONE)
           : event->type == LIAISON_EVENT_START ? ask(job)
                                                : wait(job);
#endif
    switch (event->type) {
        case LIAISON_EVENT_START: return ask(job);
        case LIAISON_EVENT_HTTP:
#ifdef CRASHES_ON_NOISE
            if (is_noise(event)) std::abort();
#endif
#ifdef LOOPS
            for (volatile bool forever = is_noise(event); forever;) {}
#endif
#ifdef THROWS
            if (is_noise(event)) throw 42;
#endif
#ifdef INTERNAL_ON_NOISE
            if (is_noise(event)) return give_up(job, LIAISON_ERROR_INTERNAL);
#endif
            return wait(job);
        case LIAISON_EVENT_TIMER: return head(job->done, LIAISON_EFFECT_DONE);
        default: return give_up(job, LIAISON_ERROR_TRANSIENT);
    }
}
void LIAISON_CALL destroy(liaison_job* job) { delete job; }

constexpr liaison_str literal(std::string_view text) { return {text.data(), text.size()}; }

#ifdef OTHER_VERSION
constexpr std::string_view version = "2.0.0";
#else
constexpr std::string_view version = liaison_manifest::version;
#endif
#ifdef OTHER_JOBS
constexpr std::uint64_t capabilities = liaison_manifest::capabilities | 1u << LIAISON_JOB_PUSH;
#else
constexpr std::uint64_t capabilities = liaison_manifest::capabilities;
#endif

constexpr liaison_plugin table = {sizeof(liaison_plugin),
                                  LIAISON_ABI_MAJOR,
                                  LIAISON_ABI_MINOR,
                                  0,
                                  literal(liaison_manifest::id),
                                  literal(version),
                                  literal(liaison_manifest::vendor),
                                  literal(liaison_manifest::text),
                                  capabilities,
                                  open_instance,
                                  close_instance,
                                  create,
                                  step,
                                  destroy};

}  // namespace

extern "C" LIAISON_EXPORT const liaison_plugin* LIAISON_CALL liaison_plugin_v1(void) { return &table; }
