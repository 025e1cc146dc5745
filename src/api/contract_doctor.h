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

// alone: no other server can lead this cloud (its store is a file).
enum class ServerRole { alone, leader, follower };
BOOST_DESCRIBE_ENUM(ServerRole, alone, leader, follower)

struct Health {  // GET /healthz
  std::string status = "ok";
  ServerRole role = ServerRole::alone;
  std::uint64_t live_jobs = 0;
  bool engine_reachable = false;      // a follower asks none
  std::uint64_t sequence = 0;         // the latest fact that this server shows
  std::uint64_t epoch = 0;            // of who leads; 0: alone, or nobody ever did
  std::optional<std::string> leader;  // where it answers
  std::int64_t lag_ms = 0;            // since this server had last seen everything
};
BOOST_DESCRIBE_STRUCT(Health, (),
                      (status, role, live_jobs, engine_reachable, sequence, epoch, leader, lag_ms))

}  // namespace ampacity::api
