// The words of DESIGN §2 that the core and the contract share; an enumerator is its wire name.
#pragma once

#include <boost/describe/enum.hpp>

namespace ampacity::core {

enum class JobClass { reserved, on_demand, spot, house };
BOOST_DESCRIBE_ENUM(JobClass, reserved, on_demand, spot, house)

//   submit            lease granted          every rank seen running        all ranks seen ended
//  ───────▶ queued ───────────────▶ starting ───────────────────▶ running ───────────────────▶
//  ended
//             ▲ ▲                      │   ╲ stop_ordered             │ stop_ordered            ▲
//             │ └── retry: next ───────┘    ╲────────▶ stopping ◀─────┘                         │
//             │     generation ◀──────────────────────── │ ─────────────────────────────────────┤
//             └─ queued ── stop_ordered ─────────────────┴──────────────────────────────────────┘
// Each generation takes a new lease; generations only grow. Transition -> fact: core/facts.h.
enum class JobState { queued, starting, running, stopping, ended };
BOOST_DESCRIBE_ENUM(JobState, queued, starting, running, stopping, ended)

// How a job ended. `none` until it has; `expired`: its start-by passed while it waited.
enum class Outcome { none, succeeded, failed, cancelled, timed_out, lost, expired };
BOOST_DESCRIBE_ENUM(Outcome, none, succeeded, failed, cancelled, timed_out, lost, expired)

// Why a stop was ordered. After preempted, window, uneconomic and price the job goes back to its
// place in the queue.
enum class StopReason {
  none,
  asked,
  time_limit,
  credit,
  volume_limit,
  rank_failed,
  start_timeout,
  preempted,    // for a job that outranks it
  window,       // a reservation or maintenance window begins, or its own ends
  uneconomic,   // house work that no longer pays
  over_budget,  // of its org, project or key
  price         // spot that costs more now than it allows
};
BOOST_DESCRIBE_ENUM(StopReason, none, asked, time_limit, credit, volume_limit, rank_failed,
                    start_timeout, preempted, window, uneconomic, over_budget, price)
inline bool requeues(StopReason r) {
  return r == StopReason::preempted || r == StopReason::window || r == StopReason::uneconomic ||
         r == StopReason::price;
}

// What the nodes of one lease must share. `any`: as close as possible, but no more is required.
enum class Together { any, nvlink, rack, leaf };
BOOST_DESCRIBE_ENUM(Together, any, nvlink, rack, leaf)

// What holds a waiting job (core/explain.h): what alone would let it start now if it were
// otherwise.
enum class Constraint {
  none,             // it does not wait
  no_room,          // too few nodes have what it needs free
  topology,         // enough have, but not inside one domain of the level it requires
  held_for_others,  // what is free is reserved, promised or claimed
  credit,           // the wallet cannot hold the start
  budget,           // a budget that blocks is used up
  quota,            // of the kinds it would take, the one with room is over a quota
  cpu_or_memory,    // GPUs are free, CPU or memory beside them is not
  price,            // what is free costs more than it allows
  site,             // there is room at a site it does not name
  apart,            // what is free is beside work it must stay apart from
  reservation,      // its own has not begun, or is full
  claimed,          // its place is being made free
  next_in_line,     // there is room: the queue's next pass decides
  unreachable,      // there is room at a site that cannot be reached now
};
BOOST_DESCRIBE_ENUM(Constraint, none, no_room, topology, held_for_others, credit, budget, quota,
                    cpu_or_memory, price, site, apart, reservation, claimed, next_in_line,
                    unreachable)

// A stretch of time on named GPUs that is kept for a project, or from everybody.
enum class WindowKind { reservation, maintenance };
BOOST_DESCRIBE_ENUM(WindowKind, reservation, maintenance)

// How the queue is ordered inside a class. The last three are the simulator's references: `srtf`
// and `srsf` need run times that only an oracle knows.
enum class Order { fair, fifo, srtf, srsf };
BOOST_DESCRIBE_ENUM(Order, fair, fifo, srtf, srsf)

// absent: not registered at the latest start; cordoned: by an operator. Neither takes new work.
enum class NodeState { active, cordoned, absent };
BOOST_DESCRIBE_ENUM(NodeState, active, cordoned, absent)

// draining: what runs there goes on, nothing new begins; closed: empty, its engine is let go.
enum class SiteState { active, draining, closed };
BOOST_DESCRIBE_ENUM(SiteState, active, draining, closed)

// What becomes of a job whose site cannot be reached for as long as the policy says: it waits for
// the site, or its generation is given up and it starts again elsewhere.
enum class IfSiteLost { wait, move };
BOOST_DESCRIBE_ENUM(IfSiteLost, wait, move)

enum class RankState { pending, running, ended };
BOOST_DESCRIBE_ENUM(RankState, pending, running, ended)

// What a key may do: rent in its own project, or own the cloud (an operator; a C++ word).
enum class Role { customer, owner };
BOOST_DESCRIBE_ENUM(Role, customer, owner)

}  // namespace ampacity::core
