// What comes to a webhook: the signature of every profile, and what of a delivery becomes an event. The input
// is a text: "PROFILE TARGET", header lines, an empty line, the body. A header's value "@MAC@" becomes a good
// signature, so that what lies behind it is reached, too.
#include <boost/json/parse.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "auth/digest.hpp"
#include "base/ids.hpp"
#include "base/text.hpp"
#include "web/head.hpp"
#include "webhooks/card_data.hpp"
#include "webhooks/endpoint.hpp"
#include "webhooks/signature.hpp"

namespace liaisond::webhooks {
namespace {

const Instant noon = from_unix_ms(1'767'225'600'000);

void require(bool holds) {
    if (!holds) std::abort();
}

std::string_view cut_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    return line;
}

class Nothing final : public Random {
  public:
    void fill(std::span<std::uint8_t> bytes) override { std::fill(bytes.begin(), bytes.end(), 0); }
};

bool is_json(std::string_view text) {
    boost::system::error_code error;
    boost::json::parse(text, error);
    return !error;
}

// Once is enough, and what was well-formed stays so.
void mask(const std::string& body) {
    const std::string masked = without_card_data(body);
    require(masked.size() == body.size() && without_card_data(masked) == masked);
    if (valid_utf8(body)) require(valid_utf8(masked));
    if (is_json(body)) require(is_json(masked));
    const std::string form = form_without_card_data(body);
    require(form_without_card_data(form) == form);
    require(parse_form(form).size() == parse_form(body).size());
}

void read(const Endpoint& endpoint, const web::Request& request) {
    Nothing random;
    const auto event = read_event(endpoint, request, noon, random);
    if (!event) return require(valid_utf8(event.error().message));
    require(!event->event_id.empty() && event->event_id.size() <= 255 && valid_utf8(event->event_id));
    require(valid_utf8(event->type) && valid_utf8(event->body) && is_json(event->headers));
    if (media_of(request.header("Content-Type")) == Media::json && !request.body.empty())
        require(is_json(event->body));
}

}  // namespace
}  // namespace liaisond::webhooks

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace liaisond;
    using namespace liaisond::webhooks;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const std::string first(cut_line(rest));
    auto rules = config::webhook_preset(first.substr(0, first.find(' ')));
    if (!rules) rules = config::webhook_preset("generic");
    const std::string key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    Endpoint endpoint{"t", "i", true, {}, {}, {}};
    endpoint.secrets.emplace_back(key);
    endpoint.secrets.emplace_back("another");
    web::Request request;
    request.method = "POST";
    request.target = first.find(' ') == first.npos ? "/" : first.substr(first.find(' ') + 1);
    if (web::parse_target(request)) return 0;
    std::vector<std::size_t> to_sign;
    for (std::string_view line = cut_line(rest); !line.empty(); line = cut_line(rest)) {
        if (web::check_raw_head("POST / HTTP/1.1\r\n" + std::string(line) + "\r\n\r\n")) return 0;
        const std::size_t colon = std::min(line.find(':'), line.size());
        std::string_view value = line.substr(std::min(colon + 1, line.size()));
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (value == "@MAC@") to_sign.push_back(request.headers.size());
        request.headers.emplace_back(line.substr(0, colon), value);
    }
    request.body = std::string(rest);
    const auto good = auth::hmac("sha256", Secret(key), request.body);
    for (const std::size_t at : to_sign)
        request.headers[at].second = rules->profile.prefix + to_hex(good.value_or(""));
    rules->event_id = request.body.size() % 2 == 0 ? "/id" : "X-Id";
    rules->event_type = "/data/type";
    endpoint.rules = std::make_shared<const config::Webhook>(*rules);
    for (const std::string& name : config::webhook_profiles()) {
        const auto profile = config::webhook_preset(name)->profile;
        const Verdict verdict = verify(profile, {request, "https://hub.example"}, endpoint.secrets, noon);
        if (to_sign.empty() && profile.scheme == config::WebhookProfile::Scheme::mac)
            require(verdict != Verdict::accepted);  // nobody guesses one
    }
    read(endpoint, request);
    mask(request.body);
    return 0;
}
