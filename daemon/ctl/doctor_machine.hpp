// Facts of this machine for `liaisonctl doctor`: files, disks, the database, certificates. Nothing is
// changed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ctl/doctor.hpp"

namespace liaisond::ctl {

FileFacts look_at(const std::filesystem::path& path);
// The owner of the state directory; before there is one the user `liaison`, or whoever asks.
Account daemon_account(const std::filesystem::path& state_dir);
Finding check_space(const std::string& state_dir);
// Reads all of it: about a second for each GiB.
Finding check_database(const std::string& path);
// The limit of that process; of this one when `pid` is 0.
Finding check_file_limit(std::int64_t pid, std::size_t integrations);
Finding check_clock_service();
// PEM files.
CertificateFacts read_certificate(const std::string& certificate, const std::string& key);
// Of the state directory and of conf.d/managed.
Finding check_leftovers(const std::vector<std::filesystem::path>& folders);

}  // namespace liaisond::ctl
