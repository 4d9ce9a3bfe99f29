// Every secret a simulated vendor has given out or wants to be shown, and every card number it has sent: what
// must afterwards be found nowhere in liaison's files. Its functions lock.
#pragma once

#include <string>
#include <vector>

namespace liaison_sim {

// The same text, for the place where it is made: `return secret(made("access"))`.
std::string secret(std::string text);
std::vector<std::string> secrets();

}  // namespace liaison_sim
