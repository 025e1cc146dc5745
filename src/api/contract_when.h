// The part of the contract (api/contract.h) about when work starts and what it would cost: quotes,
// and why a job waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/words.h"

namespace ampacity::api {

using base::Instant;

struct QuoteLine {
  std::string component;  // "gpu h100", "vcpu", "memory"
  std::string quantity;   // "8", "128", "1024"
  std::string unit;       // "GPU", "vCPU", "GiB"
  std::string unit_usd_per_hour;
  std::string usd_per_hour;
};
BOOST_DESCRIBE_STRUCT(QuoteLine, (), (component, quantity, unit, unit_usd_per_hour, usd_per_hour))

// One way to have it, or something like it.
struct QuoteOption {
  std::string what;  // "on_demand", "spot", …; "smaller", "other_gpu", "other_site"
  std::string gpus;  // "h100:8x4"; "cpu"
  core::JobClass job_class{};
  std::optional<std::string> site;  // of other_site
  std::string usd_per_hour;
  bool starts_now = false;
  std::optional<Instant> expected;       // as if everything before it ran its median time
  std::optional<Instant> likely_by;      // in 8 of 10 cases
  bool makes_room = false;               // by telling work of a lower class to stop
  std::optional<std::int64_t> notice_s;  // it may be preempted, with this notice
};
BOOST_DESCRIBE_STRUCT(QuoteOption, (),
                      (what, gpus, job_class, site, usd_per_hour, starts_now, expected, likely_by,
                       makes_room, notice_s))

struct Quote {
  std::string sku;
  bool emulated = false;
  core::JobClass job_class{};
  std::vector<QuoteLine> lines;  // all nodes together
  std::string usd_per_hour;
  std::string hold_usd;    // credit held at the start
  std::string wallet_usd;  // available now
  bool starts_now = false;
  std::string why;  // why not now
  std::uint32_t price_version = 0;
  std::vector<QuoteOption> options;     // what was asked for first, then on demand, spot, others
  std::optional<std::string> currency;  // of its money; absent: USD
};
BOOST_DESCRIBE_STRUCT(Quote, (),
                      (sku, emulated, job_class, lines, usd_per_hour, hold_usd, wallet_usd,
                       starts_now, why, price_version, options, currency))

// One GPU it would take, and the nodes of it.
struct WhyRoom {
  std::string sku;
  std::uint32_t nodes_now = 0;        // could take a rank now
  std::uint32_t nodes_held = 0;       // could, but are kept for others
  std::uint32_t nodes_short = 0;      // have the GPUs, but too little CPU or memory
  std::uint32_t nodes_elsewhere = 0;  // could, but not inside the same domain
  std::uint32_t nodes_promised = 0;   // busy, and promised or kept for others when they are free
  std::uint32_t gpus_free = 0;
  std::optional<std::string> ending_job;  // with its end the last node is free; the project's own
  std::optional<Instant> ending_at;       // about
};
BOOST_DESCRIBE_STRUCT(WhyRoom, (),
                      (sku, nodes_now, nodes_held, nodes_short, nodes_elsewhere, nodes_promised,
                       gpus_free, ending_job, ending_at))

struct WhyView {  // GET /v1/jobs/{job}/why
  std::string job;
  std::string name;
  core::JobState state{};
  std::optional<core::Outcome> outcome;  // once ended
  std::string why;                       // a sentence
  core::Constraint constraint{};         // what holds it; none: it does not wait
  std::uint32_t nodes = 1;
  std::uint32_t gpus_per_node = 0;
  std::vector<WhyRoom> rooms;            // by price, the cheapest first
  std::optional<std::uint32_t> place;    // in the queue of its class
  std::optional<std::uint32_t> ahead;    // before it, of all classes, that would take the same
  bool ahead_or_more = false;            // not all were counted
  std::optional<Instant> expected;       // its start, as if everything ran its median time
  std::optional<Instant> likely_by;      // in 8 of 10 cases
  std::optional<Instant> promised_by;    // it starts at the latest
  std::optional<bool> promise_certain;   // all it waits for has a time limit
  std::optional<Instant> waiting_since;  // also after a preemption
  std::string usd_per_hour;
  core::JobClass job_class{};
  std::uint32_t preemptions = 0;
  std::optional<std::string> currency;  // of its price; absent: USD
};
BOOST_DESCRIBE_STRUCT(WhyView, (),
                      (job, name, state, outcome, why, constraint, nodes, gpus_per_node, rooms,
                       place, ahead, ahead_or_more, expected, likely_by, promised_by,
                       promise_certain, waiting_since, usd_per_hour, job_class, preemptions,
                       currency))

// "14:05 UTC", or with its day if that is not today.
std::string clock_text(Instant t, Instant now);

}  // namespace ampacity::api
