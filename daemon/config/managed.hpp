// Managed: integrations that were made over the API. Each is a YAML file in conf.d/managed beside what people
// write by hand, so that YAML remains the one truth; files of people are never touched.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/document.hpp"

namespace liaisond::config {

class Managed {
  public:
    // `main`: liaison.yaml
    explicit Managed(std::filesystem::path main) : main_(std::move(main)) {}

    struct Shown {
        boost::json::object content;  // as in YAML; secrets are references: "!secret shop-token"
        Place place;
        bool is_managed = false;
        std::string etag;  // changes when the content does
    };
    // As it stands in the files now.
    std::optional<Shown> find(const std::string& id) const;

    // Writes the file apart, where nobody reads it yet; the files of the configuration as it would be with
    // it. `content` null: as it would be without the integration.
    Result<std::vector<std::filesystem::path>> stage(const std::string& id,
                                                     const boost::json::object* content) const;
    // Puts what was staged in force, durably, or takes the file away.
    Status commit(const std::string& id, bool removed) const;
    void discard(const std::string& id) const;

  private:
    std::filesystem::path folder() const { return main_.parent_path() / "conf.d" / "managed"; }
    std::filesystem::path file(const std::string& id) const { return folder() / (id + ".yaml"); }
    std::filesystem::path staged(const std::string& id) const { return folder() / ("." + id + ".new"); }

    std::filesystem::path main_;
};

// The integration as a YAML file.
std::string integration_yaml(const std::string& id, const boost::json::object& content);

}  // namespace liaisond::config
