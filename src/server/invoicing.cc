#include "server/invoicing.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "api/views.h"
#include "base/currency.h"
#include "core/billing.h"
#include "server/invoicing_usage.h"

namespace ampacity::server {
namespace {

using base::Code;

base::Refusal unreadable(const base::Fault& fault) {
  return {Code::unavailable, "the store could not be read: " + fault.message, {}, {}, {}};
}

// Leases that run, as they are now.
std::vector<billing::LeaseUsage> running(const core::World& w, core::OrgIx org) {
  std::vector<billing::LeaseUsage> out;
  for (const auto& [order, slot] : w.leased) {
    const core::Job& job = w.state().jobs[slot];
    const core::Lease& lease = *job.lease;
    if (w.state().projects[job.project].org != org || lease.started_sequence == 0) continue;
    billing::LeaseUsage l;
    l.job = job.id;
    l.generation = job.generation;
    l.project = job.project;
    l.user = job.user;
    l.sku = lease.sku;
    l.site = w.state().nodes[lease.places[0].node].site;
    l.job_class = job.job_class;
    l.reservation = job.demand.reservation;
    l.started_at = lease.started_at;
    l.first_sequence = lease.started_sequence;
    // As the store has it: each price that has ended is a stretch of its own.
    std::int64_t from_s = 0;
    for (const core::RateStep& step : lease.steps) {
      billing::LeaseUsage& past = out.emplace_back(l);
      past.steps = {{l.started_at, step.rates, l.first_sequence}};
      past.ended_at = lease.started_at + base::Duration::seconds(step.until_s);
      past.billed_s = step.until_s - from_s;
      past.sequence = l.first_sequence = step.until_sequence;
      l.started_at = past.ended_at;
      from_s = step.until_s;
    }
    l.steps = {{l.started_at, lease.rates, l.first_sequence}};
    out.push_back(std::move(l));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.started_at, a.job, a.generation) <
           std::tie(b.started_at, b.job, b.generation);
  });
  return out;
}

// Each month that an invoice still standing has billed, as the latest of them saw it; as it stood
// before one of them was issued (nullptr: now).
std::vector<billing::BilledMonth> billed_months(const std::vector<core::Invoice>& invoices,
                                                core::OrgIx org, const core::Invoice* before) {
  std::vector<const core::Invoice*> standing;
  for (const core::Invoice& i : invoices) {  // in the order of issue
    if (before && i.id == before->id) break;
    if (i.org != org) continue;
    if (i.kind == core::InvoiceKind::invoice)
      standing.push_back(&i);
    else
      std::erase_if(standing, [&](const core::Invoice* x) { return x->id == i.corrects; });
  }
  std::map<Instant, billing::BilledMonth> months;
  for (const core::Invoice* x : standing) {
    const core::Invoice& i = *x;
    for (Instant m = base::month_begin(i.rated_from); m < i.until; m = base::month_plus(m, 1))
      months[m] = {m, std::min(i.until, base::month_plus(m, 1)), i.sequence, i.meter_sequence};
  }
  std::vector<billing::BilledMonth> out;
  for (const auto& [month, billed] : months) out.push_back(billed);
  return out;
}

void take_world(const core::World& w, core::OrgIx ix, const core::Invoice* as_issued,
                RatingCase& rating) {
  const core::State& s = w.state();
  const core::Org& org = s.orgs[ix];
  billing::Inputs& in = rating.inputs;
  in.org = ix;
  in.org_since = org.created_at;
  in.profile = org.billing;
  in.sequence = as_issued ? as_issued->sequence : s.sequence;
  in.books = s.books;
  for (const core::Contract& c : s.contracts)
    if (c.org == ix && c.sequence <= in.sequence) {
      in.contracts.push_back(c);
      if (c.prepaid_minor > 0 && !as_issued)
        in.contract_funds.push_back({c.id, c.prepaid_minor - c.drawn_minor});
    }
  for (const core::Sku& sku : s.skus) {
    in.names.skus.push_back(sku.name);
    in.names.sku_titles.push_back(sku.description);
  }
  for (const core::Site& site : s.sites) in.names.sites.push_back(site.name);
  for (core::ProjectIx p = 0; p < s.projects.size(); ++p)
    if (s.projects[p].org == ix) rating.projects.push_back(p);
  in.billed = billed_months(s.invoices, ix, as_issued);
  rating.live = running(w, ix);
}

// Rounding of earlier lines may have left a project this much short of what its wallet did pay.
constexpr std::int64_t rounding_minor = 50;

// What waits for the next invoice, and the credit that it can be paid by.
void take_waiting(const core::World& w, core::OrgIx org, RatingCase& rating) {
  const core::State& s = w.state();
  billing::Inputs& in = rating.inputs;
  in.manual = s.orgs[org].next_lines;
  for (const core::BoughtCredit& b : s.orgs[org].bought)
    in.bought.push_back({b.project, b.at, b.minor, b.minor, b.sequence});
  for (const core::ProjectIx p : rating.projects) {
    const bool on_credit = s.projects[p].credit_line_minor > 0;
    in.project_funds.push_back({p, s.projects[p].prepaid_minor + (on_credit ? 0 : rounding_minor)});
  }
}

// The same of an invoice that was issued: it says so itself.
void take_again(const core::Invoice& issued, RatingCase& rating) {
  billing::Inputs& in = rating.inputs;
  std::map<core::ProjectIx, std::int64_t> covered;
  for (const core::InvoiceLine& line : issued.lines) {
    if (line.kind == core::LineKind::manual)
      in.manual.push_back({line.project, line.minor, line.description, issued.sequence});
    if (line.kind == core::LineKind::prepaid)
      in.bought.push_back({line.project, line.from, line.minor, line.minor, issued.sequence});
    covered[line.project] += line.covered_minor;
  }
  for (const auto& [project, minor] : covered) in.project_funds.push_back({project, minor});
  for (const core::ContractPart& part : issued.contract_drawn)
    in.contract_funds.push_back({part.contract, part.minor});
}

}  // namespace

Period month_period(Instant month) { return {month, base::month_plus(month, 1)}; }

base::Result<RatingCase> Invoicing::case_of(core::OrgIx org, Period period,
                                            const core::Invoice* as_issued) {
  RatingCase rating;
  loop_.ask([&](const core::World& w) {
    take_world(w, org, as_issued, rating);
    as_issued ? take_again(*as_issued, rating) : take_waiting(w, org, rating);
    return 0;
  });
  billing::Inputs& in = rating.inputs;
  in.from = period.from;
  in.until = period.until;
  in.issued_at = clock_.now();
  auto reader = store::open_sqlite_reader(store_);
  if (!reader) return std::unexpected(unreadable(reader.error()));
  auto meters = store::open_meter_reader(store_);
  if (!meters) return std::unexpected(unreadable(meters.error()));
  in.meter_sequence = as_issued ? as_issued->meter_sequence : (*meters)->last_sequence();

  // Service months that news have come of since they were billed.
  Instant rate_from = base::month_begin(period.from);
  std::uint64_t seen = 0, meter_seen = 0;
  for (const billing::BilledMonth& b : in.billed) {
    seen = std::max(seen, b.sequence);
    meter_seen = std::max(meter_seen, b.meter_sequence);
  }
  const auto look_back = [&](Instant t) { rate_from = std::min(rate_from, base::month_begin(t)); };
  if (as_issued) {
    rate_from = as_issued->rated_from;
  } else {
    if (const auto first = (*reader)->earliest_since(org, seen)) look_back(*first);
    for (const billing::LeaseUsage& l : rating.live) look_back(l.started_at);
    const auto changes = (*meters)->each_change(
        meter_seen, in.meter_sequence,
        [&](const store::MeterEvent& e, const store::MeterEvent* replaced) {
          if (std::binary_search(rating.projects.begin(), rating.projects.end(), e.project)) {
            look_back(e.from);
            if (replaced) look_back(replaced->from);
          }
          return true;
        });
    if (!changes) return std::unexpected(unreadable(changes.error()));
  }
  in.rate_from = rate_from;
  in.earlier = (*reader)->lines_since(org, rate_from, as_issued ? as_issued->id : base::Id{});
  return rating;
}

base::Result<Draft> Invoicing::rate(RatingCase& rating, const billing::PartSink& sink) {
  StoredUsage usage(store_, rating);
  auto rated = billing::rate_org(rating.inputs, usage, sink);
  if (!rated) return std::unexpected(std::move(rated.error()));
  Draft draft{std::move(rated->invoice), {}};
  core::Invoice& i = draft.invoice;
  i.rated_from = rating.inputs.rate_from;
  i.sequence = rating.inputs.sequence;
  i.meter_sequence = rating.inputs.meter_sequence;
  for (const billing::ContractFund& f : rated->contract_drawn)
    i.contract_drawn.push_back({f.contract, f.left_minor});
  std::map<std::pair<core::ProjectIx, core::SkuIx>, core::Ticks> beyond;
  for (const core::InvoiceLine& l : i.lines)
    if (l.kind == core::LineKind::usage && l.project != core::nobody)
      beyond[{l.project, l.sku}] += l.paid_ticks - l.ticks;
  for (const auto& [whose, ticks] : beyond)
    if (ticks != 0) draft.refunds.push_back({whose.first, whose.second, ticks});
  return draft;
}

base::Result<Draft> Invoicing::draft(core::OrgIx org, Period period,
                                     const billing::PartSink& sink) {
  auto rating = case_of(org, period, nullptr);
  if (!rating) return std::unexpected(std::move(rating.error()));
  return rate(*rating, sink);
}

base::Result<core::Invoice> Invoicing::again(const core::Invoice& issued,
                                             const billing::PartSink& sink) {
  auto rating = case_of(issued.org, {issued.from, issued.until}, &issued);
  if (!rating) return std::unexpected(std::move(rating.error()));
  rating->inputs.issued_at = issued.issued_at;
  auto rated = rate(*rating, sink);
  if (!rated) return std::unexpected(std::move(rated.error()));
  return std::move(rated->invoice);
}

base::Result<void> Invoicing::taken_back(const core::Invoice& issued,
                                         const billing::PartSink& sink) {
  const auto rated = again(issued, [&](const billing::RatedPart& part) {
    billing::RatedPart p = part;
    p.quantity = -p.quantity;
    p.ticks = -p.ticks;
    p.minor = -p.minor;
    p.covered_minor = -p.covered_minor;
    p.effective_ticks = -p.effective_ticks;
    p.correction = true;
    sink(p);
  });
  if (!rated) return std::unexpected(rated.error());
  return {};
}

}  // namespace ampacity::server
