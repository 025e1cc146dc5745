// The contract's bodies for who looks after work and after a cloud: a job's life, who waits, what
// is earned now, who did what. As api/contract.h: described structs, and everything else follows.
#pragma once

#include "api/contract.h"

namespace ampacity::api {

// ---- GET /v1/jobs/{job}/events ------------------------------------------------------------------

struct JobMoment {
  Instant at;
  std::string what;  // submitted, promised, claimed, placed, started, told_to_stop, stopped, ended
  std::uint32_t generation = 0;  // 0: before the first
  std::string text;              // one sentence for a person
};
BOOST_DESCRIBE_STRUCT(JobMoment, (), (at, what, generation, text))
struct JobMoments {
  std::vector<JobMoment> items;  // in order
};
BOOST_DESCRIBE_STRUCT(JobMoments, (), (items))

// ---- GET /v1/event-log --------------------------------------------------------------------------

struct LoggedEvent {
  std::uint64_t sequence = 0;
  Instant at;
  std::string actor;  // "key-06bx…", "engine", "clock"
  std::string kind;
  std::optional<std::string> job;
  std::optional<std::string> project;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(LoggedEvent, (), (sequence, at, actor, kind, job, project, text))
struct EventLog {
  std::vector<LoggedEvent> items;          // newest first
  std::optional<std::string> next_cursor;  // older ones; a page may be short, or empty, before it
  std::uint64_t looked_until = 0;          // every fact from this sequence on was looked at
};
BOOST_DESCRIBE_STRUCT(EventLog, (), (items, next_cursor, looked_until))

// ---- GET /v1/queue ------------------------------------------------------------------------------

struct QueuedJob {
  std::uint32_t place = 0;  // from 1, over all classes
  std::string job;
  std::string name;
  std::string project;
  core::JobClass job_class{};
  std::string gpus;  // "h100:8x4", "a100-80|h100:8"; "cpu"
  Instant waiting_since;
  std::string why;  // in brief
  std::optional<PromiseView> promise;
  std::optional<Instant> expected;  // as if everything ran its median time
  std::optional<Instant> claimed_at;
};
BOOST_DESCRIBE_STRUCT(QueuedJob, (),
                      (place, job, name, project, job_class, gpus, waiting_since, why, promise,
                       expected, claimed_at))

// A project in the queue: who has used less of its weight goes first.
struct ProjectStanding {
  std::string project;
  std::int64_t weight = 100;
  std::int64_t used_permille =
      0;  // of what all have used, the past fading by the policy's half-life
  std::int64_t due_permille = 0;  // of all weights
  std::uint32_t waiting = 0;
  std::string gpus;  // leased now: "24", "0.5"
};
BOOST_DESCRIBE_STRUCT(ProjectStanding, (),
                      (project, weight, used_permille, due_permille, waiting, gpus))

struct ClassWaiting {
  core::JobClass job_class{};
  std::uint32_t jobs = 0;
  std::uint32_t promised = 0;
};
BOOST_DESCRIBE_STRUCT(ClassWaiting, (), (job_class, jobs, promised))

struct QueueView {
  std::uint32_t waiting = 0;
  std::vector<ClassWaiting> classes;
  std::vector<ProjectStanding> projects;  // who goes first, first; only those that use or wait
  std::vector<QueuedJob> items;           // the first `limit`, in order
};
BOOST_DESCRIBE_STRUCT(QueueView, (), (waiting, classes, projects, items))

// ---- GET /v1/revenue ----------------------------------------------------------------------------

struct RevenueRow {
  std::string sku;
  core::JobClass job_class{};
  std::uint32_t jobs = 0;
  std::string gpus;
  std::string usd_per_hour;             // at the price that each pays now
  std::optional<std::string> currency;  // absent: USD
  bool emulated = false;
};
BOOST_DESCRIBE_STRUCT(RevenueRow, (),
                      (sku, job_class, jobs, gpus, usd_per_hour, currency, emulated))
struct Utilisation {
  std::string sku;
  std::uint32_t gpus = 0;    // that take work, or work
  std::uint32_t leased = 0;  // cards with a lease on them
  bool emulated = false;
};
BOOST_DESCRIBE_STRUCT(Utilisation, (), (sku, gpus, leased, emulated))
struct RevenueTotal {
  std::string usd_per_hour;
  std::optional<std::string> currency;
};
BOOST_DESCRIBE_STRUCT(RevenueTotal, (), (usd_per_hour, currency))
struct RevenueView {
  Instant at;
  std::vector<RevenueRow> rows;      // by SKU and class; another currency is another row
  std::vector<RevenueTotal> totals;  // one a currency
  std::vector<Utilisation> skus;     // with GPUs
};
BOOST_DESCRIBE_STRUCT(RevenueView, (), (at, rows, totals, skus))

// ---- GET /v1/offers/{sku}/waits -----------------------------------------------------------------

struct OfferWait {
  std::string gpus;  // "h100:8x4"
  bool starts_now = false;
  bool makes_room = false;          // work of a lower class is told to go
  std::optional<Instant> expected;  // absent: not within 60 days, or not looked that far
  std::string usd_per_hour;         // of all of it
};
BOOST_DESCRIBE_STRUCT(OfferWait, (), (gpus, starts_now, makes_room, expected, usd_per_hour))
struct OfferWaits {
  std::string sku;
  core::JobClass job_class{};
  std::vector<OfferWait> items;  // by size; what never fits is left out
};
BOOST_DESCRIBE_STRUCT(OfferWaits, (), (sku, job_class, items))

}  // namespace ampacity::api
