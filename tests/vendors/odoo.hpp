// A simulated Odoo: /odoo/xmlrpc/2/*, /odoo/json/2/* (19 only) and /odoo/web/version over one set of records.
// The database that a call names decides the version: sim14, sim16, sim17, sim18 or sim19; "sim16-none" is
// one whose action methods return None, which XML-RPC cannot say after the commit; at "sim17-busy" every
// other write meets another transaction and is undone. Credentials: {"login", "key"}, and
// "version", which the server tells without any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vendor.hpp"

namespace liaison_sim {

class Odoo : public Vendor {
  public:
    Odoo();

  protected:
    // Every call carries its own credentials; JSON-2's are looked at with the call.
    bool is_authorized(const Request&) const override { return true; }
    std::string challenge() const override { return "bearer"; }
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;

  private:
    struct Database {
        int version = 0;
        bool answers_none = false, is_busy = false;
    };
    struct Call {
        Database database;
        std::string model, method;
        Json positional = Json::array();
        Json named = Json::object();
        Json context = Json::object();
    };
    struct Field;
    // A model with lines.
    struct Document {
        std::string line_model, parent, list, quantity;
    };
    struct Reply {
        Json value;
        bool committed = false;
        bool is_none = false;
    };

    Response xmlrpc_common(const Request& request);
    Response xmlrpc_object(const Request& request);
    Response json2(const Request& request);
    Response web_version(const Request& request);

    static std::optional<Database> database_of(const std::string& name);
    static const std::vector<Field>& fields_of(const std::string& model);
    static const Field* field_of(const Call& call, const std::string& model, const std::string& name);
    Collection* collection_of(const std::string& model);
    static const Document* document_of(const std::string& model);

    Reply execute(const Call& call);
    Reply search_read(const Call& call);
    Reply read(const Call& call);
    Reply fields_get(const Call& call) const;
    Reply write(const Call& call);
    Reply load(const Call& call);
    Reply unlink(const Call& call);
    Reply action(const Call& call);
    Reply post(const Call& call);
    Reply count(const Call& call);
    Reply apply_count(const Call& call);
    void check_posted(const Json& ids, const Json& values);
    void check_inventory(const Call& call) const;

    Json argument(const Call& call, std::size_t index, const char* name) const;
    std::vector<Json> rows_of(const std::string& model);
    Json row_or_missing(const std::string& model, std::int64_t id);
    Json shown(const Call& call, const std::string& model, const Json& row, const Json& fields);
    bool matches(const Call& call, const std::string& model, const Json& row, const Json& domain);
    bool holds(const Call& call, const std::string& model, const Json& row, const Json& leaf);
    std::int64_t insert(const Call& call, const std::string& model, const Json& values);
    void change(const Call& call, const std::string& model, std::int64_t id, const Json& values);
    void check(const Call& call, const std::string& model, const Json& values, bool is_new);
    void apply_lines(const Call& call, std::int64_t order, const Json& commands);
    void total(const std::string& model, std::int64_t id);
    void remove(const std::string& model, std::int64_t id);
    std::optional<std::int64_t> known_as(const std::string& external_id);
    void name_it(const std::string& model, const std::string& external_id, std::int64_t id);

    Collection& products_;
    Collection& partners_;
    Collection& orders_;
    Collection& lines_;
    Collection& names_;  // ir.model.data
    Collection& invoices_;
    Collection& invoice_lines_;
    Collection& quants_;
    std::uint64_t calls_of_a_busy_server_ = 0;
};

}  // namespace liaison_sim
