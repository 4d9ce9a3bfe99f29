#include "ledger.hpp"

#include <mutex>
#include <set>

namespace liaison_sim {
namespace {

struct Ledger {
    std::mutex mutex;
    std::set<std::string> texts;
};

Ledger& ledger() {
    static Ledger one;
    return one;
}

}  // namespace

std::string secret(std::string text) {
    const std::scoped_lock lock(ledger().mutex);
    ledger().texts.insert(text);
    return text;
}

std::vector<std::string> secrets() {
    const std::scoped_lock lock(ledger().mutex);
    return {ledger().texts.begin(), ledger().texts.end()};
}

}  // namespace liaison_sim
