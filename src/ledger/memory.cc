#include "ledger/memory.h"

#include <algorithm>

#include "base/check.h"
#include "ledger/post.h"

namespace ampacity::ledger {
namespace {

using enum AccountOutcome;
namespace flag = account_flag;

AccountOutcome compare(const Account& a, const Account& e) {
  if (a.flags != e.flags) return exists_with_different_flags;
  if (a.user_data != e.user_data) return exists_with_different_user_data;
  if (a.ledger != e.ledger) return exists_with_different_ledger;
  if (a.code != e.code) return exists_with_different_code;
  return exists;
}

AccountOutcome check_time(const Account& a, Instant now) {
  if (!a.has(flag::imported)) return a.timestamp.us == 0 ? created : timestamp_must_be_zero;
  if (a.timestamp.us <= 0 || a.timestamp.us == INT64_MAX)
    return imported_event_timestamp_out_of_range;
  if (a.timestamp >= now) return imported_event_timestamp_must_not_advance;
  return created;
}

AccountOutcome check_shape(const Account& a) {
  if (a.has(flag::debits_must_not_exceed_credits) && a.has(flag::credits_must_not_exceed_debits))
    return flags_are_mutually_exclusive;
  if (a.debits_pending != 0) return debits_pending_must_be_zero;
  if (a.debits_posted != 0) return debits_posted_must_be_zero;
  if (a.credits_pending != 0) return credits_pending_must_be_zero;
  if (a.credits_posted != 0) return credits_posted_must_be_zero;
  if (a.ledger == 0) return ledger_must_not_be_zero;
  if (a.code == 0) return code_must_not_be_zero;
  return created;
}

}  // namespace

AccountOutcome MemoryBooks::open_one(Account a, Instant now) {
  if (const auto o = check_time(a, now); o != created) return o;
  if ((a.flags & ~flag::all) != 0) return reserved_flag;
  if (a.id.is_nil()) return id_must_not_be_zero;
  if (a.id == max_id) return id_must_not_be_max;
  if (const Account* e = account(a.id)) return compare(a, *e);
  if (const auto o = check_shape(a); o != created) return o;
  const Instant last = std::max(last_account_, last_);
  if (!a.has(flag::imported))
    a.timestamp = {std::max(now.us, last.us + 1)};
  else if (a.timestamp <= last)
    return imported_event_timestamp_must_not_regress;
  restore(a);
  return created;
}

std::vector<AccountOutcome> MemoryBooks::open(std::span<const Account> batch, Instant now) {
  std::vector<AccountOutcome> out(batch.size());
  std::size_t begins = 0, before = 0;
  Instant last_before;
  bool in_chain = false, broken = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const bool linked = batch[i].has(flag::linked);
    const bool import = batch[i].has(flag::imported);
    if (linked && !in_chain) {
      in_chain = true;
      broken = false;
      begins = i;
      before = accounts_.size();
      last_before = last_account_;
    }
    if (linked && i + 1 == batch.size())
      out[i] = linked_event_chain_open;
    else if (in_chain && broken)
      out[i] = linked_event_failed;
    else if (import != batch[0].has(flag::imported))
      out[i] = import ? imported_event_not_expected : imported_event_expected;
    else
      out[i] = open_one(batch[i], now);
    if (out[i] != created && in_chain && !broken) {
      broken = true;
      for (std::size_t k = begins; k < i; ++k) out[k] = linked_event_failed;
      for (; accounts_.size() > before; accounts_.pop_back()) account_index_.pop(accounts_);
      last_account_ = last_before;
    }
    if (!linked) in_chain = false;
  }
  return out;
}

void MemoryBooks::restore(const Account& a) {
  accounts_.push_back(a);
  account_index_.push(accounts_);
  last_account_ = std::max(last_account_, a.timestamp);
}

void MemoryBooks::restore_burnt(Id id) { burnt_.insert(id); }

void MemoryBooks::reserve(std::size_t n) {
  transfers_.reserve(n);
  fates_.reserve(n);
}

Account* MemoryBooks::account(Id id) {
  const std::uint32_t at = account_index_.find(accounts_, id);
  return at == IdIndex<Account>::none ? nullptr : &accounts_[at];
}

const Transfer* MemoryBooks::transfer(Id id) {
  const std::uint32_t at = transfer_index_.find(transfers_, id);
  return at == IdIndex<Transfer>::none ? nullptr : &transfers_[at];
}

Fate MemoryBooks::fate(Id pending) {
  const std::uint32_t at = transfer_index_.find(transfers_, pending);
  CHECK_THAT(at != IdIndex<Transfer>::none, "a reserve that the books do not have");
  return fates_[at];
}

void MemoryBooks::keep(const Transfer& made) {
  transfers_.push_back(made);
  fates_.push_back(Fate::open);
  transfer_index_.push(transfers_);
  last_ = made.timestamp;
  if (made.has(transfer_flag::pending)) watch(made, true);
}

void MemoryBooks::drop(const Transfer& made, Instant last) {
  CHECK_THAT(!transfers_.empty() && transfers_.back().id == made.id, "the last is undone first");
  if (made.has(transfer_flag::pending)) watch(made, false);
  transfer_index_.pop(transfers_);
  transfers_.pop_back();
  fates_.pop_back();
  last_ = last;
}

void MemoryBooks::settle(const Transfer& pending, Fate fate) {
  const std::uint32_t at = transfer_index_.find(transfers_, pending.id);
  CHECK_THAT(at != IdIndex<Transfer>::none, "a reserve that the books do not have");
  fates_[at] = fate;
  watch(pending, fate == Fate::open);
}

void MemoryBooks::watch(const Transfer& pending, bool open) {
  if (pending.timeout_s == 0) return;
  if (open)
    expiries_.emplace_hint(expiries_.end(), pending.expires_at(), pending.id);  // most are latest
  else
    expiries_.erase({pending.expires_at(), pending.id});
}

std::vector<Transfer> MemoryBooks::expiries(Instant now, std::size_t most,
                                            std::uint64_t next) const {
  std::vector<Transfer> voids;
  for (const auto& [when, id] : expiries_) {
    if (when > now || voids.size() == most) break;
    voids.push_back(expiry_of(transfers_[transfer_index_.find(transfers_, id)], {0, next++}));
  }
  return voids;
}

std::optional<Instant> MemoryBooks::next_expiry() const {
  if (expiries_.empty()) return std::nullopt;
  return expiries_.begin()->first;
}

}  // namespace ampacity::ledger
