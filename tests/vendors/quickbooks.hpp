// QuickBooks Online, Accounting API v3 (quickbooks.md): customers, items and the documents of sales of one
// company, with its query language, change data capture, SyncTokens and request ids.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "intuit.hpp"
#include "vendor.hpp"

namespace liaison_sim {

// One statement of the query language, taken apart. Throws Refusal (4000, 4001).
struct QuickBooksQuery {
    struct Condition {
        std::string field, operation;  // = < > <= >= IN LIKE
        std::vector<std::string> values;
    };
    std::string type;
    bool is_count = false;
    std::vector<Condition> conditions;
    std::string order_by;
    bool is_descending = false;
    std::size_t start = 1, most = 100;

    static QuickBooksQuery parse(const std::string& statement);
    bool matches(const Json& row) const;
    // Sorts and cuts.
    std::vector<Json> page(std::vector<Json> rows) const;
};

// A fault as this API writes it.
[[noreturn]] void refuse_quickbooks(unsigned status, const std::string& code, const std::string& message,
                                    const std::string& detail);
[[noreturn]] void refuse_missing(const std::string& what);
// The id in {"value": "12"}; empty for none.
std::string quickbooks_reference(const Json& row, const char* key);
// "2026-05-01T03:00:00-07:00": to the second, with the company's offset.
std::string quickbooks_instant(std::int64_t ms);

class QuickBooks final : public Vendor {
  public:
    explicit QuickBooks(std::shared_ptr<TokenBook> tokens);

  protected:
    bool is_authorized(const Request& request) const override;
    std::string challenge() const override { return R"(Bearer realm="Intuit", error="invalid_token")"; }
    Response unauthorized() const override;
    Response too_many() const override;
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;
    void complete(const Collection& collection, Json& record, const Json& patch) override;
    void forget() override;
    void removed(const Collection& collection, const std::string& id) override;
    bool set_own(const std::string& name, const Json& value) override;
    void show_own(Json& switches) const override;

  private:
    struct Kind {
        std::string type;  // "Customer"
        Collection* collection;
        std::vector<std::string> fields;  // that may be sent
        bool is_name_list;
    };
    struct Gone {
        std::string type, id;
        std::int64_t at_ms;
    };
    struct Known {
        Response response;
        std::int64_t at_ms;
    };

    Response company_info(const Request& request);
    Response query(const Request& request);
    Response changes(const Request& request);
    Response read(const Request& request);
    Response write(const Request& request);

    void guard(const Request& request);
    Kind& kind_at(const Request& request);
    std::vector<Json> rows(const Kind& kind) const;
    std::optional<Json> row(const Kind& kind, const std::string& id) const;
    Response execute(Kind& kind, const Request& request);
    Response remove(Kind& kind, const Json& body);
    Response store(Kind& kind, Json row, bool is_new);
    void check(const Kind& kind, const Json& row, bool is_new) const;
    void check_name(const Kind& kind, const Json& row) const;
    void check_item(const Json& row) const;
    void check_document(const Kind& kind, const Json& row) const;
    void check_payment(const Kind& kind, const Json& row) const;
    void check_line(const Json& line, bool needs_tax) const;
    void total_up(const std::string& type, Json& row) const;
    Response make_void(Kind& kind, const Json& body);
    std::string type_of(const Collection& collection) const;
    void count_document(const Kind& kind, const Json& row);

    std::shared_ptr<TokenBook> tokens_;
    std::vector<Kind> kinds_;
    std::vector<Gone> gone_;
    std::map<std::string, Known> known_requests_;
    std::deque<std::int64_t> recent_;  // requests of the last minute
    std::int64_t per_minute_ = 500, most_in_flight_ = 10, requestid_s_ = 86'400;
    bool needs_tax_ = false, has_unique_numbers_ = false;
};

}  // namespace liaison_sim
