// What a month owes beside its usage: minimums, commitments, shortfalls, credits for lost uptime.
#include <fmt/core.h>

#include <algorithm>

#include "billing/rater.h"

namespace ampacity::billing {
namespace {

using base::Wide;
using core::LineKind;

bool is_usage(LineKind kind) { return kind == LineKind::usage || kind == LineKind::metered; }

}  // namespace

bool Rater::finish(Pieces& out) {
  for (std::size_t m = 0; m < setting_.months.size(); ++m) {
    if (!views_[m]) continue;
    if (!minimums(m, out)) return false;
    for (std::size_t c = 0; c < setting_.contracts.size(); ++c) {
      if (setting_.contract_months[c][m].covers.empty()) continue;
      if (!commitment(c, m, out) || !sla_credit(c, m, out) || !shortfall(c, m, out)) return false;
    }
  }
  return true;
}

// Of prices in use, for the days that they were effective.
bool Rater::minimums(std::size_t m, Pieces& out) {
  const Span month = setting_.months[m];
  for (std::size_t i = 0; i < series_[m].size(); ++i) {
    const Series& series = series_[m][i];
    const Pricing& pricing = setting_.prices.at(static_cast<PriceIx>(i));
    if (series.quantity == 0 || pricing.function.minimum == 0) continue;
    const Span days = overlap(overlap(month, {pricing.effective_from, pricing.effective_until}),
                              {setting_.in.org_since, views_[m]->until});
    const Ticks extra = core::true_up(pricing.function, series.ticks, days.us(), month.us());
    if (extra == 0) continue;
    Piece p;
    p.key = {month.from,   LineKind::minimum, core::nobody,    pricing.sku, pricing.meter,
             pricing.site, pricing.job_class, pricing.version, 0,           Id{}};
    p.from = days.from;
    p.until = days.until;
    p.per = pricing.function.per;
    p.contracted_price = 0;
    p.ticks = extra;
    p.effective = extra;
    if (!add(p, out)) return false;
  }
  return true;
}

// The month's purchase, and the part of it that nothing was run with.
bool Rater::commitment(std::size_t ix, std::size_t m, Pieces& out) {
  const core::Contract& c = *setting_.contracts[ix];
  const ContractMonth& month = setting_.contract_months[ix][m];
  if (c.commitment != core::CommitmentKind::gpu_hours || !c.take_or_pay || month.committed <= 0)
    return true;
  const std::int64_t used = used_[ix][m];
  Piece bought;
  bought.key = {.month = setting_.months[m].from,
                .kind = LineKind::commitment,
                .sku = setting_.contract_sku[ix],
                .meter = meter_gpu,
                .job_class = core::JobClass::reserved,
                .price = c.price,
                .contract = c.id};
  bought.from = month.covers.from;
  bought.until = month.covers.until;
  bought.quantity = month.committed;
  bought.per = 1000;
  bought.contracted_price = c.price;
  bought.ticks = month.purchase;
  if (!add(bought, out)) return false;
  if (used == month.committed) return true;
  Piece unused = bought;
  unused.key.kind = LineKind::usage;
  unused.key.price = 0;
  unused.quantity = month.committed - used;
  unused.ticks = 0;
  unused.commitment = Commitment::unused;
  unused.effective = month.purchase - base::divide_half_up(static_cast<Wide>(month.purchase) * used,
                                                           month.committed);
  return add(unused, out);
}

// What was used of a commitment in the months of `period`: ticks of spend, or GPU-hours at the
// contract's price. Months before those rated are as they were invoiced.
bool Rater::used_over(std::size_t ix, Span period, Wide& used) const {
  const core::Contract& c = *setting_.contracts[ix];
  const bool spend = c.commitment == core::CommitmentKind::spend;
  const auto count = [&](const std::map<LineKey, LineState>& lines) {
    for (const auto& [key, line] : lines) {
      if (key.contract != c.id || !is_usage(key.kind) || !period.holds(key.month)) continue;
      if (spend)
        used += line.ticks;
      else if (key.meter == meter_gpu && key.version == 0 && key.price == c.price)
        used += line.quantity;
    }
  };
  count(setting_.earlier_terms);
  count(lines_);
  return true;
}

bool Rater::shortfall(std::size_t ix, std::size_t m, Pieces& out) {
  const core::Contract& c = *setting_.contracts[ix];
  const ContractMonth& month = setting_.contract_months[ix][m];
  const bool spend = c.commitment == core::CommitmentKind::spend;
  if (c.commitment == core::CommitmentKind::none || (!spend && c.take_or_pay)) return true;
  if (views_[m]->until < month.covers.until) return true;  // it may be used yet
  Span period = month.covers;
  std::int64_t committed = month.committed;
  if (!c.take_or_pay) {
    if (!month.term) return true;
    period = *month.term;
    committed = committed_between(c, period);
  }
  Wide used = 0;
  const Span months{base::month_begin(period.from), period.until};
  if (!used_over(ix, months, used)) return false;
  Wide missing = std::max<Wide>(0, committed - used);
  if (missing == 0) return true;
  Piece p;
  p.key = {.month = setting_.months[m].from,
           .kind = LineKind::shortfall,
           .sku = setting_.contract_sku[ix],
           .meter = spend ? meter_none : meter_gpu,
           .job_class = core::JobClass::reserved,
           .price = spend ? 0 : c.price,
           .contract = c.id};
  p.from = period.from;
  p.until = period.until;
  if (!spend) {
    p.quantity = static_cast<std::int64_t>(missing);
    p.per = 1000;
    p.contracted_price = c.price;
    missing = (missing * c.price + 500) / 1000;
  } else {
    p.quantity = 1;
  }
  if (missing > INT64_MAX)
    return fail(
        fmt::format("the shortfall of contract \"{}\" is more than 64 bits of ticks hold", c.name));
  p.ticks = static_cast<Ticks>(missing);
  p.effective = p.ticks;
  return add(p, out);
}

bool Rater::sla_credit(std::size_t ix, std::size_t m, Pieces& out) {
  const core::Contract& c = *setting_.contracts[ix];
  const Span month = setting_.months[m];
  const View& view = *views_[m];
  std::int64_t down_s = 0;
  for (const Downtime& d : setting_.in.downtime) {
    if (d.contract != c.id || !month.holds(d.from) || d.from >= view.until) continue;
    if (d.sequence > view.meter_sequence) continue;
    if (d.replaced_sequence != 0 && d.replaced_sequence <= view.meter_sequence) continue;
    if (__builtin_add_overflow(down_s, d.down_s, &down_s)) down_s = INT64_MAX / 2;
  }
  if (down_s == 0) return true;
  const std::int64_t bp = sla_credit_bp(c.sla.empty() ? default_sla() : c.sla, down_s, month.from);
  if (bp == 0) return true;
  Wide bill = 0;
  for (const auto& [key, line] : lines_)
    if (key.month == month.from && key.contract == c.id &&
        (is_usage(key.kind) || key.kind == LineKind::commitment))
      bill += line.ticks;
  if (bill <= 0) return true;
  Piece p;
  p.key = {.month = month.from,
           .kind = LineKind::sla_credit,
           .sku = setting_.contract_sku[ix],
           .contract = c.id};
  p.from = overlap(month, lifetime(c)).from;
  p.until = overlap(month, lifetime(c)).until;
  if (bill > INT64_MAX) return fail("a bill that a credit is due on is more than 64 bits hold");
  p.ticks = -base::divide_half_up(bill * bp, 10'000);
  p.effective = p.ticks;
  return add(p, out);
}

}  // namespace ampacity::billing
