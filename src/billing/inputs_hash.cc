#include "billing/inputs_hash.h"

namespace ampacity::billing {
namespace {

// As it was before it was ended later than what is rated.
void add_contract(Hasher& h, const core::Contract& c, Instant until) {
  h.id(c.id);
  h.number(c.from.us);
  h.number(c.months);
  h.number(static_cast<std::int64_t>(c.commitment));
  h.text(c.sku);
  h.number(static_cast<std::int64_t>(c.ramp.size()));
  for (const core::RampStep& step : c.ramp) {
    h.number(step.month);
    h.number(step.amount);
  }
  h.number(c.take_or_pay);
  h.number(c.price);
  h.number(c.overage_price);
  h.number(static_cast<std::int64_t>(c.sla.size()));
  for (const core::SlaStep& step : c.sla) {
    h.number(step.below_ppm);
    h.number(step.credit_bp);
  }
  h.number(c.renews);
  h.number(c.ends < until ? c.ends.us : 0);
  h.number(static_cast<std::int64_t>(c.reservations.size()));
  for (const Id& r : c.reservations) h.id(r);
}

void add_earlier(Hasher& h, const core::InvoiceLine& l) {
  h.number(static_cast<std::int64_t>(l.kind));
  h.number(l.project);
  h.text(l.meter);
  h.number(l.sku);
  h.number(l.site);
  h.number(static_cast<std::int64_t>(l.job_class));
  h.number(l.price_version);
  h.id(l.contract);
  h.number(l.month.us);
  h.number(l.quantity);
  h.number(l.price);
  h.number(l.ticks);
  h.number(l.minor);
}

template <typename T, typename Add>
void add_all(Hasher& h, const std::vector<T>& all, const Add& add) {
  h.number(static_cast<std::int64_t>(all.size()));
  for (const T& one : all) add(one);
}

}  // namespace

void Hasher::flush_full() {
  if (buffer_.size() < block) return;
  digest_ = base::chain(digest_, std::string_view(buffer_).substr(0, block));
  buffer_.erase(0, block);
}

void Hasher::number(std::int64_t v) {
  auto bits = static_cast<std::uint64_t>(v);
  char bytes[8];
  for (char& b : bytes) {
    b = static_cast<char>(bits & 0xff);
    bits >>= 8;
  }
  buffer_.append(bytes, sizeof bytes);
  flush_full();
}

void Hasher::text(std::string_view v) {
  number(static_cast<std::int64_t>(v.size()));
  buffer_.append(v);
  while (buffer_.size() >= block) flush_full();
}

void Hasher::id(Id v) {
  number(static_cast<std::int64_t>(v.high));
  number(static_cast<std::int64_t>(v.low));
}

void Hasher::add(const Pricing& p, const Meters& meters) {
  number(p.version);
  text(meters.name(p.meter));
  const core::PriceFunction& f = p.function;
  number(static_cast<std::int64_t>(f.kind));
  number(f.per);
  add_all(*this, f.tiers, [&](const core::PriceTier& t) {
    number(t.up_to);
    number(t.price);
    number(t.flat);
  });
  number(f.package);
  number(f.free);
  number(f.minimum);
  number(f.maximum);
}

void Hasher::add(const Inputs& in, const std::vector<core::Contract>& known) {
  number(engine_version);
  number(in.org);
  number(in.org_since.us);
  text(in.profile.currency);
  number(in.from.us);
  number(in.until.us);
  number(in.rate_from.us);
  number(static_cast<std::int64_t>(in.sequence));
  number(static_cast<std::int64_t>(in.meter_sequence));
  add_all(*this, known, [&](const core::Contract& c) { add_contract(*this, c, in.until); });
  for (const Downtime& d : in.downtime) {
    if (d.sequence > in.meter_sequence) continue;
    if (d.replaced_sequence != 0 && d.replaced_sequence <= in.meter_sequence) continue;
    id(d.contract);
    number(d.from.us);
    number(d.down_s);
  }
  add_all(*this, in.earlier, [&](const core::InvoiceLine& l) { add_earlier(*this, l); });
}

void Hasher::add(const LeaseUsage& l, std::uint64_t as_of) {
  if (l.first_sequence > as_of) return;
  const bool ended = l.sequence != 0 && l.sequence <= as_of;
  id(l.job);
  number(l.generation);
  number(l.project);
  number(l.sku);
  number(l.site);
  number(static_cast<std::int64_t>(l.job_class));
  id(l.reservation);
  number(l.started_at.us);
  number(ended ? l.ended_at.us : 0);
  number(ended ? l.billed_s : -1);
  for (const PriceStep& step : l.steps) {
    if (&step != &l.steps.front() && step.sequence > as_of) continue;
    number(step.from.us);
    number(step.rates.price_version);
    number(step.rates.gpu_price);
    number(step.rates.gpus);
    number(step.rates.gpu_milli);
    number(step.rates.vcpu_price);
    number(step.rates.cpu_milli);
    number(step.rates.gib_price);
    number(step.rates.memory_mib);
    number(step.rates.host_version);
    number(step.rates.term_months);
  }
}

void Hasher::add(const MeteredUsage& e) {
  text(e.source);
  text(e.id);
  number(e.project);
  text(e.meter);
  number(e.sku);
  number(e.site);
  number(e.from.us);
  number(e.until.us);
  number(e.quantity_micro);
}

std::string Hasher::hex() {
  if (!buffer_.empty()) digest_ = base::chain(digest_, buffer_);
  buffer_.clear();
  return base::to_hex(digest_);
}

}  // namespace ampacity::billing
