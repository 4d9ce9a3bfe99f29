// ExportWatch: which entity of an integration is being exported, for whoever reads the same entity beside it.
// What was sent and not yet answered looks like a record that nobody knows. [core thread]
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sync/fiber.hpp"

namespace liaisond::sync {

class ExportWatch {
  public:
    // An export is under way as long as its mark lives.
    class Mark {
      public:
        Mark(ExportWatch& watch, const std::string& entity) : watch_(watch) { watch_.entity_ = entity; }
        Mark(const Mark&) = delete;
        ~Mark() {
            watch_.entity_.clear();
            watch_.wake();
        }

      private:
        ExportWatch& watch_;
    };

    bool is_exporting(const std::string& entity) const { return !entity_.empty() && entity_ == entity; }
    // The next end of an export, or wake().
    Await<Nothing> change(Timers& timers) {
        return Await<Nothing>([this, &timers](Completion<Nothing> done) {
            waiting_.emplace_back(
                [&timers, done = std::move(done)] { timers.post([done] { done(Nothing{}); }); });
        });
    }
    // Nobody waits any more: the frames that do are about to be destroyed.
    void forget() { waiting_.clear(); }
    void wake() {
        for (const auto& call : std::exchange(waiting_, {})) call();
    }

  private:
    std::string entity_;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace liaisond::sync
