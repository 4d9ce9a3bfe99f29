#include "ctl/decision_views.hpp"

#include <boost/json/serialize.hpp>

#include "ctl/format.hpp"
#include "ctl/json_view.hpp"
#include "ctl/status_view.hpp"
#include "ctl/table.hpp"

namespace liaisond::ctl {
namespace json = boost::json;
namespace {

std::string value_text(const json::value& field, std::string_view side) {
    const json::value* value = member(field, side);
    return value == nullptr ? "(nothing)" : one_line(json::serialize(*value));
}

// "/name, /status"; "2 records fit"; "deleted at the vendor".
std::string about(const json::value& conflict) {
    const json::array& detail = array_at(conflict, "detail");
    const std::string kind = text_at(conflict, "kind");
    if (kind == "identity")
        return format_count(static_cast<std::int64_t>(detail.size()), "record of the hub fits",
                            "records of the hub fit");
    if (kind == "deletion")
        return member(conflict, "payload") == nullptr ? "deleted at the vendor, changed in the hub"
                                                      : "deleted in the hub, changed at the vendor";
    std::string fields;
    for (const json::value& field : detail)
        fields += (fields.empty() ? "" : ", ") + text_at(field, "pointer");
    return kind == "oscillation" ? fields + ": systems change it back and forth" : fields;
}

// The values one below the other and whole: they are what must be compared.
std::string field_text(const json::value& field, const Look& look) {
    std::string text = "\n" + toned(one_line(text_at(field, "pointer")), Tone::strong, look) + "\n";
    const auto line = [&](const std::string& name, std::string_view side) {
        const std::string indent(sizeof "  agreed before  " - 1, ' ');
        text +=
            wrapped("  " + name + std::string(indent.size() - 2 - name.size(), ' ') + value_text(field, side),
                    indent, look.width) +
            "\n";
    };
    line("agreed before", "base");
    line("hub", "hub");
    line("vendor", "remote");
    return text;
}

bool is_about_fields(const json::value& conflict) {
    const std::string kind = text_at(conflict, "kind");
    return kind == "fields" || kind == "oscillation";
}

std::string decision_hint(const json::value& conflict) {
    const std::string command = "liaisonctl conflicts resolve " + text_at(conflict, "id");
    if (text_at(conflict, "kind") == "identity")
        return "\nIt is one of them: " + command + " --record UUID\nIt is none of them: " + command +
               " --new\n";
    std::string text =
        "\nKeep the hub's:    " + command + " --take hub\nTake the vendor's: " + command + " --take remote\n";
    const json::array& fields = array_at(conflict, "detail");
    if (is_about_fields(conflict) && fields.size() > 1)
        text += "Some of each:      " + command + " --take hub --field " +
                one_line(text_at(fields[0], "pointer")) + "=remote\n";
    return text;
}

}  // namespace

std::string conflicts_text(const json::array& items, const Look& look) {
    Table table({{"ID", Align::right},
                 {"SINCE", Align::left, false, 4},
                 {"INTEGRATION", Align::left, true, 1, 16},
                 {"ENTITY", Align::left, true, 2, 12},
                 {"KIND", Align::left, false, 3},
                 {"EXTERNAL ID", Align::left, true, 0, 12},
                 {"ABOUT", Align::left, true, 0, 24}});
    for (const json::value& one : items) {
        table.add({text_at(one, "id"),
                   format_local(instant_at(one, "first_at")),
                   text_at(one, "integration"),
                   text_at(one, "entity"),
                   {text_at(one, "kind"), Tone::warning},
                   text_at(one, "external_id"),
                   about(one)});
    }
    return table.empty() ? "There are no open conflicts.\n" : table.text(look);
}

std::string conflict_text(const json::value& conflict, const Look& look) {
    std::string text = details_text({{"Conflict", text_at(conflict, "id")},
                                     {"Integration", text_at(conflict, "integration")},
                                     {"Entity", text_at(conflict, "entity")},
                                     {"Record", text_at(conflict, "record")},
                                     {"External id", text_at(conflict, "external_id")},
                                     {"About", {about(conflict), Tone::warning}},
                                     {"First seen", format_local(instant_at(conflict, "first_at"))},
                                     {"Last seen", format_local(instant_at(conflict, "last_at"))}},
                                    look);
    const std::string kind = text_at(conflict, "kind");
    if (is_about_fields(conflict)) {
        for (const json::value& field : array_at(conflict, "detail")) text += field_text(field, look);
    } else if (kind == "identity") {
        text += heading("Records that fit", look);
        for (const json::value& record : array_at(conflict, "detail"))
            text += record.is_string() ? std::string(record.get_string()) + "\n" : std::string();
    }
    if (!is_about_fields(conflict)) {
        if (const json::value* payload = member(conflict, "payload"))
            text += heading("At the vendor", look) + many_lines(pretty(*payload)) + "\n";
    }
    return text + decision_hint(conflict);
}

}  // namespace liaisond::ctl
