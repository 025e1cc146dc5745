// The office of writer of a store that several processes reach over sessions that may be lost:
// who holds it, how it is found again, what became of a commit whose answer was lost.
//
//   open ─▶ lock ─▶ claim ─▶ begin … commit ─▶ (answer lost) ─▶ another session, lock, row:
//                                          one commit more: it took place · as many: it did not
//
// Threads: those of its Connection. 1. A writer holds the lock as long as its session lives: held,
// no earlier session of the store's writer can commit any more. 2. The row bears the holder's epoch
// and counts commits, within each of its transactions: nothing is guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/database.h"

namespace ampacity::store {

// What the office asks of a database, over one session after another: a driver's, and the
// simulator's.
class WriterSession {
 public:
  struct Row {
    std::int64_t epoch = 0, commits = 0;
  };
  struct Holder {
    std::string who;  // for people
    bool ours = false;
  };
  virtual ~WriterSession() = default;
  virtual Sql<void> connect() = 0;  // another session; of the old one nothing is wanted
  virtual void give_up() = 0;       // the session is of no use
  virtual Sql<void> settle() = 0;   // it is: transactions may begin
  virtual Sql<bool> try_lock() = 0;
  // Of the lock. Its session is ended if it is an earlier one of ours, or of whom we succeeded.
  virtual Holder holder_of_lock() = 0;
  virtual Sql<std::optional<Row>> look() = 0;
  virtual Sql<std::optional<Row>> take() = 0;  // the next epoch, of whoever has none by a lease
};

class WriterOffice {
 public:
  // `writes`: it is the one writer's; else only sessions are found again.
  WriterOffice(WriterSession& session, const StoreAt& at, bool writes)
      : session_(session), at_(at), writes_(writes) {}

  Sql<void> lock();   // after a session was made; waits a while for another to let go
  Sql<void> claim();  // after the migrations
  // Another session instead of one that was lost, as `lost` says.
  Sql<void> find_again(const SqlFault& lost);
  // COMMIT was sent and its answer did not come. Fine: it took place.
  Sql<void> resolve(const SqlFault& lost);
  void committed() { commits_ += epoch_ > 0; }

  bool held() const { return epoch_ > 0; }
  std::int64_t epoch() const { return epoch_; }
  std::int64_t next_commit() const { return commits_ + 1; }
  base::Duration patience() const;  // with a server that does not answer

 private:
  Sql<void> check_row();

  WriterSession& session_;
  const StoreAt& at_;
  const bool writes_;
  std::int64_t epoch_ = 0, commits_ = 0;  // 0: none; how many are known
  bool in_doubt_ = false;                 // about the commit after commits_
  std::int64_t found_ = 0;                // commits, by the row, at the latest look
};

}  // namespace ampacity::store
