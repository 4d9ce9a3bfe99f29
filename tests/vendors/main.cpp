#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "server.hpp"

namespace {

constexpr unsigned max_threads = 64;
constexpr const char* usage =
    "usage: liaison-sim [--listen 127.0.0.1:0] [--port-file FILE] [--threads N] [--quiet]\n";

struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::string port_file;
    unsigned threads = 1;
    bool is_quiet = false;
};

template <class T>
bool parse_number(std::string_view text, T& value) {
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} && stop == text.data() + text.size();
}

// HOST:PORT, with [..] around an IPv6 address.
bool parse_listen(std::string_view text, Options& options) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || !parse_number(text.substr(colon + 1), options.port)) return false;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    boost::system::error_code error;
    boost::asio::ip::make_address(std::string(host), error);
    options.address = host;
    return !error;
}

// Empty when all is well, else what is wrong.
std::string parse_arguments(int count, char** arguments, Options& options) {
    for (int i = 1; i < count; ++i) {
        const std::string_view name = arguments[i];
        if (name == "--quiet") {
            options.is_quiet = true;
            continue;
        }
        if (name != "--listen" && name != "--port-file" && name != "--threads") {
            return "unknown argument " + std::string(name);
        }
        if (++i == count) return std::string(name) + " needs a value";
        const std::string_view value = arguments[i];
        if (name == "--listen" && !parse_listen(value, options)) return "--listen wants ADDRESS:PORT";
        if (name == "--port-file") options.port_file = value;
        if (name != "--threads") continue;
        const bool is_number = parse_number(value, options.threads);
        if (!is_number || options.threads < 1 || options.threads > max_threads)
            return "--threads wants 1 to 64";
    }
    return {};
}

// Whole or not at all: a script waits for this file and reads it at once.
bool write_port_file(const std::string& path, std::uint16_t port) {
    const std::string draft = path + ".tmp";
    std::ofstream file(draft);
    file << port << '\n';
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(draft, path, error);
    return file && !error;
}

// A benchmark parks thousands of connections here.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    const std::string mistake = parse_arguments(count, arguments, options);
    if (!mistake.empty()) {
        std::cerr << "liaison-sim: " << mistake << '\n' << usage;
        return 2;
    }
    raise_descriptor_limit();
    try {
        liaison_sim::Server server(options.address, options.port, options.threads);
        server.stop_on_signals();
        if (!options.port_file.empty() && !write_port_file(options.port_file, server.port())) {
            std::cerr << "liaison-sim: cannot write " << options.port_file << '\n';
            return 1;
        }
        const bool is_v6 = options.address.find(':') != std::string::npos;
        const std::string host = is_v6 ? "[" + options.address + "]" : options.address;
        if (!options.is_quiet) std::cerr << "listening on " << host << ':' << server.port() << std::endl;
        server.run();
    } catch (const boost::system::system_error& error) {
        const std::string where = options.address + ':' + std::to_string(options.port);
        std::cerr << "liaison-sim: cannot listen on " << where << ": " << error.code().message() << '\n';
        return 1;
    } catch (const std::exception& error) {
        std::cerr << "liaison-sim: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
