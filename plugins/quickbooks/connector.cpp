// quickbooks: customers, products and orders of a company in QuickBooks Online (Accounting API v3).
#include <algorithm>
#include <memory>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "codec.hpp"
#include "faults.hpp"
#include "settings.hpp"
#include "walk.hpp"
#include "writing.hpp"

namespace quickbooks {
namespace {

using liaison::Context;
using liaison::Query;
using liaison::Start;
using liaison::Task;

constexpr std::size_t push_chunk = 30, default_batch = 500;
constexpr std::uint32_t parallel_writes = 8;  // of ten at once that the service allows
// Changes are kept for 30 days; a day is left for clocks that differ.
constexpr std::int64_t changes_kept_ms = 29 * kit::ms_per_day;
constexpr std::size_t changes_at_most = 1000;

// Where an incremental pull goes on: after a finished pass, or in the middle of one.
struct Cursor {
    std::int64_t since_ms = 0;  // everything before is known
    std::string at;             // in the middle: the date reached
    std::int64_t next_ms = 0;   // `since_ms` once this pass is finished
    bool is_done = false;       // of a range of dates

    static Cursor parse(const std::string& text) {
        Cursor made;
        if (text.empty()) return made;
        const Json document = Json::parse(text);
        const auto number = [&](const char* key) {
            const Json* found = document.find(key);
            return found != nullptr ? found->to_int().value_or(0) : 0;
        };
        made.since_ms = number("since_ms");
        made.next_ms = number("next_ms");
        made.at = text_in(document, "/at");
        made.is_done = number("done") != 0;
        return made;
    }
    static std::string finished(std::int64_t since_ms) {
        Json made = Json::object();
        made.set("since_ms", since_ms);
        return made.dump();
    }
    static std::string within(const std::string& at, std::int64_t next_ms) {
        Json made = Json::object();
        made.set("at", at);
        made.set("next_ms", next_ms);
        return made.dump();
    }
};

// The vendor's clock, minus what may still be on its way into its index.
std::int64_t time_of(const Json& body, std::int64_t now_ms, const Settings& settings) {
    return kit::parse_rfc3339(text_in(body, "/time")).value_or(now_ms) - settings.overlap_ms;
}

std::string date_of_ms(std::int64_t ms) { return kit::date_text(kit::DateTime::from_unix_ms(ms).date); }

class QuickBooks : public liaison::Connector {
  public:
    explicit QuickBooks(std::string_view config) : settings_(read_settings(config)) {}

    Task<std::string> test(Context& context) override {
        Json body = co_await read(context, settings_.url("/companyinfo/" + settings_.realm));
        Json output = Json::object();
        const std::string name = text_in(body, "/CompanyInfo/CompanyName");
        output.set("account", name.empty() ? "company " + settings_.realm : name);
        output.set("country", text_in(body, "/CompanyInfo/Country"));
        co_return output.dump();
    }

    Task<void> pull(Context& context, const Start& start) override {
        const std::string type = type_of(start.entity, settings_);
        const Cursor cursor = start.full ? Cursor() : Cursor::parse(start.cursor);
        if (start.has_range()) {
            co_await pull_range(context, start, type, cursor);
            co_return;
        }
        const bool fresh =
            cursor.since_ms != 0 && cursor.at.empty() && context.now_ms() - cursor.since_ms < changes_kept_ms;
        bool complete = false;
        if (fresh && settings_.use_cdc) complete = co_await pull_changes(context, start, type, cursor);
        if (complete) co_return;
        Walk walk(settings_, type, Walk::Along::changes, start.page_size);
        if (cursor.since_ms != 0) walk.begin_at(kit::rfc3339(cursor.since_ms));
        if (!cursor.at.empty()) walk.begin_at(cursor.at);
        std::int64_t next_ms = cursor.next_ms;
        while (walk.has_next()) {
            Json body = co_await read(context, walk.url());
            if (next_ms == 0) next_ms = time_of(body, context.now_ms(), settings_);
            std::vector<Record> records = records_of(walk.take(body), type);
            const std::string reached =
                walk.has_next() ? Cursor::within(walk.at(), next_ms) : Cursor::finished(next_ms);
            co_await emit_all(context, start, std::move(records), reached);
        }
    }

    Task<void> push(Context& context, const Start& start) override {
        const std::string type = type_of(start.entity, settings_);
        for (std::size_t from = 0; from < start.records.size(); from += push_chunk) {
            const std::size_t to = std::min(from + push_chunk, start.records.size());
            co_await push_chunk_of(context, type, start, from, to);
        }
    }

    Task<void> find(Context& context, const Start& start) override {
        const std::string type = type_of(start.entity, settings_);
        std::vector<std::string> ids, numbers;
        for (const Query& query : start.queries) {
            if (!query.key.empty()) ids.push_back(query.key);
            if (query.key.empty()) numbers.push_back(query.reference.substr(0, 21));
        }
        const bool by_number = settings_.numbering == Numbering::reference && type == settings_.document;
        if (!by_number) numbers.clear();
        std::vector<Json> rows = co_await look_up(context, type, "Id", ids);
        std::vector<Json> numbered = co_await look_up(context, type, "DocNumber", numbers);
        std::vector<Result> results;
        for (std::size_t i = 0; i < start.queries.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            const Query& query = start.queries[i];
            if (!query.key.empty())
                results.push_back(
                    pick(index, rows, [&](const Json& row) { return text_in(row, "/Id") == query.key; }));
            else if (by_number)
                results.push_back(pick(index, numbered, [&](const Json& row) {
                    return is_ours(row, type, Json::object(), query.reference);
                }));
            else
                results.push_back(refused(index, ErrorKind::config,
                                          "QuickBooks can search for our reference only in orders, and with "
                                          "orders.number: reference"));
        }
        co_await context.result(std::move(results));
    }

  private:
    // ---- reading ----

    Task<Json> read(Context& context, std::string url) const {
        Request request = Settings::request("GET", url);
        Response response = co_await context.send(std::move(request));
        Answer answer(response);
        const std::optional<Failure> failure = read_failure(response, answer, url, context.now_ms());
        if (failure) throw *failure;
        co_return std::move(*answer.body);
    }

    std::vector<Record> records_of(const std::vector<Json>& rows, const std::string& type) const {
        std::vector<Record> records;
        for (const Json& row : rows) {
            std::optional<Record> record = record_of(row, type, settings_);
            if (record) records.push_back(std::move(*record));
        }
        return records;
    }

    // In batches; the last one carries the cursor.
    Task<void> emit_all(Context& context, const Start& start, std::vector<Record> records,
                        std::string cursor) const {
        const std::size_t size = start.page_size != 0 ? start.page_size : default_batch;
        std::size_t at = 0;
        while (records.size() - at > size) {
            const auto first = records.begin() + static_cast<std::ptrdiff_t>(at);
            std::vector<Record> some(std::make_move_iterator(first),
                                     std::make_move_iterator(first + static_cast<std::ptrdiff_t>(size)));
            at += size;
            co_await context.emit_pipelined(std::move(some), std::string());
        }
        records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(at));
        co_await context.emit_pipelined(std::move(records), std::move(cursor));
    }

    // Change data capture: what was changed and deleted since. False: more than one answer holds, and there
    // is no second page; then the query shows what changed, and the deletions that were not listed are
    // noticed by the next full run.
    Task<bool> pull_changes(Context& context, const Start& start, const std::string& type,
                            const Cursor& cursor) const {
        const std::string since = kit::percent_encoded(kit::rfc3339(cursor.since_ms));
        Json body =
            co_await read(context, settings_.url("/cdc", "entities=" + type + "&changedSince=" + since));
        std::vector<Json> rows;
        const Json* answers = body.at("/CDCResponse/0/QueryResponse");
        if (answers == nullptr || !answers->is_array())
            throw Failure(ErrorKind::transient, "the answer to a request for changes has no QueryResponse");
        for (const Json& one : answers->items()) {
            const Json* found = one.find(type);
            if (found != nullptr && found->is_array())
                rows.insert(rows.end(), found->items().begin(), found->items().end());
        }
        const bool complete = rows.size() < changes_at_most;
        if (!complete) {
            context.log(LIAISON_LOG_WARNING, "more than 999 changes of " + type + " since " +
                                                 kit::rfc3339(cursor.since_ms) +
                                                 ": reading them by query; deletions not listed are noticed "
                                                 "by the next full run");
            std::erase_if(rows, [](const Json& row) { return text_in(row, "/status") != "Deleted"; });
        }
        const std::int64_t next_ms = time_of(body, context.now_ms(), settings_);
        std::vector<Record> records = records_of(rows, type);
        const std::string reached = complete ? Cursor::finished(next_ms) : std::string();
        co_await emit_all(context, start, std::move(records), reached);
        co_return complete;
    }

    // Documents by their date. Days are the company's: the range is widened to the whole days that cover it.
    Task<void> pull_range(Context& context, const Start& start, const std::string& type,
                          const Cursor& cursor) const {
        if (cursor.is_done) co_return;
        Walk walk(settings_, type, Walk::Along::documents, start.page_size);
        if (start.from_ms != 0) walk.begin_at(date_of_ms(start.from_ms));
        if (start.to_ms != 0) walk.end_before(date_of_ms(start.to_ms + kit::ms_per_day - 1));
        if (!cursor.at.empty()) walk.begin_at(cursor.at);
        while (walk.has_next()) {
            Json body = co_await read(context, walk.url());
            std::vector<Record> records = records_of(walk.take(body), type);
            const std::string reached =
                walk.has_next() ? Cursor::within(walk.at(), 0) : std::string(R"({"done":1})");
            co_await emit_all(context, start, std::move(records), reached);
        }
    }

    // All rows whose field has one of these values.
    Task<std::vector<Json>> look_up(Context& context, const std::string& type, const std::string& field,
                                    const std::vector<std::string>& values) const {
        std::vector<Json> all;
        for (const std::string& statement : look_ups(type, field, values)) {
            Json body = co_await read(context, query_url(settings_, statement));
            for (Json& row : rows_of(body, type)) all.push_back(std::move(row));
        }
        co_return all;
    }

    template <class Matches>
    static Result pick(std::uint32_t index, const std::vector<Json>& rows, Matches matches) {
        std::vector<const Json*> found;
        for (const Json& row : rows) {
            if (matches(row)) found.push_back(&row);
        }
        if (found.empty()) return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        if (found.size() > 1)
            return refused(index, ErrorKind::conflict,
                           std::to_string(found.size()) + " records carry our reference");
        return Result(index, LIAISON_OUTCOME_FOUND)
            .at(text_in(*found[0], "/Id"), text_in(*found[0], "/SyncToken"));
    }

    // ---- writing ----

    // Looks before it creates: nobody says how long the service remembers a requestid. Then sends records
    // [from, to) side by side and reports them together.
    Task<void> push_chunk_of(Context& context, const std::string& type, const Start& start, std::size_t from,
                             std::size_t to) const {
        std::vector<Outgoing> all;
        for (std::size_t i = from; i < to; ++i) {
            all.push_back(
                prepare(settings_, type, static_cast<std::uint32_t>(i), start.records[i], context.now_ms()));
        }
        co_await adopt_known(context, type, all);
        co_await complete_versions(context, type, all);
        std::vector<Request> requests;
        for (const Outgoing& out : all) {
            if (!out.result) requests.push_back(write_request(settings_, type, out));
        }
        std::vector<Response> answers;
        if (!requests.empty()) answers = co_await context.send_all(std::move(requests), parallel_writes);
        std::vector<Result> results;
        std::optional<Failure> failure;
        std::size_t answered = 0;
        for (const Outgoing& out : all) {
            if (out.result) {
                results.push_back(*out.result);
                continue;
            }
            Verdict verdict = judge(type, out, answers.at(answered++), context.now_ms());
            if (verdict.look_up) verdict.result = co_await judge_duplicate(context, type, out);
            if (verdict.stops_job && !failure) failure = verdict.stops_job;
            results.push_back(std::move(verdict.result));
        }
        co_await context.result(std::move(results));
        if (failure) throw *failure;
    }

    // Creates that were executed before, by the name, number or SKU that is theirs alone.
    Task<void> adopt_known(Context& context, const std::string& type, std::vector<Outgoing>& all) const {
        std::map<std::string, std::vector<std::string>> wanted;  // by field
        for (const Outgoing& out : all) {
            if (out.result || out.operation != Operation::create) continue;
            const std::string field = natural_field(type, out.body), value = text_in(out.body, "/" + field);
            if (!value.empty()) wanted[field].push_back(value);
        }
        for (const auto& [field, values] : wanted) {
            const std::string& name = field;
            std::vector<Json> rows = co_await look_up(context, type, name, values);
            for (Outgoing& out : all) {
                if (out.result || out.operation != Operation::create || natural_field(type, out.body) != name)
                    continue;
                const std::string value = text_in(out.body, "/" + name);
                std::vector<Json> known;
                for (const Json& row : rows) {
                    if (kit::lowered(text_in(row, "/" + name)) == kit::lowered(value)) known.push_back(row);
                }
                if (!value.empty() && !known.empty()) out.result = judge_known(settings_, type, out, known);
            }
        }
    }

    // No update without SyncToken. Where the hub does not know it, the one of now is asked for.
    Task<void> complete_versions(Context& context, const std::string& type,
                                 std::vector<Outgoing>& all) const {
        std::vector<std::string> ids;
        for (const Outgoing& out : all) {
            if (!out.result && out.operation != Operation::create && out.version.empty())
                ids.push_back(out.record->key);
        }
        std::vector<Json> rows = co_await look_up(context, type, "Id", ids);
        for (Outgoing& out : all) {
            if (out.result || out.operation == Operation::create || !out.version.empty()) continue;
            for (const Json& row : rows) {
                if (text_in(row, "/Id") == out.record->key) out.version = text_in(row, "/SyncToken");
            }
            if (!out.version.empty()) continue;
            if (out.operation == Operation::remove)
                out.result = Result(out.index, LIAISON_OUTCOME_DELETED).at(out.record->key);
            else
                out.result = refused(out.index, ErrorKind::permanent,
                                     "there is no " + type + " " + out.record->key + " any more");
        }
    }

    // A failing look-up must not cost the results of the whole chunk.
    Task<Result> judge_duplicate(Context& context, const std::string& type, const Outgoing& out) const {
        const std::string field = type == "Item" ? "Name" : natural_field(type, out.body);
        std::vector<std::string> values{text_in(out.body, "/" + field)};
        try {
            std::vector<Json> rows = co_await look_up(context, type, field, values);
            co_return judge_known(settings_, type, out, rows);
        } catch (const Failure& failure) {
            co_return Result(out.index, LIAISON_OUTCOME_RETRY).because(failure.kind, failure.what());
        }
    }

    const Settings settings_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<QuickBooks>(config);
}

}  // namespace
}  // namespace quickbooks

LIAISON_PLUGIN(quickbooks::make)
