// API tokens.
#include "api/backend.hpp"
#include "base/ids.hpp"
#include "base/system.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::size_t longest_name = 100;

json::object to_json(const store::TokenRow& row) {
    return {{"id", row.id},
            {"name", row.name},
            {"scope", access::to_string(static_cast<access::Scope>(row.scope))},
            {"tenant", text_or_null(row.tenant)},
            {"created_at", format_instant(row.created)},
            {"expires_at", format_instant(row.expires)},
            {"last_used_at", time_or_null(row.last_used)}};
}

void list_tokens(const Backend& backend, const Call& call) {
    json::array items;
    for (const auto& [id, row] : backend.tokens.all()) {
        if (call.sees(row.tenant)) items.push_back(to_json(row));
    }
    call.answer(ok({{"items", std::move(items)}, {"next", nullptr}}));
}

// POST tokens {"name", "scope", "days"}: the only time that the token itself is shown.
void create_token(const Backend& backend, const Call& call) {
    const std::string name = call.body_text("name");
    if (name.empty() || name.size() > longest_name || !valid_utf8(name))
        return call.answer(problem(422, "a token needs a name of at most 100 characters: who uses it, say"));
    const json::object& body = call.body.get_object();
    const std::string word = body.contains("scope") ? call.body_text("scope") : "read";
    const json::value* days_wanted = body.if_contains("days");
    const std::int64_t days = days_wanted != nullptr ? days_wanted->to_number<std::int64_t>()
                                                     : access::usual_life / std::chrono::hours(24);
    // Whoever sees one tenant only makes no token that sees more.
    const std::string tenant = call.tenant.empty() ? call.body_text("tenant") : call.tenant;
    if (!call.sees(call.body_text("tenant")) && !call.body_text("tenant").empty())
        return call.answer(problem(403, "only tokens of tenant " + call.tenant + " can be made here"));
    const access::Scope scope = *access::parse_scope(word);
    if (!call.who.may(scope))
        return call.answer(problem(403, call.who.name + " makes no token that may more"));
    const Instant now = backend.clock.now();
    SystemRandom random;
    auto made = std::make_shared<access::Tokens::Made>(
        access::Tokens::make(name, scope, tenant, now, now + std::chrono::hours(24 * days), random));
    backend.store.write([row = made->row](store::Database& database) { return database.save_token(row); },
                        [&backend, answer = call.answer, made](Status saved) {
                            if (!saved) return answer(problem(saved.error()));
                            backend.tokens.add(made->row);
                            json::object body = to_json(made->row);
                            body["token"] = made->text.reveal();
                            answer(ok(body, 201));
                        });
}

void revoke_token(const Backend& backend, const Call& call) {
    const std::string id = call.text("token");
    const auto known = backend.tokens.all().find(id);
    if (known == backend.tokens.all().end() || !call.sees(known->second.tenant))
        return call.answer(problem(404, "there is no token " + shortened(id, 40)));
    backend.store.write([id](store::Database& database) { return database.drop_token(id); },
                        [&backend, answer = call.answer, id](Status dropped) {
                            if (!dropped) return answer(problem(dropped.error()));
                            backend.tokens.remove(id);
                            answer(ok({{"ok", true}, {"detail", "token " + id + " is revoked"}}));
                        });
}

}  // namespace

void add_token_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "GET",
                .pattern = "/tokens",
                .scope = Scope::admin,
                .summary = "API tokens, without what they open with",
                .answers = "[Token]",
                .handle = [&backend](Call& call) { list_tokens(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/tokens",
                .scope = Scope::admin,
                .summary = "A new token; this answer is the only one that shows it",
                .body = R"({"type":"object","additionalProperties":false,"required":["name"],
                            "properties":{"name":{"type":"string"},"scope":{"enum":["read","operate","admin"]},
                              "tenant":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":3650}}})",
                .answers = "NewToken",
                .status = 201,
                .handle = [&backend](Call& call) { create_token(backend, call); }});
    router.add({.method = "DELETE",
                .pattern = "/tokens/{token}",
                .scope = Scope::admin,
                .summary = "It opens nothing any longer",
                .answers = "Done",
                .handle = [&backend](Call& call) { revoke_token(backend, call); }});
}

}  // namespace liaisond::api
