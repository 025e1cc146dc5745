// The engine behind make_slurm_engine: one loop that lists and compares, a few workers that ask
// slurmrestd about one rank each, a watcher that hears of markers.
// Threads: loop_ lists, compares, takes inventory; workers_ act; watcher_ reads markers as they are
// written. mutex_ guards everything below it; reports are made with no lock held.
// 1. A rank is `busy` while a task for it is queued or running; only one is at a time. 2. Strays
// are killed only after the first whole desire. 3. No list, no conclusions about who is missing; a
// marker is the rank's own word, with or without Slurm. 4. No instant of the cluster's is believed
// before its clock was compared with ours.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/threads.h"
#include "engines/peer_clock.h"
#include "engines/slurm.h"
#include "engines/slurm_codec.h"
#include "engines/slurm_host.h"
#include "engines/slurm_plan.h"
#include "engines/slurm_token.h"

namespace ampacity::engines {

inline constexpr base::Duration kInventoryEvery = base::Duration::seconds(15);

class SlurmEngine final : public Engine {
 public:
  SlurmEngine(SlurmOptions options, base::Clock& clock, SlurmHost host);
  ~SlurmEngine() override;

  base::Try<void> start(EngineReports reports) override;
  void desire_whole(std::vector<core::RankWork> ranks) override;
  void desire_also(std::vector<core::RankWork> ranks) override;
  void done_with(std::vector<Done> ranks) override;
  void hold_back(std::vector<std::string> machines) override;
  EngineHealth health() const override;
  base::Try<std::unique_ptr<ExecSession>> exec(const std::string& container_name,
                                               std::vector<std::string> argv, bool tty,
                                               ExecEvents events) override;
  base::Try<std::vector<VolumeSeen>> volumes(std::optional<std::uint32_t> project) override;
  base::Try<void> remove_volume(std::uint32_t project, const std::string& name) override;

 private:
  struct Rank {
    core::RankWork work;
    SlurmMemory memory;
    bool busy = false;
  };
  struct Task {
    std::string name;
    SlurmStep step = SlurmStep::none;
    std::uint32_t stray = 0;  // a job's number: nobody's here
  };
  using Seen = std::vector<core::RankSeen>;

  // slurm_pass.cc: the loop.
  void loop();
  void pass();
  bool meet();  // false: not reachable now
  bool list_due(base::Instant at) const;
  void list();
  void take_list(const std::vector<SlurmJob>& jobs, base::Instant began);
  void strays(const std::vector<SlurmJob>& jobs, base::Instant began);
  bool take_job(Rank& rank, const SlurmJob& job, base::Instant began);  // lock held
  bool missed(Rank& rank, base::Instant began);                         // lock held
  void let_go(Rank& rank);
  void read_markers();
  void compare();
  void apply(Rank& rank, const SlurmPlanned& planned, Seen& seen);
  void note_running(SlurmMemory& memory, base::Instant its);  // lock held
  void follow_output();
  void expire();
  void marker_written(std::vector<std::string> names);
  // With what a marker says: what to report now, if anything. Lock held.
  std::optional<core::RankSeen> note_marker(Rank& rank, const SlurmMarker& marker);
  base::Duration until_next() const;  // lock held
  void wake();
  void unreachable(const std::string& why);
  void set_health(EngineHealth health);

  // slurm_site_pass.cc: the cluster itself.
  base::Try<void> negotiate();
  base::Try<void> take_inventory();
  base::Try<void> compare_clocks();
  void keep_reservation(const SiteSeen& site);
  void keep_drains(const std::vector<SlurmNode>& nodes);
  std::string notes() const;

  // slurm_steps.cc: what workers do, and what they are asked to.
  void desire(std::vector<core::RankWork> ranks, bool whole);
  void work();
  void enqueue(Task task);  // lock held
  void run(const Task& task);
  void do_submit(const std::string& name, const core::RankWork& work);
  void do_look(const std::string& name, const core::RankWork& work);
  void do_absent(const std::string& name, const core::RankWork& work);
  void do_signal(const std::string& name, const core::RankWork& work, SlurmStep step);
  void do_renew(const std::string& name);
  void do_stray(const Task& task);
  base::Try<void> still_its(std::uint32_t id, const std::string& name);
  std::optional<std::string> cannot_run(const core::RankWork& work) const;   // lock held
  SlurmSubmission submission(const core::RankWork& work, bool again) const;  // lock held
  std::vector<GangPlace> gang_of(const core::RankWork& work) const;          // lock held
  void forget(std::string name);                                             // lock held
  // Ends the task: changes the memory, frees the rank, then reports.
  void finish(const std::string& name, const std::function<void(SlurmMemory&)>& change,
              std::optional<core::RankSeen> report = std::nullopt);
  void later(const std::string& name, const base::Fault& fault);

  SlurmRules rules() const;  // lock held
  base::Try<net::Response> call(net::Request request, base::Duration timeout,
                                std::size_t most_bytes = 8 << 20);
  // With the cluster's instants in ours.
  base::Try<std::vector<SlurmJob>> jobs_in(const net::Response& answer) const;
  std::optional<SlurmMarker> marker_of(const std::string& rank) const;
  SlurmCodec codec() const { return SlurmCodec(api_.load()); }
  base::Instant now() const { return clock_.now(); }
  void emit(Seen seen);

  SlurmOptions options_;
  base::Clock& clock_;
  const SlurmHost host_;
  SlurmToken token_;
  PeerClock cluster_clock_;
  EngineReports reports_;
  std::string comment_;      // of our jobs
  std::string held_reason_;  // of nodes that we drain
  std::atomic<int> api_ = 38;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> clock_known_ = false;  // in this life: only then are its instants believed
  std::vector<base::Thread> threads_;

  // The loop's own.
  base::Instant list_asked_at_, full_list_at_, list_not_before_;
  base::Instant inventory_at_, expired_at_;
  std::vector<SlurmJob> listed_;
  std::string site_told_;  // as text: to tell a change
  std::size_t marker_cursor_ = 0, output_cursor_ = 0;

  mutable base::Mutex mutex_;
  base::Condition changed_;     // for the loop
  base::Condition work_ready_;  // for workers
  std::map<std::string, Rank> ranks_;
  std::map<std::tuple<base::Id, std::uint32_t, std::uint32_t>, std::string> names_;  // of ranks_
  std::map<std::string, base::Instant> gone_;  // forgotten lately: a list may still show them
  std::set<std::uint32_t> strays_busy_;
  std::set<std::uint32_t> homes_;
  std::deque<Task> tasks_;
  std::map<std::string, std::string> node_kind_, node_address_;  // GRES type, address
  std::string partition_, reservation_, fallback_note_;
  std::vector<std::string> reserved_;          // the nodes in the reservation
  std::optional<std::set<std::string>> held_;  // nodes that an operator of ours holds back
  EngineHealth health_;
  base::Instant list_began_;  // of the latest whole list
  bool met_ = false, woken_ = false, whole_ = false, want_list_ = false;
  bool look_again_ = false;     // at the nodes, soon
  bool reserve_again_ = false;  // the reservation vanished: Slurm lost its state, or an operator
  bool may_renew_ = true;
};

}  // namespace ampacity::engines
