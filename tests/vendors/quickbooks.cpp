#include "quickbooks.hpp"

#include <algorithm>
#include <set>

#include "decimal.hpp"
#include "instant.hpp"

namespace liaison_sim {
namespace {

constexpr std::int64_t minute_ms = 60'000, day_ms = 86'400'000;
constexpr std::size_t changes_at_most = 1000;
const std::set<std::string> accounts{"79", "80", "81"};
// Suppliers, whose names customers may not have.
const std::set<std::string> suppliers{"weingut lieferant"};

std::string fault_body(const std::string& code, const std::string& message, const std::string& detail,
                       const std::string& type) {
    Json error = Json::object(), errors = Json::array(), fault = Json::object(), body = Json::object();
    error.set("Message", Json::string(message)).set("Detail", Json::string(detail));
    error.set("code", Json::string(code)).set("element", Json::string(""));
    errors.items().push_back(std::move(error));
    fault.set("Error", std::move(errors)).set("type", Json::string(type));
    body.set("Fault", std::move(fault)).set("time", Json::string(quickbooks_instant(now_ms())));
    return body.serialize();
}

// As it is when the token is at fault: another spelling, and much that is null.
std::string lower_case_fault(const std::string& code, const std::string& message, unsigned status) {
    const std::string text =
        "message=" + message + "; errorCode=00" + code + "; statusCode=" + std::to_string(status);
    return R"({"warnings":null,"intuitObject":null,"fault":{"error":[{"message":")" + text +
           R"(","detail":"Token expired","code":")" + code +
           R"(","element":null}],"type":"AUTHENTICATION"},"report":null,"queryResponse":null,)"
           R"("batchItemResponse":[],"requestId":null,"time":)" +
           std::to_string(now_ms()) + R"(,"status":null,"cdcresponse":[]})";
}

std::string lowered(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::string parameter(const Request& request, const std::string& name) {
    for (const auto& [key, value] : request.query) {
        if (key == name) return value;
    }
    return {};
}

Json answer_with(const std::string& type, Json row) {
    Json body = Json::object();
    body.set(type, std::move(row)).set("time", Json::string(quickbooks_instant(now_ms())));
    return body;
}

Entity entity_named(const char* name) { return {name, "Id", "sim_changed", "", "", 0, false, {}, true}; }

void set_times(Json& row, std::int64_t now, bool is_new) {
    const Json* old = row.find("MetaData");
    const std::string created =
        is_new || old == nullptr ? quickbooks_instant(now) : old->text_of("CreateTime");
    Json times = Json::object();
    times.set("CreateTime", Json::string(created))
        .set("LastUpdatedTime", Json::string(quickbooks_instant(now)));
    row.set("MetaData", std::move(times));
}

void count_up(Json& row) {
    const std::string token = row.text_of("SyncToken");
    row.set("SyncToken", Json::string(token.empty() ? "0" : std::to_string(std::stoll(token) + 1)));
}

Json empty_name(const char* key, const std::string& name) {
    Json row = Json::object();
    return row.set(key, Json::string(name)).set("Active", Json::boolean(true));
}

}  // namespace

std::string quickbooks_reference(const Json& row, const char* key) {
    const Json* found = row.find(key);
    return found != nullptr ? found->text_of("value") : std::string();
}

[[noreturn]] void refuse_missing(const std::string& what) {
    refuse_quickbooks(400, "2020", "Required param missing, need to supply the required value for the API",
                      "Required parameter " + what + " is missing in the request");
}

[[noreturn]] void refuse_quickbooks(unsigned status, const std::string& code, const std::string& message,
                                    const std::string& detail) {
    const bool throttles = code == "3001", is_system = status >= 500;
    throw Refusal{json_response(status, fault_body(code, message, detail,
                                                   throttles   ? "SERVICE"
                                                   : is_system ? "SystemFault"
                                                               : "ValidationFault"))};
}

std::string quickbooks_instant(std::int64_t ms) {
    const std::string utc = format_instant(ms - 7 * 3'600'000);
    return utc.substr(0, 19) + "-07:00";
}

QuickBooks::QuickBooks(std::shared_ptr<TokenBook> tokens)
    : Vendor("quickbooks", "/quickbooks", {}), tokens_(std::move(tokens)) {
    const std::vector<std::string> document{
        "DocNumber",   "TxnDate",      "ShipDate",    "DueDate",      "ExpirationDate",       "CustomerRef",
        "CurrencyRef", "ExchangeRate", "PrivateNote", "CustomerMemo", "GlobalTaxCalculation", "TxnTaxDetail",
        "Line",        "BillEmail",    "BillAddr",    "ShipAddr"};
    std::vector<std::string> estimate = document, receipt = document, invoice = document;
    estimate.push_back("TxnStatus");
    receipt.insert(receipt.end(), {"DepositToAccountRef", "PaymentMethodRef", "PaymentRefNum"});
    invoice.push_back("LinkedTxn");
    kinds_ = {{"Customer",
               &add_entity(entity_named("customers")),
               {"DisplayName", "CompanyName", "GivenName", "MiddleName", "FamilyName", "PrimaryEmailAddr",
                "PrimaryPhone", "BillAddr", "ShipAddr", "Notes", "CurrencyRef", "Active", "Taxable"},
               true},
              {"Item",
               &add_entity(entity_named("items")),
               {"Name", "Sku", "Description", "Type", "UnitPrice", "PurchaseCost", "IncomeAccountRef",
                "ExpenseAccountRef", "AssetAccountRef", "TrackQtyOnHand", "QtyOnHand", "InvStartDate",
                "Active", "Taxable"},
               true},
              {"Estimate", &add_entity(entity_named("estimates")), estimate, false},
              {"SalesReceipt", &add_entity(entity_named("salesreceipts")), receipt, false},
              {"Invoice", &add_entity(entity_named("invoices")), invoice, false},
              {"CreditMemo", &add_entity(entity_named("creditmemos")), document, false},
              {"RefundReceipt", &add_entity(entity_named("refundreceipts")), receipt, false}};
    route(http::verb::get, "v3/company/*/companyinfo/*", &QuickBooks::company_info);
    route(http::verb::get, "v3/company/*/query", &QuickBooks::query);
    route(http::verb::get, "v3/company/*/cdc", &QuickBooks::changes);
    route(http::verb::get, "v3/company/*/*/*", &QuickBooks::read);
    route(http::verb::post, "v3/company/*/*", &QuickBooks::write);
}

// ---- who may ask, and how often ----

bool QuickBooks::is_authorized(const Request& request) const {
    const std::string header = request.header("Authorization");
    return header.starts_with("Bearer ") && tokens_->may_read(header.substr(7));
}

Response QuickBooks::unauthorized() const {
    return json_response(401, lower_case_fault("3200", "AuthenticationFailed", 401))
        .with("WWW-Authenticate", challenge());
}

Response QuickBooks::too_many() const {
    return json_response(429, fault_body("3001", "message=ThrottleExceeded; errorCode=003001; statusCode=429",
                                         "The request limit was reached.", "SERVICE"));
}

void QuickBooks::guard(const Request& request) {
    const std::int64_t now = now_ms();
    while (!recent_.empty() && recent_.front() <= now - minute_ms) recent_.pop_front();
    const bool many = static_cast<std::int64_t>(recent_.size()) >= per_minute_;
    if (many || static_cast<std::int64_t>(stats_.in_flight) > most_in_flight_) throw Refusal{too_many()};
    recent_.push_back(now);
    if (request.segments[2] != quickbooks_realm)
        throw Refusal{json_response(403, lower_case_fault("3100", "ApplicationAuthorizationFailed", 403))};
    if (request.header("Accept").find("json") == std::string::npos) {
        Response xml;
        xml.status = 406;
        xml.body = "<IntuitResponse/>";
        throw Refusal{xml.with("Content-Type", "application/xml")};
    }
}

QuickBooks::Kind& QuickBooks::kind_at(const Request& request) {
    for (Kind& kind : kinds_) {
        if (lowered(kind.type) == request.segments[3]) return kind;
    }
    refuse_quickbooks(400, "2010", "Invalid or unsupported entity", request.segments[3]);
}

// ---- reading ----

std::vector<Json> QuickBooks::rows(const Kind& kind) const {
    std::vector<Json> all;
    for (const Record* record : kind.collection->slice({}, 0, kind.collection->size())) {
        std::string error;
        Json row = Json::parse(record->json, error).value_or(Json::object());
        row.erase("sim_changed");
        all.push_back(std::move(row));
    }
    return all;
}

std::optional<Json> QuickBooks::row(const Kind& kind, const std::string& id) const {
    const Record* record = kind.collection->find(id);
    if (record == nullptr) return std::nullopt;
    std::string error;
    auto parsed = Json::parse(record->json, error);
    if (parsed) parsed->erase("sim_changed");
    return parsed;
}

Response QuickBooks::company_info(const Request& request) {
    guard(request);
    Json info = Json::object();
    info.set("CompanyName", Json::string("Le Grossiste")).set("Country", Json::string("FR"));
    return json_response(200, answer_with("CompanyInfo", std::move(info)).serialize());
}

Response QuickBooks::query(const Request& request) {
    guard(request);
    const QuickBooksQuery asked = QuickBooksQuery::parse(parameter(request, "query"));
    const auto kind =
        std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& one) { return one.type == asked.type; });
    if (kind == kinds_.end()) refuse_quickbooks(400, "4001", "Invalid query", "no entity " + asked.type);
    std::vector<Json> all = rows(*kind);
    Json response = Json::object();
    if (asked.is_count) {
        std::erase_if(all, [&](const Json& row) { return !asked.matches(row); });
        response.set("totalCount", Json::integer(static_cast<std::int64_t>(all.size())));
        return json_response(200, answer_with("QueryResponse", std::move(response)).serialize());
    }
    std::vector<Json> page = asked.page(std::move(all));
    const auto count = static_cast<std::int64_t>(page.size());
    if (count > 0) {
        Json list = Json::array();
        list.items() = std::move(page);
        response.set(asked.type, std::move(list));
        response.set("startPosition", Json::integer(static_cast<std::int64_t>(asked.start)));
        response.set("maxResults", Json::integer(count));
    }
    return json_response(200, answer_with("QueryResponse", std::move(response)).serialize());
}

// At most a thousand in one answer, over all entities; deleted documents as stubs.
Response QuickBooks::changes(const Request& request) {
    guard(request);
    const auto since = parse_instant(parameter(request, "changedSince"));
    if (!since) refuse_missing("changedSince");
    if (*since < now_ms() - 30 * day_ms)
        refuse_quickbooks(400, "2010", "Invalid changedSince", "changes are kept for 30 days");
    std::string wanted = "," + parameter(request, "entities") + ",";
    Json answers = Json::array();
    std::size_t left = changes_at_most;
    for (const Kind& kind : kinds_) {
        if (wanted.find("," + kind.type + ",") == std::string::npos) continue;
        Json list = Json::array();
        for (Json& row : rows(kind)) {
            const auto changed = parse_instant(row.find("MetaData")->text_of("LastUpdatedTime"));
            if (left > 0 && changed >= since) list.items().push_back(std::move(row)), --left;
        }
        for (const Gone& gone : gone_) {
            if (left == 0 || gone.type != kind.type || gone.at_ms / 1000 * 1000 < *since) continue;
            Json stub = Json::object();
            stub.set("domain", Json::string("QBO"))
                .set("status", Json::string("Deleted"))
                .set("Id", Json::string(gone.id));
            set_times(stub, gone.at_ms, false);
            list.items().push_back(std::move(stub)), --left;
        }
        const auto count = static_cast<std::int64_t>(list.items().size());
        Json one = Json::object();
        if (count > 0) one.set(kind.type, std::move(list)).set("startPosition", Json::integer(1));
        if (count > 0) one.set("maxResults", Json::integer(count)).set("totalCount", Json::integer(count));
        answers.items().push_back(std::move(one));
    }
    Json response = Json::object(), list = Json::array();
    response.set("QueryResponse", std::move(answers));
    list.items().push_back(std::move(response));
    return json_response(200, answer_with("CDCResponse", std::move(list)).serialize());
}

Response QuickBooks::read(const Request& request) {
    guard(request);
    const Kind& kind = kind_at(request);
    const auto found = row(kind, request.segments[4]);
    if (!found)
        refuse_quickbooks(400, "610", "Object Not Found", "Object Not Found : " + request.segments[4]);
    return json_response(200, answer_with(kind.type, *found).serialize());
}

// ---- writing ----

// A known request id brings the first answer again, whatever is asked.
Response QuickBooks::write(const Request& request) {
    guard(request);
    Kind& kind = kind_at(request);
    const std::string id = parameter(request, "requestid");
    if (id.size() > 50)
        refuse_quickbooks(400, "2050", "Invalid String length", "requestid has at most 50 characters");
    const auto known = known_requests_.find(id);
    if (!id.empty() && known != known_requests_.end() &&
        now_ms() - known->second.at_ms < requestid_s_ * 1000) {
        Response again = known->second.response;
        again.committed = false;
        return again;
    }
    Response response;
    try {
        response = execute(kind, request);
    } catch (const Refusal& refusal) { response = refusal.response; }
    if (!id.empty()) known_requests_[id] = {response, now_ms()};
    return response;
}

Response QuickBooks::execute(Kind& kind, const Request& request) {
    std::string type = request.header("Content-Type");
    if (!type.starts_with("application/json")) refuse_quickbooks(400, "2010", "Invalid Content-Type", type);
    std::string error;
    auto body = Json::parse(request.body, error);
    if (!body || !body->is(Json::Kind::object)) refuse_quickbooks(400, "2170", "Invalid Enumeration", error);
    if (parameter(request, "operation") == "delete") return remove(kind, *body);
    if (parameter(request, "operation") == "void") return make_void(kind, *body);
    const bool is_sparse = body->find("sparse") != nullptr && body->find("sparse")->truth();
    for (const auto& [key, value] : body->members()) {
        const bool is_known = std::find(kind.fields.begin(), kind.fields.end(), key) != kind.fields.end();
        if (!is_known && key != "Id" && key != "SyncToken" && key != "sparse" && key != "MetaData")
            refuse_quickbooks(400, "2010", "Request has invalid or unsupported property",
                              "Property Name:" + key);
        if (value.is(Json::Kind::null)) refuse_quickbooks(400, "2010", "Invalid value", key + " is null");
    }
    const std::string id = body->text_of("Id");
    body->erase("sparse");
    if (id.empty()) return store(kind, std::move(*body), true);
    auto old = row(kind, id);
    if (!old) refuse_quickbooks(400, "610", "Object Not Found", "Object Not Found : " + id);
    if (body->text_of("SyncToken").empty()) refuse_missing("SyncToken");
    if (body->text_of("SyncToken") != old->text_of("SyncToken"))
        refuse_quickbooks(400, "5010", "Stale Object Error",
                          "Stale Object Error : You and root were working on this at the same time.");
    Json made = is_sparse ? *old : Json::object();
    for (auto& [key, value] : body->members()) made.set(key, value);
    made.set("MetaData", *old->find("MetaData"));
    for (const char* kept : {"Type", "Active", "TotalAmt", "Balance"}) {
        if (!made.find(kept) && old->find(kept)) made.set(kept, *old->find(kept));
    }
    return store(kind, std::move(made), false);
}

Response QuickBooks::remove(Kind& kind, const Json& body) {
    if (kind.is_name_list) refuse_quickbooks(400, "2010", "Operation delete is not supported", kind.type);
    const std::string id = body.text_of("Id");
    const auto old = row(kind, id);
    if (!old) refuse_quickbooks(400, "610", "Object Not Found", "Object Not Found : " + id);
    if (body.text_of("SyncToken") != old->text_of("SyncToken"))
        refuse_quickbooks(400, "5010", "Stale Object Error", "Stale Object Error");
    kind.collection->erase(id);
    gone_.push_back({kind.type, id, now_ms()});
    Json stub = Json::object();
    stub.set("status", Json::string("Deleted")).set("Id", Json::string(id));
    Response response = json_response(200, answer_with(kind.type, std::move(stub)).serialize());
    response.committed = true;
    return response;
}

Response QuickBooks::store(Kind& kind, Json made, bool is_new) {
    check(kind, made, is_new);
    const std::string id =
        is_new ? kind.collection->id_of(kind.collection->next_number()) : made.text_of("Id");
    const Json* active = made.find("Active");
    if (kind.is_name_list) {
        const char* name = kind.type == "Customer" ? "DisplayName" : "Name";
        const bool was_inactive = made.text_of(name).ends_with(" (deleted)");
        if (active == nullptr) made.set("Active", Json::boolean(true));
        if (!made.find("Active")->truth() && !was_inactive)
            made.set(name, Json::string(made.text_of(name) + " (deleted)"));
    } else {
        total_up(kind.type, made);
    }
    if (is_new && !kind.is_name_list) count_document(kind, made);
    count_up(made);
    set_times(made, now_ms(), is_new);
    made.set("Id", Json::string(id));
    kind.collection->put(id, made);
    Response response = json_response(200, answer_with(kind.type, *row(kind, id)).serialize());
    response.committed = true;
    return response;
}

void QuickBooks::check(const Kind& kind, const Json& made, bool is_new) const {
    if (kind.is_name_list) check_name(kind, made);
    if (kind.type == "Item" && is_new) check_item(made);
    if (!kind.is_name_list) check_document(kind, made);
    if (is_new && has_unique_numbers_ && !kind.is_name_list) {
        for (const Json& other : rows(kind)) {
            if (!made.text_of("DocNumber").empty() && other.text_of("DocNumber") == made.text_of("DocNumber"))
                refuse_quickbooks(400, "6140", "Duplicate Document Number Error",
                                  "Duplicate Document Number Error : You must specify a different number.");
        }
    }
}

void QuickBooks::check_name(const Kind& kind, const Json& made) const {
    const bool is_customer = kind.type == "Customer";
    const char* key = is_customer ? "DisplayName" : "Name";
    const std::string name = made.text_of(key);
    if (name.empty()) refuse_missing(key);
    if (name.size() > (is_customer ? 500u : 100u))
        refuse_quickbooks(400, "2050", "Invalid String length", key);
    if (name.find_first_of(":\t\n") != std::string::npos)
        refuse_quickbooks(400, "2040", "Invalid String. Contains a character that is not allowed", key);
    const auto clash = [&](const std::string& id) {
        refuse_quickbooks(400, "6240", "Duplicate Name Exists Error",
                          "The name supplied already exists. : Id=" + id);
    };
    if (is_customer && suppliers.contains(lowered(name))) clash("9001");
    for (const Json& other : rows(kind)) {
        if (other.text_of("Id") != made.text_of("Id") && lowered(other.text_of(key)) == lowered(name))
            clash(other.text_of("Id"));
    }
}

void QuickBooks::check_item(const Json& made) const {
    const std::string type = made.text_of("Type");
    if (type != "Inventory" && type != "NonInventory" && type != "Service")
        refuse_quickbooks(400, "2170", "Invalid Enumeration", "Type");
    std::vector<const char*> needed{"IncomeAccountRef"};
    if (type == "Inventory") needed.insert(needed.end(), {"ExpenseAccountRef", "AssetAccountRef"});
    for (const char* key : needed) {
        if (!made.find(key)) refuse_missing(key);
    }
    for (const char* key : {"IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef"}) {
        if (made.find(key) && !accounts.contains(quickbooks_reference(made, key)))
            refuse_quickbooks(400, "2500", "Invalid Reference Id", key);
    }
    if (type != "Inventory") return;
    for (const char* key : {"TrackQtyOnHand", "QtyOnHand", "InvStartDate"}) {
        if (!made.find(key)) refuse_missing(key);
    }
}

// ---- the control API ----

Vendor::Generated QuickBooks::generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                                       std::int64_t stamp_ms) {
    const std::string digits = std::to_string(number);
    Json row = Json::object();
    const std::string& name = collection.entity().name;
    if (name == "customers") {
        row = empty_name("DisplayName", "Hotel " + digits);
        row.set("CompanyName", Json::string("Hotel " + digits + " GmbH"));
    } else if (name == "items") {
        row = empty_name("Name", "Item " + digits);
        row.set("Sku", Json::string("SKU-" + digits)).set("Type", Json::string("Inventory"));
        row.set("UnitPrice",
                Json::number(std::to_string(1 + (number + static_cast<std::int64_t>(seed)) % 90) + ".5"));
        row.set("QtyOnHand", Json::integer(number % 50));
    } else {
        Json reference = Json::object(), detail = Json::object(), line = Json::object(),
             lines = Json::array();
        reference.set("value", Json::string("1"));
        detail.set("ItemRef", reference).set("Qty", Json::integer(2)).set("UnitPrice", Json::number("8.9"));
        line.set("Amount", Json::number("17.80")).set("DetailType", Json::string("SalesItemLineDetail"));
        line.set("SalesItemLineDetail", std::move(detail));
        lines.items().push_back(std::move(line));
        row.set("DocNumber", Json::string("Q-" + digits)).set("TxnDate", Json::string("2026-05-01"));
        row.set("CustomerRef", reference).set("Line", std::move(lines));
        if (name == "estimates") row.set("TxnStatus", Json::string("Pending"));
        total_up(type_of(collection), row);
    }
    row.set("Id", Json::string(digits)).set("SyncToken", Json::string("0"));
    set_times(row, stamp_ms, true);
    return {row.serialize(), {}};
}

// Somebody saved it in the browser.
void QuickBooks::complete(const Collection& collection, Json& record, const Json&) {
    count_up(record);
    set_times(record, now_ms(), false);
    if (collection.entity().name != "customers" && collection.entity().name != "items")
        total_up(type_of(collection), record);
}

std::string QuickBooks::type_of(const Collection& collection) const {
    for (const Kind& kind : kinds_) {
        if (kind.collection == &collection) return kind.type;
    }
    return {};
}

void QuickBooks::removed(const Collection& collection, const std::string& id) {
    for (const Kind& kind : kinds_) {
        if (kind.collection == &collection) gone_.push_back({kind.type, id, now_ms()});
    }
}

void QuickBooks::forget() {
    gone_.clear();
    known_requests_.clear();
    recent_.clear();
    per_minute_ = 500;
    most_in_flight_ = 10;
    requestid_s_ = 86'400;
    needs_tax_ = has_unique_numbers_ = false;
}

bool QuickBooks::set_own(const std::string& name, const Json& value) {
    const auto number = value.as_integer();
    const bool is_flag = value.is(Json::Kind::boolean);
    if (name == "per_minute" && number) return per_minute_ = *number, true;
    if (name == "most_in_flight" && number) return most_in_flight_ = *number, true;
    if (name == "requestid_s" && number) return requestid_s_ = *number, true;
    if (name == "needs_tax" && is_flag) return needs_tax_ = value.truth(), true;
    if (name == "unique_numbers" && is_flag) return has_unique_numbers_ = value.truth(), true;
    return false;
}

void QuickBooks::show_own(Json& switches) const {
    switches.set("per_minute", Json::integer(per_minute_))
        .set("most_in_flight", Json::integer(most_in_flight_));
    switches.set("requestid_s", Json::integer(requestid_s_)).set("needs_tax", Json::boolean(needs_tax_));
    switches.set("unique_numbers", Json::boolean(has_unique_numbers_));
}

}  // namespace liaison_sim
