// A Slurm cluster that is not there: a controller with what it keeps and forgets, nodes that run
// ranks in virtual time, the folder they share with us, faults. It answers as slurmrestd 22.05.8
// does (slurm_api.h); what it does was learnt from a real one (docs/slurm.md).
//
//   submit ─▶ PENDING ─turn─▶ RUNNING ─▶ the script: gate ─▶ runs, writes ─▶ its marker's end
//                ▲                 │ requeue                     │ killed: no end
//                └─────────────────┘                             ▼
//             COMPLETING ─▶ COMPLETED · FAILED · CANCELLED · TIMEOUT · NODE_FAIL ─MinJobAge─▶ gone
//
// Threads: fibres. 1. A process is its node's, whatever the controller knows of its job. 2. Slurm's
// times are whole seconds of its own clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "engines/slurm_host.h"
#include "sim/fibres.h"
#include "sim/played.h"

namespace ampacity::sim {

// Of 1,000 where not said otherwise; drawn by the seed, zero outside the safety phase.
struct SlurmFaults {
  std::uint32_t unreachable = 0;    // no connection
  std::uint32_t unavailable = 0;    // slurmrestd is busy: 503
  std::uint32_t reply_lost = 0;     // done, and the answer never came
  std::uint32_t half_heard = 0;     // … from the controller: slurmrestd says 1802
  std::uint32_t applied_late = 0;   // a submission is done after whoever asked gave up
  std::uint32_t list_cut = 0;       // the body ends in the middle
  std::uint32_t says_ok_only = 0;   // signals and limits: OK, and nothing happens
  std::uint32_t refused = 0;        // submissions, for no lasting reason
  std::uint32_t dies = 0;           // of the ranks: on their own, early
  std::uint32_t killed = 0;         // … without a word: no end in the marker
  std::uint32_t term_ignored = 0;   // of the ranks
  std::uint32_t requeue_nodes = 0;  // jobs of a dead node: run again rather than NODE_FAIL
  base::Duration slowest{20'000};   // an answer takes up to this, most of them far less
  base::Duration clock_wrong;       // the cluster's clock, against the world's
  base::Duration min_job_age{base::Duration::seconds(300)};
  base::Duration kill_wait{base::Duration::seconds(30)};
  base::Duration folder_lag;  // before a marker is seen here; at most the news delay
};

struct SlurmOne {  // a job, as the controller knows it
  std::uint32_t id = 0, restarts = 0;
  std::string name, comment, node, reservation, word = "PENDING", reason = "None";
  int gpus = 0, raw_exit = 0;
  std::int64_t limit_min = 0;
  bool singleton = false, exclusive = false, completing = false;
  // What its script sees to: that no marker is there, that it is not run again.
  bool has_gate = false, once = false;
  bool endless = false;                            // it does not end by itself
  base::Instant started_at, ended_at, not_before;  // true ones; zero: not
  std::uint64_t turn = 0;                          // which of its runs: there may be several
  bool over() const { return ended_at.us != 0; }
  bool holds_node() const { return word == "RUNNING" || completing; }
};

class FakeSlurm final : public Played {
 public:
  struct Node {
    std::string name;
    bool dead = false;  // without power; the controller knows a while later: down
    bool down = false, drained = false, reserved_by_others = false;
    int others_gpus = 0;
    std::string reason;  // why it is drained
  };
  static constexpr int gpus_a_node = 8;

  FakeSlurm(Fibres& fibres, base::Prng& prng, std::string cloud);

  SlurmFaults faults;
  bool shared = true;  // there is a folder
  base::Duration lease{base::Duration::seconds(120)};
  base::Duration shortest_run{base::Duration::seconds(5)},
      longest_run{base::Duration::seconds(300)};

  // ---- Played
  std::unique_ptr<engines::Engine> engine(base::Duration period, base::Clock& clock,
                                          std::function<bool()> may_act) override;
  std::string_view kind() const override { return "slurm"; }
  void lose_all() override;
  void lose_one() override;
  void hide_one(base::Duration how_long) override;
  void stray() override;
  void unreachable_until(base::Instant t) override { unreachable_until_ = t; }
  void heal() override;
  const TrueRuns& runs() const override { return runs_; }
  bool copies_logs() const override { return shared; }
  const std::string& spool(const std::string& rank) const override;
  std::set<std::string> names() const override;
  std::uint64_t requests() const override { return requests_; }

  // ---- what befalls it beside
  void restart_controller(base::Duration away, bool with_old_state);
  void node_down(base::Duration how_long);
  void drain(base::Duration how_long);
  void others_come(base::Duration how_long);  // a reservation, or jobs, of theirs
  void requeue_one();                         // an operator does
  void folder_full_until(base::Instant t) { folder_full_until_ = t; }

  // ---- for who speaks (slurm_api.cc)
  const std::map<std::uint32_t, SlurmOne>& jobs() const { return jobs_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  SlurmOne* find(std::uint32_t id);
  std::uint32_t submit(SlurmOne draft, int& error);  // its number
  int signal(SlurmOne& job, bool kill);              // 0, or the error's number
  void set_limit(SlurmOne& job, std::int64_t minutes);
  bool drawn(std::uint32_t of_1000);
  std::int64_t its_second(base::Instant t) const { return (t + faults.clock_wrong).us / 1'000'000; }
  std::int64_t its_second_now() const { return its_second(fibres_.now()); }
  bool nothing_new_since(std::int64_t second) const {
    return second - 1 >= its_second(changed_at_);
  }
  const std::string& reservation() const { return reservation_; }

 private:
  friend class FakeSlurmTransport;
  friend class FakeSlurmFolder;
  friend class FakeSlurmControl;
  struct Process {
    std::uint64_t life = 0;
    std::uint32_t job = 0;
    std::string name, node;
    std::size_t run = 0;
    bool ignores_term = false;
  };
  struct File {
    std::string text;
    base::Instant written_at;
    std::vector<std::pair<base::Instant, std::size_t>> lengths;  // as of when
  };
  base::Try<net::Response> answer(const net::Request& request);
  base::Duration half_a_call();
  base::Duration soon(std::int64_t most_ms);
  void later(base::Duration d, std::function<void()> what) {
    fibres_.at(fibres_.now() + d, std::move(what));
  }
  void changed();
  std::vector<std::uint64_t> ends_in(const net::Request& request) const;  // turns, as it is now
  void told(const std::vector<std::uint64_t>& ends);                      // the answer arrived

  // The controller's (fake_slurm.cc). A job ends in three steps: it completes, its process is gone,
  // it is forgotten.
  void plan_turn();
  void take_turn();
  bool may_start(SlurmOne& job);
  void begin(SlurmOne& job);
  void complete(std::uint32_t id, std::uint64_t turn, std::string word, int raw_exit);
  void conclude(std::uint32_t id, std::uint64_t turn);
  void forget_later(std::uint32_t id, std::uint64_t turn);          // by MinJobAge
  void forgotten(const SlurmOne& job);                              // and what it says of its runs
  void nothing_tells(std::uint64_t turn, const std::string& rank);  // but its marker, if that does
  void heard_late(const SlurmOne& job);
  void stop_by(SlurmOne& job, std::string word);  // TERM, and after KillWait KILL
  void requeue(SlurmOne& job);
  void check_limit(std::uint32_t id, std::uint64_t turn);
  void came_back(bool with_old_state);
  void kill_orphans(bool at_once);
  void node_missed(Node& node);
  std::vector<SlurmOne*> those_that_run();
  bool away() const { return fibres_.now() < controller_away_until_; }
  SlurmOne* of_turn(std::uint32_t id, std::uint64_t turn);
  Node& node(const std::string& name);

  // The nodes' (fake_slurm_nodes.cc).
  void run_script(std::uint32_t id, std::uint64_t turn);
  void exit(std::uint64_t life, int code, bool says_so);
  void tell(std::uint64_t life, bool kill);
  void lose_power(Node& node);
  bool told_its_end(const std::string& rank) const;  // its marker did
  bool tells_better(const std::string& rank) const;  // … and is seen as soon as it is written
  bool write(const std::string& rank, const std::string& line, bool first);

  Fibres& fibres_;
  base::Prng& prng_;
  const std::string cloud_;
  std::vector<Node> nodes_;
  std::map<std::uint32_t, SlurmOne> jobs_, saved_, hidden_;
  std::map<std::uint64_t, Process> processes_;
  std::map<std::string, File> markers_;
  std::map<std::string, std::string> outputs_, spools_;
  std::map<std::string, std::size_t> copied_;
  std::vector<std::string> written_;  // markers, in order
  std::string reservation_;
  TrueRuns runs_;
  base::Instant unreachable_until_, controller_away_until_, folder_full_until_, changed_at_,
      saved_at_;
  std::uint32_t last_id_ = 0, saved_last_id_ = 0;
  std::uint64_t lives_ = 0, turns_ = 0, requests_ = 0;
  bool turn_planned_ = false;
};

}  // namespace ampacity::sim
