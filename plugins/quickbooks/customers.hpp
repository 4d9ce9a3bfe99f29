// Customers, there and here.
#pragma once

#include "parts.hpp"

namespace quickbooks::codec_parts {

inline std::string display_name(const Json& customer) {
    std::string name = text_in(customer, "/company_name");
    if (name.empty()) name = text_in(customer, "/full_name_raw");
    if (!name.empty()) return name;
    const std::string given = text_in(customer, "/given_name"), surname = text_in(customer, "/surname");
    return given + (given.empty() || surname.empty() ? "" : " ") + surname;
}

inline Json customer_from(const Json& row) {
    Json made = Json::object();
    const std::string company = text_in(row, "/CompanyName");
    const bool active = settings_parts::flag_of(row, "Active", true);
    made.set("kind", company.empty() ? "person" : "company");
    put(made, "company_name", company);
    put(made, "given_name", text_in(row, "/GivenName"));
    put(made, "middle_name", text_in(row, "/MiddleName"));
    put(made, "surname", text_in(row, "/FamilyName"));
    put(made, "full_name_raw", without_deleted(text_in(row, "/DisplayName"), active));
    put(made, "email", text_in(row, "/PrimaryEmailAddr/Address"));
    put(made, "phone", text_in(row, "/PrimaryPhone/FreeFormNumber"));
    if (const Json* address = row.find("BillAddr")) made.set("billing_address", address_from(*address));
    put(made, "currency", text_in(row, "/CurrencyRef/value"));
    put(made, "notes", split_note(text_in(row, "/Notes")).first);
    made.set("active", active);
    return made;
}

inline Json customer_to(const Json& customer, const Settings& settings, const std::string& ours,
                        bool is_new) {
    Json made = Json::object();
    made.set("DisplayName", checked_name(display_name(customer), 500, "the customer"));
    put(made, "CompanyName", clean(text_in(customer, "/company_name"), 100));
    put(made, "GivenName", clean(text_in(customer, "/given_name"), 100));
    put(made, "MiddleName", clean(text_in(customer, "/middle_name"), 100));
    put(made, "FamilyName", clean(text_in(customer, "/surname"), 100));
    std::string email = text_in(customer, "/email"), phone = text_in(customer, "/phone");
    if (email.empty()) email = text_in(customer, "/emails/0/value");
    if (phone.empty()) phone = text_in(customer, "/phones/0/e164");
    if (phone.empty()) phone = text_in(customer, "/phones/0/raw");
    if (email.size() > 100)
        throw ValueError("email_length",
                         "the e-mail address is longer than 100 bytes, which QuickBooks refuses");
    put_at(made, "/PrimaryEmailAddr/Address", email);
    put_at(made, "/PrimaryPhone/FreeFormNumber", clean(phone, 30));
    const Json* address = customer.find("billing_address");
    if (address == nullptr) address = customer.find("address");
    if (address != nullptr && address->is_object()) made.set("BillAddr", address_to(*address));
    const std::string currency = text_in(customer, "/currency");
    if (is_new && settings.multicurrency && !currency.empty()) made.set("CurrencyRef", reference(currency));
    const std::string notes = text_in(customer, "/notes");
    if (is_new || !notes.empty()) made.set("Notes", join_note(notes, ours, 2000));
    if (const Json* active = customer.find("active"); active != nullptr && active->is_bool() && !is_new)
        made.set("Active", *active);
    return made;
}

}  // namespace quickbooks::codec_parts
