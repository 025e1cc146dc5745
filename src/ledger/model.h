// The nouns of double entry as plain data: accounts with four counters, transfers between two of
// them (after TigerBeetle; reference/billing.md §1). Amounts are whole ticks or minor units of one
// currency, by the ledger's number.
#pragma once

#include <cstdint>
#include <string>

#include "base/currency.h"
#include "base/json.h"

namespace ampacity::ledger {

using base::Id;
using base::Instant;

inline constexpr std::int64_t all_of_it = INT64_MAX;  // as an amount: as much as there is

// ---- ledgers ------------------------------------------------------------------------------------

// A ledger is a currency at a scale; accounts of different ledgers never meet.
enum class Scale : std::uint8_t { tick, minor };
BOOST_DESCRIBE_ENUM(Scale, tick, minor)

constexpr std::uint32_t ledger_of(const base::Currency& currency, Scale scale) {
  return currency.number * 10u + (scale == Scale::minor ? 1u : 0u);
}
inline constexpr std::uint32_t usd_tick = 8400;
inline constexpr std::uint32_t usd_minor = 8401;

const base::Currency* currency_of(std::uint32_t ledger);  // nullptr: no such ledger
constexpr Scale scale_of(std::uint32_t ledger) {
  return ledger % 10 == 1 ? Scale::minor : Scale::tick;
}
std::string ledger_name(std::uint32_t ledger);  // "USD·tick", "JPY·minor"

// ---- accounts -----------------------------------------------------------------------------------

namespace account_flag {
inline constexpr std::uint16_t linked = 1;  // this row and the next stand or fall together
// debits_pending + debits_posted ≤ credits_posted: a wallet. The other is its mirror.
inline constexpr std::uint16_t debits_must_not_exceed_credits = 2;
inline constexpr std::uint16_t credits_must_not_exceed_debits = 4;
inline constexpr std::uint16_t history = 8;    // its balance after each transfer can be shown
inline constexpr std::uint16_t imported = 16;  // the supplied timestamp is kept
inline constexpr std::uint16_t closed = 32;    // nothing but voids touch it
inline constexpr std::uint16_t all = 63;
}  // namespace account_flag

struct Account {
  Id id;
  std::uint32_t ledger = 0;
  std::uint16_t code = 0;  // chart of accounts: reference/billing.md §2
  std::uint16_t flags = 0;
  std::string name;  // for people
  Id user_data;
  std::int64_t debits_pending = 0;
  std::int64_t debits_posted = 0;
  std::int64_t credits_pending = 0;
  std::int64_t credits_posted = 0;
  Instant timestamp;  // when it was opened, by the ledger

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  bool operator==(const Account&) const = default;
};
BOOST_DESCRIBE_STRUCT(Account, (),
                      (id, ledger, code, flags, name, user_data, debits_pending, debits_posted,
                       credits_pending, credits_posted, timestamp))

// What a wallet can still hold or spend. Not below zero where the flag stands.
inline std::int64_t available(const Account& a) {
  return a.credits_posted - a.debits_posted - a.debits_pending;
}

// ---- transfers ----------------------------------------------------------------------------------

namespace transfer_flag {
inline constexpr std::uint16_t linked = 1;             // the last of a chain has it off
inline constexpr std::uint16_t pending = 2;            // reserves
inline constexpr std::uint16_t post_pending = 4;       // settles a reserve, or less than it
inline constexpr std::uint16_t void_pending = 8;       // releases it
inline constexpr std::uint16_t balancing_debit = 16;   // at most what the debit account allows
inline constexpr std::uint16_t balancing_credit = 32;  // at most what the credit account allows
inline constexpr std::uint16_t closing_debit = 64;     // closes the account; must be pending
inline constexpr std::uint16_t closing_credit = 128;
inline constexpr std::uint16_t imported = 256;  // the supplied timestamp is kept
inline constexpr std::uint16_t all = 511;
// A void that the ledger itself made because the reserve's time ran out: never a caller's.
inline constexpr std::uint16_t expiry = 512;
}  // namespace transfer_flag

struct Transfer {
  Id id;
  Id debit;
  Id credit;
  std::int64_t amount = 0;
  Id pending_id;                // what a post or void resolves
  Id user_data;                 // a job, an invoice
  std::uint32_t timeout_s = 0;  // a reserve lapses so long after its timestamp; 0: never
  std::uint32_t ledger = 0;
  std::uint16_t code = 0;  // why, as the caller's enumeration has it
  std::uint16_t flags = 0;
  Instant timestamp;  // strictly increasing, by the ledger

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  bool resolves() const { return has(transfer_flag::post_pending | transfer_flag::void_pending); }
  // When a reserve lapses, if it does. A timestamp plus its timeout is checked not to overflow.
  Instant expires_at() const { return {timestamp.us + std::int64_t{timeout_s} * 1'000'000}; }
  bool operator==(const Transfer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Transfer, (),
                      (id, debit, credit, amount, pending_id, user_data, timeout_s, ledger, code,
                       flags, timestamp))

// Ids that a program counts up itself: those of accounts kept by position, and of the transfers
// the core makes. A caller's own ids are 16 bytes with a first half that is not zero.
constexpr Id counted(std::uint64_t n) { return {0, n}; }
constexpr Id account_at(std::uint32_t position) { return {0, std::uint64_t{position} + 1}; }
constexpr std::uint32_t position_of(Id account) {
  return static_cast<std::uint32_t>(account.low - 1);
}

// What became of a pending transfer.
enum class Fate : std::uint8_t { open, posted, voided, expired };
BOOST_DESCRIBE_ENUM(Fate, open, posted, voided, expired)
// By the transfer that resolved it.
inline Fate fate_by(const Transfer& t) {
  if (t.has(transfer_flag::post_pending)) return Fate::posted;
  return t.has(transfer_flag::expiry) ? Fate::expired : Fate::voided;
}

constexpr Id max_id{UINT64_MAX, UINT64_MAX};

}  // namespace ampacity::ledger
