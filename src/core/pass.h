// One sweep over the queue, in order (core/order.h): who starts now, who tells whom to make room,
// who is promised a start. Decides one job at a time; its facts are folded before the next.
// 1. Room only shrinks during a sweep, so what found none is not asked again. 2. The first
// `promises_per_class` of each class that cannot start are promised when they will.
#pragma once

#include <set>

#include "core/facts.h"
#include "core/preempt.h"

namespace ampacity::core {

// Where room was made since the queue was last asked.
struct Freed {
  bool anywhere = false;
  std::vector<NodeIx> nodes;        // by leases that ended
  std::vector<ProjectIx> projects;  // whose they were: they have credit and quota again
};

class Pass {
 public:
  // The whole queue; also looks for whom to preempt.
  Pass(const World& world, Instant now);
  // Only for room, and only those whom what was freed could serve.
  Pass(const World& world, Instant now, Freed freed);
  // Only this one, just submitted.
  Pass(const World& world, Instant now, const Job& job);

  // The facts of the next job that gets something; empty: the sweep is over.
  std::vector<FactBody> next(const World& world);

 private:
  // A group, by its first. Last in its class are those to be promised, by age.
  struct Entry {
    JobClass job_class = JobClass::on_demand;
    bool promise = false;
    std::int64_t share = 0;
    std::int64_t rank = 0;
    std::uint64_t order = 0;
    bool reluctant = false;  // its rank was raised: it would begin an idle node
    Slot slot = 0;
    std::uint32_t shape = 0;  // of shapes_
    auto operator<=>(const Entry&) const = default;
  };
  // Those to be tried: nearly all are known from the start.
  class Line {
   public:
    void add(const Entry& entry);  // before the first pop: in any order
    std::optional<Entry> pop();
    bool would_be_next(const Entry& entry);

   private:
    void sort();
    std::vector<Entry> known_;  // the last goes first
    bool sorted_ = false;
    std::set<Entry> later_;
  };
  enum class Answer { done, no_room, no_credit, later };

  static constexpr std::int64_t unknown_share = -1;
  std::int64_t share_of_project(const World& world, ProjectIx project) const;
  Entry entry_of(const World& world, const Job& job, std::uint32_t shape) const;
  std::uint32_t shape_ix(const Job& job) const;
  void add_groups(const World& world);
  bool could_use_freed(const World& world, const Shape& shape) const;
  void add_next(const World& world, const Entry& entry, const Job& job);
  Answer try_job(const World& world, const Entry& entry, const Job& job,
                 std::vector<FactBody>& facts);
  Answer try_promise(const World& world, const Job& job, std::vector<FactBody>& facts);
  bool try_claim(const World& world, const Job& job, std::vector<FactBody>& facts);
  bool too_dear(const World& world, const Entry& entry, const Job& job, const Placement& at);

  Instant now_;
  bool review_;
  Freed freed_;
  // By project, found when somebody of it is looked at; empty: they do not count.
  mutable std::vector<std::int64_t> shares_;
  std::vector<Shape> shapes_;  // ascending
  std::vector<bool> no_room_;  // by shape
  Line line_;
  std::vector<std::uint64_t> claims_;   // waiting to become free, the oldest last
  std::vector<std::uint64_t> overdue_;  // promises that were not kept
  std::optional<Evictable> evictable_;  // once somebody looks for whom to tell
  std::array<bool, 4> closed_{};        // fifo: the class's first found no room
};

}  // namespace ampacity::core
