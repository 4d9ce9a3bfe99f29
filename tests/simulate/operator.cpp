// The operator of a simulation: a person who looks at what waits for a decision, and decides - at random
// about conflicts, by looking at the vendor about sends in doubt. Through sync/decisions, as the API does.
#include <boost/json/parse.hpp>

#include "simulate/simulation.hpp"
#include "sync/decisions.hpp"

namespace liaisond::simulate {
namespace {

// Rounds of decisions after which nothing may be open any more: one decision may raise the next question.
constexpr int most_rounds = 6;
constexpr Milliseconds round_length = std::chrono::minutes(90);

store::Filter everything() {
    store::Filter filter;
    filter.limit = 100'000;
    return filter;
}

// The disk was full, say: a person tries once more later.
bool passes(const Error& error) { return error.kind == ErrorKind::transient; }

}  // namespace

// Nothing changes and nothing fails any more: what waits for a person is decided until nothing waits.
void Simulation::decide_until_settled() {
    for (int round = 0; round < most_rounds && summary_.violations.empty(); ++round) {
        if (!house_) start_house();
        if (!decide_everything()) return;
        settle(round_length);
    }
    if (!summary_.violations.empty()) return;
    if (!house_) start_house();
    for (const store::Conflict& conflict : rows_of(house_->store.database().conflicts(everything())))
        complain("what an operator decides is decided",
                 conflict.integration + " still has a conflict about the " + conflict.entity + " " +
                     conflict.external_id + ": " + conflict.detail);
}

// False: there was nothing to decide.
bool Simulation::decide_everything() {
    std::set<std::string> concerned;
    store::Database& database = house_->store.database();
    for (const store::Conflict& conflict : rows_of(database.conflicts(everything()))) {
        concerned.insert(conflict.integration);
        decide(conflict);
    }
    for (const store::Intent& intent : rows_of(database.intents(everything()))) {
        if (intent.state != store::IntentState::in_doubt) continue;
        if (decide(intent)) concerned.insert(intent.integration);
    }
    std::set<std::string> braked;
    for (const sync::IntegrationStatus& status : house_->engine->status()) {
        if (status.last_run && status.last_run->error.find("--confirm-deletes") != std::string::npos)
            braked.insert(status.id);
        if (status.suspended.empty()) continue;
        concerned.insert(status.id);
        (void)house_->engine->resume(status.id);
    }
    concerned.insert(braked.begin(), braked.end());
    for (const std::string& integration : concerned) {
        sync::RunRequest request;
        request.trigger = "decision";
        request.confirm_deletes = braked.contains(integration);
        house_->engine->trigger(integration, std::move(request), [](const Result<std::int64_t>&) {});
    }
    return !concerned.empty();
}

void Simulation::decide(const store::Conflict& conflict) {
    sync::ConflictChoice choice;
    choice.side = world_.chance(0.5) ? sync::Side::hub : sync::Side::remote;
    const json::array detail = json::parse(conflict.detail).as_array();
    if (conflict.kind == store::ConflictKind::identity) {
        // What was tried in vain before is not tried again.
        const bool again = decided_.contains(conflict.integration + " " + conflict.external_id);
        const std::size_t which = again ? detail.size() : world_.below(detail.size() + 1);
        if (which < detail.size()) choice.record = detail[which].as_string();
    } else {
        for (const json::value& field : detail) {
            if (!world_.chance(0.3)) continue;
            const std::string pointer(field.at("pointer").as_string());
            choice.fields[pointer] = world_.chance(0.5) ? sync::Side::hub : sync::Side::remote;
        }
    }
    world_.note("decides", conflict.integration + " " + std::string(store::to_string(conflict.kind)) + " " +
                               conflict.external_id + " " + conflict.detail +
                               (choice.side == sync::Side::hub ? " hub " : " remote ") + choice.record);
    decided_.insert(conflict.integration + " " + conflict.external_id);
    const auto work = [this, id = conflict.id, choice](store::Database& database) {
        return sync::resolve_conflict(database, id, choice, world_.now(), world_);
    };
    house_->store.write(work, [this](const Result<std::string>& told) {
        if (told) return;
        world_.note("refused", told.error().message);
        const std::string& why = told.error().message;
        const bool gone = why.find("there is no open conflict") != std::string::npos;
        // A record that a conflict names as a candidate may be deleted, or taken by another, meanwhile.
        const bool other_choice = why.find("choose another") != std::string::npos;
        if (!gone && !other_choice && !passes(told.error())) complain("every conflict can be decided", why);
    });
}

// False: it is too early to tell by looking.
bool Simulation::decide(const store::Intent& intent) {
    System* system = nullptr;
    for (System& one : scenario_.systems) {
        if (one.vendor->spec.name == intent.integration) system = &one;
    }
    // What was sent may still be on its way.
    if (!is_quiet_) return false;
    sync::IntentChoice choice;
    choice.settle = system->settle;
    choice.action =
        world_.chance(0.5) ? sync::IntentChoice::Action::resend : sync::IntentChoice::Action::cancel;
    for (const auto& [id, row] : system->vendor->table(intent.entity)) {
        const bool is_it =
            intent.external_id.empty() ? row.reference == intent.op_key : id == intent.external_id;
        if (!is_it || row.deleted) continue;
        choice.action = sync::IntentChoice::Action::exists;
        choice.external_id = id;
    }
    world_.note("decides", intent.integration + " intent " + intent.op_key + " " + choice.external_id);
    const auto work = [this, id = intent.id, choice](store::Database& database) {
        return sync::resolve_intent(database, id, choice, world_.now());
    };
    house_->store.write(work, [this](const Result<std::string>& told) {
        if (!told && !passes(told.error()))
            complain("every send in doubt can be decided", told.error().message);
    });
    return true;
}

}  // namespace liaisond::simulate
