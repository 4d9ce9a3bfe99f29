// A sale of K-Series as a pos_transaction. Pure. Lines carry up to six decimals: they are added exactly, and
// what comes out is rounded once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "amounts.hpp"

namespace lightspeed {

// 0: the till does not say, or not in a way that is known. Webhook-style offsets without a colon are taken,
// too.
inline std::int64_t closed_ms(const Json& sale) {
    return kit::parse_rfc3339(text_in(sale, "/timeClosed")).value_or(0);
}

class SaleReader {
  public:
    SaleReader(const Json& sale, const Settings& settings) : sale_(sale), settings_(settings) {
        currency_ = settings.currency;
        for (const Json& line : rows_in(sale, "/salesLines")) {
            const std::string own = text_in(line, "/currency");
            if (!own.empty()) currency_ = own;
        }
    }

    // `is_complete`: whether all sales of its day are known; nothing: not known. Throws ValueError.
    Json read(const std::string& location, const std::string& business_date,
              std::optional<bool> is_complete) {
        Json made = Json::object();
        const std::string type = text_in(sale_, "/type");
        made.set("kind", kind_of(type));
        put(made, "kind_raw", kit::excerpt(type, 100));
        made.set("status", status());
        put(made, "receipt_no", text_in(sale_, "/receiptId"));
        put(made, "fiscal_id", text_in(sale_, "/accountFiscId"));
        put(made, "opened_at", instant("/timeOfOpening"));
        put(made, "closed_at", instant("/timeClosed"));
        put(made, "business_date", business_date);
        made.set("venue", location);
        const std::string table = text_in(sale_, "/tableName");
        put(made, "table", kit::excerpt(table.empty() ? text_in(sale_, "/tableNumber") : table, 200));
        const std::string covers = text_in(sale_, "/nbCovers");
        if (!covers.empty()) made.set("covers", hub_number(covers, "nbCovers"));
        if (const Json* dine_in = sale_.find("dineIn"); dine_in != nullptr && dine_in->is_bool())
            made.set("dine_in", *dine_in);
        put(made, "staff_ref", text_in(sale_, "/ownerId"));
        put(made, "register", kit::excerpt(text_in(sale_, "/deviceName"), 200));
        made.set("currency", currency_);
        read_lines(made);
        read_payments(made);
        read_totals(made);
        const std::string self = text_in(sale_, "/accountFiscId"),
                          first = text_in(sale_, "/source/initialAccountId");
        if (first != self) put(made, "related_ref", first);
        if (is_complete) made.set("complete", *is_complete);
        read_extra(made, made.find("kind")->as_string());
        return made;
    }

  private:
    static std::string kind_of(const std::string& type) {
        if (type == "SALE") return "sale";
        if (type == "REFUND") return "refund";
        if (type == "VOID") return "void";
        if (type == "FLOAT" || type == "TRANSITORY") return "non_revenue";
        for (const char* known : {"RECALL", "SPLIT", "UPDATE", "TRANSFER", "CROSS_BL", "CANCEL"}) {
            if (type == known) return "correction";
        }
        return "unknown";
    }
    std::string status() const {
        if (flag_in(sale_, "/cancelled", false)) return "cancelled";
        return closed_ms(sale_) != 0 ? "closed" : "open";
    }
    std::string instant(std::string_view pointer) const {
        const auto ms = kit::parse_rfc3339(text_in(sale_, pointer));
        return ms ? kit::rfc3339(*ms) : std::string();
    }

    // ---- lines ----

    bool is_included(const Json& line) const {
        if (settings_.taxes != Taxes::as_said) return settings_.taxes == Taxes::included;
        for (const Json& tax : rows_in(line, "/taxLines")) {
            if (!flag_in(tax, "/taxIncluded", true)) return false;
        }
        return true;
    }
    static Decimal tax_of(const Json& line) {
        if (!text_in(line, "/taxAmount").empty()) return amount_in(line, "/taxAmount");
        Decimal sum;
        for (const Json& tax : rows_in(line, "/taxLines")) sum = plus(sum, amount_in(tax, "/taxAmount"));
        return sum;
    }

    void read_lines(Json& made) {
        Json lines = Json::array();
        for (const Json& row : rows_in(sale_, "/salesLines")) {
            const bool included = is_included(row);
            const Decimal net = amount_in(row, "/totalNetAmountWithoutTax"), tax = tax_of(row);
            const Decimal gross = included ? amount_in(row, "/totalNetAmountWithTax") : plus(net, tax);
            const Decimal discount = amount_in(row, "/totalDiscountAmount");
            total_ = plus(total_, gross);
            net_ = plus(net_, net);
            tax_ = plus(tax_, tax);
            discount_ = plus(discount_, discount);
            service_ = plus(service_, amount_in(row, "/serviceCharge"));
            Json line = Json::object();
            put(line, "line_id", text_in(row, "/id"));
            put(line, "parent_line_id", text_in(row, "/parentLineId"));
            put(line, "sku", text_in(row, "/sku"));
            const std::string typed = text_in(row, "/nameOverride");
            put(line, "name", kit::excerpt(typed.empty() ? text_in(row, "/name") : typed, 500));
            const std::string quantity = text_in(row, "/quantity"), price = text_in(row, "/menuListPrice");
            line.set("quantity", quantity.empty() ? "1" : hub_number(quantity, "quantity"));
            if (!price.empty()) line.set("unit_price", hub_number(price, "menuListPrice"));
            line.set("total", money(gross, currency_));
            line.set("total_exact", hub_number(gross.fixed_text(), "the total of a line"));
            line.set("tax_included", included);
            if (!discount.is_zero()) line.set("discount", money(discount, currency_));
            Json taxes = taxes_of(row, net);
            if (!taxes.items().empty()) line.set("taxes", std::move(taxes));
            put(line, "category", kit::excerpt(text_in(row, "/accountingGroup/name"), 200));
            put(line, "void_reason", kit::excerpt(text_in(row, "/voidReason"), 500));
            lines.push_back(std::move(line));
        }
        made.set("lines", std::move(lines));
    }

    // A rate is a multiplier in tax lines and a percentage beside them.
    Json taxes_of(const Json& row, const Decimal& net) const {
        Json taxes = Json::array();
        const auto add = [&](const std::string& code, std::int64_t rate_ppm, const Decimal& amount) {
            Json tax = Json::object();
            put(tax, "code", kit::excerpt(code, 50));
            tax.set("rate_ppm", rate_ppm);
            tax.set("base", money(net, currency_));
            tax.set("amount", money(amount, currency_));
            taxes.push_back(std::move(tax));
        };
        for (const Json& one : rows_in(row, "/taxLines")) {
            const std::string rate = text_in(one, "/taxRate");
            const Decimal share = rate.empty() ? Decimal() : plus(decimal_of(rate, "taxRate"), Decimal(-1));
            add(text_in(one, "/taxCode"), ppm_of(share), amount_in(one, "/taxAmount"));
        }
        const std::string percent = text_in(row, "/taxRatePercentage");
        if (taxes.items().empty() && !percent.empty())
            add(text_in(row, "/taxCode"), ppm_of_percent(decimal_of(percent, "taxRatePercentage")),
                amount_in(row, "/taxAmount"));
        return taxes;
    }

    // ---- payments ----

    // The hub's amount of a payment has the tip in it.
    void read_payments(Json& made) {
        const Json* given = sale_.find("payments");
        if (given == nullptr || !given->is_array()) return;
        Json payments = Json::array();
        has_payments_ = true;
        for (const Json& row : given->items()) {
            const Decimal tip = amount_in(row, "/tip"), net = amount_in(row, "/netAmountWithTax");
            const Decimal amount = settings_.tips_in_payments ? net : plus(net, tip);
            paid_ = plus(paid_, amount);
            tips_ = plus(tips_, tip);
            rounding_ = plus(rounding_, amount_in(row, "/roundingAmount"));
            Json payment = Json::object();
            const std::string uuid = text_in(row, "/uuid"), code = text_in(row, "/code");
            const std::string own = text_in(row, "/currency"), currency = own.empty() ? currency_ : own;
            put(payment, "payment_id", uuid.empty() ? text_in(row, "/fiscId") : uuid);
            put(payment, "method_code", kit::excerpt(code, 100));
            const auto method = settings_.methods.find(code);
            payment.set("method", method != settings_.methods.end() ? method->second : "other");
            payment.set("amount", money(amount, currency));
            if (!tip.is_zero()) payment.set("tip", money(tip, currency));
            const auto at = kit::parse_rfc3339(text_in(row, "/fiscDate"));
            if (at) payment.set("at", kit::rfc3339(*at));
            payments.push_back(std::move(payment));
        }
        made.set("payments", std::move(payments));
    }

    void read_totals(Json& made) const {
        made.set("total", money(total_, currency_));
        made.set("total_net", money(net_, currency_));
        made.set("tax_total", money(tax_, currency_));
        if (!discount_.is_zero()) made.set("discount_total", money(discount_, currency_));
        if (!service_.is_zero()) made.set("service_charge", money(service_, currency_));
        if (has_payments_) made.set("tip_total", money(tips_, currency_));
    }

    void read_extra(Json& made, const std::string& kind) const {
        Json extra = Json::object(), orders = Json::array(), warnings = Json::array();
        put(extra, "account_reference", kit::excerpt(text_in(sale_, "/accountReference"), 200));
        for (const Json& one : rows_in(sale_, "/externalReferences")) orders.push_back(one);
        if (!orders.items().empty()) extra.set("external_references", std::move(orders));
        if (!rounding_.is_zero()) extra.set("rounding", rounding_.text());
        const Decimal due = plus(plus(total_, service_), rounding_), received = plus(paid_, tips_.negated());
        const int exponent = kit::exponent_or_throw(currency_);
        const bool is_balanced = due.rounded(exponent) == received.rounded(exponent);
        if (has_payments_ && !is_balanced && (kind == "sale" || kind == "refund"))
            warnings.push_back("unbalanced: lines, service charge and rounding are " + due.text() +
                               ", payments without tips " + received.text());
        if (!warnings.items().empty()) extra.set("warnings", std::move(warnings));
        if (!extra.members().empty()) made.set("extra", std::move(extra));
    }

    const Json& sale_;
    const Settings& settings_;
    std::string currency_;
    Decimal total_, net_, tax_, discount_, service_, paid_, tips_, rounding_;
    bool has_payments_ = false;
};

}  // namespace lightspeed
