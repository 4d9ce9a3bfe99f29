// Metrics: counted and measured figures by name and labels, and their text in the format that Prometheus
// reads (text 0.0.4). A series begins with the first figure given for it; nothing is kept per moment.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_safety.hpp"

namespace liaisond {

class Metrics {
  public:
    // A family of series. Lives as long as the process: a constant.
    struct Family {
        enum class Kind : std::uint8_t { counter, gauge, histogram };
        std::string_view name, help;  // of one line
        Kind kind = Kind::counter;
        std::vector<std::string_view> labels = {};
        std::vector<double> bounds = {};  // of a histogram: upper ones, growing; infinity is added
    };
    using Values = std::vector<std::string>;  // of the labels, in their order

    // Counters and gauges. [any thread]
    void add(const Family& family, const Values& values = {}, double by = 1);
    // [any thread]
    void set(const Family& family, const Values& values, double to);
    // Forgets every series of a gauge, for one that is set anew as a whole. [any thread]
    void clear(const Family& family);
    // Histograms. [any thread]
    void observe(const Family& family, double value, const Values& values = {});

    // All families in the order of their names. [any thread]
    std::string text() const;

  private:
    struct Series {
        double value = 0;                   // of a histogram: the sum
        std::vector<std::uint64_t> counts;  // of a histogram, per bound and beyond the last
    };
    struct Known {
        const Family* family = nullptr;
        std::map<Values, Series> series;
    };
    Series& series(const Family& family, const Values& values) REQUIRES(mutex_);

    mutable Mutex mutex_;
    std::map<std::string_view, Known> families_ GUARDED_BY(mutex_);
};

}  // namespace liaisond
