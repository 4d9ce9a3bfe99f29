// Method and path to handler, with the 404 and the 405 (with Allow) every strict API answers. A pattern
// is segments with * for any one of them; routes are tried in the order they were added.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"

namespace liaison_sim {

class Router {
  public:
    using Handler = std::function<Response(const Request&)>;

    void add(http::verb method, std::string_view pattern, Handler handler);
    // Runs the handler and turns its Refusal into the answer.
    Response dispatch(const Request& request) const;
    // "GET /products/*" lines, for the index.
    std::vector<std::string> listing() const;

  private:
    struct Route {
        http::verb method;
        std::vector<std::string> pattern;
        Handler handler;
    };
    std::vector<Route> routes_;
};

}  // namespace liaison_sim
