// The auditor of facts: whether the world agrees about what they touched.
#include <algorithm>

#include "core/desire.h"
#include "core/invariants.h"

namespace ampacity::core {
namespace {

template <typename T>
void sort_out(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

FactAuditor::FactAuditor(const World& world) {
  const State& s = world.state();
  for (const Account& a : s.accounts)
    accounts_.push_back(
        {a.ledger, a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted});
  for (const Transfer& t : s.pending)
    if (!t.id.is_nil()) open_.emplace(t.id, t);
  for (const Job& job : s.jobs)
    if (!job.id.is_nil()) follow(job);
  for (const Job& job : s.jobs)
    if (!job.id.is_nil() && job.lease)
      floor_.take(s, stand_of(job, *job.lease), job_name(job.id), found_);
  next_transfer_ = s.next_transfer;
  next_queue_order_ = s.next_queue_order;
  sequence_ = s.sequence;
  at_ = s.now;
}

void FactAuditor::follow(const Job& job) {
  Trail& t = live_[job.id];
  t.generation = job.generation;
  if (!job.intervals.empty()) t.last_ended = job.intervals.back().ended_at;
  if (!job.lease) return;
  t.leased = true;
  t.stand = stand_of(job, *job.lease);
  t.granted_at = job.lease->granted_at;
  t.steps = job.lease->steps;
  t.rates = job.lease->rates;
  if (job.lease->pending_id || job.lease->posted_s)
    t.posted = cost_of(*job.lease, 0, job.lease->posted_s);
}

void FactAuditor::after(const World& world) {
  const State& s = world.state();
  if (s.sequence != sequence_)
    found_.add("I13", "the world", "has folded ", s.sequence, " facts of ", sequence_);
  if (world.live_jobs != live_.size() || world.queue.size() + world.leased.size() != live_.size())
    found_.add("index", "the world", world.live_jobs, " live jobs, ", world.queue.size(),
               " waiting and ", world.leased.size(), " leased, of ", live_.size());
  if (s.next_transfer != next_transfer_)
    found_.add("I13", "the world", "its next transfer is ", s.next_transfer, " and not ",
               next_transfer_);
  check_touched(world);
}

void FactAuditor::check_touched(const World& world) {
  const State& s = world.state();
  sort_out(jobs_);
  sort_out(nodes_);
  sort_out(books_);
  for (const Id id : jobs_) {
    const Job* job = world.job(id);
    const auto at = live_.find(id);
    if ((job != nullptr) != (at != live_.end()))
      found_.add("I6", job_name(id), job ? "has ended and is alive" : "is lost");
    if (!job || at == live_.end()) continue;
    check_job(world, static_cast<Slot>(job - s.jobs.data()), found_);
    if (job->generation != at->second.generation || job->lease.has_value() != at->second.leased)
      found_.add("I6", job_name(id), "is of generation ", job->generation, ", its facts say ",
                 at->second.generation);
  }
  for (const NodeIx n : nodes_)
    if (n < s.nodes.size()) check_node(world, n, floor_.at(n), found_);
  for (const std::uint32_t ix : books_) {
    if (ix >= s.accounts.size()) continue;
    const Account& a = s.accounts[ix];
    const Counters& c = accounts_[ix];
    const std::string where = "account " + std::to_string(ix + 1) + " (" + a.name + ")";
    if (a.ledger != c.ledger || a.debits_pending != c.debits_pending ||
        a.debits_posted != c.debits_posted || a.credits_pending != c.credits_pending ||
        a.credits_posted != c.credits_posted)
      found_.add("I12", where, "is not the fold of its transfers");
    if (a.has(ledger::account_flag::debits_must_not_exceed_credits) && ledger::available(a) < 0)
      found_.add("I4", where, "is below zero: ", ledger::available(a));
  }
  jobs_.clear();
  nodes_.clear();
  books_.clear();
}

std::vector<Violation> FactAuditor::take() { return std::exchange(found_.list, {}); }

}  // namespace ampacity::core
