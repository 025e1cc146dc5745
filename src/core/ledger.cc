#include "core/ledger.h"

#include <algorithm>

namespace ampacity::core {
namespace {

// Pending transfers are few beside the posted ones and sorted by id.
auto find_pending(std::vector<Transfer>& pending, std::uint64_t id) {
  const auto at = std::lower_bound(pending.begin(), pending.end(), id,
                                   [](const Transfer& t, std::uint64_t i) { return t.id < i; });
  return at != pending.end() && at->id == id ? at : pending.end();
}

// Would adding overflow a counter?
bool overflows(std::int64_t counter, std::int64_t amount) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(counter, amount, &sum);
}

LedgerOutcome check_shape(const Books& books, const Transfer& t) {
  if (t.id != *books.next_transfer) return LedgerOutcome::id_not_next;
  if (t.amount <= 0) return LedgerOutcome::amount_not_positive;
  if (t.debit == t.credit) return LedgerOutcome::accounts_equal;
  const auto& accounts = *books.accounts;
  if (t.debit >= accounts.size() || t.credit >= accounts.size())
    return LedgerOutcome::account_not_found;
  if (accounts[t.debit].ledger != accounts[t.credit].ledger) return LedgerOutcome::ledgers_differ;
  return LedgerOutcome::ok;
}

LedgerOutcome resolve(Books& books, const Transfer& t) {
  const auto held = find_pending(*books.pending, t.pending_id);
  if (held == books.pending->end()) return LedgerOutcome::pending_not_found;
  if (held->debit != t.debit || held->credit != t.credit) return LedgerOutcome::pending_differs;
  if (t.amount > held->amount) return LedgerOutcome::amount_exceeds_pending;
  Account& debit = (*books.accounts)[t.debit];
  Account& credit = (*books.accounts)[t.credit];
  if (t.kind == TransferKind::post) {
    if (overflows(debit.debits_posted, t.amount) || overflows(credit.credits_posted, t.amount))
      return LedgerOutcome::overflow;
    debit.debits_posted += t.amount;
    credit.credits_posted += t.amount;
  }
  debit.debits_pending -= held->amount;  // what was not posted is released
  credit.credits_pending -= held->amount;
  books.pending->erase(held);
  return LedgerOutcome::ok;
}

LedgerOutcome book(Books& books, const Transfer& t) {
  Account& debit = (*books.accounts)[t.debit];
  Account& credit = (*books.accounts)[t.credit];
  const bool pending = t.kind == TransferKind::pending;
  std::int64_t& from = pending ? debit.debits_pending : debit.debits_posted;
  std::int64_t& to = pending ? credit.credits_pending : credit.credits_posted;
  if (overflows(from, t.amount) || overflows(to, t.amount)) return LedgerOutcome::overflow;
  if (debit.debits_must_not_exceed_credits && t.amount > available(debit))
    return LedgerOutcome::exceeds_credits;
  from += t.amount;
  to += t.amount;
  if (pending) books.pending->push_back(t);  // ids grow: stays sorted
  return LedgerOutcome::ok;
}

}  // namespace

std::int64_t available(const Account& a) {
  return a.credits_posted - a.debits_posted - a.debits_pending;
}

LedgerOutcome apply(Books books, const Transfer& t) {
  if (const auto shape = check_shape(books, t); shape != LedgerOutcome::ok) return shape;
  const bool resolves = t.kind == TransferKind::post || t.kind == TransferKind::release;
  const LedgerOutcome outcome = resolves ? resolve(books, t) : book(books, t);
  if (outcome == LedgerOutcome::ok) ++*books.next_transfer;
  return outcome;
}

}  // namespace ampacity::core
