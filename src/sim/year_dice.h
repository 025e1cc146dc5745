// Random draws for the simulated year, in integers alone: the same on every compiler and machine.
// One thread. Each function makes its draws in a fixed order.
#pragma once

#include <cstdint>

#include "base/prng.h"

namespace ampacity::sim {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : prng_(seed) {}
  std::uint64_t bits() { return prng_.next(); }
  std::int64_t below(std::int64_t n);  // 0…n−1
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + below(high - low + 1); }
  bool chance(std::int64_t permille) { return below(1000) < permille; }
  std::int64_t exponential(std::int64_t mean);
  // σ in 256ths of an octave.
  std::int64_t lognormal(std::int64_t median, std::int64_t sigma_q8);

 private:
  base::SeededPrng prng_;
};

// 2^(x / 65,536) in 65,536ths; |x| below 40 octaves.
std::int64_t exp2_q16(std::int64_t x);
// −log2(u / 2^64) in 65,536ths; u > 0.
std::int64_t minus_log2_q16(std::uint64_t u);

}  // namespace ampacity::sim
