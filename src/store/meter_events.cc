#include "store/meter_events.h"

#include <algorithm>
#include <optional>

#include "store/journal.h"
#include "store/meter_writer.h"
#include "store/store_file.h"

namespace ampacity::store {
namespace {

constexpr int event_page = 1'000;

// In this order everywhere; a macro, for SQL must be known at compile time.
#define METER_COLUMNS                                                                            \
  "SELECT e.sequence, e.received_at, s.sender, s.source, e.id, e.project_ix, e.meter, "          \
  "e.quantity_micro, e.time, e.period_from, e.period_until, k.sender, k.source, e.corrects_id, " \
  "e.sku, e.site, e.resource, e.hash FROM meter_events e "                                       \
  "JOIN meter_sources s ON s.ix = e.source_ix "                                                  \
  "LEFT JOIN meter_sources k ON k.ix = e.corrects_source_ix "

#define METER_COUNTS                                                                   \
  "NOT EXISTS (SELECT 1 FROM meter_events c WHERE c.corrects_source_ix = e.source_ix " \
  "AND c.corrects_id = e.id AND c.sequence <= ?1) "

MeterEvent event_of(const Cursor& row) {
  MeterEvent e;
  e.sequence = row.number(0);
  e.received_at = row.instant(1);
  e.key = {row.index(2), row.text(3), row.text(4)};
  e.project = row.index(5);
  e.meter = row.text(6);
  e.quantity_micro = row.integer(7);
  e.time = row.instant(8);
  e.from = row.instant(9);
  e.until = row.instant(10);
  if (!row.is_null(13)) e.corrects = {row.index(11), row.text(12), row.text(13)};
  e.sku = row.text(14);
  e.site = row.text(15);
  e.resource = row.text(16);
  e.hash = row.digest(17).value_or(base::Digest{});
  return e;
}

base::Try<std::vector<MeterEvent>> all_of(Cursor rows) {
  std::vector<MeterEvent> out;
  while (rows.next()) out.push_back(event_of(rows));
  if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
  return out;
}

class StoredMeterReader final : public MeterReader {
 public:
  explicit StoredMeterReader(Database db) : db_(std::move(db)) {}

  base::Try<void> each(const MeterQuery& query,
                       const std::function<bool(const MeterEvent&)>& visit) override {
    MeterQuery q = query;
    while (true) {
      auto page = q.project == core::nobody ? page_of_all(q) : page_of_project(q);
      if (!page) return std::unexpected(std::move(page.error()));
      for (const MeterEvent& e : *page)
        if (!visit(e)) return {};
      if (page->size() < event_page) return {};
      q.after = {page->back().from, page->back().sequence};
    }
  }

  // By the projects' own indexes, which hold the sequence: what others received costs nothing. "+"
  // keeps the planner from going through everything that is new.
  base::Try<std::optional<base::Instant>> earliest_change(std::span<const core::ProjectIx> projects,
                                                          std::uint64_t after,
                                                          std::uint64_t through) override {
    std::optional<base::Instant> first;
    const auto take = [&](base::Instant t) { first = first ? std::min(*first, t) : t; };
    for (const core::ProjectIx project : projects) {
      auto row = db_.query(
          "SELECT period_from FROM meter_events WHERE project_ix = ?1 AND +sequence > ?2 AND "
          "+sequence <= ?3 ORDER BY period_from LIMIT 1",
          project, after, through);
      if (row.next()) take(row.instant(0));
      if (row.fault()) return std::unexpected(to_fault(*row.fault()));
    }
    auto replaced = db_.query(
        "SELECT e.project_ix, e.period_from FROM meter_events c JOIN meter_events e "
        "ON e.source_ix = c.corrects_source_ix AND e.id = c.corrects_id "
        "WHERE c.corrects_id IS NOT NULL AND +c.sequence > ?1 AND +c.sequence <= ?2",
        after, through);
    while (replaced.next())
      if (std::ranges::find(projects, replaced.index(0)) != projects.end())
        take(replaced.instant(1));
    if (replaced.fault()) return std::unexpected(to_fault(*replaced.fault()));
    return first;
  }

  std::uint64_t last_sequence() override {
    auto row = db_.query("SELECT coalesce(max(sequence), 0) FROM meter_events");
    return row.next() ? row.number(0) : 0;
  }

 private:
  base::Try<std::vector<MeterEvent>> page_of_project(const MeterQuery& q) {
    const base::Instant begin = std::max(q.from, q.after.from);
    const std::uint64_t after = q.after.from < q.from ? 0 : q.after.sequence;
    return all_of(
        db_.query(METER_COLUMNS
                  "WHERE e.project_ix = ?2 AND (e.period_from, e.sequence) > (?3, ?4) "
                  "AND e.period_from < ?5 AND e.sequence <= ?1 AND (?6 = '' OR e.meter = ?6) "
                  "AND " METER_COUNTS "ORDER BY e.period_from, e.sequence LIMIT ?7",
                  q.as_of, q.project, begin, after, q.to, q.meter, event_page));
  }

  base::Try<std::vector<MeterEvent>> page_of_all(const MeterQuery& q) {
    return all_of(db_.query(METER_COLUMNS
                            "WHERE e.sequence > ?2 AND e.sequence <= ?1 AND e.period_from >= ?3 "
                            "AND e.period_from < ?4 AND (?5 = '' OR e.meter = ?5) AND " METER_COUNTS
                            "ORDER BY e.sequence LIMIT ?6",
                            q.as_of, q.after.sequence, q.from, q.to, q.meter, event_page));
  }

  Database db_;
};

struct Commit {
  std::uint64_t first = 0, last = 0;
  base::Digest chain{};
};

base::Try<std::vector<Commit>> commits_after(Database& db, std::uint64_t sequence) {
  std::vector<Commit> out;
  auto rows = db.query(
      "SELECT first_sequence, last_sequence, chain FROM meter_commits WHERE first_sequence > ? "
      "ORDER BY first_sequence LIMIT 100",
      sequence);
  while (rows.next())
    out.push_back({rows.number(0), rows.number(1), rows.digest(2).value_or(base::Digest{})});
  if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
  return out;
}

base::Try<void> verify(Database& db, const Commit& c, base::Digest& chain) {
  std::string records;
  std::uint64_t next = c.first;
  auto rows = db.query(METER_COLUMNS "WHERE e.sequence BETWEEN ? AND ? ORDER BY e.sequence",
                       c.first, c.last);
  while (rows.next()) {
    const MeterEvent e = event_of(rows);
    const std::string which = "metered event " + std::to_string(e.sequence);
    if (e.sequence != next++) return base::fault(which + ": the one before it is missing", false);
    if (payload_hash(e) != e.hash) return base::fault(which + ": its hash does not hold", false);
    records += chain_record(e);
  }
  if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
  chain = base::chain(chain, records);
  if (next != c.last + 1 || chain != c.chain)
    return base::fault("metered events " + std::to_string(c.first) + " to " +
                           std::to_string(c.last) + ": the chain does not hold",
                       false);
  return {};
}

}  // namespace

base::Try<std::unique_ptr<MeterReader>> open_meter_reader(const StoreAt& options) {
  auto db = open_to_read(options);
  if (!db) return std::unexpected(std::move(db.error()));
  return std::make_unique<StoredMeterReader>(std::move(*db));
}

base::Try<std::uint64_t> verify_meter_events(const StoreAt& options) {
  auto db = open_to_read(options);
  if (!db) return std::unexpected(std::move(db.error()));
  std::uint64_t last = 0;
  base::Digest chain{};
  while (true) {
    auto commits = commits_after(*db, last);
    if (!commits) return std::unexpected(std::move(commits.error()));
    for (const Commit& c : *commits) {
      if (c.first != last + 1) return base::fault("a commit of metered events is missing", false);
      if (auto r = verify(*db, c, chain); !r) return std::unexpected(std::move(r.error()));
      last = c.last;
    }
    if (commits->empty()) break;
  }
  auto rows = db->query("SELECT count(*) FROM meter_events WHERE sequence > ?", last);
  if (rows.next() && rows.integer(0) != 0)
    return base::fault("metered events after " + std::to_string(last) + " are in no commit", false);
  return last;
}

}  // namespace ampacity::store
