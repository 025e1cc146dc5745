#include "core/reprice.h"

#include <algorithm>
#include <map>

#include "core/books.h"
#include "core/meter.h"
#include "core/price_book.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

// When both the GPUs' and the host's new prices were in force.
Instant effective_from(const State& state, const Rates& rates) {
  Instant from;
  for (const PriceBook& b : state.books)
    if (b.version == rates.price_version || b.version == rates.host_version)
      from = std::max(from, b.effective_from);
  return from;
}

std::int64_t from_second(const State& state, const Lease& lease, const Rates& rates, Instant now) {
  if (lease.started_at.us == 0) return 0;
  const auto flats = [](const Rates& r) { return r.gpu_flat + r.vcpu_flat + r.gib_flat; };
  const bool rise = burn_rate(rates) > burn_rate(lease.rates) || flats(rates) > flats(lease.rates);
  const Instant from = rise ? now : std::min(now, effective_from(state, rates));
  const std::int64_t second = std::max<std::int64_t>(
      lease.posted_s,
      from <= lease.started_at ? 0 : (from - lease.started_at).seconds_rounded_up());
  return lease.pending_id ? std::min(second, lease.paid_s) : second;
}

class Repricer {
 public:
  Repricer(const World& world, Instant now)
      : world_(world), now_(now), drafter_(world), budgets_(world, now) {}

  // False: the new price cannot be held for as long as a notice takes; `why_not` is then why.
  bool reprice(const Job& job, const Rates& rates, Repricing& out) {
    const State& s = world_.state();
    const Lease& lease = *job.lease;
    const AccountIx wallet = s.projects[job.project].wallet;
    const AccountIx revenue = revenue_of(s, job.project, lease.sku);
    Ticks& credit = credit_.try_emplace(job.project, available(s.accounts[wallet])).first->second;

    out = {job.id, from_second(s, lease, rates, now_), rates, 0, 0, {}};
    const Ticks unused =
        lease.pending_id ? cost_between(lease, out.from_s, lease.paid_s) : Ticks{0};
    Lease after;
    after.steps = lease.steps;
    if (out.from_s > 0) after.steps.push_back({out.from_s, 0, lease.rates});
    after.rates = rates;
    after.started_at = lease.started_at;
    after.pending_id = 1;
    const std::int64_t most_s =
        budgets_.seconds(job, after, out.from_s, first_hold_s(s.policy, 0, job.grace_s));
    const std::int64_t hold_s = affordable_seconds(after, out.from_s, most_s, credit + unused);
    why_not = most_s < job.grace_s + confirm_s ? StopReason::over_budget : StopReason::credit;
    if (hold_s < job.grace_s + confirm_s) return false;
    out.paid_s = out.from_s + hold_s;
    post_used(drafter_, world_, job, out.from_s, out.transfers);
    const Ticks amount = cost_between(after, out.from_s, out.paid_s);
    if (amount > 0) {
      out.transfers.push_back(
          drafter_.make(TransferKind::pending, TransferReason::hold, wallet, revenue, amount));
      out.pending_id = out.transfers.back().id.low;
    }
    credit += unused - amount;
    budgets_.held(job, after, out.paid_s);
    return true;
  }
  StopReason why_not = StopReason::credit;

 private:
  const World& world_;
  const Instant now_;
  Drafter drafter_;
  BudgetRoom budgets_;
  std::map<ProjectIx, Ticks> credit_;  // left after what was held here
};

}  // namespace

std::optional<std::vector<FactBody>> reprice_spot(const World& world, Instant now) {
  const State& s = world.state();
  const auto& spot = world.running[static_cast<std::size_t>(JobClass::spot)];
  SpotRepriced fact{s.spot_priced_at, {}};
  for (const PriceBook& b : s.books)
    if (b.effective_from <= now)
      fact.effective_from = std::max(fact.effective_from, b.effective_from);
  if (spot.empty() || fact.effective_from == s.spot_priced_at) return std::nullopt;

  std::vector<FactBody> stops;
  Repricer repricer(world, now);
  for (const auto& [order, slot] : spot) {
    const Job& job = s.jobs[slot];
    const Lease& lease = *job.lease;
    if (job.state == JobState::stopping) continue;  // after its notice it has no other price
    const SiteIx site = s.nodes[lease.places[0].node].site;
    const auto rates = rates_for(s, job, lease.sku, site, lease.cpu_milli, lease.memory_mib, now);
    if (!rates || same_prices(s, job, lease.sku, site, lease.rates, *rates)) continue;
    Repricing entry;
    if (job.demand.most_price && rates->gpu_price > job.demand.most_price)
      stops.push_back(StopOrdered{job.id, StopReason::price,
                                  "spot costs " + base::format_hourly_price(rates->gpu_price) +
                                      " an hour now, more than its max_price"});
    else if (repricer.reprice(job, *rates, entry))
      fact.entries.push_back(std::move(entry));
    else
      stops.push_back(StopOrdered{job.id, repricer.why_not,
                                  repricer.why_not == StopReason::credit
                                      ? "the project's credit ran out"
                                      : "its budget is used up at the new price"});
  }
  std::vector<FactBody> facts{std::move(fact)};
  std::move(stops.begin(), stops.end(), std::back_inserter(facts));
  return facts;
}

}  // namespace ampacity::core
