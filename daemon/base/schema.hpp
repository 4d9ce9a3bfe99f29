// JSON Schema, compiled once and checked in microseconds. The vocabulary is the part of draft 2020-12 that
// manifests and canonical records need (plugin-api/README.md lists it); a schema that uses anything else is
// refused, so nothing is ever silently unchecked. valijson, which knows the whole standard, took 120 us for a
// product record where this takes about 1; the tests hold this one against it.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace liaisond {

class Schema {
  public:
    struct Fault {
        std::string pointer;     // RFC 6901, to the faulty value; for an unknown key, to that key
        std::string message;     // "is 12, above the maximum 10"
        bool about_key = false;  // the fault is the key itself, not its value
    };
    // A place that refers to another record: "/lines/*/product_ref" holds the external id of a `product`.
    struct Reference {
        std::vector<std::string> path;  // unescaped tokens; "*" stands for every element of an array
        std::string entity;
    };
    // A field that is a state machine: only these moves are open to a system that does not own the field.
    struct Transitions {
        std::string pointer;  // of a text at a fixed place: "/status"
        std::map<std::string, std::vector<std::string>, std::less<>> allowed;  // a state not listed: any

        bool allows(std::string_view from, std::string_view to) const;
    };

    // What a value at some place may have inside.
    struct Shape {
        bool is_list = false;
        std::vector<std::string> members;  // of an object, by name
    };

    // Errors name the keyword and its place.
    static Result<Schema> compile(const boost::json::value& document);
    Schema(Schema&&) noexcept;
    Schema& operator=(Schema&&) noexcept;
    ~Schema();

    // All faults, at most `limit`. Empty: valid. [any thread]
    std::vector<Fault> check(const boost::json::value& value, std::size_t limit = 20) const;
    // From the annotation "x-references".
    const std::vector<Reference>& references() const { return references_; }
    // From "x-match": places whose values tell that two systems speak of the same record; "*" as above.
    const std::vector<std::vector<std::string>>& match() const { return match_; }
    // From "x-transitions".
    const std::vector<Transitions>& transitions() const { return transitions_; }

    // From "x-cancel": top-level fields that a record with the mode "cancel" changes; its others say nothing.
    const std::vector<std::string>& cancel_fields() const { return cancel_fields_; }
    // From "x-personal": places of what tells of a person and may go when the business is over; "*" as above.
    const std::vector<std::vector<std::string>>& personal() const { return personal_; }
    // From "x-over": the top-level field with the day on which the business is over; empty: there is none.
    const std::string& over_field() const { return over_field_; }

    // Of the value that these unescaped tokens lead to ("*" or a number for an element of a list). Nothing
    // where no valid document has a value.
    std::optional<Shape> shape(const std::vector<std::string>& path) const;

    struct Node;  // one compiled subschema

  private:
    Schema();
    std::vector<std::unique_ptr<Node>> nodes_;  // owned here, so that $ref may point anywhere
    const Node* root_ = nullptr;
    std::vector<Reference> references_;
    std::vector<std::vector<std::string>> match_, personal_;
    std::vector<Transitions> transitions_;
    std::vector<std::string> cancel_fields_;
    std::string over_field_;
    friend class SchemaCompiler;
};

}  // namespace liaisond
