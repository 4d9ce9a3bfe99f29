#include "base/metrics.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace liaisond {
namespace {

using Kind = Metrics::Family::Kind;

const Metrics::Family runs{"runs_total", "Runs.", Kind::counter, {"integration", "status"}};
const Metrics::Family lag{"lag_seconds", "Lag.", Kind::gauge};
const Metrics::Family took{"took_seconds", "Took.", Kind::histogram, {}, {0.1, 1}};

TEST(Metrics, AreWrittenInTheirOrderWithWhatTheyAre) {
    Metrics metrics;
    metrics.add(runs, {"shop", "success"});
    metrics.add(runs, {"shop", "success"}, 2);
    metrics.add(runs, {"bar", "failed"});
    metrics.set(lag, {}, 0.25);
    EXPECT_EQ(metrics.text(),
              "# HELP lag_seconds Lag.\n# TYPE lag_seconds gauge\nlag_seconds 0.25\n"
              "# HELP runs_total Runs.\n# TYPE runs_total counter\n"
              "runs_total{integration=\"bar\",status=\"failed\"} 1\n"
              "runs_total{integration=\"shop\",status=\"success\"} 3\n");
    metrics.clear(runs);
    EXPECT_EQ(metrics.text().find("runs_total"), std::string::npos);
}

TEST(Metrics, BucketsHoldWhatIsBelowThem) {
    Metrics metrics;
    for (const double value : {0.05, 0.1, 0.5, 7.0}) metrics.observe(took, value);
    EXPECT_EQ(metrics.text(),
              "# HELP took_seconds Took.\n# TYPE took_seconds histogram\n"
              "took_seconds_bucket{le=\"0.1\"} 2\ntook_seconds_bucket{le=\"1\"} 3\n"
              "took_seconds_bucket{le=\"+Inf\"} 4\ntook_seconds_sum 7.65\ntook_seconds_count 4\n");
}

TEST(Metrics, LabelsAreEscaped) {
    Metrics metrics;
    metrics.add(runs, {"a\"b\\c\nd", "x"});
    EXPECT_NE(metrics.text().find(R"(integration="a\"b\\c\nd")"), std::string::npos) << metrics.text();
}

TEST(Metrics, AreCountedFromAnyThread) {
    Metrics metrics;
    const auto count = [&] {
        for (int i = 0; i < 10'000; ++i) metrics.add(runs, {"shop", "success"});
    };
    std::thread other(count);
    count();
    other.join();
    EXPECT_NE(metrics.text().find("} 20000\n"), std::string::npos);
}

}  // namespace
}  // namespace liaisond
