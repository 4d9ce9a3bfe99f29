#include "sync/absence_check.hpp"

namespace liaisond::sync {

AbsenceCheck::AbsenceCheck(const Ports& ports, Requester& requester, RunControl& control, std::string entity)
    : job_(ports, requester, control), control_(control), entity_(std::move(entity)) {}

Task<Result<std::vector<std::string>>> AbsenceCheck::not_found(std::vector<std::string> keys) {
    if (!control_.link->can_find) co_return std::move(keys);
    std::vector<plugin::Query> queries;
    for (const std::string& key : keys) queries.push_back({{}, key});
    Result<std::vector<plugin::PushResult>> answers = co_await job_.ask(entity_, std::move(queries));
    // A connector that is not set up to look for this entity leaves the listing to be believed.
    if (!answers && answers.error().kind == ErrorKind::config) co_return std::move(keys);
    if (!answers) co_return fail(answers.error());
    std::vector<std::string> gone;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if ((*answers)[i].outcome == LIAISON_OUTCOME_NOT_FOUND) gone.push_back(std::move(keys[i]));
    }
    co_return std::move(gone);
}

}  // namespace liaisond::sync
