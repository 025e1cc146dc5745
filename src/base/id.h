// Ids: 16 bytes (UUIDv7, so they sort by time), written `job-` + 26 lower-case Crockford base32
// digits: valid as a container, Slurm and Kubernetes name.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/prng.h"
#include "base/time.h"

namespace ampacity::base {

struct Id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Id&) const = default;
  constexpr bool is_nil() const { return high == 0 && low == 0; }
};

Id make_uuid7(Instant now, Prng& prng);
std::string format_id(std::string_view prefix, Id id);  // ("job", id) -> "job-06bx…"
// Refuses a wrong prefix, length, digit, or upper case.
std::optional<Id> parse_id(std::string_view prefix, std::string_view text);

// Without a prefix, as facts carry ids.
std::string format_bare_id(Id id);
std::optional<Id> parse_bare_id(std::string_view text);

}  // namespace ampacity::base
