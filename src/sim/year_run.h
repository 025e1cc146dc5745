// The driver of the simulated year: submits, plays the engines, the failing hardware and the
// people, and watches the facts. year_run.cc has the loop and the jobs, year_nodes.cc the nodes,
// year_watch.cc what is counted.
//
//   arrival ─▶ waiting ─granted─▶ leased ─start─▶ (works) ─end───────────────▶ closed, slot free
//     │ ▲         ▲                 │  ├─stop ordered─▶ stop ─▶ closed ─┐
//     ▼ │         │                 │  └─fault─▶ loss noticed ─▶ closed ─┤
//   refused       └──────────────── requeued: work since the checkpoint ─┘ is lost
//
// One thread. Events are by (instant, kind, sequence); those of a lease that is over are
// dropped.
#pragma once

#include <queue>
#include <string>
#include <vector>

#include "sim/year.h"
#include "sim/year_money.h"

namespace ampacity::sim {

inline constexpr std::int64_t checkpoint_stall_us = 5'000'000;
inline constexpr std::int64_t restore_us = 120'000'000;
inline constexpr std::int64_t stop_takes_us = 15'000'000;

class YearRun {
 public:
  explicit YearRun(const YearPlan& plan);
  YearResult run();

 private:
  // At one instant in this order: what frees comes before what takes.
  enum class Kind : std::uint8_t {
    cordon,  // a faulty node is noticed: nothing new goes there
    loss,    // and who ran on it
    end,
    stop,
    node_back,
    start,
    start_seen,  // late
    checkpoint,
    cancel,
    resubmit,
    top_up,
    fault,  // the next one of the fleet
    drain,
    prices,
    check,
  };
  struct Event {
    std::int64_t at_us = 0;
    Kind kind = Kind::end;
    std::uint32_t lease = 0;  // its number, of those of runs
    std::uint32_t what = 0;   // a run, a node or a project
    std::uint64_t sequence = 0;
    bool operator>(const Event& o) const {
      return std::tie(at_us, kind, sequence) > std::tie(o.at_us, o.kind, o.sequence);
    }
  };
  // One job that is alive, or waits to be submitted again.
  struct Run {
    enum class State : std::uint8_t { free, refused, waiting, leased };
    YearJob job;
    base::Id id;
    State state = State::free;
    bool stopping = false, restarts = false, faulted = false, seen = false, leased_before = false;
    bool lost_end = false;  // its end is true but not reported yet
    core::StopReason stop_reason = core::StopReason::none;
    std::uint32_t generation = 0;
    std::uint32_t lease = 0;  // counted over all: slots are used again
    std::uint32_t tries = 0;
    std::uint32_t failed_node = 0;
    std::int64_t submitted_us = 0;
    std::int64_t granted_us = 0;
    std::int64_t started_us = -1;
    std::int64_t ended_us = -1;   // of the work, before it is reported
    std::int64_t failed_us = -1;  // its node did
    std::int64_t kept_us = 0;     // work that is safe
    std::int64_t promised_us = INT64_MAX, first_promise_us = INT64_MAX;
    std::int64_t expected_us = -1, likely_us = -1;
    LeaseBill bill;
  };
  enum class NodeMode : std::uint8_t { good, failing, repair, draining, upkeep };
  struct Node {
    NodeMode mode = NodeMode::good;
    bool whole = false;  // all of it fails, not one card
    bool lemon = false;
    std::int64_t since_us = 0;
    std::int64_t repair_us = 0;
    std::uint32_t window = 0;
  };

  // ---- year_run.cc
  bool turn();
  bool tick_due(std::int64_t next_us, std::int64_t& at_us) const;
  void tick();
  void happen(const Event& e);
  void happen_to_run(const Event& e);
  void arrive();
  void submit(std::uint32_t slot);
  void refused(std::uint32_t slot, const base::Refusal& refusal);
  void fill(core::SubmitJob& c, const Run& r) const;
  void start(std::uint32_t slot);
  void report_start(std::uint32_t slot);
  void natural_end(std::uint32_t slot);
  void report_end(std::uint32_t slot, std::int64_t ended_us, std::int32_t exit_code);
  void cancel(std::uint32_t slot);
  void change_prices();
  void top_up(std::uint32_t project);
  void estimate(std::uint32_t slot);
  bool step(const core::Command& command);
  void observe(const Run& r, std::uint32_t rank, core::RankSeen::State state, std::int64_t ended_us,
               std::int32_t exit_code);
  void push(std::int64_t at_us, Kind kind, std::uint32_t what, std::uint32_t lease_number = 0) {
    events_.push({at_us, kind, lease_number, what, sequence_++});
  }
  static base::Instant at(std::int64_t us) { return {year_begin.us + us}; }
  std::uint32_t slot_of(base::Id id) const { return static_cast<std::uint32_t>(id.low & 0xfffff); }
  std::uint32_t new_slot();
  void free_slot(std::uint32_t slot);
  const core::Lease& lease(const Run& r) const { return *world_.job(r.id)->lease; }

  // ---- year_nodes.cc
  void next_fault();
  void fault();
  void fail(std::uint32_t node, bool whole);
  void cordon(std::uint32_t node);
  void loss(std::uint32_t slot);
  void drain();
  void left(std::uint32_t node);  // a lease has: is it empty now?
  void node_back(std::uint32_t node);
  std::int64_t repair_time();

  // ---- year_watch.cc
  void watch(const core::Fact& fact);
  void mix(std::uint64_t value);
  void on_granted(const core::LeaseGranted& f);
  void on_stop(const core::StopOrdered& f);
  void on_closed(const core::LeaseClosed& f);
  void on_promise(const core::PromiseMade& f);
  void check_bill(const Run& r, const core::LeaseClosed& f);
  void account_work(Run& r, bool requeue);
  void count_end(const Run& r, const core::LeaseClosed& f);
  void check_books();
  void finish();
  std::int64_t worked_us(const Run& r, std::int64_t until_us, std::int64_t& restoring_us,
                         std::int64_t& stalled_us) const;

  YearPlan plan_;
  YearFleet fleet_;
  YearLoad load_;
  Dice faults_, people_, reports_;
  core::World world_;
  YearResult out_;
  YearPrices prices_;
  YearBooks books_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Run> runs_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> lemons_;
  std::vector<bool> topping_up_;
  std::vector<std::uint32_t> to_drain_;
  std::vector<core::Fact> facts_;
  std::vector<std::uint32_t> left_;  // nodes that a lease left in this step
  core::Command submit_ = core::SubmitJob{};
  const std::string actor_ = "sim";
  base::Refusal refusal_;
  std::int64_t now_us_ = 0;
  std::int64_t end_us_ = 0;
  std::int64_t next_arrival_us_ = 0;
  std::int64_t last_tick_us_ = 0;
  std::int64_t wake_us_ = 0;  // the core's own, but deadlines
  std::int64_t next_estimate_us_ = 0;
  std::int64_t price_changes_ = 0;
  std::uint32_t leases_ = 0;
  std::uint64_t serial_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t turns_ = 0;
  std::uint32_t windows_ = 0;
  std::int64_t planned_out_s_ = 0;
  bool settled_ = false;  // the last step turned quanta over
};

}  // namespace ampacity::sim
