// Supervision: the daemon's side of what systemd and it agree on: sockets that systemd listens on, and what
// it is told (sd_listen_fds(3), sd_notify(3)). Without systemd nothing is handed over and nobody listens.
#pragma once

#include <condition_variable>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "base/thread_safety.hpp"
#include "base/time.hpp"

namespace liaisond::app {

// Sockets that listen already, so that whoever connects while the daemon restarts waits instead of being
// refused. -1: there is none, and the daemon opens its own. Each belongs to whoever adopts it.
struct HandedSockets {
    int local = -1, api = -1, webhooks = -1;
};

// By their names (FileDescriptorName=): socket, api, webhooks. Call it once, before anything is started.
Result<HandedSockets> handed_sockets();

namespace supervision {

// `status` is what `systemctl status` shows; one line. [any thread]
void report_ready(const std::string& status);
// Followed by report_ready() when it is done, whichever way it went.
void report_reloading();
void report_stopping(const std::string& status);
// Feeds the watchdog.
void report_alive(const std::string& status);
// How often to call it; zero where nobody waits for it.
Milliseconds alive_every();

}  // namespace supervision

// Asks systemd for more time for as long as it lives: migrating a large database may outlast
// TimeoutStartSec=. Not for ever: what takes longer than `longest` is no migration, but a disk that hangs.
class LongStart {
  public:
    explicit LongStart(Milliseconds every = Milliseconds(20'000),
                       Milliseconds longest = Milliseconds(3'600'000));
    LongStart(const LongStart&) = delete;
    LongStart& operator=(const LongStart&) = delete;
    ~LongStart();

  private:
    void ask_again(Milliseconds every, Milliseconds longest);

    Mutex mutex_;
    std::condition_variable_any done_;
    bool is_done_ GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace liaisond::app
