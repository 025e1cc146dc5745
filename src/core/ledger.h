// Double entry with two-phase transfers, after TigerBeetle's model (reference/billing.md §1).
// 1. Per ledger Σ debits = Σ credits, pending and posted apart. 2. A pending transfer is resolved
// at most once. 3. A flagged account never has debits_pending + debits_posted > credits_posted.
// Amounts are ticks or cents, by the account's ledger.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/model.h"

namespace ampacity::core {

// Ordered by precedence: the first that applies is the answer.
enum class LedgerOutcome {
  ok,
  id_not_next,
  amount_not_positive,
  accounts_equal,
  account_not_found,
  ledgers_differ,
  pending_not_found,
  pending_differs,  // accounts other than the hold's
  amount_exceeds_pending,
  overflow,
  exceeds_credits,
};
BOOST_DESCRIBE_ENUM(LedgerOutcome, ok, id_not_next, amount_not_positive, accounts_equal,
                    account_not_found, ledgers_differ, pending_not_found, pending_differs,
                    amount_exceeds_pending, overflow, exceeds_credits)

// The books a chain of transfers is tried on.
struct Books {
  std::vector<Account>* accounts = nullptr;
  std::vector<Transfer>* pending = nullptr;  // by id ascending
  std::uint64_t* next_transfer = nullptr;
};

// Applies one transfer, or changes nothing.
LedgerOutcome apply(Books books, const Transfer& transfer);

// Credit a wallet can still hold or spend.
std::int64_t available(const Account& account);

}  // namespace ampacity::core
