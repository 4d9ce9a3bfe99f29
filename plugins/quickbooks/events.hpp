// What QuickBooks tells by webhook: which documents and list entries changed, and never how. Both formats: an
// array of CloudEvents, and eventNotifications. Pure.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec.hpp"

namespace quickbooks {

// One thing that changed in our company.
struct Change {
    std::string type, id;  // as QuickBooks names them: "Invoice", "95"
    bool is_gone = false;  // deleted, or merged into another one
    std::int64_t at_ms = 0;
};

// What one event says: nothing where it is about other companies, or about what is no record of the hub.
struct Notice {
    std::vector<Change> changes;
    std::string fault;  // why it cannot be read
};

namespace event_parts {

// By their names in lower case, as CloudEvents have them.
inline std::string type_named(const std::string& name) {
    static constexpr std::array<std::string_view, 6> types = {"Customer",   "Item",     "Invoice",
                                                              "CreditMemo", "Estimate", "SalesReceipt"};
    for (const std::string_view type : types) {
        if (kit::lowered(std::string(type)) == kit::lowered(name)) return std::string(type);
    }
    return {};
}

inline void add(Notice& notice, const std::string& name, const std::string& id, const std::string& operation,
                const std::string& at) {
    const std::string type = type_named(name), what = kit::lowered(operation);
    if (type.empty() || id.empty()) return;
    const bool is_gone = what == "deleted" || what == "delete" || what == "merged" || what == "merge";
    notice.changes.push_back({type, id, is_gone, kit::parse_rfc3339(at).value_or(0)});
}

// "qbo.invoice.created.v1"
inline void add_cloud_event(Notice& notice, const Json& event, const std::string& realm) {
    if (text_in(event, "/intuitaccountid") != realm) return;
    const std::string type = text_in(event, "/type");
    const std::size_t name = type.find('.'), operation = type.find('.', name + 1);
    if (!type.starts_with("qbo.") || operation == std::string::npos) return;
    const std::size_t end = type.find('.', operation + 1);
    add(notice, type.substr(name + 1, operation - name - 1), text_in(event, "/intuitentityid"),
        type.substr(operation + 1, end - operation - 1), text_in(event, "/time"));
}

inline void add_notification(Notice& notice, const Json& notification, const std::string& realm) {
    const Json* entities = notification.at("/dataChangeEvent/entities");
    if (text_in(notification, "/realmId") != realm || entities == nullptr || !entities->is_array()) return;
    for (const Json& one : entities->items())
        add(notice, text_in(one, "/name"), text_in(one, "/id"), text_in(one, "/operation"),
            text_in(one, "/lastUpdated"));
}

}  // namespace event_parts

inline Notice notice_of(const std::string& body, const std::string& realm) {
    Notice notice;
    Json document;
    try {
        document = Json::parse(body);
    } catch (const liaison::JsonError& error) {
        notice.fault = std::string("its body is no JSON: ") + error.what();
        return notice;
    }
    const Json* notifications = document.find("eventNotifications");
    if (notifications != nullptr && notifications->is_array()) {
        for (const Json& one : notifications->items()) event_parts::add_notification(notice, one, realm);
    } else if (document.is_array()) {
        for (const Json& one : document.items()) event_parts::add_cloud_event(notice, one, realm);
    } else if (document.find("specversion") != nullptr) {
        event_parts::add_cloud_event(notice, document, realm);
    } else {
        notice.fault = "it is neither CloudEvents nor eventNotifications";
    }
    return notice;
}

// Which entities that are read from here the type holds; a setting decides for orders.
inline std::vector<std::string> entities_of(const std::string& type, const Settings& settings) {
    if (type == settings.document) return {"sales_order"};
    if (type == "Customer") return {"customer"};
    if (type == "Item") return {"product", "stock_level"};
    if (type == "Invoice" || type == "CreditMemo") return {"invoice"};
    return {};
}

}  // namespace quickbooks
