#include "server/loop.h"

#include <algorithm>
#include <cstdlib>

#include "api/problem.h"
#include "api/views.h"
#include "base/chaos.h"
#include "base/check.h"
#include "base/log.h"
#include "core/desire.h"

namespace ampacity::server {

struct Loop::Batch {
  Instant now;
  std::uint64_t first_sequence = 0;
  std::vector<core::Fact> facts;
  std::vector<core::ProjectIx> project_of;  // of each fact, nobody if none
  store::Rows rows;
  std::vector<store::Remembered> remembered;
  std::vector<store::SealedEnv> sealed;
  std::vector<store::MeterBatch*> meter;  // of the answers
  std::vector<store::Delivery> deliveries;
  std::vector<store::Attempt> attempts;
  std::vector<Answer> answers;
  std::optional<store::AppendFault> fault;  // the store could not say what it was asked
};

namespace {

// How long the queue goes without being looked at as a whole: preemption, promises.
constexpr base::Duration review_every = base::Duration::seconds(60);

std::size_t events_in(const Work& work) { return work.meter ? work.meter->batch.events.size() : 0; }

core::ProjectIx project_of(const core::World& before, const core::Fact& fact) {
  if (const auto* s = std::get_if<core::JobSubmitted>(&fact.body)) return s->job.project;
  const core::Job* job = before.job(core::job_of(fact));
  return job ? job->project : core::nobody;
}

bool ends_job(const core::Fact& fact) {
  if (const auto* c = std::get_if<core::LeaseClosed>(&fact.body)) return !c->requeue;
  return std::holds_alternative<core::JobEnded>(fact.body);
}

}  // namespace

Loop::Loop(LoopOptions options, store::Journal* journal, core::World world, engines::Engine& engine,
           const Secrets& secrets, base::Clock& clock)
    : options_(std::move(options)),
      world_(std::move(world)),
      engine_(engine),
      secrets_(secrets),
      outbox_({}),
      clock_(clock),
      sequence_(world_.state().sequence) {
  if (journal) adopt(*journal);
}

Loop::~Loop() { stop(); }

void Loop::on_publish(std::function<void(const Published&)> listener) {
  listeners_.push_back(std::move(listener));
}
void Loop::events_wanted_by(std::function<bool()> anybody) { events_wanted_ = std::move(anybody); }

void Loop::start() {
  thread_ = base::Thread([this] { main(); });
}

void Loop::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (snapshot_thread_.joinable()) snapshot_thread_.join();
}

void Loop::push(Work work) {
  {
    const base::Guard lock(mutex_);
    const std::size_t events = events_in(work);
    const bool room = inbox_.size() < options_.most_waiting &&
                      (events == 0 || events_waiting_ + events <= options_.most_events_waiting);
    if (room || !work.reply) {
      events_waiting_ += events;
      inbox_.push_back(std::move(work));
      if (inbox_.size() == 1) wake_.notify_one();
      return;
    }
    ++counters_.refused_full;
  }
  work.reply->send(api::problem_response(
      {base::Code::queue_full, "too many requests wait; try again in a second", {}, {}, {}}));
}

void Loop::observe(std::vector<core::RankSeen> seen) {
  const base::Guard lock(mutex_);
  for (core::RankSeen& s : seen) {
    Work w;
    w.command = core::Observe{std::move(s), {}};
    w.actor = "engine";
    reports_.push_back(std::move(w));
  }
  wake_.notify_one();
}

base::Result<void> Loop::run(core::Command command, std::string actor) {
  auto result = std::make_shared<base::Result<void>>();
  auto done = std::make_shared<base::Handover<bool>>();
  Work work;
  work.command = std::move(command);
  work.actor = std::move(actor);
  work.refused = [result](const base::Refusal& r) { *result = std::unexpected(r); };
  work.after_commit = [done] { done->put(true); };
  push(std::move(work));
  (void)done->take();
  return *result;
}

LoopCounters Loop::counters() const {
  const base::Guard lock(mutex_);
  return counters_;
}

// Waits for work, or for the next deadline of a lease.
std::vector<Work> Loop::take() {
  base::Lock lock(mutex_);
  if (inbox_.empty() && reports_.empty() && turns_.empty() && !stopping_) {
    std::int64_t wait_us = 1'000'000;
    if (const auto tick = next_tick()) wait_us = std::min(wait_us, (*tick - clock_.now()).us);
    if (wait_us > 0) (void)wake_.wait_for(lock, base::Duration{wait_us});
  }
  // Two thirds for the engine's reports (a job makes two, and its end makes room), one third for
  // requests; what one leaves free the other takes.
  std::vector<Work> works;
  const std::size_t in_batch = BUGGIFY("loop: small batches") ? 3 : options_.most_in_batch;
  const std::size_t third = in_batch / 3;
  const std::size_t for_reports = std::min(reports_.size(), 2 * third);
  std::size_t events = 0;
  const auto move_out = [&](std::deque<Work>& from, std::size_t most) {
    auto end = from.begin();
    for (; most > 0 && end != from.end() && events < options_.most_events_in_batch; --most, ++end)
      events += events_in(*end);
    std::move(from.begin(), end, std::back_inserter(works));
    from.erase(from.begin(), end);
  };
  move_out(inbox_, in_batch - for_reports);
  events_waiting_ -= events;
  events = 0;
  move_out(reports_, in_batch - works.size());
  return works;
}

std::optional<Instant> Loop::next_tick() const {
  if (!journal_) return std::nullopt;  // time is the leader's to tell
  auto due = world_.next_wake(last_tick_);
  if (!world_.queue.empty()) {
    const Instant review = last_tick_ + review_every;
    due = due ? std::min(*due, review) : review;
  }
  if (due) due = std::max(*due, no_tick_before_);
  return due;
}

void Loop::main() {
  base::log_info("loop: {} facts, {} live jobs", world_.state().sequence, world_.live_jobs);
  while (true) {
    std::vector<Work> works = take();
    run_turns();
    if (const auto due = next_tick();
        due && *due <= clock_.now() && !BUGGIFY("loop: a tick is late")) {
      Work tick;
      tick.command = core::Tick{};
      tick.actor = "clock";
      works.push_back(std::move(tick));
    }
    if (works.empty()) {
      const base::Guard lock(mutex_);
      if (stopping_) return;
    }
    const bool quiet = works.size() < 16;
    if (!works.empty()) {
      process(std::move(works));
      if (journal_) journal_->settle();
    }
    if (!journal_) continue;
    tell_engine_whole();
    watch_sites();
    keep_alive_marks();
    forget_old_answers();
    snapshot_if_due(quiet);
  }
}

void Loop::process(std::vector<Work> works) {
  Batch batch;
  batch.now = clock_.now();
  batch.first_sequence = world_.state().sequence + 1;
  batch.answers.reserve(works.size());
  batch.facts.reserve(2 * works.size() + 64);
  recall_answers(works, batch);
  for (Work& work : works) handle(work, batch);
  if (batch.fault) return refuse_all(batch, *batch.fault);
  if (base::planted("webhook-row-lost") && batch.deliveries.size() > 1) batch.deliveries.pop_back();
  if (!batch.facts.empty() || !batch.remembered.empty() || !batch.meter.empty() ||
      !batch.attempts.empty()) {
    const store::Batch write{batch.first_sequence, batch.facts,      &batch.rows,
                             &world_.state(),      batch.remembered, batch.sealed,
                             batch.meter,          batch.deliveries, batch.attempts};
    if (base::planted("reply-before-commit"))
      for (Answer& a : batch.answers)
        if (a.reply && !a.meter) std::exchange(a.reply, std::nullopt)->send(a.response);
    const base::Duration asked_at = base::elapsed();
    if (const auto done = journal_->append(write); !done) return refuse_all(batch, done.error());
    if (options_.leadership) options_.leadership->renewed(asked_at);
  }
  count(works.size(), batch.facts.size());
  finish(batch);
}

// The whole batch's at once.
void Loop::recall_answers(std::vector<Work>& works, Batch& batch) {
  std::vector<store::Journal::AnswerKey> keys;
  std::vector<Work*> of;
  for (Work& work : works) {
    if (!work.idempotency) continue;
    keys.push_back({work.idempotency->scope, work.idempotency->key});
    of.push_back(&work);
  }
  if (keys.empty() || !journal_) return;
  auto answers = journal_->recall_all(keys);
  if (!answers) {
    batch.fault = std::move(answers.error());
    return;
  }
  for (std::size_t i = 0; i < of.size(); ++i) of[i]->answered = std::move((*answers)[i]);
}

void Loop::count(std::size_t batch, std::size_t facts) {
  const base::Guard lock(mutex_);
  counters_.commits += facts > 0;
  counters_.facts += facts;
  counters_.live_jobs = world_.live_jobs;
  counters_.queued_jobs = world_.queue.size();
  counters_.largest_batch = std::max(counters_.largest_batch, batch);
  if (facts == 0) return;
  sequence_ = world_.state().sequence;
  moved_.notify_all();
}

// What the leader committed: as process() and finish() for what is decided here.
void Loop::fold_now(std::uint64_t first_sequence, std::vector<core::Fact> facts) {
  if (journal_ || first_sequence <= world_.state().sequence) return;
  CHECK_THAT(first_sequence == world_.state().sequence + 1, "a follower folds without a gap");
  Batch batch;
  batch.first_sequence = first_sequence;
  batch.facts = std::move(facts);
  for (const core::Fact& fact : batch.facts) {
    batch.project_of.push_back(project_of(world_, fact));
    core::evolve(world_, fact);
  }
  for (const Committed& hear : committed_) hear(world_, batch.facts);
  count(0, batch.facts.size());
  publish(batch);
}

std::optional<net::Response> Loop::recalled(const Work& work, const Batch& batch) {
  const Idempotency& i = *work.idempotency;
  std::optional<store::Remembered> before = work.answered;
  for (const auto& r : batch.remembered)
    if (r.scope == i.scope && r.key == i.key) before = r;
  if (!before) return std::nullopt;
  if (before->fingerprint != i.fingerprint)
    return api::problem_response(
        {base::Code::idempotency_mismatch,
         "this Idempotency-Key was used with another request; use a new one",
         {},
         {},
         {}});
  net::Response again{before->status, "application/json", before->body, {}};
  again.headers.push_back({"Idempotency-Replayed", "true"});
  return again;
}

// What the store knows of the ids in it, and what this batch has made since.
void Loop::look_up_past(core::PostTransfers& command, const Batch& batch) {
  core::Past& past = command.past = journal_->past_of(command.transfers);
  for (const store::TransferRow& row : batch.rows.transfers) {
    const ledger::Transfer& t = row.transfer;
    past.known.insert_or_assign(t.id, core::Past::Known{t, ledger::Fate::open});
    if (!t.resolves()) continue;
    const auto held = past.known.find(t.pending_id);
    if (held != past.known.end()) held->second.fate = ledger::fate_by(t);
  }
  for (const store::BurntRow& row : batch.rows.burnt) past.burnt.insert(row.id);
}

void Loop::handle(Work& work, Batch& batch) {
  Answer answer{std::move(work.reply), {}, std::move(work.after_commit), work.refused, {}, {}};
  if (!journal_ && (work.command || work.meter || work.attempt)) {
    const base::Refusal follows{base::Code::unavailable, "this server follows", {}, {}, {}};
    answer.response = api::problem_response(follows);
    if (answer.refused) answer.refused(follows);
    batch.answers.push_back(std::move(answer));
    return;
  }
  if (work.meter) {
    answer.meter = std::move(work.meter);
    answer.meter->batch.received_at = batch.now;
    answer.meter->resolve(world_, answer.meter->batch);
    batch.meter.push_back(&answer.meter->batch);
    batch.answers.push_back(std::move(answer));
    return;
  }
  if (work.attempt) {
    if (work.attempt->state != store::DeliveryState::waiting)
      outbox_.settled(work.attempt->webhook);
    batch.attempts.push_back(std::move(*work.attempt));
  }
  if (work.idempotency) {
    PROBE("loop: a key is looked up");
    if (auto again = base::planted("keys-ignored") ? std::nullopt : recalled(work, batch)) {
      answer.response = std::move(*again);
      batch.answers.push_back(std::move(answer));
      return;
    }
  }
  if (work.command) {
    if (std::holds_alternative<core::Tick>(*work.command)) last_tick_ = batch.now;
    if (auto* o = std::get_if<core::Observe>(&*work.command))
      o->alive_until = watch_.mark(site_of(o->seen.job));
    if (auto* p = std::get_if<core::PostTransfers>(&*work.command)) look_up_past(*p, batch);
    const auto on_fact = [&](const core::World& before, const core::Fact& fact, std::uint64_t n) {
      store::project(before, fact, n, batch.rows);
      outbox_.add(before, fact, n, batch.deliveries);
      batch.project_of.push_back(project_of(before, fact));
      if (ends_job(fact) && env_.contains(core::job_of(fact)))
        batch.sealed.push_back({core::job_of(fact), ""});
    };
    const auto done =
        core::step(world_, *work.command, batch.now, work.actor, batch.facts, on_fact);
    if (!done) {
      answer.response = api::problem_response(done.error());
      if (work.refused) work.refused(done.error());
      batch.answers.push_back(std::move(answer));
      return;
    }
    const auto* submit = std::get_if<core::SubmitJob>(&*work.command);
    if (submit && !work.env.empty()) {
      const auto org = world_.state().projects[submit->job.project].org;
      batch.sealed.push_back({submit->job.id, secrets_.seal(org, work.env)});
      env_[submit->job.id] = std::move(work.env);
    }
  }
  if (work.respond) answer.response = work.respond(world_, batch.now);
  if (!work.command) answer.question = std::move(work.respond);
  if (work.idempotency && answer.response.status < 300 && !base::planted("keys-forgotten")) {
    const Idempotency& i = *work.idempotency;
    batch.remembered.push_back(
        {i.scope, i.key, i.fingerprint, answer.response.status,
         work.redact ? work.redact(answer.response.body) : answer.response.body, batch.now});
  }
  batch.answers.push_back(std::move(answer));
}

void Loop::finish(Batch& batch) {
  if (!batch.facts.empty())
    for (const Committed& hear : committed_) hear(world_, batch.facts);
  // Effects first: a container's start is what takes longest.
  tell_engine(batch);
  std::vector<std::pair<net::Reply, net::Response>> replies;
  replies.reserve(batch.answers.size());
  for (Answer& a : batch.answers) {
    if (a.meter) a.response = a.meter->respond(a.meter->batch);
    if (a.reply) replies.emplace_back(std::move(*a.reply), std::move(a.response));
    if (a.after_commit) a.after_commit();
  }
  if (http_ && !replies.empty())
    http_->send_all(std::move(replies));
  else
    for (auto& [reply, response] : replies) reply.send(std::move(response));
  if (!batch.facts.empty()) publish(batch);
  for (const base::Id webhook : outbox_.take_overfull()) {
    Work work;
    work.command = core::SwitchWebhook{webhook, false, Outbox::too_many};
    work.actor = "webhooks";
    push(std::move(work));
  }
}

// What is in memory is not what is durable, and cannot be made so: a new life begins.
void Loop::give_up(Batch& batch, const store::AppendFault& fault) {
  const bool fenced = fault.kind == store::AppendFault::Kind::fenced;
  if (fenced && options_.leadership) {
    base::log_warn("loop: a write of epoch {} was refused: another server leads",
                   options_.leadership->own_epoch());
    options_.leadership->fenced();
  }
  CHECK_THAT(options_.end_life,
             "the store failed: the process must start again from what is durable");
  const base::Refusal unknown{
      base::Code::unavailable,
      fenced ? "this server no longer leads: nothing was changed; send it again"
             : "the database was lost: it is not known whether this was done; send it again with "
               "the same Idempotency-Key",
      {},
      {},
      {}};
  for (Answer& a : batch.answers)
    if (a.reply) a.reply->send(api::problem_response(unknown));
  options_.end_life(fault.message);
  std::abort();
}

// Nothing of this batch happened, and the store lives: the disk is full, or the database was away
// for longer than the journal waits. The world goes back to what is durable.
void Loop::refuse_all(Batch& batch, const store::AppendFault& fault) {
  using Kind = store::AppendFault::Kind;
  if (fault.disk_full()) PROBE("loop: the disk is full");
  const bool refused = fault.kind == Kind::disk_full || fault.kind == Kind::lost;
  base::log_error("store: {}{}", fault.message,
                  refused ? "; this batch is refused, nothing acknowledged is lost" : "");
  if (!refused) give_up(batch, fault);
  if (base::planted("goes-on-after-full-disk")) return;
  auto durable = journal_->load();
  if (!durable) give_up(batch, {Kind::broken, "read back: " + durable.error().message});
  world_ = std::move(*durable);
  outbox_ = Outbox(journal_->waiting_deliveries());
  last_tick_ = world_.state().now;
  std::erase_if(env_, [this](const auto& e) { return world_.job(e.first) == nullptr; });
  base::Refusal full{base::Code::store_full,
                     "the server's disk is full: nothing was changed; free some space and "
                     "send it again",
                     {},
                     {},
                     {}};
  if (fault.kind == Kind::lost) {
    full.code = base::Code::unavailable;
    full.message = "the server's database is away: nothing was changed; send it again";
  }
  no_tick_before_ = clock_.now() + base::Duration::seconds(1);
  // The reports in it are lost: the engine says everything again once it is told everything again.
  engine_told_whole_ = false;
  next_whole_ = no_tick_before_;
  for (Answer& a : batch.answers) {
    // A question is asked again, of the world that is durable. Every other answer may rest on what
    // did not happen, also where it changed nothing itself: a repeat of a request of this batch.
    if (a.question) a.response = a.question(world_, batch.now);
    if (!a.question && a.refused) a.refused(full);
    if (a.reply) a.reply->send(a.question ? std::move(a.response) : api::problem_response(full));
    if (a.after_commit) a.after_commit();
  }
}

void Loop::publish(Batch& batch) {
  Published p;
  p.first_sequence = batch.first_sequence;
  if (events_wanted_())
    for (std::size_t i = 0; i < batch.facts.size(); ++i)
      p.events.push_back(
          api::view_event(world_, batch.facts[i], batch.first_sequence + i, batch.project_of[i]));
  p.facts = std::move(batch.facts);
  p.deliveries = std::move(batch.deliveries);
  for (const auto& listener : listeners_) listener(p);
}

void Loop::tell_engine(const Batch& batch) {
  std::vector<core::RankWork> wanted;
  std::vector<engines::Engine::Done> done;
  const auto want = [&](base::Id id) {
    const core::Job* job = world_.job(id);
    if (!job) return;
    auto ranks = core::desired_ranks(world_, *job);
    wanted.insert(wanted.end(), std::make_move_iterator(ranks.begin()),
                  std::make_move_iterator(ranks.end()));
  };
  for (const core::Fact& fact : batch.facts) {
    if (const auto* g = std::get_if<core::LeaseGranted>(&fact.body))
      want(g->job);
    else if (const auto* s = std::get_if<core::StopOrdered>(&fact.body))
      base::planted("stops-untold") ? void() : want(s->job);
    else if (const auto* r = std::get_if<core::RankEnded>(&fact.body)) {
      const core::Job* job = world_.job(r->job);  // else its end is in this batch, too
      if (job && job->lease && job->generation == r->generation)
        done.push_back({r->job, r->generation, r->rank, site_of(r->job)});
    } else if (const auto* c = std::get_if<core::LeaseClosed>(&fact.body)) {
      const core::State& s = world_.state();
      const std::string& site = s.sites[s.nodes[c->interval.places[0].node].site].name;
      for (std::uint32_t i = 0; i < c->interval.ranks.size(); ++i)
        done.push_back({c->job, c->generation, i, site});
      if (!c->requeue) env_.erase(c->job);
    } else if (const auto* e = std::get_if<core::JobEnded>(&fact.body)) {
      env_.erase(e->job);
    }
  }
  if (!engine_told_whole_) return;  // the first whole covers it
  if (!done.empty()) engine_.done_with(std::move(done));
  if (wanted.empty()) return;
  add_environments(wanted);
  engine_.desire_also(std::move(wanted));
}

void Loop::tell_engine_whole() {
  if (engine_told_whole_ || clock_.now() < next_whole_) return;
  std::vector<core::RankWork> whole = core::desired_whole(world_);
  add_environments(whole);
  engine_.desire_whole(std::move(whole));
  engine_told_whole_ = true;
}

void Loop::add_environments(std::vector<core::RankWork>& ranks) const {
  for (core::RankWork& rank : ranks)
    if (const auto env = env_.find(rank.job); env != env_.end())
      rank.env.insert(rank.env.end(), env->second.begin(), env->second.end());
}

const std::string& Loop::site_of(base::Id id) const {
  static const std::string nowhere;
  const core::Job* job = world_.job(id);
  return job && job->lease ? world_.state().sites[world_.site_of(*job->lease)].name : nowhere;
}

}  // namespace ampacity::server
