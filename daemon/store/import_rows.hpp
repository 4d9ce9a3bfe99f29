// What the import side's parts of Database share.
#pragma once

#include "store/types.hpp"

namespace liaisond::store {

// Records that have a value. What the integration has under another id already, or is about to have, is
// another record of its own.
inline constexpr const char* recognise_sql =
    "SELECT r.rid, r.id, r.payload, r.provenance, r.version FROM match_keys k JOIN records r ON r.rid = "
    "k.rid "
    "WHERE k.tenant = ? AND k.entity = ? AND k.name = ? AND k.value = ? AND r.deleted_at IS NULL "
    "AND NOT EXISTS(SELECT 1 FROM mappings m WHERE m.rid = r.rid AND m.integration = ?5) "
    "AND NOT EXISTS(SELECT 1 FROM intents i WHERE i.rid = r.rid AND i.integration = ?5)";

// What was created again had another id there before, and is gone under it. Rid, integration, the id it has.
inline constexpr const char* forget_other_ids_sql =
    "DELETE FROM mappings WHERE rid = ? AND integration = ? AND external_id <> ?";

// In the place of a mapping's hash, where the vendor has not shown the record since we wrote it. Empty, it is
// ours whatever it shows, when it comes in the version that we wrote; this, it was adopted after its answer
// was lost, and may be the work of others, too.
inline constexpr std::string_view adopted_hash("\0", 1);

// Beside 1 and 2, which are the directions: an import of its own, with cursors of its own. (Events have
// none.)
inline std::int64_t cursor_direction(Lane lane) { return lane == Lane::live ? 1 : 3; }

}  // namespace liaisond::store
