// The control API under /_sim: seeds, edits and dumps records, sets the fault switches and shows the counts.
// It needs no credentials and is subject to none of the switches.
#pragma once

#include <memory>
#include <vector>

#include "router.hpp"
#include "vendor.hpp"

namespace liaison_sim {

class Control {
  public:
    // The vendors must outlive this.
    explicit Control(const std::vector<std::unique_ptr<Vendor>>& vendors);
    Response handle(const Request& request) const { return routes_.dispatch(request); }

  private:
    void add_vendor_routes();
    Response index() const;
    Response all_stats() const;
    Response reset() const;
    Response reset_stats() const;
    Vendor& vendor(const Request& request) const;

    const std::vector<std::unique_ptr<Vendor>>& vendors_;
    Router routes_;
};

}  // namespace liaison_sim
