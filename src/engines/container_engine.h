// The engine behind make_container_engine: one loop that compares, a few workers that act.
// Threads: loop_ compares; workers_ act on one rank each; pullers_ fetch images; events_ turns the
// engine's events into looks; meter_ measures volumes. mutex_ guards everything below it; reports
// are made with no lock held.
// 1. A rank is `busy` while a task for it is queued or running; only one is at a time.
// 2. Strays are removed only after the first whole desire. 3. No list, no conclusions.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/threads.h"
#include "engines/container_host.h"
#include "engines/containers.h"
#include "engines/dialect.h"
#include "engines/peer_clock.h"
#include "engines/reconcile_plan.h"
#include "net/http_client.h"

namespace ampacity::engines {

class ContainerEngine final : public Engine {
 public:
  ContainerEngine(ContainerOptions options, base::Clock& clock,
                  std::unique_ptr<ContainerHost> host);
  ~ContainerEngine() override;

  base::Try<void> start(EngineReports reports) override;
  void desire_whole(std::vector<core::RankWork> ranks) override;
  void desire_also(std::vector<core::RankWork> ranks) override;
  void done_with(std::vector<Done> ranks) override;
  EngineHealth health() const override;
  base::Try<std::unique_ptr<ExecSession>> exec(const std::string& container_name,
                                               std::vector<std::string> argv, bool tty,
                                               ExecEvents events) override;
  base::Try<std::vector<VolumeSeen>> volumes(std::optional<std::uint32_t> project) override;
  base::Try<void> remove_volume(std::uint32_t project, const std::string& name) override;

 private:
  struct Rank {
    core::RankWork work;
    RankMemory memory;
    bool busy = false;
    bool look_again = false;  // an event came while it was busy
  };
  struct Task {
    std::string name;
    Step step = Step::none;
    std::string why;
    bool stray = false;  // not among ranks_
  };
  using Seen = std::vector<core::RankSeen>;

  // container_pass.cc: the loop.
  void loop();
  void pass();
  bool keep_service();  // false: not reachable now
  std::optional<std::vector<ListedContainer>> list_all();
  void apply_plans(const std::vector<ListedContainer>& listed, base::Instant list_began,
                   base::Instant began_by_clock, std::vector<std::string> forgotten);
  void count_strays(const std::vector<ListedContainer>& listed, std::vector<std::string> forgotten,
                    base::Instant began_by_clock);
  std::vector<std::string> end_forgotten(const std::vector<ListedContainer>& listed);
  void apply_plan(Rank& rank, const Planned& planned, Seen& seen);
  void repeat_ends();
  base::Duration until_next() const;  // lock held
  void wake();
  void watch_events();
  void on_event_line(std::string_view line);
  void probe_host();
  base::Try<net::Response> ask_version();
  base::Try<void> ask_daemon();
  void set_health(EngineHealth health);
  void unreachable(const std::string& why);

  // container_steps.cc: what workers do.
  void work(std::deque<Task>& queue);
  void enqueue(Task task, bool pull = false);           // lock held
  void follow_up(const std::string& name, Rank& rank);  // lock held
  void run_task(const Task& task);
  void do_create(const std::string& name, const core::RankWork& work, bool pulled);
  void do_start(const std::string& name, const core::RankWork& work);
  void do_look(const std::string& name, const core::RankWork& work);
  void do_signal(const std::string& name, const core::RankWork& work, Step step);
  void do_unstarted(const std::string& name, const core::RankWork& work, const std::string& why);
  void do_remove(const Task& task);
  void remove_later(const Task& task, const base::Try<bool>& killed);
  base::Try<bool> kill(const std::string& name);  // false: nothing of it runs
  bool known_ended(const std::string& name) const;
  void do_pull(const std::string& name, const core::RankWork& work);
  void do_take_over(const std::string& name, const core::RankWork& work);
  void report_inspected(const std::string& name, const core::RankWork& work,
                        const InspectedContainer& found);
  // Ends the task: changes the memory, frees the rank, follows up, then reports.
  void finish(const std::string& name, const std::function<void(RankMemory&)>& change,
              std::optional<core::RankSeen> report = std::nullopt);
  void later(const std::string& name, const base::Fault& fault);
  void fail(const std::string& name, const core::RankWork& work, std::string why);
  bool still_wanted(const std::string& name) const;
  bool may_be_going(const std::string& name);  // then its rank is free again

  // container_things.cc: images, networks, volumes.
  base::Try<void> ensure_volumes(const core::RankWork& work);
  enum class Held { no, by_ended, by_live };
  Held held(const std::string& volume) const;  // lock held
  base::Try<void> ensure_network(const core::RankWork& work, std::string& subnet);
  void drop_network_if_unused(const std::string& network);
  void sweep_networks();
  base::Try<void> obtain_image(const std::string& image);
  void meter();
  void meter_once();

  // container_logs.cc: brings spools up to date where the engine does not write them itself
  // (docker). It only appends, so offsets stay. A fault: not all of it may be there, ask again.
  base::Try<void> copy_log(const std::string& name);
  base::Try<void> copy_log(const std::string& name, bool by_stamps);
  bool log_given_up(const std::string& name, const base::Fault& fault);  // of one that has ended
  void copy_logs();

  CreateContext context_for(const core::RankWork& work) const;
  base::Try<net::Response> call(const net::Request& request, std::int64_t timeout_s);
  base::Try<net::Response> call(const net::Request& request, const net::CallOptions& options);
  base::Instant now() const { return clock_.now(); }              // what is told
  static base::Instant passed() { return {base::elapsed().us}; }  // what is waited for
  core::RankSeen end_of(const core::RankWork& work, const RankMemory& memory,
                        const InspectedContainer& found, base::Instant observed) const;
  base::Duration ran_for(const RankMemory& memory, const InspectedContainer& found,
                         base::Instant started, base::Instant observed) const;
  void emit(Seen seen);

  ContainerOptions options_;
  base::Clock& clock_;
  std::unique_ptr<Dialect> dialect_;
  std::unique_ptr<ContainerHost> host_;
  std::unique_ptr<net::Transport> client_;
  PeerClock its_clock_;
  EngineReports reports_;
  HostAllows allows_;
  std::string cgroup_;           // group for ordinary ranks
  std::string cgroup_emulated_;  // empty: could not be bounded
  std::string host_note_;

  std::atomic<bool> stopping_ = false;
  std::vector<base::Thread> threads_;
  base::Instant service_retry_at_;  // the loop's own
  int service_failures_ = 0;
  base::Instant next_forgotten_;     // … when it looks for those that podman has forgotten
  std::set<std::string> forgotten_;  // … ids that it found the last time

  mutable base::Mutex mutex_;
  base::Condition changed_;     // for the loop
  base::Condition work_ready_;  // for workers and pullers
  base::Condition stopped_;     // for those who wait for an interval
  base::Condition removed_;     // for those who wait for a container to be gone
  std::map<std::string, Rank> ranks_;
  std::set<std::string> strays_busy_;
  std::set<std::string> gone_since_list_;  // a list begun before may still show them: no strays
  std::deque<Task> tasks_;
  std::deque<Task> pulls_;
  std::set<std::string> images_in_hand_;
  EngineHealth health_;
  bool woken_ = false;
  bool whole_ = false;  // the first whole desire has come
  bool sweep_networks_ = false;

  base::Mutex logs_mutex_;    // held over a spool's copying
  base::Mutex things_mutex_;  // volumes and networks known to exist; held over their making
  std::set<std::string> known_volumes_;
  std::map<std::string, std::string> known_networks_;  // name -> subnet
};

core::RankSeen seen_of(const core::RankWork& work, core::RankSeen::State state,
                       std::string why = {});

}  // namespace ampacity::engines
