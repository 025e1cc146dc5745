#include "base/money.h"

#include <fmt/core.h>

namespace ampacity::base {
namespace {

// A non-negative decimal with at most `places` decimals, scaled by 10^places.
std::optional<std::int64_t> parse_scaled(std::string_view text, int places) {
  if (text.empty() || text == ".") return std::nullopt;
  std::int64_t value = 0;
  int decimals = -1;  // not yet past the point
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    if (decimals >= 0 && ++decimals > places) {
      if (c != '0') return std::nullopt;
      continue;  // trailing zeros beyond the scale say nothing
    }
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
      return std::nullopt;
  }
  if (text.front() == '.' || text.back() == '.') return std::nullopt;
  for (int d = decimals < 0 ? 0 : decimals; d < places; ++d)
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
  return value;
}

std::string trim_zeros(std::string s, std::size_t least_decimals) {
  const std::size_t point = s.find('.');
  while (s.size() > point + 1 + least_decimals && s.back() == '0') s.pop_back();
  return s;
}

}  // namespace

std::optional<Ticks> parse_hourly_price(std::string_view usd_per_hour) {
  return parse_scaled(usd_per_hour, 4);
}

std::string format_hourly_price(Ticks p) {
  return trim_zeros(fmt::format("{}{}.{:04}", p < 0 ? "-" : "", (p < 0 ? -p : p) / 10'000,
                                (p < 0 ? -p : p) % 10'000),
                    2);
}

std::optional<Ticks> parse_usd(std::string_view usd) {
  const auto e8 = parse_scaled(usd, 8);  // 10^-8 USD = 0.36 tick
  if (!e8) return std::nullopt;
  const Wide ticks = static_cast<Wide>(*e8) * 36;
  if (ticks % 100 != 0) return std::nullopt;
  const Wide whole = ticks / 100;
  if (whole > INT64_MAX) return std::nullopt;
  return static_cast<Ticks>(whole);
}

std::string format_usd(Ticks ticks, int places) {
  const bool negative = ticks < 0;
  const Wide magnitude = negative ? -static_cast<Wide>(ticks) : static_cast<Wide>(ticks);
  Wide scale = 1;
  for (int i = 0; i < places; ++i) scale *= 10;
  const Wide exact8 = magnitude * 100'000'000;
  const bool exact =
      exact8 % ticks_per_usd == 0 && (exact8 / ticks_per_usd) % (100'000'000 / scale);
  if (exact) {
    places = 8;
    scale = 100'000'000;
  }
  const std::int64_t rounded = divide_half_up(magnitude * scale, ticks_per_usd);
  const auto s = static_cast<std::int64_t>(scale);
  std::string out = fmt::format("{}{}", negative && rounded ? "-" : "", rounded / s);
  if (places > 0) out += fmt::format(".{:0{}}", rounded % s, places);
  return exact ? trim_zeros(out, 2) : out;
}

std::optional<Ticks> multiply(std::int64_t a, std::int64_t b, std::int64_t c) {
  Ticks ab = 0, abc = 0;
  if (__builtin_mul_overflow(a, b, &ab) || __builtin_mul_overflow(ab, c, &abc)) return std::nullopt;
  return abc;
}

std::int64_t divide_half_up(Wide numerator, Wide denominator) {
  const Wide doubled = 2 * (numerator < 0 ? -numerator : numerator) + denominator;
  const auto magnitude = static_cast<std::int64_t>(doubled / (2 * denominator));
  return numerator < 0 ? -magnitude : magnitude;
}

}  // namespace ampacity::base
