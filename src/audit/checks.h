// The single checks behind both audits: each streams rows of one open read transaction.
#pragma once

#include <fmt/core.h>

#include <string>
#include <vector>

#include "audit/audit.h"
#include "store/database.h"

namespace ampacity::audit {

// Counts what a check has looked at, and names the first things that are wrong.
class Tally {
 public:
  Tally(std::string check) : check_(std::move(check)) {}

  std::int64_t examined = 0;
  void wrong(std::string what) {
    if (++wrong_ <= 3) first_ += (first_.empty() ? "" : "; ") + what;
  }
  // A check that could not read its rows does not hold.
  void read_to_the_end(const store::Cursor& rows) {
    if (rows.fault()) wrong("the rows could not be read: " + rows.fault()->message);
  }
  Finding finding(const std::string& figures) const {
    if (wrong_ == 0) return {check_, true, examined, figures};
    return {check_, false, examined, fmt::format("{} wrong: {} ({})", wrong_, first_, figures)};
  }

 private:
  std::string check_;
  std::int64_t wrong_ = 0;
  std::string first_;
};

// debits_equal_credits, transfer_ids_successive, holds_resolved_once, wallets_never_negative,
// transfer_chain_unbroken, counters_equal_transfers.
void check_transfers(store::Database& db, std::vector<Finding>& findings);
// usage_rerated, intervals_disjoint, usage_equals_ledger.
void check_usage(store::Database& db, std::vector<Finding>& findings);
// journal_chain_unbroken.
void check_journal(store::Database& db, std::vector<Finding>& findings);

inline long long shown(__int128 v) { return static_cast<long long>(v); }  // fmt writes none so wide

struct History;
// invoices_rerated, and those of check_totals.
void check_invoices(store::Database& db, base::Instant month, std::vector<Finding>& findings);
// invoices_add_up, invoice_numbers_gapless, credit_notes_negate.
void check_totals(store::Database& db, const History& history, std::vector<Finding>& findings);
// payments_within_payable, receivables_equal_invoices, rounding_bounded.
void check_receivables(store::Database& db, std::vector<Finding>& findings);

}  // namespace ampacity::audit
