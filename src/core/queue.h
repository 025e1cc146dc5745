// Who waits, in groups that ask for the same: when the first of a group finds no place, none of it
// does, so a pass over the queue costs as much as there are kinds of request, not jobs.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "core/model.h"

namespace ampacity::core {

// By every field; of no meaning but to be the same everywhere.
bool less(const Demand& a, const Demand& b);

// What a group needs of the fleet: the same for groups that differ only in what was learnt of them.
struct Shape {
  JobClass job_class = JobClass::on_demand;
  ProjectIx project = 0;
  std::int64_t time_limit_s = 0;
  Demand demand;
  std::vector<std::string> volumes;  // they live at a site
  bool operator==(const Shape&) const = default;
};
Shape shape_of(const Job& job);
bool operator<(const Shape& a, const Shape& b);

// Groups of one shape stand beside each other.
struct GroupKey {
  Shape shape;
  std::uint32_t band = 0;  // of the time it has run already
  std::string stem;        // of its name: what was learnt about it
};
bool operator<(const GroupKey& a, const GroupKey& b);

// (static rank, queue_order): the lower goes first.
using Waiters = std::set<std::pair<std::int64_t, std::uint64_t>>;
using WaitingGroups = std::map<GroupKey, Waiters>;

}  // namespace ampacity::core
