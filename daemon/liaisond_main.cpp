// liaisond: the daemon.
#include <CLI/CLI.hpp>

#include <cstdio>

#include "app/daemon.hpp"
#include "base/fault_point.hpp"

int main(int argc, char** argv) {
    liaisond::app::Options options;
    CLI::App app(
        "liaisond keeps the business systems of a house in step.\n"
        "Exit codes: 0 stopped as asked, 73 state directory unusable, 74 disk failed, 75 another liaisond "
        "runs, 78 configuration wrong.");
    app.add_option("-c,--config", options.config, "configuration file; conf.d/*.yaml beside it are read too")
        ->capture_default_str();
    bool check = false;
    app.add_flag("--check", check, "check the configuration and exit");
    bool fault_points = false;
    app.add_flag("--fault-points", fault_points, "list the points where LIAISON_FAULT can strike")->group("");
    app.set_version_flag("--version", "liaisond " LIAISON_VERSION);
    CLI11_PARSE(app, argc, argv);
    if (fault_points) {
        for (const liaisond::FaultPoint& point : liaisond::fault_points)
            std::printf("%s%s\n", point.name.data(), point.can_fail ? " fails" : "");
        return 0;
    }
    return check ? liaisond::app::check_configuration(options) : liaisond::app::run_daemon(options);
}
