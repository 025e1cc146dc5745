#include "store/journal.h"
#include "base/chaos.h"
#include "base/check.h"
#include "base/log.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "store/fold.h"
#include "store/ledger_store.h"
#include "store/meter_writer.h"
#include "store/row_writer.h"
#include "store/store_file.h"

namespace ampacity::store {
namespace {

constexpr int snapshots_kept = 2;
constexpr int forgotten_at_once = 1'000;
constexpr int most_tries = 5;

class StoredJournal final : public Journal {
 public:
  StoredJournal(WritableStore store, ChainEnd end, MeterWriter meter, int pages_before_checkpoint)
      : store_(std::move(store)),
        end_(end),
        meter_(std::move(meter)),
        pages_before_checkpoint_(pages_before_checkpoint) {}

  std::expected<void, AppendFault> append(const Batch& batch) override {
    CHECK_THAT(batch.first_sequence == end_.sequence + 1, "the journal has no gaps");
    ChainEnd next = end_;
    auto r = in_transaction([&]() -> Sql<void> {
      // Rows first: what they ask of the store waits for nothing, and is behind the rest.
      if (batch.rows)
        if (auto w = write_rows(store_.db, *batch.rows, *batch.after); !w) return w;
      if (auto w = write_facts(batch, next); !w) return w;
      for (const Remembered& x : batch.remembered)
        if (auto w = remember(x); !w) return w;
      for (const SealedEnv& x : batch.sealed)
        if (auto w = seal(x); !w) return w;
      if (auto w = write_deliveries(store_.db, batch.deliveries); !w) return w;
      if (auto w = write_attempts(store_.db, batch.attempts); !w) return w;
      return meter_.write(store_.db, batch.meter);
    });
    if (!r) {
      meter_.forget();
      return r;
    }
    meter_.keep();
    end_ = next;
    return {};
  }

  // Inline: a thread of its own for this, tried on two busy cores, made no commit faster.
  void settle() override {
    if (broken_) return;
    const int pages = store_.db.log_pages();
    if (pages < checkpointed_at_) checkpointed_at_ = 0;  // the log has started anew
    const bool early = pages > 0 && BUGGIFY("store: checkpoints early");
    if (!early && pages < checkpointed_at_ + pages_before_checkpoint_) return;
    checkpointed_at_ = pages;
    auto r = store_.db.checkpoint();
    if (r) return;
    // The log keeps what could not be copied; but after a failed sync nothing is written any more.
    base::log_warn("store: the write-ahead log could not be copied: {}", r.error().message);
    if (r.error().kind == SqlFault::Kind::sync_failed)
      broken_ = AppendFault{AppendFault::Kind::broken, to_fault(r.error()).message};
  }

  base::Try<core::World> load() override {
    auto folded = fold(store_.db);
    if (!folded) return std::unexpected(std::move(folded.error()));
    return std::move(folded->world);
  }

  std::expected<std::vector<std::optional<Remembered>>, AppendFault> recall_all(
      std::span<const AnswerKey> keys) override {
    std::vector<std::optional<Remembered>> out;
    auto r = twice([&] {
      out.assign(keys.size(), std::nullopt);
      return store_.db.query_each(
          "SELECT fingerprint, status, body, at FROM remembered "
          "WHERE scope = ? AND idempotency_key = ?",
          keys, [](const AnswerKey& k) { return std::tie(k.scope, k.key); },
          [&](const AnswerKey& k, const Cursor& row) {
            out[static_cast<std::size_t>(&k - keys.data())] =
                Remembered{k.scope,
                           k.key,
                           row.digest(0).value_or(base::Digest{}),
                           static_cast<int>(row.integer(1)),
                           row.text(2),
                           row.instant(3)};
          });
    });
    if (!r) return std::unexpected(refused(r.error(), false));
    return out;
  }

  core::Past past_of(std::span<const core::Transfer> batch) override {
    core::Past past;
    const auto r = twice([&] { return find_past(store_.db, batch, past); });
    CHECK_THAT(r, r.error().message);
    return past;
  }

  base::Try<void> read_on(ChainEnd& from, const UseBatch& use) override {
    return each_batch(store_.db, from, use);
  }

  std::vector<SealedEnv> sealed() override {
    std::vector<SealedEnv> out;
    auto rows = store_.db.query("SELECT job, box FROM sealed_env ORDER BY job");
    while (rows.next()) out.push_back({rows.id(0), rows.text(1)});
    report(rows, "sealed");
    return out;
  }

  std::optional<std::string> meta(const std::string& name) override {
    auto row = store_.db.query("SELECT value FROM meta WHERE name = ?", name);
    if (row.next()) return row.text(0);
    report(row, "meta");
    return std::nullopt;
  }

  std::expected<void, AppendFault> set_meta(const std::string& name,
                                            const std::string& value) override {
    return in_transaction([&] {
      return store_.db.run(
          "INSERT INTO meta (name, value) VALUES (?, ?) "
          "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          name, value);
    });
  }

  std::expected<void, AppendFault> keep_snapshot(std::uint64_t sequence,
                                                 const std::string& body) override {
    if (!is_commit_end(sequence))
      return std::unexpected(AppendFault{
          AppendFault::Kind::broken,
          "no commit ends at " + std::to_string(sequence) + ": not a place to begin from"});
    return in_transaction([&]() -> Sql<void> {
      auto r = store_.db.run(
          "INSERT INTO snapshots (sequence, body, digest) VALUES (?, ?, ?) "
          "ON CONFLICT (sequence) DO UPDATE SET body = excluded.body, digest = excluded.digest",
          sequence, body, base::sha256(body));
      if (!r) return r;
      return store_.db.run(
          "DELETE FROM snapshots WHERE sequence NOT IN "
          "(SELECT sequence FROM snapshots ORDER BY sequence DESC LIMIT ?)",
          snapshots_kept);
    });
  }

  std::map<Id, std::int64_t> waiting_deliveries() override {
    auto counts = store::waiting_deliveries(store_.db);
    if (counts) return std::move(*counts);
    base::log_error("store: deliveries: {}", counts.error().message);
    return {};
  }

  std::vector<Id> prune_deliveries(Instant before) override {
    std::vector<Id> waited;
    auto r = in_transaction([&]() -> Sql<void> {
      auto gone = store::prune_deliveries(store_.db, before);
      if (!gone) return std::unexpected(std::move(gone.error()));
      waited = std::move(*gone);
      return {};
    });
    if (r) return waited;
    base::log_warn("store: old deliveries could not be dropped: {}", r.error().message);
    return {};
  }

  // `n` grows with `at`, so the oldest come first; bounded, because the loop waits for it.
  void forget_before(Instant t) override {
    auto r = in_transaction([&] {
      return store_.db.run(
          "DELETE FROM remembered WHERE n IN (SELECT n FROM "
          "(SELECT n, at FROM remembered ORDER BY n LIMIT ?) AS oldest WHERE at < ?)",
          forgotten_at_once, t);
    });
    if (!r) base::log_warn("store: old answers could not be dropped: {}", r.error().message);
  }

 private:
  // All or nothing. A fault that leaves it unknown what the disk holds ends the writing: the
  // process starts again from the store (never a second fsync). What certainly did not happen, by
  // no fault of ours, is tried again.
  template <typename F>
  std::expected<void, AppendFault> in_transaction(F&& write) {
    if (broken_) return std::unexpected(*broken_);
    for (int tries = 1;; ++tries) {
      bool begun = false;
      Sql<void> r = once(write, begun);
      if (r) return {};
      const SqlFault::Kind kind = r.error().kind;
      const bool again = kind == SqlFault::Kind::again || (kind == SqlFault::Kind::lost && begun);
      if (!again || tries == most_tries) return std::unexpected(refused(r.error(), begun));
      base::log_warn("store: tried again: {}", r.error().message);
      meter_.forget();
      if (kind == SqlFault::Kind::again) base::sleep_for(base::Duration::millis(10 * tries));
    }
  }

  // A read outside of any transaction, again on a new connection if the old one was lost.
  template <typename F>
  static Sql<void> twice(const F& read) {
    auto r = read();
    if (!r && r.error().kind == SqlFault::Kind::lost) r = read();
    return r;
  }

  template <typename F>
  Sql<void> once(F& write, bool& begun) {
    auto t = Transaction::begin(store_.db);
    if (!t) return std::unexpected(std::move(t.error()));
    begun = true;
    Sql<void> r = write();
    return r ? t->commit() : r;
  }

  // Not begun: somebody else's lock, no room for the log, or the database is away.
  AppendFault refused(const SqlFault& f, bool begun) {
    using Kind = AppendFault::Kind;
    const bool nothing =
        !begun || f.kind == SqlFault::Kind::again || f.kind == SqlFault::Kind::lost;
    AppendFault fault{f.disk_full()                      ? Kind::disk_full
                      : f.kind == SqlFault::Kind::fenced ? Kind::fenced
                      : nothing                          ? Kind::lost
                                                         : Kind::broken,
                      to_fault(f).message};
    if (fault.kind == Kind::broken || fault.kind == Kind::fenced) broken_ = fault;
    return fault;
  }

  Sql<void> write_facts(const Batch& batch, ChainEnd& next) {
    if (batch.facts.empty()) return {};
    text_.assign(1, '[');
    for (const core::Fact& fact : batch.facts) {
      if (text_.size() > 1) text_ += ',';
      core::write_fact(text_, fact);
    }
    text_ += ']';
    // The chain is over the bytes that are stored, in every store.
    if (base::find_bad_utf8(text_) != std::string::npos) text_ = base::mended_utf8(text_);
    next = {end_.sequence + batch.facts.size(), base::chain(end_.chain, text_)};
    return store_.db.run(
        "INSERT INTO journal (first_sequence, last_sequence, at, facts, chain) "
        "VALUES (?, ?, ?, ?, ?)",
        batch.first_sequence, next.sequence, batch.facts.back().at, text_, next.chain);
  }

  Sql<void> remember(const Remembered& x) {
    return store_.db.run(
        "INSERT INTO remembered (n, scope, idempotency_key, fingerprint, status, body, at) "
        "VALUES ((SELECT coalesce(max(n), 0) + 1 FROM remembered), ?, ?, ?, ?, ?, ?)",
        x.scope, x.key, x.fingerprint, x.status, x.body, x.at);
  }

  Sql<void> seal(const SealedEnv& x) {
    if (x.box.empty()) return store_.db.run("DELETE FROM sealed_env WHERE job = ?", x.job);
    return store_.db.run(
        "INSERT INTO sealed_env (job, box) VALUES (?, ?) "
        "ON CONFLICT (job) DO UPDATE SET box = excluded.box",
        x.job, Blob{x.box});
  }

  bool is_commit_end(std::uint64_t sequence) {
    auto row = store_.db.query(
        "SELECT last_sequence FROM journal WHERE first_sequence <= ? "
        "ORDER BY first_sequence DESC LIMIT 1",
        sequence);
    return row.next() && row.number(0) == sequence;
  }

  static void report(const Cursor& cursor, std::string_view what) {
    if (cursor.fault()) base::log_error("store: {}: {}", what, cursor.fault()->message);
  }

  WritableStore store_;
  ChainEnd end_;
  MeterWriter meter_;
  const int pages_before_checkpoint_;
  int checkpointed_at_ = 0;  // pages in the log at the latest checkpoint
  std::string text_;         // reused: the batch as JSON
  std::optional<AppendFault> broken_;
};

}  // namespace

base::Try<std::unique_ptr<Journal>> open_journal(const StoreAt& options) {
  auto store = open_to_write(options);
  if (!store) return std::unexpected(std::move(store.error()));
  auto end = journal_end(store->db);
  if (!end) return std::unexpected(std::move(end.error()));
  auto meter = MeterWriter::open(store->db);
  if (!meter) return std::unexpected(to_fault(meter.error()));
  return std::make_unique<StoredJournal>(std::move(*store), *end, std::move(*meter),
                                         options.pages_before_checkpoint);
}

}  // namespace ampacity::store
