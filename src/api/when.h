// Instants and small decimals as people write them in requests. Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ampacity::api {

// "now", "+2h" (from now), "2026-11-23T08:00:00Z". nullopt: none of these.
std::optional<base::Instant> parse_when(std::string_view text, base::Instant now);
inline constexpr const char* when_form =
    "must be now, a duration from now such as +2h, or a time such as 2026-11-23T08:00:00Z";

// "0.25" -> 250, "16" -> 16,000: at most three decimals and `most` whole units; zero is one, too.
std::optional<std::int64_t> parse_milli(std::string_view text, std::int64_t most);
// value/unit with at most three decimals, half up, without zeros at the end.
std::string format_decimal(std::int64_t value, std::int64_t unit);

// GPU time is kept in thousandths of a second, and spoken of in hours.
inline constexpr std::int64_t milli_s_per_gpu_hour = 3'600'000;
inline constexpr std::int64_t most_gpu_hours = 1'000'000'000;

// An NVIDIA MIG profile ("1g.10gb", "3g.40gb") or memory eighths ("2/8", "2") -> 1, 2, 4 or 8.
std::optional<std::uint32_t> parse_mig(std::string_view text);

}  // namespace ampacity::api
