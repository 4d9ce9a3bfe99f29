// What `liaisonctl doctor` finds out, apart from how it looks: facts in, a finding with advice out. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <boost/json/object.hpp>

#include "base/time.hpp"
#include "ctl/table.hpp"
#include "http/probe.hpp"
#include "plugin/sandbox.hpp"

namespace liaisond::ctl {

// skipped: it could not be looked at from here, or there is nothing to look at.
enum class Verdict : std::uint8_t { fine, skipped, warning, failed };
std::string_view to_string(Verdict verdict);

struct Finding {
    std::string check;  // "database"
    Verdict verdict = Verdict::fine;
    std::string looked_at;  // a path, a host
    std::string found;
    std::string advice;  // what to do; empty where all is well
};

// Whom the daemon runs as.
struct Account {
    uid_t user = 0;
    std::vector<gid_t> groups;
    std::string name;
};

struct FileFacts {
    std::filesystem::path path;
    int error = 0;  // errno of looking at it; 0: the rest is set
    mode_t mode = 0;
    uid_t user = 0;
    gid_t group = 0;
};

// As the kernel decides for a file's owner, its group and others; `bits` as in the last octal digit.
bool may(const Account& account, const FileFacts& file, unsigned bits);

Finding judge_state_dir(const FileFacts& folder, const Account& daemon);
// The vault's key, and files that credentials come from: read by the daemon, and by nobody else.
Finding judge_secret_file(std::string check, const FileFacts& file, const Account& daemon);
// Where the daemon writes, beside its state directory.
Finding judge_folder(std::string check, const FileFacts& folder, const Account& daemon);

struct SpaceFacts {
    std::uint64_t free_bytes = 0, all_bytes = 0;
    std::uint64_t free_files = 0, all_files = 0;  // 0 of 0: the file system does not count them
};
Finding judge_space(const std::string& path, const SpaceFacts& space);

Finding judge_schema(const std::string& path, std::int64_t version, std::int64_t known);
// `limit`: open files at most.
Finding judge_file_limit(const std::string& whose, std::uint64_t limit, std::size_t integrations);
Finding judge_synchronised(bool is_synchronised);
// What the kernel gives for the sandbox of plugins; `degraded`: the configuration does without Landlock.
Finding judge_sandbox(const plugin::KernelFeatures& kernel, bool degraded);
// Of the hosts asked, the one by which the clock is wrong most; the median would hide a clock that only one
// host shows, and one wrong host is named in the finding.
Finding judge_skew(const std::vector<std::pair<std::string, http::ProbeAnswer>>& answers);
Finding judge_host(const std::string& origin, const http::ProbeAnswer& answer, Instant now);

struct CertificateFacts {
    std::string path;
    std::string error;  // why it could not be read; empty: the rest is set
    Instant expiry;
    bool matches_key = false;
};
Finding judge_certificate(const CertificateFacts& certificate, Instant now);

// Files that a crash left between writing and putting in place, with their ages.
Finding judge_leftovers(const std::vector<std::pair<std::filesystem::path, std::chrono::seconds>>& files);

// How it is told.
bool is_healthy(const std::vector<Finding>& findings);
std::string doctor_text(const std::vector<Finding>& findings, const Look& look);
boost::json::object doctor_json(const std::vector<Finding>& findings);

}  // namespace liaisond::ctl
