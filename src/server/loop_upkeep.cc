// The loop beside its batches: taking a journal over, turns between batches, marks, snapshots.
#include <sched.h>

#include <algorithm>
#include <cstdlib>

#include "base/chaos.h"
#include "base/check.h"
#include "base/log.h"
#include "core/desire.h"
#include "server/loop.h"

namespace ampacity::server {
namespace {

// When each site was last known to be watched, before this start.
std::map<std::string, Instant> marks_in(store::Journal& journal, const core::World& world) {
  if (const auto marks = journal.meta("alive_sites")) return SiteWatch::parse_marks(*marks);
  std::map<std::string, Instant> marks;
  if (const auto mark = journal.meta("alive_us"))  // one for all, of an older release
    for (const core::Site& s : world.state().sites) marks[s.name].us = std::atoll(mark->c_str());
  return marks;
}

}  // namespace

void Loop::adopt(store::Journal& journal) {
  journal_ = &journal;
  outbox_ = Outbox(journal.waiting_deliveries());
  watch_ = SiteWatch(marks_in(journal, world_));
  last_snapshot_ = world_.state().sequence;
  last_tick_ = world_.state().now;  // windows that began or ended since then are due
  // What ended while nobody watched is heard of before its deadline is judged.
  no_tick_before_ = clock_.now() + base::Duration::seconds(10);
  load_environments();
  leads_ = true;
}

void Loop::lead(store::Journal& journal) {
  in_turn([this, &journal] { adopt(journal); });
}

void Loop::fold(std::uint64_t first_sequence, std::vector<core::Fact> facts) {
  in_turn([&] { fold_now(first_sequence, std::move(facts)); });
}

void Loop::in_turn(std::function<void()> turn) {
  const auto done = std::make_shared<base::Handover<bool>>();
  {
    const base::Guard lock(mutex_);
    turns_.push_back([turn = std::move(turn), done] {
      turn();
      done->put(true);
    });
  }
  wake_.notify_one();
  (void)done->take();
}

void Loop::run_turns() {
  std::deque<std::function<void()>> turns;
  {
    const base::Guard lock(mutex_);
    turns.swap(turns_);
  }
  for (const auto& turn : turns) turn();
}

bool Loop::wait_for_sequence(std::uint64_t n, base::Duration at_most) {
  base::Lock lock(mutex_);
  return moved_.wait_for(lock, at_most, [&] { return sequence_ >= n; });
}

void Loop::load_environments() {
  for (const auto& s : journal_->sealed()) {
    const core::Job* job = world_.job(s.job);
    if (!job) continue;
    auto env = secrets_.unseal(world_.state().projects[job->project].org, s.box);
    if (env)
      env_[s.job] = std::move(*env);
    else
      base::log_error("{}: {}", core::job_name(s.job), env.error().message);
  }
}

// Answers to Idempotency-Keys are kept two days, deliveries to webhooks seven.
void Loop::forget_old_answers() {
  const Instant now = clock_.now();
  if (now < next_forgetting_) return;
  next_forgetting_ = now + base::Duration::seconds(60);
  journal_->forget_before(now - base::Duration::seconds(2 * 86'400));
  for (const base::Id webhook :
       journal_->prune_deliveries(now - base::Duration::seconds(7 * 86'400)))
    outbox_.settled(webhook);
}

// So that a rank which vanishes while nobody watches is billed to when somebody last did.
void Loop::keep_alive_marks() {
  const Instant now = clock_.now();
  if (now < next_alive_mark_ || world_.leased.empty()) return;
  next_alive_mark_ = now + base::Duration::seconds(2);
  (void)journal_->set_meta("alive_sites", watch_.marks_text(world_, engine_, now));
}

void Loop::watch_sites() {
  for (core::SeeSite& seen : watch_.look(world_, engine_, clock_.now())) {
    base::log_info("site {} {}", seen.name,
                   seen.reached ? "is reached again" : "cannot be reached: it is unknown now");
    Work work;
    work.command = std::move(seen);
    work.actor = "engine";
    push(std::move(work));
  }
}

void Loop::tell_again() {
  Work work;
  work.respond = [this](const core::World&, Instant) {
    engine_told_whole_ = false;
    return net::Response{};
  };
  push(std::move(work));
}

void Loop::snapshot_if_due(bool quiet) {
  const std::uint64_t since = world_.state().sequence - last_snapshot_;
  const std::uint64_t due = quiet ? options_.snapshot_when_quiet : options_.snapshot_in_any_case;
  if (snapshot_running_ || since < due) return;
  PROBE("loop: a snapshot is made");
  if (snapshot_thread_.joinable()) snapshot_thread_.join();
  snapshot_running_ = true;
  last_snapshot_ = world_.state().sequence;
  snapshot_thread_ = base::Thread([this] {
    // Only what nobody else wants: this thread, and those it starts.
    const sched_param none{};
    if (!base::scheduler) sched_setscheduler(0, SCHED_IDLE, &none);
    auto snapshot = store::fold_snapshot(options_.store);
    Work keep;
    keep.respond = [this, snapshot = std::move(snapshot)](const core::World&, Instant) {
      snapshot_running_ = false;
      if (!snapshot)
        base::log_warn("snapshot: {}", snapshot.error().message);
      else if (world_.state().sequence == snapshot->sequence &&
               core::state_digest(world_.state()) != snapshot->digest)
        CHECK_THAT(false, "the journal folds to another world than the living one");
      else if (const auto kept = journal_->keep_snapshot(snapshot->sequence, snapshot->body); !kept)
        base::log_warn("snapshot: {}", kept.error().message);
      return net::Response{};
    };
    push(std::move(keep));
  });
}

}  // namespace ampacity::server
