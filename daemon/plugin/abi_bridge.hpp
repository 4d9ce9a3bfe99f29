// Between owned messages and the C structs of plugin.h. Reading is defensive: sizes, strides, counts and
// lengths are the plugin's word. What cannot be checked here (a wild pointer) is why plugins run in workers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <liaison/plugin.h>

#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

// The C form of one Event: views into it, valid while both live.
class EventView {
  public:
    explicit EventView(const Event& event);
    EventView(const EventView&) = delete;
    EventView& operator=(const EventView&) = delete;
    const liaison_event* get() const { return &raw_.head; }

  private:
    void fill(const StartEvent& event);
    void fill(const HttpEvent& event);
    void fill(const EmittedEvent& event);
    void fill(const RecordedEvent&);
    void fill(const TimerEvent&);
    void fill(const CancelEvent&);
    liaison_array add(const std::vector<Response>& responses);
    liaison_array add(const std::vector<WebhookEvent>& events);
    liaison_array add(const std::vector<Header>& headers);
    void head(std::uint32_t type, std::size_t size);

    union Raw {
        liaison_event head;
        liaison_event_start start;
        liaison_event_http http;
        liaison_event_emitted emitted;
    };
    Raw raw_;
    std::vector<liaison_record> records_;
    std::vector<liaison_query> queries_;
    std::vector<liaison_webhook_event> events_;
    std::vector<liaison_response> responses_;
    std::vector<liaison_header> headers_;
    std::vector<liaison_rejection> rejections_;
};

// Copies what a plugin answered. Nonsense is an `internal` error that names `plugin`.
Result<Effect> read_effect(const liaison_effect* raw, std::string_view plugin);

// What is wrong with an effect whose shape is right ("asks for HTTP without a request"); empty: nothing.
std::string effect_problem(const Effect& effect);

}  // namespace liaisond::plugin
