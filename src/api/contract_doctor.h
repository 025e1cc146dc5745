// The contract's part about the cloud's own health: one line a check, and what to do about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace ampacity::api {

// unknown: what it needs could not be learnt; never taken for ok.
enum class CheckState { ok, bad, unknown };
BOOST_DESCRIBE_ENUM(CheckState, ok, bad, unknown)

struct DoctorCheck {
  std::string check;  // "world", "timers", "store pages"…
  CheckState state = CheckState::unknown;
  std::string detail;
  std::optional<std::string> next;  // of what is bad: what to do
};
BOOST_DESCRIBE_STRUCT(DoctorCheck, (), (check, state, detail, next))

struct DoctorReport {        // GET /v1/doctor
  bool clean = false;        // nothing is bad
  std::int64_t loop_us = 0;  // how long the loop was kept from its work
  std::vector<DoctorCheck> checks;
};
BOOST_DESCRIBE_STRUCT(DoctorReport, (), (clean, loop_us, checks))

}  // namespace ampacity::api
