// Which documents and lists of QuickBooks hold which entity of the hub, and the records of both as each
// other. Pure. What cannot be said at the other side is a ValueError and belongs to one record.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "customers.hpp"
#include "invoices.hpp"
#include "items.hpp"
#include "till.hpp"

namespace quickbooks {

using liaison::Record;

// As QuickBooks names them: "Customer", "Item", or documents. Throws Failure(config).
inline std::vector<std::string> types_of(const std::string& entity, const Settings& settings) {
    const auto own = [&](const char* type, std::vector<std::string> types) {
        if (settings.document == type)
            throw Failure(ErrorKind::config, "orders.as: " + kit::lowered(type) + " and the entity " +
                                                 entity +
                                                 " are the same documents in QuickBooks: leave out one of "
                                                 "them, or write orders as estimates");
        return types;
    };
    if (entity == "customer") return {"Customer"};
    if (entity == "product" || entity == "stock_level") return {"Item"};
    if (entity == "sales_order") return {settings.document};
    if (entity == "invoice") return own("Invoice", {"Invoice", "CreditMemo"});
    if (entity == "pos_transaction") return own("SalesReceipt", {"SalesReceipt", "RefundReceipt"});
    throw Failure(ErrorKind::config, "this connector has no '" + entity + "'");
}

// Whether its documents, once they are there, are no more than compared.
inline bool is_immutable(const std::string& entity) { return entity == "invoice"; }

inline const DocumentRules* rules_of(const std::string& entity, const Settings& settings) {
    if (entity == "sales_order") return &settings.orders;
    return entity == "invoice" ? &settings.invoices : nullptr;
}
// Where numbers of documents are our references, records can be found by them.
inline bool is_numbered_by_us(const std::string& entity, const Settings& settings) {
    const DocumentRules* rules = rules_of(entity, settings);
    if (rules != nullptr) return rules->numbering == Numbering::reference;
    return entity == "pos_transaction" && settings.till.numbering == Numbering::reference;
}

// Where a record is: numbers are of one type each, so where an entity has several, its keys name it
// ("creditmemo:12"). Of what is not there (yet), both are empty.
struct Place {
    std::string type, id;
};

inline std::string key_of(const std::string& entity, const std::string& type, const std::string& id,
                          const Settings& settings) {
    if (entity == "stock_level") return id + "@" + settings.stock_location;
    const bool names_type = entity == "invoice" || entity == "pos_transaction";
    return names_type ? kit::lowered(type) + ":" + id : id;
}

inline Place place_of(const std::string& entity, const std::string& key, const Settings& settings) {
    if (key.empty() || kit::is_unsent(key)) return {};
    const std::vector<std::string> types = types_of(entity, settings);
    if (entity == "stock_level") return {types[0], key.substr(0, key.find('@'))};
    if (types.size() == 1) return {types[0], key};
    const std::size_t colon = key.find(':');
    for (const std::string& type : types) {
        if (colon != std::string::npos && kit::lowered(type) == key.substr(0, colon))
            return {type, key.substr(colon + 1)};
    }
    throw kit::ValueError("key", "'" + kit::excerpt(key, 60) + "' is no key of QuickBooks");
}

namespace codec_parts {

inline std::optional<Json> payload_from(const Json& row, const std::string& type, const std::string& entity,
                                        const Settings& settings) {
    if (entity == "customer") return customer_from(row);
    if (entity == "product") return item_from(row, settings);
    if (entity == "stock_level") return stock_from(row, settings);
    if (entity == "invoice") return invoice_from(row, type, settings);
    return order_from(row, settings);
}

// Customers have it among their remarks; items have no room for it.
inline std::string reference_in(const Json& row, const std::string& type) {
    return split_note(type == "Customer" ? text_in(row, "/Notes") : note_of(row)).second;
}

}  // namespace codec_parts

// Of a row as the service shows it; a deleted one is a tombstone. Nothing for what is no record of the hub,
// such as a category among the items.
inline std::optional<Record> record_of(const Json& row, const std::string& type, const std::string& entity,
                                       const Settings& settings) {
    using namespace codec_parts;
    if (type == "Item" && text_in(row, "/Type") == "Category") return std::nullopt;
    const std::string id = text_in(row, "/Id");
    if (id.empty()) throw Failure(ErrorKind::permanent, "QuickBooks shows a " + type + " without Id");
    Record record(key_of(entity, type, id, settings), {});
    record.changed_ms = changed_at(row);
    if (text_in(row, "/status") == "Deleted") {
        record.deleted = true;
        return record;
    }
    record.version = text_in(row, "/SyncToken");
    try {
        const std::optional<Json> payload = payload_from(row, type, entity, settings);
        if (!payload) return std::nullopt;
        record.payload = payload->dump();
        record.reference = reference_in(row, type);
    } catch (const kit::ValueError& error) {
        Json rejected = Json::object();
        rejected.set("$rejected", error.what());
        rejected.set("$raw", row);
        record.payload = rejected.dump();
    }
    return record;
}

// The member by which a record can be looked for before it is created, and whose value is its own there.
inline std::string natural_field(const std::string& type, const Json& body) {
    if (type == "Customer") return "DisplayName";
    if (type == "Item") return body.find("Sku") != nullptr ? "Sku" : "Name";
    return "DocNumber";
}

// Whether that row was made of the record with this reference.
inline bool is_ours(const Json& row, const std::string& type, const Json& body, const std::string& ours) {
    if (type == "Item") {
        const std::string sku = text_in(body, "/Sku");
        return !sku.empty() && text_in(row, "/Sku") == sku;
    }
    return !ours.empty() && codec_parts::reference_in(row, type) == ours;
}

}  // namespace quickbooks
