// An operator's own transfers in the world: made once, undone together, lapsing by a fact.
#include <doctest/doctest.h>

#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

namespace flag = ledger::transfer_flag;
using Came = ledger::Outcome;

Transfer move(std::uint64_t n, AccountIx debit, AccountIx credit, std::int64_t amount,
              std::uint16_t flags = 0) {
  Transfer t;
  t.id = {9, n};
  t.debit = ledger::account_at(debit);
  t.credit = ledger::account_at(credit);
  t.amount = amount;
  t.ledger = debit < 2 ? ledger::usd_minor : ledger::usd_tick;
  t.code = 77;
  t.flags = flags;
  return t;
}

struct Operator {
  TestCloud cloud{1};
  Past past;  // as the store would know it
  AccountIx wallet = cloud.world.state().projects[0].wallet;

  std::vector<Came> post(std::vector<Transfer> batch) {
    PostTransfers c{std::move(batch), "by hand", past,
                    std::make_shared<std::vector<ledger::Posted>>()};
    const std::size_t before = cloud.facts.size();
    const auto done = cloud.run(c);
    REQUIRE_MESSAGE(done, done.error().message);
    remember(before);
    std::vector<Came> out;
    for (const auto& p : *c.answer) out.push_back(p.outcome);
    return out;
  }
  base::Result<void> refused(const Transfer& t) {
    return cloud.run(PostTransfers{{t}, "", past, {}});
  }

  void remember(std::size_t from) {
    Instant last{0};
    const auto learn = [&](const std::vector<Transfer>& made, Instant at) {
      for (const Transfer& t : stamped(made, at, last)) {
        past.known[t.id] = {t, ledger::Fate::open};
        if (t.resolves()) past.known.at(t.pending_id).fate = ledger::fate_by(t);
      }
    };
    for (; from < cloud.facts.size(); ++from) {
      const Fact& f = cloud.facts[from];
      if (const auto* p = std::get_if<TransfersPosted>(&f.body)) {
        learn(p->transfers, f.at);
        for (const BurntId& b : p->burnt) past.burnt.insert(b.id);
      }
      if (const auto* e = std::get_if<ReservesExpired>(&f.body)) learn(e->transfers, f.at);
    }
  }
  const Account& account(AccountIx ix) const { return cloud.world.state().accounts[ix]; }
};

}  // namespace

TEST_CASE("posted once, whatever is sent again; a chain stands or falls as one") {
  Operator o;
  const std::int64_t cash = o.account(0).debits_posted;
  const std::vector<Transfer> first{move(1, 0, 1, 500, flag::linked), move(2, 2, 4, 36, 0)};
  CHECK(o.post(first) == std::vector{Came::created, Came::created});
  const std::size_t facts = o.cloud.facts.size();
  CHECK(o.post(first) == std::vector{Came::exists, Came::exists});
  CHECK(o.post({first[1]}) == std::vector{Came::exists});
  CHECK(o.cloud.facts.size() == facts);  // nothing happened
  CHECK(o.account(0).debits_posted == cash + 500);
  CHECK(o.account(4).credits_posted == 36);

  Transfer other = first[1];
  other.amount = 37;
  const auto got =
      o.post({other, move(3, 0, 1, 1, flag::linked), move(4, 0, 2, 1), move(5, 0, 1, 1)});
  CHECK(got == std::vector{Came::exists_with_different_amount, Came::linked_event_failed,
                           Came::accounts_must_have_the_same_ledger, Came::created});
  CHECK(o.account(0).debits_posted == cash + 501);
  check_world(o.cloud.world);
  check_refolded(o.cloud.facts, o.cloud.world);
}

TEST_CASE("a wallet cannot be overdrawn, and what was refused for that stays refused") {
  Operator o;
  const std::int64_t left = available(o.account(o.wallet));
  CHECK(o.post({move(1, o.wallet, 3, left + 1)}) == std::vector{Came::exceeds_credits});
  CHECK(o.past.burnt.size() == 1);
  CHECK(o.post({move(1, o.wallet, 3, 1)}) == std::vector{Came::id_already_failed});
  Transfer rest = move(2, o.wallet, 3, ledger::all_of_it, flag::balancing_debit);
  CHECK(o.post({rest}) == std::vector{Came::created});
  CHECK(available(o.account(o.wallet)) == 0);
  check_refolded(o.cloud.facts, o.cloud.world);
}

TEST_CASE("a reserve lapses by a fact, and jobs go on beside it") {
  Operator o;
  Transfer reserve = move(1, o.wallet, 3, 1'000, flag::pending);
  reserve.timeout_s = 30;
  CHECK(o.post({reserve}) == std::vector{Came::created});
  const Id job = o.cloud.start(o.cloud.request("h100:1"));
  CHECK(o.cloud.world.next_wake(o.cloud.now) <= o.cloud.now + Duration::seconds(31));
  const std::int64_t held = o.account(o.wallet).debits_pending;
  std::size_t before = o.cloud.facts.size();
  o.cloud.tick(29);
  CHECK(o.account(o.wallet).debits_pending == held);
  o.cloud.tick(2);
  o.remember(before);
  CHECK(o.account(o.wallet).debits_pending == held - 1'000);
  Transfer late;
  late.id = {9, 2};
  late.pending_id = reserve.id;
  late.amount = ledger::all_of_it;
  late.flags = flag::post_pending;
  CHECK(o.post({late}) == std::vector{Came::pending_transfer_expired});
  o.cloud.end(job);
  check_world(o.cloud.world);
  check_refolded(o.cloud.facts, o.cloud.world);
}

TEST_CASE("a reserve is posted once") {
  Operator o;
  CHECK(o.post({move(1, o.wallet, 3, 1'000, flag::pending)}) == std::vector{Came::created});
  Transfer part;
  part.id = {9, 2};
  part.pending_id = {9, 1};
  part.amount = 400;
  part.flags = flag::post_pending;
  CHECK(o.post({part}) == std::vector{Came::created});
  CHECK(o.post({part}) == std::vector{Came::exists});
  part.id = {9, 3};
  CHECK(o.post({part}) == std::vector{Came::pending_transfer_already_posted});
  CHECK(o.account(o.wallet).debits_pending == 0);
  check_refolded(o.cloud.facts, o.cloud.world);
}

TEST_CASE("what the cloud itself relies on is not a caller's to touch") {
  Operator o;
  const Id job = o.cloud.start(o.cloud.request("h100:1"));
  Transfer own = move(1, 0, 1, 1);
  own.id = ledger::counted(o.cloud.world.state().next_transfer);
  CHECK_FALSE(o.refused(own));
  Transfer release;
  release.id = {9, 1};
  release.pending_id = ledger::counted(o.cloud.job(job).lease->pending_id);
  release.flags = flag::void_pending;
  CHECK_FALSE(o.refused(release));
  CHECK_FALSE(o.refused(move(1, o.wallet, 3, 0, flag::pending | flag::closing_debit)));
  CHECK_FALSE(o.refused(move(1, 2, 3, INT64_MAX / 2 + 1)));
  CHECK_FALSE(o.cloud.run(PostTransfers{}));
  o.cloud.end(job);
  check_world(o.cloud.world);
}

}  // namespace ampacity::core
