// The world's books: accounts by position and open reserves, for ledger/post.h. What was resolved
// or failed long ago is not in memory; who posts for others looks it up first (Past).
// 1. LiveBooks only fold: facts were tried before, nothing is undone. 2. TrialBooks change nothing
// but themselves. 3. State::pending is kept in slots; Reserves says where, and what lapses when.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/state.h"
#include "ledger/books.h"

namespace ampacity::core {

// Derived from State::pending.
struct Reserves {
  std::map<Id, std::uint32_t> slot_of;
  std::vector<std::uint32_t> free_slots;
  std::set<std::pair<Instant, Id>> lapses;

  void rebuild(const State& state);
  void add(State& state, const Transfer& pending);
  void remove(State& state, Id pending);
  bool operator==(const Reserves& other) const {  // wherever the free slots are
    return slot_of.size() == other.slot_of.size() && lapses == other.lapses;
  }
};

// What a caller's batch needs to know of transfers that are not open reserves: those with an id, or
// a pending id, that it names. Found by the loop before decide; unique indices stand behind it.
struct Past {
  struct Known {
    Transfer transfer;
    ledger::Fate fate = ledger::Fate::open;
  };
  std::map<Id, Known> known;
  std::set<Id> burnt;
};

class LiveBooks final : public ledger::Books {
 public:
  LiveBooks(State& state, Reserves& reserves) : s_(state), reserves_(reserves) {}

  ledger::Account* account(Id id) override;
  const Transfer* transfer(Id id) override;  // open reserves only
  ledger::Fate fate(Id) override { return ledger::Fate::open; }
  bool burnt(Id) override { return false; }
  Instant last_timestamp() override { return s_.last_transfer_at; }
  void keep(const Transfer& made) override;
  void settle(const Transfer& pending, ledger::Fate fate) override;
  void drop(const Transfer& made, Instant last) override;
  void burn(Id id, ledger::Outcome why) override;

 private:
  State& s_;
  Reserves& reserves_;
};

class TrialBooks final : public ledger::Books {
 public:
  TrialBooks(const State& state, const Reserves& reserves, const Past& past)
      : s_(state), reserves_(reserves), past_(past), last_(state.last_transfer_at) {}

  ledger::Account* account(Id id) override;
  const Transfer* transfer(Id id) override;
  ledger::Fate fate(Id pending) override;
  bool burnt(Id id) override { return past_.burnt.contains(id) || burnt_.contains(id); }
  Instant last_timestamp() override { return last_; }
  void keep(const Transfer& made) override;
  void settle(const Transfer& pending, ledger::Fate fate) override;
  void drop(const Transfer& made, Instant last) override;
  void burn(Id id, ledger::Outcome why) override { burnt_.emplace(id, why); }

  std::int64_t fullest() const;  // of all counters of accounts that were touched
  const std::map<Id, ledger::Outcome>& newly_burnt() const { return burnt_; }

 private:
  const State& s_;
  const Reserves& reserves_;
  const Past& past_;
  std::map<Id, ledger::Account> accounts_;
  std::map<Id, Transfer> made_;
  std::map<Id, ledger::Fate> fates_;
  std::map<Id, ledger::Outcome> burnt_;
  Instant last_;
};

// With the timestamps it gets if it is folded at `at` after `last`: for rows, which are made before
// the fold.
std::vector<Transfer> stamped(const std::vector<Transfer>& transfers, Instant at, Instant& last);

}  // namespace ampacity::core
