#include "ledger/post.h"

#include <algorithm>

#include "base/check.h"

namespace ampacity::ledger {
namespace {

namespace flag = transfer_flag;

using enum Outcome;

bool overflows(std::int64_t a, std::int64_t b, std::int64_t c = 0) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) || __builtin_add_overflow(sum, c, &sum);
}

// All that a transfer changes, as it was before: what an undo needs.
struct Step {
  Account* debit = nullptr;
  Account* credit = nullptr;
  std::int64_t debits_pending = 0, debits_posted = 0;
  std::int64_t credits_pending = 0, credits_posted = 0;
  std::uint16_t debit_flags = 0, credit_flags = 0;
  bool resolved = false;
  Transfer pending;
  Transfer made;
  Instant last;
};

void set(std::uint16_t& flags, std::uint16_t bit, bool on) {
  flags = static_cast<std::uint16_t>(on ? flags | bit : flags & ~bit);
}

// ---- seen before --------------------------------------------------------------------------------

// A post or void may leave out what its reserve says.
Outcome compare_resolution(const Transfer& t, const Transfer& e, const Transfer& p) {
  if (!t.debit.is_nil() && t.debit != e.debit) return exists_with_different_debit_account;
  if (!t.credit.is_nil() && t.credit != e.credit) return exists_with_different_credit_account;
  const bool whole = t.has(flag::post_pending) ? t.amount == all_of_it : t.amount == 0;
  if (e.amount != (whole ? p.amount : t.amount)) return exists_with_different_amount;
  if (e.user_data != (t.user_data.is_nil() ? p.user_data : t.user_data))
    return exists_with_different_user_data;
  if (t.ledger != 0 && t.ledger != e.ledger) return exists_with_different_ledger;
  if (t.code != 0 && t.code != e.code) return exists_with_different_code;
  return exists;
}

Outcome compare(Books& books, const Transfer& t, const Transfer& e) {
  if (t.flags != e.flags) return exists_with_different_flags;
  if (t.pending_id != e.pending_id) return exists_with_different_pending_id;
  if (t.timeout_s != e.timeout_s) return exists_with_different_timeout;
  if (t.resolves()) {
    const Transfer* p = books.transfer(e.pending_id);
    CHECK_THAT(p, "a resolution's reserve is in the books");
    return compare_resolution(t, e, *p);
  }
  if (t.debit != e.debit) return exists_with_different_debit_account;
  if (t.credit != e.credit) return exists_with_different_credit_account;
  const bool balancing = t.has(flag::balancing_debit | flag::balancing_credit);
  if (balancing ? t.amount < e.amount : t.amount != e.amount) return exists_with_different_amount;
  if (t.user_data != e.user_data) return exists_with_different_user_data;
  if (t.ledger != e.ledger) return exists_with_different_ledger;
  if (t.code != e.code) return exists_with_different_code;
  return exists;
}

// ---- one that books -----------------------------------------------------------------------------

Outcome check_shape(const Transfer& t) {
  if (t.debit.is_nil()) return debit_account_must_not_be_zero;
  if (t.debit == max_id) return debit_account_must_not_be_max;
  if (t.credit.is_nil()) return credit_account_must_not_be_zero;
  if (t.credit == max_id) return credit_account_must_not_be_max;
  if (t.debit == t.credit) return accounts_must_be_different;
  if (!t.pending_id.is_nil()) return pending_id_must_be_zero;
  if (!t.has(flag::pending)) {
    if (t.timeout_s != 0) return timeout_reserved_for_pending_transfer;
    if (t.has(flag::closing_debit | flag::closing_credit)) return closing_transfer_must_be_pending;
  }
  if (t.amount < 0) return amount_must_not_be_negative;
  if (t.ledger == 0) return ledger_must_not_be_zero;
  if (t.code == 0) return code_must_not_be_zero;
  return created;
}

Outcome check_import(Books& books, const Transfer& t, const Account& debit, const Account& credit) {
  if (!t.has(flag::imported)) return created;
  if (t.timestamp <= books.last_timestamp()) return imported_event_timestamp_must_not_regress;
  if (t.timestamp <= debit.timestamp) return imported_event_must_postdate_debit_account;
  if (t.timestamp <= credit.timestamp) return imported_event_must_postdate_credit_account;
  if (t.timeout_s != 0) return imported_event_timeout_must_be_zero;
  return created;
}

// At most what leaves the flagged side's balance at zero, and never less than nothing.
std::int64_t balanced(const Transfer& t, const Account& debit, const Account& credit) {
  using base::Wide;
  Wide amount = t.amount;
  if (t.has(flag::balancing_debit))
    amount =
        std::min(amount, Wide{debit.credits_posted} - debit.debits_posted - debit.debits_pending);
  if (t.has(flag::balancing_credit))
    amount = std::min(amount,
                      Wide{credit.debits_posted} - credit.credits_posted - credit.credits_pending);
  return static_cast<std::int64_t>(std::max(amount, Wide{0}));
}

Outcome check_counters(const Transfer& t, const Account& debit, const Account& credit) {
  if (t.has(flag::pending)) {
    if (overflows(debit.debits_pending, t.amount)) return overflows_debits_pending;
    if (overflows(credit.credits_pending, t.amount)) return overflows_credits_pending;
  }
  if (overflows(debit.debits_posted, t.amount)) return overflows_debits_posted;
  if (overflows(credit.credits_posted, t.amount)) return overflows_credits_posted;
  if (overflows(debit.debits_pending, debit.debits_posted, t.amount)) return overflows_debits;
  if (overflows(credit.credits_pending, credit.credits_posted, t.amount)) return overflows_credits;
  if (overflows(t.timestamp.us, std::int64_t{t.timeout_s} * 1'000'000)) return overflows_timeout;
  if (debit.has(account_flag::debits_must_not_exceed_credits) &&
      debit.debits_pending + debit.debits_posted + t.amount > debit.credits_posted)
    return exceeds_credits;
  if (credit.has(account_flag::credits_must_not_exceed_debits) &&
      credit.credits_pending + credit.credits_posted + t.amount > credit.debits_posted)
    return exceeds_debits;
  return created;
}

void note(Step& step, Account& debit, Account& credit) {
  step.debit = &debit;
  step.credit = &credit;
  step.debits_pending = debit.debits_pending;
  step.debits_posted = debit.debits_posted;
  step.credits_pending = credit.credits_pending;
  step.credits_posted = credit.credits_posted;
  step.debit_flags = debit.flags;
  step.credit_flags = credit.flags;
}

Outcome book(Books& books, Transfer& t, Step& step) {
  if (const Outcome o = check_shape(t); o != created) return o;
  Account* debit = books.account(t.debit);
  if (!debit) return debit_account_not_found;
  Account* credit = books.account(t.credit);
  if (!credit) return credit_account_not_found;
  if (debit->ledger != credit->ledger) return accounts_must_have_the_same_ledger;
  if (t.ledger != debit->ledger) return transfer_must_have_the_ledger_of_its_accounts;
  if (const Outcome o = check_import(books, t, *debit, *credit); o != created) return o;
  if (debit->has(account_flag::closed)) return debit_account_already_closed;
  if (credit->has(account_flag::closed)) return credit_account_already_closed;
  t.amount = balanced(t, *debit, *credit);
  if (const Outcome o = check_counters(t, *debit, *credit); o != created) return o;

  note(step, *debit, *credit);
  const bool pending = t.has(flag::pending);
  (pending ? debit->debits_pending : debit->debits_posted) += t.amount;
  (pending ? credit->credits_pending : credit->credits_posted) += t.amount;
  if (t.has(flag::closing_debit)) set(debit->flags, account_flag::closed, true);
  if (t.has(flag::closing_credit)) set(credit->flags, account_flag::closed, true);
  return created;
}

// ---- one that resolves --------------------------------------------------------------------------

Outcome check_resolution(const Transfer& t) {
  if (t.pending_id.is_nil()) return pending_id_must_not_be_zero;
  if (t.pending_id == max_id) return pending_id_must_not_be_max;
  if (t.pending_id == t.id) return pending_id_must_be_different;
  if (t.timeout_s != 0) return timeout_reserved_for_pending_transfer;
  if (t.amount < 0) return amount_must_not_be_negative;
  return created;
}

// Completes `t` from its reserve.
Outcome match(Transfer& t, const Transfer& p) {
  if (!p.has(flag::pending)) return pending_transfer_not_pending;
  if (!t.debit.is_nil() && t.debit != p.debit) return pending_transfer_has_different_debit_account;
  if (!t.credit.is_nil() && t.credit != p.credit)
    return pending_transfer_has_different_credit_account;
  if (t.ledger != 0 && t.ledger != p.ledger) return pending_transfer_has_different_ledger;
  if (t.code != 0 && t.code != p.code) return pending_transfer_has_different_code;
  const bool whole = t.has(flag::post_pending) ? t.amount == all_of_it : t.amount == 0;
  if (whole) t.amount = p.amount;
  if (t.amount > p.amount) return exceeds_pending_transfer_amount;
  if (t.has(flag::void_pending) && t.amount != p.amount)
    return pending_transfer_has_different_amount;
  t.debit = p.debit;
  t.credit = p.credit;
  t.ledger = p.ledger;
  t.code = p.code;
  if (t.user_data.is_nil()) t.user_data = p.user_data;
  return created;
}

Outcome resolve(Books& books, Transfer& t, Step& step, Maker maker) {
  if (const Outcome o = check_resolution(t); o != created) return o;
  const Transfer* found = books.transfer(t.pending_id);
  if (!found) return pending_transfer_not_found;
  if (const Outcome o = match(t, *found); o != created) return o;
  const Transfer p = *found;
  switch (books.fate(p.id)) {
    case Fate::posted:
      return pending_transfer_already_posted;
    case Fate::voided:
      return pending_transfer_already_voided;
    case Fate::expired:
      return pending_transfer_expired;
    case Fate::open:
      break;
  }
  // Late, even if nobody has said so yet.
  if (maker == Maker::caller && p.timeout_s != 0 && p.expires_at() <= t.timestamp)
    return pending_transfer_expired;
  Account& debit = *books.account(p.debit);
  Account& credit = *books.account(p.credit);
  if (const Outcome o = check_import(books, t, debit, credit); o != created) return o;
  const bool posts = t.has(flag::post_pending);
  if (posts && debit.has(account_flag::closed)) return debit_account_already_closed;
  if (posts && credit.has(account_flag::closed)) return credit_account_already_closed;

  // No overflow and no bound: what is posted was counted when it was reserved.
  note(step, debit, credit);
  debit.debits_pending -= p.amount;
  credit.credits_pending -= p.amount;
  if (posts) {
    debit.debits_posted += t.amount;
    credit.credits_posted += t.amount;
  } else {  // reopens what the reserve had closed
    if (p.has(flag::closing_debit)) set(debit.flags, account_flag::closed, false);
    if (p.has(flag::closing_credit)) set(credit.flags, account_flag::closed, false);
  }
  books.settle(p, fate_by(t));
  step.resolved = true;
  step.pending = p;
  return created;
}

bool exclusive(const Transfer& t) {
  constexpr std::uint16_t others = flag::pending | flag::balancing_debit | flag::balancing_credit |
                                   flag::closing_debit | flag::closing_credit;
  if (!t.resolves()) return true;
  if (t.has(flag::post_pending) && t.has(flag::void_pending)) return false;
  if (t.has(flag::expiry) && !t.has(flag::void_pending)) return false;
  return !t.has(others);
}

Outcome check_time(const Transfer& t, Instant now) {
  if (!t.has(flag::imported)) return t.timestamp.us == 0 ? created : timestamp_must_be_zero;
  if (t.timestamp.us <= 0 || t.timestamp.us == INT64_MAX)
    return imported_event_timestamp_out_of_range;
  if (t.timestamp >= now) return imported_event_timestamp_must_not_advance;
  return created;
}

Outcome try_one(Books& books, Transfer& t, Instant now, Maker maker, Step& step) {
  if (const Outcome o = check_time(t, now); o != created) return o;
  const std::uint16_t known = maker == Maker::ledger ? flag::all | flag::expiry : flag::all;
  if ((t.flags & ~known) != 0) return reserved_flag;
  if (t.id.is_nil()) return id_must_not_be_zero;
  if (t.id == max_id) return id_must_not_be_max;
  if (const Transfer* e = books.transfer(t.id)) {
    const Transfer before = *e;
    const Outcome o = compare(books, t, before);
    if (o == exists) t = before;
    return o;
  }
  if (books.burnt(t.id)) return id_already_failed;
  if (!exclusive(t)) return flags_are_mutually_exclusive;

  step.last = books.last_timestamp();
  if (!t.has(flag::imported)) t.timestamp = {std::max(now.us, step.last.us + 1)};
  const Outcome o = t.resolves() ? resolve(books, t, step, maker) : book(books, t, step);
  if (o != created) return o;
  step.made = t;
  books.keep(t);
  return created;
}

void undo(Books& books, const Step& step) {
  books.drop(step.made, step.last);
  if (step.resolved) books.settle(step.pending, Fate::open);
  step.debit->debits_pending = step.debits_pending;
  step.debit->debits_posted = step.debits_posted;
  step.credit->credits_pending = step.credits_pending;
  step.credit->credits_posted = step.credits_posted;
  step.debit->flags = step.debit_flags;
  step.credit->flags = step.credit_flags;
}

// A chain in the making: where it began and what it has done so far.
struct Chain {
  std::size_t begins = 0;
  bool open = false;
  bool broken = false;
  bool repeats = false;  // all of it so far exists: sent again as a whole, it is no failure
  std::size_t made = 0;  // of `made` before it
  std::vector<Step> steps;
};

}  // namespace

std::vector<Posted> post(Books& books, std::span<const Transfer> batch, Instant now,
                         std::vector<Transfer>* made) {
  std::vector<Posted> out(batch.size());
  Chain chain;
  Step alone;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Transfer t = batch[i];
    const bool linked = t.has(flag::linked);
    if (linked && !chain.open) {
      chain.open = true;
      chain.broken = chain.repeats = false;
      chain.begins = i;
      chain.made = made ? made->size() : 0;
      chain.steps.clear();
    }
    Step& step = chain.open ? chain.steps.emplace_back() : alone;
    step.resolved = false;
    Outcome o = created;
    if (linked && i + 1 == batch.size())
      o = linked_event_chain_open;
    else if (chain.open && chain.broken)
      o = linked_event_failed;
    else if (t.has(flag::imported) != batch[0].has(flag::imported))
      o = t.has(flag::imported) ? imported_event_not_expected : imported_event_expected;
    else
      o = try_one(books, t, now, Maker::caller, step);

    if (o == created && chain.open && chain.repeats) {  // not the chain it was before
      undo(books, step);
      o = linked_event_failed;
    }
    if (o == created && made) made->push_back(t);
    if (o != created && chain.open) chain.steps.pop_back();
    if (o == exists && chain.open && !chain.broken && (i == chain.begins || chain.repeats)) {
      chain.repeats = true;
    } else if (o != created && chain.open && chain.repeats) {
      chain.broken = true;  // what exists stands
    } else if (o != created && chain.open && !chain.broken) {
      chain.broken = true;
      for (; !chain.steps.empty(); chain.steps.pop_back()) undo(books, chain.steps.back());
      for (std::size_t k = chain.begins; k < i; ++k) out[k] = {linked_event_failed, {}, 0};
      if (made) made->resize(chain.made);
    }
    if (is_transient(o)) books.burn(t.id, o);
    out[i] = stands(o) ? Posted{o, t.timestamp, t.amount} : Posted{o, {}, 0};
    if (!linked) chain.open = false;
  }
  return out;
}

Outcome apply(Books& books, Transfer& t, Instant now, Maker maker) {
  Step step;
  return try_one(books, t, now, maker, step);
}

Transfer expiry_of(const Transfer& p, Id id) {
  Transfer t;
  t.id = id;
  t.debit = p.debit;
  t.credit = p.credit;
  t.amount = p.amount;
  t.pending_id = p.id;
  t.ledger = p.ledger;
  t.code = p.code;
  t.flags = flag::void_pending | flag::expiry;
  return t;
}

}  // namespace ampacity::ledger
