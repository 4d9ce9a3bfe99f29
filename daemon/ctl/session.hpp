// Session: what every command has at hand: the console, the API, and how answers and errors are told.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ctl/client.hpp"
#include "ctl/console.hpp"

namespace liaisond::ctl {

// Documented in --help.
enum ExitCode : int { fine = 0, failed = 1, misused = 2, not_reachable = 3, interrupted = 130 };

constexpr const char* usual_config = "/etc/liaison/liaison.yaml";
constexpr const char* usual_socket = "/run/liaison/liaisond.sock";

struct Globals {
    std::string socket;  // empty: as the environment or the configuration says
    std::string config;  // empty: the usual one
    bool json = false;

    std::string config_file() const { return config.empty() ? usual_config : config; }
};

class Session {
  public:
    Session(Globals globals, std::string version, Console console);

    const Console& console() const { return console_; }
    const Globals& globals() const { return globals_; }
    const Look& look() const { return console_.look; }
    bool json() const { return globals_.json; }
    // Finds the socket when first asked: --socket, else --config, else LIAISON_SOCKET, else the usual
    // configuration.
    Client& client();
    static Instant now();

    // All pages of a list, up to `limit` items, newest first, in the form of one page.
    Result<boost::json::value> list(const std::vector<std::string>& path, Parameters parameters,
                                    std::int64_t limit);

    // Tells the error and returns the exit code for it.
    int report(const Error& error);
    // Prints the answer as JSON or as `text` makes it.
    int show(const Result<boost::json::value>& answer,
             const std::function<std::string(const boost::json::value&)>& text);
    void print_json(const boost::json::value& value) const;

  private:
    std::string find_socket() const;

    Globals globals_;
    std::string version_;
    Console console_;
    std::unique_ptr<Client> client_;
};

}  // namespace liaisond::ctl
