// The journal as it grows, for a server that follows: folded once, then read on.
// Threads: one at a time. 1. Every row's chain is verified: a database that failed over and lost
// commits does not continue what was read before.
#pragma once

#include <memory>
#include <optional>

#include "store/fold.h"
#include "store/store_file.h"

namespace ampacity::store {

class Tail {
 public:
  static base::Try<Tail> open(const StoreAt& at);

  // The world as it was at open(); once.
  core::World take_world() { return std::move(*world_); }
  // Uses what was committed since, up to the last. A fault that is not retryable: what was read
  // before is no longer there.
  base::Try<void> read_on(const UseBatch& use);
  const ChainEnd& end() const { return end_; }

 private:
  Tail(StoreAt at, Database db, Folded folded)
      : at_(std::move(at)), db_(std::move(db)), world_(std::move(folded.world)), end_(folded.end) {}
  base::Try<void> check_end();

  StoreAt at_;
  std::optional<Database> db_;  // none: the connection was lost
  std::optional<core::World> world_;
  ChainEnd end_;
};

}  // namespace ampacity::store
