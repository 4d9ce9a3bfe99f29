// Router: the table of everything the API can be asked. It finds the route of a request, refuses what the
// route does not know, and describes itself as an OpenAPI 3.1 document - so that the document cannot lie.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.hpp"
#include "base/result.hpp"
#include "base/schema.hpp"

namespace liaisond::api {

// One parameter of the query.
struct Parameter {
    enum class Kind : std::uint8_t { text, word, number, flag, instant } kind = Kind::text;
    std::string name, description;
    std::vector<std::string> words = {};              // of a word: those it may be
    std::int64_t least = 0, most = INT64_C(1) << 62;  // of a number
};

// A piece of a path; the router makes them out of the pattern.
struct Part {
    std::string literal;        // empty: a parameter
    std::string name, subject;  // of a parameter
    bool is_rest = false;
};

struct Route {
    std::string method;  // GET (answers HEAD, too), POST, PUT, PATCH, DELETE
    // Below /api/v1: "/runs/{run:run}/events". Before the colon the parameter's name; behind it what it
    // names, where that belongs to a tenant (store::Subject): such a row of another tenant is not found.
    // `{integration}` likewise. `{path*}` takes the rest.
    std::string pattern;
    access::Scope scope = access::Scope::read;
    std::string summary;  // one sentence
    std::vector<Parameter> query = {};
    std::string_view body = {};  // JSON Schema of the request's body; empty: none is taken
    std::string_view answers =
        {};                 // name of a schema (schemas.cpp), "[Name]" a page of them; empty: an object
    unsigned status = 200;  // of success
    // It is about the house as a whole: nobody who may see one tenant only is let in.
    bool whole_house = false;
    bool is_act = true;  // false: it changes nothing that the audit log should tell (GET never does)
    std::function<void(Call&)> handle;

    std::vector<Part> parts = {};                    // [made by Router::add]
    std::shared_ptr<const Schema> body_schema = {};  // likewise
};

class Router {
  public:
    // Throws std::logic_error for a pattern that is there already, or a schema that is none: bugs.
    void add(Route route);

    struct Found {
        const Route* route = nullptr;  // null: there is no such path, or not this method
        std::map<std::string, std::string, std::less<>> parameters;
        std::vector<std::string> allowed;  // methods of the path; empty: there is no such path
    };
    Found find(std::string_view method, const std::vector<std::string>& path) const;

    // Checks the request's query and body and puts them into the call; what is wrong with them as an answer.
    static std::optional<web::Answer> read(Call& call);

    boost::json::object openapi() const;
    const std::vector<std::unique_ptr<const Route>>& routes() const { return routes_; }

  private:
    std::vector<std::unique_ptr<const Route>> routes_;
};

// The usual parameters of lists.
Parameter limit_parameter();
Parameter before_parameter();
Parameter text_parameter(std::string name, std::string description);
Parameter flag_parameter(std::string name, std::string description);
// Those, and `integration`, followed by more.
std::vector<Parameter> list_parameters(std::vector<Parameter> more = {});

// The schemas that answers are described by, and the requests' (schemas.cpp).
const boost::json::object& answer_schemas();

}  // namespace liaisond::api
