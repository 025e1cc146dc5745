// Drafts of invoices: what the world and the store know at one moment, brought to the rating
// (billing/rate.h). Nothing is kept: a draft is worked out anew each time it is asked for.
// Threads: a worker's; the world is asked through the loop, the store read by connections of its
// own.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "billing/contract.h"
#include "billing/rate.h"
#include "server/loop.h"
#include "store/meter_events.h"

namespace ampacity::server {

struct Period {
  Instant from;   // of the month
  Instant until;  // its end, or earlier: an interim invoice
};

// What a rating needs, of one org at one moment. Rating it again gives the same.
struct RatingCase {
  billing::Inputs inputs;
  std::vector<core::PriceBook> books;     // that inputs.books shows
  std::vector<core::ProjectIx> projects;  // of the org
  std::vector<billing::LeaseUsage> live;  // by (started_at, job, generation)
};

struct Draft {
  core::Invoice invoice;  // without a number
  std::vector<core::Refund> refunds;
};

// Of its commitment in billing::burn_down_period: ticks of spend, or milli-GPU-seconds.
struct ContractUse {
  std::int64_t used = 0;
  std::int64_t prepaid_left_minor = 0;
};

class Invoicing {
 public:
  Invoicing(Loop& loop, store::StoreAt store, base::Clock& clock)
      : loop_(loop), store_(std::move(store)), clock_(clock) {}

  // What the org owes for services before period.until that no invoice has asked for. `sink` hears
  // the parts of it.
  base::Result<Draft> draft(core::OrgIx org, Period period, const billing::PartSink& sink);
  // Drafts and issues. nullopt: there is nothing to ask for.
  base::Result<std::optional<core::Invoice>> issue(core::OrgIx org, Period period, base::Id id,
                                                   const std::string& actor);
  // The parts of an invoice as it was issued, worked out again from what it knew.
  base::Result<core::Invoice> again(const core::Invoice& issued, const billing::PartSink& sink);
  // What is used up of those contracts that run and have a commitment or a prepayment, billed or
  // not. One rating an org.
  std::map<base::Id, ContractUse> use_of(std::span<const core::Contract> contracts, Instant now);
  // The parts of a credit note: those of the invoice it takes back, negated.
  base::Result<void> taken_back(const core::Invoice& issued, const billing::PartSink& sink);

 private:
  base::Result<RatingCase> case_of(core::OrgIx org, Period period, const core::Invoice* as_issued);
  base::Result<Draft> rate(RatingCase& rating, const billing::PartSink& sink);

  Loop& loop_;
  const store::StoreAt store_;
  base::Clock& clock_;
};

// The closed month before `now`, or the one named.
Period month_period(Instant month);

}  // namespace ampacity::server
