// One file of a simulated disk: what is seen, and what of it would be found after the power failed.
// Threads: one. 1. A write is seen at once and durable at the next sync(). 2. Without a sync, each
// sector of 512 bytes is found as any of the writes to it left it, whatever became of the others.
// 3. A truncation that is found brings all that was written before it, one that is lost loses all
// that came after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"

namespace ampacity::sim {

inline constexpr std::uint64_t sector_bytes = 512;

// What becomes of writes that were never synced.
enum class Loss {
  nothing,     // the process died, the machine did not
  some,        // drawn anew at each crash: few, half, most, or all from some write on
  everything,  // that was not synced
};

class DiskFile {
 public:
  DiskFile() = default;
  explicit DiskFile(std::string durable) : seen_(std::move(durable)) {}

  const std::string& seen() const { return seen_; }
  void write(std::uint64_t offset, std::string_view bytes);
  void truncate(std::uint64_t size);

  void sync();
  // What was not durable will never be, though it stays to be seen (or not) until the disk is
  // started again: Linux marks it clean.
  void fail_sync(base::Prng& prng);

  // The file that is found. `garble`: a sector that was being written may hold neither old nor new
  // bytes.
  DiskFile after(Loss loss, bool garble, base::Prng& prng) const;

 private:
  // What it takes to undo a change.
  struct Change {
    bool truncation = false;
    std::uint64_t offset = 0;  // of a truncation: the new size
    std::uint64_t length = 0;
    std::uint64_t size_before = 0;
    std::string bytes_before;  // as far as there were any
  };
  struct Sector {
    int writes = 0;
    int kept = 0;
    bool garbled = false;
  };
  using Sectors = std::map<std::uint64_t, Sector>;

  // Changes without a truncation among them; all before `from` are found, none from `until` on.
  struct Stretch {
    std::size_t from = 0, until = 0;
  };

  Stretch draw_stretch(Loss loss, base::Prng& prng) const;
  Sectors touched(Stretch in) const;
  void draw_kept(Sectors& sectors, Stretch in, Loss loss, bool garble, base::Prng& prng) const;
  std::string found(Loss loss, bool garble, base::Prng& prng) const;
  std::string found_after_failed_sync(Loss loss, base::Prng& prng) const;
  std::string undone(std::size_t changes) const;
  void copy_to(std::string& platter, const Change& change) const;

  std::string seen_;
  std::vector<Change> unsynced_;
  std::optional<std::string> platter_;  // what is durable, since a sync failed
};

}  // namespace ampacity::sim
