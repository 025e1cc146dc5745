#include "sim/year_dice.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/money.h"

namespace ampacity::sim {
namespace {

using base::Wide;

constexpr std::int64_t ln2_q16 = 45'426;

std::uint64_t root(unsigned __int128 x) {
  std::uint64_t r = 0;
  for (std::uint64_t bit = 1ULL << 63; bit; bit >>= 1)
    if (const std::uint64_t t = r | bit; static_cast<unsigned __int128>(t) * t <= x) r = t;
  return r;
}

// 2^(2^−k) in 2^−30, for k = 1…16.
std::array<std::uint64_t, 16> powers() {
  std::array<std::uint64_t, 16> out{};
  std::uint64_t last = 2ULL << 30;
  for (std::uint64_t& p : out) p = last = root(static_cast<unsigned __int128>(last) << 30);
  return out;
}

}  // namespace

std::int64_t exp2_q16(std::int64_t x) {
  static const auto table = powers();
  std::uint64_t value = 1ULL << 30;
  for (std::size_t k = 0; k < table.size(); ++k)
    if (x >> (15 - k) & 1) value = value * table[k] >> 30;
  const std::int64_t octave = x >> 16;
  const int shift = static_cast<int>(octave - 14);
  return static_cast<std::int64_t>(shift >= 0 ? value << shift : value >> -shift);
}

std::int64_t minus_log2_q16(std::uint64_t u) {
  const int zeros = std::countl_zero(u);
  std::uint64_t m = u << zeros >> 32;  // 1…2 in 2^−31
  std::int64_t fraction = 0;
  for (int k = 0; k < 16; ++k) {
    m = m * m >> 31;
    const bool two = m >> 32 & 1;
    fraction = fraction << 1 | two;
    if (two) m >>= 1;
  }
  return (static_cast<std::int64_t>(zeros + 1) << 16) - fraction;
}

std::int64_t Dice::below(std::int64_t n) {
  return static_cast<std::int64_t>(
      static_cast<unsigned __int128>(prng_.next()) * static_cast<std::uint64_t>(n) >> 64);
}

std::int64_t Dice::exponential(std::int64_t mean) {
  const std::int64_t v = minus_log2_q16(prng_.next() | 1);
  return static_cast<std::int64_t>(static_cast<Wide>(mean) * v * ln2_q16 >> 32);
}

std::int64_t Dice::lognormal(std::int64_t median, std::int64_t sigma_q8) {
  std::int64_t sum = -6 * 65'536;  // twelve even draws: near enough to normal, and bounded
  for (int i = 0; i < 3; ++i)
    for (std::uint64_t four = prng_.next(), k = 0; k < 4; ++k, four >>= 16)
      sum += static_cast<std::int64_t>(four & 0xffff);
  const std::int64_t factor = exp2_q16(sum * sigma_q8 / 256);
  return static_cast<std::int64_t>(static_cast<Wide>(median) * factor >> 16);
}

}  // namespace ampacity::sim
