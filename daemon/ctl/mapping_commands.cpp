// Commands that set right which record of the hub is which at a vendor.
#include <boost/json/serialize.hpp>
#include <liaison/kit/csv.hpp>

#include "ctl/commands.hpp"
#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/prompt.hpp"
#include "ctl/table.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace {

constexpr std::int64_t all_of_them = 100'000'000;
constexpr std::size_t columns = 4;

Result<json::value> link(Session& session, const std::vector<std::string>& row, bool moves) {
    return session.client().send(
        "PUT", api_target({"mappings", row[0], row[1]}, {{"key", row[2]}, {"move", moves ? "true" : ""}}),
        json::object{{"record", row[3]}});
}

}  // namespace

int export_mappings(Session& session, const MappingArguments& arguments) {
    const auto all = session.list(
        {"mappings"}, {{"integration", arguments.integration}, {"entity", arguments.entity}}, all_of_them);
    if (!all) return session.report(all.error());
    std::string text = "integration,entity,external_id,record\r\n";
    for (const json::value& one : array_at(*all, "items")) {
        liaison::kit::append_csv_row(text,
                                     {text_at(one, "integration"), text_at(one, "entity"),
                                      text_at(one, "external_id"), text_at(one, "record")},
                                     {});
    }
    session.console().out << text << std::flush;
    return fine;
}

// Every line is tried; what is refused is said with its line.
int import_mappings(Session& session, const MappingArguments& arguments) {
    const auto text = read_input(arguments.file);
    if (!text) return session.report(text.error());
    liaison::kit::CsvReader reader{liaison::kit::CsvFormat{}};
    reader.expect_fields(columns);
    reader.feed(*text);
    reader.finish();
    std::size_t linked = 0, refused = 0;
    while (const auto row = reader.next()) {
        if (row->error.empty() && row->fields[0] == "integration" && row->line == 1) continue;
        Result<json::value> told = row->error.empty()
                                       ? link(session, row->fields, false)
                                       : Result<json::value>(fail(ErrorKind::permanent, row->error));
        if (!told && told.error().code == Client::unreachable) return session.report(told.error());
        linked += told ? 1 : 0;
        refused += told ? 0 : 1;
        if (!told)
            session.console().complain(arguments.file + ":" + std::to_string(row->line) + ": " +
                                       told.error().message);
    }
    const Result<json::value> sums(json::object{{"linked", linked}, {"refused", refused}});
    session.show(sums, [&](const json::value&) {
        return std::to_string(linked) + " mappings are as the file says" +
               (refused == 0 ? "" : ", " + std::to_string(refused) + " were refused") + ".\n";
    });
    return refused == 0 ? fine : failed;
}

int repair_mapping(Session& session, const MappingArguments& arguments) {
    const auto tell = [](const json::value& told) { return text_at(told, "detail") + "\n"; };
    if ((arguments.record.empty() ? 0 : 1) + (arguments.to.empty() ? 0 : 1) + (arguments.forget ? 1 : 0) !=
        1) {
        session.console().complain("say one of --record UUID, --to KEY and --forget");
        return misused;
    }
    if (arguments.forget)
        return session.show(session.client().send("DELETE", api_target({"mappings", arguments.integration,
                                                                        arguments.entity, arguments.key})),
                            tell);
    if (!arguments.record.empty())
        return session.show(
            link(session, {arguments.integration, arguments.entity, arguments.key, arguments.record}, true),
            tell);
    const auto known = session.client().get(api_target({"mappings"}, {{"integration", arguments.integration},
                                                                      {"entity", arguments.entity},
                                                                      {"key", arguments.key},
                                                                      {"limit", "1"}}));
    if (!known) return session.report(known.error());
    if (array_at(*known, "items").empty())
        return session.report({ErrorKind::permanent,
                               arguments.integration + " has no mapping of '" + arguments.key + "'",
                               {},
                               {}});
    const std::string record = text_at(array_at(*known, "items").front(), "record");
    return session.show(link(session, {arguments.integration, arguments.entity, arguments.to, record}, true),
                        tell);
}

}  // namespace liaisond::ctl
