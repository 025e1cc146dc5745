// The order of the queue. Between classes: reserved, on demand, spot, house. Inside a class: the
// project that has used less of its share; then the lowest rank. A rank is the work a job is
// expected to need, made smaller by how long it has waited for it, so nobody waits for ever behind
// small work:
//   spot       GPU-seconds by Gittins' index of what it has run / √(1 + wait / need)
//   the others seconds expected to be left                      / (1 + wait / need)²
// Spot work may be told to make room for work of half its rank that has had less service; and for
// work that was told so itself and has waited since for as long as it had run until then.
// The first few of a class by age are promised a start (core/promise.h), whatever their rank.
#pragma once

#include "core/queue.h"
#include "core/world.h"

namespace ampacity::core {

// May be told to go while it runs.
inline bool yields(JobClass job_class) { return job_class >= JobClass::spot; }

// GPU-seconds of whole cards (a share counts as its part, work without cards as one card).
std::int64_t service_gpu_s(const Job& job, std::int64_t seconds);

// A waiting job's group and its place inside it: constant while it waits.
GroupKey group_of(const Policy& policy, const Job& job);
std::int64_t static_rank(const Policy& policy, const Job& job);

// The lower goes first; of jobs that wait or run.
std::int64_t rank_of(const World& world, const Job& job, Instant now);

// What decides who may tell whom to make room.
struct Standing {
  JobClass job_class = JobClass::on_demand;
  std::int64_t rank = 0;
  std::int64_t service = 0;  // GPU-seconds it has had
  bool is_owed = false;      // told to go, it has waited since for as long as it had run
  bool restarting = false;   // resumed, it was not yet worth what that cost
  bool left_alone = false;   // by its own class: cut short lately
};
Standing standing_of(const World& world, const Job& job, Instant now);
// Of one that waits, with the rank that it has in this pass.
Standing standing_of_waiting(const Job& job, std::int64_t rank, Instant now);
bool may_preempt(const Policy& policy, const Standing& seeker, const Standing& victim);
// What the victim would lose: GPU-seconds since its work was last safe.
std::int64_t loss_gpu_s(const World& world, const Job& victim, Instant now);

// Does the operator's own filler earn what it costs? Price and revenue come from the policy, until
// a site knows its power price.
inline bool house_pays(const Policy& p) { return p.house_revenue >= p.house_cost; }

// How many of a class, by age, are promised a start.
std::int64_t promises_of(const Policy& policy, JobClass job_class);

// Seconds between the order to stop and the kill: who is stopped for others gets no more than its
// class's notice.
std::int64_t notice_s(const Policy& policy, const Job& job);
// Of one that was told to stop.
Instant notice_ends(const Policy& policy, const Job& job);

// By project: what it has used, by weight. The lower goes first.
std::vector<std::int64_t> shares_at(const World& world, Instant now);
std::int64_t share_at(const World& world, ProjectIx project, Instant now);

}  // namespace ampacity::core
