// The Service Layer of SAP Business One, versions 1 and 2 side by side: cookie sessions, OData pages of 20
// unless asked otherwise, errors in the version's own shape, documents whose lines are merged, entity tags,
// approval drafts. Strict in what it accepts; its moods are `modes` (see README.md).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "odata_filter.hpp"
#include "vendor.hpp"

namespace liaison_sim {

class SapB1 final : public Vendor {
  public:
    SapB1();

  private:
    struct Property {
        enum class Type { text, number, yes, list };
        std::string name;
        Type type = Type::text;
        std::size_t longest = 254;
    };
    struct Set {
        std::string name, type;  // "Items", and how errors call one of them
        Collection* collection = nullptr;
        std::vector<Property> writable;
        std::set<std::string> readable;  // besides
    };
    struct Session {
        std::string route;
        std::int64_t used_ms = 0, requests = 0;
    };
    // What one request addresses.
    struct Call {
        const Request* request = nullptr;
        bool is_v1 = false;
        Address address;
        std::string action;
        const Set* set = nullptr;
    };

    std::optional<Response> turn_away(const Request& request) override;
    bool is_authorized(const Request& request) const override;
    std::string challenge() const override { return "B1SESSION"; }
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;
    void complete(const Collection& collection, Json& record, const Json& patch) override;
    void check_record(const Collection&, const Json&) const override {}
    void forget() override;

    Response serve(const Request& request);
    Response log_in(const Request& request);
    Response log_out(const Request& request);
    Response list(const Call& call);
    Response read_one(const Call& call);
    Response create(const Call& call);
    Response change(const Call& call);
    Response cancel(const Call& call);

    Call call_of(const Request& request) const;
    [[noreturn]] void refuse_with(bool is_v1, unsigned status, const std::string& code,
                                  const std::string& message) const;
    Json body_of(const Call& call) const;
    void check_properties(const Call& call, const Json& body, const std::vector<Property>& known,
                          const std::string& of) const;
    void check_references(const Call& call, const Json& body) const;
    void check_base(const Call& call, const Json& line) const;
    void close_bases(const Json& invoice);
    void finish_order(Json& order) const;
    const Record& addressed(const Call& call) const;
    void check_tag(const Call& call, const Record& record) const;
    std::string tag_of(const Record& record) const;
    Json shown(const Record& record, const Call& call) const;
    bool knows(const Set& set, std::string_view property) const;
    Response answer_with(const Record& record, const Call& call, unsigned status) const;
    bool is_on(const char* name) const { return mode(name) == "true"; }
    std::int64_t number_mode(const char* name) const { return std::atoll(mode(name).c_str()); }
    std::string local_date(std::int64_t ms) const;
    std::string local_time(std::int64_t ms) const;

    Collection &items_, &partners_, &orders_, &drafts_, &invoices_;
    std::vector<Set> sets_;
    mutable std::map<std::string, Session> sessions_;
    std::int64_t last_session_ = 0;
    std::int64_t bad_passwords_ = 0;
};

}  // namespace liaison_sim
