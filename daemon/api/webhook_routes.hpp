// The API's routes about webhooks: where they come in, the secrets that liaison makes for them, and the
// inbox.
#pragma once

#include "api/backend.hpp"
#include "webhooks/directory.hpp"

namespace liaisond::api {

// Backend and directory outlive the router.
void add_webhook_routes(Router& router, const Backend& backend, webhooks::Directory& directory);

}  // namespace liaisond::api
