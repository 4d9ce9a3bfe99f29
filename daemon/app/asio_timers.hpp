// The engine's timers on Asio. [core thread]
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "sync/ports.hpp"

namespace liaisond::app {

class AsioTimers final : public sync::Timers {
  public:
    explicit AsioTimers(boost::asio::io_context& core) : core_(core) {}

    void after(Milliseconds delay, std::function<void()> call) override {
        auto timer = std::make_shared<boost::asio::steady_timer>(core_, delay);
        timer->async_wait([timer, call = std::move(call)](boost::system::error_code error) {
            if (!error) call();
        });
    }
    void post(std::function<void()> call) override { boost::asio::post(core_, std::move(call)); }

  private:
    boost::asio::io_context& core_;
};

}  // namespace liaisond::app
