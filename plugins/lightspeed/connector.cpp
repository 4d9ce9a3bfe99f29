// lightspeed: sales, menu items, prices, promotions and stock of a Lightspeed till.
#include <memory>
#include <set>

#include <liaison/sdk.hpp>
#include <liaison_manifest.hpp>

#include "listing.hpp"
#include "sales.hpp"
#include "settings.hpp"
#include "writing.hpp"

namespace lightspeed {
namespace {

class Lightspeed : public liaison::Connector {
  public:
    explicit Lightspeed(std::string_view config) : settings_(read_settings(config)) {}

    Task<std::string> test(Context& context) override {
        Json body = co_await read_json(context, settings_,
                                       settings_.base_url + "/f/data/businesses?page=0&size=1000");
        Json output = Json::object(), locations = Json::object();
        std::string account;
        for (const Json& business : rows_in(body, "/_embedded/businessList")) {
            account += (account.empty() ? "" : ", ") + text_in(business, "/businessName");
            for (const Json& location : rows_in(business, "/businessLocations"))
                locations.set(text_in(location, "/blID"), text_in(location, "/blName"));
        }
        for (const std::string& wanted : settings_.locations) {
            if (locations.find(wanted) == nullptr)
                throw Failure(ErrorKind::config, "the location " + wanted +
                                                     " is not among those that were granted: " +
                                                     kit::excerpt(locations.dump(), kit::max_vendor_text));
        }
        output.set("account", account);
        output.set("locations", std::move(locations));
        co_return output.dump();
    }

    Task<void> pull(Context& context, const Start& start) override {
        need_locations();
        if (start.entity == "pos_transaction") {
            SalesPull sales(context, settings_, start);
            co_await sales.run();
            co_return;
        }
        Listing listing(context, settings_, start);
        co_await listing.run(start.entity);
    }

    Task<void> push(Context& context, const Start& start) override {
        need_locations();
        Writer writer(context, settings_);
        co_await writer.push(start);
    }

    Task<void> find(Context& context, const Start& start) override {
        Writer writer(context, settings_);
        co_await writer.find(start);
    }

    // They tell of orders placed through the interface and of items that ran out, and too little of both:
    // what is there now is read by a pull.
    Task<std::vector<std::string>> webhook(Context& context, const Start& start) override {
        std::set<std::string> changed;
        std::vector<liaison::Result> results;
        for (std::uint32_t i = 0; i < start.events.size(); ++i)
            results.push_back(note(i, start.events[i].body, changed));
        co_await context.result(std::move(results));
        co_return std::vector<std::string>(changed.begin(), changed.end());
    }

  private:
    static liaison::Result note(std::uint32_t index, const std::string& body,
                                std::set<std::string>& changed) {
        try {
            const Json event = Json::parse(body);
            const std::string type = text_in(event, "/type");
            const bool is_sale = type == "ORDER" || type == "PAYMENT";
            if (!is_sale && type != "ITEM") return {index, LIAISON_OUTCOME_IGNORED};
            changed.insert(is_sale ? "pos_transaction" : "stock_level");
            return {index, LIAISON_OUTCOME_UPDATED};
        } catch (const liaison::JsonError& error) {
            return liaison::Result(index, LIAISON_OUTCOME_REJECTED)
                .because(ErrorKind::invalid_record, std::string("its body is no JSON: ") + error.what());
        }
    }

    // The test job does without: it lists them.
    void need_locations() const {
        if (settings_.locations.empty())
            throw Failure(ErrorKind::config,
                          "settings.locations is missing: say which business locations to use; "
                          "liaisonctl test lists them");
    }

    const Settings settings_;
};

std::unique_ptr<liaison::Connector> make(std::string_view config) {
    return std::make_unique<Lightspeed>(config);
}

}  // namespace
}  // namespace lightspeed

LIAISON_PLUGIN(lightspeed::make)
