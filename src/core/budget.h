// Budgets: what an org, a project or a key may use in a calendar window, in money or GPU time.
//
//   posted: the part inside the window of what ended leases were billed for
//   held:   the part inside the window of what live leases were billed for and hold ahead
//   after:  what they hold beyond the window's end (a lease that was not seen to start: all of it)
//
// 1. counted = posted + held. A threshold fires when counted reaches it, once in a window.
// 2. A blocking budget lets a lease begin only if counted + its first hold ≤ limit, and after + its
//    first hold ≤ limit: so what is granted fits this window and the next one.
// 3. A stopping budget (it blocks, too) lets a hold grow by no more than that; where it cannot grow
//    the stop begins, early enough to end inside what is held (core/settle.h). With 2, counted
//    never exceeds the limit, but for what a limit set lower finds already there, and the seconds
//    that a later report of an earlier start moves across a window's begin.
// 4. A window's seconds are those since the lease's observed start, cut at its begin: what windows
//    that follow each other count adds up to the bill, to the tick.
// Work that costs nothing holds nothing, and counts in no budget.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "base/result.h"
#include "core/budget_model.h"
#include "core/facts.h"

namespace ampacity::core {

class World;
struct State;
struct Tier;

inline constexpr std::size_t most_budgets = 10'000;

struct Span {
  Instant from;
  Instant until;
  bool operator==(const Span&) const = default;
};
Span span_of(BudgetWindow window, Instant created_at, Instant t);

// Whose budgets a job counts in, beside its org's.
struct Payer {
  ProjectIx project = 0;
  Id key;
};
inline Payer payer_of(const Job& job) { return {job.project, job.key}; }

// ---- derived ------------------------------------------------------------------------------------

struct BudgetUse {
  Span span;
  std::int64_t posted = 0;
  std::int64_t held = 0;
  std::int64_t after = 0;
  std::int64_t rate = 0;  // a second, of live leases
  std::int64_t counted() const { return posted + held; }
  bool operator==(const BudgetUse&) const = default;
};

// Part of World, derived from its State: by position in State::budgets.
class BudgetIndex {
 public:
  std::vector<BudgetUse> use;
  std::set<std::uint32_t> due;  // a threshold was reached and has not fired
  Instant next_until;           // the first window's end; zero: there is none

  bool empty() const { return of_org_.empty() && of_project_.empty() && of_key_.empty(); }
  // The positions of the budgets that a job counts in, ascending in each scope.
  template <typename F>
  void each(const State& s, const Payer& payer, F&& f) const;

  void rebuild(const State& s, Instant now);
  void put(const State& s, std::uint32_t ix, Instant now);  // set or changed
  void remove(const State& s, std::uint32_t ix);            // still in the state
  void count_lease(const State& s, const Job& job, int sign);
  void refresh(const State& s,
               std::uint32_t ix);  // after its posted part or its thresholds changed
  void refresh_of(const State& s, const Payer& payer);
  void count_closed(State& s, const Payer& payer, const Interval& interval);  // not refreshed yet
  bool operator==(const BudgetIndex&) const = default;

 private:
  std::vector<std::uint32_t>& list_of(const Budget& b);
  void find_next();

  std::map<OrgIx, std::vector<std::uint32_t>> of_org_;
  std::map<ProjectIx, std::vector<std::uint32_t>> of_project_;
  std::map<Id, std::vector<std::uint32_t>> of_key_;
};

// What an ended lease adds to the windows that contain `at`.
void count_spent(Spent& spent, const Interval& interval, Instant at);
// … and to a budget without a window.
std::int64_t used_since(const Budget& b, const Interval& interval);

// ---- decisions ----------------------------------------------------------------------------------

// As of `now`, also where a window ended since the latest fact.
BudgetUse use_at(const World& world, std::uint32_t ix, Instant now);
// What was really used until now: posted, and the leases' seconds so far.
std::int64_t used_by(const World& world, std::uint32_t ix, Instant now);

// What stopping budgets still allow, while one decision spends of it.
class BudgetRoom {
 public:
  BudgetRoom(const World& world, Instant now) : world_(world), now_(now) {}
  // How many seconds after `from_s` the job's lease, or what it becomes, may hold; at most
  // `most_s`.
  std::int64_t seconds(const Job& job, const Lease& after, std::int64_t from_s,
                       std::int64_t most_s);
  void held(const Job& job, const Lease& after, std::int64_t paid_s);  // it does, up to there

 private:
  BudgetUse& use(std::uint32_t ix);
  const World& world_;
  Instant now_;
  std::map<std::uint32_t, BudgetUse> uses_;
};

// Whether the blocking budgets of a job have room for a lease that begins so.
bool within_budgets(const World& world, const Job& job, const Rates& rates, std::int64_t hold_s,
                    Instant now);
// Everything its blocking budgets lack for that, and when there is room again.
std::optional<base::Refusal> over_budget(const World& world, const Job& job, const Rates& rates,
                                         std::int64_t hold_s, Instant now);

// The thresholds that are due, as facts.
std::vector<FactBody> crossings(const World& world);

}  // namespace ampacity::core
