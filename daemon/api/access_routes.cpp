// Routes: secrets in the vault, and connecting integrations whose vendors want a person to let us in.
#include <algorithm>

#include "api/routes.hpp"
#include "auth/vault.hpp"
#include "base/redact.hpp"
#include "base/system.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::size_t longest_name = 100, longest_value = 64u << 10;

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
    });
}

}  // namespace

bool Routes::manage_access(const Call& call) {
    const std::vector<std::string>& path = call.path;
    if (path[0] == "secrets" && path.size() == 1) return rotate_secrets(call), true;
    if (path[0] == "secrets" && path.size() == 2) return set_secret(call, path[1]), true;
    if (path[0] == "secrets" && path.size() == 3 && path[2] == "remove")
        return remove_secret(call, path[1]), true;
    if (path[0] == "tokens" && path.size() == 1) return create_token(call), true;
    if (path[0] == "tokens" && path.size() == 3 && path[2] == "revoke")
        return revoke_token(call, path[1]), true;
    if (path[0] == "integrations" && path.size() >= 3 && path[2] == "connect") return connect(call), true;
    return false;
}

// Names and ages, never values.
void Routes::list_secrets(const Call& call) {
    backend_.store.read([](store::Database& database) { return database.sealed(); },
                        [answer = call.answer](Result<std::vector<store::SealedRow>> rows) {
                            if (!rows) return answer(problem(rows.error()));
                            json::array items;
                            for (const store::SealedRow& row : *rows) {
                                if (!row.name.starts_with("secret/")) continue;
                                items.push_back(json::object{{"name", row.name.substr(7)},
                                                             {"updated_at", format_instant(row.updated)}});
                            }
                            answer(ok({{"items", std::move(items)}, {"next", nullptr}}));
                        });
}

void Routes::set_secret(const Call& call, const std::string& name) {
    if (!is_name(name))
        return call.answer(
            problem(422, "'" + shortened(name, longest_name) +
                             "' is no name for a secret: letters, digits, '-', '_' and '.', at most 100"));
    const Secret value(text_in(call.body, "value"));
    if (value.empty()) return call.answer(problem(422, "the secret has no value"));
    if (value.reveal().size() > longest_value)
        return call.answer(problem(422, "the secret is longer than 64 KiB"));
    redactor().add(value.reveal());
    const std::string row = auth::secret_name(name);
    const std::string sealed = backend_.secrets.seal(row, value);
    const auto work = [row, sealed](store::Database& database) {
        return database.save_sealed(row, sealed, SystemClock().now());
    };
    backend_.store.write(work, [this, answer = call.answer, row, sealed, name](Status saved) {
        if (!saved) return answer(problem(saved.error()));
        backend_.secrets.keep(row, sealed);
        const std::vector<std::string> faults = backend_.reload();
        answer(
            ok({{"ok", true},
                {"detail",
                 faults.empty()
                     ? "secret '" + name + "' is set, and in use where the configuration says !secret " + name
                     : "secret '" + name + "' is set; the configuration has faults and was not read again: " +
                           faults.front()}}));
    });
}

void Routes::remove_secret(const Call& call, const std::string& name) {
    const std::string row = auth::secret_name(name);
    if (!backend_.secrets.contains(row))
        return call.answer(problem(404, "there is no secret '" + name + "'"));
    backend_.store.write([row](store::Database& database) { return database.drop_sealed(row); },
                         [this, answer = call.answer, row, name](Status dropped) {
                             if (!dropped) return answer(problem(dropped.error()));
                             backend_.secrets.forget(row);
                             (void)backend_.reload();  // what needs it says so from now on
                             answer(ok({{"ok", true}, {"detail", "secret '" + name + "' is gone"}}));
                         });
}

// A new key, everything sealed with it in one transaction, and only then the old keys go.
void Routes::rotate_secrets(const Call& call) {
    auto anew = backend_.secrets.seal_anew();
    if (!anew) return call.answer(problem(anew.error()));
    const auto shared = std::make_shared<const std::vector<auth::Secrets::Anew>>(std::move(*anew));
    const auto work = [shared](store::Database& database) -> Status {
        for (const auth::Secrets::Anew& one : *shared) {
            const Status saved = database.replace_sealed(one.name, one.old, one.sealed);
            if (!saved) return saved;
        }
        return {};
    };
    backend_.store.write(work, [this, answer = call.answer, shared](Status saved) {
        if (!saved) return answer(problem(saved.error()));
        for (const auth::Secrets::Anew& one : *shared)
            backend_.secrets.replace(one.name, one.old, one.sealed);
        const Status dropped = backend_.secrets.drop_old_keys();
        if (!dropped) return answer(problem(dropped.error()));
        answer(ok({{"ok", true},
                   {"detail", std::to_string(shared->size()) + " secrets are sealed with a new key; copy " +
                                  backend_.secrets.vault().file().string() + " to where its copy is kept"}}));
    });
}

// POST integrations/{id}/connect {"redirect_uri"} and integrations/{id}/connect/finish {"callback"}
void Routes::connect(const Call& call) {
    const std::string& integration = call.path[1];
    if (call.path.size() == 3) {
        const auto url = backend_.engine.begin_connect(integration, text_in(call.body, "redirect_uri"));
        return call.answer(url ? ok({{"url", *url}}) : problem(url.error()));
    }
    if (call.path.size() != 4 || call.path[3] != "finish")
        return call.answer(problem(404, "there is nothing of that name"));
    backend_.engine.finish_connect(
        integration, text_in(call.body, "callback"),
        [this, answer = call.answer, integration](Result<std::map<std::string, std::string>> account) {
            if (!account)
                return answer(problem(account.error().kind == ErrorKind::permanent ? 422 : 502,
                                      account.error().message));
            json::object said;
            for (const auto& [name, value] : *account) said[name] = value;
            run_soon(integration);
            answer(ok({{"ok", true}, {"account", std::move(said)}}));
        });
}

}  // namespace liaisond::api
