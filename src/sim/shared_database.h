// A PostgreSQL that is not there, as those see it who contend for a store and write to it: the row
// of the table `writer`, the lock, a journal of numbered commits; sessions that are lost.
// Modelled: a connection lost before, in and at COMMIT, the commit done or not; slow commits; a
// server cut off; failover to a synchronous standby (away for a while, every session ended, what
// was acknowledged is there, what was not may be). Not modelled: SQL, libpq's messages (the driver
// has its own tests, with a real server), a standby that lags.
// Threads: fibres. 1. It outlives the servers' processes.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "sim/fibres.h"
#include "store/lease.h"
#include "store/writer_office.h"

namespace ampacity::sim {

struct DatabaseFaults {              // of 1,000
  std::uint32_t lost = 0;            // a session, with any call
  std::uint32_t lost_at_commit = 0;  // … with a COMMIT, that was done or not
  base::Duration slowest{10'000};
  bool fences_down = false;  // a planted bug: any writer is taken for the one that it says it is
};

class SharedDatabase {
 public:
  struct Row {
    std::int64_t epoch = 0, commits = 0;
    std::string holder, url;
    base::Instant expires;
    base::Duration lease;
  };
  struct Commit {
    std::int64_t epoch = 0;
    int life = 0;  // of a server, that made it
    std::string what;
  };

  SharedDatabase(Fibres& fibres, base::Prng& prng) : fibres_(fibres), prng_(prng) {}

  DatabaseFaults faults;
  const Row& row() const { return row_; }
  const std::vector<Commit>& commits() const { return commits_; }

  void fail_over(base::Duration away);
  void cut_off(int server, base::Duration how_long);
  void heal();

  // One session after another of a server's; `life` of its process.
  std::unique_ptr<store::LeaseTable> lease_table(int server);
  class Writer;
  std::unique_ptr<Writer> writer(int server, int life, store::StoreAt at);
  bool reachable(int server) const;

 private:
  friend class SimulatedLease;
  bool drawn(std::uint32_t of_1000) { return of_1000 > 0 && prng_.next() % 1000 < of_1000; }
  void take_time();
  bool alive(std::uint64_t session) const {
    return session > ended_before_ && !killed_.contains(session);
  }

  Fibres& fibres_;
  base::Prng& prng_;
  Row row_;
  std::vector<Commit> commits_;
  base::Instant away_until_;
  base::Instant cut_until_[4];
  std::uint64_t last_session_ = 0, ended_before_ = 0, lock_ = 0;
  std::set<std::uint64_t> killed_;
};

// The writer's connection: transactions by the production office.
class SharedDatabase::Writer final : private store::WriterSession {
 public:
  Writer(SharedDatabase& db, int server, int life, store::StoreAt at);
  store::Sql<void> open();
  // One transaction.
  store::Sql<void> commit(const std::string& what);
  std::int64_t epoch() const { return office_.epoch(); }

 private:
  store::Sql<void> connect() override;
  void give_up() override { session_ = 0; }
  store::Sql<void> settle() override { return {}; }
  store::Sql<bool> try_lock() override;
  Holder holder_of_lock() override;
  store::Sql<std::optional<store::WriterSession::Row>> look() override;
  store::Sql<std::optional<store::WriterSession::Row>> take() override;
  store::Sql<void> call();
  static store::SqlFault lost();

  SharedDatabase& db_;
  const int server_, life_;
  const store::StoreAt at_;
  store::WriterOffice office_;
  std::uint64_t session_ = 0;
  std::vector<std::uint64_t> earlier_;
};

}  // namespace ampacity::sim
