// JSON from anywhere: records against their schemas, schemas of manifests, and what is done with records that
// were edited or came from a vendor. The input is an entity's name, and up to three documents, a line each.
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/text.hpp"
#include "sync/canonical.hpp"
#include "sync/merge.hpp"

namespace liaisond::sync {
namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

json::object document(std::string_view text) {
    boost::system::error_code error;
    json::value read = json::parse(text, error);
    if (error || !read.is_object() || number_out_of_range(read)) return {};
    return std::move(read.get_object());
}

void check(std::string_view entity, json::object record) {
    const CanonicalSchemas& schemas = CanonicalSchemas::embedded();
    const Schema* schema = schemas.find(entity);
    if (schema == nullptr) schema = schemas.find("sales_order");
    require(schema != nullptr);
    const auto faults = schema->check(record);
    for (const Schema::Fault& fault : faults) require(valid_utf8(fault.message));
    visit_references(*schema, record, [](const std::string&, json::string& text) { text = "0"; });
    if (faults.empty()) require(records::field_fault(*schema, "/no such field") != "");
    if (const auto compiled = Schema::compile(record)) compiled->check(record);
}

// What a merge takes is the vendor's, and what nobody changed stays.
void lay_together(const json::object& base, const json::object& hub, const json::object& remote) {
    for (const Side side : {Side::hub, Side::remote, Side::later}) {
        const MergeRules rules{[side](const FieldConflict&) { return side; },
                               [](std::string_view, const json::value&, const json::value&) { return true; }};
        const Merge first = merge(&base, nullptr, hub, remote, rules);
        require(merge(&base, nullptr, base, base, rules).open.empty());
        const Merge again = merge(&first.base, nullptr, first.content, remote, rules);
        if (side != Side::later) require(again.open.empty() && again.content == first.content);
        merge(nullptr, nullptr, hub, remote, rules);
    }
    require(overlay(hub, hub) == hub);
    require(differences(hub, hub).empty());
    for (const FieldDifference& one : differences(hub, remote)) {
        json::object changed = hub;
        set_pointer(changed, one.pointer, one.to);
        const json::value whole = changed;
        const json::value* found = at_pointer(whole, one.pointer);
        require(one.to.is_null() ? found == nullptr : found != nullptr && *found == one.to);
    }
}

}  // namespace
}  // namespace liaisond::sync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace liaisond::sync;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::array<std::string_view, 4> lines;
    for (std::string_view& line : lines) {
        line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    const auto base = document(lines[1]), hub = document(lines[2]), remote = document(lines[3]);
    check(lines[0], base);
    lay_together(base, hub, remote);
    return 0;
}
