#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "store/fold.h"
#include "store/journal.h"
#include "store/ledger_store.h"
#include "store/store_file.h"

namespace ampacity::store {
namespace {

constexpr int most_at_once = 1'000;
constexpr std::size_t page_rows = 1'000;  // of what is streamed

void report(const Cursor& cursor, std::string_view what) {
  if (cursor.fault()) base::log_error("store: reading {}: {}", what, cursor.fault()->message);
}

// A page's cursor is the last id shown; ids sort by time, newest first. None: not a cursor.
std::optional<Id> before_cursor(const std::string& cursor) {
  return cursor.empty() ? Id{~0ULL, ~0ULL} : base::parse_bare_id(cursor);
}

// A LIKE pattern for names that contain it; '!' escapes.
std::string containing(std::string_view part) {
  std::string pattern = "%";
  for (const char c : part) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return pattern + "%";
}

std::optional<core::Job> job_of_body(std::string_view body) {
  auto job = base::from_sparse_json<core::Job>(body);
  if (job) return std::move(*job);
  base::log_error("store: a job's row is not readable: {}", job.error().message);
  return std::nullopt;
}

UsageRow usage_of(const Cursor& rows) {
  return {rows.id(0),
          rows.index(1),
          rows.index(2),
          rows.index(3),
          rows.index(4),
          rows.text(5),
          rows.instant(6),
          rows.instant(7),
          rows.integer(8),
          rows.integer(9),
          {rows.index(10), rows.integer(11), rows.integer(12), rows.integer(20), rows.integer(13),
           rows.integer(14), rows.integer(15), rows.integer(16), rows.integer(27), rows.integer(28),
           rows.integer(29), rows.index(30), rows.index(31)},
          {rows.integer(17), rows.integer(18), rows.integer(19)},
          rows.index(21),
          rows.index(22),
          rows.id(23),
          rows.number(24),
          rows.number(25),
          rows.index(26),
          {},
          0};
}

// Where a page of usage ended.
struct UsagePlace {
  Instant at{INT64_MIN};
  Id job;
  std::uint32_t generation = 0;
  std::uint32_t step = 0;
};
UsagePlace place_of(const UsageRow& row, Instant at) {
  return {at, row.job, row.generation, row.step};
}

class StoredReader final : public Reader {
 public:
  explicit StoredReader(Database db) : db_(std::move(db)) {}

  std::optional<core::Job> job(Id id) override {
    auto row = db_.query("SELECT body FROM jobs WHERE id = ?", id);
    if (row.next()) return job_of_body(row.bytes(0));
    report(row, "a job");
    return std::nullopt;
  }

  Page jobs(std::uint32_t project, const std::string& name, const std::string& cursor,
            int limit) override {
    const auto before = before_cursor(cursor);
    if (!before) return {};
    limit = std::clamp(limit, 1, most_at_once);
    auto rows = project == core::nobody
                    ? db_.query(
                          "SELECT body FROM jobs WHERE id < ?1 AND (?2 = '' OR name = ?2) "
                          "ORDER BY id DESC LIMIT ?3",
                          *before, name, limit + 1)
                    : db_.query(
                          "SELECT body FROM jobs WHERE id < ?1 AND (?2 = '' OR name = ?2) "
                          "AND project_ix = ?4 ORDER BY id DESC LIMIT ?3",
                          *before, name, limit + 1, project);
    return page_of(rows, limit);
  }

  Page jobs_named(std::uint32_t project, const std::string& part, const std::string& cursor,
                  int limit) override {
    if (part.empty()) return jobs(project, "", cursor, limit);
    const auto before = before_cursor(cursor);
    if (!before) return {};
    limit = std::clamp(limit, 1, most_at_once);
    const std::string like = containing(part);
    auto rows = project == core::nobody
                    ? db_.query(
                          "SELECT body FROM jobs WHERE id < ?1 AND lower(name) LIKE ?2 "
                          "ESCAPE '!' ORDER BY id DESC LIMIT ?3",
                          *before, like, limit + 1)
                    : db_.query(
                          "SELECT body FROM jobs WHERE id < ?1 AND lower(name) LIKE ?2 "
                          "ESCAPE '!' AND project_ix = ?4 ORDER BY id DESC LIMIT ?3",
                          *before, like, limit + 1, project);
    return page_of(rows, limit);
  }

  // From the index alone: bodies are long.
  Marks job_marks(std::uint32_t project, const std::string& part, std::int64_t first,
                  std::int64_t every) override {
    const std::string like = containing(part);
    const auto ids = [&] {
      if (project != core::nobody)
        return db_.query(
            "SELECT id FROM jobs WHERE lower(name) LIKE ?1 ESCAPE '!' "
            "AND project_ix = ?2 ORDER BY id DESC",
            like, project);
      if (part.empty()) return db_.query("SELECT id FROM jobs ORDER BY id DESC");
      return db_.query("SELECT id FROM jobs WHERE lower(name) LIKE ?1 ESCAPE '!' ORDER BY id DESC",
                       like);
    };
    auto rows = ids();
    Marks marks;
    while (rows.next()) {
      ++marks.count;
      if ((first + marks.count) % every == 0)
        marks.last.push_back(base::format_bare_id(rows.id(0)));
    }
    report(rows, "jobs");
    return marks;
  }

  // A page's places come from the index alone, so that what does not touch the period costs little.
  base::Try<void> each_usage(std::uint32_t org, Instant from, Instant until, std::uint64_t known,
                             const std::function<void(const UsageRow&)>& visit) override {
    UsagePlace after;
    std::vector<UsageRow> page;
    do {
      page.clear();
      auto rows = db_.query(
          "WITH page AS (SELECT job, generation, step FROM usage WHERE org_ix = ?1 AND "
          "(started_at, job, generation, step) > (?5, ?6, ?7, ?8) AND started_at < ?3 AND "
          "(ended_at > ?2 OR sequence > ?4) ORDER BY started_at, job, generation, step LIMIT ?9) "
          "SELECT u.job, u.generation, u.project_ix, u.user_ix, u.sku_ix, u.job_class, "
          "u.started_at, u.ended_at, u.billed_s, u.waived_s, u.price_version, u.gpu_price, "
          "u.gpus, u.vcpu_price, u.cpu_milli, u.gib_price, u.memory_mib, u.gpu_amount, "
          "u.vcpu_amount, u.memory_amount, u.gpu_milli, u.org_ix, u.site_ix, u.reservation, "
          "u.started_sequence, u.sequence, u.step, u.gpu_flat, u.vcpu_flat, u.gib_flat, "
          "u.host_version, u.term_months, n.started_at, n.started_sequence FROM page "
          "JOIN usage u ON u.job = page.job AND u.generation = page.generation AND "
          "u.step = page.step LEFT JOIN usage n ON n.job = u.job AND "
          "n.generation = u.generation AND n.step = u.step + 1 AND n.started_at > u.ended_at "
          "ORDER BY u.started_at, u.job, u.generation, u.step",
          org, from, until, known, after.at, after.job, after.generation, after.step, page_rows);
      while (rows.next()) {
        UsageRow& row = page.emplace_back(usage_of(rows));
        if (!rows.is_null(32)) row.undone_at = rows.instant(32);
        if (!rows.is_null(33)) row.undone_sequence = rows.number(33);
      }
      if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
      for (const UsageRow& row : page) visit(row);
      if (!page.empty()) after = place_of(page.back(), page.back().started_at);
    } while (page.size() == page_rows);
    return {};
  }

  base::Try<std::optional<Instant>> earliest_since(std::uint32_t org,
                                                   std::uint64_t sequence) override {
    auto row = db_.query(
        "SELECT started_at FROM usage WHERE org_ix = ? AND sequence > ? "
        "ORDER BY started_at LIMIT 1",
        org, sequence);
    if (row.next()) return row.instant(0);
    if (row.fault()) return std::unexpected(to_fault(*row.fault()));
    return std::nullopt;
  }

  std::optional<core::Invoice> invoice(Id id) override {
    auto row = db_.query("SELECT body FROM invoices WHERE id = ?", id);
    if (!row.next()) {
      report(row, "an invoice");
      return std::nullopt;
    }
    auto invoice = base::from_sparse_json<core::Invoice>(row.bytes(0));
    if (invoice) return std::move(*invoice);
    base::log_error("store: an invoice's row is not readable: {}", invoice.error().message);
    return std::nullopt;
  }

  base::Try<std::vector<core::InvoiceLine>> lines_since(std::uint32_t org, Instant month,
                                                        Id before) override {
    std::vector<core::InvoiceLine> out;
    auto rows = db_.query(
        "SELECT l.kind, l.project_ix, l.meter, l.sku_ix, l.site_ix, l.job_class, "
        "l.price_version, l.contract, l.month, l.period_from, l.period_until, l.quantity, l.per, "
        "l.price, l.ticks, l.minor, l.covered_minor, l.contract_minor, l.paid_ticks, l.correction "
        "FROM invoice_lines l JOIN invoices i ON i.id = l.invoice "
        "WHERE l.org_ix = ?1 AND (l.month >= ?2 OR l.contract IS NOT NULL) AND "
        "i.sequence < coalesce((SELECT sequence FROM invoices WHERE id = ?3), "
        "4611686018427387904) "
        "ORDER BY i.sequence, l.n",
        org, month, before);
    while (rows.next()) {
      const auto kind = base::parse_enum<core::LineKind>(rows.bytes(0));
      const auto job_class = base::parse_enum<core::JobClass>(rows.bytes(5));
      if (!kind || !job_class) return base::fault("an invoice's line is not readable", false);
      core::InvoiceLine& l = out.emplace_back();
      l.kind = *kind;
      l.project = rows.index(1);
      l.meter = rows.text(2);
      l.sku = rows.index(3);
      l.site = rows.index(4);
      l.job_class = *job_class;
      l.price_version = rows.index(6);
      l.contract = rows.id(7);
      l.month = rows.instant(8);
      l.from = rows.instant(9);
      l.until = rows.instant(10);
      l.quantity = rows.integer(11);
      l.per = rows.integer(12);
      l.price = rows.integer(13);
      l.ticks = rows.integer(14);
      l.minor = rows.integer(15);
      l.covered_minor = rows.integer(16);
      l.contract_minor = rows.integer(17);
      l.paid_ticks = rows.integer(18);
      l.correction = rows.integer(19) != 0;
    }
    if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
    return out;
  }

  base::Try<std::vector<core::Payment>> payments(std::uint32_t org) override {
    std::vector<core::Payment> out;
    auto rows = db_.query(
        "SELECT p.id, p.invoice, p.minor, p.provider, p.reference, p.paid_at FROM payments p "
        "JOIN invoices i ON i.id = p.invoice WHERE i.org_ix = ? ORDER BY p.paid_at, p.id",
        org);
    while (rows.next())
      out.push_back(
          {rows.id(0), rows.id(1), rows.integer(2), rows.text(3), rows.text(4), rows.instant(5)});
    if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
    return out;
  }

  base::Try<void> each_ended(std::uint32_t project, Instant from, Instant to,
                             const std::function<void(const UsageRow&)>& visit) override {
    UsagePlace after{from - base::Duration{1}, {~0ULL, ~0ULL}};
    std::vector<UsageRow> page;
    do {
      page.clear();
      auto rows = db_.query(
          "SELECT job, generation, project_ix, user_ix, sku_ix, job_class, started_at, ended_at, "
          "billed_s, waived_s, price_version, gpu_price, gpus, vcpu_price, cpu_milli, gib_price, "
          "memory_mib, gpu_amount, vcpu_amount, memory_amount, gpu_milli, org_ix, site_ix, "
          "reservation, started_sequence, sequence, step, gpu_flat, vcpu_flat, gib_flat, "
          "host_version, term_months FROM usage "
          "WHERE (ended_at, job, generation, step) > (?1, ?2, ?3, ?4) AND ended_at < ?5 "
          "AND (?6 = ?7 OR project_ix = ?6) AND NOT (step > 0 AND ended_at = started_at) "
          "ORDER BY ended_at, job, generation, step LIMIT ?8",
          after.at, after.job, after.generation, after.step, to, project, core::nobody, page_rows);
      while (rows.next()) page.push_back(usage_of(rows));
      if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
      for (const UsageRow& row : page) visit(row);
      if (!page.empty()) after = place_of(page.back(), page.back().ended_at);
    } while (page.size() == page_rows);
    return {};
  }

  std::vector<TransferRow> transfers(Id job) override {
    std::vector<TransferRow> out;
    auto rows = db_.query("SELECT " AMPACITY_TRANSFER_COLUMNS
                          ", reason, sequence, at, job, generation FROM transfers "
                          "WHERE job = ? ORDER BY timestamp",
                          job);
    while (rows.next()) out.push_back(read_transfer_row(rows));
    report(rows, "transfers");
    return out;
  }

  base::Try<void> each_transfer(std::uint64_t sequence,
                                const std::function<void(const TransferRow&)>& visit) override {
    std::vector<TransferRow> page;
    Instant after{INT64_MIN};
    do {
      page.clear();
      auto rows = db_.query("SELECT " AMPACITY_TRANSFER_COLUMNS
                            ", reason, sequence, at, job, generation FROM transfers "
                            "WHERE timestamp > ? AND sequence <= ? ORDER BY timestamp LIMIT ?",
                            after, sequence, page_rows);
      while (rows.next()) page.push_back(read_transfer_row(rows));
      if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
      for (const TransferRow& row : page) visit(row);
      if (!page.empty()) after = page.back().transfer.timestamp;
    } while (page.size() == page_rows);
    return {};
  }

  std::optional<TransferRow> transfer(Id id) override {
    auto row = db_.query("SELECT " AMPACITY_TRANSFER_COLUMNS
                         ", reason, sequence, at, job, generation FROM transfers WHERE id = ?",
                         id);
    if (row.next()) return read_transfer_row(row);
    report(row, "transfer");
    return std::nullopt;
  }

  std::vector<ledger::Head> ledger_heads() override {
    auto heads = read_heads(db_);
    if (!heads) base::log_error("store: ledger_heads: {}", heads.error().message);
    return heads ? std::move(*heads) : std::vector<ledger::Head>{};
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
  // Of a query for bodies that asked for one row more than the page has.
  Page page_of(Cursor& rows, int limit) {
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

  Database db_;
};

}  // namespace

base::Try<std::unique_ptr<Reader>> open_reader(const StoreAt& options) {
  auto db = open_to_read(options);
  if (!db) return std::unexpected(std::move(db.error()));
  return std::make_unique<StoredReader>(std::move(*db));
}

}  // namespace ampacity::store
