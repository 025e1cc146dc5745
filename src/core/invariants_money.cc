// I12, I14 and the accounts: of a world at rest.
#include <map>
#include <set>

#include "core/desire.h"
#include "core/invariants_floor.h"

namespace ampacity::core {
namespace {

namespace account_flag = ledger::account_flag;

std::string account_name(const Account& a, std::size_t ix) {
  return "account " + std::to_string(ix + 1) + (a.name.empty() ? "" : " (" + a.name + ")");
}

struct Pending {
  base::Wide debits = 0, credits = 0;
};

// By account; I12: of two accounts of one ledger, kept for something.
std::map<std::uint64_t, Pending> reserved(const State& s, Findings& found) {
  std::map<std::uint64_t, Pending> sums;
  for (const Transfer& t : s.pending) {
    if (t.id.is_nil()) continue;
    const std::string where = "transfer " + base::format_bare_id(t.id);
    const auto known = [&](Id id) { return id.high == 0 && id.low - 1 < s.accounts.size(); };
    if (!known(t.debit) || !known(t.credit) || t.debit == t.credit || t.amount < 0) {
      found.add("I12", where, "reserves ", t.amount, " between accounts ", t.debit.low, " and ",
                t.credit.low);
      continue;
    }
    if (s.accounts[t.debit.low - 1].ledger != s.accounts[t.credit.low - 1].ledger)
      found.add("I12", where, "is of two ledgers");
    sums[t.debit.low - 1].debits += t.amount;
    sums[t.credit.low - 1].credits += t.amount;
  }
  return sums;
}

void check_accounts(const State& s, Findings& found) {
  const auto kept = reserved(s, found);
  struct Sum {
    base::Wide pending = 0, posted = 0;
  };
  std::map<std::uint32_t, Sum> ledgers;
  for (std::size_t ix = 0; ix < s.accounts.size(); ++ix) {
    const Account& a = s.accounts[ix];
    const std::string where = account_name(a, ix);
    Sum& sum = ledgers[a.ledger];
    sum.pending += static_cast<base::Wide>(a.debits_pending) - a.credits_pending;
    sum.posted += static_cast<base::Wide>(a.debits_posted) - a.credits_posted;
    for (const std::int64_t n :
         {a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted})
      if (n < 0) found.add("I12", where, "a counter is ", n);
    const auto at = kept.find(ix);
    const Pending open = at == kept.end() ? Pending{} : at->second;
    if (open.debits != a.debits_pending || open.credits != a.credits_pending)
      found.add("I12", where, "says that ", a.debits_pending, " and ", a.credits_pending,
                " are reserved, open transfers say ", static_cast<std::int64_t>(open.debits),
                " and ", static_cast<std::int64_t>(open.credits));
    const base::Wide debits = static_cast<base::Wide>(a.debits_posted) + a.debits_pending;
    const base::Wide credits = static_cast<base::Wide>(a.credits_posted) + a.credits_pending;
    if (a.has(account_flag::debits_must_not_exceed_credits) && debits > a.credits_posted)
      found.add("I4", where,
                "is below zero: ", static_cast<std::int64_t>(a.credits_posted - debits));
    if (a.has(account_flag::credits_must_not_exceed_debits) && credits > a.debits_posted)
      found.add("I4", where,
                "is above zero: ", static_cast<std::int64_t>(credits - a.debits_posted));
  }
  for (const auto& [ledger, sum] : ledgers)
    if (sum.pending != 0 || sum.posted != 0)
      found.add("I12", "ledger " + std::to_string(ledger), "debits exceed credits by ",
                static_cast<std::int64_t>(sum.posted), " posted, ",
                static_cast<std::int64_t>(sum.pending), " pending");
}

// Each reserve the core made is one live lease's.
void check_holds(const State& s, Findings& found) {
  std::set<std::uint64_t> of_leases;
  for (const Job& job : s.jobs)
    if (!job.id.is_nil() && job.lease && job.lease->pending_id &&
        !of_leases.insert(job.lease->pending_id).second)
      found.add("I12", job_name(job.id), "holds by transfer ", job.lease->pending_id,
                ", as another job does");
  for (const Transfer& t : s.pending)
    if (!t.id.is_nil() && t.id.high == 0 && !of_leases.contains(t.id.low))
      found.add("I12", "transfer " + std::to_string(t.id.low), "holds ", t.amount,
                " for no live lease");
}

// I14: whose prices they are, and since when. Version 0: work that needs no price.
void check_prices(const State& s, Instant now, Findings& found) {
  const auto in_force = [&](std::uint32_t version, OrgIx org) {
    for (const PriceBook& b : s.books)
      if (b.version == version) return b.effective_from <= now && (b.org == nobody || b.org == org);
    return version == 0;
  };
  for (const Job& job : s.jobs) {
    if (job.id.is_nil() || !job.lease) continue;
    const OrgIx org = s.projects[job.project].org;
    const auto check = [&](const Rates& r) {
      if (!in_force(r.price_version, org) || !in_force(r.host_version, org))
        found.add("I14", job_name(job.id), "is billed by price book ", r.price_version,
                  ", which is not in force for it");
    };
    check(job.lease->rates);
    std::int64_t last_s = 0;
    for (const RateStep& step : job.lease->steps) {
      check(step.rates);
      if (step.until_s <= last_s && last_s != 0)
        found.add("I14", job_name(job.id), "its prices do not follow each other");
      last_s = step.until_s;
    }
  }
}

}  // namespace

void check_money(const World& w, Instant now, Findings& found) {
  check_accounts(w.state(), found);
  check_holds(w.state(), found);
  check_prices(w.state(), now, found);
}

}  // namespace ampacity::core
