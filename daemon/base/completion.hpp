// Completion<T>: how an asynchronous port answers. Called exactly once, on the core thread, never from inside
// the call that took it; or never at all when the port is torn down first.
#pragma once

#include <functional>

namespace liaisond {

template <class T>
using Completion = std::function<void(T)>;

}  // namespace liaisond
