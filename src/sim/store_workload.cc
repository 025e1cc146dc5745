#include "sim/store_workload.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "sim/disk.h"
#include "sim/store_checks.h"
#include "store/sample_cloud.h"

namespace ampacity::sim {
namespace {

using StepKind = StoreStep::Kind;

constexpr std::array<base::Id, 2> webhooks = {{{3, 1}, {3, 2}}};

// Draws what a busy server would write, commit by commit.
class Maker {
 public:
  Maker(std::uint64_t seed, int commits) : cloud_(4, seed), commits_(commits) {}

  std::vector<StoreStep> make() {
    append();  // the founding
    for (n_ = 1; n_ < commits_; ++n_) {
      happen();
      append();
      keep_house();
    }
    return std::move(steps_);
  }

 private:
  void happen() {
    cloud_.now.us += 1'234'567 + static_cast<std::int64_t>(cloud_.draw(400'000'000));
    while (cloud_.running.size() > 2) {
      unseal(cloud_.running.front());
      cloud_.end_next(cloud_.draw(5) == 0 ? 1 : 0);
    }
    while (!cloud_.starting.empty()) cloud_.start_next();
    const std::uint64_t jobs = cloud_.draw(4);
    for (std::uint64_t i = 0; i < jobs; ++i) submit();
    if (n_ % 6 == 2) post();
    if (n_ % 9 == 4) cloud_.run(core::AddCredit{"demo", 100'00 + n_, "more"});
    cloud_.run(core::Tick{});
    if (n_ % 3 == 1) measure();
  }

  void submit() {
    const base::Id job = cloud_.submit("job" + std::to_string(cloud_.draw(5)), 1'000);
    const std::string key = "once-" + std::to_string(++keys_);
    next_.remembered.push_back({"key-ann", key, base::sha256(key), 201,
                                "{\"id\":\"" + base::format_bare_id(job) + "\"}", cloud_.now});
    if (cloud_.draw(2) == 0) {
      next_.sealed.push_back({job, std::string(64 + cloud_.draw(400), static_cast<char>(keys_))});
      has_env_.push_back(job);
    }
  }
  void unseal(base::Id job) {
    if (std::erase(has_env_, job) != 0) next_.sealed.push_back({job, ""});
  }

  // An operator's transfers: one that is made, and one whose id is burnt.
  void post() {
    core::PostTransfers c;
    core::Transfer t;
    t.id = {9, ++transfers_};
    t.debit = ledger::account_at(0);
    t.credit = ledger::account_at(1);
    t.amount = static_cast<std::int64_t>(1 + cloud_.draw(1'000));
    t.ledger = ledger::usd_minor;
    t.code = 77;
    c.transfers.push_back(t);
    const core::AccountIx wallet = cloud_.world.state().projects[0].wallet;
    t.id = {9, ++transfers_};
    t.debit = ledger::account_at(wallet);
    t.credit = ledger::account_at(wallet + 1);
    t.amount = INT64_MAX / 4;
    t.ledger = ledger::usd_tick;
    c.transfers.push_back(t);
    c.answer = std::make_shared<std::vector<ledger::Posted>>();
    cloud_.run(c);
  }

  // Events, some sent twice, some corrected.
  void measure() {
    store::MeterBatch batch;
    batch.received_at = cloud_.now;
    for (std::uint64_t i = 0; i <= cloud_.draw(4); ++i) {
      store::MeterEvent e;
      e.key = {core::nobody, "/meter", "event-" + std::to_string(++events_ - cloud_.draw(2))};
      e.project = 0;
      e.meter = "storage_gb_hours";
      e.quantity_micro = static_cast<std::int64_t>(cloud_.draw(1'000'000));
      e.time = e.from = e.until = cloud_.now;
      if (events_ % 4 == 0) e.corrects = {core::nobody, "/meter", "event-1"};
      e.hash = payload_hash(e);
      batch.events.push_back(std::move(e));
    }
    next_.meter.push_back(std::move(batch));
  }

  // As the outbox: a row for each webhook, and what became of earlier ones.
  void deliver(std::uint64_t sequence) {
    for (const base::Id webhook : webhooks) {
      store::Delivery d;
      d.webhook = webhook;
      d.sequence = sequence;
      d.event = "job.ended";
      d.body = "{\"type\":\"job.ended\",\"sequence\":" + std::to_string(sequence) + "}";
      d.created_at = d.next_at = cloud_.now;
      waiting_.emplace_back(webhook, sequence);
      next_.deliveries.push_back(std::move(d));
    }
  }
  void attempt() {
    for (int i = 0; i < 2 && !waiting_.empty(); ++i) {
      const auto [webhook, sequence] = waiting_.front();
      waiting_.erase(waiting_.begin());
      const bool through = cloud_.draw(3) != 0;
      store::Attempt a{webhook, sequence, store::DeliveryState::delivered, 1, {}, {}, 200, ""};
      if (through) a.done_at = cloud_.now;
      if (!through) {
        a.state = store::DeliveryState::waiting;
        a.next_at = cloud_.now + base::Duration::seconds(5);
        a.status = 503;
        a.why = "answered 503";
        waiting_.emplace_back(webhook, sequence);
      }
      next_.attempts.push_back(std::move(a));
    }
  }

  void append() {
    attempt();
    const store::Batch b = cloud_.batch();
    for (std::size_t i = 0; i < b.facts.size(); ++i)
      if (std::holds_alternative<core::LeaseClosed>(b.facts[i].body)) deliver(b.first_sequence + i);
    next_.first_sequence = b.first_sequence;
    next_.facts = cloud_.facts;
    next_.rows = cloud_.rows;
    next_.after = cloud_.world.state();
    cloud_.clear();
    steps_.push_back(std::exchange(next_, {}));
  }

  void quietly(StepKind kind, base::Instant before = {}) {
    StoreStep s;
    s.kind = kind;
    s.before = before;
    steps_.push_back(std::move(s));
  }
  void keep_house() {
    quietly(StepKind::settle);
    if (n_ % 4 == 1) {
      StoreStep s;
      s.kind = StepKind::set_meta;
      s.name = "alive_us";
      s.value = std::to_string(cloud_.now.us);
      steps_.push_back(std::move(s));
    }
    if (n_ % 13 == 8) quietly(StepKind::keep_snapshot);
    if (n_ % 17 == 11) quietly(StepKind::reopen);
    const base::Instant old = cloud_.now - base::Duration::seconds(2'000);
    if (n_ % 11 == 10) quietly(StepKind::forget, old);
    if (n_ % 12 == 11) quietly(StepKind::prune, old);
  }

  store::SampleCloud cloud_;
  const int commits_;
  int n_ = 0;
  std::uint64_t keys_ = 0, transfers_ = 0, events_ = 0;
  std::vector<base::Id> has_env_;
  std::vector<std::pair<base::Id, std::uint64_t>> waiting_;
  StoreStep next_;
  std::vector<StoreStep> steps_;
};

std::expected<void, store::AppendFault> run_append(const StoreStep& step, store::Journal& journal) {
  std::vector<store::MeterBatch> meter = step.meter;
  std::vector<store::MeterBatch*> pointers;
  for (store::MeterBatch& m : meter) pointers.push_back(&m);
  store::Batch b;
  b.first_sequence = step.first_sequence;
  b.facts = step.facts;
  b.rows = &step.rows;
  b.after = &step.after;
  b.remembered = step.remembered;
  b.sealed = step.sealed;
  b.meter = pointers;
  b.deliveries = step.deliveries;
  b.attempts = step.attempts;
  return journal.append(b);
}

std::unexpected<store::AppendFault> as_append_fault(const base::Fault& f) {
  using Kind = store::AppendFault::Kind;
  return std::unexpected(
      store::AppendFault{f.retryable ? Kind::disk_full : Kind::broken, f.message});
}

}  // namespace

std::string_view StoreStep::word() const {
  constexpr std::array<std::string_view, 7> words = {
      "append", "set_meta", "keep_snapshot", "settle", "forget", "prune", "reopen"};
  return words[static_cast<std::size_t>(kind)];
}

std::vector<StoreStep> standard_steps(std::uint64_t seed, int commits) {
  return Maker(seed, commits).make();
}

std::expected<void, store::AppendFault> run_step(const StoreStep& step, const store::StoreAt& store,
                                                 std::unique_ptr<store::Journal>& journal) {
  if (step.kind == StepKind::reopen) journal.reset();
  if (!journal) {
    auto opened = store::open_journal(store);
    if (!opened) return as_append_fault(opened.error());
    journal = std::move(*opened);
  }
  switch (step.kind) {
    case StepKind::append:
      return run_append(step, *journal);
    case StepKind::set_meta:
      return journal->set_meta(step.name, step.value);
    case StepKind::keep_snapshot: {
      const auto snapshot = store::fold_snapshot(store);
      if (!snapshot) return as_append_fault(snapshot.error());
      return journal->keep_snapshot(snapshot->sequence, snapshot->body);
    }
    case StepKind::settle:
      journal->settle();
      break;
    case StepKind::forget:
      journal->forget_before(step.before);
      break;
    case StepKind::prune:
      (void)journal->prune_deliveries(step.before);
      break;
    case StepKind::reopen:
      break;
  }
  return {};
}

StoreRun standard_run(std::uint64_t seed, int commits) {
  StoreRun run;
  run.steps = standard_steps(seed, commits);
  const Disk disk;
  std::unique_ptr<store::Journal> journal;
  const auto note = [&] {
    const auto contents = contents_digest(disk.at());
    CHECK_THAT(contents, "the store cannot be read");
    run.contents.push_back(*contents);
    const auto world = journal->load();
    CHECK_THAT(world, "the store cannot be folded");
    run.states.push_back(core::state_digest(world->state()));
  };
  StoreStep nothing;
  nothing.kind = StepKind::reopen;
  CHECK_THAT(run_step(nothing, disk.at(), journal), "a new store cannot be opened");
  note();
  for (const StoreStep& step : run.steps) {
    CHECK_THAT(run_step(step, disk.at(), journal), "the workload fails without a fault");
    note();
  }
  return run;
}

}  // namespace ampacity::sim
