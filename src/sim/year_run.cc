#include "sim/year_run.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "core/estimate.h"

namespace ampacity::sim {
namespace {

constexpr std::int64_t second_us = 1'000'000, minute_us = 60 * second_us;
constexpr std::int64_t estimates_every_us = 12 * hour_us;
constexpr std::int64_t grace_s = 360;
constexpr std::int64_t most_late_start_us = 20 * minute_us;
constexpr std::uint32_t most_tries = 12;
constexpr std::uint32_t retries = 60;
constexpr std::size_t most_runs = 1 << 20;
// Of leases, in permille, each: started late, ended late, said twice, start never reported.
constexpr std::int64_t report_fault_permille = 50;

}  // namespace

YearRun::YearRun(const YearPlan& plan)
    : plan_(plan),
      fleet_(plan.gpus),
      load_(fleet_, plan.seed, plan.load_permille),
      faults_(plan.seed * 4 + 3),
      people_(plan.seed * 4 + 4),
      reports_(plan.seed * 4 + (1ULL << 40)) {
  found_year(world_, fleet_);
  out_.plan = plan;
  out_.nodes = fleet_.nodes;
  out_.sites = fleet_.sites;
  out_.projects = fleet_.projects;
  nodes_.resize(fleet_.nodes);
  topping_up_.resize(fleet_.projects);
  books_.billed.resize(fleet_.projects);
  for (std::uint32_t p = 0; p < fleet_.projects; ++p) {
    const core::Account& wallet = world_.state().accounts[world_.state().projects[p].wallet];
    books_.put_in.push_back(wallet.credits_posted);
    out_.prepaid += fleet_.prepaid(p);
    if (fleet_.prepaid(p)) top_up(p);
  }
  for (std::uint32_t n = 0; n < fleet_.nodes; ++n)
    if (n % 37 == 5) {  // 2.7 % of nodes fail six times as often
      nodes_[n].lemon = true;
      lemons_.push_back(n);
    }
  for (std::uint32_t n = 0; n < fleet_.nodes; ++n) to_drain_.push_back(n);
  end_us_ = plan.days * day_us;
  next_arrival_us_ = load_.next_arrival(0);
  next_fault();
  push(7 * day_us, Kind::prices, 0);
  push(day_us / 2, Kind::drain, 0);
  push(30 * day_us, Kind::check, 0);
}

YearResult YearRun::run() {
  const auto began = std::chrono::steady_clock::now();
  while (turn()) {
    out_.most_running = std::max<std::uint64_t>(out_.most_running, world_.leased.size());
    out_.most_waiting = std::max<std::uint64_t>(out_.most_waiting, world_.queue.size());
    if ((++turns_ & 0x3ffff) == 0 && plan_.progress)
      fmt::print(stderr, "\r\033[Kday {:.1f}: {} jobs, {} running, {} waiting",
                 static_cast<double>(now_us_) / static_cast<double>(day_us), out_.counts.jobs,
                 world_.leased.size(), world_.queue.size());
  }
  if (plan_.progress) fmt::print(stderr, "\r\033[K");
  finish();
  out_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  out_.peak_kib = used.ru_maxrss;
  out_.cpu_seconds = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  return std::move(out_);
}

// ---- the loop -----------------------------------------------------------------------------------

// One event, arrival or tick; false: the year is over.
bool YearRun::turn() {
  const bool arriving = next_arrival_us_ < end_us_;
  std::int64_t next_us = arriving ? next_arrival_us_ : INT64_MAX;
  const bool event = !events_.empty() && events_.top().at_us <= next_us;
  if (event) next_us = events_.top().at_us;
  if (std::int64_t tick_us = 0; tick_due(next_us, tick_us)) {
    if (tick_us > (plan_.drain ? end_us_ + 60 * day_us : end_us_)) return false;
    now_us_ = std::max(now_us_, tick_us);
    tick();
    return true;
  }
  const bool over =
      plan_.drain ? !arriving && runs_.size() == free_slots_.size() : next_us > end_us_;
  // With nothing but what waits left, the core has a month to start it.
  if (over || next_us == INT64_MAX || next_us > end_us_ + 60 * day_us) return false;
  now_us_ = next_us;
  if (event) {
    const Event e = events_.top();
    events_.pop();
    happen(e);
  } else {
    arrive();
  }
  return true;
}

// The core is asked at whole `tick_every`, when something is due or somebody waits.
bool YearRun::tick_due(std::int64_t next_us, std::int64_t& at_us) const {
  const std::int64_t period = plan_.tick_every.us;
  std::int64_t due = wake_us_;
  if (!world_.deadlines.empty())
    due = std::min(due, world_.deadlines.begin()->first.us - year_begin.us);
  if (!world_.queue.empty()) due = std::min(due, last_tick_us_ + period);
  if (due == INT64_MAX) return false;
  at_us = std::max((due + period - 1) / period, last_tick_us_ / period + 1) * period;
  return at_us < next_us;
}

void YearRun::tick() {
  last_tick_us_ = now_us_;
  ++out_.counts.ticks;
  step(core::Tick{});
  wake_us_ = INT64_MAX;
  const auto consider = [&](base::Instant t) {
    if (t > at(now_us_) && t != core::forever) wake_us_ = std::min(wake_us_, t.us - year_begin.us);
  };
  for (const core::Window& w : world_.state().windows)
    if (!w.id.is_nil()) consider(w.until);
}

bool YearRun::step(const core::Command& command) {
  const auto done = core::step(world_, command, at(now_us_), actor_, facts_);
  ++out_.counts.steps;
  if (!done) {
    refusal_ = done.error();
    facts_.clear();
    return false;
  }
  out_.counts.facts += facts_.size();
  for (const core::Fact& fact : facts_) watch(fact);
  facts_.clear();
  while (!left_.empty()) {
    const std::uint32_t node = left_.back();
    left_.pop_back();
    left(node);
  }
  return true;
}

void YearRun::happen(const Event& e) {
  switch (e.kind) {
    case Kind::cordon:
      return cordon(e.what);
    case Kind::node_back:
      return node_back(e.what);
    case Kind::top_up:
      return top_up(e.what);
    case Kind::fault:
      return fault();
    case Kind::drain:
      return drain();
    case Kind::prices:
      return change_prices();
    case Kind::check:
      check_books();
      return push(now_us_ + 30 * day_us, Kind::check, 0);
    default:
      return happen_to_run(e);
  }
}

void YearRun::happen_to_run(const Event& e) {
  const Run& r = runs_[e.what];
  if (e.kind == Kind::resubmit) return submit(e.what);
  if (r.state != Run::State::leased || r.lease != e.lease) return;
  const bool dead = r.failed_us >= 0;
  switch (e.kind) {
    case Kind::loss:
      return loss(e.what);
    case Kind::start:
      if (!dead && !r.stopping) start(e.what);
      return;
    case Kind::start_seen:
      if (!dead && !r.stopping && r.ended_us < 0) report_start(e.what);
      return;
    case Kind::end:
      if (r.ended_us >= 0)
        report_end(e.what, r.ended_us, r.job.fails ? 1 : 0);
      else if (!dead && !r.stopping)
        natural_end(e.what);
      return;
    case Kind::stop:
      return report_end(e.what, now_us_, 143);
    case Kind::cancel:
      if (!dead && !r.stopping && r.ended_us < 0) cancel(e.what);
      return;
    case Kind::checkpoint:
      if (dead || r.stopping || r.ended_us >= 0) return;
      step(core::NoteCheckpoint{r.id});
      return push(now_us_ + r.job.checkpoint_us, Kind::checkpoint, e.what, e.lease);
    default:
      return;
  }
}

// ---- jobs ---------------------------------------------------------------------------------------

std::uint32_t YearRun::new_slot() {
  if (free_slots_.empty()) {
    CHECK_THAT(runs_.size() < most_runs, "too many live jobs for the simulated year");
    runs_.emplace_back();
    return static_cast<std::uint32_t>(runs_.size() - 1);
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void YearRun::free_slot(std::uint32_t slot) {
  LeaseBill bill = std::move(runs_[slot].bill);  // with its memory
  runs_[slot] = Run{};
  runs_[slot].bill = std::move(bill);
  free_slots_.push_back(slot);
}

void YearRun::arrive() {
  const std::uint32_t slot = new_slot();
  Run& r = runs_[slot];
  r.job = load_.draw();
  next_arrival_us_ = load_.next_arrival(now_us_);
  ++out_.counts.jobs;
  submit(slot);
}

void YearRun::fill(core::SubmitJob& c, const Run& r) const {
  core::Job& j = c.job;
  j.id = r.id;
  j.name.clear();
  fmt::format_to(std::back_inserter(j.name), "w{}{}-{}", r.job.sku, r.job.kind, serial_);
  j.project = r.job.project;
  j.user = 0;
  j.job_class = r.job.job_class;
  j.time_limit_s = r.job.time_limit_s;
  j.grace_s = grace_s;
  j.retries_left = r.job.fails ? 0 : retries;
  j.saves_on_stop = r.job.saves_on_stop;
  core::GpuRequest& g = *c.gpus;
  g.skus.resize(r.job.or_newer ? 2 : 1);
  g.skus[0] = year_skus[r.job.sku];
  if (r.job.or_newer) g.skus[1] = year_skus[r.job.sku - 1];
  g.gpus_per_node = r.job.gpus_per_node;
  g.nodes = r.job.nodes;
  const bool inside = r.job.reservation >= 0;
  c.reservation = {};
  if (inside) c.reservation = {year_ids + 2, static_cast<std::uint64_t>(r.job.reservation) + 1};
  c.together = r.job.nodes > 1 && !inside ? core::Together::leaf : core::Together::any;
}

void YearRun::submit(std::uint32_t slot) {
  Run& r = runs_[slot];
  r.id = {year_ids + 1, ++serial_ << 20 | slot};
  r.submitted_us = now_us_;
  r.state = Run::State::waiting;
  auto& c = std::get<core::SubmitJob>(submit_);
  if (!c.gpus) c.gpus.emplace();
  c.job.spec.image = "simulated";
  fill(c, r);
  if (!step(submit_)) return refused(slot, refusal_);
  if (runs_[slot].state == Run::State::waiting) estimate(slot);
}

void YearRun::refused(std::uint32_t slot, const base::Refusal& refusal) {
  Run& r = runs_[slot];
  r.state = Run::State::refused;
  if (refusal.code == base::Code::insufficient_credit)
    ++out_.counts.refused_credit;
  else if (refusal.code == base::Code::over_quota)
    ++out_.counts.refused_quota;
  else
    ++out_.counts.refused_other;
  if (refusal.code == base::Code::insufficient_credit && fleet_.prepaid(r.job.project) &&
      !topping_up_[r.job.project]) {
    topping_up_[r.job.project] = true;
    push(now_us_ + people_.between(10, 600) * minute_us, Kind::top_up, r.job.project);
  }
  if (++r.tries >= most_tries || refusal.code == base::Code::never_fits) {
    ++out_.counts.given_up;
    return free_slot(slot);
  }
  push(now_us_ + people_.between(30, 240) * minute_us, Kind::resubmit, slot);
}

void YearRun::estimate(std::uint32_t slot) {
  Run& r = runs_[slot];
  if (now_us_ < next_estimate_us_) return;
  next_estimate_us_ = now_us_ + estimates_every_us;
  const auto start = core::estimate_start(world_, *world_.job(r.id), at(now_us_));
  if (!start) return;
  r.expected_us = start->expected.us - year_begin.us;
  r.likely_us = start->likely_by.us - year_begin.us;
}

void YearRun::observe(const Run& r, std::uint32_t rank, core::RankSeen::State state,
                      std::int64_t ended_us, std::int32_t exit_code) {
  core::RankSeen seen;
  seen.job = r.id;
  seen.generation = r.generation;
  seen.rank = rank;
  seen.state = state;
  if (r.started_us >= 0) seen.started_at = at(r.started_us);
  if (state == core::RankSeen::State::ended) seen.ended_at = at(ended_us);
  seen.exit_code = exit_code;
  step(core::Observe{std::move(seen), at(ended_us)});
}

// The work begins; its report may be late, or never come.
void YearRun::start(std::uint32_t slot) {
  Run& r = runs_[slot];
  r.started_us = now_us_;
  const std::int64_t work = r.job.run_us - r.kept_us;
  const std::int64_t every = r.job.checkpoint_us;
  const std::int64_t stalls = every ? (work - 1) / every * checkpoint_stall_us : 0;
  const std::int64_t took =
      std::max<std::int64_t>(1, work + stalls + (r.restarts ? restore_us : 0));
  push(now_us_ + took, Kind::end, slot, r.lease);
  if (r.job.cancel_us) push(now_us_ + r.job.cancel_us, Kind::cancel, slot, r.lease);
  if (every && r.job.job_class == core::JobClass::spot && r.job.nodes > 1)
    push(now_us_ + every, Kind::checkpoint, slot, r.lease);
  if (!reports_.chance(2 * report_fault_permille)) return report_start(slot);
  r.faulted = true;
  if (took < most_late_start_us && reports_.chance(500)) {
    ++out_.counts.lost_reports;
    return;
  }
  ++out_.counts.late_starts;
  push(now_us_ + reports_.between(1, 300) * second_us, Kind::start_seen, slot, r.lease);
}

void YearRun::report_start(std::uint32_t slot) {
  const std::uint32_t number = runs_[slot].lease;
  runs_[slot].seen = true;
  for (std::uint32_t rank = 0; rank < runs_[slot].job.nodes; ++rank) {
    const Run& r = runs_[slot];
    if (r.state != Run::State::leased || r.lease != number) return;
    observe(r, rank, core::RankSeen::State::running, 0, 0);
  }
}

// The work is done; its report may be late, or come twice.
void YearRun::natural_end(std::uint32_t slot) {
  Run& r = runs_[slot];
  r.ended_us = now_us_;
  const std::int64_t fault = reports_.below(1000);
  if (fault < report_fault_permille) {
    r.faulted = true;
    ++out_.counts.late_ends;
    const bool long_away = reports_.chance(20);
    const std::int64_t late_s = long_away ? reports_.between(300, 3'600) : reports_.between(1, 120);
    return push(now_us_ + late_s * second_us, Kind::end, slot, r.lease);
  }
  const std::int32_t exit_code = r.job.fails ? 1 : 0;
  if (fault >= 2 * report_fault_permille) return report_end(slot, now_us_, exit_code);
  r.faulted = true;
  ++out_.counts.doubled_reports;
  const Run copy = r;
  report_end(slot, now_us_, exit_code);
  observe(copy, 0, core::RankSeen::State::running, now_us_, 0);
  observe(copy, 0, core::RankSeen::State::ended, now_us_ + second_us, exit_code);
}

// Of all its ranks that have not ended yet.
void YearRun::report_end(std::uint32_t slot, std::int64_t ended_us, std::int32_t exit_code) {
  const std::uint32_t number = runs_[slot].lease;
  for (std::uint32_t rank = 0; rank < runs_[slot].job.nodes; ++rank) {
    const Run& r = runs_[slot];
    if (r.state != Run::State::leased || r.lease != number) return;
    if (lease(r).ranks[rank].state == core::RankState::ended) continue;
    observe(r, rank, core::RankSeen::State::ended, ended_us, exit_code);
  }
}

void YearRun::cancel(std::uint32_t slot) {
  step(core::StopJob{runs_[slot].id, core::StopReason::asked, "its owner stops it"});
}

// ---- money --------------------------------------------------------------------------------------

void YearRun::top_up(std::uint32_t project) {
  topping_up_[project] = false;
  // Ten days of what it usually spends, host included; at least 1,000 USD.
  const std::int64_t cents =
      std::max<std::int64_t>(100'000, load_.spend_of_day(project) * 12 / base::ticks_per_cent);
  if (!step(core::AddCredit{year_project(project), cents, "simulated"})) return;
  books_.put_in[project] += cents * base::ticks_per_cent;
  out_.money.topped_up += cents * base::ticks_per_cent;
  ++out_.counts.top_ups;
}

// Spot floats each week between 35 and 60 % of the list; the newest cards become cheaper by the
// quarter.
void YearRun::change_prices() {
  if (++price_changes_ % 13 == 0) prices_.list[0] = prices_.list[0] * 95 / 100;
  for (std::size_t k = 0; k < prices_.list.size(); ++k)
    prices_.spot[k] = prices_.list[k] * people_.between(350, 600) / 1000;
  core::PriceBook book = year_book(prices_);
  book.effective_from = at(now_us_);
  CHECK_THAT(step(core::SetPrices{std::move(book), {}}), refusal_.message);
  std::vector<std::uint32_t> running;  // who is told to stop already keeps the price it has
  for (std::uint32_t slot = 0; slot < runs_.size(); ++slot)
    if (const Run& r = runs_[slot];
        r.state == Run::State::leased && !r.stopping && r.job.job_class == core::JobClass::spot)
      running.push_back(slot);
  tick();  // they change here; those who cannot pay are told, and others may be preempted after
  for (const std::uint32_t slot : running) {
    Run& r = runs_[slot];
    if (r.stop_reason == core::StopReason::credit) continue;
    const core::Lease& l = lease(r);
    // Known to run, or not: what is not reported has not begun for the bill.
    const std::int64_t ran = l.started_at.us ? at(now_us_).us - l.started_at.us : 0;
    r.bill.change(
        (ran + second_us - 1) / second_us,
        second_of(prices_, fleet_.sku_of_node[l.places[0].node], r.job.job_class, r.job.gpus()));
  }
  ++out_.counts.price_changes;
  push(now_us_ + 7 * day_us, Kind::prices, 0);
  tick();
}

YearResult simulate_year(const YearPlan& plan) { return YearRun(plan).run(); }

}  // namespace ampacity::sim
