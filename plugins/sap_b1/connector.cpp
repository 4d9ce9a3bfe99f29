// sap_b1: SAP Business One through its Service Layer, versions 1 and 2.
#include <algorithm>
#include <memory>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "service.hpp"
#include "sets.hpp"
#include "settings.hpp"
#include "walk.hpp"
#include "writing.hpp"

namespace sap_b1 {
namespace {

using liaison::Context;
using liaison::Query;
using liaison::Start;
using liaison::Task;

constexpr std::size_t push_chunk = 20;
constexpr std::chrono::seconds login_time_limit{60};  // SAP takes seconds, and half a minute on a bad day

// A body that is a template may not let a setting ask for secrets.
std::string without_templates(std::string text) {
    for (std::size_t at = 0; (at = text.find("{{", at)) != std::string::npos; at += 6)
        text.replace(at, 2, "{{{{}}");
    return text;
}

class SapConnector : public liaison::Connector {
  public:
    explicit SapConnector(std::string_view config) : settings_(read_settings(config)) {}

    // One bad password is an attempt less until SAP locks the user: sent once, never repeated here.
    Task<std::string> login(Context& context, const Start&) override {
        Request request("POST", settings_.url("Login"));
        request.headers.emplace_back("Accept", "application/json");
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = login_body();
        request.flags = LIAISON_REQUEST_BODY_IS_TEMPLATE | LIAISON_REQUEST_MUTATES;
        request.timeout_ms = static_cast<std::uint32_t>(std::chrono::milliseconds(login_time_limit).count());
        std::vector<Request> requests;
        requests.push_back(std::move(request));
        std::vector<Response> answers = co_await context.send_all(std::move(requests), 1);
        const Response& answer = answers.at(0);
        if (answer.error != LIAISON_ERROR_NONE) {
            const auto kind = static_cast<ErrorKind>(answer.error);
            throw Failure(kind == ErrorKind::unknown_outcome ? ErrorKind::transient : kind,
                          answer.error_text);
        }
        if (!answer.ok()) throw login_refusal(settings_, answer, context.now_ms());
        const Json session = liaison::kit::json_body(answer, settings_.url("Login"));
        if (text_of(session, "SessionId").empty())
            throw Failure(ErrorKind::config, "no session came of the login; is 'server' a Service Layer?",
                          liaison::kit::vendor_text(answer));
        const Json* minutes = session.find("SessionTimeout");
        if (minutes != nullptr && minutes->to_int().value_or(30) < 30) {
            context.log(LIAISON_LOG_INFO, "SAP ends sessions after " + text_of(session, "SessionTimeout") +
                                              " idle minutes (b1s.conf); usual are 30");
        }
        co_return std::string();
    }

    Task<void> logout(Context& context, const Start&) override {
        const std::string path = "Logout";
        Response answer = co_await context.send(write(settings_, "POST", path, no_record));
        if (!answer.ok() && answer.status != 401)
            throw refusal(answer, settings_.url(path), context.now_ms());
    }

    // That the field for our reference exists is found out here rather than by the first order.
    Task<std::string> test(Context& context) override {
        const std::string items = "Items" + odata::Query().select("ItemCode").top(1).text();
        const std::string orders =
            "Orders" + odata::Query().select("DocEntry," + settings_.reference_field).top(1).text();
        for (const std::string& path : {items, orders}) {
            Response answer = co_await context.send(get(settings_, path));
            if (!answer.ok()) throw refusal(answer, settings_.url(path), context.now_ms());
        }
        Json output = Json::object();
        output.set("account", settings_.company_db + " at " + settings_.server);
        co_return output.dump();
    }

    Task<void> pull(Context& context, const Start& start) override {
        const Set set = set_of(settings_, start.entity);
        Walk walk(settings_, set, start, context.now_ms());
        while (!walk.is_done()) {
            Response page = co_await context.send(walk.request());
            if (!page.ok()) throw refusal(page, walk.url(), context.now_ms());
            std::vector<Record> records = walk.take(page);
            const bool says_something = !records.empty() || walk.is_done();
            if (says_something) { co_await context.emit_pipelined(std::move(records), walk.cursor()); }
        }
    }

    Task<void> push(Context& context, const Start& start) override {
        const Set set = set_of(settings_, start.entity);
        for (std::size_t from = 0; from < start.records.size(); from += push_chunk) {
            const std::size_t to = std::min(from + push_chunk, start.records.size());
            co_await push_chunk_of(context, set, start, from, to);
        }
    }

    Task<void> find(Context& context, const Start& start) override {
        const Set set = set_of(settings_, start.entity);
        std::vector<Result> results;
        for (std::size_t i = 0; i < start.queries.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            Result result = co_await find_one(context, set, index, start.queries[i]);
            results.push_back(std::move(result));
        }
        co_await context.result(std::move(results));
    }

  private:
    static constexpr auto no_record = static_cast<std::uint32_t>(-1);

    std::string login_body() const {
        Json body = Json::object();
        body.set("CompanyDB", without_templates(settings_.company_db));
        body.set("UserName", "{{secret:username}}");
        body.set("Password", "{{secret:password}}");
        if (settings_.language) body.set("Language", std::to_string(*settings_.language));
        return body.dump();
    }

    // Some records need several requests; each round sends the next one of all that are not done.
    Task<void> push_chunk_of(Context& context, const Set& set, const Start& start, std::size_t from,
                             std::size_t to) const {
        std::vector<Write> writes;
        writes.reserve(to - from);
        const std::string today = settings_.time.date_at(context.now_ms());
        for (std::size_t i = from; i < to; ++i)
            writes.emplace_back(settings_, set, static_cast<std::uint32_t>(i), start.records[i], today);
        std::optional<Failure> failure;
        std::vector<Write*> open = open_of(writes);
        while (!open.empty() && !failure) {
            std::vector<Request> requests;
            for (const Write* one : open) requests.push_back(one->next());
            std::vector<Response> answers =
                co_await context.send_all(std::move(requests), settings_.parallel);
            for (std::size_t i = 0; i < open.size(); ++i) {
                open[i]->take(answers.at(i), context.now_ms());
                if (!failure && open[i]->stops_job()) failure = open[i]->stops_job();
            }
            open = open_of(writes);
        }
        std::vector<Result> results;
        for (Write& one : writes) {
            if (failure) one.abandon(*failure);
            results.push_back(one.result());
        }
        co_await context.result(std::move(results));
        if (failure) throw *failure;
    }
    static std::vector<Write*> open_of(std::vector<Write>& writes) {
        std::vector<Write*> open;
        for (Write& one : writes) {
            if (!one.is_done()) open.push_back(&one);
        }
        return open;
    }

    // By our reference, which only documents carry, else by key.
    Task<Result> find_one(Context& context, const Set& set, std::uint32_t index, const Query& query) const {
        if (liaison::kit::is_unsent(query.key)) co_return Result(index, LIAISON_OUTCOME_FOUND).at(query.key);
        if (query.key.empty() && !set.is_document()) {
            co_return Result(index, LIAISON_OUTCOME_REJECTED)
                .because(ErrorKind::config, "in SAP only orders and invoices carry our reference");
        }
        if (query.key.empty()) {
            Result result = co_await find_document(context, set, index, query.reference);
            co_return result;
        }
        const std::string path =
            set.path_of(query.key) + odata::Query().select(set.key + change_fields).text();
        Response answer = co_await context.send(get(settings_, path));
        if (answer.status == 404) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        if (!answer.ok()) throw refusal(answer, settings_.url(path), context.now_ms());
        const Json found = liaison::kit::json_body(answer, settings_.url(path));
        co_return Result(index, LIAISON_OUTCOME_FOUND).at(query.key, version_of(found));
    }
    Task<Result> find_document(Context& context, const Set& set, std::uint32_t index,
                               const std::string& reference) const {
        std::vector<Json> orders = co_await carriers(context, set.name, reference);
        const auto is_live = [](const Json& one) { return !is_yes(one, "Cancelled"); };
        const auto live = std::count_if(orders.begin(), orders.end(), is_live);
        if (live > 1 || (live == 0 && orders.size() > 1)) {
            co_return Result(index, LIAISON_OUTCOME_REJECTED)
                .because(ErrorKind::conflict,
                         std::to_string(orders.size()) + " documents carry our reference");
        }
        if (!orders.empty()) {
            auto found = std::find_if(orders.begin(), orders.end(), is_live);
            if (found == orders.end()) found = orders.begin();
            co_return Result(index, LIAISON_OUTCOME_FOUND)
                .at(text_of(*found, "DocEntry"), version_of(*found));
        }
        if (!settings_.has_approvals) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        const std::string set_of_drafts = "Drafts";
        const std::vector<Json> drafts = co_await carriers(context, set_of_drafts, reference);
        if (drafts.empty()) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        co_return Result(index, LIAISON_OUTCOME_UNKNOWN)
            .because(ErrorKind::unknown_outcome, Write::waits_as_draft(text_of(drafts[0], "DocEntry")));
    }
    // Only an exact match counts: databases that compare without case show others, too.
    Task<std::vector<Json>> carriers(Context& context, const std::string& set,
                                     const std::string& reference) const {
        const std::string& field = settings_.reference_field;
        const std::string path =
            set +
            odata::Query()
                .filter(field + " eq " + odata::text_literal(reference))
                .select("DocEntry,DocNum,Cancelled,UpdateDate,UpdateTime,CreateDate,CreateTime," + field)
                .text();
        Response answer = co_await context.send(get(settings_, path));
        if (!answer.ok()) throw refusal(answer, settings_.url(path), context.now_ms());
        const Json page = liaison::kit::json_body(answer, settings_.url(path));
        const std::vector<Json>* found = odata::entities(page);
        if (found == nullptr)
            throw Failure(ErrorKind::permanent, "SAP answered without a list (" + settings_.url(path) + ")",
                          liaison::kit::vendor_text(answer));
        std::vector<Json> matching;
        for (const Json& one : *found) {
            if (text_of(one, field) == reference) matching.push_back(one);
        }
        co_return matching;
    }

    const Settings settings_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<SapConnector>(config);
}

}  // namespace
}  // namespace sap_b1

LIAISON_PLUGIN(sap_b1::make)
