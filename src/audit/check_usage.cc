#include <functional>
#include <map>
#include <vector>

#include "audit/checks.h"
#include "base/id.h"

namespace ampacity::audit {
namespace {

using Wide = __int128;

constexpr std::int64_t us_per_s = 1'000'000;
constexpr int wallet_code = 2300;  // chart of accounts
constexpr int revenue_code = 4000;
constexpr std::size_t page_rows = 4'096;

std::string name_of(base::Id job, std::int64_t generation) {
  return base::format_id("job", job) + "-" + std::to_string(generation);
}

// The exact rational `numerator`/`denominator`, up to the next integer; not negative.
Wide up(Wide numerator, Wide denominator) {
  return numerator / denominator + (numerator % denominator > 0 ? 1 : 0);
}

// A ceiling's flat is held for each calendar month that so many seconds may touch.
Wide months_touched(Wide seconds) { return seconds == 0 ? 0 : 1 + up(seconds, 28 * 24 * 3600); }

struct RatedLease {
  base::Id job;
  std::int64_t generation = 0;
  std::int64_t started_at = 0, ended_at = 0, billed_s = 0, waived_s = 0;
  std::int64_t gpu_price = 0, gpus = 0, vcpu_price = 0, cpu_milli = 0, gib_price = 0,
               memory_mib = 0;
  std::int64_t gpu_amount = 0, vcpu_amount = 0, memory_amount = 0;
  std::int64_t gpu_milli = 0;  // of each GPU
  std::int64_t gpu_flat = 0, vcpu_flat = 0, gib_flat = 0, step = 0;
};

RatedLease lease_of(const store::Cursor& r) {
  return {r.id(0),       r.integer(1),  r.integer(2),  r.integer(3),  r.integer(4),
          r.integer(5),  r.integer(6),  r.integer(7),  r.integer(8),  r.integer(9),
          r.integer(10), r.integer(11), r.integer(12), r.integer(13), r.integer(14),
          r.integer(15), r.integer(16), r.integer(17), r.integer(18), r.integer(19)};
}

#define AMPACITY_LEASES                                                                    \
  "SELECT job, generation, started_at, ended_at, billed_s, waived_s, gpu_price, gpus, "    \
  "vcpu_price, cpu_milli, gib_price, memory_mib, gpu_amount, vcpu_amount, memory_amount, " \
  "gpu_milli, gpu_flat, vcpu_flat, gib_flat, step FROM usage"

void rerate(const RatedLease& l, Tally& tally) {
  ++tally.examined;
  const auto differs = [&](const char* what, Wide derived, std::int64_t stored) {
    if (derived == stored) return;
    tally.wrong(fmt::format("{}: {} is {} and comes out as {}", name_of(l.job, l.generation), what,
                            stored, static_cast<std::int64_t>(derived)));
  };
  if (l.gpu_price < 0 || l.gpus < 0 || l.vcpu_price < 0 || l.cpu_milli < 0 || l.gib_price < 0 ||
      l.memory_mib < 0 || l.billed_s < 0 || l.waived_s < 0 || l.gpu_milli < 0 || l.gpu_flat < 0 ||
      l.vcpu_flat < 0 || l.gib_flat < 0)
    return tally.wrong(name_of(l.job, l.generation) + ": a negative price, quantity or time");
  const std::int64_t ran_us = l.ended_at - l.started_at;
  const std::int64_t observed_s = ran_us / us_per_s + (ran_us % us_per_s > 0 ? 1 : 0);
  differs("billed + waived", observed_s, l.billed_s + l.waived_s);
  const Wide s = l.billed_s;
  const Wide months = months_touched(s);
  differs("the GPU amount", up(s * l.gpus * l.gpu_milli * l.gpu_price, 1000) + months * l.gpu_flat,
          l.gpu_amount);
  differs("the vCPU amount", up(s * l.cpu_milli * l.vcpu_price, 1000) + months * l.vcpu_flat,
          l.vcpu_amount);
  differs("the memory amount", up(s * l.memory_mib * l.gib_price, 1024) + months * l.gib_flat,
          l.memory_amount);
}

void check_leases(store::Database& db, std::vector<Finding>& findings) {
  Tally rated("usage_rerated"), disjoint("intervals_disjoint");
  Wide billed_s = 0, waived_s = 0, amount = 0;
  RatedLease before;
  auto rows = db.query(AMPACITY_LEASES " ORDER BY job, generation, step");
  while (rows.next()) {
    const RatedLease l = lease_of(rows);
    rerate(l, rated);
    billed_s += l.billed_s;
    waived_s += l.waived_s;
    amount += Wide{l.gpu_amount} + l.vcpu_amount + l.memory_amount;
    ++disjoint.examined;
    if (l.job != before.job) before = {};
    if (l.ended_at == l.started_at) continue;  // never ran: takes no time
    // A microsecond apart: what began and ended in one instant takes one.
    if (l.started_at + 1 < before.ended_at)
      disjoint.wrong(name_of(l.job, l.generation) + " begins before " +
                     name_of(before.job, before.generation) + " has ended");
    before = l;
  }
  rated.read_to_the_end(rows);
  disjoint.read_to_the_end(rows);
  findings.push_back(rated.finding(fmt::format("{} leases, {} s billed, {} s waived, {} ticks",
                                               rated.examined, static_cast<std::int64_t>(billed_s),
                                               static_cast<std::int64_t>(waived_s),
                                               static_cast<std::int64_t>(amount))));
  findings.push_back(disjoint.finding(fmt::format("{} intervals", disjoint.examined)));
}

// The rows of a query in pages, each after the last row of the one before: two are walked side by
// side on one connection, and what one overtakes of the other is kept in memory.
template <typename Row>
class Pages {
 public:
  using ReadAfter = std::function<void(const Row& after, std::vector<Row>& page)>;
  explicit Pages(ReadAfter read) : read_(std::move(read)) {}
  bool next() {
    if (++at_ < page_.size()) return true;
    if (at_ > 0 && page_.size() < page_rows) return false;
    const Row last = page_.empty() ? Row{} : page_.back();
    page_.clear();
    at_ = 0;
    read_(last, page_);
    return !page_.empty();
  }
  const Row& row() const { return page_[at_]; }

 private:
  const ReadAfter read_;
  std::vector<Row> page_;
  std::size_t at_ = SIZE_MAX;
};

struct Move {
  base::Id job;
  std::int64_t generation = 0, timestamp = 0, debit_code = 0, credit_code = 0, amount = 0;
  bool posts = false;
};

// The nil id is before every other.
store::Blob bytes_of(const base::Id& id, std::string& buffer) {
  buffer.clear();
  for (const std::uint64_t half : {id.high, id.low})
    for (int shift = 56; shift >= 0; shift -= 8) buffer += static_cast<char>(half >> shift);
  return {buffer};
}

// Walks the leases and the transfers side by side, both in the order of their jobs.
class UsageAgainstLedger {
 public:
  explicit UsageAgainstLedger(store::Database& db) : db_(db) {}

  void run(std::vector<Finding>& findings) {
    Pages<RatedLease> usage([this](const RatedLease& after, std::vector<RatedLease>& page) {
      read_leases(after, page);
    });
    Pages<Move> moves(
        [this](const Move& after, std::vector<Move>& page) { read_moves(after, page); });
    bool more_usage = usage.next(), more_moves = moves.next();
    while (more_usage || more_moves) {
      const base::Id job = !more_moves   ? usage.row().job
                           : !more_usage ? moves.row().job
                                         : std::min(usage.row().job, moves.row().job);
      posted_.clear();
      billed_.clear();
      for (; more_moves && moves.row().job == job; more_moves = moves.next()) add(moves.row());
      for (; more_usage && usage.row().job == job; more_usage = usage.next()) {
        const RatedLease& l = usage.row();
        billed_[l.generation] += Wide{l.gpu_amount} + l.vcpu_amount + l.memory_amount;
      }
      compare(job);
    }
    findings.push_back(
        tally_.finding(fmt::format("{} closed leases, {} ticks in both; {} leases open",
                                   tally_.examined, static_cast<std::int64_t>(sum_), open_)));
  }

 private:
  void read_leases(const RatedLease& after, std::vector<RatedLease>& page) {
    std::string job;
    auto rows = db_.query(
        AMPACITY_LEASES
        " WHERE (job, generation, step) > (?, ?, ?) ORDER BY job, generation, step LIMIT ?",
        bytes_of(after.job, job), after.generation, after.step, page_rows);
    while (rows.next()) page.push_back(lease_of(rows));
    tally_.read_to_the_end(rows);
  }

  void read_moves(const Move& after, std::vector<Move>& page) {
    std::string job;
    auto rows = db_.query(
        "SELECT t.job, t.generation, t.timestamp, d.code, c.code, t.amount, "
        "CASE WHEN t.kind IN ('post', 'single') THEN 1 ELSE 0 END FROM transfers t "
        "LEFT JOIN accounts d ON d.ix = t.debit_ix LEFT JOIN accounts c ON c.ix = t.credit_ix "
        "WHERE t.job IS NOT NULL AND (t.job, t.timestamp) > (?, ?) ORDER BY t.job, t.timestamp "
        "LIMIT ?",
        bytes_of(after.job, job), after.timestamp, page_rows);
    while (rows.next())
      page.push_back({rows.id(0), rows.integer(1), rows.integer(2), rows.integer(3),
                      rows.integer(4), rows.integer(5), rows.integer(6) != 0});
    tally_.read_to_the_end(rows);
  }

  // What reached revenue out of the wallet; a correction goes the other way.
  void add(const Move& m) {
    Wide& posted = posted_[m.generation];
    if (!m.posts) return;
    if (m.debit_code == wallet_code && m.credit_code == revenue_code)
      posted += m.amount;
    else if (m.debit_code == revenue_code && m.credit_code == wallet_code)
      posted -= m.amount;
    else
      tally_.wrong(base::format_id("job", m.job) + ": a transfer of other accounts");
  }

  void compare(base::Id job) {
    for (const auto& [generation, billed] : billed_) {
      ++tally_.examined;
      sum_ += billed;
      const auto found = posted_.find(generation);
      const Wide posted = found == posted_.end() ? Wide{0} : found->second;
      if (posted != billed)
        tally_.wrong(fmt::format("{}: billed {}, posted {}", name_of(job, generation),
                                 static_cast<std::int64_t>(billed),
                                 static_cast<std::int64_t>(posted)));
    }
    for (const auto& [generation, posted] : posted_) {
      if (billed_.contains(generation)) continue;
      // Only the latest lease of a job that has not ended may still be open.
      if (generation == posted_.rbegin()->first && !has_ended(job))
        ++open_;
      else
        tally_.wrong(name_of(job, generation) + ": transfers, but no usage row");
    }
  }

  bool has_ended(base::Id job) {
    auto row = db_.query("SELECT 1 FROM jobs WHERE id = ?", job);
    return row.next();
  }

  store::Database& db_;
  std::map<std::int64_t, Wide> posted_, billed_;  // of one job, by generation
  Wide sum_ = 0;
  std::int64_t open_ = 0;
  Tally tally_{"usage_equals_ledger"};
};

#undef AMPACITY_LEASES

}  // namespace

void check_usage(store::Database& db, std::vector<Finding>& findings) {
  check_leases(db, findings);
  UsageAgainstLedger(db).run(findings);
}

}  // namespace ampacity::audit
