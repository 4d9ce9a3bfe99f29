#include "web/strangers.hpp"

namespace liaisond::web {

std::shared_ptr<Strangers::Place> Strangers::take(const std::string& address, std::size_t most) {
    const auto known = crowds_.find(address);
    if (known != crowds_.end() && known->second.places >= most) return nullptr;
    ++crowds_[address].places;
    return std::make_shared<Place>(shared_from_this(), address);
}

void Strangers::wait(const std::string& address, const std::shared_ptr<const Take>& take) {
    auto& waiting = crowds_[address].waiting;
    std::erase_if(waiting, [](const auto& one) { return one.expired(); });
    waiting.push_back(take);
}

void Strangers::give_up(const std::string& address) {
    const auto crowd = crowds_.find(address);
    while (!crowd->second.waiting.empty()) {
        const auto take = crowd->second.waiting.front().lock();
        crowd->second.waiting.pop_front();
        if (take) return (*take)(std::make_shared<Place>(shared_from_this(), address));
    }
    if (--crowd->second.places == 0) crowds_.erase(crowd);
}

}  // namespace liaisond::web
