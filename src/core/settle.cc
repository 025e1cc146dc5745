#include "core/settle.h"

#include <algorithm>

#include "core/meter.h"

namespace ampacity::core {

std::int64_t first_hold_s(const Policy& policy, std::int64_t time_limit_s, std::int64_t grace_s) {
  const std::int64_t quantum = std::max(policy.quantum_s, 2 * (grace_s + confirm_s));
  return time_limit_s == 0 ? quantum : std::min(time_limit_s + grace_s + confirm_s, quantum);
}

void post_used(Drafter& drafter, const World& world, const Job& job, std::int64_t to_s,
               std::vector<Transfer>& out) {
  const Lease& lease = *job.lease;
  if (lease.pending_id == 0) return;
  const AccountIx wallet = world.state().projects[job.project].wallet;
  const AccountIx revenue = world.state().skus[lease.sku].revenue;
  const Ticks used = cost_between(lease.rates, lease.posted_s, to_s);
  if (used > 0) {
    out.push_back(drafter.make(TransferKind::post, TransferReason::usage, wallet, revenue, used,
                               lease.pending_id));
  } else {
    const Ticks held = cost_between(lease.rates, lease.posted_s, lease.paid_s);
    out.push_back(drafter.make(TransferKind::release, TransferReason::hold, wallet, revenue, held,
                               lease.pending_id));
  }
}

bool settle(Drafter& drafter, const World& world, const Job& job, Instant now, Ticks credit,
            Settlement& out) {
  const Lease& lease = *job.lease;
  const std::int64_t used_s =
      std::clamp((now - lease.started_at).whole_seconds(), lease.posted_s, lease.paid_s);
  const Ticks unused = cost_between(lease.rates, used_s, lease.paid_s);
  const std::int64_t most_s = first_hold_s(world.state().policy, 0, job.grace_s);
  const std::int64_t hold_s = affordable_seconds(lease.rates, used_s, most_s, credit + unused);
  // Only worth it if the paid stretch grows.
  if (used_s + hold_s <= lease.paid_s) return false;
  const Ticks amount = cost_between(lease.rates, used_s, used_s + hold_s);
  if (amount == 0) return false;  // prices so small that nothing can be held
  out.job = job.id;
  out.posted_s = used_s;
  out.paid_s = used_s + hold_s;
  post_used(drafter, world, job, used_s, out.transfers);
  const Transfer hold = drafter.make(TransferKind::pending, TransferReason::hold,
                                     world.state().projects[job.project].wallet,
                                     world.state().skus[lease.sku].revenue, amount);
  out.pending_id = hold.id;
  out.transfers.push_back(hold);
  return true;
}

std::optional<CreditLow> credit_warning(const World& world, ProjectIx project, Ticks credit,
                                        Ticks burn, Instant now) {
  if (world.state().projects[project].credit_low || burn == 0) return std::nullopt;
  const std::int64_t quantum_s = world.state().policy.quantum_s;
  if (credit >= burn * quantum_s) return std::nullopt;
  // Everything leased has been paid for about one quantum already.
  return CreditLow{project, credit, now + Duration::seconds(credit / burn + quantum_s)};
}

}  // namespace ampacity::core
