#include "api/entrance.hpp"

#include <sodium.h>
#include <boost/json/serialize.hpp>
#include <boost/url/parse_query.hpp>

#include "access/passwords.hpp"
#include "access/totp.hpp"
#include "base/log.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

// Passwords waiting to be checked, each a tenth of a second of a core.
constexpr int most_being_checked = 16;
constexpr std::size_t longest_name = 100, longest_password = 1024;

constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors "
    "'none'";

std::string escaped(std::string_view text) {
    std::string made;
    for (const char c : text) {
        switch (c) {
            case '&': made += "&amp;"; break;
            case '<': made += "&lt;"; break;
            case '>': made += "&gt;"; break;
            case '"': made += "&quot;"; break;
            case '\'': made += "&#39;"; break;
            default: made += c;
        }
    }
    return made;
}

web::Answer page(unsigned status, const std::string& content) {
    web::Answer answer{
        status, "text/html; charset=utf-8",
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><title>liaison</title><style>"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:22rem;margin:12vh auto;padding:0 "
        "1rem;color:#1c2430;"
        "background:#f5f6f8}main{background:#fff;border:1px solid #d8dde5;border-radius:8px;padding:1.5rem}"
        "h1{font-size:1.25rem;margin:0 0 1rem}label{display:block;margin:.75rem 0 .25rem}"
        "input{width:100%;box-sizing:border-box;padding:.5rem;border:1px solid "
        "#9aa5b4;border-radius:4px;font:inherit}"
        "button{margin-top:1rem;padding:.5rem "
        "1rem;border:0;border-radius:4px;background:#1f5fbf;color:#fff;font:inherit;"
        "cursor:pointer}:focus-visible{outline:3px solid #f0a020;outline-offset:2px}.wrong{color:#a01515}"
        "@media(prefers-color-scheme:dark){body{background:#12161c;color:#e8ecf2}main{background:#1c222b;"
        "border-color:#38424f}"
        "input{background:#12161c;color:inherit}.wrong{color:#ff9a9a}}</style></head><body><main>" +
            content + "</main></body></html>"};
    answer.headers.emplace_back("Content-Security-Policy", page_policy);
    return answer;
}

web::Answer form_page(unsigned status, const std::string& wrong, bool with_code) {
    return page(
        status,
        "<h1>liaison</h1>" +
            (wrong.empty() ? std::string() : "<p class=\"wrong\" role=\"alert\">" + escaped(wrong) + "</p>") +
            "<form method=\"post\" action=\"/login\"><label for=\"name\">Name</label><input id=\"name\" "
            "name=\"name\" autocomplete=\"username\" required autofocus><label "
            "for=\"password\">Password</label><input id=\"password\" name=\"password\" type=\"password\" "
            "autocomplete=\"current-password\" required>" +
            (with_code ? "<label for=\"code\">Code, if you use an authenticator</label><input id=\"code\" "
                         "name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"7\">"
                       : "") +
            "<button>Sign in</button></form>");
}

web::Answer home_page(const access::Sessions::Found& session) {
    return page(
        200, "<h1>liaison</h1><p>Signed in as " + escaped(session.principal.name) + ", who may " +
                 std::string(access::to_string(session.principal.scope)) +
                 (session.principal.tenant.empty() ? "" : " at " + escaped(session.principal.tenant)) +
                 ".</p><p><a href=\"/api/v1/status\">Status</a> &middot; <a "
                 "href=\"/api/openapi.json\">The API</a></p><form method=\"post\" action=\"/logout\"><input "
                 "type=\"hidden\" name=\"csrf\" value=\"" +
                 escaped(session.csrf) + "\"><button>Sign out</button></form>");
}

web::Answer to(std::string_view place) {
    web::Answer answer{303, "", ""};
    answer.headers.emplace_back("Location", std::string(place));
    return answer;
}

std::string cookie_line(const std::string& value, bool forget) {
    return std::string(Entrance::cookie) + "=" + value + "; Path=/; Secure; HttpOnly; SameSite=Strict" +
           (forget ? "; Max-Age=0" : "");
}

std::map<std::string, std::string> form_of(const web::Request& request) {
    std::map<std::string, std::string> fields;
    const auto read = boost::urls::parse_query(request.body);
    if (!read) return fields;
    for (const auto& field : *read) {
        std::string value;
        boost::urls::encoding_opts as_form;
        as_form.space_as_plus = true;
        field.value.decode(as_form, boost::urls::string_token::assign_to(value));
        fields[field.key.decode()] = std::move(value);
    }
    return fields;
}

bool wants_json(const web::Request& request) {
    return request.header("Accept").find("application/json") != std::string_view::npos;
}

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Asked for by a page of another place (RFC 6454, 7; Fetch metadata).
bool is_from_elsewhere(const web::Request& request) {
    const std::string_view site = request.header("Sec-Fetch-Site");
    if (!site.empty() && site != "same-origin" && site != "none") return true;
    const std::string_view origin = request.header("Origin");
    if (origin.empty()) return false;
    const std::size_t host = origin.find("://");
    return host == std::string_view::npos || origin.substr(host + 3) != request.header("Host");
}

// What the cookie says (RFC 6265, 5.4); empty: there is none.
std::string_view session_id(const web::Request& request) {
    std::string_view cookies = request.header("Cookie");
    while (!cookies.empty()) {
        const std::size_t end = cookies.find(';');
        std::string_view one = cookies.substr(0, end);
        cookies = end == std::string_view::npos ? std::string_view() : cookies.substr(end + 1);
        while (one.starts_with(' ')) one.remove_prefix(1);
        constexpr std::string_view name = Entrance::cookie;
        if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=')
            return one.substr(name.size() + 1);
    }
    return {};
}

}  // namespace

std::optional<access::Sessions::Found> Entrance::session_of(const web::Request& request) const {
    const std::string_view id = session_id(request);
    return id.empty() ? std::nullopt : backend_.sessions.find(id, backend_.clock.now());
}

std::string Entrance::forgery(const web::Request& request, const std::string& csrf, std::string_view shown) {
    if (is_from_elsewhere(request)) return "the request was made by a page of another place";
    if (!same(csrf, shown))
        return "send the session's csrf value in X-CSRF-Token; GET /api/v1/session tells it";
    return {};
}

bool Entrance::handle(const web::Request& request, const web::Reply& answer) {
    const std::string what = request.path.empty() || request.path[0].empty() ? "" : request.path[0];
    if (request.path.size() > 1 || (!what.empty() && what != "login" && what != "logout")) return false;
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (what.empty() && reads) {
        const auto session = session_of(request);
        answer(session ? home_page(*session) : to("/login"));
    } else if (what == "login" && reads) {
        answer(login_page(200, {}));
    } else if (what == "login" && request.method == "POST") {
        login(request, answer);
    } else if (what == "logout" && request.method == "POST") {
        logout(request, answer);
    } else {
        answer(problem(405, request.method + " is not known here"));
    }
    return true;
}

// An attempt counts before it is looked at: whoever makes many at once gains nothing.
void Entrance::login(const web::Request& request, const web::Reply& answer) {
    const bool json_wanted = wants_json(request);
    const auto refuse = [&](unsigned status, const std::string& why) {
        answer(json_wanted ? problem(status, why) : login_page(status, why));
    };
    if (is_from_elsewhere(request)) return refuse(403, "The form was sent by a page of another place.");
    auto form = form_of(request);
    const auto attempt = std::make_shared<Attempt>(Attempt{form["name"], Secret(std::move(form["password"])),
                                                           form["code"], request.peer.address, json_wanted});
    if (attempt->name.empty() || attempt->name.size() > longest_name || attempt->code.size() > longest_name ||
        attempt->password.reveal().size() > longest_password)
        return refuse(400, "Name and password are needed.");
    const Instant now = backend_.clock.now();
    const Milliseconds wait = backend_.throttle.wait(attempt->name, attempt->address, now);
    if (wait > Milliseconds(0) || being_checked_ >= most_being_checked) {
        const std::string seconds = std::to_string(std::max<std::int64_t>(1, wait.count() / 1000));
        web::Answer later = json_wanted
                                ? problem(429, "too many attempts; try again in " + seconds + " s")
                                : login_page(429, "Too many attempts. Try again in " + seconds + " seconds.");
        later.headers.emplace_back("Retry-After", seconds);
        return answer(std::move(later));
    }
    backend_.throttle.failed(attempt->name, attempt->address, now);
    check(attempt, answer);
}

// Of a name that nobody has it takes as long as of any other.
void Entrance::check(const std::shared_ptr<Attempt>& attempt, const web::Reply& answer) {
    ++being_checked_;
    backend_.store.read(
        [](store::Database& database) { return database.users(); },
        [this, attempt, answer](Result<std::vector<store::UserRow>> users) {
            for (store::UserRow& user : users ? *users : std::vector<store::UserRow>()) {
                if (user.name == attempt->name) attempt->user = std::move(user);
            }
            backend_.beside(
                [attempt] {
                    attempt->is_right = access::is_password(attempt->user.password, attempt->password);
                },
                [this, attempt, answer] {
                    --being_checked_;
                    if (attempt->is_right && takes_code(*attempt)) {
                        note_visit(*attempt);
                        return answer(welcome(attempt->user, attempt->wants_json));
                    }
                    log(LogLevel::warning, LogEvent::login_refused, "a login was refused");
                    const std::string wrong = asks_for_codes()
                                                  ? "name, password and code do not belong together"
                                                  : "name and password do not belong together";
                    answer(attempt->wants_json ? problem(401, wrong)
                                               : login_page(401, "N" + wrong.substr(1) + "."));
                });
        });
}

Status keep(store::Database& database, const access::Throttle::States& changed) {
    for (const auto& [key, value] : changed) {
        const Status kept = database.save_state(access::Throttle::state_kind, key, value);
        if (!kept) return kept;
    }
    return {};
}

void Entrance::note_visit(const Attempt& attempt) {
    auto changed = backend_.throttle.succeeded(attempt.name, attempt.address, backend_.clock.now());
    if (changed.empty()) return;
    backend_.store.write(
        [changed = std::move(changed)](store::Database& database) { return keep(database, changed); },
        [](const Status& kept) {
            if (!kept)
                log(LogLevel::warning, "from where somebody signed in is not kept: " + kept.error().message);
        });
}

bool Entrance::takes_code(const Attempt& attempt) {
    const std::string row = access::totp_row(attempt.name);
    if (!backend_.secrets.contains(row)) return true;
    const Result<Secret> key = backend_.secrets.find(row);
    if (!key) {
        log(LogLevel::error, "the authenticator of a user cannot be checked: " + key.error().message);
        return false;
    }
    const auto step = access::totp_step(*key, attempt.code, backend_.clock.now());
    if (!step) return false;
    const auto last = taken_.try_emplace(attempt.name, *step);
    if (last.second) return true;
    const bool is_fresh = *step > last.first->second;
    if (is_fresh) last.first->second = *step;
    return is_fresh;
}

bool Entrance::asks_for_codes() const {
    const auto& all = backend_.secrets.all();
    const auto first = all.lower_bound(access::totp_row(""));
    return first != all.end() && first->first.starts_with(access::totp_row(""));
}

web::Answer Entrance::login_page(unsigned status, const std::string& wrong) const {
    return form_page(status, wrong, asks_for_codes());
}

web::Answer Entrance::welcome(const store::UserRow& user, bool wants_json) {
    const auto begun = backend_.sessions.begin(
        access::Principal{"user " + user.name, static_cast<access::Scope>(user.scope), user.tenant},
        backend_.clock.now(), backend_.random);
    web::Answer answer = wants_json ? ok({{"csrf", begun.csrf}}) : to("/");
    answer.headers.emplace_back("Set-Cookie", cookie_line(begun.id, false));
    return answer;
}

void Entrance::logout(const web::Request& request, const web::Reply& answer) {
    const auto session = session_of(request);
    if (!session) return answer(to("/login"));
    auto form = form_of(request);
    const std::string shown =
        form.contains("csrf") ? form["csrf"] : std::string(request.header("X-CSRF-Token"));
    if (const std::string wrong = forgery(request, session->csrf, shown); !wrong.empty())
        return answer(problem(403, wrong));
    backend_.sessions.end(session_id(request));
    web::Answer gone = to("/login");
    gone.headers.emplace_back("Set-Cookie", cookie_line("", true));
    answer(std::move(gone));
}

}  // namespace liaisond::api
