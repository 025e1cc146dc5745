#include "sim/shared_database.h"

#include <algorithm>

namespace ampacity::sim {
namespace {

using store::Sql;
using store::SqlFault;

base::Fault no_answer() { return {"the simulated database does not answer"}; }

}  // namespace

// Most calls are quick; one in sixteen is not.
void SharedDatabase::take_time() {
  const std::int64_t most = prng_.next() % 16 == 0 ? faults.slowest.us : faults.slowest.us / 64;
  base::sleep_for(
      {100 + static_cast<std::int64_t>(
                 prng_.next() % static_cast<std::uint64_t>(std::max(most, std::int64_t{2})))});
}

bool SharedDatabase::reachable(int server) const {
  return fibres_.now() >= away_until_ && fibres_.now() >= cut_until_[server];
}

void SharedDatabase::fail_over(base::Duration away) {
  away_until_ = fibres_.now() + away;
  ended_before_ = last_session_;
  lock_ = 0;
}

void SharedDatabase::cut_off(int server, base::Duration how_long) {
  cut_until_[server] = fibres_.now() + how_long;
}

void SharedDatabase::heal() {
  const bool planted = faults.fences_down;
  faults = {};
  faults.fences_down = planted;
  away_until_ = {};
  for (base::Instant& t : cut_until_) t = {};
}

// ---- the row, as store/lease.cc asks for it -----------------------------------------------------

class SimulatedLease final : public store::LeaseTable {
 public:
  SimulatedLease(SharedDatabase& db, int server) : db_(db), server_(server) {}
  base::Try<store::Lease> look() override {
    if (!ask()) return std::unexpected(no_answer());
    const auto& r = db_.row_;
    store::Lease seen{static_cast<std::uint64_t>(r.epoch), r.holder, r.url,
                      r.expires - db_.fibres_.now()};
    return answered() ? base::Try<store::Lease>(seen)
                      : base::Try<store::Lease>(std::unexpected(no_answer()));
  }
  base::Try<bool> take(const store::Lease& seen, const std::string& holder, const std::string& url,
                       base::Duration lease) override {
    if (!ask()) return std::unexpected(no_answer());
    auto& r = db_.row_;
    const bool free =
        r.epoch == static_cast<std::int64_t>(seen.epoch) && r.expires <= db_.fibres_.now();
    if (free) {
      if (!db_.faults.fences_down) db_.killed_.insert(std::exchange(db_.lock_, 0));
      ++r.epoch;
      r.holder = holder;
      r.url = url;
      r.lease = lease;
      r.expires = db_.fibres_.now() + lease;
    }
    return answered() ? base::Try<bool>(free) : base::Try<bool>(std::unexpected(no_answer()));
  }
  base::Try<bool> renew(std::uint64_t epoch, base::Duration lease) override {
    if (!ask()) return std::unexpected(no_answer());
    const bool ours = db_.row_.epoch == static_cast<std::int64_t>(epoch);
    if (ours) db_.row_.expires = db_.fibres_.now() + lease;
    return answered() ? base::Try<bool>(ours) : base::Try<bool>(std::unexpected(no_answer()));
  }
  base::Try<void> give_back(std::uint64_t epoch) override {
    if (!ask()) return std::unexpected(no_answer());
    if (db_.row_.epoch == static_cast<std::int64_t>(epoch)) db_.row_.expires = {};
    return {};
  }

 private:
  bool ask() {
    if (base::scheduler->ending()) return false;  // killed: who unwinds asks nobody
    db_.take_time();
    return db_.reachable(server_) && !db_.drawn(db_.faults.lost);
  }
  bool answered() { return ask(); }
  SharedDatabase& db_;
  const int server_;
};

std::unique_ptr<store::LeaseTable> SharedDatabase::lease_table(int server) {
  return std::make_unique<SimulatedLease>(*this, server);
}

// ---- the writer ---------------------------------------------------------------------------------

std::unique_ptr<SharedDatabase::Writer> SharedDatabase::writer(int server, int life,
                                                               store::StoreAt at) {
  return std::make_unique<Writer>(*this, server, life, std::move(at));
}

SharedDatabase::Writer::Writer(SharedDatabase& db, int server, int life, store::StoreAt at)
    : db_(db), server_(server), life_(life), at_(std::move(at)), office_(*this, at_, true) {}

SqlFault SharedDatabase::Writer::lost() {
  return {SqlFault::Kind::lost, "postgres 08006", "the simulated connection was lost"};
}

Sql<void> SharedDatabase::Writer::call() {
  db_.take_time();
  if (db_.drawn(db_.faults.lost)) give_up();
  if (session_ == 0 || !db_.alive(session_) || !db_.reachable(server_)) {
    give_up();
    return std::unexpected(lost());
  }
  return {};
}

// A session that its client has lost lives on at the server until that is noticed.
Sql<void> SharedDatabase::Writer::connect() {
  db_.take_time();
  if (!db_.reachable(server_)) return std::unexpected(lost());
  session_ = ++db_.last_session_;
  earlier_.push_back(session_);
  return {};
}

Sql<bool> SharedDatabase::Writer::try_lock() {
  if (auto r = call(); !r) return std::unexpected(r.error());
  if (db_.lock_ == 0 || !db_.alive(db_.lock_) || db_.faults.fences_down) db_.lock_ = session_;
  return db_.lock_ == session_;
}

store::WriterSession::Holder SharedDatabase::Writer::holder_of_lock() {
  const bool ours = std::ranges::find(earlier_, db_.lock_) != earlier_.end();
  const bool succeeded = at_.epoch != 0 && db_.row_.epoch == static_cast<std::int64_t>(at_.epoch);
  if (ours || succeeded) db_.killed_.insert(std::exchange(db_.lock_, 0));
  return {"another", ours};
}

Sql<std::optional<store::WriterSession::Row>> SharedDatabase::Writer::look() {
  if (auto r = call(); !r) return std::unexpected(r.error());
  if (db_.faults.fences_down && office_.held())
    return store::WriterSession::Row{office_.epoch(), office_.next_commit() - 1};
  return store::WriterSession::Row{db_.row_.epoch, db_.row_.commits};
}

Sql<std::optional<store::WriterSession::Row>> SharedDatabase::Writer::take() {
  if (auto r = call(); !r) return std::unexpected(r.error());
  ++db_.row_.epoch;
  return store::WriterSession::Row{db_.row_.epoch, db_.row_.commits};
}

Sql<void> SharedDatabase::Writer::open() {
  auto r = connect();
  if (r) r = office_.lock();
  if (r) r = office_.claim();
  return r;
}

// BEGIN, still_writer(epoch, number), what is written, COMMIT: as the driver sends them.
Sql<void> SharedDatabase::Writer::commit(const std::string& what) {
  if (session_ == 0)
    if (auto found = office_.find_again(lost()); !found) return found;
  if (auto r = call(); !r) return r;
  if (db_.row_.epoch != office_.epoch() && !db_.faults.fences_down)
    return std::unexpected(SqlFault{SqlFault::Kind::fenced, "postgres AM001", "another leads"});
  // The row is locked from here on: who takes it over ends this session first.
  const std::int64_t number = office_.next_commit();
  const bool lose = db_.drawn(db_.faults.lost_at_commit);
  const bool done = !lose || db_.prng_.next() % 2;
  db_.take_time();
  const bool can = db_.alive(session_) && db_.fibres_.now() >= db_.away_until_;
  if (can && done) {
    db_.row_.commits = number;
    db_.row_.expires = db_.fibres_.now() + db_.row_.lease;
    db_.commits_.push_back({office_.epoch(), life_, what});
  }
  db_.take_time();  // the answer's way
  if (!can || lose || !db_.alive(session_) || !db_.reachable(server_)) {
    give_up();
    return office_.resolve(lost());
  }
  office_.committed();
  return {};
}

}  // namespace ampacity::sim
