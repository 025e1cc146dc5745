#include "billing/rater.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/currency.h"
#include "core/billing.h"
#include "core/meter.h"

namespace ampacity::billing {
namespace {

using base::Wide;

// The second that has begun counts as a whole one.
std::int64_t seconds_at(const LeaseUsage& lease, bool ended, Instant t) {
  if (ended && t >= lease.ended_at) return lease.billed_s;
  const std::int64_t passed = (t - lease.started_at).seconds_rounded_up();
  return ended ? std::min(passed, lease.billed_s) : passed;
}

core::SkuIx sku_named(const Names& names, const std::string& name) {
  const auto at = std::ranges::find(names.skus, name);
  return name.empty() || at == names.skus.end() ? core::nobody
                                                : static_cast<core::SkuIx>(at - names.skus.begin());
}

ContractMonth contract_month(const core::Contract& c, Span month) {
  ContractMonth m;
  m.covers = overlap(month, lifetime(c));
  if (m.covers.empty()) return m;
  m.committed = committed_in(c, month.from);
  m.term = term_ending_in(c, month.from);
  if (c.commitment == core::CommitmentKind::gpu_hours && c.take_or_pay)
    m.purchase = base::divide_half_up(static_cast<Wide>(c.price) * m.committed, 1000);
  return m;
}

}  // namespace

Setting::Setting(const Inputs& inputs) : in(inputs), prices(in, meters) {
  if (const base::Currency* currency = base::find_currency(in.profile.currency))
    ticks_per_minor = base::ticks_per_minor(*currency);
  const Instant first = in.rate_from.us != 0 ? in.rate_from : in.from;
  for (Span m = month_of(first); m.from < in.until; m = month_of(m.until)) months.push_back(m);
  for (const core::Contract& c : in.contracts)
    if (c.sequence <= in.sequence) known.push_back(core::as_known(c, in.sequence));
  for (const core::Contract& c : known) contracts.push_back(&c);
  std::ranges::sort(contracts, [](const core::Contract* a, const core::Contract* b) {
    return std::tie(a->from, a->id) < std::tie(b->from, b->id);
  });
  for (const core::Contract* c : contracts) {
    contract_sku.push_back(sku_named(in.names, c->sku));
    auto& row = contract_months.emplace_back();
    for (const Span& m : months) row.push_back(contract_month(*c, m));
  }
}

Rater::Rater(Setting& setting, std::vector<std::optional<View>> views)
    : setting_(setting),
      views_(std::move(views)),
      series_(setting.months.size()),
      used_(setting.contracts.size(), std::vector<std::int64_t>(setting.months.size(), 0)) {}

bool Rater::fail(std::string what) {
  if (wrong_.empty()) wrong_ = std::move(what);
  return false;
}

bool Rater::lease(const LeaseUsage& l, Pieces& out) {
  if (l.job_class == core::JobClass::house || l.steps.empty()) return true;
  const std::vector<Span>& months = setting_.months;
  const auto after = std::ranges::upper_bound(months, l.started_at, {}, &Span::until);
  for (auto m = static_cast<std::size_t>(after - months.begin()); m < months.size(); ++m) {
    if (!views_[m] || l.first_sequence > views_[m]->sequence) continue;
    const View& view = *views_[m];
    const bool ended = l.sequence != 0 && l.sequence <= view.sequence;
    Instant end = std::min(months[m].until, view.until);
    if (ended) end = std::min(end, l.ended_at);
    const Instant begin = std::max(months[m].from, l.started_at);
    if (end <= begin) continue;
    Stretch s{.project = l.project,
              .sku = l.sku,
              .site = l.site,
              .job_class = l.job_class,
              .reservation = l.reservation,
              .month = m};
    s.from = begin;
    const core::Rates* rates = &l.steps.front().rates;
    for (std::size_t i = 1; i <= l.steps.size(); ++i) {
      const bool last = i == l.steps.size();
      if (!last && l.steps[i].sequence > view.sequence) continue;
      s.until = last ? end : std::clamp(l.steps[i].from, s.from, end);
      const std::int64_t from_s = seconds_at(l, ended, s.from);
      const std::int64_t to_s = seconds_at(l, ended, s.until);
      if (to_s > from_s && !components(*rates, from_s, to_s, s, out)) return false;
      s.from = s.until;
      if (!last) rates = &l.steps[i].rates;
    }
  }
  return true;
}

bool Rater::components(const core::Rates& r, std::int64_t from_s, std::int64_t to_s, Stretch& s,
                       Pieces& out) {
  struct Component {
    MeterIx meter;
    std::int64_t amount;
    Ticks price;
    std::int64_t per;
    Ticks paid;
  };
  const core::Amounts before = core::amounts_at(r, from_s), after = core::amounts_at(r, to_s);
  const bool cards = r.gpus > 0;
  const Component all[] = {
      {meter_gpu, r.gpus * r.gpu_milli, r.gpu_price, 1000, after.gpu - before.gpu},
      {cards ? meter_vcpu : meter_cpu_vcpu, r.cpu_milli, r.vcpu_price, 1000,
       after.vcpu - before.vcpu},
      {cards ? meter_memory : meter_cpu_memory, r.memory_mib, r.gib_price, 1024,
       after.memory - before.memory}};
  s.term_months = r.term_months;
  for (const Component& c : all) {
    if (c.amount <= 0) continue;
    if (__builtin_mul_overflow(c.amount, to_s - from_s, &s.quantity))
      return fail("a lease's quantity is more than 64 bits hold");
    s.meter = c.meter;
    s.version = c.meter == meter_gpu || r.host_version == 0 ? r.price_version : r.host_version;
    s.pinned = c.price;
    s.per = c.per;
    paid_ = c.paid;
    if (!take(s, out)) return false;
  }
  return true;
}

bool Rater::metered(const MeteredUsage& e, Pieces& out) {
  if (e.meter == core::downtime_meter) return true;
  const auto after = std::ranges::upper_bound(setting_.months, e.from, {}, &Span::until);
  if (after == setting_.months.end() || e.from < after->from) return true;
  Stretch s{.kind = core::LineKind::metered, .project = e.project, .sku = e.sku, .site = e.site};
  s.month = static_cast<std::size_t>(after - setting_.months.begin());
  const auto& view = views_[s.month];
  if (!view || e.sequence > view->meter_sequence || e.from >= view->until) return true;
  if (e.replaced_sequence != 0 && e.replaced_sequence <= view->meter_sequence) return true;
  s.meter = setting_.meters.of(e.meter);
  s.from = e.from;
  s.until = e.until;
  s.quantity = e.quantity_micro;
  s.per = 1'000'000;
  paid_ = 0;
  return e.quantity_micro <= 0 || take(s, out);
}

bool Rater::matches(std::size_t ix, const Stretch& s) const {
  const core::Contract& c = *setting_.contracts[ix];
  if (s.job_class == core::JobClass::spot) return false;
  if (!setting_.contract_months[ix][s.month].covers.holds(s.from)) return false;
  if (!c.sku.empty() && setting_.contract_sku[ix] != s.sku) return false;
  return c.reservations.empty() ||
         (!s.reservation.is_nil() && std::ranges::count(c.reservations, s.reservation) > 0);
}

// Committed GPU-hours first, in the contracts' order; what is beyond them is overage at the first
// price agreed for it; the rest is the book's, counted for the contract that commits to spend.
bool Rater::take(const Stretch& s, Pieces& out) {
  std::int64_t left = s.quantity;
  std::uint32_t term = s.term_months;
  const core::Contract* spend = nullptr;
  const core::Contract* hours = nullptr;
  const core::Contract* overage = nullptr;
  for (std::size_t i = 0; i < setting_.contracts.size(); ++i) {
    if (!matches(i, s)) continue;
    const core::Contract& c = *setting_.contracts[i];
    term = std::max(term, c.months);
    if (c.commitment != core::CommitmentKind::gpu_hours) {
      if (!spend) spend = &c;
      continue;
    }
    if (!hours) hours = &c;
    if (s.meter != meter_gpu || s.kind != core::LineKind::usage) continue;
    if (!cover(i, s, left, out)) return false;
    if (!overage && c.overage_price > 0) overage = &c;
  }
  if (left == 0) return true;
  if (overage)
    return at_price(setting_.prices.of_contract(meter_gpu, overage->overage_price), overage->id, s,
                    left, out);
  const core::Contract* counts_for = spend ? spend : hours;
  const Wanted wanted{s.version, s.meter, s.sku, s.site, s.job_class, term, s.pinned, s.per};
  const bool is_event = s.kind == core::LineKind::metered;
  const PriceIx price =
      is_event ? setting_.prices.of_event(wanted, s.from) : setting_.prices.of_lease(wanted);
  // CPU and memory that come with the card are no line of nothing.
  if (!is_event && s.meter != meter_gpu && setting_.prices.at(price).is_free()) return true;
  return at_price(price, counts_for ? counts_for->id : Id{}, s, left, out);
}

bool Rater::cover(std::size_t ix, const Stretch& s, std::int64_t& left, Pieces& out) {
  const core::Contract& c = *setting_.contracts[ix];
  const ContractMonth& month = setting_.contract_months[ix][s.month];
  std::int64_t& used = used_[ix][s.month];
  const std::int64_t quantity = std::min(left, month.committed - used);
  if (quantity <= 0) return true;
  left -= quantity;
  used += quantity;
  if (!c.take_or_pay)  // paid as it is used; the shortfall at the end of the term
    return at_price(setting_.prices.of_contract(meter_gpu, c.price), c.id, s, quantity, out);
  const auto share = [&](std::int64_t q) {
    return base::divide_half_up(static_cast<Wide>(month.purchase) * q, month.committed);
  };
  Piece p;
  p.key = {setting_.months[s.month].from,
           s.kind,
           s.project,
           s.sku,
           s.meter,
           s.site,
           s.job_class,
           0,
           0,
           c.id};
  p.from = s.from;
  p.until = s.until;
  p.quantity = quantity;
  p.per = s.per;
  p.contracted_price = c.price;
  p.commitment = Commitment::used;
  p.effective = share(used) - share(used - quantity);
  return add(p, out);
}

bool Rater::at_price(PriceIx price, Id contract, const Stretch& s, std::int64_t quantity,
                     Pieces& out) {
  auto& month = series_[s.month];
  if (month.size() <= price) month.resize(setting_.prices.size());
  Series& series = month[price];
  const Pricing& pricing = setting_.prices.at(price);
  std::optional<Ticks> cost;
  if (!__builtin_add_overflow(series.quantity, quantity, &series.quantity))
    cost = core::cost_of(pricing.function, series.quantity);
  if (!cost)
    return fail(fmt::format(
        "\"{}\" by version {} of the prices comes to more in {} than 64 bits "
        "of ticks hold (256 billion {})",
        setting_.meters.name(s.meter), pricing.version,
        base::format_month(setting_.months[s.month].from), setting_.in.profile.currency));
  Piece p;
  p.key = {setting_.months[s.month].from,
           s.kind,
           s.project,
           s.sku,
           s.meter,
           s.site,
           s.job_class,
           pricing.version,
           pricing.first_price(),
           contract};
  p.from = s.from;
  p.until = s.until;
  p.quantity = quantity;
  p.per = pricing.function.per;
  p.contracted_price = pricing.first_price();
  p.ticks = *cost - series.ticks;
  p.effective = p.ticks;
  series.ticks = *cost;
  return add(p, out);
}

bool Rater::add(Piece p, Pieces& out) {
  LineState& line = lines_[p.key];
  if (line.from.us == 0 || p.from < line.from) line.from = p.from;
  line.until = std::max(line.until, p.until);
  line.per = p.per;
  line.paid += std::exchange(paid_, 0);
  const std::int64_t before = base::divide_half_up(line.ticks, setting_.ticks_per_minor);
  if (__builtin_add_overflow(line.ticks, p.ticks, &line.ticks) ||
      __builtin_add_overflow(line.quantity, p.quantity, &line.quantity))
    return fail(fmt::format("a line of {} is more than 64 bits of ticks hold (256 billion {})",
                            base::format_month(p.key.month), setting_.in.profile.currency));
  p.minor = base::divide_half_up(line.ticks, setting_.ticks_per_minor) - before;
  out.push_back(p);
  return true;
}

}  // namespace ampacity::billing
