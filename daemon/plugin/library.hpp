// Library: one loaded plugin file. Loaded once per process, checked, and never unloaded (abi.md 7 says why).
#pragma once

#include <memory>
#include <string>

#include <liaison/plugin.h>

#include "base/result.hpp"

namespace liaisond::plugin {

class Library {
  public:
    // Errors are whole sentences for the operator. Loading the same path again gives the same library.
    static Result<std::shared_ptr<const Library>> load(const std::string& path);

    const std::string& name() const { return name_; }  // file name without .so: "csv"
    const liaison_plugin& table() const { return table_; }
    std::string id() const { return text(table_.id); }
    std::string version() const { return text(table_.version); }
    std::string vendor() const { return text(table_.vendor); }
    std::string manifest() const { return text(table_.manifest); }

  private:
    Library(std::string name, const liaison_plugin& table) : name_(std::move(name)), table_(table) {}
    static std::string text(const liaison_str& raw) { return std::string(raw.ptr, raw.len); }
    static Result<std::shared_ptr<const Library>> load_new(const std::string& path);

    std::string name_;
    liaison_plugin table_;  // the part of the plugin's table that we know
};

// "csv" of "/usr/lib/liaison/plugins/csv.so".
std::string library_name(const std::string& path);

}  // namespace liaisond::plugin
