// Cassette: the recording of a run - every event and effect of each of its jobs, as a connector script that
// is compared to the last character (script.hpp). It can be replayed without network, clock and secrets.
//
//     cassette 1
//     config {"connector": "shop", "settings": {...}}
//     job {"kind": "pull", "now_ms": 1, "entity": "order", "seed": "00..."}
//     > GET https://x.example/orders {"auth": "bearer"}
//     < +12 http [{"status": 200, "body": {"items": []}}]
//     > emit 0 {"cursor": "1"}
//     < +0 emitted []
//     > done {}
//
// Secrets never come into it: connectors only name them, and where a vendor repeats one, or hands out a token
// or a cookie, a placeholder stands for it in events and effects alike. Card numbers keep their last four
// digits. Bytes that are no UTF-8 are {"$hex": "..."}. `< cut`: the job got no further.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace liaisond::plugin {

// What stands for what must not be seen; the same text always becomes the same.
class CassetteMask {
  public:
    std::string text(std::string_view text) const;
    // Tokens and cookies that an answer hands out are secrets from now on.
    void learn(const Response& response);

  private:
    void add(std::string_view secret);
    std::vector<std::pair<std::string, std::string>> learnt_;  // and its placeholder
};

// The lines of an effect, as a recording holds them.
std::vector<std::string> recorded_lines(const Effect& effect, const CassetteMask& mask = {});

struct RecordedJob {
    JobKind kind = JobKind::test;
    Event start;
};
// Of what follows `job`. Errors say what is wrong with it.
Result<RecordedJob> read_recorded_job(std::string_view text);
// Of an answer: "http [...]", "emitted [...]", "recorded", "timer".
Result<decltype(Event::body)> read_recorded_event(std::string_view text);

// [one thread]
class Cassette {
  public:
    // One job on its way. It must not outlive the cassette, to which it adds itself when it ends.
    class Tape {
      public:
        Tape(Cassette& cassette, JobKind kind) : cassette_(cassette), kind_(kind) {}
        Tape(const Tape&) = delete;
        ~Tape();
        void event(const Event& event);
        void effect(const Effect& effect);

      private:
        Cassette& cassette_;
        JobKind kind_;
        std::string text_, pending_;  // pending: an event that no effect has answered yet
        std::int64_t now_ms_ = 0;
        bool is_open_ = false;  // the last effect waits for an answer
        bool is_over_ = false;
    };

    // `config` is what the plugin's instance was opened with; `most_bytes`: then it takes in no more.
    Cassette(const std::string& title, std::string_view config, std::size_t most_bytes);
    const std::string& text() const { return text_; }

  private:
    bool has_room(std::size_t bytes) const { return text_.size() + bytes <= most_bytes_; }
    void add(const std::string& job);

    CassetteMask mask_;
    std::size_t most_bytes_;
    std::string text_;
    bool is_full_ = false;
};

}  // namespace liaisond::plugin
