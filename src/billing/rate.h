// What an org owes for a billing period: leases, meter events, contracts and credit in, an invoice
// and its parts out. Pure: the same inputs give the same invoice, bit for bit.
// Threads: none of its own; one rating belongs to one thread.
//
// 1. An invoice is a function of what was known up to (sequence, meter_sequence); what the source
//    shows of later is not seen. 2. A line's minor is R(C now) − what earlier invoices billed of
//    the same series and service month: all invoices together are R(C), whenever they were made,
//    and a second rating without news has no lines. 3. Σ parts = Σ lines = BT-106, in ticks, minor
//    and covered_minor. 4. What a fund covers is at most what is left of it.
// 5. Memory is in proportion to lines (and to events of one instant), not to leases.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "billing/rated.h"
#include "core/bill.h"
#include "core/model.h"
#include "core/price.h"

namespace ampacity::billing {

// Of the rating: a change that gives other amounts for the same inputs takes the next number.
inline constexpr std::uint32_t engine_version = 2;

// ---- usage --------------------------------------------------------------------------------------

// From `from` on the lease has these prices, pinned. The first begins with the lease.
struct PriceStep {
  Instant from;
  core::Rates rates;
  std::uint64_t sequence = 0;  // of the fact that said so
};

// Of a lease or an interval: what it had before `last`, and that.
std::vector<PriceStep> price_steps(Instant started_at, const std::vector<core::RateStep>& before,
                                   const core::Rates& last);

// One lease of a job. House work is not billed: leave it out or not.
struct LeaseUsage {
  Id job;
  std::uint32_t generation = 1;
  core::ProjectIx project = core::nobody;
  core::UserIx user = core::nobody;
  core::SkuIx sku = core::nobody;
  core::SiteIx site = core::nobody;
  core::JobClass job_class = core::JobClass::on_demand;
  Id reservation;  // nil: none
  Instant started_at;
  Instant ended_at;                  // meaningful only if `sequence` is known
  std::int64_t billed_s = 0;         // likewise; waived seconds are not in it
  std::vector<PriceStep> steps;      // ascending, at least one
  std::uint64_t first_sequence = 0;  // of the fact that it started
  std::uint64_t sequence = 0;        // of the fact that it ended; 0: it runs
};

// A meter event that counts, or one that counted before it was corrected.
struct MeteredUsage {
  std::string source;
  std::string id;
  core::ProjectIx project = core::nobody;
  std::string meter;
  core::SkuIx sku = core::nobody;
  core::SiteIx site = core::nobody;
  Instant from;  // belongs to the month that this is in
  Instant until;
  std::int64_t quantity_micro = 0;
  std::uint64_t sequence = 0;           // the meter store's
  std::uint64_t replaced_sequence = 0;  // of its correction; 0: it counts
};

// What was used, asked for from its beginning each time: once for the lines, once more for the
// parts. Leases by (started_at, job, generation), events by `from`. It may show more than is asked
// for (other months, later knowledge), never less than what touches [rate_from, until).
class UsageSource {
 public:
  virtual ~UsageSource() = default;
  // A visitor returns false to end.
  using LeaseVisit = std::function<bool(const LeaseUsage&)>;
  using MeteredVisit = std::function<bool(const MeteredUsage&)>;
  virtual base::Try<void> each_lease(const LeaseVisit& visit) = 0;
  virtual base::Try<void> each_metered(const MeteredVisit& visit) = 0;
};

// ---- the rest -----------------------------------------------------------------------------------

// What a contract's service was not there for; maintenance as agreed is not in it. One meter event
// that counts, or that counted before it was corrected.
struct Downtime {
  Id contract;
  Instant from;  // belongs to the month that this is in
  std::int64_t down_s = 0;
  std::uint64_t sequence = 0;           // the meter store's
  std::uint64_t replaced_sequence = 0;  // of its correction; 0: it counts
};

// Credit bought that is on no invoice yet: a project's, or a contract's prepayment. `paid_minor` of
// it was received (BT-113).
struct CreditBought {
  core::ProjectIx project = core::nobody;
  Instant at;
  std::int64_t minor = 0;
  std::int64_t paid_minor = 0;
  std::uint64_t sequence = 0;
  Id contract;
};

// What is left of credit bought before, as the last invoice left it. A contract's prepayment covers
// the lines of the contract, those of its oldest month first, whoever's they are. A project's own
// covers what is left of the usage and metered lines of the project.
struct ProjectFund {
  core::ProjectIx project = core::nobody;
  std::int64_t left_minor = 0;
  std::int64_t rounding_minor = 0;  // so much more for usage: its wallet did pay it
  Ticks wallet = INT64_MAX;         // what the wallet can give for all else
};
struct ContractFund {
  Id contract;
  std::int64_t left_minor = 0;
};

// A service month that an earlier invoice (issued, not voided) billed, as the latest such saw it.
struct BilledMonth {
  Instant month;
  Instant until;  // that invoice's
  std::uint64_t sequence = 0;
  std::uint64_t meter_sequence = 0;
};

// Words for descriptions and for price rules, by index.
struct Names {
  std::vector<std::string> skus;        // "h100"
  std::vector<std::string> sku_titles;  // "NVIDIA H100 SXM5"; may be shorter or empty
  std::vector<std::string> sites;
};

// A metered event's: "storage_gb_hours" is shown as "Object storage" in "GB-Hours".
struct MeterWords {
  std::string meter;
  std::string title;
  std::string unit;
};

struct Inputs {
  core::OrgIx org = 0;
  Instant org_since;  // nothing is owed for before
  core::BillingProfile profile;

  Instant from;  // billing period
  Instant until;
  Instant rate_from;  // service months from this one's on are rated; zero: from `from`'s
  std::uint64_t sequence = 0;
  std::uint64_t meter_sequence = 0;
  Instant issued_at;

  // In the order they were set: every version that a lease of this org has, and every one in force
  // in the months rated. Books of other orgs are not looked at; nor is what was set, signed or
  // ended after `sequence`.
  std::span<const core::PriceBook> books;
  std::vector<core::Contract> contracts;
  std::vector<Downtime> downtime;
  std::vector<CreditBought> bought;
  std::vector<core::ManualLine> manual;  // on no invoice yet, as `bought`
  std::vector<ProjectFund> project_funds;
  std::vector<ContractFund> contract_funds;
  // Of every earlier invoice and credit note of this org: of the months rated, and of the terms of
  // contracts that end in them.
  std::vector<core::InvoiceLine> earlier;
  std::vector<BilledMonth> billed;
  Names names;
  std::vector<MeterWords> meters;
};

// What the funds gave (negative: got back), for the next rating's `left_minor`.
struct Rated {
  core::Invoice invoice;  // without id and number
  std::vector<ProjectFund> project_drawn;
  std::vector<ContractFund> contract_drawn;
};

// `sink` may be empty: then the source is asked once, not twice. Refused: what 64 bits do not hold,
// a price that is not there, a source out of order.
base::Result<Rated> rate_org(const Inputs& in, UsageSource& usage, const PartSink& sink);

}  // namespace ampacity::billing
