#include "store/meter_writer.h"

#include <tuple>
#include <vector>

#include "base/chaos.h"

namespace ampacity::store {
namespace {

constexpr std::size_t most_sources_remembered = 50'000;

void put(std::string& out, std::uint64_t n, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(n >> (8 * i));
}

void put(std::string& out, std::string_view text) {
  put(out, text.size(), 4);
  out += text;
}

}  // namespace

// Fields in one order, texts with their length in front: no two events make the same bytes.
base::Digest payload_hash(const MeterEvent& e) {
  std::string bytes;
  bytes.reserve(320);
  bytes = "ampacity.meter.1";
  for (const std::string* text : {&e.key.source, &e.key.id, &e.meter, &e.corrects.source,
                                  &e.corrects.id, &e.sku, &e.site, &e.resource})
    put(bytes, *text);
  for (const std::int64_t n : {e.quantity_micro, e.time.us, e.from.us, e.until.us})
    put(bytes, static_cast<std::uint64_t>(n), 8);
  return base::sha256(bytes);
}

std::string chain_record(const MeterEvent& e) {
  std::string bytes;
  bytes.reserve(52);
  put(bytes, e.sequence, 8);
  put(bytes, e.project, 4);
  put(bytes, e.key.sender, 4);
  put(bytes, e.corrects.sender, 4);
  bytes.append(reinterpret_cast<const char*>(e.hash.data()), e.hash.size());
  return bytes;
}

Sql<MeterWriter> MeterWriter::open(Database& db) {
  MeterWriter w;
  auto row = db.query(
      "SELECT last_sequence, chain FROM meter_commits ORDER BY first_sequence DESC LIMIT 1");
  if (row.next()) w.end_ = {row.number(0), row.digest(1).value_or(base::Digest{})};
  if (row.fault()) return std::unexpected(*row.fault());
  w.kept_ = w.end_;
  return w;
}

void MeterWriter::forget() {
  end_ = kept_;
  sources_.clear();  // some may have been new
}

Sql<void> MeterWriter::write(Database& db, std::span<MeterBatch* const> batches) {
  if (batches.empty()) return {};
  const std::uint64_t first = end_.sequence + 1;
  std::string records;
  if (auto r = look_up(db, batches); !r) return r;
  for (MeterBatch* batch : batches) {
    batch->outcomes.clear();
    batch->outcomes.reserve(batch->events.size());
    for (MeterEvent& e : batch->events) {
      e.received_at = batch->received_at;
      auto outcome = write_one(db, e);
      if (!outcome) return std::unexpected(std::move(outcome.error()));
      batch->outcomes.push_back(*outcome);
      if (*outcome == MeterOutcome::accepted) records += chain_record(e);
    }
    batch->last_sequence = end_.sequence;
  }
  if (end_.sequence < first) return {};
  end_.chain = base::chain(end_.chain, records);
  return db.run(
      "INSERT INTO meter_commits (first_sequence, last_sequence, received_at, chain) "
      "VALUES (?, ?, ?, ?)",
      first, end_.sequence, batches.back()->received_at, end_.chain);
}

Sql<void> MeterWriter::look_up(Database& db, std::span<MeterBatch* const> batches) {
  taken_.reset();
  if (!db.connection().is_postgres()) return {};
  taken_.emplace();
  std::vector<std::pair<Source, std::string_view>> names;
  for (const MeterBatch* batch : batches)
    for (const MeterEvent& e : batch->events) {
      auto source = source_of(db, e.key.sender, e.key.source);
      if (!source) return std::unexpected(std::move(source.error()));
      if (*source) names.emplace_back(**source, e.key.id);
    }
  return db.query_each(
      "SELECT 1 FROM meter_events WHERE source_ix = ? AND id = ?", names,
      [](const auto& name) { return std::tie(name.first, name.second); },
      [&](const auto& name, const Cursor&) { taken_->emplace(name.first, name.second); });
}

// The unique index on (source, id) decides; what is looked up before is for corrections alone,
// which are few.
Sql<MeterOutcome> MeterWriter::write_one(Database& db, MeterEvent& e) {
  auto source = source_of(db, e.key.sender, e.key.source);
  if (!source) return std::unexpected(std::move(source.error()));
  if (!*source) return MeterOutcome::too_many_sources;
  Source corrects = 0;
  if (e.is_correction()) {
    auto named = source_of(db, e.corrects.sender, e.corrects.source);
    if (!named) return std::unexpected(std::move(named.error()));
    if (!*named) return MeterOutcome::too_many_sources;
    corrects = **named;
    auto refused = refused_correction(db, e, **source, corrects);
    if (!refused) return std::unexpected(std::move(refused.error()));
    if (*refused) return **refused;
  }
  e.sequence = end_.sequence + 1;
  if (base::planted("events-counted-twice")) e.key.id += "-" + std::to_string(e.sequence);
  auto done = db.run(
      "INSERT INTO meter_events (sequence, received_at, source_ix, id, project_ix, meter, "
      "quantity_micro, time, period_from, period_until, corrects_source_ix, corrects_id, sku, "
      "site, resource, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, nullif(?11, 0), "
      "nullif(?12, ''), ?13, ?14, ?15, ?16) ON CONFLICT (source_ix, id) DO NOTHING",
      e.sequence, e.received_at, **source, e.key.id, e.project, e.meter, e.quantity_micro, e.time,
      e.from, e.until, corrects, e.corrects.id, e.sku, e.site, e.resource, e.hash);
  if (!done) return std::unexpected(std::move(done.error()));
  const bool free = taken_ && taken_->emplace(**source, e.key.id).second;
  if (free || db.changes() == 1) {
    ++end_.sequence;
    return MeterOutcome::accepted;
  }
  auto there = already(db, e, **source, corrects);
  if (!there) return std::unexpected(std::move(there.error()));
  return there->value_or(MeterOutcome::other_payload);
}

Sql<std::optional<MeterOutcome>> MeterWriter::already(Database& db, const MeterEvent& e,
                                                      Source source, Source corrects) {
  std::optional<MeterOutcome> outcome;
  auto row = db.query(
      "SELECT project_ix, coalesce(corrects_source_ix, 0), hash FROM meter_events "
      "WHERE source_ix = ? AND id = ?",
      source, e.key.id);
  if (row.next()) {
    const bool same =
        row.index(0) == e.project && row.integer(1) == corrects && row.digest(2) == e.hash;
    outcome = same ? MeterOutcome::duplicate : MeterOutcome::other_payload;
  }
  if (row.fault()) return std::unexpected(*row.fault());
  return outcome;
}

// Received before, or the thing it corrects is corrected already, or, from there back, it comes to
// itself. Corrections may come before what they correct, so a circle could close either way.
Sql<std::optional<MeterOutcome>> MeterWriter::refused_correction(Database& db, const MeterEvent& e,
                                                                 Source source, Source corrects) {
  auto there = already(db, e, source, corrects);
  if (!there || *there) return there;
  auto other =
      db.query("SELECT 1 FROM meter_events WHERE corrects_source_ix = ? AND corrects_id = ?",
               corrects, e.corrects.id);
  if (other.next()) return MeterOutcome::already_corrected;
  if (other.fault()) return std::unexpected(*other.fault());
  Source at = corrects;
  std::string id = e.corrects.id;
  for (int i = 0; i < most_corrections_in_a_row; ++i) {
    if (at == source && id == e.key.id) return MeterOutcome::circular;
    auto row = db.query(
        "SELECT corrects_source_ix, corrects_id FROM meter_events WHERE source_ix = ? AND id = ? "
        "AND corrects_id IS NOT NULL",
        at, id);
    if (!row.next()) {
      if (row.fault()) return std::unexpected(*row.fault());
      return std::nullopt;
    }
    at = row.integer(0);
    id = row.text(1);
  }
  return MeterOutcome::circular;
}

Sql<std::optional<MeterWriter::Source>> MeterWriter::source_of(Database& db, Sender sender,
                                                               const std::string& name) {
  if (const auto known = sources_.find(NamedView{sender, name}); known != sources_.end())
    return known->second;
  Source ix = 0;
  {
    auto row =
        db.query("SELECT ix FROM meter_sources WHERE sender = ? AND source = ?", sender, name);
    if (row.next()) ix = row.integer(0);
    if (row.fault()) return std::unexpected(*row.fault());
  }
  if (ix == 0) {
    {
      auto row = db.query(
          "SELECT count(*), (SELECT coalesce(max(ix), 0) FROM meter_sources) "
          "FROM meter_sources WHERE sender = ?",
          sender);
      if (!row.next()) return std::unexpected(row.fault().value_or(SqlFault{}));
      if (row.integer(0) >= most_sources_per_sender) return std::nullopt;
      ix = row.integer(1) + 1;
    }
    auto done =
        db.run("INSERT INTO meter_sources (ix, sender, source) VALUES (?, ?, ?)", ix, sender, name);
    if (!done) return std::unexpected(std::move(done.error()));
  }
  if (sources_.size() >= most_sources_remembered) sources_.clear();
  sources_.emplace(Named{sender, name}, ix);
  return ix;
}

}  // namespace ampacity::store
