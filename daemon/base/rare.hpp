// Rare<T>: a value that few of many owners have. Costs two pointers where there is none; copies share it,
// since it never changes.
#pragma once

#include <memory>
#include <utility>

namespace liaisond {

template <class T>
class Rare {
  public:
    Rare() = default;
    Rare(T value) : value_(std::make_shared<const T>(std::move(value))) {}  // NOLINT: as std::optional

    explicit operator bool() const { return value_ != nullptr; }
    const T& operator*() const { return *value_; }
    const T* operator->() const { return value_.get(); }

  private:
    std::shared_ptr<const T> value_;
};

}  // namespace liaisond
