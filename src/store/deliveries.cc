#include "store/deliveries.h"

#include <algorithm>

#include "base/log.h"
#include "store/store_file.h"

namespace ampacity::store {
namespace {

constexpr int most_kept = 100'000;  // all webhooks together, done or not
constexpr int pruned_at_once = 2'000;

Delivery delivery_of(const Cursor& row) {
  Delivery d;
  d.webhook = row.id(0);
  d.sequence = row.number(1);
  d.event = row.text(2);
  d.body = row.text(3);
  d.state = base::parse_enum<DeliveryState>(row.bytes(4)).value_or(DeliveryState::given_up);
  d.attempts = row.integer(5);
  d.created_at = row.instant(6);
  d.next_at = row.instant(7);
  d.done_at = row.instant(8);
  d.status = static_cast<int>(row.integer(9));
  d.why = row.text(10);
  return d;
}

void report(const Cursor& cursor) {
  if (cursor.fault()) base::log_error("store: reading deliveries: {}", cursor.fault()->message);
}

}  // namespace

const std::string_view deliveries_migration = R"sql(
CREATE TABLE webhook_deliveries (
  webhook BLOB NOT NULL,
  sequence BIGINT NOT NULL,
  event TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  status BIGINT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (webhook, sequence),
  CHECK (state IN ('waiting', 'delivered', 'given_up') AND (state = 'waiting') = (done_at = 0))
) WITHOUT ROWID;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook, sequence)
  WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at, webhook, sequence);
)sql";

Sql<void> write_deliveries(Database& db, std::span<const Delivery> deliveries) {
  for (const Delivery& d : deliveries) {
    auto r = db.run(
        "INSERT INTO webhook_deliveries (webhook, sequence, event, body, state, attempts, "
        "created_at, next_at, done_at, status, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        d.webhook, d.sequence, d.event, d.body, base::enum_name(d.state), d.attempts, d.created_at,
        d.next_at, d.done_at, d.status, d.why);
    if (!r) return r;
  }
  return {};
}

Sql<void> write_attempts(Database& db, std::span<const Attempt> attempts) {
  for (const Attempt& a : attempts) {
    auto r = db.run(
        "UPDATE webhook_deliveries SET state = ?, attempts = ?, next_at = ?, done_at = ?, "
        "status = ?, why = ? WHERE webhook = ? AND sequence = ?",
        base::enum_name(a.state), a.attempts, a.next_at, a.done_at, a.status, a.why, a.webhook,
        a.sequence);
    if (!r) return r;
  }
  return {};
}

Sql<std::map<base::Id, std::int64_t>> waiting_deliveries(Database& db) {
  std::map<base::Id, std::int64_t> counts;
  auto rows = db.query(
      "SELECT webhook, count(*) FROM webhook_deliveries WHERE state = 'waiting' GROUP BY webhook");
  while (rows.next()) counts[rows.id(0)] = rows.integer(1);
  if (rows.fault()) return std::unexpected(*rows.fault());
  return counts;
}

Sql<std::vector<base::Id>> prune_deliveries(Database& db, base::Instant before) {
  std::vector<std::pair<base::Id, std::uint64_t>> old;
  std::vector<base::Id> waited;
  {
    auto rows = db.query(
        "SELECT webhook, sequence, state FROM webhook_deliveries WHERE created_at < ?1 OR "
        "created_at < coalesce((SELECT created_at FROM webhook_deliveries "
        "ORDER BY created_at DESC LIMIT 1 OFFSET ?2), 0) ORDER BY created_at LIMIT ?3",
        before, most_kept, pruned_at_once);
    while (rows.next()) {
      old.emplace_back(rows.id(0), rows.number(1));
      if (rows.bytes(2) == "waiting") waited.push_back(rows.id(0));
    }
    if (rows.fault()) return std::unexpected(*rows.fault());
  }
  for (const auto& [webhook, sequence] : old)
    if (auto r = db.run("DELETE FROM webhook_deliveries WHERE webhook = ? AND sequence = ?",
                        webhook, sequence);
        !r)
      return std::unexpected(std::move(r.error()));
  return waited;
}

base::Try<DeliveryReader> DeliveryReader::open(const StoreAt& options) {
  auto db = open_to_read(options);
  if (!db) return std::unexpected(std::move(db.error()));
  return DeliveryReader(std::move(*db));
}

Sql<std::optional<Delivery>> DeliveryReader::find(base::Id webhook, std::uint64_t sequence) {
  auto row = db_.query(
      "SELECT webhook, sequence, event, body, state, attempts, created_at, next_at, done_at, "
      "status, why FROM webhook_deliveries WHERE webhook = ? AND sequence = ?",
      webhook, sequence);
  if (row.next()) return delivery_of(row);
  if (row.fault()) return std::unexpected(*row.fault());
  return std::nullopt;
}

std::vector<DeliveryReader::Waiting> DeliveryReader::waiting() {
  std::vector<Waiting> out;
  auto rows = db_.query(
      "SELECT webhook, sequence, next_at FROM webhook_deliveries WHERE state = 'waiting'");
  while (rows.next()) out.push_back({rows.id(0), rows.number(1), rows.instant(2)});
  report(rows);
  return out;
}

std::map<base::Id, base::Instant> DeliveryReader::last_delivered() {
  std::map<base::Id, base::Instant> out;
  auto rows = db_.query(
      "SELECT webhook, max(done_at) FROM webhook_deliveries WHERE state = 'delivered' "
      "GROUP BY webhook");
  while (rows.next()) out[rows.id(0)] = rows.instant(1);
  report(rows);
  return out;
}

std::vector<Delivery> DeliveryReader::latest(base::Id webhook, int limit) {
  std::vector<Delivery> out;
  auto rows = db_.query(
      "SELECT webhook, sequence, event, body, state, attempts, created_at, next_at, done_at, "
      "status, why FROM webhook_deliveries WHERE webhook = ? ORDER BY sequence DESC LIMIT ?",
      webhook, std::clamp(limit, 1, 500));
  while (rows.next()) out.push_back(delivery_of(rows));
  report(rows);
  return out;
}

}  // namespace ampacity::store
