#include "core/books.h"

#include <algorithm>

#include "base/check.h"

namespace ampacity::core {
namespace {

bool has_position(const State& s, Id id) {
  return id.high == 0 && id.low >= 1 && id.low <= s.accounts.size();
}

}  // namespace

TransferKind kind_of(const Transfer& t) {
  namespace flag = ledger::transfer_flag;
  if (t.has(flag::pending)) return TransferKind::pending;
  if (t.has(flag::post_pending)) return TransferKind::post;
  return t.has(flag::void_pending) ? TransferKind::release : TransferKind::single;
}

std::string reason_of(const Transfer& t) {
  const auto reason = static_cast<TransferReason>(t.code - 1);
  const TransferKind kind = kind_of(t);
  if (reason == TransferReason::usage &&
      (kind == TransferKind::pending || kind == TransferKind::release))
    return "hold";
  const std::string_view name = base::enum_name(reason);
  return name == "?" ? std::string() : std::string(name);
}

// ---- reserves -----------------------------------------------------------------------------------

void Reserves::rebuild(const State& state) {
  *this = {};
  for (std::uint32_t slot = 0; slot < state.pending.size(); ++slot) {
    const Transfer& t = state.pending[slot];
    if (t.id.is_nil()) {
      free_slots.push_back(slot);
      continue;
    }
    slot_of.emplace(t.id, slot);
    if (t.timeout_s) lapses.emplace(t.expires_at(), t.id);
  }
}

void Reserves::add(State& state, const Transfer& pending) {
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<std::uint32_t>(state.pending.size()));
    state.pending.emplace_back();
  }
  const std::uint32_t slot = free_slots.back();
  free_slots.pop_back();
  state.pending[slot] = pending;
  slot_of.emplace(pending.id, slot);
  if (pending.timeout_s) lapses.emplace(pending.expires_at(), pending.id);
}

void Reserves::remove(State& state, Id pending) {
  const auto at = slot_of.find(pending);
  CHECK_THAT(at != slot_of.end(), "a reserve that is not open");
  Transfer& t = state.pending[at->second];
  if (t.timeout_s) lapses.erase({t.expires_at(), pending});
  t = {};
  free_slots.push_back(at->second);
  slot_of.erase(at);
}

// ---- folding ------------------------------------------------------------------------------------

ledger::Account* LiveBooks::account(Id id) {
  return has_position(s_, id) ? &s_.accounts[ledger::position_of(id)] : nullptr;
}

const Transfer* LiveBooks::transfer(Id id) {
  const auto at = reserves_.slot_of.find(id);
  return at == reserves_.slot_of.end() ? nullptr : &s_.pending[at->second];
}

void LiveBooks::keep(const Transfer& made) {
  if (made.id.high == 0) {
    CHECK_THAT(made.id.low == s_.next_transfer, "the core counts its transfers up");
    ++s_.next_transfer;
  }
  s_.last_transfer_at = made.timestamp;
  if (made.has(ledger::transfer_flag::pending)) reserves_.add(s_, made);
}

void LiveBooks::settle(const Transfer& pending, ledger::Fate) { reserves_.remove(s_, pending.id); }

void LiveBooks::drop(const Transfer&, Instant) { CHECK_THAT(false, "a fact is never undone"); }
void LiveBooks::burn(Id, ledger::Outcome) { CHECK_THAT(false, "a fact does not fail"); }

// ---- trying -------------------------------------------------------------------------------------

ledger::Account* TrialBooks::account(Id id) {
  if (!has_position(s_, id)) return nullptr;
  return &accounts_.try_emplace(id, s_.accounts[ledger::position_of(id)]).first->second;
}

const Transfer* TrialBooks::transfer(Id id) {
  if (const auto at = made_.find(id); at != made_.end()) return &at->second;
  if (const auto at = reserves_.slot_of.find(id); at != reserves_.slot_of.end())
    return &s_.pending[at->second];
  const auto at = past_.known.find(id);
  return at == past_.known.end() ? nullptr : &at->second.transfer;
}

ledger::Fate TrialBooks::fate(Id pending) {
  if (const auto at = fates_.find(pending); at != fates_.end()) return at->second;
  if (made_.contains(pending) || reserves_.slot_of.contains(pending)) return ledger::Fate::open;
  return past_.known.at(pending).fate;
}

void TrialBooks::keep(const Transfer& made) {
  made_.emplace(made.id, made);
  last_ = made.timestamp;
}

void TrialBooks::settle(const Transfer& pending, ledger::Fate fate) { fates_[pending.id] = fate; }

void TrialBooks::drop(const Transfer& made, Instant last) {
  made_.erase(made.id);
  last_ = last;
}

std::int64_t TrialBooks::fullest() const {
  std::int64_t most = 0;
  for (const auto& [id, a] : accounts_)
    most = std::max({most, a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted});
  return most;
}

std::vector<Transfer> stamped(const std::vector<Transfer>& transfers, Instant at, Instant& last) {
  std::vector<Transfer> out = transfers;
  for (Transfer& t : out) {
    if (!t.has(ledger::transfer_flag::imported)) t.timestamp = {std::max(at.us, last.us + 1)};
    last = t.timestamp;
  }
  return out;
}

}  // namespace ampacity::core
