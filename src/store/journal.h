// The store: an append-only journal of facts, and the read models written with it.
// Threads: one Journal belongs to the loop's thread; a Reader may be used from any one thread.
// 1. append() is one transaction, durable when it returns. 2. Facts are one row per commit, a JSON
// array, hash-chained: chain_n = SHA-256(chain_{n-1} ‖ facts). 3. A failed append changed nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"
#include "core/facts.h"
#include "core/world.h"
#include "ledger/chain.h"
#include "store/deliveries.h"
#include "store/meter_events.h"
#include "store/rows.h"

namespace ampacity::store {

// The answer given to an Idempotency-Key: same key and body, same answer, for `kept_for`.
struct Remembered {
  std::string scope;  // the calling key's id
  std::string key;
  base::Digest fingerprint;  // of method, path and body
  int status = 0;
  std::string body;
  Instant at;
};

// Environment values of a live job, sealed by the server; dropped when the job ends.
struct SealedEnv {
  Id job;
  std::string box;  // empty: delete
};

struct Batch {
  std::uint64_t first_sequence = 0;
  std::span<const core::Fact> facts;
  const Rows* rows = nullptr;
  const core::State* after = nullptr;  // for account counters
  std::span<const Remembered> remembered;
  std::span<const SealedEnv> sealed;
  std::span<store::MeterBatch* const> meter = {};  // what became of each event is written into it
  std::span<const Delivery> deliveries = {};       // what webhooks are to be told of the facts
  std::span<const Attempt> attempts = {};          // what became of earlier ones
};

struct AppendFault {
  enum class Kind {
    disk_full,  // nothing was changed; a later try may succeed
    lost,       // nothing was changed; the database is not there, or does not let us
    fenced,     // nothing was changed; another process has become the store's writer
    broken,     // it is unknown what is durable: start again from the store
  } kind = Kind::broken;
  std::string message;

  bool disk_full() const { return kind == Kind::disk_full; }
};

// A place in the journal: the latest sequence read, and the chain there.
struct ChainEnd {
  std::uint64_t sequence = 0;
  base::Digest chain{};
};
using UseBatch =
    std::function<base::Try<void>(std::uint64_t first_sequence, std::vector<core::Fact>)>;

class Journal {
 public:
  virtual ~Journal() = default;
  virtual std::expected<void, AppendFault> append(const Batch& batch) = 0;

  // Snapshot plus the facts after it, folded. The chain of what is read is verified.
  virtual base::Try<core::World> load() = 0;
  // The batches after `from`, likewise verified, to the journal's end; moves it there.
  virtual base::Try<void> read_on(ChainEnd& from, const UseBatch& use) = 0;

  // What is durable of the transfers that a batch names, and of those they resolve.
  virtual core::Past past_of(std::span<const core::Transfer> batch) = 0;
  // What was answered to each of these keys; asked all at once, for each question is a journey.
  struct AnswerKey {
    std::string scope, key;
  };
  virtual std::expected<std::vector<std::optional<Remembered>>, AppendFault> recall_all(
      std::span<const AnswerKey> keys) = 0;
  std::optional<Remembered> recall(const std::string& scope, const std::string& key) {
    const AnswerKey one{scope, key};
    auto all = recall_all({&one, 1});
    return all ? std::move(all->front()) : std::nullopt;
  }
  virtual std::vector<SealedEnv> sealed() = 0;

  // Small durable values: "cloud", "pepper_id", "alive_us"…
  virtual std::optional<std::string> meta(const std::string& name) = 0;
  virtual std::expected<void, AppendFault> set_meta(const std::string& name,
                                                    const std::string& value) = 0;

  // A snapshot folded elsewhere (see fold_snapshot) becomes the place where load() begins.
  virtual std::expected<void, AppendFault> keep_snapshot(std::uint64_t sequence,
                                                         const std::string& body) = 0;
  // Housekeeping that may wait until the answers are out: moves the log into the database when it
  // is long enough.
  virtual void settle() = 0;

  // Drops remembered answers older than this.
  virtual void forget_before(Instant t) = 0;

  // How many deliveries wait, by webhook.
  virtual std::map<Id, std::int64_t> waiting_deliveries() = 0;
  // Drops old ones; returns whose waiting ones went.
  virtual std::vector<Id> prune_deliveries(Instant before) = 0;
};

base::Try<std::unique_ptr<Journal>> open_journal(const StoreAt& options);

// Reads of what is durable, on a connection of its own (WAL: never blocks the writer).
class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::optional<core::Job> job(Id id) = 0;
  struct Page {
    std::vector<core::Job> jobs;
    std::optional<std::string> next_cursor;
  };
  // Newest first. `name` matches exactly if given; project nobody = all.
  virtual Page jobs(std::uint32_t project, const std::string& name, const std::string& cursor,
                    int limit) = 0;
  // Of the same list, whose names contain `part` (empty: all), whatever its case. `every`: the last
  // of each so many, and how many there are.
  virtual Page jobs_named(std::uint32_t project, const std::string& part, const std::string& cursor,
                          int limit) = 0;
  struct Marks {
    std::int64_t count = 0;
    std::vector<std::string> last;  // cursors
  };
  // `first`: so many go before this list on its first page.
  virtual Marks job_marks(std::uint32_t project, const std::string& part, std::int64_t first,
                          std::int64_t every) = 0;
  // Leases of a project (nobody: all) that ended in [from, to), by their end: windows that follow
  // each other share nothing and miss nothing. Streamed, in pages.
  virtual base::Try<void> each_ended(std::uint32_t project, Instant from, Instant to,
                                     const std::function<void(const UsageRow&)>& visit) = 0;
  // Leases of an org that touch [from, until), or were not known to have ended at the fact `known`
  // and may have touched it, by (started_at, job, generation, step). Streamed, in pages: no long
  // read transaction is held while the visitor works.
  virtual base::Try<void> each_usage(std::uint32_t org, Instant from, Instant until,
                                     std::uint64_t known,
                                     const std::function<void(const UsageRow&)>& visit) = 0;
  // When the earliest lease began whose end became known after `sequence`.
  virtual base::Try<std::optional<Instant>> earliest_since(std::uint32_t org,
                                                           std::uint64_t sequence) = 0;
  virtual std::vector<TransferRow> transfers(Id job) = 0;
  virtual std::optional<TransferRow> transfer(Id id) = 0;
  // Those of facts up to `sequence`, in the ledger's order, streamed as usage is.
  virtual base::Try<void> each_transfer(std::uint64_t sequence,
                                        const std::function<void(const TransferRow&)>& visit) = 0;
  virtual std::vector<ledger::Head> ledger_heads() = 0;  // by day
  // As issued, with its lines.
  virtual std::optional<core::Invoice> invoice(Id id) = 0;
  // What invoices and credit notes of an org billed of service months from `month` on, and of
  // contracts at any time; up to, and without, the one issued as `before` (nil: all). Without the
  // words: unit and description.
  virtual base::Try<std::vector<core::InvoiceLine>> lines_since(std::uint32_t org, Instant month,
                                                                Id before) = 0;
  // Of an org, by paid_at.
  virtual base::Try<std::vector<core::Payment>> payments(std::uint32_t org) = 0;
  struct StoredFact {
    std::uint64_t sequence;
    core::Fact fact;
  };
  // Facts after `sequence`, at most `limit`: events resume from here.
  virtual std::vector<StoredFact> facts_after(std::uint64_t sequence, int limit) = 0;
  virtual std::uint64_t last_sequence() = 0;
};
base::Try<std::unique_ptr<Reader>> open_reader(const StoreAt& options);

// Folds the latest snapshot and the facts after it up to the last durable one, in a world of its
// own: run on a background thread. Returns sequence, digest and body for keep_snapshot.
struct Snapshot {
  std::uint64_t sequence = 0;
  std::string digest;
  std::string body;
};
base::Try<Snapshot> fold_snapshot(const StoreAt& options);

// Makes the read models anew from the journal; returns the digest of all rows before and after.
struct Rebuilt {
  std::string before;
  std::string after;
  std::uint64_t facts = 0;
};
base::Try<Rebuilt> rebuild_read_models(const StoreAt& options);

}  // namespace ampacity::store
