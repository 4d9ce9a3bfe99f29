// odoo: products, customers, sales orders, invoices and stock of Odoo 14 to 19, by XML-RPC or JSON-2.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "stock.hpp"

namespace odoo {
namespace {

using liaison::Query;

constexpr std::size_t push_chunk = 50;
constexpr std::string_view stock = "stock_level";

class OdooConnector : public liaison::Connector {
  public:
    explicit OdooConnector(std::string_view config) : settings_(read_settings(config)) {}

    Task<std::string> test(Context& context) override {
        Server server(context, settings_);
        co_await server.open();
        if (server.version().empty() && settings_.transport == Transport::xmlrpc)
            co_await server.ask_version();
        Json self = co_await server.ask(Call("res.users", "context_get"));
        const Json* uid = self.find("uid");  // of newer versions
        Json names = Json::array(), domain = Json::array();
        for (const char* name : {"login", "name", "company_id"}) names.push_back(name);
        domain.push_back(uid != nullptr ? condition("id", "=", *uid)
                                        : condition("login", "=", settings_.login));
        std::vector<Json> users =
            co_await server.ask_rows(search(settings_, "res.users", std::move(domain), std::move(names)));
        Json output = Json::object();
        const Json nobody = Json::object();
        const Row user(users.empty() ? nobody : users[0]);
        output.set("account", user.name_of("company_id") + " (" + settings_.database + ")");
        output.set("user", user.text("login"));
        if (!server.version().empty()) output.set("version", server.version());
        co_return output.dump();
    }

    // XML-RPC wants the user's number with every call; it is asked for once.
    Task<std::string> login(Context& context, const Start&) override {
        const std::string url = settings_.url + "/xmlrpc/2/common";
        kit::xmlrpc::MethodCall call("authenticate", kit::xmlrpc::Body::host_template);
        call.parameter(settings_.database).parameter(settings_.login);
        call.placeholder("string", "secret:api_key").parameter(Json::object());
        Request request = Request("POST", url).content("text/xml", call.text());
        request.flags |= LIAISON_REQUEST_BODY_IS_TEMPLATE;
        Response response = co_await context.send(std::move(request));
        Answer answer = read_xmlrpc(response, url, context.now_ms());
        if (answer.refusal) throw answer.refusal->failure();
        if (!answer.result.to_int()) {
            throw Failure(ErrorKind::auth,
                          "Odoo does not know the login " + settings_.login +
                              " with this API key in the database " + settings_.database +
                              "; check both, and that the key has not expired (Odoo: My Profile, "
                              "Account Security)");
        }
        Json session = Json::object();
        session.set("uid", answer.result.number_text());
        co_return session.dump();
    }

    Task<void> pull(Context& context, const Start& start) override {
        Server server(context, settings_);
        co_await server.open();
        if (start.entity == stock) {
            Stock levels(server);
            co_await levels.pull(context);
            co_return;
        }
        Reader reader(server, start.entity, model(start.entity));
        co_await reader.open();
        const Position stored = Position::read(start.full ? std::string() : start.cursor);
        Position position = stored;
        // A first pass reads the lines with their orders; what changes among them from now on is for the
        // next.
        if (stored.lines_at_ms == 0) position.lines_at_ms = server.now_ms();
        Walk walk(settings_, reader.model().name, reader.filter(), reader.fields().names(),
                  back_from(stored.at_ms));
        while (walk.has_next()) {
            std::vector<Json> rows = co_await server.ask_rows(walk.page());
            rows = walk.take(std::move(rows));
            position.at_ms = std::max(stored.at_ms, walk.at_ms());
            std::vector<Record> records = co_await reader.records_of(std::move(rows));
            co_await context.emit_pipelined(std::move(records), position.text(reader.has_lines()));
        }
        if (reader.has_lines() && stored.lines_at_ms != 0)
            co_await pull_changed_lines(server, reader, position);
    }

    Task<void> push(Context& context, const Start& start) override {
        Server server(context, settings_);
        co_await server.open();
        if (start.entity == stock) {
            co_await push_stock(context, server, start);
            co_return;
        }
        Reader reader(server, start.entity, model(start.entity));
        co_await reader.open();
        Pusher pusher(server, reader);
        for (std::size_t from = 0; from < start.records.size(); from += push_chunk) {
            const std::size_t to = std::min(from + push_chunk, start.records.size());
            std::vector<Result> results = co_await pusher.write(start, from, to);
            co_await context.result(std::move(results));
            if (pusher.failure()) throw *pusher.failure();
        }
    }

    Task<void> find(Context& context, const Start& start) override {
        Server server(context, settings_);
        co_await server.open();
        std::vector<Result> results;
        for (std::size_t i = 0; i < start.queries.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            Result result = co_await find_one(server, start.entity, index, start.queries[i]);
            results.push_back(std::move(result));
        }
        co_await context.result(std::move(results));
    }

    // {"_action", "_id", "_model"}, unsigned and sent once: a hint. What it names is read as it is now.
    Task<std::vector<std::string>> webhook(Context& context, const Start& start) override {
        std::vector<Result> results;
        std::map<std::string, std::set<std::int64_t>> wanted;  // by entity
        for (std::uint32_t i = 0; i < start.events.size(); ++i)
            results.push_back(note(i, start.events[i].body, wanted));
        std::vector<std::string> changed;
        // A quantity is what several rows together say: it is read as in a pull.
        if (wanted.erase(std::string(stock)) != 0) changed.emplace_back(stock);
        Server server(context, settings_);
        if (!wanted.empty()) co_await server.open();
        for (const auto& one : wanted) {
            Reader reader(server, one.first, model(one.first));
            co_await reader.open();
            Json ids = Json::array();
            for (const std::int64_t id : one.second) ids.push_back(id);
            std::vector<Json> rows = co_await reader.rows_of(std::move(ids));
            std::vector<Record> records = co_await reader.records_of(std::move(rows));
            for (Record& record : records) record.entity = one.first;
            if (!records.empty()) co_await context.emit(std::move(records), std::string());
        }
        co_await context.result(std::move(results));
        co_return changed;
    }

  private:
    // What an event is about, and the answer to it.
    static Result note(std::uint32_t index, const std::string& body,
                       std::map<std::string, std::set<std::int64_t>>& wanted) {
        const auto refused = [&](const std::string& why) {
            return Result(index, LIAISON_OUTCOME_REJECTED).because(ErrorKind::invalid_record, why);
        };
        Json event;
        try {
            event = Json::parse(body);
        } catch (const liaison::JsonError& error) {
            return refused(std::string("its body is no JSON: ") + error.what());
        }
        const Json* id = event.find("_id");
        const std::string model = Row(event).text("_model");
        if (model.empty() || id == nullptr || !id->to_int())
            return refused("it has no _model and _id, as what Odoo's automation rules send does");
        for (const char* entity : {"product", "customer", "sales_order", "invoice", "stock_level"}) {
            if (model_of(entity)->name != model) continue;
            wanted[entity].insert(*id->to_int());
            return Result(index, LIAISON_OUTCOME_UPDATED);
        }
        return Result(index, LIAISON_OUTCOME_IGNORED);
    }

    static const Model& model(const std::string& entity) {
        const Model* found = model_of(entity);
        if (found == nullptr) throw Failure(ErrorKind::config, "odoo has no " + entity);
        return *found;
    }
    // What changed there may be committed later than it says: write_date is the beginning of a transaction.
    std::int64_t back_from(std::int64_t ms) const {
        return std::max<std::int64_t>(0, ms - settings_.overlap_ms);
    }

    // Orders whose lines changed: not every such change shows in the order's own write_date.
    Task<void> pull_changed_lines(Server& server, Reader& reader, Position position) {
        const std::int64_t stored = position.lines_at_ms;
        Json names = Json::array();
        const Lines& model = *reader.model().lines;
        for (const std::string& name : {model.parent, std::string("write_date")}) names.push_back(name);
        Walk walk(settings_, model.model, Json::array(), std::move(names), back_from(stored));
        while (walk.has_next()) {
            std::vector<Json> lines = co_await server.ask_rows(walk.page());
            lines = walk.take(std::move(lines));
            Json orders = Reader::ids_in(lines, model.parent);
            std::vector<Json> rows;
            if (!orders.items().empty()) rows = co_await reader.rows_of(std::move(orders));
            std::vector<Record> records = co_await reader.records_of(std::move(rows));
            position.lines_at_ms = std::max(stored, walk.at_ms());
            co_await server.context().emit_pipelined(std::move(records), position.text(true));
        }
    }

    // One after the other: of each, the count is read, written and applied.
    static Task<void> push_stock(Context& context, Server& server, const Start& start) {
        Stock levels(server);
        for (std::size_t i = 0; i < start.records.size(); ++i) {
            const auto index = static_cast<std::uint32_t>(i);
            Result result = co_await levels.write(index, start.records[i]);
            std::vector<Result> results;
            results.push_back(std::move(result));
            co_await context.result(std::move(results));
            if (levels.failure()) throw *levels.failure();
        }
    }

    // By our reference, which is the name of an external id, or by number.
    Task<Result> find_one(Server& server, std::string entity, std::uint32_t index, const Query& query) const {
        if (kit::is_unsent(query.key)) co_return Result(index, LIAISON_OUTCOME_FOUND).at(query.key);
        if (entity == stock && query.key.empty()) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        if (entity == stock) {
            Stock levels(server);
            Result result = co_await levels.find(index, query.key);
            co_return result;
        }
        const std::string model = OdooConnector::model(entity).name;
        Json ids = Json::array();
        if (query.key.empty()) {
            Json domain = Json::array(), names = Json::array();
            domain.push_back(condition("module", "=", settings_.external_id_module));
            domain.push_back(condition("model", "=", model));
            domain.push_back(condition("name", "=", query.reference));
            names.push_back("res_id");
            std::vector<Json> found = co_await server.ask_rows(
                search(settings_, "ir.model.data", std::move(domain), std::move(names)));
            ids = Reader::ids_in(found, "res_id");
        } else {
            ids = ids_of(query.key);
        }
        if (ids.items().empty()) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        Json domain = Json::array(), names = Json::array();
        domain.push_back(condition("id", "in", std::move(ids)));
        names.push_back("write_date");
        std::vector<Json> rows =
            co_await server.ask_rows(search(settings_, model, std::move(domain), std::move(names)));
        if (rows.empty()) co_return Result(index, LIAISON_OUTCOME_NOT_FOUND);
        const Row row(rows[0]);
        co_return Result(index, LIAISON_OUTCOME_FOUND)
            .at(std::to_string(row.integer("id")), row.text("write_date"));
    }

    const Settings settings_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<OdooConnector>(config);
}

}  // namespace
}  // namespace odoo

LIAISON_PLUGIN(odoo::make)
