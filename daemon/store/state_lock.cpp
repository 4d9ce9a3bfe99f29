#include "store/state_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace liaisond::store {

StateLock::~StateLock() {
    if (fd_ >= 0) ::close(fd_);
}

Status StateLock::acquire(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        return fail(ErrorKind::config, "cannot create the state directory " + directory + ": " +
                                           error.message() +
                                           "; check the owner of its parent, or set daemon.state_dir");
    }
    const std::string path = directory + "/liaisond.lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) {
        return fail(ErrorKind::config, "the state directory " + directory +
                                           " is not writable: " + std::strerror(errno) +
                                           "; it must belong to the user that runs liaisond");
    }
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        char pid[32] = {};
        const ssize_t length = ::pread(fd_, pid, sizeof pid - 1, 0);
        const std::string who =
            length > 0 ? " (process " + std::string(pid, static_cast<std::size_t>(length)) + ")" : "";
        return fail(ErrorKind::conflict, "another liaisond" + who + " already works in " + directory +
                                             "; stop it first, or give this one its own daemon.state_dir");
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) {
        return fail(ErrorKind::transient,
                    "cannot write " + path + ": " + std::strerror(errno) + "; is the disk full?");
    }
    return {};
}

}  // namespace liaisond::store
