// Connector, and the glue that makes a plugin out of connectors: LIAISON_PLUGIN(make_connector).
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <liaison/sdk/context.hpp>

namespace liaison {

// One configured integration. Derive, override the jobs the manifest declares, keep nothing mutable in it: an
// instance serves many jobs, from any thread. A constructor may throw Failure(config): every job then fails
// so.
class Connector {
  public:
    Connector() = default;
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;
    virtual ~Connector() = default;

    // Returns JSON that lets a person recognise the account, such as {"account":"Hotel Paradise"}.
    virtual Task<std::string> test(Context& context);
    virtual Task<void> pull(Context& context, const Start& start);
    virtual Task<void> push(Context& context, const Start& start);
    virtual Task<void> find(Context& context, const Start& start);
    // Obtains a session for the scheme in start.entity: a JSON object whose texts become {{session:NAME}};
    // cookies that the scheme names stay with the host.
    virtual Task<std::string> login(Context& context, const Start& start);
    virtual Task<void> logout(Context& context, const Start& start);
    // Makes something of start.events: emits records that say their entity, and answers each event with a
    // Result of its index. Returns the entities that are to be pulled now, or nothing.
    virtual Task<std::vector<std::string>> webhook(Context& context, const Start& start);
};

namespace plugin_parts {

inline Task<std::string> unsupported() {
    std::string nothing;
    throw Failure(ErrorKind::internal, "this connector does not have that kind of job");
    co_return nothing;
}
inline Task<std::vector<std::string>> unsupported_list() {
    std::vector<std::string> nothing;
    throw Failure(ErrorKind::internal, "this connector does not have that kind of job");
    co_return nothing;
}
inline Task<void> unsupported_void() {
    const int local = 0;
    (void)local;
    throw Failure(ErrorKind::internal, "this connector does not have that kind of job");
    co_return;
}

// {"changed": ["invoice"]}, or nothing. Names of entities need no escapes.
inline std::string changed_output(const std::vector<std::string>& entities) {
    std::string list;
    for (const std::string& entity : entities) list += (list.empty() ? "\"" : ",\"") + entity + "\"";
    return list.empty() ? list : "{\"changed\":[" + list + "]}";
}

// What `open` makes: the connector, or what its constructor threw.
struct Instance {
    const liaison_host* host;
    std::unique_ptr<Connector> connector;
    std::exception_ptr error;
};

// One job: root task, driver, and the terminal effect, which must outlive the step that made it.
class Job {
  public:
    Job(const Instance& instance, std::uint32_t kind)
        : instance_(instance), kind_(kind), context_(&driver_, instance.host) {}

    const liaison_effect* step(const liaison_event* event) noexcept {
        driver_.event = event;
        try {
            if (!root_) begin(event);
            driver_.run();
            if (driver_.effect != nullptr) return driver_.effect;
            output_ = root_->take();
            return done();
        } catch (const Failure& failure) {
            return fail(static_cast<std::uint32_t>(failure.kind), failure.what(), failure.detail,
                        failure.code, failure.retry_after_ms);
        } catch (const Cancelled&) {
            return fail(LIAISON_ERROR_TRANSIENT, "cancelled", {}, "cancelled", 0);
        } catch (const BadData& error) {
            return fail(LIAISON_ERROR_PERMANENT, std::string("what came makes no sense: ") + error.what(), {},
                        {}, 0);
        } catch (const std::exception& error) {
            return fail(LIAISON_ERROR_INTERNAL, "the connector threw an exception", error.what(), {}, 0);
        } catch (...) {
            return fail(LIAISON_ERROR_INTERNAL, "the connector threw something that is no exception", {}, {},
                        0);
        }
    }

  private:
    void begin(const liaison_event* event) {
        if (event->type != LIAISON_EVENT_START) throw Cancelled();
        if (instance_.error) std::rethrow_exception(instance_.error);
        start_ = Start(abi::read<liaison_event_start>(event));
        root_ = std::make_unique<Task<std::string>>(run());
        root_->start(driver_);
    }
    Task<std::string> run() {
        std::string output;
        std::vector<std::string> changed;
        Connector& connector = *instance_.connector;
        switch (kind_) {
            case LIAISON_JOB_TEST: output = co_await connector.test(context_); break;
            case LIAISON_JOB_PULL: co_await connector.pull(context_, start_); break;
            case LIAISON_JOB_PUSH: co_await connector.push(context_, start_); break;
            case LIAISON_JOB_FIND: co_await connector.find(context_, start_); break;
            case LIAISON_JOB_LOGIN: output = co_await connector.login(context_, start_); break;
            case LIAISON_JOB_LOGOUT: co_await connector.logout(context_, start_); break;
            case LIAISON_JOB_WEBHOOK: changed = co_await connector.webhook(context_, start_); break;
            default: throw Failure(ErrorKind::internal, "unknown job kind");
        }
        if (!changed.empty()) output = changed_output(changed);
        co_return output;
    }
    const liaison_effect* done() {
        done_ = {};
        done_.size = sizeof done_;
        done_.type = LIAISON_EFFECT_DONE;
        done_.output = abi::view(output_);
        return reinterpret_cast<const liaison_effect*>(&done_);
    }
    const liaison_effect* fail(std::uint32_t category, std::string text, std::string detail, std::string code,
                               std::int64_t retry_after_ms) {
        text_ = std::move(text);
        detail_ = std::move(detail);
        code_ = std::move(code);
        fail_ = {};
        fail_.size = sizeof fail_;
        fail_.type = LIAISON_EFFECT_FAIL;
        fail_.category = category;
        fail_.retry_after_ms = retry_after_ms;
        fail_.code = abi::view(code_);
        fail_.text = abi::view(text_);
        fail_.detail = abi::view(detail_);
        return reinterpret_cast<const liaison_effect*>(&fail_);
    }

    const Instance& instance_;
    std::uint32_t kind_;
    Driver driver_;
    Context context_;
    Start start_;
    std::unique_ptr<Task<std::string>> root_;
    std::string output_, text_, detail_, code_;
    liaison_effect_done done_{};
    liaison_effect_fail fail_{};
};

}  // namespace plugin_parts

inline Task<std::string> Connector::test(Context&) { return plugin_parts::unsupported(); }
inline Task<void> Connector::pull(Context&, const Start&) { return plugin_parts::unsupported_void(); }
inline Task<void> Connector::push(Context&, const Start&) { return plugin_parts::unsupported_void(); }
inline Task<void> Connector::find(Context&, const Start&) { return plugin_parts::unsupported_void(); }
inline Task<std::string> Connector::login(Context&, const Start&) { return plugin_parts::unsupported(); }
inline Task<void> Connector::logout(Context&, const Start&) { return plugin_parts::unsupported_void(); }
inline Task<std::vector<std::string>> Connector::webhook(Context&, const Start&) {
    return plugin_parts::unsupported_list();
}

// Makes a connector from the `config` text of open(): {"connector": name, "settings": {...}}.
using MakeConnector = std::unique_ptr<Connector> (*)(std::string_view config);

namespace plugin_parts {

template <MakeConnector make, std::uint64_t capabilities>
struct Functions {
    static liaison_instance* LIAISON_CALL open(const liaison_host* host, liaison_str config) noexcept {
        auto instance = std::unique_ptr<Instance>(new (std::nothrow) Instance{host, nullptr, nullptr});
        if (!instance) return nullptr;
        try {
            instance->connector = make(abi::view(config));
        } catch (...) { instance->error = std::current_exception(); }
        return reinterpret_cast<liaison_instance*>(instance.release());
    }
    static void LIAISON_CALL close(liaison_instance* instance) noexcept {
        delete reinterpret_cast<Instance*>(instance);
    }
    static liaison_job* LIAISON_CALL job_create(liaison_instance* instance, std::uint32_t kind) noexcept {
        if (kind > LIAISON_JOB_WEBHOOK || (capabilities >> kind & 1u) == 0) return nullptr;
        return reinterpret_cast<liaison_job*>(new (std::nothrow)
                                                  Job(*reinterpret_cast<Instance*>(instance), kind));
    }
    static const liaison_effect* LIAISON_CALL step(liaison_job* job, const liaison_event* event) noexcept {
        return reinterpret_cast<Job*>(job)->step(event);
    }
    static void LIAISON_CALL job_destroy(liaison_job* job) noexcept { delete reinterpret_cast<Job*>(job); }
};

constexpr liaison_str literal(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace plugin_parts
}  // namespace liaison

// Defines the exported entry. The manifest_* constants come from the header that the build makes of
// manifest.json.
#define LIAISON_PLUGIN(make)                                                                        \
    extern "C" LIAISON_EXPORT const liaison_plugin* LIAISON_CALL liaison_plugin_v1(void) {          \
        using functions = ::liaison::plugin_parts::Functions<make, liaison_manifest::capabilities>; \
        static constexpr liaison_plugin table = {                                                   \
            sizeof(liaison_plugin),                                                                 \
            LIAISON_ABI_MAJOR,                                                                      \
            LIAISON_ABI_MINOR,                                                                      \
            0,                                                                                      \
            ::liaison::plugin_parts::literal(liaison_manifest::id),                                 \
            ::liaison::plugin_parts::literal(liaison_manifest::version),                            \
            ::liaison::plugin_parts::literal(liaison_manifest::vendor),                             \
            ::liaison::plugin_parts::literal(liaison_manifest::text),                               \
            liaison_manifest::capabilities,                                                         \
            functions::open,                                                                        \
            functions::close,                                                                       \
            functions::job_create,                                                                  \
            functions::step,                                                                        \
            functions::job_destroy};                                                                \
        return &table;                                                                              \
    }
