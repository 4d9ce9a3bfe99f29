// Library: one loaded plugin file. Loaded once per process, checked, and never unloaded (abi.md 7 says why).
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <liaison/plugin.h>

#include "base/result.hpp"
#include "plugin/unique_fd.hpp"

namespace liaisond::plugin {

// A plugin file, opened once: what is checked, what the sandbox lets through and what is loaded are the same
// bytes, whatever becomes of the path meanwhile. Errors are whole sentences for the operator.
class PluginFile {
  public:
    // It is a regular file that begins like a shared library.
    static Result<PluginFile> open(const std::string& path);
    // Refuses one whose SHA-256 is another; an empty `digest` is not checked.
    Status expect(const std::string& digest) const;
    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }

  private:
    friend class Library;
    PluginFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

    std::string path_;
    UniqueFd fd_;
};

class Library {
  public:
    // Errors are whole sentences for the operator. Loading the same path again gives the same library.
    static Result<std::shared_ptr<const Library>> load(const std::string& path,
                                                       const std::string& digest = {});
    static Result<std::shared_ptr<const Library>> load(PluginFile file);

    const std::string& name() const { return name_; }  // file name without .so: "csv"
    const liaison_plugin& table() const { return table_; }
    std::string id() const { return text(table_.id); }
    std::string version() const { return text(table_.version); }
    std::string vendor() const { return text(table_.vendor); }
    std::string manifest() const { return text(table_.manifest); }

  private:
    Library(std::string name, const liaison_plugin& table) : name_(std::move(name)), table_(table) {}
    static std::string text(const liaison_str& raw) { return std::string(raw.ptr, raw.len); }
    static Result<std::shared_ptr<const Library>> load_new(PluginFile file);

    std::string name_;
    liaison_plugin table_;  // the part of the plugin's table that we know
};

// "csv" of "/usr/lib/liaison/plugins/csv.so".
std::string library_name(const std::string& path);

}  // namespace liaisond::plugin
