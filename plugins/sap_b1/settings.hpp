// Settings of one company, read once; the host has checked them against the manifest's schema.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/json.hpp>
#include <liaison/kit/money.hpp>
#include <liaison/kit/odata.hpp>
#include <liaison/sdk.hpp>

#include "company_time.hpp"

namespace sap_b1 {

using liaison::ErrorKind;
using liaison::Failure;
using liaison::Json;
namespace odata = liaison::kit::odata;

enum class TimeFilter { none, text, number };

struct Settings {
    std::string service;  // "https://sap.example:50000/b1s/v2/"
    std::string server, company_db;
    std::optional<std::int64_t> language;
    std::string reference_field = "U_ExtId";  // of marketing documents; holds our reference
    std::vector<std::string> busy_codes;      // of a refused login that may work later
    std::size_t page_size = 100;
    std::uint32_t parallel = 2;
    bool follows_links = false, selects = true, reads_created = true, has_approvals = true, has_stock = true;
    bool bases_invoices = true;  // on the order that they are for
    std::int64_t overlap_ms = 2 * 3600'000;
    TimeFilter time_filter = TimeFilter::none;
    CompanyTime time{0, SummerTime::none};
    std::int64_t price_list = 1, due_days = 0;
    std::string currency, tax_field = "VatGroup", warehouse, customer_prefix = "L";
    std::map<std::string, std::string> currencies;  // the company's own codes to ISO 4217
    std::optional<std::int64_t> item_group, customer_group, order_series, invoice_series;

    std::string url(const std::string& path) const { return service + path; }
    bool keeps_reference_in_number() const { return reference_field == "NumAtCard"; }
    // ISO 4217 of one of the company's codes; empty for none.
    std::string iso(std::string_view code) const {
        const auto found = currencies.find(std::string(code));
        if (found != currencies.end()) return found->second;
        return liaison::kit::currency_exponent(code) ? std::string(code) : std::string();
    }
    // The company's code of an ISO 4217 currency.
    std::string own_code(const std::string& iso_code) const {
        for (const auto& [own, iso] : currencies) {
            if (iso == iso_code) return own;
        }
        return iso_code;
    }
};

namespace settings_parts {

class Reader {
  public:
    explicit Reader(const Json& object) : object_(object) {}
    void text(const char* name, std::string& into) const {
        if (const Json* found = object_.find(name)) into = found->scalar_text();
    }
    void flag(const char* name, bool& into) const {
        if (const Json* found = object_.find(name)) into = found->as_bool();
    }
    template <class T>
    void number(const char* name, T& into) const {
        if (const Json* found = object_.find(name)) into = static_cast<T>(found->to_int().value_or(0));
    }
    void number(const char* name, std::optional<std::int64_t>& into) const {
        if (const Json* found = object_.find(name)) into = found->to_int();
    }

  private:
    const Json& object_;
};

inline CompanyTime time_of(const Reader& reader) {
    std::string zone = "Z", summer = "none";
    reader.text("zone", zone);
    reader.text("summer_time", summer);
    const auto parsed = liaison::kit::parse_time("%H:%M%z", "00:00" + zone);
    if (!parsed)
        throw Failure(ErrorKind::config, "settings.zone is '" + zone + "', no offset such as +01:00");
    return {parsed->offset_minutes.value_or(0), kit::summer_time_of(summer)};
}

}  // namespace settings_parts

inline Settings read_settings(std::string_view config) {
    const Json document = Json::parse(config);
    const Json* found = document.find("settings");
    if (found == nullptr) throw Failure(ErrorKind::config, "settings are missing");
    const settings_parts::Reader reader(*found);
    Settings made;
    std::string version = "v2", paging = "keyset", overlap = "2h", time_filter = "none";
    reader.text("server", made.server);
    while (made.server.ends_with("/")) made.server.pop_back();
    reader.text("version", version);
    made.service = made.server + "/b1s/" + version + "/";
    reader.text("company_db", made.company_db);
    reader.number("language", made.language);
    reader.text("reference_field", made.reference_field);
    if (const Json* codes = found->find("login_busy_codes")) {
        for (const Json& code : codes->items()) made.busy_codes.emplace_back(code.scalar_text());
    }
    reader.number("page_size", made.page_size);
    reader.number("parallel", made.parallel);
    reader.text("paging", paging);
    made.follows_links = paging == "next_link";
    reader.flag("select", made.selects);
    reader.flag("null_update_dates", made.reads_created);
    reader.flag("approvals", made.has_approvals);
    reader.flag("stock", made.has_stock);
    reader.text("overlap", overlap);
    const auto overlap_ms = liaison::kit::parse_duration(overlap);
    if (!overlap_ms)
        throw Failure(ErrorKind::config, "settings.overlap is '" + overlap + "', no duration such as 2h");
    made.overlap_ms = *overlap_ms;
    reader.text("time_filter", time_filter);
    made.time_filter = time_filter == "text"     ? TimeFilter::text
                       : time_filter == "number" ? TimeFilter::number
                                                 : TimeFilter::none;
    made.time = settings_parts::time_of(reader);
    reader.number("price_list", made.price_list);
    reader.number("due_days", made.due_days);
    reader.text("currency", made.currency);
    reader.text("tax_field", made.tax_field);
    reader.text("warehouse", made.warehouse);
    reader.text("customer_code_prefix", made.customer_prefix);
    reader.number("item_group", made.item_group);
    reader.number("customer_group", made.customer_group);
    reader.number("order_series", made.order_series);
    reader.number("invoice_series", made.invoice_series);
    reader.flag("invoices_from_orders", made.bases_invoices);
    if (const Json* currencies = found->find("currencies")) {
        for (const auto& [own, iso] : currencies->members()) made.currencies[own] = iso.scalar_text();
    }
    return made;
}

}  // namespace sap_b1
