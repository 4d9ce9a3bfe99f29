#include "integrations.hpp"

#include <cstdio>
#include <string_view>

namespace liaison_system {
namespace {

std::string head(const std::string& id, const char* tenant, const char* connector, const char* direction,
                 const Options& options) {
    return "  " + id + ":\n    tenant: " + tenant + "\n    connector: " + connector +
           "\n    direction: " + direction + "\n    entities: " + options.entities +
           "\n    schedule: " + options.schedule + "\n" + options.more;
}

constexpr char shop_settings[] = R"(    credentials: { token: !file @ROOT@/secrets/shop-token }
    settings:
      base_url: @SIM@/shop/v1
      auth: { scheme: bearer }
      entities:
        product:
          key: /id
          version: /updated_at
          changed: /updated_at
          list: { path: /products, items: /items, paging: { style: page, size_param: limit, size: 100, total_pages: /pages }, since: { param: updated_since } }
          fields:
            /sku: /sku
            /name: /name
            /kind: { value: stock }
            /category: /category
            /sales_price: { from: /price, as: decimal }
            /currency: /currency
            /base_unit: /unit
            /active: { from: /active, as: boolean }
        customer:
          key: /id
          version: /updated_at
          changed: /updated_at
          list: { path: /customers, paging: { style: offset, size_param: limit, size: 100 }, since: { param: updated_since } }
          fields:
            /kind: { value: company }
            /company_name: /company
            /emails/0/value: /contact/email
            /vat_id: /vat_number
            /address/city: /address/city
        sales_order:
          key: /id
          version: /updated_at
          changed: /updated_at
          list: { path: /orders, items: /data, paging: { style: cursor, size_param: limit, size: 100, next: /next_cursor }, since: { param: updated_since }, range: { from: placed_from, to: placed_to } }
          fields:
            /order_no: /number
            /customer_ref: { from: /customer_id, as: text }
            /status: { from: /status, values: { new: confirmed, paid: invoiced, shipped: fulfilled, cancelled: cancelled }, otherwise: unknown }
            /order_date: { from: /placed_at, as: date, date: "%Y-%m-%dT%H:%M:%S%z" }
            /lines:
              each: /lines
              fields:
                /line: /line
                /product_ref: { from: /product_id, as: text }
                /sku: /sku
                /text: /text
                /quantity: { from: /quantity, as: decimal }
                /unit_price: { from: /unit_price, as: decimal }
            /total: { from: /total, as: money, currency_from: /currency }
)";

// What the shop sold, as invoices and as sales at a till.
constexpr char ledger_settings[] = R"(        invoice:
          key: /id
          version: /updated_at
          changed: /updated_at
          list: { path: /orders, items: /data, paging: { style: cursor, size_param: limit, size: 100, next: /next_cursor }, since: { param: updated_since } }
          fields:
            /invoice_no: /number
            /kind: { value: invoice }
            /status: { from: /status, values: { new: issued, paid: paid, shipped: issued, cancelled: draft }, otherwise: issued }
            /customer_ref: { from: /customer_id, as: text }
            /order_refs/0: { from: /id, as: text }
            /issue_date: { from: /placed_at, as: date, date: "%Y-%m-%dT%H:%M:%S%z" }
            /currency: /currency
            /lines:
              each: /lines
              fields:
                /product_ref: { from: /product_id, as: text }
                /text: /text
                /quantity: { from: /quantity, as: decimal }
                /unit_price: { from: /unit_price, as: decimal }
        stock_level:
          key: /id
          version: /updated_at
          changed: /updated_at
          list: { path: /products, items: /items, paging: { style: page, size_param: limit, size: 100, total_pages: /pages }, since: { param: updated_since } }
          fields:
            /product_ref: { from: /id, as: text }
            /location: { value: main }
            /kind: { value: quantity }
            /on_hand: { from: /price, as: decimal }
        pos_transaction:
          key: /id
          version: /updated_at
          changed: /updated_at
          list: { path: /orders, items: /data, paging: { style: cursor, size_param: limit, size: 100, next: /next_cursor }, since: { param: updated_since } }
          fields:
            /receipt_no: /number
            /kind: { from: /status, values: { cancelled: void, shipped: refund }, otherwise: sale }
            /status: { value: closed }
            /business_date: { from: /placed_at, as: date, date: "%Y-%m-%dT%H:%M:%S%z" }
            /currency: /currency
            /lines:
              each: /lines
              fields:
                /sku: /sku
                /name: /text
                /quantity: { from: /quantity, as: decimal }
                /total: { from: /total, money: EUR }
            /total: { from: /total_net, money: EUR }
)";

constexpr char office_settings[] = R"(    limits: { concurrent: @CONCURRENT@ }
    credentials: { key: !file @ROOT@/secrets/office-key }
    settings:
      base_url: @SIM@/backoffice/v1
      auth: { scheme: api_key, header: X-Api-Key }
      parallel: @CONCURRENT@
      entities:
        product:
          key: /code
          effect: upsert
          write_key: /sku
          fields:
            /sku: /code
            /name: /label
            /sales_price: { from: /price, as: decimal, write: string }
            /currency: /currency
            /base_unit: /unit
            /active: { from: /active, as: boolean }
          create: { method: PUT, path: "/products/{key}", id_from: path }
          update: { method: PUT, path: "/products/{key}" }
        customer:
          key: /ref
          effect: upsert
          write_key: /vat_id
          fields:
            /company_name: /name
            /vat_id: /vat
          create: { method: PUT, path: "/customers/{key}", id_from: path }
          update: { method: PUT, path: "/customers/{key}" }
        sales_order:
          key: /id
          effect: keyed
          fields:
            /order_no: /external_ref
            /customer_ref: /customer_ref
            /lines:
              each: /lines
              fields:
                /product_ref: /product_code
                /quantity: { from: /quantity, as: decimal, write: string }
                /unit_price: { from: /unit_price, as: decimal, write: string }
            /total: { from: /total, as: money, currency_from: /currency, write: string }
          create: { method: POST, path: /orders, reference: { header: Idempotency-Key }, id: /id }
          update: { method: PUT, path: "/orders/{key}" }
)";

constexpr char pms_settings[] = R"(    limits: { concurrent: 16 }
    credentials: { username: !file @ROOT@/secrets/pms-user, password: !file @ROOT@/secrets/pms-password }
    settings:
      base_url: @SIM@/pms
      auth: { scheme: basic }
      parallel: 16
      entities:
        reservation:
          key: /id
          fields:
            /status: /status
            /channel: /channel
            /arrival_date: /arrival
            /departure_date: /departure
            /notes: /guest_name
            /stays/0/external_room_type: /room_type
            /stays/0/adults: { from: /adults, as: integer }
            /total: { from: /total, as: money, currency_from: /currency, write: string }
          create: { method: POST, path: /reservations, reference: { field: /reference }, id: /id, version: etag }
          update: { method: PUT, path: "/reservations/{key}", reference: { field: /reference }, if_match: true, version: etag }
          find: { path: /reservations, param: reference, items: /reservations, id: /id, match: /reference, key_path: "/reservations/{key}" }
)";

constexpr char booking_settings[] = R"(    settings:
      entities:
        reservation:
          folder: @ROOT@/in
          processed: @ROOT@/done
          fields:
            /status: { value: confirmed }
            /channel: { value: direct }
            /arrival_date: { from: arrival, date: "%Y-%m-%d" }
            /departure_date: { from: departure, date: "%Y-%m-%d" }
            /notes: guest
            /total: { from: total, money: EUR }
            /stays/0/status: { value: confirmed }
            /stays/0/arrival_date: { from: arrival, date: "%Y-%m-%d" }
            /stays/0/departure_date: { from: departure, date: "%Y-%m-%d" }
            /stays/0/external_room_type: room
            /stays/0/adults: { from: adults, as: integer }
)";

}  // namespace

std::string shop(const Options& options, const std::string& id) {
    return head(id, "wholesaler", "custom_api", "import", options) + shop_settings;
}

std::string shop_ledger(const Options& options) { return shop(options) + ledger_settings; }

void start_with_slow_shop(House& house, int products, const Options& options,
                          const std::string& more_integrations) {
    house.seed("shop/products", products);
    house.set("shop", R"({"latency_ms":5})");
    house.configure(shop(options) + more_integrations);
    house.start();
}

std::string office(const Options& options, int concurrent) {
    static constexpr std::string_view mark = "@CONCURRENT@";
    std::string settings = office_settings;
    for (std::size_t at = 0; (at = settings.find(mark)) != std::string::npos;)
        settings.replace(at, mark.size(), std::to_string(concurrent));
    return head("office", "wholesaler", "custom_api", "export", options) + settings;
}

std::string pms(const Options& options, const std::string& effect) {
    return head("pms", "hotel", "custom_api", "export", options) + pms_settings +
           "          effect: " + effect + "\n";
}

std::string office_both_ways(const Options& options) {
    std::string text = office(options);
    const auto put = [&](std::string_view what, const std::string& with) {
        text.replace(text.find(what), what.size(), with);
    };
    put("direction: export", "direction: bidirectional");
    put("write_key: /sku",
        "write_key: /sku\n          list: { path: /products, items: /items, paging: { style: offset, "
        "size_param: limit, "
        "size: 100, total: /total } }");
    return text;
}

std::string bookings_import(const Options& options, const std::string& key) {
    return head("bookings", "hotel", "csv", "import", options) + booking_settings + "          key: " + key +
           "\n";
}

std::string bookings(int rows, bool has_ids) {
    std::string text = has_ids ? "id,guest,arrival,departure,room,adults,total\n"
                               : "guest,arrival,departure,room,adults,total\n";
    for (int row = 1; row <= rows; ++row) {
        const int content = !has_ids && row % 100 == 0 ? row - 1 : row;
        char line[120];
        std::snprintf(line, sizeof line, "Guest %d,2026-%02d-%02d,2026-%02d-%02d,DBL,%d,%d.%02d\n", content,
                      1 + content % 12, 1 + content % 20, 1 + content % 12, 3 + content % 20, 1 + content % 3,
                      100 + content / 100, content % 100);
        if (has_ids) text += "B" + std::to_string(row) + ",";
        text += line;
    }
    return text;
}

}  // namespace liaison_system
