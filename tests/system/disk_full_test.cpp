// The disk below the state directory fills up in the middle of an import.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "hub.hpp"
#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace {

namespace json = boost::json;

constexpr int many = 20'000, exit_disk = 74;

// A small disk that only this process and its children see, so that nothing is left behind whatever happens.
class SmallDisk {
  public:
    explicit SmallDisk(const std::filesystem::path& path) : path_(path) {
        std::filesystem::create_directories(path_);
        is_mounted_ = ::unshare(CLONE_NEWNS) == 0 &&
                      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                      ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=4m") == 0;
        if (!is_mounted_) problem_ = std::strerror(errno);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() {
        if (is_mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    }
    bool is_mounted() const { return is_mounted_; }
    const std::string& problem() const { return problem_; }
    bool grow() const { return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, "size=512m") == 0; }

  private:
    std::filesystem::path path_;
    bool is_mounted_ = false;
    std::string problem_;
};

TEST(DiskFull, IsSaidAndOutlived) {
    House house;
    house.state_dir = house.root() / "disk";
    const SmallDisk disk(house.state_dir);
    if (!disk.is_mounted()) GTEST_SKIP() << "a small disk cannot be mounted here: " << disk.problem();
    house.seed("shop/products", many);
    house.configure(shop({"[product]"}));
    house.start();
    const std::int64_t run = house.trigger("shop");
    ASSERT_TRUE(until([&] {
        return !house.daemon().is_running() || text_of(house.look_at_run(run), "status") != "running";
    }));
    // Either the daemon lives and says so in the run, or it ends at once, so that a restart reads what is
    // there.
    const bool has_ended = !house.daemon().is_running();
    if (has_ended) {
        EXPECT_EQ(house.daemon().wait(), exit_disk) << house.last_lines();
        EXPECT_THAT(house.log(), testing::HasSubstr("disk"));
    } else {
        const std::string error = text_of(house.look_at_run(run), "error");
        EXPECT_THAT(error, testing::AllOf(testing::HasSubstr("disk"), testing::HasSubstr("full"),
                                          testing::HasSubstr("free")));
        std::cout << error << '\n';
    }
    EXPECT_LT(Hub(house).records("product"), many);
    ASSERT_TRUE(disk.grow());
    if (has_ended) house.start();
    house.run("shop");
    house.wait_for_status("shop", run, "success");
    expect_hub_equals_shop(house);
    EXPECT_EQ(house.stop(), 0);
}

}  // namespace
}  // namespace liaison_system
