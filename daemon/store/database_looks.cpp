// Database, export side: creates of which the vendor may come to have two.
#include "store/database_impl.hpp"

namespace liaisond::store {

Result<std::vector<SecondLook>> Database::due_looks(const std::string& integration, Instant now,
                                                    std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<SecondLook>> {
        std::vector<SecondLook> due;
        Statement select = impl_->connection.prepare(
            "SELECT entity, rid, reference, external_id, due_at, found FROM second_looks WHERE integration = "
            "? "
            "AND due_at <= ? ORDER BY entity, rid LIMIT ?");
        select.bind(impl_->number(integration)).bind(to_unix_ms(now)).bind(limit);
        while (select.step())
            due.push_back({select.integer(1), impl_->name(select.integer(0)), select.text(2), select.text(3),
                           from_unix_ms(select.integer(4)), select.text(5)});
        return due;
    });
}

Status Database::note_looks(std::int64_t run, const std::string& integration,
                            const std::vector<SecondLook>& looks, Instant at) {
    return guarded(impl_->path, [&]() -> Status {
        const std::int64_t number = impl_->number(integration);
        for (const SecondLook& look : looks) {
            const std::int64_t entity = impl_->number(look.entity);
            const bool is_over = to_unix_ms(look.due) == 0;
            if (is_over)
                impl_->connection
                    .prepare("DELETE FROM second_looks WHERE integration = ? AND entity = ? AND rid = ?")
                    .bind(number)
                    .bind(entity)
                    .bind(look.rid)
                    .run();
            else
                impl_->connection
                    .prepare(
                        "UPDATE second_looks SET due_at = ?, found = ? WHERE integration = ? AND entity = ? "
                        "AND "
                        "rid = ?")
                    .bind(to_unix_ms(look.due))
                    .bind(look.found)
                    .bind(number)
                    .bind(entity)
                    .bind(look.rid)
                    .run();
            if (look.found.empty()) continue;
            impl_->connection
                .prepare(
                    "INSERT INTO logs(run, at, integration, entity, direction, action, status, external_id, "
                    "rid, message) VALUES(?,?,?,?,2,'duplicate','failed',?,?,?)")
                .bind(run)
                .bind(to_unix_ms(at))
                .bind(number)
                .bind(entity)
                .bind(look.external_id)
                .bind(look.rid)
                .bind(look.found)
                .run();
        }
        return {};
    });
}

}  // namespace liaisond::store
