// Endpoint: where the webhooks of one integration come in, as it stands at one moment; and what of a delivery
// becomes an event.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "config/webhook.hpp"
#include "store/types.hpp"
#include "web/message.hpp"

namespace liaisond::webhooks {

// Since the daemon began. [any thread]
struct Counters {
    std::atomic<std::uint64_t> received{0}, refused{0}, duplicates{0};
};

struct Endpoint {
    // Those that hold at that time; of two the second one may end.
    std::span<const Secret> secrets_at(Instant now) const {
        const bool is_over = secrets.size() > 1 && last_until && now >= *last_until;
        return {secrets.data(), secrets.size() - (is_over ? 1 : 0)};
    }

    std::string tenant, integration;
    bool enabled = true;
    std::shared_ptr<const config::Webhook> rules;
    std::vector<Secret> secrets;        // none: nothing is let in
    std::optional<Instant> last_until;  // of the last of two; nothing: until somebody says so
    std::shared_ptr<Counters> counters = std::make_shared<Counters>();
};

// All there are, by integration. Never changed once it is in use.
struct Endpoints {
    std::string public_url;  // "https://hub.example"
    std::map<std::string, Endpoint, std::less<>> by_integration;
};

// The kinds of body that are read.
enum class Media : std::uint8_t { none, json, form, xml, other };
Media media_of(std::string_view content_type);

// The row of a delivery that was found good: id and type as the rules say, the headers that connectors may
// see, the body without card numbers. An error says in what the body is malformed. [any thread]
Result<store::InboxEvent> read_event(const Endpoint& endpoint, const web::Request& request, Instant now,
                                     Random& random);

}  // namespace liaisond::webhooks
