// Where in a vector an id stands: open addressing over 32-bit positions, made for ids that come
// and, if at all, go in the reverse order (an undone chain). Threads: one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/id.h"

namespace ampacity::ledger {

// Row is what the vector holds; its member `id` is the key.
template <typename Row>
class IdIndex {
 public:
  static constexpr std::uint32_t none = 0xffff'ffff;

  std::uint32_t find(const std::vector<Row>& rows, base::Id id) const {
    if (slots_.empty()) return none;
    const std::uint64_t h = hash(id);
    for (std::size_t at = h & mask(); slots_[at].position != none; at = (at + 1) & mask())
      if (slots_[at].tag == tag(h) && rows[slots_[at].position].id == id)
        return slots_[at].position;
    return none;
  }

  // Call after rows.push_back: indexes the last row.
  void push(const std::vector<Row>& rows) {
    if (rows.size() * 2 > slots_.size()) return grow(rows);
    place(rows.back().id, static_cast<std::uint32_t>(rows.size() - 1));
  }
  // Call before rows.pop_back. Nothing that came later is there, so no probe leads past it.
  void pop(const std::vector<Row>& rows) {
    std::size_t at = hash(rows.back().id) & mask();
    while (slots_[at].position != rows.size() - 1) at = (at + 1) & mask();
    slots_[at] = {};
  }

 private:
  struct Slot {
    std::uint32_t position = none;
    std::uint32_t tag = 0;
  };
  static std::uint64_t hash(base::Id id) {
    std::uint64_t z = (id.high * 0x9e3779b97f4a7c15ULL) ^ id.low;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  static std::uint32_t tag(std::uint64_t h) { return static_cast<std::uint32_t>(h >> 32); }
  std::size_t mask() const { return slots_.size() - 1; }

  void place(base::Id id, std::uint32_t position) {
    const std::uint64_t h = hash(id);
    std::size_t at = h & mask();
    while (slots_[at].position != none) at = (at + 1) & mask();
    slots_[at] = {position, tag(h)};
  }
  void grow(const std::vector<Row>& rows) {
    std::size_t size = 64;
    while (size < rows.size() * 4) size *= 2;
    slots_.assign(size, {});
    for (std::uint32_t i = 0; i < rows.size(); ++i) place(rows[i].id, i);
  }

  std::vector<Slot> slots_;
};

}  // namespace ampacity::ledger
