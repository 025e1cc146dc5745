// The one way to say no: a Refusal lists everything that is wrong; a Fault is an outside failure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace ampacity::base {

// The wire names of RFC 9457 problem types (`urn:ampacity:problem:<code>`).
enum class Code {
  invalid,               // the request is wrong: see `wrong`
  unauthenticated,       // no key, or not one of ours
  forbidden,             // the key's role does not allow it
  not_found,             // does not exist, or is somebody else's
  conflict,              // exists already, or is in the wrong state
  idempotency_mismatch,  // this Idempotency-Key was used with another body
  never_fits,            // no node here could ever run it
  not_now,               // could succeed later: see `earliest`
  insufficient_credit,   // the wallet cannot hold one quantum: see `missing`
  queue_full,            // a bound was reached
  over_quota,            // the project's or org's quota: see `missing`, `earliest`
  over_budget,           // a budget that blocks: see `missing`, `earliest`
  too_large,             // body, header or field over its bound
  too_many,              // connections or requests over their bound
  store_full,            // the disk refuses writes; nothing was changed
  unavailable,           // shutting down, or a part is not there
};

// One wrong field: its path in the request (`resources.gpus`) and what would be right.
struct Wrong {
  std::string field;
  std::string message;
  bool operator==(const Wrong&) const = default;
};

// One thing there is too little of, in its own unit.
struct Missing {
  std::string what;  // "gpus", "credit_ticks", "memory_mib"
  std::int64_t wanted = 0;
  std::int64_t available = 0;
  bool operator==(const Missing&) const = default;
};

struct Refusal {
  Code code = Code::invalid;
  std::string message;  // one sentence for a person: what is wrong and how to mend it
  std::vector<Wrong> wrong;
  std::vector<Missing> missing;
  std::optional<Instant> earliest;  // not now: when to try again
};

// The outside world failed: an engine answered 503, a socket closed.
struct Fault {
  std::string message;
  bool retryable = true;
  int status = 0;  // the peer's HTTP status, 0 if there was none
};

template <typename T>
using Result = std::expected<T, Refusal>;
template <typename T>
using Try = std::expected<T, Fault>;

inline std::unexpected<Refusal> refuse(Code code, std::string message) {
  return std::unexpected(Refusal{code, std::move(message), {}, {}, {}});
}
inline std::unexpected<Refusal> refuse_field(std::string field, std::string message) {
  Refusal r{Code::invalid, field + ": " + message, {}, {}, {}};
  r.wrong.push_back({std::move(field), std::move(message)});
  return std::unexpected(std::move(r));
}
inline std::unexpected<Fault> fault(std::string message, bool retryable = true, int status = 0) {
  return std::unexpected(Fault{std::move(message), retryable, status});
}

}  // namespace ampacity::base
