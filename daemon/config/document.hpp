// YAML files as one JSON document that remembers where every value stood, so that errors can say
// file:line:column.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace liaisond::config {

struct Place {
    std::string file;
    int line = 0, column = 0;  // from 1; 0: unknown
    std::string text() const;
};

// One thing wrong with the configuration. `text()` is what a person reads.
struct Fault {
    Place place;
    std::string path;  // "integrations.paradise-booking.schedule.every"
    std::string message;
    std::string text() const;
};

class Document {
  public:
    // Reads the files in order and merges them: `tenants` and `integrations` by id, everything else may stand
    // in one file only. What is wrong is appended to `faults`; what could be read is kept.
    static Document load(const std::vector<std::filesystem::path>& files, std::vector<Fault>& faults);
    // The same from text, for tests and for `config check -`.
    static Document parse(const std::string& text, const std::string& file, std::vector<Fault>& faults);

    const boost::json::object& root() const { return root_; }
    // Where the value at a JSON pointer stood; of its key when `key`. Falls back to the nearest known parent.
    Place place(std::string pointer, bool key = false) const;
    void add_fault(std::vector<Fault>& faults, const std::string& pointer, std::string message,
                   bool about_key = false) const;

  private:
    struct Mark {
        Place key, value;
    };
    friend class Reader;
    boost::json::object root_;
    std::map<std::string, Mark> marks_;  // by JSON pointer
};

// "/integrations/a/schedule" as "integrations.a.schedule".
std::string dotted(std::string_view pointer);

}  // namespace liaisond::config
