// The seams of the engine. In the daemon they are Asio, libcurl, SQLite and worker processes; in the
// simulator a virtual clock and a heap of events. The engine decides; whatever does anything is behind one of
// these.
#pragma once

#include <functional>

#include "auth/vault.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "http/transport.hpp"
#include "plugin/runtime.hpp"
#include "store/store.hpp"
#include "sync/observer.hpp"

namespace liaisond::sync {

// Calls back on the core thread, never from inside the call.
class Timers {
  public:
    virtual ~Timers() = default;
    virtual void after(Milliseconds delay, std::function<void()> call) = 0;
    virtual void post(std::function<void()> call) = 0;
};

struct Ports {
    const Clock& clock;
    const TimeZones& zones;
    Random& random;
    Timers& timers;
    http::Transport& transport;
    store::Store& store;
    plugin::Runtime& runtime;
    auth::Secrets& secrets;
    Observer& observer = nobody();
};

}  // namespace liaisond::sync
