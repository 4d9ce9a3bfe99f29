// Texts of configuration, checked against one made-up connector.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "base/system.hpp"
#include "config/config.hpp"

namespace liaisond::config {

// One connector, "shop", that offers some entities and allows seven requests a second.
class OneConnector final : public Connectors {
  public:
    std::optional<ConnectorSchemas> find(const std::string& name) const override {
        if (name != "shop") return std::nullopt;
        ConnectorSchemas schemas;
        schemas.settings = &settings_;
        schemas.entities = entities;
        schemas.limits.per_second = per_second;
        schemas.never_exported = never_exported;
        schemas.webhook = webhook;
        return schemas;
    }
    std::vector<std::string> names() const override { return {"shop"}; }
    std::vector<std::string> broken() const override { return {}; }

    std::vector<std::string> entities{"product", "sales_order"};  // empty: any
    std::uint32_t per_second = 7;
    std::vector<std::string> never_exported;
    const boost::json::object* webhook = nullptr;  // of the manifest

  private:
    Schema settings_ =
        Schema::compile(
            boost::json::parse(R"({"type":"object","additionalProperties":false,"required":["url"],
        "properties":{"url":{"type":"string"},"verify":{"type":"boolean"}}})"))
            .value();
};

struct Checked {
    Config config;
    std::vector<std::string> faults;
};

inline Checked check_text(const std::string& text, const OneConnector& connectors = {}) {
    std::vector<Fault> faults;
    const Document document = Document::parse(text, "liaison.yaml", faults);
    Checked checked;
    checked.config = check(document, connectors, SystemTimeZones(), faults);
    for (const Fault& fault : faults) checked.faults.push_back(fault.text());
    return checked;
}

inline std::string only_fault(const std::string& text, const OneConnector& connectors = {}) {
    const Checked checked = check_text(text, connectors);
    EXPECT_EQ(checked.faults.size(), 1u) << testing::PrintToString(checked.faults);
    return checked.faults.empty() ? "" : checked.faults[0];
}
}  // namespace liaisond::config
