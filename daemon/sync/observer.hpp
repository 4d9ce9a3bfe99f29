// Observer: hears what the engine did, for those who count it. It decides nothing and calls nothing back.
// [core thread]
#pragma once

#include <string>

#include "http/transport.hpp"
#include "store/types.hpp"

namespace liaisond::sync {

class Observer {
  public:
    virtual ~Observer() = default;
    // A run ended, with its verdict and its counters.
    virtual void ended(const store::Run& run) { (void)run; }
    // A request was answered, or came to nothing.
    virtual void answered(const std::string& integration, const http::Response& answer) {
        (void)integration, (void)answer;
    }
    // A planned run began that long after it was due.
    virtual void began(const std::string& integration, Milliseconds late) { (void)integration, (void)late; }
};

// Where nobody counts.
inline Observer& nobody() {
    static Observer one;
    return one;
}

}  // namespace liaisond::sync
