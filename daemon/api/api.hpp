// Api: who asks, whether they may, and which route answers (interfaces.md). [core thread]
#pragma once

#include "api/entrance.hpp"

namespace liaisond::api {

class Api {
  public:
    explicit Api(Backend backend);
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    // Of what the API knows nothing, nobody learns whether it is there: who it is comes before what they ask
    // for.
    void handle(web::Request request, web::Reply answer);
    // For further topics, before the first request.
    Router& router() { return router_; }
    const Backend& backend() const { return backend_; }

  private:
    Result<access::Principal> principal_of(const web::Request& request);
    void show_readiness(const web::Request& request, const web::Reply& answer);
    void metrics(const access::Principal& who, const web::Reply& answer);
    void dispatch(Call call);
    void serve(Call call);
    web::Reply audited(const Call& call);

    Backend backend_;
    Entrance entrance_;
    Router router_;
};

}  // namespace liaisond::api
