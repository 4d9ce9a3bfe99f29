// quickbooks: customers, products, stock, orders, invoices and sales at tills of a company in QuickBooks
// Online (Accounting API v3).
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "codec.hpp"
#include "events.hpp"
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
    std::size_t type = 0;       // in the middle: which of the entity's types is read
    std::string at;             // and the date reached; empty: its beginning
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
        made.type = static_cast<std::size_t>(number("type"));
        made.at = text_in(document, "/at");
        made.is_done = number("done") != 0;
        return made;
    }
    static std::string finished(std::int64_t since_ms) {
        Json made = Json::object();
        made.set("since_ms", since_ms);
        return made.dump();
    }
    static std::string within(std::size_t type, const std::string& at, std::int64_t next_ms) {
        Json made = Json::object();
        if (type != 0) made.set("type", static_cast<std::int64_t>(type));
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
        const std::vector<std::string> types = types_of(start.entity, settings_);
        Cursor cursor = start.full ? Cursor() : Cursor::parse(start.cursor);
        if (start.has_range()) {
            co_await pull_range(context, start, types, cursor);
            co_return;
        }
        // Nobody says that what is bought and sold moves the time of an item: stock is always read whole.
        if (start.entity == "stock_level") cursor.since_ms = 0;
        const bool fresh = cursor.since_ms != 0 && context.now_ms() - cursor.since_ms < changes_kept_ms;
        bool complete = false;
        if (fresh && settings_.use_cdc) complete = co_await pull_changes(context, start, types, cursor);
        if (complete) co_return;
        std::int64_t next_ms = cursor.next_ms;
        for (std::size_t type = cursor.type; type < types.size(); ++type) {
            Walk walk(settings_, types[type], Walk::Along::changes, start.page_size);
            if (cursor.since_ms != 0) walk.begin_at(kit::rfc3339(cursor.since_ms));
            if (type == cursor.type && !cursor.at.empty()) walk.begin_at(cursor.at);
            while (walk.has_next()) {
                Json body = co_await read(context, walk.url());
                if (next_ms == 0) next_ms = time_of(body, context.now_ms(), settings_);
                std::vector<Record> records = records_of(walk.take(body), types[type], start.entity);
                const bool is_last = type + 1 == types.size();
                const std::string reached = walk.has_next() ? Cursor::within(type, walk.at(), next_ms)
                                            : is_last       ? Cursor::finished(next_ms)
                                                            : Cursor::within(type + 1, {}, next_ms);
                co_await emit_all(context, start, std::move(records), reached);
            }
        }
    }

    Task<void> push(Context& context, const Start& start) override {
        types_of(start.entity, settings_);
        for (std::size_t from = 0; from < start.records.size(); from += push_chunk) {
            const std::size_t to = std::min(from + push_chunk, start.records.size());
            co_await push_chunk_of(context, start, from, to);
        }
    }

    Task<void> find(Context& context, const Start& start) override {
        const std::string& entity = start.entity;
        const bool by_number = is_numbered_by_us(entity, settings_);
        std::vector<std::vector<Found>> found(start.queries.size());
        for (const std::string& type : types_of(entity, settings_)) {
            std::vector<std::string> ids, numbers;
            for (const Query& query : start.queries) {
                const Place place = place_of(entity, query.key, settings_);
                if (place.type == type) ids.push_back(place.id);
                if (query.key.empty() && by_number) numbers.push_back(query.reference.substr(0, 21));
            }
            std::vector<Json> rows = co_await look_up(context, type, "Id", ids);
            std::vector<Json> numbered = co_await look_up(context, type, "DocNumber", numbers);
            for (std::size_t i = 0; i < start.queries.size(); ++i)
                collect(start.queries[i], entity, type, rows, numbered, found[i]);
        }
        std::vector<Result> results;
        for (std::size_t i = 0; i < start.queries.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            const Query& query = start.queries[i];
            if (query.key.empty() && !by_number)
                results.push_back(refused(index, ErrorKind::config,
                                          "QuickBooks can search for our reference only in documents, and "
                                          "with number: reference"));
            else if (kit::is_unsent(query.key))
                results.push_back(Result(index, LIAISON_OUTCOME_FOUND).at(query.key));
            else
                results.push_back(pick(index, found[i]));
        }
        co_await context.result(std::move(results));
    }

    // Each thing that changed is read once, however often the events name it.
    Task<std::vector<std::string>> webhook(Context& context, const Start& start) override {
        std::vector<Result> results;
        std::map<std::string, std::map<std::string, Change>> wanted;  // by type and id
        for (std::uint32_t i = 0; i < start.events.size(); ++i) {
            const Notice notice = notice_of(start.events[i].body, settings_.realm);
            results.push_back(answer_to(i, notice));
            for (const Change& change : notice.changes) {
                if (!entities_of(change.type, settings_).empty()) wanted[change.type][change.id] = change;
            }
        }
        for (const auto& one : wanted) {
            std::vector<std::string> ids;
            for (const auto& change : one.second) ids.push_back(change.first);
            std::vector<Json> rows = co_await look_up(context, one.first, "Id", ids);
            std::vector<Record> records = records_of_changes(rows, one.first, one.second);
            // What the integration does not import the host leaves out, and what it refuses it keeps.
            if (!records.empty()) co_await context.emit(std::move(records), std::string());
        }
        co_await context.result(std::move(results));
        co_return std::vector<std::string>();
    }

  private:
    // ---- events ----

    static Result answer_to(std::uint32_t index, const Notice& notice) {
        if (!notice.fault.empty())
            return Result(index, LIAISON_OUTCOME_REJECTED).because(ErrorKind::invalid_record, notice.fault);
        return Result(index, notice.changes.empty() ? LIAISON_OUTCOME_IGNORED : LIAISON_OUTCOME_UPDATED);
    }
    // What was deleted is gone only where it is not found any more: events come in any order.
    std::vector<Record> records_of_changes(const std::vector<Json>& rows, const std::string& type,
                                           const std::map<std::string, Change>& changes) const {
        std::set<std::string> found;
        for (const Json& row : rows) found.insert(text_in(row, "/Id"));
        std::vector<Record> records;
        for (const std::string& entity : entities_of(type, settings_)) {
            std::vector<Record> some = records_of(rows, type, entity);
            for (const auto& [id, change] : changes) {
                if (!change.is_gone || found.contains(id)) continue;
                some.push_back(Record::tombstone(key_of(entity, type, id, settings_)));
                some.back().changed_ms = change.at_ms;
            }
            for (Record& record : some) {
                record.entity = entity;
                records.push_back(std::move(record));
            }
        }
        return records;
    }

    // ---- reading ----

    Task<Json> read(Context& context, std::string url) const {
        Request request = Settings::request("GET", url);
        Response response = co_await context.send(std::move(request));
        Answer answer(response);
        const std::optional<Failure> failure = read_failure(response, answer, url, context.now_ms());
        if (failure) throw *failure;
        co_return std::move(*answer.body);
    }

    std::vector<Record> records_of(const std::vector<Json>& rows, const std::string& type,
                                   const std::string& entity) const {
        std::vector<Record> records;
        for (const Json& row : rows) {
            std::optional<Record> record = record_of(row, type, entity, settings_);
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
    Task<bool> pull_changes(Context& context, const Start& start, const std::vector<std::string>& types,
                            const Cursor& cursor) const {
        const std::string since = kit::percent_encoded(kit::rfc3339(cursor.since_ms));
        std::string names;
        for (const std::string& type : types) names += (names.empty() ? "" : ",") + type;
        Json body =
            co_await read(context, settings_.url("/cdc", "entities=" + names + "&changedSince=" + since));
        const Json* answers = body.at("/CDCResponse/0/QueryResponse");
        if (answers == nullptr || !answers->is_array())
            throw Failure(ErrorKind::transient, "the answer to a request for changes has no QueryResponse");
        std::map<std::string, std::vector<Json>> rows;
        std::size_t count = 0;
        for (const std::string& type : types) {
            for (const Json& one : answers->items()) {
                const Json* found = one.find(type);
                if (found == nullptr || !found->is_array()) continue;
                rows[type].insert(rows[type].end(), found->items().begin(), found->items().end());
                count += found->items().size();
            }
        }
        const bool complete = count < changes_at_most;
        if (!complete) {
            context.log(LIAISON_LOG_WARNING,
                        "more than 999 changes of " + names + " since " + kit::rfc3339(cursor.since_ms) +
                            ": reading them by query; deletions not listed are noticed by the next full run");
        }
        std::vector<Record> records;
        for (auto& [type, some] : rows) {
            if (!complete)
                std::erase_if(some, [](const Json& row) { return text_in(row, "/status") != "Deleted"; });
            for (Record& record : records_of(some, type, start.entity)) records.push_back(std::move(record));
        }
        const std::int64_t next_ms = time_of(body, context.now_ms(), settings_);
        const std::string reached = complete ? Cursor::finished(next_ms) : std::string();
        co_await emit_all(context, start, std::move(records), reached);
        co_return complete;
    }

    // Documents by their date. Days are the company's: the range is widened to the whole days that cover it.
    Task<void> pull_range(Context& context, const Start& start, const std::vector<std::string>& types,
                          const Cursor& cursor) const {
        if (cursor.is_done) co_return;
        for (std::size_t type = cursor.type; type < types.size(); ++type) {
            Walk walk(settings_, types[type], Walk::Along::documents, start.page_size);
            if (start.from_ms != 0) walk.begin_at(date_of_ms(start.from_ms));
            if (start.to_ms != 0) walk.end_before(date_of_ms(start.to_ms + kit::ms_per_day - 1));
            if (type == cursor.type && !cursor.at.empty()) walk.begin_at(cursor.at);
            while (walk.has_next()) {
                Json body = co_await read(context, walk.url());
                std::vector<Record> records = records_of(walk.take(body), types[type], start.entity);
                const bool is_last = type + 1 == types.size();
                const std::string reached = walk.has_next() ? Cursor::within(type, walk.at(), 0)
                                            : is_last       ? std::string(R"({"done":1})")
                                                            : Cursor::within(type + 1, {}, 0);
                co_await emit_all(context, start, std::move(records), reached);
            }
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

    struct Found {
        std::string key, version;
    };
    // Which of the rows that query means.
    void collect(const Query& query, const std::string& entity, const std::string& type,
                 const std::vector<Json>& rows, const std::vector<Json>& numbered,
                 std::vector<Found>& into) const {
        const Place place = place_of(entity, query.key, settings_);
        for (const Json& row : query.key.empty() ? numbered : rows) {
            const std::string id = text_in(row, "/Id");
            const bool is_it = query.key.empty() ? is_ours(row, type, Json::object(), query.reference)
                                                 : place.type == type && place.id == id;
            if (is_it) into.push_back({key_of(entity, type, id, settings_), text_in(row, "/SyncToken")});
        }
    }
    static Result pick(std::uint32_t index, const std::vector<Found>& found) {
        if (found.empty()) return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        if (found.size() > 1)
            return refused(index, ErrorKind::conflict,
                           std::to_string(found.size()) + " records carry our reference");
        return Result(index, LIAISON_OUTCOME_FOUND).at(found[0].key, found[0].version);
    }

    // ---- writing ----

    // Looks before it creates: nobody says how long the service remembers a requestid. Then sends records
    // [from, to) side by side and reports them together.
    Task<void> push_chunk_of(Context& context, const Start& start, std::size_t from, std::size_t to) const {
        std::vector<Outgoing> all;
        for (std::size_t i = from; i < to; ++i) {
            all.push_back(prepare(settings_, start.entity, static_cast<std::uint32_t>(i), start.records[i],
                                  context.now_ms()));
        }
        co_await adopt_known(context, start.entity, all);
        co_await look_at_present(context, start.entity, all);
        std::vector<Request> requests;
        for (const Outgoing& out : all) {
            if (!out.result) requests.push_back(write_request(settings_, out));
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
            Verdict verdict = judge(settings_, start.entity, out, answers.at(answered++), context.now_ms());
            if (verdict.look_up) verdict.result = co_await judge_duplicate(context, start.entity, out);
            if (verdict.stops_job && !failure) failure = verdict.stops_job;
            results.push_back(std::move(verdict.result));
        }
        co_await context.result(std::move(results));
        if (failure) throw *failure;
    }

    // Creates that were executed before, by the name, number or SKU that is theirs alone.
    Task<void> adopt_known(Context& context, const std::string& entity, std::vector<Outgoing>& all) const {
        using Question = std::pair<std::string, std::string>;  // type, field
        std::map<Question, std::vector<std::string>> wanted;
        const auto question = [](const Outgoing& out) {
            return Question(out.type, natural_field(out.type, out.body));
        };
        for (const Outgoing& out : all) {
            if (out.result || out.operation != Operation::create) continue;
            const std::string value = text_in(out.body, "/" + question(out).second);
            if (!value.empty()) wanted[question(out)].push_back(value);
        }
        for (const auto& one : wanted) {
            const std::string &type = one.first.first, &name = one.first.second;
            std::vector<Json> rows = co_await look_up(context, type, name, one.second);
            for (Outgoing& out : all) {
                if (out.result || out.operation != Operation::create || question(out) != one.first) continue;
                const std::string value = text_in(out.body, "/" + name);
                std::vector<Json> known;
                for (const Json& row : rows) {
                    if (kit::lowered(text_in(row, "/" + name)) == kit::lowered(value)) known.push_back(row);
                }
                if (!value.empty() && !known.empty()) out.result = judge_known(settings_, entity, out, known);
            }
        }
    }

    // No write without SyncToken: where the hub does not know it, the one of now is asked for. And what may
    // not change is compared with what is there.
    Task<void> look_at_present(Context& context, const std::string& entity,
                               std::vector<Outgoing>& all) const {
        std::map<std::string, std::vector<std::string>> ids;  // by type
        const auto is_asked_for = [&](const Outgoing& out) {
            const bool compares = is_immutable(entity) && out.operation == Operation::update;
            return !out.result && out.operation != Operation::create && (out.version.empty() || compares);
        };
        for (const Outgoing& out : all) {
            if (is_asked_for(out)) ids[out.type].push_back(out.id);
        }
        for (const auto& one : ids) {
            const std::string& type = one.first;
            std::vector<Json> rows = co_await look_up(context, type, "Id", one.second);
            for (Outgoing& out : all) {
                if (out.type != type || !is_asked_for(out)) continue;
                const auto row = std::find_if(rows.begin(), rows.end(), [&](const Json& present) {
                    return text_in(present, "/Id") == out.id;
                });
                compare(entity, out, row != rows.end() ? &*row : nullptr);
            }
        }
    }
    void compare(const std::string& entity, Outgoing& out, const Json* row) const {
        if (row != nullptr) out.version = text_in(*row, "/SyncToken");
        if (row == nullptr && out.operation == Operation::remove)
            out.result = Result(out.index, LIAISON_OUTCOME_DELETED).at(out.record->key);
        else if (row == nullptr)
            out.result = refused(out.index, ErrorKind::permanent,
                                 "there is no " + out.type + " " + out.id + " any more");
        else if (is_immutable(entity) && out.operation == Operation::update)
            out.result = judge_issued(settings_, out, *row, out.record->key);
    }

    // A failing look-up must not cost the results of the whole chunk.
    Task<Result> judge_duplicate(Context& context, const std::string& entity, const Outgoing& out) const {
        const std::string field = out.type == "Item" ? "Name" : natural_field(out.type, out.body);
        std::vector<std::string> values{text_in(out.body, "/" + field)};
        try {
            std::vector<Json> rows = co_await look_up(context, out.type, field, values);
            co_return judge_known(settings_, entity, out, rows);
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
