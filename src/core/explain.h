// Why a waiting job waits: the one constraint that holds it, with its numbers, its place in the
// queue and what it costs. Plain data; the words are api/view_why.cc's.
// Thread rule: reads the world, so on the thread that owns it.
// 1. Of several constraints the named one is the first, in the order of explain(), whose absence
//    alone would let the job start now; if there is none such, no_room.
// 2. Every count and every loop is bounded: at most `most_followed` leases and `most_compared`
//    waiting jobs are looked at. brief() looks at neither, for lists of a thousand jobs.
#pragma once

#include "core/survey.h"

namespace ampacity::core {

inline constexpr std::size_t most_compared = 20'000;

// Who has a right to what is free.
struct Keeper {
  Hold::Why why = Hold::Why::window;
  bool maintenance = false;  // of windows
  ProjectIx project = nobody;
  Instant from;   // of a promise: when it is due at the latest
  Instant until;  // of a window; else forever
  bool operator==(const Keeper&) const = default;
};

struct Explanation {
  Constraint constraint = Constraint::none;
  std::vector<Room> rooms;  // one per SKU it would take, the cheapest first
  std::optional<Keeper> keeper;
  // credit: ticks. quota: thousandths of GPUs of `sku`. price: ticks per GPU-second of `sku`.
  // reservation: GPUs.
  std::int64_t wanted = 0;
  std::int64_t available = 0;
  SkuIx sku = nobody;
  SiteIx site = nobody;        // where there is room
  std::uint32_t stopping = 0;  // claimed: leases still in its place
  Instant until;               // claimed: their notice ends; reservation: it begins; zero: unknown

  std::uint32_t place = 0;  // in its class; 0: not counted
  std::uint32_t ahead = 0;  // before it, of all classes, that would take the same SKUs
  bool ahead_or_more = false;
  std::optional<Rates> rates;  // of the cheapest SKU
};

Explanation explain(const World& world, const Job& job, Instant now);

// Without what costs a look at others: only the cheapest SKU's open nodes, no place in the queue.
Explanation brief(const World& world, const Job& job, Instant now);

}  // namespace ampacity::core
