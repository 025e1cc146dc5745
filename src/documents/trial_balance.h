// The trial balance: every account with what was posted to it, and per ledger the totals that must
// be equal. As a table for people and as CSV. Threads: plain functions.
#pragma once

#include "documents/focus_decimal.h"
#include "documents/journal_hledger.h"

namespace ampacity::documents {

struct LedgerTotal {
  std::string currency;
  bool ticks = true;
  Wide debits = 0;  // posted
  Wide credits = 0;
  Wide debits_pending = 0;
  Wide credits_pending = 0;
  bool balanced() const { return debits == credits && debits_pending == credits_pending; }
};
// By currency, ticks before minor units.
std::vector<LedgerTotal> ledger_totals(const std::vector<BookAccount>& accounts);

void trial_balance_csv(const std::vector<BookAccount>& accounts, const TextSink& sink);
void trial_balance_table(const std::vector<BookAccount>& accounts, const TextSink& sink);

}  // namespace ampacity::documents
