#include "core/meter.h"

namespace ampacity::core {
namespace {

Ticks rate(Ticks price, std::int64_t quantity, std::int64_t per_unit, std::int64_t seconds) {
  return base::divide_half_up(static_cast<base::Wide>(price) * quantity * seconds, per_unit);
}

}  // namespace

Amounts amounts_at(const Rates& r, std::int64_t seconds) {
  return {rate(r.gpu_price, r.gpus * r.gpu_milli, 1000, seconds),
          rate(r.vcpu_price, r.cpu_milli, 1000, seconds),
          rate(r.gib_price, r.memory_mib, 1024, seconds)};
}

Ticks burn_rate(const Rates& r) {
  return (r.gpu_price * r.gpus * r.gpu_milli + 999) / 1000 +
         (r.vcpu_price * r.cpu_milli + 999) / 1000 + (r.gib_price * r.memory_mib + 1023) / 1024;
}

Ticks share_of(const Rates& r) {
  return static_cast<Ticks>(static_cast<base::Wide>(r.gpu_price) * r.gpus * r.gpu_milli / 1000);
}

std::int64_t affordable_seconds(const Rates& rates, std::int64_t from_s, std::int64_t most_s,
                                Ticks credit) {
  std::int64_t low = 0, high = most_s;  // cost_between grows with seconds: bisect
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (cost_between(rates, from_s, from_s + middle) <= credit)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

std::optional<Rates> rates_for(const PriceBook& book, const Sku& sku, JobClass job_class,
                               const Demand& demand, std::int64_t cpu_milli,
                               std::int64_t memory_mib) {
  Rates r;
  r.price_version = book.version;
  r.gpus = static_cast<std::int64_t>(demand.nodes) * demand.gpus_per_node;
  r.gpu_milli = demand.gpu_milli;
  r.cpu_milli = demand.nodes * cpu_milli;
  r.memory_mib = demand.nodes * memory_mib;
  if (job_class == JobClass::house) return r;  // the operator's own filler costs nothing
  r.vcpu_price = demand.gpus_per_node ? book.vcpu : book.cpu_vcpu;
  r.gib_price = demand.gpus_per_node ? book.gib : book.cpu_gib;
  if (demand.gpus_per_node == 0) return r;
  for (const SkuPrice& p : book.gpus) {
    if (p.sku != sku.name) continue;
    r.gpu_price = job_class == JobClass::spot ? p.spot : p.on_demand;
    return r;
  }
  return std::nullopt;
}

}  // namespace ampacity::core
