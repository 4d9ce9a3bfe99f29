// EventJob: brings what waits in the inbox of one integration to the hub (engine.md 7). Its connector's
// webhook job says what the events mean; what becomes of each is settled here. Events are delivered at least
// once: what was stored before a crash comes again and changes nothing.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "sync/import_job.hpp"

namespace liaisond::sync {

inline constexpr const char* events_trigger = "webhook";  // of the runs
inline constexpr const char* hint_trigger = "hint";       // of pulls that events ask for
inline constexpr const char* event_reason = "event";      // of dead letters that stand for an event

// What the engine is told while an EventJob runs.
class EventListener {
  public:
    virtual ~EventListener() = default;
    // Hub records of the entity changed.
    virtual void hub_changed(const std::string& entity) = 0;
    // The connector wants these entities pulled. Answers what has to be kept together with the outcome of the
    // events, so that a crash does not forget it: called within their transaction. [thread of the database]
    using Keep = std::function<Status(store::Database&)>;
    virtual Keep wants_pulled(const std::set<std::string>& entities) = 0;
};

class EventJob final : public JobListener {
  public:
    // All must outlive the job.
    EventJob(const Ports& ports, Fibers& fibers, Requester& requester, RunControl& control,
             const CanonicalSchemas& schemas, EventListener& listener);

    // Until no event is due any more, or enough have been dealt with for one run.
    Task<Status> run();
    // The error is not that of single events, which have been settled: it keeps all that wait from being
    // dealt with. They stay due, and it should be tried again after a pause.
    bool is_held_up() const { return held_up_; }

    Task<Result<plugin::EmittedEvent>> on_emit(plugin::EmitEffect&& emit) override;
    Task<Status> on_result(plugin::ResultEffect&& results) override;
    Task<Status> before_mutation() override;

  private:
    using Events = std::vector<store::InboxEvent>;
    // Records of one entity in an emit, and where they stood.
    struct Part {
        std::string entity;
        std::vector<plugin::Record> records;
        std::vector<std::uint32_t> places;
    };
    // What is written when a batch is settled.
    struct Settling {
        std::vector<store::EventOutcome> outcomes;
        std::vector<store::DeadLetter> letters;
        EventListener::Keep keep;
    };

    Task<Status> deal_with(Events events);
    Task<Status> one_by_one(Events events);
    Task<Result<std::string>> ask(const Events& events);
    bool affects_all(const Error& error) const;
    void note(const Error& error);
    Settling settling(const Events& events, const Result<std::string>& output);
    void judge(const store::InboxEvent& event, const plugin::PushResult& result, Settling& into);
    void judge_unanswered(const store::InboxEvent& event, const Result<std::string>& output, bool alone,
                          Settling& into);
    void again(const store::InboxEvent& event, const std::string& why, Milliseconds retry_after, bool patient,
               Settling& into);
    static void wait(const store::InboxEvent& event, const Error& why, Settling& into);
    void bury(const store::InboxEvent& event, const std::string& why, Settling& into);
    std::vector<Part> parts_of(plugin::EmitEffect&& emit, plugin::EmittedEvent& answer) const;
    std::string why_not(const std::string& entity) const;
    ImportJob& import_of(const std::string& entity);

    Await<Result<Events>> due();
    Await<Status> settle(Settling settling);

    const Ports& ports_;
    Fibers& fibers_;
    Requester& requester_;
    RunControl& control_;
    const CanonicalSchemas& schemas_;
    EventListener& listener_;
    std::map<std::string, std::unique_ptr<ImportJob>> imports_;  // by entity
    std::vector<std::optional<plugin::PushResult>> answers_;     // to the events that are being asked about
    std::optional<Error> first_error_;                           // of a job that failed because of one event
    bool held_up_ = false;
    bool host_failed_ = false;  // the job ended because of us (the disk, a brake), not because of an event
};

}  // namespace liaisond::sync
