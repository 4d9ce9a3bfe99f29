#include "base/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace liaisond {
namespace {

constexpr std::string_view kind_names[] = {"counter", "gauge", "histogram"};

std::string escaped(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '\\' || c == '"')
            made += '\\', made += c;
        else if (c == '\n')
            made += "\\n";
        else
            made += c;
    }
    return made;
}

std::string number(double value) {
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

// "{integration=\"shop\",le=\"0.5\"}"; nothing where there are no labels.
std::string labels(const Metrics::Family& family, const Metrics::Values& values, std::string_view bound) {
    std::string made;
    for (std::size_t i = 0; i < family.labels.size(); ++i)
        made += fmt::format("{}{}=\"{}\"", made.empty() ? "" : ",", family.labels[i],
                            escaped(i < values.size() ? values[i] : std::string()));
    if (!bound.empty()) made += fmt::format("{}le=\"{}\"", made.empty() ? "" : ",", bound);
    return made.empty() ? made : "{" + made + "}";
}

}  // namespace

Metrics::Series& Metrics::series(const Family& family, const Values& values) {
    Known& known = families_[family.name];
    known.family = &family;
    Series& one = known.series[values];
    if (family.kind == Family::Kind::histogram) one.counts.resize(family.bounds.size() + 1);
    return one;
}

void Metrics::add(const Family& family, const Values& values, double by) {
    const MutexLock lock(mutex_);
    series(family, values).value += by;
}

void Metrics::set(const Family& family, const Values& values, double to) {
    const MutexLock lock(mutex_);
    series(family, values).value = to;
}

void Metrics::clear(const Family& family) {
    const MutexLock lock(mutex_);
    families_.erase(family.name);
}

void Metrics::observe(const Family& family, double value, const Values& values) {
    const auto bound = std::lower_bound(family.bounds.begin(), family.bounds.end(), value);
    const MutexLock lock(mutex_);
    Series& one = series(family, values);
    one.value += value;
    ++one.counts[static_cast<std::size_t>(bound - family.bounds.begin())];
}

std::string Metrics::text() const {
    std::string made;
    const MutexLock lock(mutex_);
    for (const auto& [name, known] : families_) {
        const Family& family = *known.family;
        made += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name,
                            kind_names[static_cast<std::size_t>(family.kind)]);
        for (const auto& [values, one] : known.series) {
            if (family.kind != Family::Kind::histogram) {
                made += fmt::format("{}{} {}\n", name, labels(family, values, {}), number(one.value));
                continue;
            }
            std::uint64_t below = 0;
            for (std::size_t i = 0; i < one.counts.size(); ++i) {
                below += one.counts[i];
                const std::string bound = i < family.bounds.size() ? number(family.bounds[i]) : "+Inf";
                made += fmt::format("{}_bucket{} {}\n", name, labels(family, values, bound), below);
            }
            made += fmt::format("{}_sum{} {}\n", name, labels(family, values, {}), number(one.value));
            made += fmt::format("{}_count{} {}\n", name, labels(family, values, {}), below);
        }
    }
    return made;
}

}  // namespace liaisond
