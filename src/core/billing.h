// What billing does to the books. Usage was paid out of the project's wallet while it ran, at the
// ceiling of its price; the wallet holds credit that was bought, or a credit line. An invoice asks
// for what bought credit does not cover. Per project of an invoice, with U ticks of usage, M ticks
// of all else, c minor units on its lines and v of them covered by bought credit:
//
//   refunds     Dr 4000 revenue      Cr 2300 wallet       what was paid beyond the exact price
//   all else    Dr 1200 unbilled     Cr 4000 revenue  M
//   prepaid by  Dr 2400 prepayment   Cr 9000 crossing     p + q minor units, of a contract's lines
//   a contract  Dr 9000 crossing     Cr 2300 wallet       p: the usage that the wallet had paid
//               Dr 9000 crossing     Cr 1200 unbilled     q: all else
//   covered     Dr 2300 wallet       Cr 1200 unbilled     v − U', where credit pays for more
//   to be paid  Dr 1100 receivable   Cr 9000 crossing     c − v − p − q minor units
//               Dr 9000 crossing     Cr 1200 unbilled     U' + M' − v, what is left, in ticks
//   tax         Dr 1100 receivable   Cr 2500 tax
//   payment     Dr 1000 cash         Cr 1100 receivable
//   credit line Dr 1200 unbilled     Cr 2300 wallet       granted; and again as an invoice is paid
//   signing     Dr 1000 cash         Cr 2400 prepayment   of a contract, paid then
//
// U' = U − p, M' = M − q.
//
// 1. What stays in 9000 is at most half a minor unit a line. 2. Nothing of an invoice changes but
// its state and what was paid. 3. Numbers are gapless a year, in the order of issue.
#pragma once

#include <vector>

#include "core/decide.h"
#include "core/settle.h"

namespace ampacity::core {

inline constexpr int first_year = 2020;  // of State::numbers
inline std::size_t series_of(Instant issued_at) {
  return static_cast<std::size_t>(std::max(0, base::year_of(issued_at) - first_year));
}

// "2026-000001"
std::string invoice_number(const State& state, Instant issued_at);

bool is_overdue(const Invoice& invoice, Instant now);

// One project's part of an invoice, as in the drawing.
struct ProjectBill {
  ProjectIx project = nobody;
  Ticks usage = 0;  // U
  Ticks other = 0;  // M
  std::int64_t minor = 0;
  std::int64_t covered_minor = 0;        // v, by bought credit
  std::int64_t usage_prepaid_minor = 0;  // p, by prepayments of contracts
  std::int64_t other_prepaid_minor = 0;  // q, likewise
};
std::vector<ProjectBill> bills_of(const Invoice& invoice);  // by project ascending

// A monthly commitment's term: months of it that have begun at `now`; 0: not yet, or over.
bool contract_runs(const Contract& contract, Instant at);
// Without what was said of its end after the fact `sequence`.
Contract as_known(Contract contract, std::uint64_t sequence);

}  // namespace ampacity::core
