// Randomness comes from the edge by reference; at most one draw per full expression (DESIGN §6).
#pragma once

#include <cstdint>

namespace ampacity::base {

class Prng {
 public:
  virtual ~Prng() = default;
  virtual std::uint64_t next() = 0;
};

// splitmix64: reproducible, for tests and the simulator. Not for secrets.
class SeededPrng final : public Prng {
 public:
  explicit SeededPrng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

// libsodium's: for ids and secrets.
class SystemPrng final : public Prng {
 public:
  std::uint64_t next() override;
};

}  // namespace ampacity::base
