#include "sim/chaos_plan.h"

#include <algorithm>
#include <array>

namespace ampacity::sim {
namespace {

constexpr std::array<std::string_view, faults_in_all> words = {
    "kill",         "power",      "disk-crash",   "pause",       "disk-full", "disk-error",
    "clock",        "partition",  "reply-lost",   "lost",        "hidden",    "events",
    "stop-ignored", "idle-start", "engine-clock", "unavailable", "list-cut",  "dies",
    "reboot",       "stray",      "receivers",    "misbehave",   "site-lost", "flap",
    "controller",   "node-down",  "drained",      "others",      "requeued",  "folder",
    "min-job-age"};

// In a third of the seeds: a cluster in place of one of the sites, or beside none; drawn by itself,
// so that the plans of other seeds are as they were.
void draw_slurm(const ChaosOptions& options, ChaosPlan& p) {
  base::SeededPrng prng(options.seed * 0x9e3779b97f4a7c15ULL + 18);
  const auto below = [&](std::uint64_t n) { return prng.next() % n; };
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  };
  if (below(3) != 0) return;
  p.slurm = "iad";
  p.sites.resize(std::min<std::size_t>(p.sites.size(), 1));
  p.sites.push_back(p.slurm);
  const std::uint64_t odds = 1 + below(5);  // of 8
  for (int f = first_site_fault; f < faults_in_all; ++f)
    if (const bool drawn = below(8) < odds;
        drawn && !options.without.contains(static_cast<Fault>(f)))
      p.faults.insert(static_cast<Fault>(f));
  const auto rate = [&](Fault f, std::uint64_t most) {
    const auto drawn = static_cast<std::uint32_t>(1 + below(most));
    return p.has(f) ? drawn : 0;
  };
  SlurmFaults& c = p.cluster;
  c.unreachable = rate(Fault::partition, 100);
  c.unavailable = rate(Fault::unavailable, 200);
  c.refused = rate(Fault::unavailable, 200);
  c.reply_lost = rate(Fault::reply_lost, 200);
  c.half_heard = rate(Fault::reply_lost, 100);
  c.applied_late = rate(Fault::reply_lost, 100);
  c.list_cut = rate(Fault::list_cut, 200);
  c.says_ok_only = rate(Fault::idle_start, 200);
  c.dies = rate(Fault::dies, 400);
  c.killed = rate(Fault::dies, 200);
  c.term_ignored = rate(Fault::stop_ignored, 700);
  c.requeue_nodes = static_cast<std::uint32_t>(below(2) ? below(1'000) : 0);
  c.slowest = base::Duration::millis(between(1, 3'000));
  const std::int64_t wrong_ms = between(-90'000, 90'000);
  if (p.has(Fault::engine_clock)) c.clock_wrong = base::Duration::millis(wrong_ms);
  const std::int64_t age = between(0, 20);
  c.min_job_age = base::Duration::seconds(p.has(Fault::min_job_age) ? age : 300);
  c.kill_wait = base::Duration::seconds(between(2, 30));
  const std::int64_t lag = between(1, 60);
  if (p.has(Fault::folder) && below(2)) c.folder_lag = base::Duration::seconds(lag);
  p.slurm_folder = below(2) != 0;
}

}  // namespace

bool strikes(Fault fault) {
  switch (fault) {
    case Fault::reply_lost:
    case Fault::events:
    case Fault::stop_ignored:
    case Fault::idle_start:
    case Fault::engine_clock:
    case Fault::unavailable:
    case Fault::list_cut:
    case Fault::dies:
    case Fault::receivers:
    case Fault::misbehave:
    case Fault::min_job_age:
      return false;
    default:
      return true;
  }
}

std::string_view word(Fault fault) { return words[static_cast<std::size_t>(fault)]; }

ChaosPlan draw_plan(const ChaosOptions& options) {
  base::SeededPrng prng(options.seed * 0x9e3779b97f4a7c15ULL + 17);
  const auto below = [&](std::uint64_t n) { return prng.next() % n; };
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  };
  ChaosPlan p;
  const std::uint64_t odds = 1 + below(4);  // of 8: how many faults at all
  for (int f = 0; f < first_site_fault; ++f) {
    const bool drawn = below(8) < odds;
    if (drawn && !options.without.contains(static_cast<Fault>(f)))
      p.faults.insert(static_cast<Fault>(f));
  }
  const std::uint64_t nodes = 1 + below(3);
  p.emulated = {"h100:8x" + std::to_string(nodes)};
  if (below(3) == 0) p.emulated.push_back("a40:4x1");
  p.tenants = static_cast<int>(1 + below(3));
  p.safety = base::Duration::seconds(60 * between(8, 25));
  p.between_requests = base::Duration::seconds(between(5, 40));
  p.engine_period = base::Duration::seconds(between(2, 12));
  p.between_faults = base::Duration::seconds(between(30, 240));
  const std::int64_t quanta[] = {60, 120, 600, 3'600};
  p.quantum_s = quanta[below(4)];
  p.credit_usd = below(2) == 0 ? between(1, 12) : 100'000;
  p.snapshot_after = 20 + below(400);
  p.give_way_odds = below(2) == 0 ? 0 : static_cast<std::uint32_t>(1 + below(64));
  p.shortest_run = base::Duration::seconds(between(1, 20));
  p.longest_run = p.shortest_run + base::Duration::seconds(between(10, 600));
  const auto rate = [&](Fault f, std::uint64_t most) {
    const auto drawn = static_cast<std::uint32_t>(1 + below(most));
    return p.has(f) ? drawn : 0;
  };
  p.engine.unreachable = rate(Fault::partition, 100);
  p.engine.unavailable = rate(Fault::unavailable, 200);
  p.engine.reply_lost = rate(Fault::reply_lost, 200);
  p.engine.list_cut = rate(Fault::list_cut, 200);
  p.engine.event_lost = rate(Fault::events, 1'000);
  p.engine.event_twice = rate(Fault::events, 500);
  p.engine.start_idle = rate(Fault::idle_start, 200);
  p.engine.start_refused = rate(Fault::unavailable, 100);
  p.engine.term_ignored = rate(Fault::stop_ignored, 700);
  p.engine.dies = rate(Fault::dies, 400);
  p.engine.pull_fails = rate(Fault::unavailable, 300);
  p.engine.half_made = rate(Fault::partition, 60);
  p.engine.half_started = rate(Fault::partition, 60);
  p.docker = below(3) == 0;
  if (p.docker) p.engine.half_made = p.engine.half_started = 0;
  p.receivers.unreachable = rate(Fault::receivers, 400);
  p.receivers.failing = rate(Fault::receivers, 400);
  p.receivers.reply_lost = rate(Fault::receivers, 300);
  p.receivers.gone = rate(Fault::receivers, 8);
  p.receivers.slowest = base::Duration::millis(between(1, 8'000));
  if (below(4) == 0) p.webhook_attempts = 3;
  p.engine.slowest = base::Duration::millis(between(1, 3'000));
  const std::int64_t wrong_ms = between(-90'000, 90'000);
  if (p.has(Fault::engine_clock)) p.engine.clock_wrong = base::Duration::millis(wrong_ms);
  if (below(3) == 0) {  // drawn last: plans without sites are as they were
    p.sites = {"east", "west"};
    p.sites.resize(1 + below(2));
    for (const Fault f : {Fault::site_lost, Fault::flap})
      if (const bool drawn = below(8) < 5; drawn && !options.without.contains(f))
        p.faults.insert(f);
  }
  p.engine.pruned = rate(Fault::lost, 100);
  draw_slurm(options, p);
  if (options.minutes > 0) p.safety = base::Duration::seconds(60 * options.minutes);
  return p;
}

}  // namespace ampacity::sim
