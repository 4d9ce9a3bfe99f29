// Section: one object of the checked document with its place, and how its members are read. A member that the
// schema let through but that makes no sense is reported here.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/document.hpp"
#include "config/policies.hpp"
#include "config/schedule.hpp"

namespace liaisond::config {

class Section {
  public:
    Section(const Document& document, std::vector<Fault>& faults, const boost::json::object& members,
            std::string pointer)
        : document_(document), faults_(faults), members_(members), pointer_(std::move(pointer)) {}

    // Of a member; an absent one reads as empty.
    Section section(std::string_view key) const;
    const boost::json::object& members() const { return members_; }
    const boost::json::value* find(std::string_view key) const { return members_.if_contains(key); }
    bool has(std::string_view key) const { return find(key) != nullptr; }

    std::string text(std::string_view key, std::string otherwise = {}) const;
    std::uint32_t number(std::string_view key, std::uint32_t otherwise) const;
    Milliseconds duration(std::string_view key, Milliseconds otherwise,
                          Milliseconds least = Milliseconds(0)) const;
    // A share from 0 to 1, such as 0.2 (a decimal number is text in our YAML).
    double share(std::string_view key, double otherwise) const;

    // Adds a fault about a member, or about the section itself when `key` is empty.
    void fault(std::string_view key, std::string message) const;
    // The same where the member's name is what is wrong.
    void key_fault(std::string_view key, std::string message) const;

  private:
    const Document& document_;
    std::vector<Fault>& faults_;
    const boost::json::object& members_;
    std::string pointer_;
};

// "512", "64KiB", "1MiB", "2GiB".
std::optional<std::size_t> parse_size(const std::string& text);

// `parent` holds the key: an integration, or the defaults. What it lacks comes from `otherwise`.
Schedule read_schedule(const Section& parent);
Limits read_limits(const Section& parent, Limits otherwise);
Supervision read_supervision(const Section& parent, Supervision otherwise);
Upkeep read_upkeep(const Section& root);
MassDelete read_mass_delete(const Section& parent);
// `here` is the section itself; nothing where it cannot be used.
std::optional<Webhook> read_webhook(const Section& here);

// What only the whole configuration can show to be wrong with an integration; `here` is its section.
void check_rules(const Config& config, const Integration& integration, const Section& here);

}  // namespace liaisond::config
