// Database: who may use the API, and what they did with it.
#include "store/database_impl.hpp"

namespace liaisond::store {

Result<std::vector<TokenRow>> Database::tokens() {
    return guarded(impl_->path, [&]() -> Result<std::vector<TokenRow>> {
        std::vector<TokenRow> rows;
        Statement select = impl_->connection.prepare(
            "SELECT id, name, hash, scope, tenant, created_at, expires_at, last_used_at FROM tokens ORDER BY "
            "created_at");
        while (select.step()) {
            TokenRow& row = rows.emplace_back();
            row.id = select.text(0);
            row.name = select.text(1);
            row.hash = select.text(2);
            row.scope = static_cast<std::uint32_t>(select.integer(3));
            row.tenant = select.text(4);
            row.created = from_unix_ms(select.integer(5));
            row.expires = from_unix_ms(select.integer(6));
            row.last_used = from_unix_ms(select.integer(7));
        }
        return rows;
    });
}

Status Database::save_token(const TokenRow& token) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("INSERT INTO tokens VALUES(?,?,?,?,?,?,?,?)")
            .bind(token.id)
            .bind(token.name)
            .bind_blob(token.hash)
            .bind(token.scope)
            .bind(token.tenant)
            .bind(to_unix_ms(token.created))
            .bind(to_unix_ms(token.expires))
            .bind(to_unix_ms(token.last_used))
            .run();
        return {};
    });
}

Status Database::note_token_uses(const std::vector<std::pair<std::string, Instant>>& uses) {
    return guarded(impl_->path, [&]() -> Status {
        for (const auto& [id, at] : uses)
            impl_->connection.prepare("UPDATE tokens SET last_used_at = ? WHERE id = ?")
                .bind(to_unix_ms(at))
                .bind(id)
                .run();
        return {};
    });
}

Status Database::drop_token(const std::string& id) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("DELETE FROM tokens WHERE id = ?").bind(id).run();
        return {};
    });
}

Result<std::vector<UserRow>> Database::users() {
    return guarded(impl_->path, [&]() -> Result<std::vector<UserRow>> {
        std::vector<UserRow> rows;
        Statement select = impl_->connection.prepare(
            "SELECT name, password, scope, tenant, created_at FROM users ORDER BY name");
        while (select.step()) {
            UserRow& row = rows.emplace_back();
            row.name = select.text(0);
            row.password = select.text(1);
            row.scope = static_cast<std::uint32_t>(select.integer(2));
            row.tenant = select.text(3);
            row.created = from_unix_ms(select.integer(4));
        }
        return rows;
    });
}

Status Database::save_user(const UserRow& user) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection
            .prepare(
                "INSERT INTO users VALUES(?,?,?,?,?) ON CONFLICT(name) DO UPDATE SET password = "
                "excluded.password, "
                "scope = excluded.scope, tenant = excluded.tenant")
            .bind(user.name)
            .bind(user.password)
            .bind(user.scope)
            .bind(user.tenant)
            .bind(to_unix_ms(user.created))
            .run();
        return {};
    });
}

Status Database::drop_user(const std::string& name) {
    return guarded(impl_->path, [&]() -> Status {
        impl_->connection.prepare("DELETE FROM users WHERE name = ?").bind(name).run();
        return {};
    });
}

Status Database::add_audit(AuditRow entry,
                           const std::function<std::string(const std::string&, const AuditRow&)>& seal) {
    return guarded(impl_->path, [&]() -> Status {
        std::string previous;
        {
            Statement last =
                impl_->connection.prepare("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
            const bool any = last.step();
            entry.seq = any ? last.integer(0) + 1 : 1;
            if (any) previous = last.text(1);
        }
        entry.hash = seal(previous, entry);
        impl_->connection.prepare("INSERT INTO audit VALUES(?,?,?,?,?,?,?)")
            .bind(entry.seq)
            .bind(to_unix_ms(entry.at))
            .bind(entry.actor)
            .bind(entry.action)
            .bind(entry.target)
            .bind(entry.detail)
            .bind_blob(entry.hash)
            .run();
        return {};
    });
}

Result<std::vector<AuditRow>> Database::audit(std::int64_t from, std::uint32_t limit) {
    return guarded(impl_->path, [&]() -> Result<std::vector<AuditRow>> {
        std::vector<AuditRow> rows;
        Statement select = impl_->connection.prepare(
            "SELECT seq, at, actor, action, target, detail, hash FROM audit WHERE seq >= ? ORDER BY seq "
            "LIMIT ?");
        select.bind(from).bind(limit);
        while (select.step()) {
            AuditRow& row = rows.emplace_back();
            row.seq = select.integer(0);
            row.at = from_unix_ms(select.integer(1));
            row.actor = select.text(2);
            row.action = select.text(3);
            row.target = select.text(4);
            row.detail = select.text(5);
            row.hash = select.text(6);
        }
        return rows;
    });
}

}  // namespace liaisond::store
