// A month of books for tests of the journal and the trial balance: two currencies, tick and minor
// ledgers, reserves that are open, chains, opening balances. Threads: plain data.
#pragma once

#include <fmt/format.h>

#include "base/prng.h"
#include "documents/journal_hledger.h"

namespace ampacity::documents::sample {

struct OwnedEntry {
  JournalEntry entry;
  std::string id;
  std::string reason;
};

struct BookMonth {
  std::vector<BookAccount> accounts;
  std::vector<OwnedEntry> entries;
  base::Instant from;
  base::Instant until;

  void transfer(base::Instant when, std::uint32_t debit, std::uint32_t credit, std::int64_t amount,
                std::string reason, bool linked = false) {
    accounts[debit].debits_posted += amount;
    accounts[credit].credits_posted += amount;
    OwnedEntry e;
    e.id = fmt::format("{:08}", entries.size() + 1);
    e.reason = std::move(reason);
    e.entry.at = when;
    e.entry.debit = debit;
    e.entry.credit = credit;
    e.entry.amount = amount;
    e.entry.linked = linked;
    entries.push_back(std::move(e));
  }

  void write(const TextSink& sink) const {
    JournalWriter out(accounts, from, sink);
    for (const OwnedEntry& e : entries) {
      JournalEntry entry = e.entry;
      entry.id = e.id;
      entry.reason = e.reason;
      out.add(entry);
    }
    out.end(until);
  }
};

inline BookMonth books(std::uint64_t seed, int usages) {
  BookMonth m;
  m.from = *base::parse_instant("2026-06-01T00:00:00Z");
  m.until = *base::parse_instant("2026-07-01T00:00:00Z");
  const auto account = [&](std::uint32_t code, const char* name, const char* currency, bool ticks) {
    m.accounts.push_back({code, name, currency, ticks});
    return static_cast<std::uint32_t>(m.accounts.size() - 1);
  };
  const auto wallet = account(2300, "wallet demo", "USD", true);
  const auto sla = account(4100, "SLA credits", "USD", true);
  const auto revenue = account(4000, "revenue h100; \"new\"", "USD", true);
  const auto unbilled = account(1200, "unbilled acme:films", "USD", true);
  const auto cross_t = account(9000, "crossing", "USD", true);
  const auto cross_m = account(9000, "crossing", "USD", false);
  const auto owed = account(1100, "receivable acme:films", "USD", false);
  const auto tax = account(2500, "tax payable", "USD", false);
  const auto cash = account(1000, "cash", "USD", false);
  const auto yen_t = account(1200, "unbilled 北光  研究所", "JPY", true);
  const auto yen_revenue = account(4000, "revenue h100", "JPY", true);
  const auto dinar = account(1000, "cash", "KWD", false);
  const auto dinar_debt = account(2600, "debt | draw 1", "KWD", false);
  m.accounts[wallet].opening = -360'000'000'000;
  m.accounts[wallet].credits_posted = 360'000'000'000;
  m.accounts[cross_t].opening = 360'000'000'000;
  m.accounts[cross_t].debits_posted = 360'000'000'000;
  m.accounts[wallet].debits_pending = m.accounts[revenue].credits_pending = 229'440'000;

  base::SeededPrng prng(seed);
  base::Instant now = m.from;
  base::Wide used = 0;
  for (int i = 0; i < usages; ++i) {
    now = now + base::Duration::seconds(static_cast<std::int64_t>(prng.next() % 900));
    const auto amount = static_cast<std::int64_t>(1 + prng.next() % 100'000'000);
    switch (prng.next() % 4) {
      case 0:
        m.transfer(now, yen_t, yen_revenue, amount, "usage");
        break;
      case 1:
        m.transfer(now, unbilled, revenue, amount, "usage, \"quoted\"");
        used += amount;
        break;
      default:
        m.transfer(now, wallet, revenue, amount, "usage");
    }
  }
  m.transfer(now, sla, unbilled, 7'200'001, "sla");
  const auto ticks = static_cast<std::int64_t>(used) - 7'200'001;
  const std::int64_t cents = base::divide_half_up(ticks, base::ticks_per_cent);
  m.transfer(m.until, cross_t, unbilled, ticks, "invoice 2026-000001", true);
  m.transfer(m.until, owed, cross_m, cents, "invoice 2026-000001", true);
  m.transfer(m.until, owed, tax, base::divide_half_up(cents * 19, 100), "tax");
  m.transfer(m.until, cash, owed, cents, "payment");
  m.transfer(m.until, dinar, dinar_debt, 1'234'567, "draw");
  return m;
}

}  // namespace ampacity::documents::sample
