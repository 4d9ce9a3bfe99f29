// Scheduler: what is due when, for all integrations, with one timer. Entries are kept in monotonic time, so a
// step of the wall clock neither hurries nor delays them; whoever goes by the wall hears of the step and sets
// its entries anew. Setting, removing and taking an entry cost a logarithm. [core thread]
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "sync/ports.hpp"

namespace liaisond::sync {

// Why something is due. At the same moment they come in this order.
enum class Cause : std::uint8_t { quick, full, retry, change, events, backfill, probe, alarm };
inline constexpr std::size_t causes = 8;

class Scheduler {
  public:
    // The entries of one integration, by cause. It belongs to the caller and lives as long as they do.
    class Times {
      public:
        Times() { at_.fill(never); }

      private:
        friend class Scheduler;
        static constexpr Milliseconds never = Milliseconds::max();
        std::array<Milliseconds, causes> at_{};
    };
    using Due = std::function<void(const std::string& id, Cause cause)>;

    // `due` is called for each entry when its time has come, after it was removed; `stepped` when the wall
    // clock was found to have jumped by more than two seconds, with the distance.
    Scheduler(Timers& timers, const Clock& clock, Due due, std::function<void(Milliseconds)> stepped);

    // The wall clock as of the last wake, moved on by monotonic time: what all planning goes by.
    Instant now() const { return from_monotonic(monotonic()); }

    // Replaces the entry; nothing removes it. `id` must stay where it is while it has entries.
    void set(const std::string& id, Times& times, Cause cause, std::optional<Instant> at);
    std::optional<Instant> at(const Times& times, Cause cause) const;
    void clear(const std::string& id, Times& times);
    void stop();
    // Tells of a step of the wall clock now; else the next wake does.
    void look_at_the_clock();
    std::size_t size() const { return agenda_.size(); }

  private:
    struct Entry {
        Milliseconds at;
        const std::string* id;
        Cause cause;
        Times* times;
        bool operator<(const Entry& other) const;
    };
    Milliseconds monotonic() const;
    Instant from_monotonic(Milliseconds at) const { return Instant(at + offset_); }
    void remove(const std::string& id, Times& times, Cause cause);
    void arm();
    void wake();

    Timers& timers_;
    const Clock& clock_;
    Due due_;
    std::function<void(Milliseconds)> stepped_;
    std::set<Entry> agenda_;
    Milliseconds offset_{0};  // wall minus monotonic
    std::optional<Milliseconds> armed_for_;
    std::uint64_t generation_ = 0;
    bool stopped_ = false;
};

}  // namespace liaisond::sync
