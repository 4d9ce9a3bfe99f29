// Routes: API tokens, and the audit log.
#include <boost/json/parse.hpp>
#include <charconv>

#include "access/audit.hpp"
#include "api/routes.hpp"
#include "base/ids.hpp"
#include "base/system.hpp"
#include "base/text.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::size_t longest_name = 100;
constexpr std::int64_t most_days = 3650;
constexpr std::uint32_t audit_page = 1000;

json::object to_json(const store::TokenRow& row) {
    return {{"id", row.id},
            {"name", row.name},
            {"scope", access::to_string(static_cast<access::Scope>(row.scope))},
            {"created_at", format_instant(row.created)},
            {"expires_at", format_instant(row.expires)},
            {"last_used_at", time_or_null(row.last_used)}};
}

json::object to_json(const store::AuditRow& row) {
    return {{"seq", row.seq},       {"at", format_instant(row.at)}, {"actor", row.actor},
            {"action", row.action}, {"target", row.target},         {"detail", parsed(row.detail)}};
}

}  // namespace

void Routes::list_tokens(const Call& call) {
    json::array items;
    for (const auto& [id, row] : backend_.tokens.all()) items.push_back(to_json(row));
    call.answer(ok({{"items", std::move(items)}, {"next", nullptr}}));
}

// POST tokens {"name", "scope", "days"}: the only time that the token itself is shown.
void Routes::create_token(const Call& call) {
    const std::string name = text_in(call.body, "name"), word = text_in(call.body, "scope"),
                      days_text = text_in(call.body, "days");
    if (name.empty() || name.size() > longest_name || !valid_utf8(name))
        return call.answer(problem(422, "a token needs a name of at most 100 characters: who uses it, say"));
    const auto scope = access::parse_scope(word.empty() ? "read" : word);
    if (!scope)
        return call.answer(
            problem(422, "'" + shortened(word, 40) + "' is no scope; it is read, operate or admin"));
    std::int64_t days = access::usual_life / std::chrono::hours(24);
    const auto [end, error] = std::from_chars(days_text.data(), days_text.data() + days_text.size(), days);
    const bool is_number =
        days_text.empty() || (error == std::errc() && end == days_text.data() + days_text.size());
    if (!is_number || days < 1 || days > most_days)
        return call.answer(problem(422, "days must be a whole number from 1 to 3650"));
    const Instant now = SystemClock().now();
    SystemRandom random;
    auto made = std::make_shared<access::Tokens::Made>(
        access::Tokens::make(name, *scope, {}, now, now + std::chrono::hours(24 * days), random));
    backend_.store.write([row = made->row](store::Database& database) { return database.save_token(row); },
                         [this, answer = call.answer, made](Status saved) {
                             if (!saved) return answer(problem(saved.error()));
                             backend_.tokens.add(made->row);
                             json::object body = to_json(made->row);
                             body["token"] = made->text.reveal();
                             answer(ok(body, 201));
                         });
}

void Routes::revoke_token(const Call& call, const std::string& id) {
    if (!backend_.tokens.all().contains(id))
        return call.answer(problem(404, "there is no token " + shortened(id, 40)));
    backend_.store.write([id](store::Database& database) { return database.drop_token(id); },
                         [this, answer = call.answer, id](Status dropped) {
                             if (!dropped) return answer(problem(dropped.error()));
                             backend_.tokens.remove(id);
                             answer(ok({{"ok", true}, {"detail", "token " + id + " is revoked"}}));
                         });
}

// GET audit?after=N: a page, each checked against the one before it.
void Routes::show_audit(const Call& call) {
    std::int64_t after = 0;
    if (const auto wanted = call.query.find("after"); wanted != call.query.end()) {
        const std::string& text = wanted->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), after);
        if (error != std::errc() || end != text.data() + text.size() || after < 0)
            return call.answer(problem(400, "after must be a whole number"));
    }
    const auto key = backend_.secrets.find(audit_key);
    if (!key) return call.answer(problem(key.error()));
    struct Page {
        std::vector<store::AuditRow> rows;
        std::optional<access::AuditFault> fault;
    };
    const auto work = [after, key = *key](store::Database& database) -> Result<Page> {
        // One more in front, for its digest.
        auto rows = database.audit(after == 0 ? 1 : after, audit_page + 1);
        if (!rows) return fail(rows.error());
        Page page;
        std::string previous;
        if (after != 0 && !rows->empty() && rows->front().seq == after) {
            previous = rows->front().hash;
            rows->erase(rows->begin());
        }
        page.fault = access::verify_audit(key, previous, after + 1, *rows);
        page.rows = std::move(*rows);
        return page;
    };
    backend_.store.read(work, [answer = call.answer](Result<Page> page) {
        if (!page) return answer(problem(page.error()));
        json::array items;
        for (const store::AuditRow& row : page->rows) items.push_back(to_json(row));
        const bool more = page->rows.size() >= audit_page;
        answer(ok({{"items", std::move(items)},
                   {"fault", page->fault ? json::value(page->fault->text) : json::value()},
                   {"next", more ? json::value(std::to_string(page->rows.back().seq)) : json::value()}}));
    });
}

}  // namespace liaisond::api
