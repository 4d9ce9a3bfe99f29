// OData, versions 2 to 4, as business systems speak it: literals, keys, queries, pages, entity tags, errors.
// Knows no vendor; what one of them does differently is a parameter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <liaison/kit/http.hpp>
#include <liaison/kit/json.hpp>
#include <liaison/kit/text.hpp>

namespace liaison::kit::odata {

// 'O''Neill': a text in a filter. Not percent-encoded; Query does that.
inline std::string text_literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out.push_back('\'');
        out.push_back(c);
    }
    return out.append(1, '\'');
}

// "Items('A%201')": one entity by a text key, ready for a URL.
inline std::string by_text(std::string_view set, std::string_view key) {
    const std::string literal = text_literal(key);
    return std::string(set) + "('" + percent_encoded(literal.substr(1, literal.size() - 2)) + "')";
}
// "Orders(512)". The key must be of digits: who sends anything else would address something else.
inline std::string by_number(std::string_view set, std::string_view key) {
    const bool is_number =
        !key.empty() && key.size() <= 18 && key.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_number) throw ValueError("key", "'" + excerpt(key, 60) + "' is no key of " + std::string(set));
    return std::string(set) + "(" + std::string(key) + ")";
}

// Filter expressions; what is empty does not count.
inline std::string both(const std::string& a, const std::string& b) {
    if (a.empty() || b.empty()) return a.empty() ? b : a;
    return "(" + a + ") and (" + b + ")";
}
// What comes behind one place in a list that is ordered by `major` and then by `minor`; literals as they are
// to be sent.
inline std::string behind(const std::string& major, const std::string& major_literal,
                          const std::string& minor, const std::string& minor_literal) {
    return "(" + major + " gt " + major_literal + ") or (" + major + " eq " + major_literal + " and " +
           minor + " gt " + minor_literal + ")";
}

// Query options in the order they were added, percent-encoded except for their names.
class Query {
  public:
    Query&& filter(const std::string& expression) && {
        return std::move(*this).option("$filter", expression);
    }
    Query&& order_by(const std::string& list) && { return std::move(*this).option("$orderby", list); }
    Query&& select(const std::string& list) && { return std::move(*this).option("$select", list); }
    Query&& top(std::size_t count) && { return std::move(*this).option("$top", std::to_string(count)); }
    // An empty value adds nothing.
    Query&& option(const std::string& name, const std::string& value) && {
        if (!value.empty()) text_ += (text_.empty() ? "?" : "&") + name + "=" + percent_encoded(value);
        return std::move(*this);
    }
    // "?$filter=...", or nothing.
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

// A member that versions name differently: "@odata.nextLink" (4), "odata.nextLink" (3).
inline const Json* annotation(const Json& object, std::string_view name) {
    const Json* found = object.find("@odata." + std::string(name));
    return found != nullptr ? found : object.find("odata." + std::string(name));
}

// Where the next page is, as the service wrote it; empty: this is the last one.
inline std::string next_link(const Json& page) {
    const Json* link = annotation(page, "nextLink");
    if (link == nullptr && page.find("d") != nullptr) link = page.find("d")->find("__next");
    return link != nullptr && link->is_string() ? link->as_string() : std::string();
}

// The entities of a page; null when it has no list of them.
inline const std::vector<Json>* entities(const Json& page) {
    const Json* list = page.find("value");
    if (const Json* d = page.find("d"); list == nullptr && d != nullptr)
        list = d->is_array() ? d : d->find("results");
    return list != nullptr && list->is_array() ? &list->items() : nullptr;
}

// "W/\"5\""; empty when the service gives none.
inline std::string etag(const Json& entity) {
    const Json* found = annotation(entity, "etag");
    if (const Json* metadata = entity.find("__metadata"); found == nullptr && metadata != nullptr)
        found = metadata->find("etag");
    return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

// A link as seen from the URL of the page that it was on: absolute, rooted ("/b1s/v2/Orders?$skip=20") or
// relative ("Orders?$skip=20"). Behind a proxy services write links to hosts that only they know, so the
// page's own origin is kept.
inline std::string resolve_link(const std::string& page_url, const std::string& link) {
    const std::string_view origin = origin_of(page_url);
    if (const std::string_view theirs = origin_of(link); !theirs.empty())
        return std::string(origin) + link.substr(theirs.size());
    if (link.starts_with("/")) return std::string(origin) + link;
    if (link.starts_with("?")) return page_url.substr(0, page_url.find('?')) + link;
    const std::string path = page_url.substr(0, page_url.find('?'));
    return path.substr(0, path.rfind('/') + 1) + link;
}

// What a service says went wrong: {"error": {"code", "message"}}, where the code is a number or a text, and
// the message a text or {"lang", "value"}. Empty where the body is something else.
class Fault {
  public:
    Fault() {}
    explicit Fault(const std::string& body) {
        try {
            const Json document = Json::parse(body);
            const Json* error = document.find("error");
            if (error == nullptr) error = document.find("odata.error");
            if (error == nullptr) return;
            if (const Json* found = error->find("code")) code = found->scalar_text();
            const Json* text = error->find("message");
            if (text != nullptr && text->is_object()) text = text->find("value");
            if (text != nullptr) message = text->scalar_text();
        } catch (const JsonError&) {
            // Not from the service itself: a proxy's page, or nothing at all.
        }
    }
    // "-2028: No matching records found"
    std::string text() const { return code.empty() ? message : code + ": " + message; }

    std::string code, message;
};

}  // namespace liaison::kit::odata
