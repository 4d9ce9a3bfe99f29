// The configuration: any text as liaison.yaml, read and checked, as `liaisonctl config check -` does.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/json/parse.hpp>

#include "base/system.hpp"
#include "base/text.hpp"
#include "config/config.hpp"

namespace liaisond::config {
namespace {

// One connector, "shop", with a webhook.
class OneConnector final : public Connectors {
  public:
    std::optional<ConnectorSchemas> find(const std::string& name) const override {
        if (name != "shop") return std::nullopt;
        ConnectorSchemas schemas;
        schemas.settings = &settings_;
        schemas.entities = {"product", "sales_order"};
        schemas.limits.per_second = 7;
        schemas.webhook = &webhook_;
        return schemas;
    }
    std::vector<std::string> names() const override { return {"shop"}; }
    std::vector<std::string> broken() const override { return {}; }

  private:
    Schema settings_ = Schema::compile(boost::json::parse(R"({"type":"object","additionalProperties":false,
        "properties":{"url":{"type":"string"},"verify":{"type":"boolean"}}})"))
                           .value();
    boost::json::object webhook_{{"profile", "generic"}};
};

// Only whole UTF-8 reaches people and the API.
void read(const std::string& text) {
    static const OneConnector connectors;
    static const SystemTimeZones zones;
    std::vector<Fault> faults;
    const Document document = Document::parse(text, "liaison.yaml", faults);
    check(document, connectors, zones, faults);
    for (const Fault& fault : faults) {
        if (!valid_utf8(fault.text())) std::abort();
    }
}

}  // namespace
}  // namespace liaisond::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    liaisond::config::read(std::string(reinterpret_cast<const char*>(data), size));
    return 0;
}
