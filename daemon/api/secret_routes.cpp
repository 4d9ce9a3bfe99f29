// Secrets in the vault.
#include <algorithm>

#include "api/backend.hpp"
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

// Names and ages, never values.
void list_secrets(const Backend& backend, const Call& call) {
    backend.store.read([](store::Database& database) { return database.sealed(); },
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

void set_secret(const Backend& backend, const Call& call) {
    const std::string name = call.text("name");
    if (!is_name(name))
        return call.answer(
            problem(422, "'" + shortened(name, longest_name) +
                             "' is no name for a secret: letters, digits, '-', '_' and '.', at most 100"));
    const Secret value(call.body_text("value"));
    if (value.empty()) return call.answer(problem(422, "the secret has no value"));
    if (value.reveal().size() > longest_value)
        return call.answer(problem(422, "the secret is longer than 64 KiB"));
    redactor().add(value.reveal());
    const std::string row = auth::secret_name(name);
    const std::string sealed = backend.secrets.seal(row, value);
    const auto work = [row, sealed, now = backend.clock.now()](store::Database& database) {
        return database.save_sealed(row, sealed, now);
    };
    backend.store.write(work, [&backend, answer = call.answer, row, sealed, name](Status saved) {
        if (!saved) return answer(problem(saved.error()));
        backend.secrets.keep(row, sealed);
        const std::vector<std::string> faults = backend.reload();
        answer(
            ok({{"ok", true},
                {"detail",
                 faults.empty()
                     ? "secret '" + name + "' is set, and in use where the configuration says !secret " + name
                     : "secret '" + name + "' is set; the configuration has faults and was not read again: " +
                           faults.front()}}));
    });
}

void remove_secret(const Backend& backend, const Call& call) {
    const std::string name = call.text("name");
    const std::string row = auth::secret_name(name);
    if (!backend.secrets.contains(row)) return call.answer(problem(404, "there is no secret '" + name + "'"));
    backend.store.write([row](store::Database& database) { return database.drop_sealed(row); },
                        [&backend, answer = call.answer, row, name](Status dropped) {
                            if (!dropped) return answer(problem(dropped.error()));
                            backend.secrets.forget(row);
                            (void)backend.reload();  // what needs it says so from now on
                            answer(ok({{"ok", true}, {"detail", "secret '" + name + "' is gone"}}));
                        });
}

// A new key, everything sealed with it in one transaction, and only then the old keys go.
void rotate_secrets(const Backend& backend, const Call& call) {
    auto anew = backend.secrets.seal_anew();
    if (!anew) return call.answer(problem(anew.error()));
    const auto shared = std::make_shared<const std::vector<auth::Secrets::Anew>>(std::move(*anew));
    const auto work = [shared](store::Database& database) -> Status {
        for (const auth::Secrets::Anew& one : *shared) {
            const Status saved = database.replace_sealed(one.name, one.old, one.sealed);
            if (!saved) return saved;
        }
        return {};
    };
    backend.store.write(work, [&backend, answer = call.answer, shared](Status saved) {
        if (!saved) return answer(problem(saved.error()));
        for (const auth::Secrets::Anew& one : *shared) backend.secrets.replace(one.name, one.old, one.sealed);
        const Status dropped = backend.secrets.drop_old_keys();
        if (!dropped) return answer(problem(dropped.error()));
        answer(ok({{"ok", true},
                   {"detail", std::to_string(shared->size()) + " secrets are sealed with a new key; copy " +
                                  backend.secrets.vault().file().string() + " to where its copy is kept"}}));
    });
}

}  // namespace

void add_secret_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "GET",
                .pattern = "/secrets",
                .scope = Scope::admin,
                .summary = "Names and ages of the secrets in the vault; never their values",
                .answers = "[Secret]",
                .whole_house = true,
                .handle = [&backend](Call& call) { list_secrets(backend, call); }});
    router.add({.method = "PUT",
                .pattern = "/secrets/{name}",
                .scope = Scope::admin,
                .summary = "Sets one; what says !secret NAME has it at once",
                .body = R"({"type":"object","additionalProperties":false,"required":["value"],
                            "properties":{"value":{"type":"string"}}})",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) { set_secret(backend, call); }});
    router.add({.method = "DELETE",
                .pattern = "/secrets/{name}",
                .scope = Scope::admin,
                .summary = "Forgets one",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) { remove_secret(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/secrets/rotate",
                .scope = Scope::admin,
                .summary = "A new key of the vault; everything is sealed with it",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) { rotate_secrets(backend, call); }});
}

}  // namespace liaisond::api
