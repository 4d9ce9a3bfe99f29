// A sandbox that restricts nothing, linked into a liaison-worker in place of the real one: the control that
// shows which attacks would get through without it.
#include "plugin/sandbox.hpp"

namespace liaisond::plugin {

void Sandbox::prepare(pid_t) const {}
Status Sandbox::before_load(int) const { return {}; }
Status Sandbox::after_load() const { return {}; }
KernelFeatures kernel_features() { return {}; }
const char* landlock_advice() { return ""; }
const char* seccomp_advice() { return ""; }

}  // namespace liaisond::plugin
