// Usage by project, user, SKU or day, as `ampacity usage` shows it: seconds and amounts of leases
// inside a window, added up one lease at a time. What is paid in two currencies is never added.
// Threads: one call's.
// 1. A lease's part is by cumulative seconds: parts of windows that follow each other add up to it.
// 2. A lease that was live and closed before it was read counts once, as it closed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/contract.h"
#include "core/world.h"
#include "store/rows.h"

namespace ampacity::server {

enum class UsageBy { project, user, sku, day };
BOOST_DESCRIBE_ENUM(UsageBy, project, user, sku, day)

class UsageSums {
 public:
  // With the leases of `project` (nobody: all) that are live, as if they closed now.
  UsageSums(const core::World& world, core::ProjectIx project, UsageBy by, base::Instant from,
            base::Instant to, base::Instant now);

  void add_closed(const store::UsageRow& row);
  api::Usage result() &&;

 private:
  using Lease = std::pair<base::Id, std::uint32_t>;  // job, generation
  using Key = std::pair<std::string, std::string>;   // of what, in which currency
  struct Part {
    std::int64_t seconds = 0;
    core::Ticks amount = 0;
  };

  Part part_of(const store::UsageRow& row, base::Instant from, base::Instant to) const;
  void add(const store::UsageRow& row);
  void add_days(const store::UsageRow& row);
  void add_to(std::map<Key, api::UsageRow>& sums, const std::string& of, const store::UsageRow& row,
              const Part& part) const;
  std::string name_of(const store::UsageRow& row) const;

  UsageBy by_;
  base::Instant from_, to_;
  std::vector<std::string> projects_, users_, skus_;
  std::vector<std::string> currencies_;  // by project
  std::map<Lease, std::vector<store::UsageRow>> live_;
  std::map<Key, api::UsageRow> sums_, totals_;
};

}  // namespace ampacity::server
