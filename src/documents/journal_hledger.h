// The ledger as an hledger journal: accounts, every posted transfer in order, and at the end each
// account's balance asserted from its own counters, so that `hledger check` proves the one by the
// other. Threads: one writer belongs to one thread.
//
// 1. Amounts are whole: a tick ledger is the commodity "USD·tick" (1/36,000,000 USD has no finite
// decimal form), a ledger of minor units the currency itself. 2. A chain of linked transfers is one
// transaction. 3. Reserves are no postings and not in it; what settles one is. 4. Memory is in
// proportion to accounts, not to transfers.
#pragma once

#include <vector>

#include "base/currency.h"
#include "documents/sheet.h"

namespace ampacity::documents {

// One account as the books have it. `name` as people read it: "wallet demo".
struct BookAccount {
  std::uint32_t code = 0;  // chart of accounts: reference/billing.md §2
  std::string name;
  std::string currency = "USD";
  bool ticks = true;         // else minor units
  std::int64_t opening = 0;  // debits − credits posted before the first transfer exported
  std::int64_t debits_posted = 0;
  std::int64_t credits_posted = 0;
  std::int64_t debits_pending = 0;
  std::int64_t credits_pending = 0;
};

// One posted transfer between two of the accounts, by position.
struct JournalEntry {
  base::Instant at;
  std::string_view id;
  std::string_view reason;  // "usage", "invoice 2026-000001"
  std::uint32_t debit = 0;
  std::uint32_t credit = 0;
  std::int64_t amount = 0;
  bool linked = false;  // with the next
};

// "assets:1100 receivable acme", each once: hledger's name of an account.
std::vector<std::string> journal_names(const std::vector<BookAccount>& accounts);
// "USD·tick" or "USD", and an amount of it as hledger reads it.
std::string commodity_of(const BookAccount& account);
std::string amount_of(const BookAccount& account, std::int64_t amount);

class JournalWriter {
 public:
  // `accounts` must outlive the writer. Opening balances are booked at `from`.
  JournalWriter(const std::vector<BookAccount>& accounts, base::Instant from, TextSink sink);
  void add(const JournalEntry& entry);
  void end(base::Instant until);  // asserts every balance
  std::int64_t entries() const { return entries_; }

 private:
  void directives();
  void posting(std::size_t account, std::int64_t amount);

  const std::vector<BookAccount>& accounts_;
  std::vector<std::string> names_;
  std::vector<std::string> commodities_;  // by account, quoted
  std::vector<int> decimals_;
  Sheet sheet_;
  bool in_chain_ = false;
  std::int64_t entries_ = 0;
  std::string last_day_;
};

}  // namespace ampacity::documents
