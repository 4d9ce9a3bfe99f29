// Strangers: how many requests of one address are under way of which nobody has said yet who sends them. One
// too many waits for the place of another. [server's thread]
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace liaisond::web {

class Strangers : public std::enable_shared_from_this<Strangers> {
  public:
    // Of one request, given up with it.
    class Place {
      public:
        Place(std::shared_ptr<Strangers> of, std::string address)
            : of_(std::move(of)), address_(std::move(address)) {}
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place() { of_->give_up(address_); }

      private:
        const std::shared_ptr<Strangers> of_;
        const std::string address_;
    };
    using Take = std::function<void(std::shared_ptr<Place>)>;

    // Null: that address has `most` already.
    std::shared_ptr<Place> take(const std::string& address, std::size_t most);
    // Whoever has got none is given one that another gives up, in the order they came; whoever has dropped
    // `take` by then is passed over.
    void wait(const std::string& address, const std::shared_ptr<const Take>& take);

  private:
    struct Crowd {
        std::size_t places = 0;
        std::deque<std::weak_ptr<const Take>> waiting;
    };
    void give_up(const std::string& address);

    std::map<std::string, Crowd, std::less<>> crowds_;  // by address
};

}  // namespace liaisond::web
