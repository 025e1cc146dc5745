#include "core/pass.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "base/chaos.h"
#include "core/grant.h"
#include "core/history.h"
#include "core/order.h"
#include "core/promise.h"

namespace ampacity::core {

// ---- the line -----------------------------------------------------------------------------------

void Pass::Line::add(const Entry& entry) {
  if (sorted_)
    later_.insert(entry);
  else
    known_.push_back(entry);
}

void Pass::Line::sort() {
  if (!sorted_) std::sort(known_.begin(), known_.end(), std::greater<>());
  sorted_ = true;
}

std::optional<Pass::Entry> Pass::Line::pop() {
  sort();
  if (known_.empty() && later_.empty()) return std::nullopt;
  if (later_.empty() || (!known_.empty() && known_.back() < *later_.begin())) {
    const Entry entry = known_.back();
    known_.pop_back();
    return entry;
  }
  return later_.extract(later_.begin()).value();
}

bool Pass::Line::would_be_next(const Entry& entry) {
  sort();
  return (known_.empty() || entry < known_.back()) && (later_.empty() || entry < *later_.begin());
}

// ---- who is in it -------------------------------------------------------------------------------

namespace {

using Group = WaitingGroups::const_iterator;

// The first from `at` on that does not claim a place already; nullptr: there is none.
const Job* first_without_claim(const World& world, Group group, Waiters::const_iterator& at) {
  for (; at != group->second.end(); ++at)
    if (const Job& job = world.queued(at->second); !job.claim) return &job;
  return nullptr;
}

// The first of a group by share and age.
struct GroupHead {
  std::int64_t share = 0;
  std::uint64_t order = 0;
  Group group;
  Waiters::const_iterator at;
  std::uint32_t shape = 0;
  bool operator>(const GroupHead& o) const {
    return std::tie(share, order) > std::tie(o.share, o.order);
  }
};

}  // namespace

Pass::Pass(const World& world, Instant now) : Pass(world, now, Freed{true, {}, {}}) {
  review_ = true;
}

Pass::Pass(const World& world, Instant now, Freed freed)
    : now_(now), review_(false), freed_(std::move(freed)) {
  if (world.state().policy.order == Order::fair)
    shares_.assign(world.state().projects.size(), unknown_share);
  for (const auto& [order, slot] : world.claimed) claims_.push_back(order);
  std::reverse(claims_.begin(), claims_.end());
  for (const auto& [order, slot] : world.promised)
    if (world.state().jobs[slot].promise->start_by < now) overdue_.push_back(order);
  freed_.anywhere |= !overdue_.empty();  // by what they held in vain
  add_groups(world);
}

Pass::Pass(const World& world, Instant now, const Job& job) : now_(now), review_(true) {
  const Policy& policy = world.state().policy;
  if (policy.order == Order::fifo && world.queue.size() > 1) return;
  shapes_ = {shape_of(job)};
  no_room_.resize(1);
  Entry entry = entry_of(world, job, 0);
  line_.add(entry);
  std::int64_t promised = 0;
  for (const auto& [order, slot] : world.promised)
    promised += world.state().jobs[slot].job_class == job.job_class;
  if (promised >= promises_of(policy, job.job_class)) return;
  entry.promise = true;
  entry.rank = 0;
  line_.add(entry);
}

std::int64_t Pass::share_of_project(const World& world, ProjectIx project) const {
  if (shares_.empty()) return 0;
  std::int64_t& share = shares_[project];
  if (share == unknown_share) share = share_at(world, project, now_);
  return share;
}

Pass::Entry Pass::entry_of(const World& world, const Job& job, std::uint32_t shape) const {
  const std::int64_t rank = base::planted("unstable-order") ? 0 : rank_of(world, job, now_);
  return {job.job_class,   false, share_of_project(world, job.project), rank,
          job.queue_order, false, world.queue.at(job.queue_order),      shape};
}

std::uint32_t Pass::shape_ix(const Job& job) const {
  const auto at = std::lower_bound(shapes_.begin(), shapes_.end(), shape_of(job));
  return static_cast<std::uint32_t>(at - shapes_.begin());
}

// False: since it found no room, none was made that it could use.
bool Pass::could_use_freed(const World& world, const Shape& shape) const {
  const Demand& d = shape.demand;
  const auto among = [](const auto& list, auto one) {
    return std::find(list.begin(), list.end(), one) != list.end();
  };
  if (freed_.anywhere || among(freed_.projects, shape.project)) return true;
  const Window* own = d.gpus_per_node ? world.window(d.reservation) : nullptr;
  return std::any_of(freed_.nodes.begin(), freed_.nodes.end(), [&](NodeIx n) {
    const Node& node = world.state().nodes[n];
    if (!serves(node, d, d.skus)) return false;
    if (d.gpu_milli == 1000 && d.mig == 0 && world.free_gpus(n) < d.gpus_per_node) return false;
    if (!d.sites.empty() && !among(d.sites, node.site)) return false;
    return !own || std::any_of(own->places.begin(), own->places.end(),
                               [&](const Place& p) { return p.node == n; });
  });
}

// The first of each group; and, to be promised a start, the first of each class by share and age,
// whatever they ask for.
void Pass::add_groups(const World& world) {
  const Policy& policy = world.state().policy;
  std::array<std::vector<GroupHead>, 4> heads;
  for (Group g = world.waiting.begin(); g != world.waiting.end(); ++g) {
    const Shape& shape = g->first.shape;
    if (shapes_.empty() || shapes_.back() != shape) shapes_.push_back(shape);
    const auto ix = static_cast<std::uint32_t>(shapes_.size() - 1);
    auto at = g->second.begin();
    const Job* job = first_without_claim(world, g, at);
    if (!job) continue;
    if (could_use_freed(world, shape)) line_.add(entry_of(world, *job, ix));
    if (promises_of(policy, shape.job_class) > 0)
      heads[static_cast<std::size_t>(shape.job_class)].push_back(
          {share_of_project(world, job->project), job->queue_order, g, at, ix});
  }
  no_room_.resize(shapes_.size());
  for (std::size_t c = 0; c < heads.size(); ++c) {
    std::priority_queue first(std::greater<>(), std::move(heads[c]));
    const std::int64_t most = promises_of(policy, static_cast<JobClass>(c));
    for (std::int64_t k = 0; k < most && !first.empty(); ++k) {
      GroupHead head = first.top();
      first.pop();
      line_.add({static_cast<JobClass>(c), true, head.share, 0, head.order, false,
                 world.queue.at(head.order), head.shape});
      if (!first_without_claim(world, head.group, ++head.at)) continue;
      head.order = head.at->second;
      first.push(head);
    }
  }
}

// The one that stands behind it in its group.
void Pass::add_next(const World& world, const Entry& entry, const Job& job) {
  const Policy& policy = world.state().policy;
  const Group group = world.waiting.find(group_of(policy, job));
  auto at = group->second.upper_bound({static_rank(policy, job), job.queue_order});
  if (const Job* next = first_without_claim(world, group, at))
    line_.add(entry_of(world, *next, entry.shape));
}

namespace {

// One that was announced since the claim was made, too.
bool in_maintenance(const World& world, NodeIx n, Instant now) {
  const auto at = world.holds.find(n);
  return at != world.holds.end() &&
         std::any_of(at->second.begin(), at->second.end(), [&](const Hold& h) {
           return h.why == Hold::Why::window && h.from <= now &&
                  world.state().windows[h.owner].kind == WindowKind::maintenance;
         });
}

// Are enough cards of its reservation free, if it has one?
bool cards_inside(const World& world, const Job& job) {
  const Window* own = only_window(world, job);
  if (!own) return true;
  std::uint32_t nodes = 0;
  for (const Place& p : own->places) nodes += world.free_gpus(p.node) >= job.demand.gpus_per_node;
  return nodes >= job.demand.nodes || job.demand.gpu_milli != 1000 || job.demand.mig;
}

}  // namespace

// ---- what they get ------------------------------------------------------------------------------

bool Pass::try_claim(const World& world, const Job& job, std::vector<FactBody>& facts) {
  const Claim& c = *job.claim;
  const bool usable = std::all_of(c.places.begin(), c.places.end(), [&](const Place& p) {
    return world.takes_work(p.node) && !in_maintenance(world, p.node, now_);
  });
  if (usable && !claim_is_free(world, job)) return false;
  if (usable && grant(world, job, {c.sku, c.places, c.cpu_milli, c.memory_mib}, now_, facts))
    return true;
  facts.push_back(ClaimDropped{job.id});  // or there is no credit left for it
  line_.add(entry_of(world, job, shape_ix(job)));
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
  if (line_.would_be_next(raised)) return false;
  line_.add(raised);
  return true;
}

Pass::Answer Pass::try_job(const World& world, const Entry& entry, const Job& job,
                           std::vector<FactBody>& facts) {
  if (no_room_[entry.shape] && !job.promise) return Answer::no_room;
  if (!review_ && !cards_inside(world, job)) return Answer::no_room;
  const auto tiers = affordable(world, job, tiers_of(world, job, now_), now_);
  if (tiers.empty()) return Answer::no_credit;
  const Seeker seeker = seeker_of(world, job, now_, entry.rank);
  if (const auto placement = place(world, seeker, tiers)) {
    if (too_dear(world, entry, job, *placement)) return Answer::later;
    return grant(world, job, *placement, now_, facts) ? Answer::done : Answer::no_credit;
  }
  if (!review_) return Answer::no_room;  // one with a promise has cards of its own to ask for
  if (!somebody_inside(world, job, now_)) return Answer::no_room;
  const Window* own = only_window(world, job);
  std::optional<Evictable> inside;  // of a reservation's few nodes: quickly taken anew
  if (own)
    inside.emplace(world, now_, own);
  else if (!evictable_)
    evictable_.emplace(world, now_);
  Evictable& evictable = inside ? *inside : *evictable_;
  const auto eviction = evict_for(world, evictable, seeker, tiers);
  if (!eviction) return Answer::no_room;
  if (evictable_) evictable_->told(world, eviction->victims);
  facts.push_back(ClaimMade{job.id, eviction->claim});
  for (const Id victim : eviction->victims)
    facts.push_back(
        StopOrdered{victim, StopReason::preempted, "preempted for a job that outranks it"});
  return Answer::done;
}

Pass::Answer Pass::try_promise(const World& world, const Job& job, std::vector<FactBody>& facts) {
  if (job.promise) return Answer::no_room;
  const auto tiers = affordable(world, job, tiers_of(world, job, now_), now_);
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
  while (const auto entry = line_.pop()) {
    const Job& job = world.state().jobs[entry->slot];
    bool& closed = closed_[static_cast<std::size_t>(entry->job_class)];
    const bool waits = job.queue_order == entry->order && job.state == JobState::queued;
    if (!waits || job.claim || closed) continue;
    const Answer answer =
        entry->promise ? try_promise(world, job, facts) : try_job(world, *entry, job, facts);
    if (!entry->promise) {
      if (answer == Answer::no_room) {
        no_room_[entry->shape] = true;
        closed = strict;
      }
      if (answer == Answer::done || answer == Answer::no_credit) add_next(world, *entry, job);
    }
    if (answer == Answer::done) return facts;
  }
  return facts;
}

}  // namespace ampacity::core
