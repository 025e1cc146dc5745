// What webhooks are told, as rows: one for a fact and a webhook, written in the transaction of the
// fact, and changed only by what became of it. They are no read model: a rebuild leaves them alone.
//
//   waiting ──attempt: 2xx──▶ delivered        waiting ──too often, too long──▶ given_up
//      ▲  │ attempt failed
//      └──┘
// Threads: functions on a Database belong to its thread; a DeliveryReader has its own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "store/database.h"

namespace ampacity::store {

enum class DeliveryState { waiting, delivered, given_up };
BOOST_DESCRIBE_ENUM(DeliveryState, waiting, delivered, given_up)

struct Delivery {
  base::Id webhook;
  std::uint64_t sequence = 0;  // of the fact
  std::string event;           // "job.ended"
  std::string body;            // as it is sent, every time
  DeliveryState state = DeliveryState::waiting;
  std::int64_t attempts = 0;
  base::Instant created_at;
  base::Instant next_at;  // while it waits
  base::Instant done_at;  // zero: not yet
  int status = 0;         // of the latest answer; 0: there was none
  std::string why;        // it failed
};

// What an attempt changes.
struct Attempt {
  base::Id webhook;
  std::uint64_t sequence = 0;
  DeliveryState state = DeliveryState::waiting;
  std::int64_t attempts = 0;
  base::Instant next_at;
  base::Instant done_at;
  int status = 0;
  std::string why;
};

extern const std::string_view deliveries_migration;

Sql<void> write_deliveries(Database& db, std::span<const Delivery> deliveries);
Sql<void> write_attempts(Database& db, std::span<const Attempt> attempts);
// How many wait, by webhook.
Sql<std::map<base::Id, std::int64_t>> waiting_deliveries(Database& db);
// Drops the oldest that are older, or more than are kept; a bounded number at once. Returns whose
// waiting ones went.
Sql<std::vector<base::Id>> prune_deliveries(Database& db, base::Instant before);

class DeliveryReader {
 public:
  static base::Try<DeliveryReader> open(const StoreAt& options);
  // Nothing: it is not there. A fault: it could not be looked at, and may well be.
  Sql<std::optional<Delivery>> find(base::Id webhook, std::uint64_t sequence);
  struct Waiting {
    base::Id webhook;
    std::uint64_t sequence = 0;
    base::Instant next_at;
  };
  std::vector<Waiting> waiting();
  // When something last got through to each.
  std::map<base::Id, base::Instant> last_delivered();
  std::vector<Delivery> latest(base::Id webhook, int limit);  // newest first

 private:
  explicit DeliveryReader(Database db) : db_(std::move(db)) {}
  Database db_;
};

}  // namespace ampacity::store
