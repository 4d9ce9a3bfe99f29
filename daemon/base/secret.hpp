// Secret: a text that is wiped from memory when it goes, and that no log line takes by mistake: it converts
// to nothing, and its value must be asked for by name.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace liaisond {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
    Secret& operator=(Secret other) noexcept {
        value_.swap(other.value_);
        return *this;
    }
    ~Secret() { wipe(); }

    const std::string& reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

  private:
    void wipe() noexcept;
    std::string value_;
};

}  // namespace liaisond
