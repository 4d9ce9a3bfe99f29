// What the mass-delete brake measures with, the same for imports and exports.
#pragma once

#include <algorithm>
#include <string>

#include "sync/fiber.hpp"
#include "sync/link.hpp"

namespace liaisond::sync {

// Deletes that guard.mass_delete lets through within its time.
inline std::int64_t delete_limit(const config::MassDelete& guard, const store::DeleteBudget& budget) {
    return std::max<std::int64_t>(
        guard.count, static_cast<std::int64_t>(guard.share * static_cast<double>(budget.mappings)));
}

// The integration's mappings of the entity, and what was deleted of them within the guard's time.
inline Await<Result<store::DeleteBudget>> delete_budget(const Ports& ports, const Link& link,
                                                        const std::string& entity) {
    const Instant since = ports.clock.now() - link.config.mass_delete.within;
    return Await<Result<store::DeleteBudget>>([&ports, id = link.config.id, entity,
                                               since](Completion<Result<store::DeleteBudget>> done) {
        ports.store.read([id, entity, since](
                             store::Database& database) { return database.delete_budget(id, entity, since); },
                         std::move(done));
    });
}

}  // namespace liaisond::sync
