// What posting needs of a set of books: where accounts, open reserves and the past are kept is not
// its business. Two keep them: ledger/memory.h everything, the world (core/books.h) what is alive,
// with the past looked up outside. Threads: one at a time.
// 1. A pointer from account() stays good until the batch ends. 2. keep, settle and their undoing
// come strictly nested: the last done is the first undone.
#pragma once

#include <vector>

#include "ledger/model.h"
#include "ledger/outcome.h"

namespace ampacity::ledger {

class Books {
 public:
  virtual ~Books() = default;

  virtual Account* account(Id id) = 0;          // nullptr: there is none
  virtual const Transfer* transfer(Id id) = 0;  // ever made; good until the next keep
  virtual Fate fate(Id pending) = 0;            // of a pending one that transfer() knows
  virtual bool burnt(Id id) = 0;                // failed for a reason that could pass
  virtual Instant last_timestamp() = 0;         // of the latest transfer; zero: none yet
  virtual void keep(const Transfer& made) = 0;  // a pending one is open from now on
  virtual void settle(const Transfer& pending, Fate fate) = 0;  // open: undoes a settling
  // Undoes the latest keep; `last` is the last_timestamp of before.
  virtual void drop(const Transfer& made, Instant last) = 0;
  virtual void burn(Id id, Outcome why) = 0;
};

}  // namespace ampacity::ledger
