#include "base/fault_point.hpp"
#include "paths.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

namespace liaisond {
namespace {

using testing::HasSubstr;

// Leaves nothing armed for the other tests of this process.
class FaultPoints : public testing::Test {
  protected:
    ~FaultPoints() override {
        (void)take_worker_faults();
        (void)arm_fault_points("").has_value();
    }
};

TEST_F(FaultPoints, EachIsPassedSomewhereAndFailsWhereItSaysSo) {
    std::map<std::string, int> points, failing;
    const std::regex use("LIAISON_FAULT_(POINT|FAILS)\\(\"([a-z_.]+)\"\\)");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(paths::source("daemon"))) {
        if (entry.path().extension() != ".cpp") continue;
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        for (std::sregex_iterator at(text.begin(), text.end(), use), end; at != end; ++at)
            ++((*at)[1] == "FAILS" ? failing : points)[(*at)[2]];
    }
    for (const FaultPoint& point : fault_points) {
        const std::string name(point.name);
        EXPECT_EQ(failing[name], point.can_fail ? 1 : 0) << name;
        EXPECT_EQ(points[name], point.can_fail ? 0 : 1) << name;
    }
}

TEST_F(FaultPoints, AreInertUnlessArmed) {
    ASSERT_FALSE(*arm_fault_points(""));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(LIAISON_FAULT_FAILS("store.begin"), FaultFailure::none);
}

TEST_F(FaultPoints, StrikeOnceWhenTheHitComes) {
    ASSERT_TRUE(*arm_fault_points("store.begin:2:ioerr,store.begin:4:enospc"));
    const auto pass = [] { return LIAISON_FAULT_FAILS("store.begin"); };
    EXPECT_EQ(pass(), FaultFailure::none);
    EXPECT_EQ(pass(), FaultFailure::io_error);
    EXPECT_EQ(pass(), FaultFailure::none);
    EXPECT_EQ(pass(), FaultFailure::no_space);
    EXPECT_EQ(pass(), FaultFailure::none);
    EXPECT_EQ(LIAISON_FAULT_FAILS("store.before_commit"), FaultFailure::none) << "another point";
}

TEST_F(FaultPoints, EndTheProcess) {
    EXPECT_EXIT(
        {
            (void)arm_fault_points("run.begun:1:exit").has_value();
            LIAISON_FAULT_POINT("run.begun");
        },
        testing::ExitedWithCode(137), "fault point run.begun strikes: exit");
    EXPECT_EXIT(
        {
            (void)arm_fault_points("run.begun:1:kill").has_value();
            LIAISON_FAULT_POINT("run.begun");
        },
        testing::KilledBySignal(SIGKILL), "fault point run.begun strikes: kill");
}

TEST_F(FaultPoints, OfWorkersAreGivenOutOnce) {
    ASSERT_TRUE(*arm_fault_points("worker.step:1:kill,run.begun:9:exit,worker.sent:2:exit"));
    EXPECT_EQ(take_worker_faults(), "worker.step:1:kill,worker.sent:2:exit");
    EXPECT_EQ(take_worker_faults(), "");
}

TEST_F(FaultPoints, RefuseWhatTheyDoNotKnow) {
    const auto refusal = [](const char* text) {
        const Result<bool> armed = arm_fault_points(text);
        return armed ? std::string("armed") : armed.error().message;
    };
    EXPECT_THAT(refusal("store.begun:1:kill"), HasSubstr("'store.begun:1:kill' names no fault point"));
    EXPECT_THAT(refusal("store.begin:0:kill"), HasSubstr("has no hit"));
    EXPECT_THAT(refusal("store.begin:1:die"), HasSubstr("has no known mode"));
    EXPECT_THAT(refusal("store.begin:1:delay"), HasSubstr("has no known mode"));
    EXPECT_THAT(refusal("store.begin"), HasSubstr("is incomplete"));
    EXPECT_THAT(refusal("run.begun:1:ioerr"), HasSubstr("cannot fail"));
    EXPECT_THAT(refusal("run.begun:1:kill:5"), HasSubstr("too many parts"));
    EXPECT_FALSE(faults_armed);
}

}  // namespace
}  // namespace liaisond
