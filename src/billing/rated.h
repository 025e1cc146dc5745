// What rating makes, one after the other: a part of one lease (or meter event, or contract) in one
// service month with its exact and its rounded amount. Lines of invoices and rows of cost exports
// are both sums of these.
// 1. Σ ticks, minor, covered_minor of the parts of a line are the line's. 2. The same inputs give
// the same parts in the same order.
#pragma once

#include <functional>

#include "core/bill.h"
#include "core/model.h"

namespace ampacity::billing {

using base::Id;
using base::Instant;
using base::Ticks;

enum class Commitment { none, used, unused };

struct RatedPart {
  core::LineKind kind = core::LineKind::usage;
  std::size_t line = 0;  // position in the invoice's lines
  Id job;                // of a lease; nil: see the others
  std::uint32_t generation = 0;
  std::string event;  // a meter event's source and id
  core::ProjectIx project = core::nobody;
  core::UserIx user = core::nobody;
  core::SkuIx sku = core::nobody;
  core::SiteIx site = core::nobody;
  core::JobClass job_class = core::JobClass::on_demand;
  std::string meter;
  std::string unit;  // "GPU-Hours"
  std::uint32_t price_version = 0;
  Instant month;  // of the service, its first instant
  Instant from;   // service period
  Instant until;
  std::int64_t quantity = 0;       // the meter's smallest units
  std::int64_t per = 1;            // such units that a price is for
  Ticks list_price = 0;            // for `per` units: the public book's, on demand
  Ticks contracted_price = 0;      // what this org pays by its book, class and term
  Ticks ticks = 0;                 // exact, to the tick, of this part: C after − C before
  std::int64_t minor = 0;          // telescoped inside its line
  std::int64_t covered_minor = 0;  // of it, paid by credit bought before
  bool correction = false;         // of a time before the invoice's period
  Id contract;
  Commitment commitment = Commitment::none;
  Ticks effective_ticks =
      0;  // amortised: of covered usage its share of the purchase; 0: a purchase
};

using PartSink = std::function<void(const RatedPart&)>;

}  // namespace ampacity::billing
