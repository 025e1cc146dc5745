#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "store/fold.h"
#include "store/journal.h"
#include "store/store_file.h"

namespace ampacity::store {
namespace {

constexpr int most_at_once = 1'000;

void report(const Cursor& cursor, std::string_view what) {
  if (cursor.fault()) base::log_error("store: reading {}: {}", what, cursor.fault()->message);
}

std::optional<core::Job> job_of_body(std::string_view body) {
  auto job = base::from_sparse_json<core::Job>(body);
  if (job) return std::move(*job);
  base::log_error("store: a job's row is not readable: {}", job.error().message);
  return std::nullopt;
}

class SqliteReader final : public Reader {
 public:
  explicit SqliteReader(Database db) : db_(std::move(db)) {}

  std::optional<core::Job> job(Id id) override {
    auto row = db_.query("SELECT body FROM jobs WHERE id = ?", id);
    if (row.next()) return job_of_body(row.bytes(0));
    report(row, "a job");
    return std::nullopt;
  }

  // The cursor is the last id shown; ids sort by time.
  Page jobs(std::uint32_t project, const std::string& name, const std::string& cursor,
            int limit) override {
    Id before{~0ULL, ~0ULL};
    if (!cursor.empty()) {
      const auto id = base::parse_bare_id(cursor);
      if (!id) return {};
      before = *id;
    }
    limit = std::clamp(limit, 1, most_at_once);
    auto rows = project == core::nobody
                    ? db_.query(
                          "SELECT body FROM jobs WHERE id < ?1 AND (?2 = '' OR name = ?2) "
                          "ORDER BY id DESC LIMIT ?3",
                          before, name, limit + 1)
                    : db_.query(
                          "SELECT body FROM jobs WHERE id < ?1 AND (?2 = '' OR name = ?2) "
                          "AND project_ix = ?4 ORDER BY id DESC LIMIT ?3",
                          before, name, limit + 1, project);
    Page page;
    while (rows.next()) {
      if (static_cast<int>(page.jobs.size()) == limit) {
        page.next_cursor = base::format_bare_id(page.jobs.back().id);
        break;
      }
      if (auto job = job_of_body(rows.bytes(0))) page.jobs.push_back(std::move(*job));
    }
    report(rows, "jobs");
    return page;
  }

  // By the instant each lease ended: windows that follow each other share nothing and miss nothing.
  std::vector<UsageRow> usage(std::uint32_t project, Instant from, Instant to) override {
    std::vector<UsageRow> out;
    auto rows = db_.query(
        "SELECT job, generation, project_ix, user_ix, sku_ix, job_class, started_at, ended_at, "
        "billed_s, waived_s, price_version, gpu_price, gpus, vcpu_price, cpu_milli, gib_price, "
        "memory_mib, gpu_amount, vcpu_amount, memory_amount, gpu_milli FROM usage "
        "WHERE ended_at >= ?1 AND ended_at < ?2 AND (?3 = ?4 OR project_ix = ?3) "
        "ORDER BY ended_at, job, generation",
        from, to, project, core::nobody);
    while (rows.next())
      out.push_back({rows.id(0),
                     rows.index(1),
                     rows.index(2),
                     rows.index(3),
                     rows.index(4),
                     rows.text(5),
                     rows.instant(6),
                     rows.instant(7),
                     rows.integer(8),
                     rows.integer(9),
                     {rows.index(10), rows.integer(11), rows.integer(12), rows.integer(20),
                      rows.integer(13), rows.integer(14), rows.integer(15), rows.integer(16)},
                     {rows.integer(17), rows.integer(18), rows.integer(19)}});
    report(rows, "usage");
    return out;
  }

  std::vector<TransferRow> transfers(Id job) override {
    std::vector<TransferRow> out;
    auto rows = db_.query(
        "SELECT id, kind, debit_ix, credit_ix, amount, pending_id, reason, sequence, at, job, "
        "generation FROM transfers WHERE job = ? ORDER BY id",
        job);
    while (rows.next()) {
      const auto kind = base::parse_enum<core::TransferKind>(rows.bytes(1));
      const auto reason = base::parse_enum<core::TransferReason>(rows.bytes(6));
      if (!kind || !reason) continue;
      out.push_back({{rows.number(0), *kind, rows.index(2), rows.index(3), rows.integer(4),
                      rows.number(5), *reason},
                     rows.number(7),
                     rows.instant(8),
                     rows.id(9),
                     rows.index(10)});
    }
    report(rows, "transfers");
    return out;
  }

  std::vector<StoredFact> facts_after(std::uint64_t sequence, int limit) override {
    limit = std::clamp(limit, 1, most_at_once);
    std::vector<StoredFact> out;
    // Each commit holds at least one fact.
    auto rows = db_.query(
        "SELECT first_sequence, facts FROM journal WHERE first_sequence >= "
        "(SELECT coalesce(max(first_sequence), 0) FROM journal WHERE first_sequence <= ?1 + 1) "
        "ORDER BY first_sequence LIMIT ?2",
        sequence, limit + 1);
    while (static_cast<int>(out.size()) < limit && rows.next()) {
      auto facts = parse_facts(rows.bytes(1));
      if (!facts) {
        base::log_error("store: journal row {}: {}", rows.integer(0), facts.error().message);
        break;
      }
      std::uint64_t at = rows.number(0);
      for (core::Fact& fact : *facts) {
        if (at > sequence && static_cast<int>(out.size()) < limit)
          out.push_back({at, std::move(fact)});
        ++at;
      }
    }
    report(rows, "facts");
    return out;
  }

  std::uint64_t last_sequence() override {
    const auto end = journal_end(db_);
    return end ? end->sequence : 0;
  }

 private:
  Database db_;
};

}  // namespace

base::Try<std::unique_ptr<Reader>> open_sqlite_reader(const SqliteOptions& options) {
  auto db = open_to_read(options.file);
  if (!db) return std::unexpected(std::move(db.error()));
  return std::make_unique<SqliteReader>(std::move(*db));
}

}  // namespace ampacity::store
