// liaisond: the daemon.
#include <CLI/CLI.hpp>

#include "app/daemon.hpp"

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
    app.set_version_flag("--version", "liaisond " LIAISON_VERSION);
    CLI11_PARSE(app, argc, argv);
    return check ? liaisond::app::check_configuration(options) : liaisond::app::run_daemon(options);
}
