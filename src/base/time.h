// Time is integer microseconds UTC; only a Clock at the edge knows what time it is.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ampacity::base {

struct Duration {
  std::int64_t us = 0;
  static constexpr Duration seconds(std::int64_t s) { return {s * 1'000'000}; }
  static constexpr Duration millis(std::int64_t ms) { return {ms * 1'000}; }
  constexpr std::int64_t whole_seconds() const { return us / 1'000'000; }
  // The fraction of a second counts as a whole one (DESIGN §5).
  constexpr std::int64_t seconds_rounded_up() const { return (us + 999'999) / 1'000'000; }
  auto operator<=>(const Duration&) const = default;
};

struct Instant {
  std::int64_t us = 0;  // since 1970-01-01T00:00:00Z
  auto operator<=>(const Instant&) const = default;
};

constexpr Instant operator+(Instant t, Duration d) { return {t.us + d.us}; }
constexpr Instant operator-(Instant t, Duration d) { return {t.us - d.us}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }
constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
constexpr Duration operator*(Duration a, std::int64_t k) { return {a.us * k}; }

// RFC 3339: "2026-11-22T12:45:51.123456Z" (trailing zeros of the fraction dropped; none if whole).
std::string format_instant(Instant t);
// Accepts any offset and up to 9 fractional digits (cut to microseconds).
std::optional<Instant> parse_instant(std::string_view text);
std::string format_day(Instant t);  // "2026-11-22"

// Calendar months of UTC. "2026-11" <-> its first instant.
Instant month_begin(Instant t);             // of the month that t lies in
Instant month_plus(Instant t, int months);  // the first instant of the month so many later
int year_of(Instant t);
std::string format_month(Instant t);
std::optional<Instant> parse_month(std::string_view text);

// "90s", "10m", "2h30m", "1d12h", or plain seconds; empty, negative and overflowing are refused.
std::optional<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration d);  // "2h 05m", "1m 07s", "12.3s", "410ms"

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
};

// The machine's clock, for edges and mains.
class SystemClock final : public Clock {
 public:
  Instant now() override;
};

}  // namespace ampacity::base
