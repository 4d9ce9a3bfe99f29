#include "router.hpp"

#include <algorithm>

namespace liaison_sim {
namespace {

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
    return std::equal(pattern.begin(), pattern.end(), segments.begin(), segments.end(),
                      [](const std::string& want, const std::string& have) {
                          return want == have || (want == "*" && !have.empty());
                      });
}

}  // namespace

void Router::add(http::verb method, std::string_view pattern, Handler handler) {
    Route route{method, {}, std::move(handler)};
    while (!pattern.empty()) {
        const std::size_t slash = std::min(pattern.find('/'), pattern.size());
        route.pattern.emplace_back(pattern.substr(0, slash));
        pattern.remove_prefix(std::min(slash + 1, pattern.size()));
    }
    routes_.push_back(std::move(route));
}

Response Router::dispatch(const Request& request) const {
    std::vector<std::string_view> allowed;
    for (const auto& route : routes_) {
        if (!matches(route.pattern, request.segments)) continue;
        if (route.method == request.method) {
            try {
                return route.handler(request);
            } catch (const Refusal& refusal) { return refusal.response; }
        }
        const auto name = http::to_string(route.method);
        const std::string_view view(name.data(), name.size());
        if (std::find(allowed.begin(), allowed.end(), view) == allowed.end()) allowed.push_back(view);
    }
    if (allowed.empty()) return error_response(404, "not_found", "no such path");
    std::string allow;
    for (const auto name : allowed) allow.append(allow.empty() ? "" : ", ").append(name);
    return error_response(405, "method_not_allowed", "allowed: " + allow).with("Allow", allow);
}

std::vector<std::string> Router::listing() const {
    std::vector<std::string> lines;
    for (const auto& route : routes_) {
        std::string line(http::to_string(route.method));
        line += ' ';
        for (const auto& segment : route.pattern) line += '/' + segment;
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace liaison_sim
