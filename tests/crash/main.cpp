// crash_campaign: see `tests/crash/run --help`.
#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <thread>

#include "campaign.hpp"

int main(int count, char** arguments) {
    using namespace liaison_crash;
    int none = 0;
    testing::InitGoogleTest(&none, static_cast<char**>(nullptr));
    Wishes wishes;
    wishes.jobs = 2 * static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    CLI::App app(
        "Kills the daemon and its workers, at random and at fault points, and looks whether anything is "
        "lost,\n"
        "doubled or stuck. Exit status: 0 nothing is, 1 something is, 2 the campaign could not be held.");
    app.add_option("kills", wishes.kills, "how many")->check(CLI::PositiveNumber);
    app.add_option("--seed", wishes.seed, "another order of faults, other vendors' faults")
        ->capture_default_str();
    app.add_option("--jobs", wishes.jobs, "rounds at once; they mostly wait")->check(CLI::Range(1, 64));
    app.add_option("--point", wishes.point, "only this fault point");
    app.add_option("--house", wishes.house, "only this kind of house: odoo, shop, everything ...");
    app.add_option("--round", wishes.round, "only this round, in this process")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--result", wishes.result, "where that round writes what came of it")->group("");
    app.add_flag("--keep", wishes.keep, "keep the directory of every round, not only of failed ones");
    app.add_flag("--expect-red", wishes.stop_at_first, "end with the first failed round: for broken builds");
    try {
        app.parse(count, arguments);
    } catch (const CLI::ParseError& error) {
        const int status = app.exit(error);
        return status == 0 ? exit_clean : exit_setup;
    }
    if (wishes.kills == 0 && wishes.round < 0) {
        std::cerr << "crash_campaign: how many kills? See --help\n";
        return exit_setup;
    }
    try {
        return wishes.round >= 0 ? run_round(wishes) : run_campaign(wishes);
    } catch (const std::exception& error) {
        std::cerr << "crash_campaign: " << error.what() << '\n';
        return exit_setup;
    }
}
