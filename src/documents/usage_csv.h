// Usage as CSV: one row for each part of a lease, meter event or contract that rating streams, with
// what it was, how much, and what it came to, exactly. Threads: one writer belongs to one thread.
// 1. Memory is flat. 2. Amounts are whole ticks and minor units, quantities exact decimals.
#pragma once

#include "base/currency.h"
#include "billing/rated.h"
#include "documents/focus_names.h"
#include "documents/sheet.h"

namespace ampacity::documents {

class UsageCsv {
 public:
  UsageCsv(const FocusNames& names, TextSink sink);  // writes the header
  void begin(const core::Invoice& invoice);          // whose parts follow
  void add(const billing::RatedPart& part);
  std::int64_t rows() const { return rows_; }

 private:
  const FocusNames& names_;
  Sheet sheet_;
  const core::Invoice* invoice_ = nullptr;
  const base::Currency* currency_ = nullptr;
  std::int64_t rows_ = 0;
};

}  // namespace ampacity::documents
