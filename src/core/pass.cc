#include "core/pass.h"

#include <algorithm>

#include "core/grant.h"
#include "core/history.h"
#include "core/order.h"
#include "core/promise.h"

namespace ampacity::core {

Pass::Pass(const World& world, Instant now, bool review)
    : now_(now), review_(review), shares_(shares_at(world, now)) {
  for (const auto& [order, slot] : world.claimed) claims_.push_back(order);
  for (const auto& [order, slot] : world.promised)
    if (world.state().jobs[slot].promise->start_by < now) overdue_.push_back(order);
  std::reverse(claims_.begin(), claims_.end());
  for (const auto& group : world.waiting) add_group(world, group);
  add_oldest(world);
}

Pass::Pass(const World& world, Instant now, const Job& job) : now_(now), review_(true) {
  const Policy& policy = world.state().policy;
  if (policy.order == Order::fifo && world.queue.size() > 1) return;
  const std::int64_t rank = rank_of(world, job, now);
  entries_.insert({job.job_class, false, 0, rank, job.queue_order, false});
  std::int64_t promised = 0;
  for (const auto& [order, slot] : world.promised)
    promised += world.state().jobs[slot].job_class == job.job_class;
  if (promised < promises_of(policy, job.job_class))
    entries_.insert({job.job_class, true, 0, 0, job.queue_order, false});
}

void Pass::add_group(const World& world, const WaitingGroups::value_type& group) {
  const auto& [key, waiters] = group;
  for (const auto& [static_rank, order] : waiters) {
    const Job& job = world.queued(order);
    if (job.claim) continue;
    const bool fair = world.state().policy.order == Order::fair;
    entries_.insert({key.job_class, false, fair ? shares_[key.project] : 0,
                     rank_of(world, job, now_), order, false});
    return;
  }
}

void Pass::add_next(const World& world, const Entry& entry, const Job& job) {
  const Policy& policy = world.state().policy;
  const auto group = world.waiting.find(group_of(policy, job));
  auto next = group->second.upper_bound({static_rank(policy, job), job.queue_order});
  while (next != group->second.end() && world.queued(next->second).claim) ++next;
  if (next == group->second.end()) return;
  Entry following = entry;
  following.order = next->second;
  following.rank = rank_of(world, world.queued(next->second), now_);
  following.reluctant = false;
  entries_.insert(following);
}

// The class's first by share and age, whatever they ask for.
void Pass::add_oldest(const World& world) {
  const Policy& policy = world.state().policy;
  if (policy.order != Order::fair) return;
  using At = std::pair<WaitingGroups::const_iterator, Waiters::const_iterator>;
  std::array<std::map<std::pair<std::int64_t, std::uint64_t>, At>, 4> heads;  // by share, age
  const auto put = [&](WaitingGroups::const_iterator g, Waiters::const_iterator w) {
    while (w != g->second.end() && world.queued(w->second).claim) ++w;
    if (w == g->second.end()) return;
    heads[static_cast<std::size_t>(g->first.job_class)][{shares_[g->first.project], w->second}] = {
        g, w};
  };
  for (auto g = world.waiting.begin(); g != world.waiting.end(); ++g) put(g, g->second.begin());
  for (std::size_t c = 0; c < heads.size(); ++c) {
    auto& list = heads[c];
    const std::int64_t most = promises_of(policy, static_cast<JobClass>(c));
    for (std::int64_t k = 0; k < most && !list.empty(); ++k) {
      const auto [key, at] = *list.begin();
      list.erase(list.begin());
      entries_.insert({at.first->first.job_class, true, key.first, 0, key.second, false});
      put(at.first, std::next(at.second));
    }
  }
}

bool Pass::try_claim(const World& world, const Job& job, std::vector<FactBody>& facts) {
  const Claim& c = *job.claim;
  for (const Place& p : c.places)
    if (world.state().nodes[p.node].state != NodeState::active) {
      facts.push_back(ClaimDropped{job.id});
      const bool fair = world.state().policy.order == Order::fair;
      entries_.insert({job.job_class, false, fair && !shares_.empty() ? shares_[job.project] : 0,
                       rank_of(world, job, now_), job.queue_order, false});
      return true;
    }
  if (!claim_is_free(world, job)) return false;
  if (grant(world, job, {c.sku, c.places, c.cpu_milli, c.memory_mib}, now_, facts)) return true;
  facts.push_back(ClaimDropped{job.id});  // no credit left for it
  return true;
}

// Work for a part of a node that would begin an idle one takes it from those who need it whole: as
// long as others wait it goes behind those that would use as much as the node has.
bool Pass::too_dear(const World& world, const Entry& entry, const Job& job, const Placement& at) {
  const Demand& d = job.demand;
  if (entry.reluctant || job.job_class == JobClass::spot || d.nodes > 1 || d.gpus_per_node == 0 ||
      world.state().policy.order != Order::fair)
    return false;
  const NodeIx n = at.places[0].node;
  const auto cards = static_cast<std::int64_t>(world.state().nodes[n].gpus.size());
  if (cards <= d.gpus_per_node || !world.use[n].leases.empty()) return false;
  Entry raised = entry;
  raised.rank = entry.rank * cards / d.gpus_per_node;
  raised.reluctant = true;
  const auto behind = entries_.lower_bound(raised);
  if (behind == entries_.begin()) return false;  // nobody else would be tried before it
  entries_.insert(raised);
  return true;
}

Pass::Answer Pass::try_job(const World& world, const Entry& entry, const Job& job,
                           std::vector<FactBody>& facts) {
  const bool blocked = no_room_.contains(shape_of(job));
  if (blocked && !job.promise) return Answer::no_room;
  const auto tiers = affordable(world, job, tiers_of(world, job, *world.prices_at(now_)), now_);
  if (tiers.empty()) return Answer::no_credit;
  const Seeker seeker = seeker_of(world, job, now_, entry.rank);
  if (const auto placement = place(world, seeker, tiers)) {
    if (too_dear(world, entry, job, *placement)) return Answer::later;
    return grant(world, job, *placement, now_, facts) ? Answer::done : Answer::no_credit;
  }
  if (!review_) return Answer::no_room;  // one with a promise has cards of its own to ask for
  if (!evictable_) evictable_.emplace(world, now_);
  const auto eviction = evict_for(world, *evictable_, seeker, tiers);
  if (!eviction) return Answer::no_room;
  facts.push_back(ClaimMade{job.id, eviction->claim});
  for (const Id victim : eviction->victims)
    facts.push_back(
        StopOrdered{victim, StopReason::preempted, "preempted for a job that outranks it"});
  return Answer::done;
}

Pass::Answer Pass::try_promise(const World& world, const Job& job, std::vector<FactBody>& facts) {
  if (job.promise) return Answer::no_room;
  const auto tiers = affordable(world, job, tiers_of(world, job, *world.prices_at(now_)), now_);
  Seeker seeker = seeker_of(world, job, now_);
  seeker.for_good = true;
  auto promise = promise_for(world, seeker, tiers);
  if (!promise) return Answer::no_room;
  facts.push_back(PromiseMade{job.id, std::move(*promise)});
  return Answer::done;
}

std::vector<FactBody> Pass::next(const World& world) {
  std::vector<FactBody> facts;
  for (const std::uint64_t order : overdue_)  // what it holds in vain others may have
    facts.push_back(PromiseDropped{world.queued(order).id, "it could not be kept"});
  overdue_.clear();
  if (!facts.empty()) return facts;
  while (!claims_.empty()) {
    const std::uint64_t order = claims_.back();
    claims_.pop_back();
    const auto at = world.queue.find(order);
    if (at == world.queue.end() || !world.state().jobs[at->second].claim) continue;
    if (try_claim(world, world.state().jobs[at->second], facts)) return facts;
  }
  const bool strict = world.state().policy.order == Order::fifo;
  closed_[static_cast<std::size_t>(JobClass::house)] |= !house_pays(world.state().policy);
  while (!entries_.empty()) {
    const Entry entry = *entries_.begin();
    entries_.erase(entries_.begin());
    const auto at = world.queue.find(entry.order);
    bool& closed = closed_[static_cast<std::size_t>(entry.job_class)];
    if (at == world.queue.end() || closed) continue;
    const Job& job = world.state().jobs[at->second];
    if (job.claim) continue;
    const Answer answer =
        entry.promise ? try_promise(world, job, facts) : try_job(world, entry, job, facts);
    if (!entry.promise) {
      if (answer == Answer::no_room) {
        no_room_.insert(shape_of(job));
        closed = strict;
      }
      if (answer == Answer::done || answer == Answer::no_credit) add_next(world, entry, job);
    }
    if (answer == Answer::done) return facts;
  }
  return facts;
}

}  // namespace ampacity::core
