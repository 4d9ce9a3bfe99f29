// ImportJob: what the vendor does not have any more.
#include <algorithm>

#include "sync/absence_check.hpp"
#include "sync/delete_brake.hpp"
#include "sync/import_job.hpp"

namespace liaisond::sync {
namespace {

constexpr std::uint32_t keys_compared_at_once = 1000;
constexpr std::uint32_t listings_that_convince = 2;

}  // namespace

// More deletes than anybody makes by hand are more likely a mistake of a system than of a person.
Task<Status> ImportJob::brake(std::int64_t deletes) {
    if (deletes == 0 || control_.confirm_deletes) co_return Status();
    if (held_deletes_ > 0) {
        held_deletes_ += deletes;
        co_return Status();
    }
    Result<store::DeleteBudget> budget = co_await delete_budget(ports_, *control_.link, entity_.name);
    if (!budget) co_return fail(budget.error());
    delete_limit_ = delete_limit(control_.link->config.mass_delete, *budget);
    if (budget->recent + deletes > delete_limit_) held_deletes_ = budget->recent + deletes;
    co_return Status();
}

Status ImportJob::stopped_by_brake() const {
    const std::string within = format_duration(control_.link->config.mass_delete.within);
    return fail(Error{
        ErrorKind::permanent,
        std::to_string(held_deletes_) + " records of " + entity_.name +
            " were deleted at the vendor within " + within + ", more than the " +
            std::to_string(delete_limit_) +
            " that guard.mass_delete lets through; none of this page and the following was stored. Look at "
            "the vendor; if they are really gone: liaisonctl run " +
            control_.link->config.id + " --confirm-deletes",
        {},
        "mass_delete"});
}

// A complete listing shows by what it lacks that records are gone. Believed when it lacked them twice in a
// row and the vendor, asked for each, has none (reliability.md 3).
Task<Status> ImportJob::bury_absent() {
    if (!listed_) co_return Status();
    Result<std::vector<plugin::Record>> gone = co_await absent();
    if (!gone) co_return fail(gone.error());
    Status braked = co_await brake(static_cast<std::int64_t>(gone->size()));
    if (!braked || held_deletes_ > 0) co_return braked;
    const auto size = static_cast<std::ptrdiff_t>(control_.link->config.page_size);
    for (auto from = gone->begin(); from != gone->end();) {
        const auto to = from + std::min(size, gone->end() - from);
        auto page = std::make_shared<plugin::EmitEffect>();
        page->records.assign(std::make_move_iterator(from), std::make_move_iterator(to));
        Status taken = co_await take_in(std::move(page), false);
        if (!taken) co_return fail(taken.error());
        from = to;
    }
    co_return Status();
}

Task<Result<std::vector<plugin::Record>>> ImportJob::absent() {
    std::vector<plugin::Record> gone;
    AbsenceCheck check(ports_, requester_, control_, entity_.name);
    std::string after;
    while (true) {
        Result<std::vector<store::MissingKey>> keys = co_await live_keys(after);
        if (!keys) co_return fail(keys.error());
        if (keys->empty()) break;
        after = keys->back().external_id;
        std::vector<store::MissingKey> changed;
        std::vector<std::string> suspects;
        for (store::MissingKey& key : *keys) {
            const bool shown = listed_->contains(key_hash(key.external_id));
            if (shown && key.missing == 0) continue;
            key.missing = shown ? 0 : key.missing + 1;
            if (key.missing >= listings_that_convince) suspects.push_back(key.external_id);
            changed.push_back(std::move(key));
        }
        Status noted;
        if (!changed.empty()) noted = co_await note_missing(changed);
        if (!noted) co_return fail(noted.error());
        if (suspects.empty()) continue;
        Result<std::vector<std::string>> certain = co_await check.not_found(std::move(suspects));
        if (!certain) co_return fail(certain.error());
        for (std::string& key : *certain) {
            plugin::Record& record = gone.emplace_back();
            record.key = std::move(key);
            record.deleted = true;
        }
    }
    co_return std::move(gone);
}

Await<Result<std::vector<store::MissingKey>>> ImportJob::live_keys(const std::string& after) {
    using Answer = Result<std::vector<store::MissingKey>>;
    return Await<Answer>([this, after](Completion<Answer> done) {
        ports_.store.read(
            [id = control_.link->config.id, entity = entity_.name, after](store::Database& database) {
                return database.live_keys(id, entity, after, keys_compared_at_once);
            },
            std::move(done));
    });
}

Await<Status> ImportJob::note_missing(const std::vector<store::MissingKey>& keys) {
    return Await<Status>([this, &keys](Completion<Status> done) {
        ports_.store.write([id = control_.link->config.id, entity = entity_.name, &keys](
                               store::Database& database) { return database.note_missing(id, entity, keys); },
                           std::move(done));
    });
}

}  // namespace liaisond::sync
