// Premises: the machine that the daemon lives on, as its upkeep sees it. Copies and archives are made by a
// thread of its own, one at a time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>

#include "sync/upkeep.hpp"

namespace liaisond::app {

class Premises final : public sync::Premises {
  public:
    // Completions are posted to `core`, which outlives it.
    Premises(boost::asio::io_context& core, std::string state_dir);
    // The PEM file of our own certificate; empty: none. [core thread]
    void use_certificate(std::string file) { certificate_ = std::move(file); }
    void suspect(std::vector<Suspect> suspects) { suspects_ = std::move(suspects); }

    Facts look() override;
    void back_up(const config::BackupPlan& plan, Instant at, Completion<Result<store::Backup>> done) override;
    void archive(const std::string& day, std::string lines, Completion<Status> done) override;
    void drop_archives(const std::string& before, Completion<Result<std::int64_t>> done) override;
    // To that file, or into the folder for backups in the state directory when it is empty. [core thread]
    void back_up_to(const std::string& file, Instant at, Completion<Result<store::Backup>> done);

  private:
    template <class R, class Work>
    void beside(Work work, Completion<R> done);
    std::string database() const { return state_dir_ + "/liaison.db"; }

    boost::asio::io_context& core_;
    const std::string state_dir_;
    std::string certificate_;
    std::vector<Suspect> suspects_;
    boost::asio::thread_pool side_{1};  // last: its thread is gone before what it works with
};

// When the first certificate in the PEM file ends; nothing where there is none.
std::optional<Instant> certificate_end(const std::string& file);
// Appends to a file of gzip members, mode 0600; durable afterwards. Blocks.
Status append_compressed(const std::string& file, std::string_view text);

}  // namespace liaisond::app
