// The auditors of a chaos run: a shadow world folded from the facts alone, and what containers
// truly did, beside what the cloud says of them. Threads: fibres. 1. They never ask the cloud what
// it thinks of itself, only what it said.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/invariants.h"
#include "sim/chaos_plan.h"
#include "sim/hook_audit.h"
#include "sim/machine.h"
#include "sim/runs.h"

namespace ampacity::sim {

// What whoever plays an engine knows.
struct Truth {
  const TrueRuns& runs;
  std::function<std::string(const std::string& name)> spool;  // of a rank's log; null: not played
  bool whole_seconds = false;                                 // are all that its instants tell
};
using Truths = std::vector<Truth>;  // of all sites

class ChaosAudit {
 public:
  using Now = std::function<base::Instant()>;  // truly
  ChaosAudit(const ChaosPlan& plan, Truths truths, const Receivers& receivers, Now now)
      : plan_(plan),
        truths_(std::move(truths)),
        now_(std::move(now)),
        hooks_(receivers, plan.webhook_attempts) {}

  // After a commit: the facts, and the world that made them.
  void committed(const core::World& after, const std::vector<core::Fact>& facts);
  // At a start: it must hold all that was ever committed; what it holds beyond that is read here.
  void loaded(const core::World& found, const store::StoreAt& store);
  // At the end, when everything has settled.
  void settled(const core::World& world, base::Instant now);
  void store_at_rest(const store::StoreAt& store);
  bool all_told() const { return hooks_.all_told(); }  // webhooks
  bool no_row_waits(const store::StoreAt& store) const { return hooks_.judge_store(store).empty(); }
  void judge_hooks();

  void wrong(std::string what);
  void clock_stepped(base::Duration by) { steps_.emplace_back(now_(), by); }
  void healed() { healed_ = true; }  // from now on nothing excuses a stop that takes long
  std::vector<std::string> found;
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  std::uint64_t facts = 0, commits = 0, leases_closed = 0;
  void mix(std::string_view bytes);

 private:
  void fold(const core::Fact& fact);
  void close(const core::LeaseClosed& closed, bool was_stopping);
  void compare_runs();
  struct Billed;
  void compare_lease(const std::string& name, const Billed& billed);
  void must_be_lost(const std::string& name, const Billed& closed);
  void must_be_asked_for(const std::string& name, const Billed& closed);
  bool began_anew(base::Instant from, base::Instant until) const;  // the server did
  // Its engine could not tell its end.
  bool untold(const TrueRun& run, const Billed& closed) const;
  std::int64_t stepped_s(base::Instant from, base::Instant until) const;
  void compare_generations();
  void compare_logs();
  void take(std::vector<core::Violation> violations, const char* when);

  const ChaosPlan& plan_;
  const Truths truths_;
  const Now now_;
  core::World shadow_;
  core::FactAuditor auditor_;
  struct Billed {
    core::Interval interval;
    core::Outcome outcome{};
    bool fenced = false, was_stopping = false;
    base::Instant told_at;  // truly
  };
  std::map<std::string, Billed> billed_;  // "job-…-2": by job and generation
  // At the end: by name.
  std::map<std::string, const TrueRun*> ran_;
  std::map<std::string, const Truth*> where_;
  HookAudit hooks_;
  std::string written_;
  bool healed_ = false;
  std::vector<std::pair<base::Instant, base::Duration>> steps_;  // of the clock: truly when
  std::vector<base::Instant> starts_;                            // of the server, likewise
  std::map<base::Id, base::Instant> told_to_stop_;               // by when it must have ended
};

}  // namespace ampacity::sim
