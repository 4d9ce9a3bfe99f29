// Sales at a till: a sale becomes a sales receipt, what gives money back a refund receipt. To the cent.
#pragma once

#include "documents.hpp"

namespace quickbooks::codec_parts {

// Why that transaction is not booked (yet); empty: it is.
inline std::string reason_not_booked(const Json& sale, const Till& till) {
    const std::string kind = text_in(sale, "/kind"), status = text_in(sale, "/status");
    if (till.unsent.contains(kind)) return "transactions of the kind '" + kind + "' are not booked";
    if (status == "cancelled") return "it was cancelled at the till";
    if (status == "open") return "it is still open at the till";
    const Json* complete = sale.find("complete");
    if (complete != nullptr && complete->is_bool() && !complete->as_bool())
        return "the till still expects data of it";
    return {};
}

// One line of a receipt before it is written.
struct TillLine {
    std::int64_t minor = 0;
    std::string item, text, tax_code;
    std::string quantity;  // empty: an amount without one
};

class Receipt {
  public:
    Receipt(const Json& sale, const Settings& settings)
        : sale_(sale), settings_(settings), till_(settings.till), currency_(text_in(sale, "/currency")) {
        if (currency_.empty()) currency_ = settings.currency;
        if (currency_ != settings.currency && !settings.multicurrency)
            throw ValueError("currency", "the sale is in " + currency_ +
                                             ", and the company keeps its books in " + settings.currency +
                                             " alone (multicurrency: false)");
        if (text_in(sale, "/kind") == "unknown")
            throw ValueError("kind", "the till does not say what kind of transaction it is");
        exponent_ = kit::exponent_or_throw(currency_);
        if (exponent_ > 2) throw ValueError("currency", currency_ + " has more decimals than QuickBooks");
        read_lines();
        balance();
        gives_back_ = total_ < 0 || text_in(sale, "/kind") == "refund";
        if (total_ < 0) turn();
    }

    bool is_empty() const { return lines_.empty(); }
    // "SalesReceipt" or "RefundReceipt".
    std::string type() const { return gives_back_ ? "RefundReceipt" : "SalesReceipt"; }

    Json body(const std::string& ours) const {
        Json made = Json::object(), lines = Json::array();
        const std::string customer = text_in(sale_, "/customer_ref");
        if (customer.empty() && till_.customer.empty())
            throw ValueError("customer_ref", "the sale has no customer, and pos.customer is not set");
        made.set("CustomerRef", reference(customer.empty() ? till_.customer : customer));
        const std::string number = text_in(sale_, "/receipt_no");
        put(made, "DocNumber", document_number(number, till_.numbering, "pos.number", ours));
        const std::string day = text_in(sale_, "/business_date");
        put(made, "TxnDate", day.empty() ? text_in(sale_, "/closed_at").substr(0, 10) : day);
        if (settings_.multicurrency) made.set("CurrencyRef", reference(currency_));
        if (!settings_.calculation.empty())
            made.set("GlobalTaxCalculation",
                     till_.taxes == TillTaxes::inclusive ? "TaxInclusive" : "NotApplicable");
        put_payment(made);
        made.set("PrivateNote", join_note(note(), ours, note_limit));
        for (const TillLine& line : lines_) lines.push_back(line_of(line));
        made.set("Line", std::move(lines));
        return made;
    }

  private:
    std::int64_t minor(std::string_view pointer) const {
        return kit::minor_units(sale_.at(pointer)).value_or(0);
    }

    std::string item_of(const Json& line) const {
        for (const char* key : {"sku", "category"}) {
            const std::string value = settings_parts::text_of(line, key);
            const auto known = till_.items.find(value);
            if (!value.empty() && known != till_.items.end()) return known->second;
        }
        return till_.default_item;
    }

    // QuickBooks knows one code for a line: several of the till's are mapped together, "A+B".
    std::string tax_code_of(const Json& line) const {
        if (till_.taxes != TillTaxes::inclusive) return till_.exempt_code;
        std::string codes;
        if (const Json* taxes = line.find("taxes"); taxes != nullptr && taxes->is_array()) {
            for (const Json& tax : taxes->items()) {
                std::string code = settings_parts::text_of(tax, "code");
                const Json* rate = tax.find("rate_ppm");
                if (code.empty() && rate != nullptr && rate->to_int())
                    code = Decimal::scaled(*rate->to_int(), 4).text() + "%";
                codes += (codes.empty() ? "" : "+") + code;
            }
        }
        return tax_code_to(codes, settings_);
    }

    void read_lines() {
        const bool taxes_apart = till_.taxes == TillTaxes::item;
        std::int64_t taxes = 0;
        const Json* given = sale_.find("lines");
        const std::vector<Json> none;
        for (const Json& line : given != nullptr && given->is_array() ? given->items() : none) {
            const std::optional<std::int64_t> said = kit::minor_units(line.find("total"));
            if (!said) throw ValueError("total", "a line of the sale has no total");
            const bool includes = settings_parts::flag_of(line, "tax_included", true);
            const std::int64_t tax = tax_of(line);
            const std::int64_t gross = includes ? *said : *said + tax;
            sum_ += gross;
            taxes += tax;
            const std::int64_t amount = taxes_apart ? gross - tax : gross;
            if (amount == 0) continue;
            std::string text = text_in(line, "/name");
            lines_.push_back(
                {amount, item_of(line), std::move(text), tax_code_of(line), text_in(line, "/quantity")});
        }
        const std::int64_t service = minor("/service_charge"), tip = minor("/tip_total");
        sum_ += service;
        if (service != 0) add(service, till_.service_item, "Service charge", true);
        if (taxes_apart && taxes != 0) add(taxes, till_.tax_item, "Taxes", false);
        if (tip != 0 && !till_.tip_item.empty()) tip_ = tip;
    }
    static std::int64_t tax_of(const Json& line) {
        std::int64_t sum = 0;
        if (const Json* taxes = line.find("taxes"); taxes != nullptr && taxes->is_array()) {
            for (const Json& tax : taxes->items()) sum += kit::minor_units(tax.find("amount")).value_or(0);
        }
        return sum;
    }
    // What has no tax at the till has the usual one where no code without tax is known.
    void add(std::int64_t amount, const std::string& item, const char* text, bool is_taxed) {
        std::string code = till_.exempt_code;
        if (till_.taxes == TillTaxes::inclusive && (is_taxed || code.empty()))
            code = tax_code_to({}, settings_);
        lines_.push_back({amount, item, text, std::move(code), {}});
    }

    // What the lines lack to the till's own total is a line of its own, if it can be a matter of rounding.
    void balance() {
        total_ = kit::minor_units(sale_.find("total")).value_or(sum_);
        const std::int64_t rest = total_ - sum_;
        if (rest > till_.rounding_limit || rest < -till_.rounding_limit)
            throw ValueError("unbalanced", "its lines come to " + kit::from_minor(sum_, currency_) +
                                               ", and the till says " + kit::from_minor(total_, currency_) +
                                               "; more than pos.rounding_limit is not rounded away");
        if (rest != 0) add(rest, till_.rounding_item, "Rounding", false);
        // Not part of the till's total.
        if (tip_ != 0) add(tip_, till_.tip_item, "Tip", false);
        total_ += tip_;
    }
    void turn() {
        total_ = -total_;
        for (TillLine& line : lines_) {
            line.minor = -line.minor;
            const auto quantity = Decimal::parse(line.quantity);
            if (quantity) line.quantity = quantity->negated().text();
        }
    }

    Json line_of(const TillLine& line) const {
        if (line.item.empty())
            throw ValueError("item", "there is no item for '" + kit::excerpt(line.text, 60) +
                                         "': set pos.items for its SKU or category, or pos.default_item");
        Json detail = Json::object(), made = Json::object();
        detail.set("ItemRef", reference(line.item));
        const auto parsed = Decimal::parse(line.quantity);
        const auto quantity = parsed ? parsed->rescaled(quantity_decimals) : std::nullopt;
        const auto price =
            quantity ? kit::price_for(line.minor, exponent_, *quantity, quantity_decimals) : std::nullopt;
        if (price) detail.set("Qty", Json::number(quantity->text()));
        if (price) detail.set("UnitPrice", Json::number(price->text()));
        if (!line.tax_code.empty()) detail.set("TaxCodeRef", reference(line.tax_code));
        made.set("Amount", Json::number(Decimal::scaled(line.minor, exponent_).fixed_text()));
        put(made, "Description", clean(line.text, 4000));
        made.set("DetailType", "SalesItemLineDetail");
        made.set("SalesItemLineDetail", std::move(detail));
        return made;
    }

    // A receipt has one way of payment: that of the largest part; the note names all.
    void put_payment(Json& made) const {
        std::string method, account = till_.deposit_account;
        std::int64_t largest = -1;
        for (const Json* one : payments()) {
            const std::int64_t amount = kit::minor_units(one->find("amount")).value_or(0);
            const std::int64_t size = amount < 0 ? -amount : amount;
            if (size <= largest) continue;
            largest = size;
            method = mapped(till_.payment_methods, *one);
            const std::string own = mapped(till_.deposit_accounts, *one);
            account = own.empty() ? till_.deposit_account : own;
        }
        if (gives_back_ && account.empty())
            throw Failure(
                ErrorKind::config,
                "pos.deposit_account: QuickBooks makes no refund receipt without the account that the "
                "money comes from");
        if (!method.empty()) made.set("PaymentMethodRef", reference(method));
        if (!account.empty()) made.set("DepositToAccountRef", reference(account));
    }
    static std::string mapped(const std::map<std::string, std::string>& words, const Json& payment) {
        for (const char* key : {"method_code", "method"}) {
            const auto known = words.find(settings_parts::text_of(payment, key));
            if (known != words.end()) return known->second;
        }
        return {};
    }
    std::vector<const Json*> payments() const {
        std::vector<const Json*> all;
        const Json* given = sale_.find("payments");
        if (given == nullptr || !given->is_array()) return all;
        for (const Json& one : given->items()) all.push_back(&one);
        return all;
    }
    std::string note() const {
        std::string text;
        const auto say = [&](const char* what, const std::string& value) {
            if (!value.empty()) text += std::string(text.empty() ? "" : ", ") + what + " " + value;
        };
        say("receipt", text_in(sale_, "/receipt_no"));
        say("fiscal id", text_in(sale_, "/fiscal_id"));
        say("of", text_in(sale_, "/venue"));
        say("refunds", text_in(sale_, "/related_ref"));
        const std::vector<const Json*> all = payments();
        for (const Json* one : all) {
            if (all.size() < 2) break;
            std::string code = text_in(*one, "/method_code");
            if (code.empty()) code = text_in(*one, "/method");
            const std::int64_t amount = kit::minor_units(one->find("amount")).value_or(0);
            say(code.c_str(), kit::from_minor(amount, currency_));
        }
        return text;
    }

    const Json& sale_;
    const Settings& settings_;
    const Till& till_;
    std::string currency_;
    int exponent_ = 2;
    std::vector<TillLine> lines_;
    std::int64_t sum_ = 0, total_ = 0, tip_ = 0;
    bool gives_back_ = false;
};

}  // namespace quickbooks::codec_parts
