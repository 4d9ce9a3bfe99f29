// Sets: which entity set of the Service Layer holds which entity, how its records are addressed, and what of
// them is read.
#pragma once

#include <string>
#include <vector>

#include "invoices.hpp"

namespace sap_b1 {

enum class Kind { product, customer, order, invoice, stock };

struct Set {
    Kind kind;
    std::string entity, name, key;
    bool has_text_keys = true;
    std::string filter;  // of what belongs to the entity at all
    std::string fields;  // that are read
    std::string date;    // by which ranges are asked for

    std::string path_of(const std::string& id) const {
        return has_text_keys ? odata::by_text(name, id) : odata::by_number(name, id);
    }
    // Documents carry our reference.
    bool is_document() const { return kind == Kind::order || kind == Kind::invoice; }
    std::string literal(const std::string& id) const { return has_text_keys ? odata::text_literal(id) : id; }
};

inline constexpr const char* change_fields = ",CreateDate,CreateTime,UpdateDate,UpdateTime";

inline Set set_of(const Settings& settings, const std::string& entity) {
    if (entity == "product") {
        return {Kind::product,
                entity,
                "Items",
                "ItemCode",
                true,
                "",
                "ItemCode,ItemName,InventoryItem,SalesUnit,BarCode,ItemsGroupCode,Valid,Frozen,ItemPrices" +
                    std::string(settings.has_stock ? ",ItemWarehouseInfoCollection" : "") + change_fields,
                ""};
    }
    if (entity == "customer") {
        return {Kind::customer,
                entity,
                "BusinessPartners",
                "CardCode",
                true,
                "CardType eq 'cCustomer'",
                "CardCode,CardName,EmailAddress,Phone1,FederalTaxID,Currency,PriceListNum,Valid,Frozen,"
                "BPAddresses" +
                    std::string(change_fields),
                ""};
    }
    if (entity == "sales_order") {
        return {Kind::order,
                entity,
                "Orders",
                "DocEntry",
                false,
                "",
                "DocEntry,DocNum,CardCode,NumAtCard,DocumentStatus,Cancelled,DocDate,DocDueDate,DocCurrency,"
                "DocTotal,DocTotalFc,VatSum,VatSumFc,Comments,DocumentLines" +
                    std::string(change_fields) +
                    (settings.keeps_reference_in_number() ? "" : "," + settings.reference_field),
                "DocDate"};
    }
    if (entity == "invoice") {
        return {Kind::invoice,
                entity,
                "Invoices",
                "DocEntry",
                false,
                "",
                "DocEntry,DocNum,CardCode,NumAtCard,DocumentStatus,Cancelled,DocDate,DocDueDate,DocCurrency,"
                "DocTotal,DocTotalFc,VatSum,VatSumFc,PaidToDate,PaidToDateFC,Comments,DocumentLines" +
                    std::string(change_fields) +
                    (settings.keeps_reference_in_number() ? "" : "," + settings.reference_field),
                "DocDate"};
    }
    if (entity == "stock_level")
        return {Kind::stock,
                entity,
                "Items",
                "ItemCode",
                true,
                "InventoryItem eq 'tYES'",
                "ItemCode,ItemWarehouseInfoCollection",
                ""};
    throw Failure(ErrorKind::config, "SAP Business One has no entity '" + entity + "' here");
}

inline constexpr std::size_t most_raw_bytes = 12'000;

// One entity of the set as records of the hub: as a rule one, of stock one for each warehouse.
inline void read_records(const Settings& settings, const Set& set, const Json& item,
                         std::vector<Record>& into) {
    const std::string key = text_of(item, set.key);
    const auto add = [&](const std::string& id, const Json& payload) {
        Record& record = into.emplace_back(id, payload.dump());
        record.changed_ms = set.kind == Kind::stock ? 0 : changed_ms(settings, item);
        if (set.kind != Kind::stock) record.version = version_of(item);
        if (set.is_document()) record.reference = text_of(item, settings.reference_field);
    };
    try {
        switch (set.kind) {
            case Kind::product: return add(key, product(settings, item));
            case Kind::customer: return add(key, customer(settings, item));
            case Kind::order: return add(key, order(settings, item));
            case Kind::invoice: return add(key, invoice(settings, item));
            case Kind::stock: break;
        }
        for (const Json& one : reading_parts::list(item, "ItemWarehouseInfoCollection")) {
            add(key + "@" + text_of(one, "WarehouseCode"), stock_level(item, one));
        }
    } catch (const liaison::kit::ValueError& error) {
        Json rejected = Json::object();
        rejected.set("$rejected", std::string(error.what()));
        if (item.dump().size() <= most_raw_bytes) rejected.set("$raw", item);
        into.emplace_back(key, rejected.dump());
    }
}

}  // namespace sap_b1
