// How intents are read from the database.
#pragma once

#include "store/database.hpp"
#include "store/sqlite.hpp"

namespace liaisond::store {

// The select list that read_intent expects.
#define INTENT_COLUMNS                                                                                   \
    "i.id, i.op_key, i.integration, i.entity, r.id, i.rid, i.external_id, i.remote_version, i.deleted, " \
    "i.payload, i.version, i.state, i.attempt, i.next_at, i.first_sent_at, i.last_error, i.content, "    \
    "r.version, (SELECT m.remote_version FROM mappings m WHERE m.rid = i.rid AND m.integration = "       \
    "i.integration AND m.external_id = i.external_id) FROM intents i JOIN records r ON r.rid = i.rid "

Intent read_intent(Database::Impl& impl, const Statement& row);

}  // namespace liaisond::store
