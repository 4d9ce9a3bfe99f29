// MemoryFiles: where SQLite keeps its files in a simulation - the process's memory instead of a disk, through
// the same interface (VFS). One thread, and no transaction outlives an event: locks have nobody to keep out.
// What SQLite wrote is there after the daemon died, as with a real process; a power cut is not simulated.
#pragma once

namespace liaisond::simulate {

class MemoryFiles {
  public:
    // From here on every path that SQLite opens in this process is one of these.
    MemoryFiles();
    MemoryFiles(const MemoryFiles&) = delete;
    MemoryFiles& operator=(const MemoryFiles&) = delete;
    ~MemoryFiles();  // with all that is in them
};

}  // namespace liaisond::simulate
