// The cloud a trace is replayed on: founded, priced, its nodes registered, its projects funded.
#pragma once

#include "core/step.h"
#include "sim/trace.h"

namespace ampacity::sim {

inline constexpr base::Instant trace_begin{1'767'225'600'000'000};  // 2026-01-01

// Every GPU costs 2 USD an hour, half of it as spot: costs compare policies, not clouds.
void found_cloud(core::World& world, const Trace& trace, const core::Policy& policy);

base::Id job_id(std::size_t position);
std::size_t job_position(base::Id id);
core::SubmitJob submission(const Trace& trace, std::size_t position, std::int64_t grace_s,
                           bool oracle, bool saves_on_stop);

}  // namespace ampacity::sim
