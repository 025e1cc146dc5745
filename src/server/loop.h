// The loop: the one thread that owns the world.
//
//   leading:   take a batch → decide, evolve each in memory → append the facts → COMMIT → reply,
//              publish, effect
//   following: fold what the leader committed → publish; questions are answered, commands refused
//
// 1. No answer, event or effect leaves before its commit. 2. If the commit fails for want of disk
// (or of the database), every command of the batch is refused with store_full (or unavailable) and
// the world is folded again from the store; any other failure ends this life of the process. 3.
// What `ask` returns is durable. 4. It leads from lead() on, and never follows again. Threads: push
// and ask may be called from any thread but the loop's own.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/contract.h"
#include "base/threads.h"
#include "core/step.h"
#include "engines/engine.h"
#include "net/http_server.h"
#include "server/leadership.h"
#include "server/outbox.h"
#include "server/secrets.h"
#include "server/site_watch.h"
#include "store/journal.h"

namespace ampacity::server {

using base::Instant;

struct Idempotency {
  std::string scope;
  std::string key;
  base::Digest fingerprint{};
};

// Metered events of one request: written with the batch, answered from what became of them.
struct MeterWork {
  store::MeterBatch batch;
  // Before the commit: who pays, by the world as it is; takes out what nobody does.
  std::function<void(const core::World&, store::MeterBatch&)> resolve;
  std::function<net::Response(const store::MeterBatch&)> respond;  // after it
};

// One thing for the loop to do: a command, metered events, or a question (neither).
struct Work {
  std::optional<core::Command> command;
  std::unique_ptr<MeterWork> meter;
  std::optional<store::Attempt> attempt;  // at a webhook: written down
  std::string actor;
  // Makes the answer from the world after the command, before the commit; sent after it.
  std::function<net::Response(const core::World&, Instant now)> respond;
  std::optional<net::Reply> reply;
  std::optional<Idempotency> idempotency;
  std::optional<store::Remembered> answered;  // to that key, before this batch: the loop's
  // What is remembered instead of the answer, where that shows a secret.
  std::function<std::string(const std::string& body)> redact;
  Env env;  // of a submitted job
  std::function<void(const base::Refusal&)> refused;
  std::function<void()> after_commit;
};

// What everything beside the loop hears, after the commit, on the loop's thread: must not block.
struct Published {
  std::vector<core::Fact> facts;
  std::uint64_t first_sequence = 0;
  std::vector<api::Event> events;           // only while somebody listens
  std::vector<store::Delivery> deliveries;  // to webhooks, new
};

struct LoopOptions {
  std::size_t most_waiting = 20'000;  // work in the inbox; beyond: queue_full
  // Work in one commit: enough to share its cost, few enough that nobody waits long for it.
  std::size_t most_in_batch = 576;
  // Metered events, likewise; a request's are not taken apart.
  std::size_t most_events_waiting = 400'000;
  std::size_t most_events_in_batch = 5'000;
  // Facts since the latest snapshot: enough for one in a quiet moment; so many that it is made even
  // under load (keeping it stops the loop for some ten milliseconds).
  std::uint64_t snapshot_when_quiet = 100'000;
  std::uint64_t snapshot_in_any_case = 1'000'000;
  store::StoreAt store;
  Leadership* leadership = nullptr;  // null: nobody else can write
  // What is in memory may not be durable, or another leads: does not return.
  std::function<void(const std::string& why)> end_life;
};

struct LoopCounters {
  std::uint64_t commits = 0, facts = 0, refused_full = 0;
  std::size_t live_jobs = 0, queued_jobs = 0, largest_batch = 0;
};

class Loop {
 public:
  // Null: it follows, until lead().
  Loop(LoopOptions options, store::Journal* journal, core::World world, engines::Engine& engine,
       const Secrets& secrets, base::Clock& clock);
  Loop(LoopOptions options, store::Journal& journal, core::World world, engines::Engine& engine,
       const Secrets& secrets, base::Clock& clock)
      : Loop(std::move(options), &journal, std::move(world), engine, secrets, clock) {}
  ~Loop();

  // All before start().
  const core::State& before_start() const { return world_.state(); }
  void on_publish(std::function<void(const Published&)> listener);
  // Hears the facts after their commit and before any answer to them.
  using Committed = std::function<void(const core::World& after, const std::vector<core::Fact>&)>;
  void on_commit(Committed listener) { committed_.push_back(std::move(listener)); }
  void events_wanted_by(std::function<bool()> anybody);
  void answer_with(net::HttpServer* server) { http_ = server; }
  void start();
  void stop();  // finishes what is in the inbox

  // All engines are told everything again: one was added.
  void tell_again();

  void push(Work work);
  void observe(std::vector<core::RankSeen> seen);
  // Runs `f` on the loop's thread and waits until what it saw is durable.
  template <typename F>
  auto ask(F f) -> decltype(f(std::declval<const core::World&>()));
  // A command from inside (start-up, the engine): waits for its commit.
  base::Result<void> run(core::Command command, std::string actor);

  LoopCounters counters() const;

  // Following: what another server committed, in order; what is known is passed over. Waits for it.
  void fold(std::uint64_t first_sequence, std::vector<core::Fact> facts);
  // From now on commands are decided here. The world is at the journal's end.
  void lead(store::Journal& journal);
  bool leads() const { return leads_; }
  std::uint64_t sequence() const { return sequence_; }  // durable, and in the world
  // False: that long has passed first.
  bool wait_for_sequence(std::uint64_t n, base::Duration at_most);

 private:
  struct Answer {
    std::optional<net::Reply> reply;
    net::Response response;
    std::function<void()> after_commit;
    std::function<void(const base::Refusal&)> refused;
    std::function<net::Response(const core::World&, Instant now)>
        question;                      // no command: asked anew
    std::unique_ptr<MeterWork> meter;  // answered from what the commit made of it
  };
  struct Batch;

  void main();
  void run_turns();
  void in_turn(std::function<void()> turn);  // waits for it
  void fold_now(std::uint64_t first_sequence, std::vector<core::Fact> facts);
  void adopt(store::Journal& journal);
  void count(std::size_t batch, std::size_t facts);
  std::vector<Work> take();
  void process(std::vector<Work> works);
  void look_up_past(core::PostTransfers& command, const Batch& batch);
  void handle(Work& work, Batch& batch);
  void recall_answers(std::vector<Work>& works, Batch& batch);
  std::optional<net::Response> recalled(const Work& work, const Batch& batch);
  void finish(Batch& batch);
  void refuse_all(Batch& batch, const store::AppendFault& fault);
  [[noreturn]] void give_up(Batch& batch, const store::AppendFault& fault);
  void publish(Batch& batch);
  void tell_engine(const Batch& batch);
  void tell_engine_whole();
  void add_environments(std::vector<core::RankWork>& ranks) const;
  // When Tick has something to do: a deadline, a window, or, while somebody waits, a review.
  std::optional<Instant> next_tick() const;
  void keep_alive_marks();
  void watch_sites();
  const std::string& site_of(base::Id job) const;  // where it is leased; empty: it is not
  void forget_old_answers();
  void snapshot_if_due(bool quiet);
  void load_environments();

  const LoopOptions options_;
  store::Journal* journal_ = nullptr;  // while it leads
  core::World world_;
  engines::Engine& engine_;
  const Secrets& secrets_;
  Outbox outbox_;
  base::Clock& clock_;
  net::HttpServer* http_ = nullptr;
  std::map<base::Id, Env> env_;  // of live jobs
  std::vector<std::function<void(const Published&)>> listeners_;
  std::vector<Committed> committed_;
  std::function<bool()> events_wanted_ = [] { return false; };
  SiteWatch watch_;
  base::Instant next_alive_mark_;
  base::Instant next_whole_;  // not before: told everything
  base::Instant next_forgetting_;
  // Deadlines wait until the engine was asked (after a start) or the disk may have room again.
  base::Instant no_tick_before_;
  Instant last_tick_;
  bool engine_told_whole_ = false;

  mutable base::Mutex mutex_;
  base::Condition wake_;
  std::deque<Work> inbox_;                   // requests
  std::deque<Work> reports_;                 // from the engine
  std::deque<std::function<void()>> turns_;  // on the loop's thread, between batches
  std::size_t events_waiting_ = 0;           // metered ones, in the inbox
  bool stopping_ = false;
  std::atomic<bool> leads_{false};
  std::atomic<std::uint64_t> sequence_{0};
  base::Condition moved_;  // sequence_
  LoopCounters counters_;
  std::uint64_t last_snapshot_ = 0;
  base::Thread snapshot_thread_;
  bool snapshot_running_ = false;
  base::Thread thread_;
};

template <typename F>
auto Loop::ask(F f) -> decltype(f(std::declval<const core::World&>())) {
  using T = decltype(f(std::declval<const core::World&>()));
  auto answer = std::make_shared<base::Handover<T>>();
  auto value = std::make_shared<std::optional<T>>();
  Work work;
  work.respond = [f = std::move(f), value](const core::World& world, base::Instant) {
    value->emplace(f(world));
    return net::Response{};
  };
  work.after_commit = [answer, value] { answer->put(std::move(**value)); };
  push(std::move(work));
  return answer->take();
}

}  // namespace ampacity::server
