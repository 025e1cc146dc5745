#include "core/settle.h"

#include <algorithm>

#include "base/chaos.h"
#include "core/meter.h"

namespace ampacity::core {

std::int64_t first_hold_s(const Policy& policy, std::int64_t time_limit_s, std::int64_t grace_s) {
  const std::int64_t quantum = std::max(policy.quantum_s, 2 * (grace_s + confirm_s));
  return time_limit_s == 0 ? quantum : std::min(time_limit_s + grace_s + confirm_s, quantum);
}

bool all_were_seen(const Lease& lease) {
  return std::none_of(lease.ranks.begin(), lease.ranks.end(),
                      [](const Rank& r) { return r.state == RankState::pending; });
}

Transfer Drafter::make(TransferKind kind, TransferReason reason, AccountIx debit, AccountIx credit,
                       std::int64_t amount, std::uint64_t pending_id, std::uint32_t ledger) {
  namespace flag = ledger::transfer_flag;
  Transfer t;
  t.id = next_id();
  t.debit = ledger::account_at(debit);
  t.credit = ledger::account_at(credit);
  t.amount = amount;
  if (pending_id) t.pending_id = ledger::counted(pending_id);
  t.ledger = debit < accounts_.size() ? accounts_[debit].ledger : ledger;
  t.code = code_of(reason);
  if (kind == TransferKind::pending) t.flags = flag::pending;
  if (kind == TransferKind::post) t.flags = flag::post_pending;
  if (kind == TransferKind::release) t.flags = flag::void_pending;
  return t;
}

void post_used(Drafter& drafter, const World& world, const Job& job, std::int64_t to_s,
               std::vector<Transfer>& out) {
  const Lease& lease = *job.lease;
  if (lease.pending_id == 0) return;
  if (base::planted("double-posting") && lease.posted_s > 0) to_s += lease.posted_s;
  const AccountIx wallet = world.state().projects[job.project].wallet;
  const AccountIx revenue = revenue_of(world.state(), job.project, lease.sku);
  const Ticks used = cost_between(lease, lease.posted_s, to_s);
  if (used > 0) {
    out.push_back(drafter.make(TransferKind::post, TransferReason::usage, wallet, revenue, used,
                               lease.pending_id));
  } else {
    const Ticks held = cost_between(lease, lease.posted_s, lease.paid_s);
    out.push_back(drafter.make(TransferKind::release, TransferReason::hold, wallet, revenue, held,
                               lease.pending_id));
  }
}

std::int64_t used_seconds(const Lease& lease, Instant now) {
  return std::clamp((now - lease.started_at).whole_seconds(), lease.posted_s, lease.paid_s);
}

bool settle(Drafter& drafter, const World& world, const Job& job, Instant now, Ticks credit,
            std::int64_t most_s, Settlement& out) {
  const Lease& lease = *job.lease;
  const std::int64_t used_s = used_seconds(lease, now);
  const Ticks unused = cost_between(lease, used_s, lease.paid_s);
  const std::int64_t hold_s = affordable_seconds(lease, used_s, most_s, credit + unused);
  // Only worth it if the paid stretch grows.
  if (used_s + hold_s <= lease.paid_s) return false;
  const Ticks amount = cost_between(lease, used_s, used_s + hold_s);
  if (amount == 0) return false;  // prices so small that nothing can be held
  out.job = job.id;
  out.posted_s = used_s;
  out.paid_s = used_s + hold_s + (base::planted("quantum-off-by-one") ? 1 : 0);
  post_used(drafter, world, job, used_s, out.transfers);
  const Transfer hold = drafter.make(TransferKind::pending, TransferReason::hold,
                                     world.state().projects[job.project].wallet,
                                     revenue_of(world.state(), job.project, lease.sku), amount);
  out.pending_id = hold.id.low;
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
