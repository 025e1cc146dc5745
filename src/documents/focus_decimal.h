// Decimal numbers as exports print them: an integer and how many of its digits are decimals. Exact
// but for quotient(), which rounds half up at twelve decimals.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/money.h"

namespace ampacity::documents {

using base::Wide;

struct Decimal {
  Wide value = 0;
  int scale = 0;
};

inline constexpr int quotient_scale = 12;

inline constexpr Wide power_of_ten(int n) {
  Wide power = 1;
  for (int i = 0; i < n; ++i) power *= 10;
  return power;
}

// Without the zeros at the end, but for `least` decimals.
inline Decimal trimmed(Decimal d, int least = 0) {
  if (d.value == 0) return {0, least};
  if (d.value >= INT64_MIN && d.value <= INT64_MAX) {
    auto v = static_cast<std::int64_t>(d.value);
    for (; d.scale > least && v % 10 == 0; v /= 10) --d.scale;
    return {v, d.scale};
  }
  for (; d.scale > least && d.value % 10 == 0; d.value /= 10) --d.scale;
  return d;
}

// numerator / denominator at twelve decimals, half away from zero. nullopt: it does not fit.
inline std::optional<Decimal> quotient(Wide numerator, Wide denominator) {
  Wide scaled = 0;
  if (__builtin_mul_overflow(numerator, power_of_ten(quotient_scale), &scaled)) return std::nullopt;
  const Wide magnitude = scaled < 0 ? -scaled : scaled;
  Wide whole = magnitude / denominator;
  if (2 * (magnitude % denominator) >= denominator) ++whole;
  return trimmed({scaled < 0 ? -whole : whole, quotient_scale});
}

inline std::optional<Decimal> product(const Decimal& a, const Decimal& b, int least = 0) {
  Decimal d{0, a.scale + b.scale};
  if (__builtin_mul_overflow(a.value, b.value, &d.value)) return std::nullopt;
  for (; d.scale < least; ++d.scale)
    if (__builtin_mul_overflow(d.value, static_cast<Wide>(10), &d.value)) return std::nullopt;
  return trimmed(d, least);
}

inline void append(std::string& out, const Decimal& d) {
  std::array<char, 48> digits;
  std::size_t at = digits.size();
  auto rest = static_cast<unsigned __int128>(d.value < 0 ? -d.value : d.value);
  int n = 0;
  const auto put = [&](unsigned digit) {
    if (n == d.scale && d.scale > 0) digits[--at] = '.';
    digits[--at] = static_cast<char>('0' + digit);
    ++n;
  };
  constexpr auto chunk = static_cast<unsigned __int128>(1'000'000'000'000'000'000ULL);
  while (rest >= chunk) {
    auto low = static_cast<std::uint64_t>(rest % chunk);
    rest /= chunk;
    for (int i = 0; i < 18; ++i, low /= 10) put(static_cast<unsigned>(low % 10));
  }
  for (auto low = static_cast<std::uint64_t>(rest); low > 0 || n <= d.scale; low /= 10)
    put(static_cast<unsigned>(low % 10));
  if (d.value < 0) digits[--at] = '-';
  out.append(digits.data() + at, digits.size() - at);
}

inline std::string to_string(const Decimal& d) {
  std::string out;
  append(out, d);
  return out;
}

}  // namespace ampacity::documents
