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

// How a job ended. `none` until it has.
enum class Outcome { none, succeeded, failed, cancelled, timed_out, lost };
BOOST_DESCRIBE_ENUM(Outcome, none, succeeded, failed, cancelled, timed_out, lost)

// Why a stop was ordered.
enum class StopReason { none, asked, time_limit, credit, volume_limit, rank_failed, start_timeout };
BOOST_DESCRIBE_ENUM(StopReason, none, asked, time_limit, credit, volume_limit, rank_failed,
                    start_timeout)

// absent: not registered at the latest start; cordoned: by an operator. Neither takes new work.
enum class NodeState { active, cordoned, absent };
BOOST_DESCRIBE_ENUM(NodeState, active, cordoned, absent)

enum class RankState { pending, running, ended };
BOOST_DESCRIBE_ENUM(RankState, pending, running, ended)

// What a key may do: rent in its own project, or own the cloud (an operator; a C++ word).
enum class Role { customer, owner };
BOOST_DESCRIBE_ENUM(Role, customer, owner)

}  // namespace ampacity::core
