// People who sign in with a password, and the session they are in.
#include "access/passwords.hpp"
#include "access/totp.hpp"
#include "api/entrance.hpp"
#include "base/ids.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

json::object to_json(const store::UserRow& row, bool has_totp) {
    return {{"name", row.name},
            {"totp", has_totp},
            {"scope", access::to_string(static_cast<access::Scope>(row.scope))},
            {"tenant", text_or_null(row.tenant)},
            {"created_at", format_instant(row.created)}};
}

void list_users(const Backend& backend, const Call& call) {
    backend.store.read(
        [](store::Database& database) { return database.users(); },
        [&backend, answer = call.answer](Result<std::vector<store::UserRow>> users) {
            if (!users) return answer(problem(users.error()));
            json::array items;
            for (const store::UserRow& user : *users)
                items.push_back(to_json(user, backend.secrets.contains(access::totp_row(user.name))));
            answer(ok({{"items", std::move(items)}, {"next", nullptr}}));
        });
}

// Whoever is signed in under that name has to do so again.
void set_user(const Backend& backend, const Call& call) {
    auto user = std::make_shared<store::UserRow>();
    user->name = call.text("name");
    if (user->name.size() > 100 || !valid_utf8(user->name))
        return call.answer(problem(422, "a name has at most 100 characters"));
    user->scope = static_cast<std::uint32_t>(*access::parse_scope(call.body_text("scope")));
    user->tenant = call.body_text("tenant");
    user->created = backend.clock.now();
    const Secret password(call.body_text("password"));
    auto hashed = std::make_shared<Result<std::string>>(std::string());
    backend.beside(
        [hashed, password] { *hashed = access::hash_password(password); },
        [&backend, hashed, user, answer = call.answer] {
            if (!*hashed) return answer(problem(422, hashed->error().message));
            user->password = **hashed;
            backend.store.write(
                [row = *user](store::Database& database) { return database.save_user(row); },
                [&backend, user, answer](Status saved) {
                    if (!saved) return answer(problem(saved.error()));
                    backend.sessions.end_all("user " + user->name);
                    answer(ok(to_json(*user, backend.secrets.contains(access::totp_row(user->name)))));
                });
        });
}

Status known(store::Database& database, const std::string& name) {
    auto users = database.users();
    if (!users) return fail(users.error());
    for (const store::UserRow& user : *users) {
        if (user.name == name) return {};
    }
    return fail(ErrorKind::permanent, "there is no user '" + name + "'");
}

void remove_user(const Backend& backend, const Call& call) {
    const std::string name = call.text("name");
    const auto work = [name, places = backend.throttle.forget(name)](store::Database& database) -> Status {
        if (const Status is_there = known(database, name); !is_there) return is_there;
        if (const Status dropped = database.drop_sealed(access::totp_row(name)); !dropped) return dropped;
        if (const Status forgotten = keep(database, places); !forgotten) return forgotten;
        return database.drop_user(name);
    };
    backend.store.write(work, [&backend, answer = call.answer, name](Status dropped) {
        if (!dropped) return answer(problem(dropped.error()));
        backend.secrets.forget(access::totp_row(name));
        backend.sessions.end_all("user " + name);
        answer(ok({{"ok", true}, {"detail", "user " + name + " is gone, and signed out"}}));
    });
}

// The only time that the key is shown.
void make_totp(const Backend& backend, const Call& call) {
    const std::string name = call.text("name"), row = access::totp_row(name);
    const auto key = std::make_shared<const Secret>(access::make_totp_key(backend.random));
    const std::string sealed = backend.secrets.seal(row, *key);
    const auto work = [name, row, sealed, now = backend.clock.now()](store::Database& database) -> Status {
        if (const Status is_there = known(database, name); !is_there) return is_there;
        return database.save_sealed(row, sealed, now);
    };
    backend.store.write(work, [&backend, answer = call.answer, name, row, sealed, key](Status saved) {
        if (!saved) return answer(problem(saved.error()));
        backend.secrets.keep(row, sealed);
        backend.sessions.end_all("user " + name);
        web::Answer made =
            ok({{"secret", to_base32(key->reveal())}, {"link", access::totp_link(*key, name)}});
        made.status = 201;
        answer(std::move(made));
    });
}

void drop_totp(const Backend& backend, const Call& call) {
    const std::string name = call.text("name"), row = access::totp_row(name);
    if (!backend.secrets.contains(row))
        return call.answer(problem(404, "user '" + name + "' has no authenticator"));
    backend.store.write(
        [row](store::Database& database) { return database.drop_sealed(row); },
        [&backend, answer = call.answer, name, row](Status dropped) {
            if (!dropped) return answer(problem(dropped.error()));
            backend.secrets.forget(row);
            backend.sessions.end_all("user " + name);
            answer(ok({{"ok", true}, {"detail", "user " + name + " signs in with the password alone"}}));
        });
}

void show_session(const Backend& backend, const Call& call) {
    const auto session = Entrance(backend).session_of(call.request);
    call.answer(ok({{"name", call.who.name},
                    {"scope", access::to_string(call.who.scope)},
                    {"tenant", text_or_null(call.who.tenant)},
                    {"csrf", session ? json::value(session->csrf) : json::value()}}));
}

}  // namespace

void add_user_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "GET",
                .pattern = "/session",
                .summary = "Who asks, what they may, and the value that changing requests of a browser show",
                .answers = "Session",
                .handle = [&backend](Call& call) { show_session(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/users",
                .scope = Scope::admin,
                .summary = "People who may sign in",
                .answers = "[User]",
                .whole_house = true,
                .handle = [&backend](Call& call) { list_users(backend, call); }});
    router.add({.method = "PUT",
                .pattern = "/users/{name}",
                .scope = Scope::admin,
                .summary = "Lets somebody sign in, or changes what they may",
                .body = R"({"type":"object","additionalProperties":false,"required":["password","scope"],
                            "properties":{"password":{"type":"string"},"scope":{"enum":["read","operate","admin"]},
                              "tenant":{"type":"string"}}})",
                .answers = "User",
                .whole_house = true,
                .handle = [&backend](Call& call) { set_user(backend, call); }});
    router.add({.method = "DELETE",
                .pattern = "/users/{name}",
                .scope = Scope::admin,
                .summary = "They may not any longer",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) { remove_user(backend, call); }});
    router.add(
        {.method = "POST",
         .pattern = "/users/{name}/totp",
         .scope = Scope::admin,
         .summary = "A new key for somebody's authenticator; from now on they sign in with its codes, too",
         .answers = "Authenticator",
         .status = 201,
         .whole_house = true,
         .handle = [&backend](Call& call) { make_totp(backend, call); }});
    router.add({.method = "DELETE",
                .pattern = "/users/{name}/totp",
                .scope = Scope::admin,
                .summary = "They sign in with the password alone",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) { drop_totp(backend, call); }});
}

}  // namespace liaisond::api
