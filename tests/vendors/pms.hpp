// A property management system in the open profile: reservations with ETags, Link header paging and HTTP
// Basic. It does not keep references unique, as real ones do not: a repeated create is a second booking,
// counted as a duplicate.
#pragma once

#include "vendor.hpp"

namespace liaison_sim {

class Pms : public Vendor {
  public:
    Pms();

  protected:
    bool is_authorized(const Request& request) const override;
    std::string challenge() const override { return "Basic realm=\"pms\""; }
    Generated generate(const Collection& collection, std::int64_t number, std::uint64_t seed,
                       std::int64_t stamp_ms) override;

  private:
    Response ping(const Request& request);
    Response list(const Request& request);
    // What is still free, by type of room and day, from today on.
    Response availability(const Request& request);
    Response get_one(const Request& request);
    Response create(const Request& request);
    Response replace(const Request& request);
    Response erase(const Request& request);
    Json checked_body(const Request& request) const;
    // The record a write is about, once If-Match names its current version: 428 without, 412 when stale.
    const Record& matched(const Request& request) const;

    Collection& reservations_;
};

}  // namespace liaison_sim
