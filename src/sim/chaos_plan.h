// What one seed does: a small cloud, its tenants, and which faults befall it how often. Each seed
// draws a subset of the faults (swarm testing): a constant full mix hides bugs.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/disk.h"
#include "sim/fake_containers.h"
#include "sim/fake_slurm.h"
#include "sim/receivers.h"

namespace ampacity::sim {

// By the names of reference/reliability.md §2.
enum class Fault {
  kill,          // F1: SIGKILL
  power,         // F1, F8: power lost: unsynced sectors too, and the host starts anew
  disk_crash,    // F1: at a drawn write, sync, rename
  pause,         // F2: SIGSTOP, up to ten minutes
  disk_full,     // F6
  disk_error,    // F7: EIO, fsync
  clock,         // F13: steps of the wall clock
  partition,     // F17
  reply_lost,    // F18
  lost,          // F24: containers vanish, dead
  hidden,        // F25: containers vanish and come back alive
  events,        // F26: lost and doubled
  stop_ignored,  // F28
  idle_start,    // F29: says OK and does nothing
  engine_clock,  // F30
  unavailable,   // F31
  list_cut,      // F32
  dies,          // processes end on their own
  reboot,        // F15 of the host
  stray,         // somebody else's container with our label
  receivers,     // of webhooks: unreachable, failing, gone
  misbehave,     // BUGGIFY
  site_lost,     // F35, F25: a site is cut off for longer than its lease; what runs there runs on
  flap,          // F33: a site comes and goes, each time for less than it takes to be unknown
  // Of a Slurm site.
  controller,   // F23, F24: slurmctld restarts, with all its state or some of it
  node_down,    // F34, F35: a node loses power
  drained,      // … is drained
  others,       // its administrator lets others onto our nodes, or takes our reservation away
  requeued,     // … has a job run again
  folder,       // the shared folder is full (F6), or what is written there is seen late
  min_job_age,  // it forgets ended jobs at once
};
inline constexpr int faults_in_all = 31;
inline constexpr int first_site_fault = static_cast<int>(Fault::site_lost);
inline constexpr int first_slurm_fault = static_cast<int>(Fault::controller);
std::string_view word(Fault fault);
bool strikes(Fault fault);  // at an instant; the others are rates

struct ChaosOptions {
  std::uint64_t seed = 1;
  std::set<Fault> without;        // shrinking: not these
  std::int64_t minutes = 0;       // of the safety phase; 0: drawn
  std::set<std::string> planted;  // bugs to switch on, sim/planted.h
  bool trace = false;             // to stderr
};

struct ChaosPlan {
  std::set<Fault> faults;
  std::vector<std::string> emulated;
  std::vector<std::string> sites;  // beside the machine's own, each with an engine of its own
  int tenants = 1;
  base::Duration safety;            // how long things go wrong
  base::Duration between_requests;  // of a tenant, on average
  base::Duration engine_period;
  base::Duration between_faults;  // of those that happen at an instant
  std::int64_t quantum_s = 600;
  std::int64_t credit_usd = 1'000;
  std::uint64_t snapshot_after = 200;
  std::uint32_t give_way_odds = 0;
  bool docker = false;       // the engine speaks docker's API, not podman's
  std::string slurm;         // which of the sites is a Slurm cluster; empty: none
  bool slurm_folder = true;  // it shares a folder with us
  SlurmFaults cluster;
  ContainerFaults engine;
  ReceiverFaults receivers;
  std::int64_t webhook_attempts = 20;
  base::Duration shortest_run, longest_run;

  bool has(Fault f) const { return faults.contains(f); }
};

ChaosPlan draw_plan(const ChaosOptions& options);

}  // namespace ampacity::sim
