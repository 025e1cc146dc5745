// The cost export in FOCUS 1.2 (reference/focus.md): what rating streams and the invoice it made
// become rows of CSV. Threads: one writer belongs to one thread.
//
//   begin(invoice) ─▶ add(part)… ─▶ end()   again for the next invoice
//
// 1. Memory is in proportion to one invoice's lines and contracts, not to its rows. 2. No row has a
// binary fraction in it: ListUnitPrice × PricingQuantity is ListCost as decimals, and so with the
// contracted ones (but on corrections). Quantities are in hours at twelve decimals, prices exact;
// ConsumedQuantity is exact, in seconds. 3. BilledCost is the ledger's: Σ over an invoice is its
// total with tax (BT-112), whatever was paid since. 4. Per contract and month Σ EffectiveCost of
// used and unused is BilledCost of the purchase. 5. end() refuses an invoice whose parts do not add
// up to its lines, or whose lines and taxes not to its total: what was written then is not to be
// used.
//
// Five of the 57 columns do not apply: PricingCurrency, PricingCurrencyListUnitPrice, …Contracted-
// UnitPrice, …EffectiveCost (prices are in the currency that is billed, none is virtual) and
// AvailabilityZone (a site is the smallest place that has a name). SkuPriceId is the price itself,
// `<SkuId>:<term>:<currency><list unit price>`, so that it means the same in every contract and
// year. House work is left out.
#pragma once

#include <map>
#include <vector>

#include "base/currency.h"
#include "base/result.h"
#include "billing/rated.h"
#include "documents/focus_names.h"
#include "documents/focus_row.h"

namespace ampacity::documents {

class FocusWriter {
 public:
  // Writes the header at once. `names` must outlive the writer.
  FocusWriter(const FocusNames& names, TextSink sink);

  void begin(const core::Invoice& invoice);  // a draft has no number: InvoiceId is null
  void add(const billing::RatedPart& part);  // of the invoice begun, in its order
  base::Result<void> end();                  // lines without parts, taxes
  std::int64_t rows() const { return rows_; }

 private:
  struct LineSums {
    std::int64_t minor = 0;
    std::int64_t covered_minor = 0;
    bool seen = false;
  };
  struct Totals {  // of the rows that tax is on, at twelve decimals
    Wide list = 0;
    Wide contracted = 0;
    Wide effective = 0;
  };

  FocusRow blank() const;
  void who(FocusRow& row, const billing::RatedPart& part);
  void what(FocusRow& row, const billing::RatedPart& part);
  void charge(FocusRow& row, const billing::RatedPart& part) const;
  void price(FocusRow& row, const billing::RatedPart& part);
  void one_count(FocusRow& row, const billing::RatedPart& part);
  bool share_of_commitment(FocusRow& row, const billing::RatedPart& part);
  void costs(FocusRow& row, const billing::RatedPart& part);
  void commitment(FocusRow& row, const billing::RatedPart& part);
  void sku_price(FocusRow& row, const billing::RatedPart& part);
  void write_part(const billing::RatedPart& part);
  void write_taxes();
  void finish(const FocusRow& row);

  bool is_credit(const billing::RatedPart& part) const;
  std::optional<Decimal> unit_price(base::Ticks ticks, const billing::RatedPart& part) const;
  std::optional<Decimal> paid_price(const billing::RatedPart& part) const;
  Decimal money(std::int64_t minor) const { return {minor, currency_->exponent}; }
  std::int64_t amortised(const billing::RatedPart& part);
  const NamedMeter& meter(const std::string& name);
  void fail(std::string why);

  const FocusNames& names_;
  Sheet sheet_;
  const core::Invoice* invoice_ = nullptr;
  const base::Currency* currency_ = nullptr;
  std::vector<LineSums> lines_;
  std::map<std::pair<base::Id, base::Instant>, Wide> amortised_;  // ticks so far
  Totals totals_;
  std::vector<NamedMeter> meters_;
  std::optional<base::Refusal> failed_;
  std::int64_t rows_ = 0;
  // The texts of the row being written.
  std::string resource_, commitment_, capacity_, contract_, unit_, consumed_unit_, sku_, sku_meter_,
      sku_price_, tags_, details_;
  base::Id resource_of_;
};

}  // namespace ampacity::documents
