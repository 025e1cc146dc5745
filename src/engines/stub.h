// An engine without containers, for load tests: each rank runs for a fixed time, then exits 0.
// It is never offered to customers; `ampacityd --engine stub` says so at start.
#pragma once

#include <memory>

#include "base/time.h"
#include "engines/engine.h"

namespace ampacity::engines {
// A rank that an earlier process had goes on, as a container would. One thread, a timer queue
// ordered by end; reports are batched every few milliseconds.
std::unique_ptr<Engine> make_stub_engine(base::Duration run_time, base::Clock& clock);
}  // namespace ampacity::engines
