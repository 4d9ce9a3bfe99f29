#include "sync/logins.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "auth/digest.hpp"
#include "base/fault_point.hpp"
#include "base/log.hpp"
#include "base/redact.hpp"
#include "sync/job_pump.hpp"

namespace liaisond::sync {
namespace json = boost::json;
namespace {

// Vendors lock accounts that keep trying a wrong password.
constexpr Milliseconds after_refusal{15 * 60'000}, longest_after_refusal{6 * 3600'000};
constexpr std::size_t pending_connects = 32;

using Account = std::map<std::string, std::string>;

class LoginListener final : public JobListener {
  public:
    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&&) override {
        const int local = 0;
        (void)local;
        co_return fail(ErrorKind::internal, "the connector emitted records in a login job");
    }
    Task<Status> on_result(plugin::ResultEffect&&) override {
        const int local = 0;
        (void)local;
        co_return fail(ErrorKind::internal, "the connector reported results in a login job");
    }
    Task<Status> before_mutation() override {
        const int local = 0;
        (void)local;
        co_return Status();
    }
};

constexpr const char* no_longer_accepted =
    "the vendor no longer accepts what this integration was connected with";

std::string row_of(const std::string& integration, const auth::Scheme& scheme) {
    return "login/" + integration + "/" + scheme.name;
}

std::string connect_hint(const std::string& integration) {
    return "connect it: liaisonctl connect " + integration;
}

Error needs_reauth(const std::string& integration, const std::string& why) {
    return {ErrorKind::auth, why + "; " + connect_hint(integration), {}, "needs_reauth"};
}

}  // namespace

struct Logins::Held {
    LinkPtr link;
    const auth::Scheme* scheme = nullptr;  // the link's
    auth::Tokens tokens;
    Live live;
    bool loaded = false, busy = false;
    Instant used{};
    std::vector<Completion<Result<Live>>> waiting;
    std::optional<Error> refusal;  // of the vendor; not asked again before `not_before`
    Instant not_before{};
    std::uint32_t refusals = 0;
    Breaker breaker;  // a login is its own probe

    const std::string& integration() const { return link->config.id; }
    std::string row() const { return row_of(integration(), *scheme); }
};

Logins::Logins(const Ports& ports, Fibers& fibers, Gates& gates)
    : ports_(ports), fibers_(fibers), gates_(gates) {}
Logins::~Logins() = default;

Logins::HeldPtr Logins::held(const LinkPtr& link, const auth::Scheme& scheme) {
    HeldPtr& found = held_[{link->config.id, scheme.name}];
    if (!found) found = std::make_shared<Held>();
    if (!found->busy) {
        found->link = link;
        found->scheme = link->authorizer->scheme(scheme.name);
    }
    if (!found->loaded) load(*found);
    return found;
}

// What the vault has of it from before.
void Logins::load(Held& held) {
    held.loaded = true;
    if (!held.scheme->oauth2 || !ports_.secrets.contains(held.row())) return;
    const Result<Secret> kept = ports_.secrets.find(held.row());
    if (!kept) {
        log(LogLevel::warning, kept.error().message, {{"integration", held.integration()}});
        return;
    }
    held.tokens = auth::Tokens::from_json(*kept);
    redactor().add(held.tokens.access.reveal());
    redactor().add(held.tokens.refresh.reveal());
    if (held.tokens.access.empty()) return;
    auth::Live live;
    live.token = held.tokens.access;
    adopt(held, std::move(live));
}

void Logins::adopt(Held& held, auth::Live live) {
    live.generation = ++generations_;
    held.live = std::make_shared<const auth::Live>(std::move(live));
    held.used = ports_.clock.now();
}

Await<Result<Logins::Live>> Logins::of(const LinkPtr& link, const auth::Scheme& scheme) {
    return Await<Result<Live>>([this, link, &scheme](Completion<Result<Live>> done) {
        const HeldPtr mine = held(link, scheme);
        const Instant now = ports_.clock.now();
        const bool fresh =
            mine->live && (mine->scheme->oauth2 ? mine->tokens.usable(now, mine->scheme->oauth2->early)
                                                : mine->scheme->session->idle.count() == 0 ||
                                                      now - mine->used < mine->scheme->session->idle);
        if (fresh && !mine->busy) {
            mine->used = now;
            return ports_.timers.post([done = std::move(done), live = mine->live] { done(live); });
        }
        if (mine->refusal && now < mine->not_before && !mine->busy)
            return ports_.timers.post(
                [done = std::move(done), error = *mine->refusal] { done(fail(error)); });
        mine->waiting.push_back(std::move(done));
        if (std::exchange(mine->busy, true)) return;
        auto body = obtain(mine);
        fibers_.spawn(std::move(body));
    });
}

Task<void> Logins::obtain(HeldPtr held) {
    Status status;
    if (held->scheme->oauth2)
        status = co_await obtain_tokens(*held);
    else
        status = co_await obtain_session(*held);
    held->busy = false;
    if (status) {
        held->refusal.reset();
        held->refusals = 0;
    } else {
        held->live.reset();
        const ErrorKind kind = status.error().kind;
        if (kind == ErrorKind::auth || kind == ErrorKind::config) {
            held->refusal = status.error();
            held->not_before =
                ports_.clock.now() +
                std::min(after_refusal * (1 << std::min(held->refusals, 5u)), longest_after_refusal);
            ++held->refusals;
        }
        log(LogLevel::warning, "could not sign in: " + status.error().message,
            {{"integration", held->integration()}});
    }
    for (const auto& waiting : std::exchange(held->waiting, {})) {
        if (status)
            waiting(held->live);
        else
            waiting(fail(status.error()));
    }
}

// ---- OAuth 2 ----

Task<Status> Logins::obtain_tokens(Held& held) {
    const auth::OAuth2& oauth = *held.scheme->oauth2;
    if (oauth.grant == auth::Grant::authorization_code) {
        Status renewed = co_await renew(held);
        co_return renewed;
    }
    std::string id(16, '\0');
    ports_.random.fill({reinterpret_cast<std::uint8_t*>(id.data()), id.size()});
    const auth::Live none;
    auto request = auth::grant_request(oauth, held.link->authorizer->scope(none, ports_.clock.now()),
                                       auth::to_base64url(id));
    if (!request) co_return fail(request.error());
    Result<auth::Tokens> tokens = co_await ask(held, *request);
    if (!tokens) co_return fail(tokens.error());
    Status kept = co_await keep(held, *tokens);
    co_return kept;
}

// The vault knows that the refresh token is on its way before it is sent, and has its successor before
// anybody uses what came with it: after a crash in between the old one is tried once more, and what the
// vendor says decides.
Task<Status> Logins::renew(Held& held) {
    const auth::OAuth2& oauth = *held.scheme->oauth2;
    if (held.tokens.refused || held.tokens.refresh.empty()) {
        co_return fail(needs_reauth(held.integration(), held.tokens.refused
                                                            ? no_longer_accepted
                                                            : "this integration is not connected yet"));
    }
    auth::Tokens sending = held.tokens;
    sending.renewing = true;
    Status noted;
    if (!held.tokens.renewing) noted = co_await keep(held, sending);
    if (!noted) co_return fail(noted.error());
    LIAISON_FAULT_POINT("login.before_refresh");
    const auth::Live none;
    auto request = auth::refresh_request(oauth, held.link->authorizer->scope(none, ports_.clock.now()),
                                         held.tokens.refresh);
    if (!request) co_return fail(request.error());
    Result<auth::Tokens> tokens = co_await ask(held, *request);
    LIAISON_FAULT_POINT("login.refreshed");
    if (!tokens && tokens.error().code == "needs_reauth") {
        auth::Tokens gone = held.tokens;
        gone.refused = true;
        gone.access = Secret();
        Status kept = co_await keep(held, gone);
        if (!kept) co_return fail(kept.error());
        co_return fail(needs_reauth(held.integration(), tokens.error().message));
    }
    if (!tokens) co_return fail(tokens.error());
    Status kept = co_await keep(held, *tokens);
    co_return kept;
}

Task<Result<auth::Tokens>> Logins::ask(Held& held, http::Request& request) {
    http::Response answer = co_await send(held, std::move(request));
    co_return auth::parse_tokens(answer, held.tokens, ports_.clock.now());
}

Await<http::Response> Logins::send(Held& held, http::Request request) {
    auto egress = std::make_shared<http::Egress>();
    egress->origins = {http::origin_of(request.url)};  // the manifest's, or the operator's
    request.egress = egress;
    request.ca_file = held.link->config.ca_file;
    request.pool = held.integration();
    request.timeout = held.link->config.timeouts.request;
    request.connect_timeout = held.link->config.timeouts.connect;
    auto shared = std::make_shared<http::Request>(std::move(request));
    return Await<http::Response>([this, shared](Completion<http::Response> done) {
        ports_.transport.send(std::move(*shared), std::move(done));
    });
}

// Sealed and durable; from then on it is what the integration holds.
Await<Status> Logins::keep(Held& held, const auth::Tokens& tokens) {
    const std::string name = held.row();
    const std::string sealed = ports_.secrets.seal(name, tokens.to_json());
    return Await<Status>([this, &held, tokens, name, sealed](Completion<Status> done) {
        const auto work = [name, sealed, now = ports_.clock.now()](store::Database& database) {
            return database.save_sealed(name, sealed, now);
        };
        ports_.store.write(work, [this, &held, tokens, name, sealed, done = std::move(done)](Status status) {
            if (status) {
                ports_.secrets.keep(name, sealed);
                const bool same = held.tokens.access.reveal() == tokens.access.reveal() && held.live;
                held.tokens = tokens;
                if (!same) {
                    auth::Live live;
                    live.token = tokens.access;
                    adopt(held, std::move(live));
                }
            }
            done(std::move(status));
        });
    });
}

// ---- sessions ----

Task<Status> Logins::obtain_session(Held& held) {
    RunControl control;
    control.link = held.link;
    control.probing = true;
    control.login = std::make_shared<LoginCapture>();
    control.login->scheme = held.scheme;
    plugin::StartEvent start;
    start.entity = held.scheme->name;
    ports_.random.fill(start.seed);
    LoginListener listener;
    Requester requester(ports_, fibers_, held.link, gates_.of(*held.link), held.breaker, *this);
    JobPump pump(ports_, requester, control);
    Result<std::string> output = co_await pump.run(plugin::JobKind::login, std::move(start), listener);
    if (!output) co_return fail(output.error());
    auth::Live live;
    live.session = std::move(control.login->session);
    boost::system::error_code error;
    const json::value values = json::parse(*output, error);
    if (!error && values.is_object()) {
        for (const auto& [name, value] : values.get_object()) {
            if (value.is_string()) live.session[std::string(name)] = Secret(std::string(value.get_string()));
        }
    }
    adopt(held, std::move(live));
    co_return Status();
}

void Logins::learn(const Link& link, const auth::Scheme& scheme, const std::string& cookie,
                   const std::string& value) {
    const auto found = held_.find({link.config.id, scheme.name});
    if (found == held_.end() || !found->second->live) return;
    auth::Live changed = *found->second->live;
    changed.session[cookie] = Secret(value);
    found->second->live = std::make_shared<const auth::Live>(std::move(changed));
}

void Logins::refused(const Link& link, const auth::Scheme& scheme, std::uint64_t generation) {
    const auto found = held_.find({link.config.id, scheme.name});
    if (found == held_.end()) return;
    Held& held = *found->second;
    if (!held.live || held.live->generation != generation) return;  // there is a newer one already
    held.live.reset();
    held.tokens.expires = Instant();
}

void Logins::forget(const std::string& integration) {
    for (auto one = held_.begin(); one != held_.end();) {
        const bool mine = one->first.first == integration && !one->second->busy;
        one = mine ? held_.erase(one) : std::next(one);
    }
}

std::string Logins::problem(const Link& link) const {
    for (const auto& [key, held] : held_) {
        if (key.first != link.config.id) continue;
        if (held->refusal) return "cannot sign in: " + held->refusal->message;
        if (held->live) return {};
    }
    // What an earlier life of the daemon learnt.
    const auth::Scheme* scheme = link.authorizer->connectable();
    if (scheme == nullptr) return {};
    const Result<Secret> kept = ports_.secrets.find(row_of(link.config.id, *scheme));
    if (!kept || !auth::Tokens::from_json(*kept).refused) return {};
    return "cannot sign in: " + needs_reauth(link.config.id, no_longer_accepted).message;
}

// ---- connecting by hand ----

Result<std::string> Logins::begin_connect(const LinkPtr& link, const std::string& redirect_uri) {
    const auth::Scheme* scheme = link->authorizer->connectable();
    if (scheme == nullptr)
        return fail(ErrorKind::config, "the integration '" + link->config.id +
                                           "' signs in with its credentials; nobody has to connect it");
    const auth::Live none;
    auto asked = auth::authorization(*scheme->oauth2, link->authorizer->scope(none, ports_.clock.now()),
                                     redirect_uri, ports_.random);
    if (!asked) return fail(asked.error());
    if (asked_.size() >= pending_connects) asked_.erase(asked_.begin());
    // Named first: the right side of an assignment is evaluated, and moved from, before the left.
    const std::string url = asked->url, state = asked->state;
    asked_[state] = {link->config.id, std::move(*asked)};
    return url;
}

void Logins::finish_connect(const LinkPtr& link, const std::string& callback,
                            Completion<Result<Account>> done) {
    const auto refuse = [&](Error error) {
        ports_.timers.post([done = std::move(done), error = std::move(error)] { done(fail(error)); });
    };
    auto parsed = auth::parse_callback(callback);
    if (!parsed) return refuse(parsed.error());
    const auto asked = asked_.find(parsed->state);
    if (asked == asked_.end() || asked->second.first != link->config.id)
        return refuse({ErrorKind::permanent,
                       "that address does not answer the last request to connect " + link->config.id +
                           "; begin again: liaisonctl connect " + link->config.id,
                       {},
                       "state"});
    auth::Authorization request = std::move(asked->second.second);
    asked_.erase(asked);
    const HeldPtr mine = held(link, *link->authorizer->connectable());
    if (std::exchange(mine->busy, true))
        return refuse({ErrorKind::transient, "a token is being renewed right now; try again", {}, {}});
    auto body = exchange(mine, std::move(request), std::move(*parsed), std::move(done));
    fibers_.spawn(std::move(body));
}

Task<void> Logins::exchange(HeldPtr held, auth::Authorization asked, auth::Callback callback,
                            Completion<Result<Account>> done) {
    const auth::Live none;
    Result<auth::Tokens> tokens;
    auto request = auth::exchange_request(
        *held->scheme->oauth2, held->link->authorizer->scope(none, ports_.clock.now()), asked, callback.code);
    if (request)
        tokens = co_await ask(*held, *request);
    else
        tokens = fail(request.error());
    Status kept;
    if (tokens) {
        tokens->account = callback.account;
        kept = co_await keep(*held, *tokens);
    }
    held->busy = false;
    const bool fine = tokens && kept;
    if (fine) {
        held->refusal.reset();
        held->refusals = 0;
    }
    for (const auto& waiting : std::exchange(held->waiting, {})) {
        if (fine)
            waiting(held->live);
        else
            waiting(fail(tokens ? kept.error() : tokens.error()));
    }
    if (!tokens) co_return done(fail(tokens.error()));
    if (!kept) co_return done(fail(kept.error()));
    done(callback.account);
}

// ---- the end ----

void Logins::log_out(std::function<void()> done) {
    auto body = log_out_all(std::move(done));
    fibers_.spawn(std::move(body));
}

Task<void> Logins::log_out_all(std::function<void()> done) {
    std::vector<HeldPtr> open;
    for (const auto& [key, held] : held_) {
        if (held->live && held->scheme->session && held->scheme->session->logout && !held->busy)
            open.push_back(held);
    }
    for (const HeldPtr& held : open) {
        RunControl control;
        control.link = held->link;
        control.probing = true;
        plugin::StartEvent start;
        start.entity = held->scheme->name;
        LoginListener listener;
        Requester requester(ports_, fibers_, held->link, gates_.of(*held->link), held->breaker, *this);
        JobPump pump(ports_, requester, control);
        Result<std::string> output = co_await pump.run(plugin::JobKind::logout, std::move(start), listener);
        if (!output)
            log(LogLevel::warning, "could not sign out: " + output.error().message,
                {{"integration", held->integration()}});
        held->live.reset();
    }
    done();
}

std::pair<std::string, std::string> cookie_in(std::string_view header) {
    const std::string_view pair = header.substr(0, header.find(';'));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return {};
    const auto trimmed = [](std::string_view text) {
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
        return std::string(text);
    };
    return {trimmed(pair.substr(0, equals)), trimmed(pair.substr(equals + 1))};
}

}  // namespace liaisond::sync
