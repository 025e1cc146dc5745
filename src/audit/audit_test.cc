// The audit must pass clean books and catch each planted fault by the check that is meant to.
#include "audit/audit.h"

#include <doctest/doctest.h>

#include <map>

#include "store/database.h"
#include "store/sample_cloud.h"
#include "store/scratch_store.h"

namespace ampacity::audit {
namespace {

namespace fs = std::filesystem;
using store::Database;

// A day of work: quanta turned over, jobs ended, failed, cancelled, retried, still open.
void work_a_day(const fs::path& file) {
  auto journal = store::open_journal({file});
  REQUIRE(journal);
  store::SampleCloud cloud(3);
  REQUIRE(cloud.commit(**journal));
  for (int turn = 0; turn < 12; ++turn) {
    cloud.now.us += 301'000'777 * (1 + turn % 3);
    cloud.run(core::Tick{});
    while (cloud.running.size() > 3) cloud.end_next(turn % 4 == 0);
    while (!cloud.starting.empty()) cloud.start_next();
    for (int i = 0; i < 4; ++i) cloud.submit("job", 1001 + 13 * i);
    cloud.submit("share", 1001, 333);
    const base::Id stopped = cloud.submit("stopped");
    cloud.starting.pop_back();
    if (turn > 0) {  // a spot price that floats under who runs by it, the last with a flat
      cloud.submit("floating", 1001, 1000, core::JobClass::spot);
      auto book =
          core::plain_book("floats", {}, {{"h100", 47'800, 23'900 + 10 * turn}}, 278, 139, 100, 50);
      if (turn > 8)
        for (core::PriceRule& r : book.rules)
          if (r.job_class == core::JobClass::spot) r.price.tiers[0].flat = 7;
      cloud.run(core::SetPrices{book, {}});
    }
    cloud.run(core::StopJob{stopped, core::StopReason::asked, "changed my mind"});
    cloud.seen(stopped, core::RankSeen::State::failed_to_start);
    REQUIRE(cloud.commit(**journal));
  }
}

std::map<std::string, Finding> by_name(const fs::path& file) {
  std::map<std::string, Finding> out;
  for (Finding& f : check_ledger(store::as_under_test(file))) out[f.check] = f;
  return out;
}

constexpr const char* all_checks[] = {
    "debits_equal_credits",   "transfer_ids_successive",  "holds_resolved_once",
    "wallets_never_negative", "counters_equal_transfers", "transfer_chain_unbroken",
    "usage_rerated",          "intervals_disjoint",       "usage_equals_ledger",
    "journal_chain_unbroken"};

TEST_CASE("clean books pass, with figures") {
  const store::ScratchFolder folder;
  const fs::path file = folder.path / "ampacity.db";
  work_a_day(file);
  const auto findings = by_name(file);
  CHECK(findings.size() == std::size(all_checks));
  for (const char* name : all_checks) {
    REQUIRE(findings.contains(name));
    const Finding& f = findings.at(name);
    CHECK_MESSAGE(f.holds, name << ": " << f.detail);
    CHECK_MESSAGE(f.examined > 0, name);
    CHECK_FALSE(f.detail.empty());
  }
  auto db = Database::open(file, Database::Mode::read);
  REQUIRE(db);
  auto steps = db->query("SELECT count(*), max(gpu_flat) FROM usage WHERE step > 0");
  REQUIRE(steps.next());
  CHECK(steps.integer(0) > 3);
  CHECK(steps.integer(1) == 7);
  // The day was worth auditing: holds turned over, leases open and closed.
  CHECK(findings.at("usage_rerated").examined > 30);
  CHECK(findings.at("holds_resolved_once").examined > findings.at("usage_rerated").examined);
  CHECK(findings.at("usage_equals_ledger").detail.find(" 0 leases open") == std::string::npos);
}

TEST_CASE("the audit reads beside an open journal, and a missing store is a finding") {
  const store::ScratchFolder folder;
  const store::StoreAt at = store::scratch_store(folder);
  auto journal = store::open_journal(at);
  REQUIRE(journal);
  store::SampleCloud cloud(1);
  REQUIRE(cloud.commit(**journal));
  for (const Finding& f : check_ledger(at)) CHECK_MESSAGE(f.holds, f.check << ": " << f.detail);
  const auto none = check_ledger(folder.path / "none.db");
  REQUIRE(none.size() == 1);
  CHECK(none[0].check == "store_readable");
  CHECK_FALSE(none[0].holds);
}

struct Planted {
  const char* what;
  const char* sql;
  const char* caught_by;
  const char* named = "";  // an offender that the detail must name
};

// One tick, one second, one row: the smallest faults there are.
constexpr Planted planted[] = {
    {"a counter off by one",
     "UPDATE accounts SET credits_posted = credits_posted + 1 WHERE code = 4000",
     "debits_equal_credits", "USD_tick"},
    {"a pending counter off by one",
     "UPDATE accounts SET debits_pending = debits_pending + 1 WHERE code = 2300",
     "debits_equal_credits", "USD_tick"},
    {"a transfer across ledgers",
     "UPDATE transfers SET credit_ix = (SELECT ix FROM accounts WHERE ledger = 8401 "
     "LIMIT 1) WHERE id = x'0000000000000000000000000000000a'",
     "debits_equal_credits", "transfer 10 crosses"},
    {"both counters moved alike: balanced, but not what the transfers say",
     "UPDATE accounts SET credits_posted = credits_posted + 5, debits_posted = debits_posted + 5 "
     "WHERE code = 2300",
     "counters_equal_transfers", "wallet demo"},
    {"a transfer's amount",
     "UPDATE transfers SET amount = amount + 1 WHERE id = x'00000000000000000000000000000001'",
     "counters_equal_transfers"},
    {"a transfer removed", "DELETE FROM transfers WHERE id = x'00000000000000000000000000000007'",
     "transfer_ids_successive", "transfer 8 where 7"},
    {"a transfer put in front",
     "UPDATE transfers SET id = x'00000000000000000000000000000000' WHERE id = "
     "x'00000000000000000000000000000001'",
     "transfer_ids_successive"},
    {"two kinds at once",
     "UPDATE transfers SET flags = 6 WHERE id = x'00000000000000000000000000000009'",
     "transfer_ids_successive", "several kinds"},
    {"a hold resolved twice",
     "UPDATE transfers SET pending_id = (SELECT min(pending_id) FROM transfers) "
     "WHERE id = (SELECT max(id) FROM transfers WHERE kind = 'post')",
     "holds_resolved_once", "not an open hold"},
    {"more posted than held",
     "UPDATE transfers SET amount = 1 + (SELECT h.amount FROM transfers h WHERE h.id = "
     "transfers.pending_id) WHERE id = (SELECT min(id) FROM transfers WHERE kind = 'post')",
     "holds_resolved_once", "takes"},
    {"a post between other accounts",
     "UPDATE transfers SET debit_ix = credit_ix, credit_ix = debit_ix "
     "WHERE id = (SELECT min(id) FROM transfers WHERE kind = 'post')",
     "holds_resolved_once", "other accounts"},
    {"a code nobody looks at",
     "UPDATE transfers SET code = code + 1 WHERE id = x'00000000000000000000000000000003'",
     "transfer_chain_unbroken", "is not that of its transfers"},
    {"a daily head", "UPDATE ledger_heads SET head = zeroblob(32)", "transfer_chain_unbroken",
     "is not that of its transfers"},
    {"a daily head removed", "DELETE FROM ledger_heads", "transfer_chain_unbroken", "no head for"},
    {"an account that is not there",
     "UPDATE transfers SET debit_ix = debit_ix + 1000000 WHERE id = "
     "x'00000000000000000000000000000002'",
     "debits_equal_credits", "that is not there"},
    {"less credit than was held",
     "UPDATE transfers SET amount = 1000 WHERE reason = 'credit' AND credit_ix = "
     "(SELECT ix FROM accounts WHERE code = 2300)",
     "wallets_never_negative", "wallet demo is at -"},
    {"a GPU amount",
     "UPDATE usage SET gpu_amount = gpu_amount + 1 WHERE billed_s = "
     "(SELECT max(billed_s) FROM usage)",
     "usage_rerated", "the GPU amount"},
    {"a share billed as another", "UPDATE usage SET gpu_milli = gpu_milli + 1 WHERE billed_s > 0",
     "usage_rerated", "the GPU amount"},
    {"a vCPU amount", "UPDATE usage SET vcpu_amount = vcpu_amount - 1 WHERE billed_s > 0",
     "usage_rerated", "the vCPU amount"},
    {"a memory amount", "UPDATE usage SET memory_amount = memory_amount + 1 WHERE billed_s > 0",
     "usage_rerated", "the memory amount"},
    {"a price changed afterwards", "UPDATE usage SET gpu_price = gpu_price + 1 WHERE billed_s > 0",
     "usage_rerated"},
    {"a second too many", "UPDATE usage SET waived_s = waived_s + 1", "usage_rerated",
     "billed + waived"},
    {"an end moved past the second",
     "UPDATE usage SET ended_at = ended_at + 1000000 WHERE billed_s > 0", "usage_rerated"},
    {"a step's price", "UPDATE usage SET gpu_price = gpu_price + 1 WHERE step = 1", "usage_rerated",
     "the GPU amount"},
    {"a flat", "UPDATE usage SET gpu_flat = gpu_flat + 1 WHERE billed_s > 0", "usage_rerated",
     "the GPU amount"},
    {"a step removed", "DELETE FROM usage WHERE step = 1", "usage_equals_ledger", "billed"},
    {"an overlap",
     "INSERT INTO usage SELECT job, generation + 1, step, project_ix, user_ix, sku_ix, job_class, "
     "started_at + 1, ended_at + 1, billed_s, waived_s, price_version, gpu_price, gpus, "
     "vcpu_price, cpu_milli, gib_price, memory_mib, gpu_amount, vcpu_amount, memory_amount, "
     "gpu_milli, org_ix, site_ix, reservation, started_sequence, sequence, gpu_flat, vcpu_flat, "
     "gib_flat, host_version, term_months FROM usage WHERE billed_s = (SELECT max(billed_s) FROM "
     "usage) LIMIT 1",
     "intervals_disjoint", "begins before"},
    {"seconds billed that the ledger never saw",
     "UPDATE usage SET billed_s = billed_s + 1, ended_at = ended_at + 1000000, "
     "gpu_amount = gpu_amount + gpu_price * gpus WHERE billed_s > 0",
     "usage_equals_ledger", "billed"},
    {"a usage row removed", "DELETE FROM usage WHERE job = (SELECT min(job) FROM usage)",
     "usage_equals_ledger", "no usage row"},
    {"a transfer moved to another job",
     "UPDATE transfers SET job = (SELECT max(id) FROM jobs) WHERE id = "
     "(SELECT min(id) FROM transfers WHERE kind = 'post')",
     "usage_equals_ledger"},
    {"a fact altered",
     "UPDATE journal SET facts = replace(facts, '\"job\"', '\"jab\"') WHERE first_sequence = "
     "(SELECT max(first_sequence) FROM journal)",
     "journal_chain_unbroken", "the chain breaks"},
    {"a commit removed",
     "DELETE FROM journal WHERE first_sequence = (SELECT max(first_sequence) FROM journal WHERE "
     "first_sequence < (SELECT max(first_sequence) FROM journal))",
     "journal_chain_unbroken", "a gap"},
    {"a row that says it holds more", "UPDATE journal SET last_sequence = last_sequence + 1",
     "journal_chain_unbroken"},
    {"a journal row that is not JSON", "UPDATE journal SET facts = '[' WHERE first_sequence = 1",
     "journal_chain_unbroken"},
};

TEST_CASE("each planted fault is caught by the check that is meant to") {
  const store::ScratchFolder folder;
  const fs::path clean = folder.path / "clean.db";
  work_a_day(clean);
  for (const Planted& p : planted) {
    INFO(std::string(p.what));
    const fs::path file = folder.path / "planted.db";
    fs::copy_file(clean, file, fs::copy_options::overwrite_existing);
    {
      auto db = Database::open(file, Database::Mode::create);
      REQUIRE(db);
      const auto done = db->exec(
          "DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete;"
          "DROP TRIGGER usage_no_update; DROP TRIGGER usage_no_delete;"
          "DROP TRIGGER transfers_no_update; DROP TRIGGER transfers_no_delete;"
          "DROP INDEX transfers_resolved;"
          "PRAGMA ignore_check_constraints = ON;" +
          std::string(p.sql));
      REQUIRE_MESSAGE(done, done.error().message);
    }
    const auto findings = by_name(file);
    const Finding& f = findings.at(p.caught_by);
    CHECK_FALSE(f.holds);
    CHECK_MESSAGE(f.detail.find(p.named) != std::string::npos, f.detail);
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(file.string() + suffix);
  }
}

}  // namespace
}  // namespace ampacity::audit
