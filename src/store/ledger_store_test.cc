#include <doctest/doctest.h>

#include "ledger/post.h"
#include "store/ledger_store.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

namespace flag = ledger::transfer_flag;
using ledger::Transfer;

ledger::MemoryBooks opened() {
  std::vector<ledger::Account> accounts(4);
  for (std::uint32_t i = 0; i < 4; ++i) {
    accounts[i].id = ledger::account_at(i);
    accounts[i].ledger = i == 3 ? 3921 : ledger::usd_tick;  // JPY, minor
    accounts[i].code = 2300;
    accounts[i].name = "a" + std::to_string(i);
  }
  accounts[1].flags = ledger::account_flag::debits_must_not_exceed_credits;
  ledger::MemoryBooks books;
  books.open(accounts, {1'000'000});
  return books;
}

Transfer move(std::uint64_t n, std::uint32_t debit, std::uint32_t credit, std::int64_t amount,
              std::uint16_t flags = 0, std::uint64_t pending = 0) {
  Transfer t;
  t.id = {7, n};
  if (flags & (flag::post_pending | flag::void_pending)) {
    t.pending_id = {7, pending};
  } else {
    t.debit = ledger::account_at(debit);
    t.credit = ledger::account_at(credit);
    t.ledger = ledger::usd_tick;
    t.code = 1;
  }
  t.amount = amount;
  t.flags = flags;
  return t;
}

struct Day {
  ScratchFolder folder;
  StoreAt file = scratch_store(folder);
  ledger::MemoryBooks books = opened();

  std::vector<ledger::Posted> append(LedgerStore& store, const std::vector<Transfer>& batch,
                                     std::int64_t at_s) {
    std::vector<Transfer> made;
    auto posted = ledger::post(books, batch, {at_s * 1'000'000}, &made);
    REQUIRE(store.append(made, books));
    return posted;
  }
  void work() {
    auto store = LedgerStore::open(file);
    REQUIRE_MESSAGE(store, store.error().message);
    REQUIRE(store->append_accounts(books));
    append(*store, {move(1, 0, 1, 100), move(2, 1, 2, 60, flag::pending)}, 10);
    append(*store, {move(3, 1, 2, 41), move(4, 0, 0, 50, flag::post_pending, 2)}, 20);
    append(*store, {move(5, 0, 2, 5)}, 86'400 + 5);
    Transfer lapses = move(6, 0, 2, 9, flag::pending);
    lapses.timeout_s = 1;
    append(*store, {lapses}, 86'400 + 6);
    std::vector<Transfer> voids = books.expiries({86'410'000'000}, 10, 1);
    REQUIRE(voids.size() == 1);
    REQUIRE(ledger::apply(books, voids[0], {86'410'000'000}, ledger::Maker::ledger) ==
            ledger::Outcome::created);
    REQUIRE(store->append(voids, books));
  }
};

}  // namespace

TEST_CASE("a ledger comes back from the store as it was, and goes on") {
  Day day;
  day.work();
  auto store = LedgerStore::open(day.file);
  REQUIRE(store);
  auto books = store->load();
  REQUIRE_MESSAGE(books, books.error().message);
  CHECK(books->accounts() == day.books.accounts());
  CHECK(books->transfers() == day.books.transfers());
  CHECK(books->accounts()[1].debits_posted == 50);
  day.books = std::move(*books);
  const auto again =
      day.append(*store, {move(1, 0, 1, 100), move(5, 0, 2, 6), move(7, 0, 2, 1)}, 86'400 + 20);
  CHECK(again[0].outcome == ledger::Outcome::exists);
  CHECK(again[1].outcome == ledger::Outcome::exists_with_different_amount);
  CHECK(again[2].outcome == ledger::Outcome::created);

  // The chain, over what is in memory.
  std::vector<ledger::Head> heads;
  ledger::Chain chain;
  for (const Transfer& t : day.books.transfers()) chain.add(t, heads);
  const auto stored = store->heads();
  REQUIRE(stored);
  CHECK(*stored == heads);
  CHECK(stored->size() == 2);
}

TEST_CASE("rows are never changed, ids are unique, bounds hold in the store too") {
  Day day;
  day.work();
  auto db = Database::open(day.file, Database::Mode::create);
  REQUIRE(db);
  // The same bytes in either's words.
  const std::string one = on_postgres() ? "'\\x01'::bytea" : "x'01'";
  const auto refused = [&](const std::string& sql) {
    const auto r = db->exec(sql);
    CAPTURE(sql);
    CHECK_FALSE(r);
    return r ? std::string() : r.error().message;
  };
  CHECK(refused("UPDATE transfers SET amount = 1").find("never") != std::string::npos);
  CHECK(refused("DELETE FROM transfers").find("never") != std::string::npos);
  CHECK(refused("UPDATE accounts SET code = 1").find("never") != std::string::npos);
  CHECK(refused("UPDATE accounts SET flags = flags | 2 WHERE ix = 0").find("never") !=
        std::string::npos);
  CHECK(refused("DELETE FROM accounts").find("never") != std::string::npos);
  refused("UPDATE accounts SET debits_posted = credits_posted + 1 WHERE ix = 1");
  refused("UPDATE accounts SET credits_pending = -1 WHERE ix = 0");
  refused(
      "INSERT INTO transfers (timestamp, id, debit_ix, credit_ix, amount, timeout_s, ledger, code, "
      "flags, reason, sequence, at, generation) SELECT timestamp + 1000, id, 0, 2, 1, 0, 8400, 1, "
      "0, '', 0, 0, 0 FROM transfers LIMIT 1");
  refused(
      "INSERT INTO transfers (timestamp, id, debit_ix, credit_ix, amount, timeout_s, ledger, code, "
      "flags, reason, sequence, at, generation) VALUES (99, " +
      one + ", 0, 0, 1, 0, 8400, 1, 0, '', 0, 0, 0)");
  refused(  // a reserve resolved twice
      "INSERT INTO transfers (timestamp, id, debit_ix, credit_ix, amount, pending_id, timeout_s, "
      "ledger, code, flags, reason, sequence, at, generation) SELECT 99, " +
      one + ", 1, 2, 1, pending_id, 0, 8400, 1, 8, '', 0, 0, 0 FROM transfers WHERE kind = 'post'");
  REQUIRE(db->exec("UPDATE accounts SET flags = flags | 32 WHERE ix = 0"));  // closed
}

TEST_CASE("a store whose counters are not those of its transfers is refused") {
  Day day;
  day.work();
  {
    auto db = Database::open(day.file, Database::Mode::create);
    REQUIRE(db);
    REQUIRE(db->exec("UPDATE accounts SET credits_posted = credits_posted + 1 WHERE ix = 2"));
  }
  auto store = LedgerStore::open(day.file);
  REQUIRE(store);
  const auto books = store->load();
  REQUIRE_FALSE(books);
  CHECK(books.error().message.find("a2") != std::string::npos);
}

TEST_CASE("what a batch names is found, with what became of it") {
  Day day;
  day.work();
  auto db = Database::open(day.file, Database::Mode::create);
  REQUIRE(db);
  REQUIRE(write_burnt(*db, {{7, 50}, "exceeds_credits", 1, {5}}));
  const Transfer asks[] = {move(4, 0, 0, 50, flag::post_pending, 2),
                           move(8, 0, 0, 1, flag::void_pending, 6), move(50, 0, 2, 1),
                           move(9, 0, 0, 1, flag::void_pending, 77)};
  core::Past past;
  REQUIRE(find_past(*db, asks, past));
  CHECK(past.known.size() == 3);
  CHECK(past.known.at({7, 2}).fate == ledger::Fate::posted);
  CHECK(past.known.at({7, 6}).fate == ledger::Fate::expired);
  CHECK(past.known.contains({7, 4}));
  CHECK(past.burnt == std::set<Id>{{7, 50}});
}

}  // namespace ampacity::store
