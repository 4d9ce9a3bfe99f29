// custom_api: any JSON REST API, described by configuration instead of code.
#include <algorithm>
#include <memory>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "page_walk.hpp"
#include "settings.hpp"
#include "writing.hpp"

namespace custom_api {
namespace {

using liaison::Context;
using liaison::Query;
using liaison::Start;
using liaison::Task;

constexpr std::size_t default_batch = 500;
constexpr std::size_t push_chunk = 100;

class CustomApiConnector : public liaison::Connector {
  public:
    explicit CustomApiConnector(std::string_view config) : settings_(read_settings(config)) {}

    Task<std::string> test(Context& context) override {
        std::string path = settings_.test_path;
        for (const auto& [name, entity] : settings_.entities) {
            if (path.empty() && entity.list) path = entity.list->path;
        }
        Request request = settings_.request("GET", path, {});
        const std::string url = request.url;
        Response response = co_await context.send(std::move(request));
        if (!response.ok()) throw kit::read_failure(response, url, context.now_ms());
        const Json body = kit::json_body(response, url);
        const std::string account = text_at(body, settings_.test_account);
        Json output = Json::object();
        output.set("account", account.empty() ? settings_.base_url : account);
        co_return output.dump();
    }

    Task<void> pull(Context& context, const Start& start) override {
        const Entity& entity = entity_of(start.entity);
        if (!entity.list)
            throw Failure(ErrorKind::config, "entities/" + start.entity + ": 'list' is missing");
        if (start.has_range() && entity.list->from_param.empty()) {
            throw Failure(ErrorKind::config,
                          "entities/" + start.entity +
                              ": 'list.range' is missing, without which no range of dates can be asked for");
        }
        PageWalk walk(settings_, entity, start, context.now_ms());
        if (walk.is_done()) co_return;
        const std::size_t batch_size = start.page_size != 0 ? start.page_size : default_batch;
        Response page = co_await context.send(walk.request());
        if (walk.is_resumed() && is_stale(page)) {
            context.log(LIAISON_LOG_INFO,
                        "the stored page position is no longer valid; reading from the beginning");
            walk.restart();
            page = co_await context.send(walk.request());
        }
        bool has_more = true;
        while (has_more) {
            if (!page.ok())
                throw kit::read_failure(page, settings_.base_url + entity.list->path, context.now_ms());
            std::vector<Record> records = walk.take(page);
            // The last cursor may be stored only when nothing was skipped.
            if (!walk.has_next()) co_await check_last(context, walk);
            has_more = walk.has_next();
            while (records.size() > batch_size) {
                std::vector<Record> slice = take_front(records, batch_size);
                co_await context.emit_pipelined(std::move(slice), std::string());
            }
            co_await context.emit_pipelined(std::move(records), walk.cursor());
            if (has_more) page = co_await next_page(context, walk);
        }
        if (walk.moves() != 0) {
            context.log(LIAISON_LOG_INFO, "the list moved " + std::to_string(walk.moves()) +
                                              " times while it was read; what had moved was read again");
        }
    }

    Task<void> push(Context& context, const Start& start) override {
        const Entity& entity = entity_of(start.entity);
        for (std::size_t from = 0; from < start.records.size(); from += push_chunk) {
            const std::size_t to = std::min(from + push_chunk, start.records.size());
            co_await push_chunk_of(context, entity, start, from, to);
        }
    }

    Task<void> find(Context& context, const Start& start) override {
        const Entity& entity = entity_of(start.entity);
        if (!entity.find)
            throw Failure(ErrorKind::config, "entities/" + start.entity + ": 'find' is missing");
        std::vector<liaison::Result> results;
        for (std::size_t i = 0; i < start.queries.size(); ++i) {
            const Query& query = start.queries[i];
            Result result = co_await find_one(context, *entity.find, static_cast<std::uint32_t>(i), query);
            results.push_back(std::move(result));
        }
        co_await context.result(std::move(results));
    }

  private:
    // The page that is next, while the one before it is checked.
    static Task<Response> next_page(Context& context, PageWalk& walk) {
        std::optional<Request> check = walk.check_request();
        if (!check) {
            Response page = co_await context.send(walk.request());
            co_return page;
        }
        std::vector<Request> both;
        both.push_back(walk.request());
        both.push_back(std::move(*check));
        std::vector<Response> answers = co_await context.send_all(std::move(both), 2);
        for (const Response& answer : answers) {
            if (answer.error != LIAISON_ERROR_NONE)
                throw Failure(static_cast<ErrorKind>(answer.error), answer.error_text);
        }
        const bool stands = take_check(context, walk, answers.at(1));
        if (stands) co_return std::move(answers[0]);
        Response page = co_await context.send(walk.request());
        co_return page;
    }
    static Task<void> check_last(Context& context, PageWalk& walk) {
        std::optional<Request> check = walk.check_request();
        if (!check) co_return;
        Response answer = co_await context.send(std::move(*check));
        (void)take_check(context, walk, answer);
    }
    static bool take_check(const Context& context, PageWalk& walk, const Response& answer) {
        if (!answer.ok() && !is_stale(answer)) throw kit::read_failure(answer, walk.url(), context.now_ms());
        return walk.take_check(answer);
    }
    const Entity& entity_of(const std::string& name) const {
        const auto found = settings_.entities.find(name);
        if (found == settings_.entities.end())
            throw Failure(ErrorKind::config, "entities: '" + name + "' is not configured");
        return found->second;
    }
    static bool is_stale(const Response& page) {
        return page.status == 400 || page.status == 404 || page.status == 410 || page.status == 422;
    }
    static std::vector<Record> take_front(std::vector<Record>& records, std::size_t count) {
        const auto middle = records.begin() + static_cast<std::ptrdiff_t>(count);
        std::vector<Record> front(std::make_move_iterator(records.begin()), std::make_move_iterator(middle));
        records.erase(records.begin(), middle);
        return front;
    }

    // Sends records [from, to) in parallel and reports them together.
    Task<void> push_chunk_of(Context& context, const Entity& entity, const Start& start, std::size_t from,
                             std::size_t to) const {
        std::vector<Outgoing> all;
        std::vector<Request> requests;
        for (std::size_t i = from; i < to; ++i) {
            all.push_back(prepare(settings_, entity, static_cast<std::uint32_t>(i), start.records[i]));
            if (all.back().request) requests.push_back(std::move(*all.back().request));
        }
        std::vector<Response> answers;
        if (!requests.empty()) answers = co_await context.send_all(std::move(requests), settings_.parallel);
        std::vector<Result> results;
        std::optional<Failure> failure;
        std::size_t answered = 0;
        for (const Outgoing& out : all) {
            if (out.result) {
                results.push_back(*out.result);
                continue;
            }
            Verdict verdict = judge(settings_, entity, out, answers.at(answered++), context.now_ms());
            if (verdict.look_up) {
                verdict.result = co_await duplicate_of(context, *entity.find, out, std::move(verdict.result));
            }
            if (verdict.stops_job && !failure) failure = verdict.stops_job;
            results.push_back(std::move(verdict.result));
        }
        co_await context.result(std::move(results));
        if (failure) throw *failure;
    }

    // The remote says the record is there already. A failing look-up must not cost the results of the whole
    // chunk.
    Task<Result> duplicate_of(Context& context, const Find& find, const Outgoing& out, Result refusal) const {
        const Query query(out.record->reference, std::string());
        try {
            Result found = co_await find_one(context, find, out.index, query);
            if (found.outcome != LIAISON_OUTCOME_FOUND) co_return refusal;
            found.outcome = LIAISON_OUTCOME_DUPLICATE;
            co_return found;
        } catch (const Failure& failure) {
            co_return Result(out.index, LIAISON_OUTCOME_RETRY).because(failure.kind, failure.what());
        }
    }

    // By our reference where there is one, else by external id.
    Task<Result> find_one(Context& context, const Find& find, std::uint32_t index, const Query& query) const {
        const bool by_reference = !query.reference.empty() && !find.path.empty();
        if (!by_reference && (query.key.empty() || find.key_path.empty())) {
            co_return refused(index, ErrorKind::config,
                              "find: neither 'path' nor 'key_path' fits this query");
        }
        custom_api::Query parameters = find.query;
        if (by_reference && !find.param.empty()) parameters.emplace_back(find.param, query.reference);
        const std::string path = expand(by_reference ? find.path : find.key_path, query.key, query.reference);
        Request request = settings_.request("GET", path, parameters);
        const std::string url = request.url;
        Response response = co_await context.send(std::move(request));
        if (response.status == 404 || (response.status == 410 && !by_reference)) {
            co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        }
        if (!response.ok()) throw kit::read_failure(response, url, context.now_ms());
        const Json body = kit::json_body(response, url);
        if (by_reference) co_return pick(find, index, query, body);
        std::string version = text_at(body, find.version);
        if (version.empty()) version = response.header("ETag");
        co_return Result(index, LIAISON_OUTCOME_FOUND).at(query.key, version);
    }
    // Adopting a record that is not ours would be worse than not finding it: only an exact match counts.
    static Result pick(const Find& find, std::uint32_t index, const Query& query, const Json& body) {
        const Json* items = body.at(find.items);
        std::vector<const Json*> matching;
        if (items != nullptr && items->is_array()) {
            for (const Json& item : items->items()) matching.push_back(&item);
        } else if (items != nullptr && items->is_object()) {
            matching.push_back(items);
        }
        std::erase_if(matching, [&](const Json* item) {
            return find.match && text_at(*item, find.match) != query.reference;
        });
        if (matching.empty()) return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        if (matching.size() > 1) {
            return refused(index, ErrorKind::conflict,
                           std::to_string(matching.size()) + " records carry our reference");
        }
        const std::string id = text_at(*matching[0], find.id);
        if (id.empty())
            return refused(index, ErrorKind::config, "find.id points to nothing in what was found");
        return Result(index, LIAISON_OUTCOME_FOUND).at(id, text_at(*matching[0], find.version));
    }

    const Settings settings_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<CustomApiConnector>(config);
}

}  // namespace
}  // namespace custom_api

LIAISON_PLUGIN(custom_api::make)
