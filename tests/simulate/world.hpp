// World: virtual time, the events that will happen in it, and all randomness, drawn from one seed. Nothing
// waits: time moves when the next event is taken. [one thread]
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "sync/ports.hpp"

namespace liaisond::simulate {

class World final : public Clock, public sync::Timers, public Random {
  public:
    explicit World(std::uint64_t seed, Instant start = *parse_instant("2026-03-01T08:00:00Z"))
        : start_(start), random_(seed) {}

    // The machine's wall clock, which may be wrong; its timers, which are not and which a suspended machine
    // does not run; and the time that vendors live in.
    Instant now() const override { return start_ + elapsed_ + wrong_by_ + suspended_; }
    std::chrono::nanoseconds monotonic() const override { return elapsed_; }
    Instant true_time() const { return start_ + elapsed_ + suspended_; }

    void fill(std::span<std::uint8_t> bytes) override {
        std::uint64_t drawn = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i, drawn >>= 8) {
            if (i % 8 == 0) drawn = random_();
            bytes[i] = static_cast<std::uint8_t>(drawn);
        }
    }
    void after(Milliseconds delay, std::function<void()> call) override {
        push(delay, true, std::move(call));
    }
    void post(std::function<void()> call) override { after(Milliseconds(0), std::move(call)); }
    // Something outside the daemon, which happens whether the daemon lives or not.
    void outside(Milliseconds delay, std::function<void()> call) { push(delay, false, std::move(call)); }

    // Takes events until `done` holds or `limit` of virtual time has passed; tells which.
    bool run_until(const std::function<bool()>& done, Milliseconds limit) {
        const Milliseconds end = elapsed_ + limit;
        while (!done()) {
            if (heap_.empty() || heap_.front().at > end) {
                elapsed_ = end;
                return done();
            }
            std::pop_heap(heap_.begin(), heap_.end());
            const Event event = heap_.back();
            heap_.pop_back();
            elapsed_ = std::max(elapsed_, event.at);
            ++events_;
            const std::function<void()> call = take(event);
            call();
        }
        return true;
    }

    bool chance(double probability) { return probability > 0 && unit_(random_) < probability; }
    // Uniform in [from, to].
    std::int64_t between(std::int64_t from, std::int64_t to) {
        return from + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(to - from) + 1));
    }
    Milliseconds between(Milliseconds from, Milliseconds to) {
        return Milliseconds(between(from.count(), to.count()));
    }

    void begin_at(Instant start) { start_ = start; }
    void step_clock(Milliseconds by) { wrong_by_ += by; }
    void set_clock_right() { wrong_by_ = Milliseconds(0); }
    void suspend(Milliseconds duration) { suspended_ += duration; }
    // What a crash loses: everything that the daemon was going to do.
    void forget() {
        std::erase_if(heap_, [this](const Event& event) { return event.of_daemon && (take(event), true); });
        std::make_heap(heap_.begin(), heap_.end());
    }

    // The event log: its hash tells whether two runs of a seed were the same.
    bool trace = false;
    void note(std::string_view what, std::string_view detail = {}) {
        mix(static_cast<std::uint64_t>(elapsed_.count()));
        for (const std::string_view text : {what, detail}) {
            for (const char c : text) mix(static_cast<unsigned char>(c));
        }
        if (trace)
            std::printf("%s %s %s\n", format_instant(now()).c_str(), std::string(what).c_str(),
                        std::string(detail).c_str());
    }
    std::uint64_t hash() const { return hash_; }
    std::uint64_t events() const { return events_; }

  private:
    struct Event {
        Milliseconds at;
        std::uint64_t order;
        std::uint32_t call;  // its place among the calls: a heap moves what it holds often
        bool of_daemon;
        bool operator<(const Event& other) const {  // the heap's front is the earliest
            return std::tie(at, order) > std::tie(other.at, other.order);
        }
    };
    void push(Milliseconds delay, bool of_daemon, std::function<void()> call) {
        if (free_.empty()) {
            free_.push_back(static_cast<std::uint32_t>(calls_.size()));
            calls_.emplace_back();
        }
        const std::uint32_t place = free_.back();
        free_.pop_back();
        calls_[place] = std::move(call);
        heap_.push_back({elapsed_ + std::max(delay, Milliseconds(0)), next_++, place, of_daemon});
        std::push_heap(heap_.begin(), heap_.end());
    }
    std::function<void()> take(const Event& event) {
        free_.push_back(event.call);
        return std::exchange(calls_[event.call], nullptr);
    }
    void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3; }  // FNV-1a

    std::vector<Event> heap_;
    std::vector<std::function<void()>> calls_;
    std::vector<std::uint32_t> free_;  // places in calls_
    Instant start_;
    Milliseconds elapsed_{0}, wrong_by_{0}, suspended_{0};
    std::uint64_t next_ = 0, events_ = 0, hash_ = 0xcbf29ce484222325;
    std::mt19937_64 random_;
    std::uniform_real_distribution<double> unit_{0, 1};
};

}  // namespace liaisond::simulate
