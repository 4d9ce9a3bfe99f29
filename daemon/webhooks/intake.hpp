// Intake: takes the vendors' deliveries in, from the request to the durable row (engine.md 7). Nothing is
// answered with 200 before it is committed; what comes while a commit is under way shares the next one.
// It lives on the web server's thread, so that the core never sees what is refused.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/thread_safety.hpp"
#include "base/time.hpp"
#include "store/store.hpp"
#include "web/message.hpp"
#include "webhooks/endpoint.hpp"

namespace liaisond::webhooks {

class Intake {
  public:
    using Post = std::function<void(std::function<void()>)>;  // onto the server's thread [any thread]
    using Arrived = std::function<void(const std::string& integration)>;  // [core thread]

    // All of them outlive this, and this outlives whatever was posted. `store` may be written to from any
    // thread.
    Intake(store::Store& store, const Clock& clock, Random& random, Post post, Arrived arrived);

    // Is it a request for handle()?
    static bool is_for(const web::Request& request);
    // Answers it, now or once it is durable. [server's thread]
    void handle(web::Request request, web::Reply reply);
    // From now on. [any thread]
    void set_endpoints(std::shared_ptr<const Endpoints> endpoints);

  private:
    struct Pending {
        std::shared_ptr<Counters> counters;
        store::InboxEvent event;
        web::Reply reply;
    };
    enum class Outcome : std::uint8_t { added, known, failed };
    using Batch = std::vector<Pending>;
    // How many events of an integration wait to be processed: as last counted, and what came since.
    struct Backlog {
        std::uint64_t waiting = 0;
    };

    std::shared_ptr<const Endpoints> endpoints() const;
    web::Answer refuse_or_take(const Endpoint& endpoint, const web::Request& request,
                               store::InboxEvent& event);
    // A line a minute for each integration: nobody fills the log with what nobody asked for.
    void tell_refusal(const Endpoint& endpoint, std::string_view why, Instant now);
    bool has_room(const Endpoint& endpoint);
    void count_backlogs();
    void flush();
    static Result<std::vector<Outcome>> write(store::Database& database, const Batch& batch);
    void tell(const Batch& batch, const std::vector<Outcome>& outcomes) const;
    void settle(Batch& batch, const Result<std::vector<Outcome>>& outcomes);

    store::Store& store_;
    const Clock& clock_;
    Random& random_;
    Post post_;
    Arrived arrived_;
    Endpoint decoy_;  // what a delivery to nowhere is held against
    Batch waiting_;
    std::size_t in_flight_ = 0;
    std::map<std::string, Instant, std::less<>> told_;  // of a refusal, last
    std::map<std::string, Backlog, std::less<>> backlogs_;
    bool is_counting_ = false;
    std::chrono::nanoseconds next_count_{0};
    mutable Mutex mutex_;
    std::shared_ptr<const Endpoints> endpoints_ GUARDED_BY(mutex_);
};

}  // namespace liaisond::webhooks
