// The house as a whole: is it ready, what is installed, what was done to it.
#include <boost/json/parse.hpp>

#include "access/audit.hpp"
#include "api/backend.hpp"

namespace liaisond::api {
namespace json = boost::json;
namespace {

constexpr std::uint32_t audit_page = 1000;

json::object to_json(const store::AuditRow& row) {
    return {{"seq", row.seq},       {"at", format_instant(row.at)}, {"actor", row.actor},
            {"action", row.action}, {"target", row.target},         {"detail", parsed(row.detail)}};
}

// GET audit?after=N: a page, each checked against the one before it.
void show_audit(const Backend& backend, const Call& call) {
    const std::int64_t after = call.number("after");
    const auto key = backend.secrets.find(audit_key);
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
    backend.store.read(work, [answer = call.answer](Result<Page> page) {
        if (!page) return answer(problem(page.error()));
        json::array items;
        for (const store::AuditRow& row : page->rows) items.push_back(to_json(row));
        const bool more = page->rows.size() >= audit_page;
        answer(ok({{"items", std::move(items)},
                   {"fault", page->fault ? json::value(page->fault->text) : json::value()},
                   {"next", more ? json::value(std::to_string(page->rows.back().seq)) : json::value()}}));
    });
}

void reload(const Backend& backend, const Call& call) {
    const std::vector<std::string> faults = backend.reload();
    if (faults.empty()) return call.answer(ok({{"ok", true}}));
    json::array errors;
    for (const std::string& fault : faults) errors.push_back(json::object{{"detail", fault}});
    call.answer(
        problem(422, "the configuration was not reloaded; the old one stays in force", std::move(errors)));
}

void release_plugin(const Backend& backend, const Call& call) {
    const std::string plugin = call.text("plugin");
    const std::size_t released = backend.release_plugin(plugin);
    if (released == 0)
        return call.answer(
            problem(404, "no worker of a plugin '" + plugin +
                             "' was stopped for crashing; liaisonctl status shows all workers"));
    call.answer(ok({{"ok", true}, {"released", released}}));
}

}  // namespace

void add_house_routes(Router& router, const Backend& backend) {
    using access::Scope;
    router.add({.method = "GET",
                .pattern = "/plugins",
                .summary = "What is installed",
                .answers = "Plugins",
                .handle = [&backend](Call& call) { call.answer(ok(backend.plugins())); }});
    router.add({.method = "POST",
                .pattern = "/plugins/{plugin}/accept",
                .scope = Scope::admin,
                .summary = "Takes a plugin file that changed for what it is now",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) {
                    const std::string name = call.text("plugin");
                    const Status done = backend.accept_plugin(name);
                    if (!done) return call.answer(problem(done.error()));
                    call.answer(ok({{"ok", true}, {"detail", name + " is accepted as it is now"}}));
                }});
    router.add({.method = "POST",
                .pattern = "/plugins/{plugin}/release",
                .scope = Scope::operate,
                .summary = "Starts a plugin again that crashed too often",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) { release_plugin(backend, call); }});
    router.add({.method = "POST",
                .pattern = "/reload",
                .scope = Scope::admin,
                .summary = "Reads the configuration again; with a fault in it the old one stays",
                .answers = "Done",
                .whole_house = true,
                .handle = [&backend](Call& call) { reload(backend, call); }});
    router.add({.method = "GET",
                .pattern = "/audit",
                .scope = Scope::admin,
                .summary = "Who did what, each entry checked against the one before it",
                .query = {{Parameter::Kind::number, "after", "Behind this number"}},
                .answers = "AuditPage",
                .whole_house = true,
                .handle = [&backend](Call& call) { show_audit(backend, call); }});
}

}  // namespace liaisond::api
