#include "core/order.h"

#include <algorithm>
#include <bit>

#include "core/history.h"
#include "core/share.h"

namespace ampacity::core {
namespace {

// A run that was cut short must have been worth its restarts: five, before it is cut short again.
constexpr std::int64_t restarts_worth = 5;
// And its service must have grown by a twentieth: so a job is cut short as often as that, at most
// once in five restarts' time, and what is lost to restarts stays a small part.
constexpr std::int64_t growth_num = 21, growth_den = 20;
// A newcomer counts as at least this many restarts of work when it asks others to go.
constexpr std::int64_t least_work = 10;

constexpr int rank_bits = 6;  // a rank is in sixty-fourths of a (GPU-)second

std::int64_t remaining_s(const Job& job, Instant now) {
  return std::max<std::int64_t>(1, job.expected_run_s - attained_s(job, now));
}

std::uint64_t square_root(std::uint64_t x) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = 1ULL << 62; bit; bit >>= 2) {
    if (x >= root + bit) {
      x -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return root;
}

}  // namespace

std::int64_t service_gpu_s(const Job& job, std::int64_t seconds) {
  const std::int64_t milli =
      static_cast<std::int64_t>(job.demand.nodes) *
      std::max<std::int64_t>(
          1000, static_cast<std::int64_t>(job.demand.gpus_per_node) * job.demand.gpu_milli);
  return seconds * milli / 1000;
}

GroupKey group_of(const Policy& policy, const Job& job) {
  GroupKey key{shape_of(job), 0, {}};
  if (policy.order != Order::fair) return key;
  key.band = static_cast<std::uint32_t>(bucket_of(job.attained_s));
  key.stem = stem_of(job.name);
  return key;
}

std::int64_t static_rank(const Policy& policy, const Job& job) {
  if (policy.order == Order::srtf) return remaining_s(job, {});
  if (policy.order == Order::srsf) return service_gpu_s(job, remaining_s(job, {}));
  return 0;
}

std::int64_t rank_of(const World& world, const Job& job, Instant now) {
  const Policy& policy = world.state().policy;
  if (policy.order == Order::fifo) return 0;
  if (policy.order == Order::srtf) return remaining_s(job, now);
  if (policy.order == Order::srsf) return service_gpu_s(job, remaining_s(job, now));
  const std::int64_t attained = attained_s(job, now);
  const std::int64_t age_s = (now - job.submitted_at).whole_seconds();
  const std::int64_t waited = std::max<std::int64_t>(0, age_s - attained);
  const bool spot = job.job_class == JobClass::spot;
  std::int64_t need = 0;  // seconds
  if (job.expected_run_s > attained) {
    need = job.expected_run_s - attained;
  } else {
    const RunTimes times(world, job);
    need = spot ? times.gittins_s(attained) : times.mean_left_s(attained);
  }
  const std::int64_t scale = std::max(need, std::max<std::int64_t>(1, policy.restart_cost_s));
  const auto part = static_cast<std::uint64_t>((static_cast<base::Wide>(scale) << 32) /
                                               (scale + waited));  // of 2^32
  if (spot)
    return static_cast<std::int64_t>(
        static_cast<base::Wide>(service_gpu_s(job, need) << rank_bits) * square_root(part << 16) >>
        24);
  return static_cast<std::int64_t>(static_cast<base::Wide>(need << rank_bits) * part >> 32) *
             static_cast<std::int64_t>(part >> 12) >>
         20;
}

Standing standing_of(const World& world, const Job& job, Instant now) {
  const std::int64_t has = attained_s(job, now), had = job.attained_s;
  Standing s;
  s.job_class = job.job_class;
  s.rank = rank_of(world, job, now);
  s.service = service_gpu_s(job, has);
  if (job.preemptions == 0) return s;
  s.restarting = has - had < restarts_worth * world.state().policy.restart_cost_s;
  s.left_alone = s.restarting || has * growth_den < had * growth_num;
  return s;
}

Standing standing_of_waiting(const Job& job, std::int64_t rank, Instant now) {
  Standing s;
  s.job_class = job.job_class;
  s.rank = rank;
  s.service = service_gpu_s(job, job.attained_s);
  s.is_owed = job.preemptions > 0 && (now - job.stop_ordered_at).whole_seconds() >= job.attained_s;
  return s;
}

bool may_preempt(const Policy& policy, const Standing& seeker, const Standing& victim) {
  if (!yields(victim.job_class) || seeker.job_class > victim.job_class) return false;
  if (policy.order == Order::srtf || policy.order == Order::srsf) return victim.rank > seeker.rank;
  if (seeker.job_class < victim.job_class) return true;
  if (seeker.job_class != JobClass::spot || policy.order != Order::fair) return false;
  const std::int64_t least = (least_work * policy.restart_cost_s) << rank_bits;
  if (victim.rank / 2 < least) return false;
  if (seeker.is_owed) return !victim.restarting;
  return !victim.left_alone && victim.service > seeker.service && victim.rank / 2 >= seeker.rank;
}

std::int64_t loss_gpu_s(const World& world, const Job& victim, Instant now) {
  const Lease& lease = *victim.lease;
  const Order order = world.state().policy.order;
  if (order == Order::srtf || order == Order::srsf)  // its last is the first to go
    return INT64_MAX / 4096 - rank_of(world, victim, now);
  // Nobody pays for house work: it goes before any other, so that spot is not moved onto it.
  if (lease.started_at.us == 0 || victim.job_class == JobClass::house) return 0;
  const Instant safe = victim.saves_on_stop ? now : std::max(lease.started_at, lease.checkpoint_at);
  return service_gpu_s(victim, (now - safe).whole_seconds() + world.state().policy.restart_cost_s);
}

std::int64_t promises_of(const Policy& policy, JobClass job_class) {
  if (policy.order != Order::fair) return 0;
  return yields(job_class) ? policy.spot_promises : policy.promises_per_class;
}

std::int64_t notice_s(const Policy& policy, const Job& job) {
  if (!requeues(job.stop_reason)) return job.grace_s;
  return std::min(job.grace_s,
                  job.job_class == JobClass::house ? policy.house_grace_s : policy.spot_grace_s);
}

Instant notice_ends(const Policy& policy, const Job& job) {
  return job.stop_ordered_at + Duration::seconds(notice_s(policy, job));
}

std::int64_t share_at(const World& world, ProjectIx project, Instant now) {
  const State& s = world.state();
  return claim_on_queue(
      used_at(s.projects[project].share, world.share_rate[project], now, s.policy.half_life_s),
      s.projects[project].share.weight);
}

std::vector<std::int64_t> shares_at(const World& world, Instant now) {
  std::vector<std::int64_t> shares(world.state().projects.size());
  for (ProjectIx p = 0; p < shares.size(); ++p) shares[p] = share_at(world, p, now);
  return shares;
}

}  // namespace ampacity::core
