#include "server/invoicing.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "api/views.h"
#include "base/currency.h"
#include "core/billing.h"
#include "core/price_book.h"
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
      if (step.until_s == from_s) continue;  // of no time
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
  in.profile = as_issued ? as_issued->buyer : org.billing;
  in.sequence = as_issued ? as_issued->sequence : s.sequence;
  for (const core::PriceBook& b : s.books)
    if (b.sequence <= in.sequence && (b.org == core::nobody || b.org == ix))
      rating.books.push_back(b);
  in.books = rating.books;
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
    in.bought.push_back({b.project, b.at, b.minor, b.minor, b.sequence, b.contract});
  for (const core::ProjectIx p : rating.projects) {
    const bool on_credit = s.projects[p].credit_line_minor > 0;
    in.project_funds.push_back({p, s.projects[p].prepaid_minor, on_credit ? 0 : rounding_minor,
                                core::available(s.accounts[s.projects[p].wallet])});
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
      in.bought.push_back(
          {line.project, line.from, line.minor, line.minor, issued.sequence, line.contract});
    covered[line.project] += line.covered_minor - line.contract_minor;
  }
  for (const auto& [project, minor] : covered) in.project_funds.push_back({project, minor});
  for (const core::ContractPart& part : issued.contract_drawn)
    in.contract_funds.push_back({part.contract, part.minor});
}

// Lost uptime of the org's contracts, as each month's view of it was: those of earlier invoices,
// and now.
base::Try<void> take_downtime(store::MeterReader& meters, RatingCase& rating) {
  billing::Inputs& in = rating.inputs;
  if (in.contracts.empty()) return {};
  std::set<std::uint64_t> views{in.meter_sequence};
  for (const billing::BilledMonth& b : in.billed)
    if (b.month >= in.rate_from) views.insert(b.meter_sequence);
  std::map<std::uint64_t, billing::Downtime> all;  // by sequence
  std::set<std::uint64_t> counted;
  for (const std::uint64_t view : views) {
    std::set<std::uint64_t> counts;
    for (const core::ProjectIx project : rating.projects) {
      store::MeterQuery query;
      query.project = project;
      query.meter = core::downtime_meter;
      query.from = in.rate_from;
      query.to = in.until;
      query.as_of = view;
      const auto seen = meters.each(query, [&](const store::MeterEvent& e) {
        for (const core::Contract& c : in.contracts)
          if (c.name == e.resource) {
            counts.insert(e.sequence);
            all[e.sequence] = {c.id, e.from, e.quantity_micro / store::micro_units, e.sequence, 0};
          }
        return true;
      });
      if (!seen) return seen;
    }
    for (const std::uint64_t sequence : counted)
      if (!counts.contains(sequence)) all[sequence].replaced_sequence = view;
    counted = std::move(counts);
  }
  for (auto& [sequence, downtime] : all) in.downtime.push_back(downtime);
  return {};
}

// Months of a contract that no invoice has billed, though it runs: it may owe for them by itself.
std::optional<Instant> unbilled_since(const core::Contract& c, const billing::Inputs& in) {
  if (c.commitment == core::CommitmentKind::none) return std::nullopt;
  const Instant end = std::min(billing::lifetime(c).until, in.until);
  for (Instant m = base::month_begin(c.from); m < end; m = base::month_plus(m, 1))
    if (std::ranges::find(in.billed, m, &billing::BilledMonth::month) == in.billed.end()) return m;
  return std::nullopt;
}

// Terms that end in the months rated count what was used since they began.
Instant earliest_term(const billing::Inputs& in) {
  Instant first = in.rate_from;
  for (const core::Contract& c : in.contracts)
    for (Instant m = in.rate_from; !c.take_or_pay && m < in.until; m = base::month_plus(m, 1))
      if (const auto term = billing::term_ending_in(c, m))
        first = std::min(first, base::month_begin(term->from));
  return first;
}

// What these lines used up of the contract's commitment in `span`.
std::int64_t used_up(const core::Contract& contract, billing::Span span,
                     const std::vector<core::InvoiceLine>& lines) {
  const bool spend = contract.commitment == core::CommitmentKind::spend;
  const base::Ticks price = contract.take_or_pay ? 0 : contract.price;
  std::int64_t used = 0;
  for (const core::InvoiceLine& l : lines) {
    if (l.contract != contract.id || !span.holds(std::max(l.month, span.from))) continue;
    if (l.project == core::nobody) continue;  // bought, or not used
    if (spend && (l.kind == core::LineKind::usage || l.kind == core::LineKind::metered))
      used += l.ticks;
    else if (!spend && l.kind == core::LineKind::usage && l.meter == core::gpu_meter &&
             l.price_version == 0 && l.price == price)
      used += l.quantity;
  }
  return used;
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
  auto reader = store::open_reader(store_);
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
    const auto news = (*reader)->earliest_since(org, seen);
    if (!news) return std::unexpected(unreadable(news.error()));
    if (*news) look_back(**news);
    for (const billing::LeaseUsage& l : rating.live) look_back(l.started_at);
    for (const core::Contract& c : in.contracts)
      if (const auto first = unbilled_since(c, in)) look_back(*first);
    const auto change = (*meters)->earliest_change(rating.projects, meter_seen, in.meter_sequence);
    if (!change) return std::unexpected(unreadable(change.error()));
    if (*change) look_back(**change);
  }
  in.rate_from = rate_from;
  if (const auto taken = take_downtime(**meters, rating); !taken)
    return std::unexpected(unreadable(taken.error()));
  auto earlier =
      (*reader)->lines_since(org, earliest_term(in), as_issued ? as_issued->id : base::Id{});
  if (!earlier) return std::unexpected(unreadable(earlier.error()));
  in.earlier = std::move(*earlier);
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

base::Result<std::optional<core::Invoice>> Invoicing::issue(core::OrgIx org, Period period,
                                                            base::Id id, const std::string& actor) {
  auto drafted = draft(org, period, {});
  if (!drafted) return std::unexpected(std::move(drafted.error()));
  if (drafted->invoice.lines.empty()) return std::nullopt;
  core::Invoice& invoice = drafted->invoice;
  invoice.id = id;
  auto issued = loop_.run(core::IssueInvoice{invoice, std::move(drafted->refunds)}, actor);
  if (!issued) return std::unexpected(std::move(issued.error()));
  auto head = loop_.ask([&](const core::World& w) {
    const auto& all = w.state().invoices;  // the newest last
    return *std::find_if(all.rbegin(), all.rend(), [&](const auto& i) { return i.id == id; });
  });
  head.lines = std::move(invoice.lines);
  return head;
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

std::map<base::Id, ContractUse> Invoicing::use_of(std::span<const core::Contract> contracts,
                                                  Instant now) {
  std::map<core::OrgIx, std::vector<const core::Contract*>> by_org;
  for (const core::Contract& c : contracts)
    if (core::contract_runs(c, now) &&
        (c.commitment != core::CommitmentKind::none || c.prepaid_minor > 0))
      by_org[c.org].push_back(&c);
  std::map<base::Id, ContractUse> uses;
  for (const auto& [org, own] : by_org) {
    auto rating = case_of(org, {base::month_begin(now), now}, nullptr);
    if (!rating) continue;
    const auto draft = rate(*rating, {});
    if (!draft) continue;
    for (const core::Contract* c : own) {
      ContractUse& use = uses[c->id];
      use.prepaid_left_minor = c->prepaid_minor - c->drawn_minor;
      for (const core::ContractPart& part : draft->invoice.contract_drawn)
        if (part.contract == c->id) use.prepaid_left_minor -= part.minor;
      const billing::Span span = billing::burn_down_period(*c, now);
      use.used =
          used_up(*c, span, rating->inputs.earlier) + used_up(*c, span, draft->invoice.lines);
    }
  }
  return uses;
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
