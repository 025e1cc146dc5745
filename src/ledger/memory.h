// A whole ledger in memory: every account and transfer ever, found by id. For benches, tests,
// audits and imports; the world keeps less (core/books.h). Threads: one at a time.
// 1. Accounts and transfers are never changed or removed but by the undoing of their own chain.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "ledger/books.h"
#include "ledger/id_index.h"

namespace ampacity::ledger {

class MemoryBooks final : public Books {
 public:
  // Opens accounts: one outcome each; chains by their `linked` flag, as with transfers.
  std::vector<AccountOutcome> open(std::span<const Account> batch, Instant now);

  // The voids that `now` asks for, oldest expiry first, with ids from `next` on: post them with
  // apply(…, Maker::ledger).
  std::vector<Transfer> expiries(Instant now, std::size_t most, std::uint64_t next) const;
  // The next instant at which expiries() has something; nullopt: never.
  std::optional<Instant> next_expiry() const;

  const std::vector<Account>& accounts() const { return accounts_; }
  const std::vector<Transfer>& transfers() const { return transfers_; }
  // For a store that reads its own back.
  void restore(const Account& account);
  void restore_burnt(Id id);
  void reserve(std::size_t transfers);

  Account* account(Id id) override;
  const Transfer* transfer(Id id) override;
  Fate fate(Id pending) override;
  bool burnt(Id id) override { return burnt_.contains(id); }
  Instant last_timestamp() override { return last_; }
  void keep(const Transfer& made) override;
  void settle(const Transfer& pending, Fate fate) override;
  void drop(const Transfer& made, Instant last) override;
  void burn(Id id, Outcome) override { burnt_.insert(id); }

 private:
  AccountOutcome open_one(Account a, Instant now);
  void watch(const Transfer& pending, bool open);

  std::vector<Account> accounts_;
  IdIndex<Account> account_index_;
  std::vector<Transfer> transfers_;
  std::vector<Fate> fates_;  // by transfer; open for what is not pending too
  IdIndex<Transfer> transfer_index_;
  std::set<std::pair<Instant, Id>> expiries_;  // of open reserves that lapse
  std::set<Id> burnt_;
  Instant last_;
  Instant last_account_;
};

}  // namespace ampacity::ledger
