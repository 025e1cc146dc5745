// Random histories of small ids, so that everything collides: what must hold after any of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/prng.h"
#include "ledger/chain.h"
#include "ledger/memory.h"
#include "ledger/post.h"

using namespace ampacity::ledger;
using ampacity::base::Wide;
namespace flag = transfer_flag;

namespace {

struct Dice {
  ampacity::base::SeededPrng prng;
  std::uint64_t below(std::uint64_t n) { return prng.next() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
};

constexpr std::uint64_t account_ids = 9, transfer_ids = 400;

std::vector<Account> accounts() {
  std::vector<Account> all;
  for (std::uint64_t i = 1; i <= account_ids; ++i) {
    Account a;
    a.id = {0, i};
    a.ledger = i <= 6 ? 1 : 2;
    a.code = 1;
    if (i == 2 || i == 7) a.flags = account_flag::debits_must_not_exceed_credits;
    if (i == 3) a.flags = account_flag::credits_must_not_exceed_debits;
    all.push_back(a);
  }
  return all;
}

Transfer any_transfer(Dice& d) {
  Transfer t;
  t.id = {0, 1 + d.below(transfer_ids)};
  t.code = 1;
  if (d.one_in(3)) {
    t.flags = d.one_in(2) ? flag::post_pending : flag::void_pending;
    t.pending_id = {0, 1 + d.below(transfer_ids)};
    t.amount = t.flags == flag::void_pending ? 0
               : d.one_in(2)                 ? all_of_it
                                             : std::int64_t(d.below(20));
    if (d.one_in(2)) t.ledger = 1;
  } else {
    t.debit = {0, 1 + d.below(account_ids + 1)};
    t.credit = {0, 1 + d.below(account_ids)};
    t.amount = static_cast<std::int64_t>(d.below(50));
    t.ledger = t.debit.low <= 6 ? 1 : 2;
    if (d.one_in(2)) {
      t.flags |= flag::pending;
      if (d.one_in(2)) t.timeout_s = static_cast<std::uint32_t>(1 + d.below(5));
      if (d.one_in(20)) t.flags |= flag::closing_debit;
      if (d.one_in(20)) t.flags |= flag::closing_credit;
    }
    if (d.one_in(5)) t.flags |= flag::balancing_debit;
    if (d.one_in(5)) t.flags |= flag::balancing_credit;
  }
  if (d.one_in(4)) t.flags |= flag::linked;
  return t;
}

struct Sums {
  Wide debits_pending = 0, debits_posted = 0, credits_pending = 0, credits_posted = 0;
};

void check_conservation(const MemoryBooks& books) {
  std::map<std::uint32_t, Sums> ledgers;
  for (const Account& a : books.accounts()) {
    Sums& s = ledgers[a.ledger];
    s.debits_pending += a.debits_pending;
    s.debits_posted += a.debits_posted;
    s.credits_pending += a.credits_pending;
    s.credits_posted += a.credits_posted;
  }
  for (const auto& [ledger, s] : ledgers) {
    CHECK(s.debits_pending == s.credits_pending);
    CHECK(s.debits_posted == s.credits_posted);
  }
}

void check_bounds(const Account& a) {
  CHECK(a.debits_pending >= 0);
  CHECK(a.credits_pending >= 0);
  if (a.has(account_flag::debits_must_not_exceed_credits)) CHECK(available(a) >= 0);
  if (a.has(account_flag::credits_must_not_exceed_debits))
    CHECK(a.credits_pending + a.credits_posted <= a.debits_posted);
}

// The counters again, by a fold that knows nothing of how they were made; bounds are looked at
// after each transfer, and each reserve may end once.
void check_fold(const MemoryBooks& books) {
  std::map<Id, Account> folded;
  for (const Account& a : books.accounts()) {
    Account& f = folded[a.id] = a;
    f.debits_pending = f.debits_posted = f.credits_pending = f.credits_posted = 0;
  }
  std::map<Id, Transfer> open;
  Instant last;
  for (const Transfer& t : books.transfers()) {
    CHECK(t.timestamp > last);
    last = t.timestamp;
    Account& debit = folded.at(t.debit);
    Account& credit = folded.at(t.credit);
    if (t.has(flag::pending)) {
      debit.debits_pending += t.amount;
      credit.credits_pending += t.amount;
      open[t.id] = t;
    } else if (t.resolves()) {
      REQUIRE(open.contains(t.pending_id));
      const Transfer p = open.at(t.pending_id);
      open.erase(t.pending_id);
      debit.debits_pending -= p.amount;
      credit.credits_pending -= p.amount;
      CHECK(t.amount <= p.amount);
    }
    if (!t.has(flag::pending) && !t.has(flag::void_pending)) {
      debit.debits_posted += t.amount;
      credit.credits_posted += t.amount;
    }
    check_bounds(debit);
    check_bounds(credit);
  }
  for (const Account& a : books.accounts()) CHECK(folded.at(a.id) == a);
}

void check_chains(const std::vector<Transfer>& batch, const std::vector<Posted>& got) {
  for (std::size_t i = 0; i < batch.size();) {
    std::size_t end = i;
    while (end < batch.size() && batch[end].has(flag::linked)) ++end;
    end = std::min(end + 1, batch.size());
    const auto made =
        std::count_if(got.begin() + std::ptrdiff_t(i), got.begin() + std::ptrdiff_t(end),
                      [](const Posted& p) { return p.outcome == Outcome::created; });
    CHECK((made == 0 || made == static_cast<std::ptrdiff_t>(end - i)));
    i = end;
  }
}

}  // namespace

TEST_CASE("random histories keep every invariant") {
  std::size_t created = 0, expired = 0, chained = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Dice d{ampacity::base::SeededPrng(seed)};
    MemoryBooks books;
    Instant now{1'000'000};
    books.open(accounts(), now);
    std::vector<Transfer> made;
    std::uint64_t next_void = 10'000;
    for (int round = 0; round < 40; ++round) {
      std::vector<Transfer> batch;
      const auto size = 1 + d.below(12);
      while (batch.size() < size) batch.push_back(any_transfer(d));
      const std::size_t before = made.size();
      const auto got = post(books, batch, now, &made);
      check_chains(batch, got);
      CHECK(made.size() - before == std::size_t(std::count_if(got.begin(), got.end(), [](auto& p) {
              return p.outcome == Outcome::created;
            })));
      for (const Transfer& t : batch) chained += t.has(flag::linked);

      // Told again, nothing moves and nothing that stood is denied.
      const auto accounts_before = books.accounts();
      const auto again = post(books, batch, now);
      CHECK(books.accounts() == accounts_before);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        CHECK(again[i].outcome != Outcome::created);
        if (got[i].outcome == Outcome::created) CHECK(again[i].outcome == Outcome::exists);
      }
      now.us += static_cast<std::int64_t>(d.below(1'500'000));
      for (Transfer& t : books.expiries(now, 3, next_void)) {
        REQUIRE(apply(books, t, now, Maker::ledger) == Outcome::created);
        made.push_back(t);
        next_void = t.id.low + 1;
        ++expired;
      }
      check_conservation(books);
    }
    check_fold(books);
    CHECK(books.transfers() == made);
    created += made.size();

    // What was made, applied to new books without a clock, makes the same books.
    MemoryBooks replayed;
    replayed.open(accounts(), {1'000'000});
    for (Transfer t : made) {
      const Transfer was = t;
      t.timestamp = {};
      REQUIRE(apply(replayed, t, was.timestamp, Maker::ledger) == Outcome::created);
      CHECK(t == was);
    }
    CHECK(replayed.accounts() == books.accounts());
  }
  CHECK(created > 2'000);
  CHECK(expired > 100);
  CHECK(chained > 1'000);
}

TEST_CASE("a pair of linked transfers moves both ledgers or none") {
  MemoryBooks books;
  books.open(accounts(), {1});
  Transfer cent{{0, 1}, {0, 8}, {0, 9}, 5, {}, {}, 0, 2, 1, flag::linked, {}};
  Transfer tick{{0, 2}, {0, 2}, {0, 1}, 5, {}, {}, 0, 1, 1, 0, {}};
  const Transfer pair[] = {cent, tick};
  const auto got = post(books, pair, {2});
  CHECK(got[0].outcome == Outcome::linked_event_failed);
  CHECK(got[1].outcome == Outcome::exceeds_credits);
  for (const Account& a : books.accounts()) CHECK(a.debits_posted + a.credits_posted == 0);
}

TEST_CASE("the chain: a golden record, a head a day, any change shows") {
  Transfer t{
      {1, 2}, {3, 4}, {5, 6}, -7, {8, 9}, {10, 11}, 12, 8400, 13, 514, {1'764'000'000'000'000}};
  const Record r = record_of(t);
  CHECK(ampacity::base::to_hex(ampacity::base::sha256({r.data(), r.size()})) ==
        "1689c1b8d405f2054c822ee7e0b3cc4b9b93414f7c509ad7da8751942c8ca9b1");
  std::vector<Head> heads;
  Chain chain;
  for (int i = 0; i < 5; ++i) {
    t.id.low += 1;
    t.timestamp.us += 50'000'000'000;  // two a day, at most
    chain.add(t, heads);
  }
  REQUIRE(heads.size() == 3);
  CHECK(heads[0].transfers + heads[1].transfers + heads[2].transfers == 5);
  CHECK(heads.back() == chain.latest());

  // Taken up again from the latest head, it goes on as if it had not stopped.
  Transfer more = t;
  more.timestamp.us += 1;
  Chain resumed(heads.back());
  std::vector<Head> a{heads.back()}, b = heads;
  resumed.add(more, a);
  chain.add(more, b);
  CHECK(a.back() == b.back());

  std::vector<std::string> seen;
  const auto see = [&](const Transfer& changed) {
    const Record c = record_of(changed);
    seen.push_back(ampacity::base::to_hex(ampacity::base::sha256({c.data(), c.size()})));
  };
  for (int field = 0; field < 12; ++field) {
    Transfer c = t;
    if (field == 1) c.id.high ^= 1;
    if (field == 2) c.debit.low ^= 1;
    if (field == 3) c.credit.low ^= 1;
    if (field == 4) c.amount ^= 1;
    if (field == 5) c.pending_id.low ^= 1;
    if (field == 6) c.user_data.low ^= 1;
    if (field == 7) c.timeout_s ^= 1;
    if (field == 8) c.ledger ^= 1;
    if (field == 9) c.code ^= 1;
    if (field == 10) c.flags ^= 1;
    if (field == 11) c.timestamp.us ^= 1;
    see(c);
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("ledgers are numbered by currency and scale") {
  using ampacity::base::find_currency;
  CHECK(ledger_of(*find_currency("USD"), Scale::tick) == usd_tick);
  CHECK(ledger_of(*find_currency("USD"), Scale::minor) == usd_minor);
  CHECK(ledger_of(*find_currency("JPY"), Scale::minor) == 3921);
  CHECK(currency_of(usd_minor) == find_currency("USD"));
  CHECK(currency_of(8402) == nullptr);
  CHECK(currency_of(10) == nullptr);
  CHECK(ledger_name(4140) == "KWD·tick");
  CHECK(scale_of(4141) == Scale::minor);
}
