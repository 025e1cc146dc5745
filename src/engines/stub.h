// An engine without containers, for load tests: each rank runs for a fixed time, then exits 0.
// It is never offered to customers; `ampacityd --engine stub` says so at start.
#pragma once

#include <filesystem>
#include <memory>

#include "base/time.h"
#include "engines/engine.h"
#include "net/gated_transport.h"

namespace ampacity::engines {

struct StubOptions {
  base::Duration run_time;
  // Not empty: what was ever started, outside of this process (engines/stub_record.h).
  std::filesystem::path record;
  net::MayAct may_act;  // asked before each start that goes into the record
};

// A rank that an earlier process had goes on, as a container would. One thread, a timer queue
// ordered by end; reports are batched every few milliseconds.
std::unique_ptr<Engine> make_stub_engine(const StubOptions& options, base::Clock& clock);
std::unique_ptr<Engine> make_stub_engine(base::Duration run_time, base::Clock& clock);

}  // namespace ampacity::engines
