// What the simulated year makes of the core's facts: its books, its clock and its counts.
#include <algorithm>

#include "base/check.h"
#include "core/explain.h"
#include "sim/year_run.h"

namespace ampacity::sim {

using core::StopReason;

void YearRun::mix(std::uint64_t value) {
  std::uint64_t z = (out_.digest ^ value) + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  out_.digest = z ^ (z >> 31);
}

void YearRun::watch(const core::Fact& fact) {
  mix(static_cast<std::uint64_t>(fact.at.us));
  mix(fact.body.index() << 56 ^ core::job_of(fact).low);
  if (const auto* granted = std::get_if<core::LeaseGranted>(&fact.body))
    return on_granted(*granted);
  if (const auto* closed = std::get_if<core::LeaseClosed>(&fact.body)) return on_closed(*closed);
  if (const auto* stop = std::get_if<core::StopOrdered>(&fact.body)) return on_stop(*stop);
  if (const auto* promise = std::get_if<core::PromiseMade>(&fact.body)) return on_promise(*promise);
  if (const auto* settled = std::get_if<core::LeasesSettled>(&fact.body)) {
    out_.counts.settlements += settled->entries.size();
  } else if (std::holds_alternative<core::PromiseDropped>(fact.body)) {
    ++out_.promises.dropped;
  } else if (const auto* low = std::get_if<core::CreditLow>(&fact.body)) {
    if (!fleet_.prepaid(low->project) || topping_up_[low->project]) return;
    topping_up_[low->project] = true;  // most pay at once, some the next day
    const std::int64_t minutes =
        people_.chance(700) ? people_.between(5, 60) : people_.between(360, 2'160);
    push(now_us_ + minutes * 60'000'000, Kind::top_up, low->project);
  } else if (const auto* ended = std::get_if<core::JobEnded>(&fact.body)) {
    ++out_.counts.cancelled;
    free_slot(slot_of(ended->job));
  }
}

void YearRun::on_granted(const core::LeaseGranted& f) {
  for (const core::Place& p : f.lease.places) mix(p.node ^ p.gpu_mask << 32);
  const std::uint32_t slot = slot_of(f.job);
  Run& r = runs_[slot];
  if (!r.leased_before)
    out_.wait_s[static_cast<std::size_t>(r.job.job_class)].push_back(
        static_cast<std::uint32_t>((now_us_ - r.submitted_us) / 1'000'000));
  if (r.promised_us != INT64_MAX) {
    ++out_.promises.made;
    out_.promises.kept += now_us_ <= r.promised_us;
    out_.promises.early_s.push_back((r.first_promise_us - now_us_) / 1'000'000);
  }
  if (r.expected_us >= 0) {
    const std::int64_t error = (r.expected_us - now_us_) / 1'000'000;
    out_.promises.estimate_s.push_back(error < 0 ? -error : error);
    ++out_.promises.likely_made;
    out_.promises.likely_kept += now_us_ <= r.likely_us;
  }
  r.promised_us = r.first_promise_us = INT64_MAX;
  r.expected_us = r.started_us = r.ended_us = r.failed_us = -1;
  r.state = Run::State::leased;
  r.generation = f.generation;
  r.lease = ++leases_;
  r.granted_us = now_us_;
  r.leased_before = true;
  r.stopping = r.seen = false;
  r.faulted = false;
  r.stop_reason = StopReason::none;
  const std::uint32_t sku = fleet_.sku_of_node[f.lease.places[0].node];
  r.bill.begin(second_of(prices_, sku, r.job.job_class, r.job.gpus()));
  // Its image is near; a large gang takes longer to come up.
  push(now_us_ + reports_.between(8, 30) * 1'000'000 + r.job.nodes * 500'000, Kind::start, slot,
       r.lease);
}

void YearRun::on_promise(const core::PromiseMade& f) {
  Run& r = runs_[slot_of(f.job)];
  const std::int64_t start_by = f.promise.start_by.us - year_begin.us;
  mix(static_cast<std::uint64_t>(start_by));
  if (r.first_promise_us == INT64_MAX) r.first_promise_us = start_by;
  r.promised_us = std::min(r.promised_us, start_by);
}

void YearRun::on_stop(const core::StopOrdered& f) {
  mix(static_cast<std::uint64_t>(f.reason));
  const std::uint32_t slot = slot_of(f.job);
  Run& r = runs_[slot];
  out_.counts.preemptions += f.reason == StopReason::preempted;
  if (r.state != Run::State::leased || r.stopping) return;
  r.stopping = true;
  r.stop_reason = f.reason;
  if (r.ended_us < 0) push(now_us_ + stop_takes_us, Kind::stop, slot, r.lease);
}

// ---- a lease ends -------------------------------------------------------------------------------

// Useful work of this lease until then; what was spent on restoring and on checkpoints beside it.
std::int64_t YearRun::worked_us(const Run& r, std::int64_t until_us, std::int64_t& restoring_us,
                                std::int64_t& stalled_us) const {
  restoring_us = stalled_us = 0;
  if (r.started_us < 0) return 0;
  std::int64_t ran = std::max<std::int64_t>(0, until_us - r.started_us);
  if (r.restarts) {
    restoring_us = std::min(ran, restore_us);
    ran -= restoring_us;
  }
  std::int64_t work = ran;
  if (const std::int64_t every = r.job.checkpoint_us) {
    const std::int64_t cycles = ran / (every + checkpoint_stall_us);
    work = cycles * every + std::min(ran % (every + checkpoint_stall_us), every);
  }
  work = std::min(work, r.job.run_us - r.kept_us);
  stalled_us = ran - work;
  return work;
}

void YearRun::account_work(Run& r, bool requeue) {
  std::int64_t until_us = now_us_;
  if (r.ended_us >= 0) until_us = r.ended_us;
  if (r.failed_us >= 0) until_us = std::min(until_us, r.failed_us);
  std::int64_t restoring = 0, stalled = 0;
  const std::int64_t work = worked_us(r, until_us, restoring, stalled);
  const bool by_fault = r.failed_us >= 0;
  std::int64_t kept = work;
  const bool saved = !requeue && !by_fault;  // it ended, or its owner gave it up
  if (!saved && !(r.job.saves_on_stop && !by_fault))
    kept = r.job.checkpoint_us ? work / r.job.checkpoint_us * r.job.checkpoint_us : 0;
  const std::int64_t gpus = r.job.gpus();
  GpuTime& t = out_.time;
  t.leased += (now_us_ - r.granted_us) * gpus;
  t.useful += kept * gpus;
  t.starting += ((r.started_us >= 0 ? r.started_us : now_us_) - r.granted_us) * gpus;
  t.restoring += restoring * gpus;
  t.checkpoints += stalled * gpus;
  (by_fault ? t.lost_to_faults : t.lost_to_stops) += (work - kept) * gpus;
  r.kept_us += kept;
  r.restarts |= r.started_us >= 0;
}

void YearRun::on_closed(const core::LeaseClosed& f) {
  mix(static_cast<std::uint64_t>(f.interval.billed_s) << 8 ^ static_cast<std::uint64_t>(f.outcome));
  const std::uint32_t slot = slot_of(f.job);
  Run& r = runs_[slot];
  check_bill(r, f);
  account_work(r, f.requeue);
  for (const core::Place& p : f.interval.places)
    if (nodes_[p.node].mode != NodeMode::good) left_.push_back(p.node);
  if (!f.requeue) {
    count_end(r, f);
    return free_slot(slot);
  }
  r.state = Run::State::waiting;
}

void YearRun::count_end(const Run& r, const core::LeaseClosed& f) {
  YearCounts& c = out_.counts;
  if (f.outcome == core::Outcome::succeeded)
    ++c.done;
  else if (f.outcome == core::Outcome::timed_out)
    ++c.cut;
  else if (f.outcome == core::Outcome::lost)
    ++c.lost;
  else if (f.outcome == core::Outcome::cancelled)
    ++(r.stop_reason == StopReason::credit ? c.dry : c.cancelled);
  else
    ++(r.failed_us >= 0 ? c.lost : c.failed);
}

// By what was seen here alone: when it began, when it ended, what a second cost.
void YearRun::check_bill(const Run& r, const core::LeaseClosed& f) {
  YearMoney& m = out_.money;
  const core::Interval& i = f.interval;
  const std::int64_t seen_s = (i.ended_at - i.started_at).seconds_rounded_up();
  bool wrong = i.billed_s + i.waived_s != seen_s;
  if (r.started_us >= 0) {
    wrong |= i.started_at != at(r.started_us);
    if (r.ended_us >= 0) wrong |= i.ended_at != at(std::max(r.ended_us, r.started_us + 1));
    if (r.ended_us < 0 && r.failed_us < 0) wrong |= i.ended_at != at(now_us_);
  } else {
    wrong |= i.billed_s != 0;
  }
  const core::Ticks expected = r.bill.cost(i.billed_s);
  wrong |= expected != i.amounts.total();
  m.wrong_leases += wrong;
  m.billed += i.amounts.total();
  m.expected += expected;
  m.waived_s += i.waived_s * r.job.gpus();
  ++m.closed;
  m.faulted += r.faulted;
  books_.billed[r.job.project] += expected;
}

// ---- at checks and at the end -------------------------------------------------------------------

void YearRun::check_books() {
  std::vector<LiveCost> live;
  for (const Run& r : runs_) {
    if (r.state != Run::State::leased) continue;
    const core::Lease& l = lease(r);
    const core::Ticks posted = r.bill.cost(l.posted_s);
    live.push_back({r.job.project, posted, r.bill.cost(l.paid_s) - posted});
  }
  out_.money.drift += drift_of(world_, books_, live);
  ++out_.money.checks;
}

void YearRun::finish() {
  now_us_ = std::max(now_us_, plan_.drain ? now_us_ : end_us_);
  check_books();
  for (Run& r : runs_) {
    if (r.state == Run::State::free) continue;
    ++out_.counts.alive;
    if (r.state == Run::State::leased) account_work(r, false);
    if (r.state != Run::State::waiting) continue;
    const core::Job* job = world_.job(r.id);
    const auto why = core::explain(world_, *job, at(now_us_)).constraint;
    out_.counts.unexplained += why == core::Constraint::none;
    if (r.promised_us < now_us_) ++out_.promises.made;  // overdue: broken
  }
}

}  // namespace ampacity::sim
