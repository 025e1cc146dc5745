// How MIG slices lie on a card: eight memory eighths, and the starts that NVIDIA allows.
//
// Thread rule: pure. A slice of 1 starts at 0..6, of 2 at 0, 2, 4, of 4 at 0, 4, of 8 at 0. (The
// 1g.20gb profile could also start at 6; it is placed as the other slices of 2 are.)
#pragma once

#include <bit>
#include <cstdint>

namespace ampacity::core {

// A bit for each start of a slice of so many eighths.
constexpr std::uint32_t mig_starts(std::uint32_t eighths) {
  return eighths == 1 ? 0x7f : eighths == 2 ? 0x15 : eighths == 4 ? 0x11 : eighths == 8 ? 0x01 : 0;
}

// How many of the starts are free.
constexpr int mig_room(std::uint32_t taken, std::uint32_t eighths) {
  int count = 0;
  for (std::uint32_t s = mig_starts(eighths); s; s &= s - 1)
    count += (taken >> std::countr_zero(s) & ((1U << eighths) - 1)) == 0;
  return count;
}

// The largest slice that still fits: 0: of 4, 1: of 2, 2: of 1, 3: none.
constexpr std::uint8_t mig_level(std::uint32_t taken) {
  return mig_room(taken, 4) ? 0 : mig_room(taken, 2) ? 1 : mig_room(taken, 1) ? 2 : 3;
}

// The slice's eighths: where most room stays for large slices, then lowest; 0: no room.
constexpr std::uint8_t place_slice(std::uint32_t taken, std::uint32_t eighths) {
  std::uint32_t best = 0;
  int most = -1;
  for (std::uint32_t s = mig_starts(eighths); s; s &= s - 1) {
    const std::uint32_t slice = ((1U << eighths) - 1) << std::countr_zero(s);
    if (taken & slice) continue;
    const std::uint32_t after = taken | slice;
    const int room = mig_room(after, 4) * 64 + mig_room(after, 2) * 8 + mig_room(after, 1);
    if (room <= most) continue;
    most = room;
    best = slice;
  }
  return static_cast<std::uint8_t>(best);
}

}  // namespace ampacity::core
