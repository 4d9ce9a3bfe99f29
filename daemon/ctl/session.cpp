#include "ctl/session.hpp"

#include <algorithm>
#include <cstdlib>

#include <boost/json/serialize.hpp>

#include "base/system.hpp"
#include "config/config.hpp"
#include "ctl/json_view.hpp"

namespace liaisond::ctl {
namespace json = boost::json;

namespace {

constexpr std::int64_t longest_page = 1000;  // as the API allows

}  // namespace

Session::Session(Globals globals, std::string version, Console console)
    : globals_(std::move(globals)), version_(std::move(version)), console_(console) {}

Client& Session::client() {
    if (!client_) client_ = std::make_unique<Client>(find_socket(), "liaisonctl/" + version_);
    return *client_;
}

Instant Session::now() { return SystemClock().now(); }

std::string Session::find_socket() const {
    if (!globals_.socket.empty()) return globals_.socket;
    if (const char* named = std::getenv("LIAISON_SOCKET");
        named != nullptr && *named != '\0' && globals_.config.empty())
        return named;
    // Faults are the business of `config check`; here the usual place does when the file says nothing.
    std::vector<config::Fault> ignored;
    const auto document = config::Document::load(config::config_files(globals_.config_file()), ignored);
    return config::check_daemon(document, ignored).socket;
}

Result<json::value> Session::list(const std::vector<std::string>& path, Parameters parameters,
                                  std::int64_t limit) {
    json::array items;
    parameters.emplace_back("limit", "");
    parameters.emplace_back("before", "");
    while (true) {
        const std::int64_t wanted = limit - static_cast<std::int64_t>(items.size());
        parameters[parameters.size() - 2].second = std::to_string(std::min(wanted, longest_page));
        Result<json::value> page = client().get(api_target(path, parameters));
        if (!page) return page;
        const bool last = text_at(*page, "next").empty() || array_at(*page, "items").empty();
        const bool full = static_cast<std::int64_t>(array_at(*page, "items").size()) >= wanted;
        if (items.empty() && (last || full)) return page;
        for (const json::value& item : array_at(*page, "items")) items.push_back(item);
        if (last || full)
            return json::value{{"items", std::move(items)}, {"next", page->as_object()["next"]}};
        parameters.back().second = text_at(*page, "next");
    }
}

int Session::report(const Error& error) {
    const bool out_of_reach = error.code == Client::unreachable;
    if (json() && client_ && !client_->problem().is_null())
        print_json(client_->problem());
    else
        console_.complain(error.message);
    return out_of_reach ? not_reachable : failed;
}

int Session::show(const Result<json::value>& answer,
                  const std::function<std::string(const json::value&)>& text) {
    if (!answer) return report(answer.error());
    if (json())
        print_json(*answer);
    else
        console_.out << text(*answer) << std::flush;
    return fine;
}

void Session::print_json(const json::value& value) const {
    console_.out << json::serialize(value) << std::endl;
}

}  // namespace liaisond::ctl
