// What the simulated QuickBooks checks and counts of documents.
#include <algorithm>
#include <set>

#include "decimal.hpp"
#include "instant.hpp"
#include "quickbooks.hpp"

namespace liaison_sim {
namespace {

const std::set<std::string> deposit_accounts{"35", "36"}, payment_methods{"1", "2", "3"};
const std::set<std::string> tax_codes{"5", "6", "TAX", "NON"};

}  // namespace

void QuickBooks::check_document(const Kind& kind, const Json& made) const {
    const std::string customer = quickbooks_reference(made, "CustomerRef");
    if (customer.empty()) refuse_missing("CustomerRef");
    const auto known = row(kinds_[0], customer);
    if (!known || !known->find("Active")->truth())
        refuse_quickbooks(400, known ? "610" : "2500", "Invalid Reference Id",
                          "Names element id " + customer + " not found or inactive");
    if (made.text_of("DocNumber").size() > 21)
        refuse_quickbooks(400, "2050", "Invalid String length", "DocNumber");
    if (made.text_of("PrivateNote").size() > 4000)
        refuse_quickbooks(400, "2050", "Invalid String length", "PrivateNote");
    const std::string currency = quickbooks_reference(made, "CurrencyRef"),
                      status = made.text_of("TxnStatus");
    if (!currency.empty() && currency != "EUR")
        refuse_quickbooks(400, "6000", "A business validation error has occurred", "Multicurrency is off");
    static const std::set<std::string> states{"", "Pending", "Accepted", "Closed", "Rejected"};
    if (!states.contains(status)) refuse_quickbooks(400, "2170", "Invalid Enumeration", "TxnStatus");
    for (const char* key : {"TxnDate", "ShipDate"}) {
        const std::string date = made.text_of(key);
        if (!date.empty() && !is_date(date)) refuse_quickbooks(400, "2030", "Invalid date", key);
    }
    const std::string calculation = made.text_of("GlobalTaxCalculation");
    static const std::set<std::string> calculations{"", "TaxExcluded", "TaxInclusive", "NotApplicable"};
    if (!calculations.contains(calculation))
        refuse_quickbooks(400, "2170", "Invalid Enumeration", "GlobalTaxCalculation");
    if (needs_tax_ && calculation.empty()) refuse_missing("GlobalTaxCalculation");
    check_payment(kind, made);
    const Json* lines = made.find("Line");
    if (lines == nullptr || lines->items().empty()) refuse_missing("Line");
    Decimal sum{0, 2};
    for (const Json& line : lines->items()) {
        check_line(line, needs_tax_ && calculation != "NotApplicable");
        if (line.text_of("DetailType") == "SubTotalLineDetail") continue;
        const auto amount = rescale(Decimal::parse(line.text_of("Amount")).value_or(Decimal{}), 2);
        sum = add(sum, amount.value_or(Decimal{})).value_or(sum);
    }
    if (sum.units < 0)
        refuse_quickbooks(400, "6000", "A business validation error has occurred",
                          "Transaction amount must be 0 or greater");
}

// Where money goes to or comes from, and what an invoice is based on.
void QuickBooks::check_payment(const Kind& kind, const Json& made) const {
    const std::string account = quickbooks_reference(made, "DepositToAccountRef");
    if (kind.type == "RefundReceipt" && account.empty()) refuse_missing("DepositToAccountRef");
    if (!account.empty() && !deposit_accounts.contains(account))
        refuse_quickbooks(400, "2500", "Invalid Reference Id", "DepositToAccountRef " + account);
    const std::string method = quickbooks_reference(made, "PaymentMethodRef");
    if (!method.empty() && !payment_methods.contains(method))
        refuse_quickbooks(400, "2500", "Invalid Reference Id", "PaymentMethodRef " + method);
    const Json* links = made.find("LinkedTxn");
    if (links == nullptr) return;
    for (const Json& link : links->items()) {
        const bool is_estimate = link.text_of("TxnType") == "Estimate";
        if (!is_estimate) refuse_quickbooks(400, "2170", "Invalid Enumeration", "LinkedTxn.TxnType");
        const auto& estimates = *std::find_if(kinds_.begin(), kinds_.end(),
                                              [](const Kind& one) { return one.type == "Estimate"; });
        if (!row(estimates, link.text_of("TxnId")))
            refuse_quickbooks(400, "2500", "Invalid Reference Id", "LinkedTxn " + link.text_of("TxnId"));
    }
}

void QuickBooks::check_line(const Json& line, bool needs_tax) const {
    if (line.text_of("DetailType") == "SubTotalLineDetail") return;
    const Json* detail = line.find("SalesItemLineDetail");
    if (line.text_of("DetailType") != "SalesItemLineDetail" || detail == nullptr)
        refuse_missing("DetailType");
    const std::string item = quickbooks_reference(*detail, "ItemRef");
    const auto known = row(kinds_[1], item);
    if (!known || !known->find("Active")->truth())
        refuse_quickbooks(400, "2500", "Invalid Reference Id", "Line.SalesItemLineDetail.ItemRef " + item);
    const auto amount = Decimal::parse(line.text_of("Amount"));
    if (!amount) refuse_missing("Amount");
    const auto quantity = Decimal::parse(detail->text_of("Qty")),
               price = Decimal::parse(detail->text_of("UnitPrice"));
    if (quantity && price) {
        const auto exact = multiply(*quantity, *price);
        const auto cents = exact ? rescale(*exact, 2) : std::nullopt;
        const auto given = rescale(*amount, 2);
        if (!cents || !given || cents->units != given->units || decimals_of(line.text_of("Amount")) > 2)
            refuse_quickbooks(
                400, "6070", "Amount calculation incorrect in the request.",
                "Amount is not equal to UnitPrice * Qty. Supplied value:" + line.text_of("Amount"));
    }
    const std::string tax = quickbooks_reference(*detail, "TaxCodeRef");
    if (needs_tax && tax.empty())
        refuse_quickbooks(400, "6000", "A business validation error has occurred", "a line has no tax rate");
    if (!tax.empty() && !tax_codes.contains(tax))
        refuse_quickbooks(400, "2500", "Invalid Reference Id", "TaxCodeRef " + tax);
}

// Numbers the lines and appends what the service adds by itself.
void QuickBooks::total_up(const std::string& type, Json& row) const {
    Json lines = Json::array();
    Decimal sum{0, 2};
    for (Json line : row.find("Line")->items()) {
        if (line.text_of("DetailType") == "SubTotalLineDetail") continue;
        const auto amount = rescale(Decimal::parse(line.text_of("Amount")).value_or(Decimal{}), 2);
        sum = add(sum, amount.value_or(Decimal{})).value_or(sum);
        const auto number = static_cast<std::int64_t>(lines.items().size()) + 1;
        line.set("Id", Json::string(std::to_string(number))).set("LineNum", Json::integer(number));
        lines.items().push_back(std::move(line));
    }
    Json subtotal = Json::object();
    subtotal.set("Amount", Json::number(sum.text())).set("DetailType", Json::string("SubTotalLineDetail"));
    subtotal.set("SubTotalLineDetail", Json::object());
    lines.items().push_back(std::move(subtotal));
    row.set("Line", std::move(lines)).set("TotalAmt", Json::number(sum.text()));
    if (type != "Invoice" && type != "CreditMemo") return;
    if (!row.find("Balance")) row.set("Balance", Json::number(sum.text()));
}

// The document stays, without its amounts. Only invoices can be made void by a program.
Response QuickBooks::make_void(Kind& kind, const Json& body) {
    if (kind.type != "Invoice") refuse_quickbooks(400, "2010", "Operation void is not supported", kind.type);
    const std::string id = body.text_of("Id");
    auto made = row(kind, id);
    if (!made) refuse_quickbooks(400, "610", "Object Not Found", "Object Not Found : " + id);
    if (body.text_of("SyncToken") != made->text_of("SyncToken"))
        refuse_quickbooks(400, "5010", "Stale Object Error", "Stale Object Error");
    Json lines = Json::array();
    for (Json line : made->find("Line")->items()) {
        if (line.text_of("DetailType") == "SubTotalLineDetail") continue;
        line.set("Amount", Json::number("0"));
        Json detail = *line.find("SalesItemLineDetail");
        detail.set("Qty", Json::number("0"));
        line.set("SalesItemLineDetail", std::move(detail));
        lines.items().push_back(std::move(line));
    }
    const std::string note = made->text_of("PrivateNote");
    made->set("Line", std::move(lines)).set("Balance", Json::number("0"));
    made->set("PrivateNote", Json::string("Voided" + (note.empty() ? "" : " - " + note)));
    return store(kind, std::move(*made), false);
}

// Two documents of the same number are allowed, and what a sender of the same order twice would make.
void QuickBooks::count_document(const Kind& kind, const Json& made) {
    const std::string number = made.text_of("DocNumber");
    for (const Json& other : rows(kind))
        stats_.duplicates += !number.empty() && other.text_of("DocNumber") == number;
}

}  // namespace liaison_sim
