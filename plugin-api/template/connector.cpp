// @TITLE@: reads its products. An answer of the service looks like this:
//
//     {"items": [{"id": 1, "name": "Espresso", "price": 2.50, "updated": "2026-01-01T09:00:00Z"}], "next":
//     "/more.json"}
#include <string>
#include <utility>
#include <vector>

#include <liaison/kit/http.hpp>
#include <liaison/kit/json.hpp>
#include <liaison/sdk.hpp>

#include "liaison_manifest.hpp"

namespace {

using namespace liaison;

// The host has checked the settings against the manifest before it gives them to us.
std::string base_url_of(std::string_view config) {
    const Json document = Json::parse(config);
    const Json* url = document.at("/settings/base_url");
    if (url == nullptr || !url->is_string())
        throw Failure(ErrorKind::config, "the setting base_url is missing");
    return url->as_string();
}

std::string text_of(const Json& item, std::string_view name) {
    const Json* found = item.find(name);
    return found == nullptr ? std::string() : std::string(found->scalar_text());
}

// A canonical product (share/liaison/schemas/product.json). What cannot be made into one becomes a dead
// letter that says why, and the others go on.
Record record_of(const Json& item) {
    const std::string id = text_of(item, "id"), name = text_of(item, "name"), price = text_of(item, "price");
    Json product = Json::object();
    if (name.empty()) {
        product.set("$rejected", "the product has no name");
        product.set("$raw", item);
    } else {
        product.set("name", name);
        if (!price.empty()) product.set("sales_price", price);
    }
    Record record(id, product.dump());
    record.version = text_of(item, "updated");
    return record;
}

class TemplateConnector : public Connector {
  public:
    explicit TemplateConnector(std::string_view config) : base_url_(base_url_of(config)) {}

    // Can it be reached, and are we let in?
    Task<std::string> test(Context& context) override {
        const Json page = co_await get(context, "/products.json");
        Json account = Json::object();
        account.set("account", base_url_);
        account.set("products", rows_of(page).size());
        co_return account.dump();
    }

    // Page by page. Each is stored together with the cursor behind it, so that a pull that is interrupted
    // goes on there.
    Task<void> pull(Context& context, const Start& start) override {
        std::string path = start.full || start.cursor.empty() ? "/products.json" : start.cursor;
        while (!path.empty()) {
            const Json page = co_await get(context, path);
            std::vector<Record> records;
            for (const Json& item : rows_of(page)) records.push_back(record_of(item));
            const std::string next = text_of(page, "next");
            if (next == path)
                throw Failure(ErrorKind::permanent, "the page " + path + " names itself as the next");
            const std::string cursor = next.empty() ? std::string("/products.json") : next;
            co_await context.emit_pipelined(std::move(records), cursor);
            path = next;
        }
    }

  private:
    // Whatever is not an answer of the service that makes sense is a Failure; the host decides about another
    // attempt.
    Task<Json> get(Context& context, std::string path) const {
        const std::string url = base_url_ + path;
        const Response response = co_await context.send(Request("GET", url).auth("bearer"));
        if (!response.ok()) throw kit::read_failure(response, url, context.now_ms());
        Json page = kit::json_body(response, url);
        const Json* rows = page.find("items");
        if (rows == nullptr || !rows->is_array())
            throw Failure(ErrorKind::permanent, "the answer has no list of items (" + url + ")",
                          response.body);
        co_return page;
    }
    static const Json::Array& rows_of(const Json& page) { return page.find("items")->items(); }

    std::string base_url_;
};

std::unique_ptr<Connector> make(std::string_view config) {
    return std::make_unique<TemplateConnector>(config);
}

}  // namespace

LIAISON_PLUGIN(make)
