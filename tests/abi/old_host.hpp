// A host that speaks less than today's: its events and their elements are as long as somebody says, in memory
// of exactly that size, so that a plugin which reads beyond is caught by the sanitizers.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "layout.hpp"
#include "plugin/abi_bridge.hpp"
#include "plugin/library.hpp"

namespace liaisond::plugin {

class EventCutter {
  public:
    // Bytes of each struct by its name; those that are not named stay as long as they were in 1.0.
    explicit EventCutter(std::map<std::string, std::size_t> sizes = {}) : sizes_(std::move(sizes)) {}

    // The event with everything cut; valid until the next call, and as long as `whole`.
    const liaison_event* cut(const liaison_event* whole) {
        blocks_.clear();
        switch (whole->type) {
            case LIAISON_EVENT_START: return cut_start(*reinterpret_cast<const liaison_event_start*>(whole));
            case LIAISON_EVENT_HTTP: return cut_http(*reinterpret_cast<const liaison_event_http*>(whole));
            case LIAISON_EVENT_EMITTED:
                return cut_emitted(*reinterpret_cast<const liaison_event_emitted*>(whole));
            default: return reinterpret_cast<const liaison_event*>(block("liaison_event", *whole));
        }
    }

  private:
    std::size_t size_of(const std::string& name) const {
        const auto found = sizes_.find(name);
        return found == sizes_.end() ? layout_of(name).least : found->second;
    }
    template <class T>
    const char* block(const std::string& name, T value) {
        const std::size_t size = std::min(size_of(name), sizeof(T));
        value.size = static_cast<std::uint32_t>(size);
        blocks_.push_back(std::make_unique<char[]>(size));
        std::memcpy(blocks_.back().get(), &value, size);
        return blocks_.back().get();
    }
    template <class T>
    liaison_array elements(const std::string& name, const liaison_array& whole) {
        if (whole.count == 0) return {nullptr, 0, static_cast<std::uint32_t>(size_of(name))};
        const std::size_t size = std::min(size_of(name), sizeof(T));
        blocks_.push_back(std::make_unique<char[]>(size * whole.count));
        char* const first = blocks_.back().get();
        for (std::uint32_t i = 0; i < whole.count; ++i) {
            T one = static_cast<const T*>(whole.ptr)[i];
            one.size = static_cast<std::uint32_t>(size);
            std::memcpy(first + i * size, &one, size);
        }
        return {first, whole.count, static_cast<std::uint32_t>(size)};
    }
    const liaison_event* cut_start(liaison_event_start event) {
        event.records = elements<liaison_record>("liaison_record", event.records);
        event.queries = elements<liaison_query>("liaison_query", event.queries);
        event.events = elements<liaison_webhook_event>("liaison_webhook_event", event.events);
        return reinterpret_cast<const liaison_event*>(block("liaison_event_start", event));
    }
    const liaison_event* cut_http(liaison_event_http event) {
        event.responses = elements<liaison_response>("liaison_response", event.responses);
        return reinterpret_cast<const liaison_event*>(block("liaison_event_http", event));
    }
    const liaison_event* cut_emitted(liaison_event_emitted event) {
        event.rejections = elements<liaison_rejection>("liaison_rejection", event.rejections);
        return reinterpret_cast<const liaison_event*>(block("liaison_event_emitted", event));
    }

    std::map<std::string, std::size_t> sizes_;
    std::vector<std::unique_ptr<char[]>> blocks_;
};

// One instance and one job, stepped with raw events.
class OldHost {
  public:
    OldHost(const Library& library, const std::string& config, JobKind kind) : library_(library) {
        host_.size = LIAISON_SIZE_1_0_HOST;
        host_.abi_major = 1;
        host_.log = [](void*, std::uint32_t, liaison_str) {};
        host_.extension = [](void*, liaison_str) -> const void* { return nullptr; };
        instance_ = library_.table().open(&host_, {config.data(), config.size()});
        job_ = library_.table().job_create(instance_, static_cast<std::uint32_t>(kind));
    }
    ~OldHost() {
        if (job_ != nullptr) library_.table().job_destroy(job_);
        library_.table().close(instance_);
    }
    OldHost(const OldHost&) = delete;
    OldHost& operator=(const OldHost&) = delete;

    Result<Effect> step(const liaison_event* event) {
        return read_effect(library_.table().step(job_, event), library_.name());
    }

  private:
    const Library& library_;
    liaison_host host_{};
    liaison_instance* instance_ = nullptr;
    liaison_job* job_ = nullptr;
};

}  // namespace liaisond::plugin
