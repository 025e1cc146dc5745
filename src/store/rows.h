// The read models as rows: what finance and `ps -a` read in plain SQL. Written in the transaction
// of their facts, by project() alone; `ampacityd rebuild` makes them anew and they come out equal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/facts.h"
#include "core/world.h"

namespace ampacity::store {

using base::Id;
using base::Instant;

struct JobRow {  // an ended job
  Id id;
  std::uint32_t project = 0;
  std::uint32_t user = 0;
  std::string name;
  std::string outcome;
  Instant submitted_at;
  Instant ended_at;
  std::string body;  // core::Job as JSON
};

struct UsageRow {  // a closed lease
  Id job;
  std::uint32_t generation = 0;
  std::uint32_t project = 0;
  std::uint32_t user = 0;
  std::uint32_t sku = 0;
  std::string job_class;
  Instant started_at;
  Instant ended_at;
  std::int64_t billed_s = 0;
  std::int64_t waived_s = 0;
  core::Rates rates;
  core::Amounts amounts;
  std::uint32_t org = 0;
  std::uint32_t site = 0;
  Id reservation;                      // nil: none
  std::uint64_t started_sequence = 0;  // of the facts that it started, and ended
  std::uint64_t sequence = 0;
  std::uint32_t step = 0;  // a spot lease has one for each of its prices, each with its own times
  // Of Reader::each_usage: it was said to have another price from then on, which it did not reach.
  // That step is a row of its own, of no time.
  Instant undone_at;
  std::uint64_t undone_sequence = 0;  // 0: nothing of the kind
};

struct TransferRow {
  core::Transfer transfer;     // with its timestamp
  std::string reason;          // core::reason_of
  std::uint64_t sequence = 0;  // the fact it belongs to
  Instant at;
  Id job;  // nil if none
  std::uint32_t generation = 0;
};

struct BurntRow {  // an id that failed for what could have passed
  Id id;
  std::string outcome;
  std::uint64_t sequence = 0;
  Instant at;
};

// Names behind the dense indices, for SQL: kind is "project", "user", "sku", "org", "node".
struct NameRow {
  std::string kind;
  std::uint32_t ix = 0;
  std::string id;
  std::string name;
};

// An invoice or credit note as it was issued: its state and what was paid since are the world's.
struct InvoiceRow {
  core::Invoice invoice;
  std::uint64_t sequence = 0;  // of the fact that issued it
};
struct PaymentRow {
  core::Payment payment;
  std::uint64_t sequence = 0;
};

struct Rows {
  std::vector<JobRow> jobs;
  std::vector<UsageRow> usage;
  std::vector<TransferRow> transfers;
  std::vector<BurntRow> burnt;
  std::vector<NameRow> names;
  std::vector<InvoiceRow> invoices;
  std::vector<PaymentRow> payments;
  std::vector<std::uint32_t> accounts_touched;  // their counters are rewritten from the state
};

// One row for each of the interval's prices; `sequence` of the fact that closed it.
void add_usage(std::vector<UsageRow>& rows, const core::State& state, const core::Job& job,
               const core::Interval& interval, std::uint64_t sequence);

// Pure: the rows one fact makes. `before` is the state the fact has not yet been folded into;
// `sequence` the fact's own.
void project(const core::World& before, const core::Fact& fact, std::uint64_t sequence, Rows& rows);

}  // namespace ampacity::store
