#include "store/types.hpp"

namespace liaisond::store {

std::string_view to_string(Direction direction) {
    return direction == Direction::import ? "import" : "export";
}

std::string_view to_string(RunStatus status) {
    switch (status) {
        case RunStatus::running: return "running";
        case RunStatus::success: return "success";
        case RunStatus::partial: return "partial";
        case RunStatus::failed: return "failed";
        case RunStatus::cancelled: return "cancelled";
        case RunStatus::interrupted: return "interrupted";
        case RunStatus::planned: return "planned";
        case RunStatus::suspended: return "suspended";
    }
    return "failed";
}

std::string_view to_string(PlanState state) {
    switch (state) {
        case PlanState::shown: return "shown";
        case PlanState::waiting: return "waiting";
        case PlanState::approved: return "approved";
        case PlanState::discarded: return "discarded";
        case PlanState::superseded: return "superseded";
    }
    return "shown";
}

std::string_view to_string(Action action) {
    switch (action) {
        case Action::created: return "created";
        case Action::updated: return "updated";
        case Action::deleted: return "deleted";
    }
    return "updated";
}

std::string_view to_string(ConflictKind kind) {
    switch (kind) {
        case ConflictKind::fields: return "fields";
        case ConflictKind::identity: return "identity";
        case ConflictKind::deletion: return "deletion";
        case ConflictKind::oscillation: return "oscillation";
    }
    return "fields";
}

std::string_view to_string(IntentState state) {
    static constexpr std::string_view words[] = {"ready", "sending", "unknown", "in_doubt", "stale"};
    return words[static_cast<std::size_t>(state)];
}

std::string_view to_string(EventState state) {
    switch (state) {
        case EventState::waiting: return "waiting";
        case EventState::done: return "done";
        case EventState::ignored: return "ignored";
        case EventState::dead: return "dead";
    }
    return "waiting";
}

std::string_view to_string(Severity severity) {
    return severity == Severity::critical ? "critical" : "warning";
}

std::string_view to_string(AlertState state) {
    switch (state) {
        case AlertState::open: return "open";
        case AlertState::acknowledged: return "acknowledged";
        case AlertState::resolved: return "resolved";
    }
    return "open";
}

Counters& Counters::operator+=(const Counters& other) {
    fetched += other.fetched;
    created += other.created;
    updated += other.updated;
    deleted += other.deleted;
    unchanged += other.unchanged;
    exported += other.exported;
    rejected += other.rejected;
    conflicts += other.conflicts;
    return *this;
}

}  // namespace liaisond::store
