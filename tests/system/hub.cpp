#include "hub.hpp"

#include <sqlite3.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <memory>
#include <set>
#include <stdexcept>

#include "integrations.hpp"
#include "until.hpp"

namespace liaison_system {
namespace json = boost::json;
namespace {

using Connection = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;
using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

Connection open_reader(const std::string& path) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
    Connection connection(raw, sqlite3_close);
    if (code != SQLITE_OK) throw std::runtime_error("cannot read " + path);
    sqlite3_busy_timeout(raw, 5000);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);  // the daemon's file: only look
    return connection;
}

Statement prepare(sqlite3* connection, const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(connection, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(connection));
    }
    return {raw, sqlite3_finalize};
}

std::string text_at(sqlite3_stmt* row, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
    return text == nullptr ? std::string() : text;
}

std::string as_text(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// Vendors write 12.50 as a number, the hub as text.
bool same(const json::value& a, const json::value& b) {
    if (a.is_double() || b.is_double())
        return std::strtod(as_text(a).c_str(), nullptr) == std::strtod(as_text(b).c_str(), nullptr);
    return as_text(a) == as_text(b);
}

const json::value& at(const json::value& document, const std::string& pointer) {
    static const json::value nothing;
    boost::system::error_code error;
    const json::value* found = document.find_pointer(pointer, error);
    return found == nullptr ? nothing : *found;
}

testing::AssertionResult same_fields(const json::object& payload, const json::value& vendor,
                                     const Fields& fields) {
    const json::value canonical(payload);
    for (const auto& [ours, theirs] : fields) {
        const json::value &mine = at(canonical, ours), &other = at(vendor, theirs);
        if (mine.is_null() || !same(mine, other)) {
            return testing::AssertionFailure() << ours << " is " << json::serialize(mine)
                                               << ", the vendor has " << json::serialize(other);
        }
    }
    return testing::AssertionSuccess();
}

}  // namespace

const Fields product_fields{
    {"/sku", "/sku"}, {"/name", "/name"}, {"/sales_price", "/price"}, {"/category", "/category"}};
const Fields order_fields{
    {"/order_no", "/number"}, {"/lines/0/sku", "/lines/0/sku"}, {"/lines/0/quantity", "/lines/0/quantity"}};
const Fields office_product_fields{{"/sku", "/code"}, {"/name", "/label"}, {"/sales_price", "/price"}};
const Fields pms_fields{
    {"/arrival_date", "/arrival"}, {"/departure_date", "/departure"}, {"/notes", "/guest_name"}};

std::int64_t Hub::number(const std::string& sql) const {
    const Connection connection = open_reader(path_);
    const Statement select = prepare(connection.get(), sql);
    return sqlite3_step(select.get()) == SQLITE_ROW ? sqlite3_column_int64(select.get(), 0) : -1;
}

std::string Hub::text(const std::string& sql) const {
    const Connection connection = open_reader(path_);
    const Statement select = prepare(connection.get(), sql);
    return sqlite3_step(select.get()) == SQLITE_ROW ? text_at(select.get(), 0) : std::string();
}

std::vector<std::pair<std::string, std::string>> Hub::pairs(const std::string& sql) const {
    const Connection connection = open_reader(path_);
    const Statement select = prepare(connection.get(), sql);
    std::vector<std::pair<std::string, std::string>> rows;
    while (sqlite3_step(select.get()) == SQLITE_ROW)
        rows.emplace_back(text_at(select.get(), 0), text_at(select.get(), 1));
    return rows;
}

std::map<std::string, Mapped> Hub::mapped(const std::string& integration, const std::string& entity) const {
    const Connection connection = open_reader(path_);
    const Statement select =
        prepare(connection.get(),
                "SELECT m.external_id, m.rid, r.payload FROM mappings m JOIN records r ON r.rid = m.rid "
                "WHERE m.integration = (SELECT id FROM names WHERE name = ?1) AND m.entity = (SELECT id FROM "
                "names WHERE name = ?2) "
                "AND r.stub = 0 AND r.deleted_at IS NULL");
    sqlite3_bind_text(select.get(), 1, integration.c_str(), -1, SQLITE_STATIC);
    sqlite3_bind_text(select.get(), 2, entity.c_str(), -1, SQLITE_STATIC);
    std::map<std::string, Mapped> all;
    int code = 0;
    while ((code = sqlite3_step(select.get())) == SQLITE_ROW) {
        all[text_at(select.get(), 0)] = {sqlite3_column_int64(select.get(), 1),
                                         json::parse(text_at(select.get(), 2)).as_object()};
    }
    if (code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(connection.get()));
    return all;
}

std::int64_t Hub::records(const std::string& entity) const {
    return number(
        "SELECT count(*) FROM records WHERE stub = 0 AND deleted_at IS NULL AND entity = (SELECT id FROM "
        "names WHERE name = '" +
        entity + "')");
}

testing::AssertionResult hub_knows(const Hub& hub, const std::string& integration, const std::string& entity,
                                   const json::array& vendor, const std::string& key, const Fields& fields) {
    const auto mapped = hub.mapped(integration, entity);
    std::set<std::int64_t> owned;
    for (const json::value& record : vendor) {
        const std::string id = as_text(at(record, key));
        const auto found = mapped.find(id);
        if (found == mapped.end())
            return testing::AssertionFailure() << entity << ' ' << id << " of the vendor is not mapped";
        if (!owned.insert(found->second.rid).second)
            return testing::AssertionFailure() << entity << ' ' << id << " shares its hub record";
        if (auto equal = same_fields(found->second.payload, record, fields); !equal)
            return equal << ", in " << entity << ' ' << id;
    }
    return testing::AssertionSuccess();
}

testing::AssertionResult hub_equals(const Hub& hub, const std::string& integration, const std::string& entity,
                                    const json::array& vendor, const std::string& key, const Fields& fields) {
    if (auto known = hub_knows(hub, integration, entity, vendor, key, fields); !known) return known;
    const auto mapped = hub.mapped(integration, entity);
    if (mapped.size() != vendor.size()) {
        return testing::AssertionFailure()
               << "the vendor has " << vendor.size() << " of " << entity << ", mapped are " << mapped.size();
    }
    const std::int64_t records = hub.records(entity);
    if (records != static_cast<std::int64_t>(vendor.size())) {
        return testing::AssertionFailure()
               << "the vendor has " << vendor.size() << " of " << entity << ", the hub " << records;
    }
    return testing::AssertionSuccess();
}

json::array vendor_records(const House& house, const std::string& entity) {
    const Reply reply = house.sim("GET", entity);
    return reply.body.is_array() ? reply.body.get_array() : json::array();
}

testing::AssertionResult all_differ(const json::array& vendor, const std::string& key) {
    std::set<std::string> seen;
    for (const json::value& record : vendor) {
        const std::string text = as_text(at(record, key));
        if (!seen.insert(text).second)
            return testing::AssertionFailure() << "two records have " << key << " " << text;
    }
    return testing::AssertionSuccess();
}

void expect_hub_equals_shop(const House& house, const std::string& integration) {
    const Hub hub(house);
    EXPECT_TRUE(hub_equals(hub, integration, "product", vendor_records(house, "shop/products"), "/id",
                           product_fields));
}

void expect_pms_holds(const House& house, std::int64_t reservations) {
    const Hub hub(house);
    const json::array vendor = vendor_records(house, "pms/reservations");
    EXPECT_EQ(static_cast<std::int64_t>(vendor.size()), reservations);
    EXPECT_TRUE(all_differ(vendor, "/reference"));
    EXPECT_TRUE(all_differ(vendor, "/guest_name"));
    EXPECT_TRUE(hub_equals(hub, "pms", "reservation", vendor, "/id", pms_fields));
    EXPECT_EQ(hub.open_intents(), 0);
    EXPECT_EQ(house.stat("pms", "duplicates"), 0);
}

void expect_office_holds(const House& house, std::int64_t products, std::int64_t orders) {
    const Hub hub(house);
    const json::array there = vendor_records(house, "backoffice/orders");
    EXPECT_EQ(house.count("backoffice/products"), products);
    EXPECT_EQ(static_cast<std::int64_t>(there.size()), orders);
    EXPECT_TRUE(all_differ(there, "/external_ref"));
    EXPECT_TRUE(hub_equals(hub, "office", "product", vendor_records(house, "backoffice/products"), "/code",
                           office_product_fields));
    EXPECT_TRUE(hub_equals(hub, "office", "sales_order", there, "/id", {{"/order_no", "/external_ref"}}));
    EXPECT_EQ(hub.open_intents(), 0);
    EXPECT_EQ(house.stat("backoffice", "duplicates"), 0);
}

void expect_bookings(const House& house, int rows, bool has_ids) {
    const Hub hub(house);
    std::map<std::string, int> expected, found;
    for (int row = 1; row <= rows; ++row)
        ++expected["Guest " + std::to_string(!has_ids && row % 100 == 0 ? row - 1 : row)];
    for (const auto& [id, record] : hub.mapped("bookings", "reservation"))
        ++found[text_of(record.payload, "notes")];
    EXPECT_TRUE(expected == found) << found.size() << " guests in the hub, " << expected.size()
                                   << " in the file";
    EXPECT_EQ(hub.records("reservation"), rows);
}

}  // namespace liaison_system
