#include "sync/gate.hpp"

#include <algorithm>

namespace liaisond::sync {
namespace {

constexpr Milliseconds keep_every{10'000};

}  // namespace

void Gate::configure(const config::Limits& limits, std::uint32_t concurrent) {
    allowance_.configure(limits, now());
    limited_ = limits.any();
    concurrent_ = std::max(1u, concurrent);
}

Await<Gate::Admission> Gate::enter(const RunControl& control) {
    return Await<Admission>([self = shared_from_this(), &control](Completion<Admission> done) {
        self->waiting_.push_back({&control, std::move(done)});
        self->pump();
    });
}

void Gate::leave() {
    --inside_;
    pump();
}

void Gate::answered(bool too_many, Milliseconds advised) {
    if (too_many)
        allowance_.refused(advised, now());
    else
        allowance_.accepted();
}

void Gate::answer_first(Admission admission) {
    timers_.post([done = std::move(waiting_.front().done), admission] { done(admission); });
    waiting_.pop_front();
}

void Gate::pump() {
    // Whoever was cancelled goes first, wherever he stands.
    std::stable_partition(waiting_.begin(), waiting_.end(),
                          [](const Waiting& one) { return one.control->stop == Stop::cancel; });
    while (!waiting_.empty() && waiting_.front().control->stop == Stop::cancel) answer_first({});
    const auto at_once = static_cast<std::uint32_t>(concurrent_ * allowance_.share());
    while (!waiting_.empty() && inside_ < std::max(1u, at_once)) {
        const Milliseconds wait = this->wait();
        if (wait > longest_wait_in_run) {
            answer_first({false, wait});
            continue;
        }
        if (wait.count() > 0) {
            timers_.after(wait, [weak = weak_from_this(), timer = ++timer_] {
                const auto self = weak.lock();
                if (self && timer == self->timer_) self->pump();
            });
            return;
        }
        allowance_.take(now(), clock_.now());
        ++inside_;
        answer_first({true, {}});
    }
}

bool Gate::is_idle() const {
    return inside_ == 0 && waiting_.empty() && allowance_.is_fresh(now(), clock_.now());
}

std::string Gate::kept() {
    kept_at_ = now();
    return allowance_.to_json(now(), clock_.now());
}

bool Gate::needs_keeping() const { return limited_ && now() - kept_at_ >= keep_every; }

std::string Gates::key_of(const Link& link) {
    using Scope = config::Limits::Scope;
    if (link.config.limits.scope == Scope::vendor) return "vendor " + link.config.connector;
    if (link.config.limits.scope == Scope::integration) return "integration " + link.config.id;
    std::string key = "credential " + link.config.tenant + " " + link.config.connector;
    for (const auto& [name, source] : link.config.credentials) key += " " + name + "=" + source.name;
    return key;
}

std::shared_ptr<Gate> Gates::of(const Link& link) {
    const std::string key = key_of(link);
    std::shared_ptr<Gate>& gate = gates_[key];
    const bool is_new = gate == nullptr;
    if (is_new) gate = std::make_shared<Gate>(timers_, clock_);
    gate->configure(link.config.limits, link.config.concurrent);
    if (const auto kept = kept_.find(key); is_new && kept != kept_.end()) {
        gate->restore(kept->second);
        kept_.erase(kept);
    }
    return gate;
}

void Gates::release(const std::string& key) {
    const auto found = gates_.find(key);
    if (found != gates_.end() && found->second.use_count() == 1 && found->second->is_idle())
        gates_.erase(found);
}

}  // namespace liaisond::sync
