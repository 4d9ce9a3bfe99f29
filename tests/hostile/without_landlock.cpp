// Runs a program as on a kernel that has no Landlock: without_landlock PROGRAM ARGUMENT...
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <seccomp.h>
#include <unistd.h>

int main(int count, char** arguments) {
    if (count < 2) return 64;
    const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
    const std::uint32_t missing = SCMP_ACT_ERRNO(EOPNOTSUPP);
    if (filter == nullptr || ::seccomp_rule_add(filter, missing, SCMP_SYS(landlock_create_ruleset), 0) != 0 ||
        ::seccomp_load(filter) != 0) {
        std::fputs("without_landlock: no filter could be set\n", stderr);
        return 1;
    }
    ::execv(arguments[1], arguments + 1);
    std::fprintf(stderr, "without_landlock: %s: %s\n", arguments[1], std::strerror(errno));
    return 1;
}
