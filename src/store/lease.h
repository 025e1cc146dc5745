// Who leads a cloud whose store several servers share: one row, taken by compare-and-set, that runs
// out by the database's clock.
// Threads: one at a time. 1. Epochs only grow: each taking makes a new one. 2. A row of epoch n is
// renewed only while its epoch is n, so a server that was replaced can never write again (the same
// statement is in each of its transactions). 3. An expired row that nobody took is still renewed:
// nobody else has acted meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "store/store_at.h"

namespace ampacity::store {

struct Lease {
  std::uint64_t epoch = 0;  // 0: nobody ever led
  std::string holder;       // of one life of one process
  std::string url;          // where the holder answers
  base::Duration left;      // by the database's clock; not above zero: it may be taken
};

class LeaseTable {
 public:
  virtual ~LeaseTable() = default;
  virtual base::Try<Lease> look() = 0;
  // False: somebody was faster, or the holder lives.
  virtual base::Try<bool> take(const Lease& seen, const std::string& holder, const std::string& url,
                               base::Duration lease) = 0;
  // False: it is another's now.
  virtual base::Try<bool> renew(std::uint64_t epoch, base::Duration lease) = 0;
  // At an orderly stop: others need not wait.
  virtual base::Try<void> give_back(std::uint64_t epoch) = 0;
};

// On PostgreSQL; an empty database is made a store first.
base::Try<std::unique_ptr<LeaseTable>> open_lease(const StoreAt& at);

}  // namespace ampacity::store
