// A month that has every kind of charge in it, for tests of the exports and for trying a consumer:
// reference/focus.md §4's worked month of one reserved node, and all the rest around it. Amounts
// are made here by themselves, not by the rating. Threads: plain data.
#pragma once

#include <fmt/format.h>

#include "documents/focus_writer.h"
#include "documents/journal_hledger.h"

namespace ampacity::documents::sample {

using billing::Commitment;
using billing::RatedPart;
using core::InvoiceLine;
using core::LineKind;

inline base::Instant at(const char* text) { return *base::parse_instant(text); }
inline base::Id id(std::uint64_t n) {
  return {0x0199'0000'0000'7000ULL, 0x8000'0000'0000'0000ULL + n};
}

struct Bill {
  core::Invoice invoice;
  std::vector<RatedPart> parts;

  Bill(std::uint32_t org, const char* number, const char* currency = "USD") {
    invoice.id = id(9000 + org);
    invoice.number = number;
    invoice.org = org;
    invoice.currency = currency;
    invoice.from = at("2026-06-01T00:00:00Z");
    invoice.until = at("2026-07-01T00:00:00Z");
  }

  // Parts of one line share what `like` says; each then adds its own.
  void line(RatedPart like, const char* description, const std::vector<RatedPart>& own) {
    const base::Currency& c = *base::find_currency(invoice.currency);
    InvoiceLine l;
    l.kind = like.kind;
    l.project = like.project;
    l.meter = like.meter;
    l.description = description;
    l.sku = like.sku;
    l.site = like.site;
    l.job_class = like.job_class;
    l.price_version = like.price_version;
    l.contract = like.contract;
    l.unit = like.unit;
    l.per = like.per;
    l.price = like.contracted_price;
    l.correction = like.correction;
    l.from = own.front().from;
    for (const RatedPart& o : own) {
      RatedPart p = like;
      p.line = invoice.lines.size();
      p.from = o.from;
      p.until = o.until;
      p.month = base::month_begin(p.from);
      p.job = o.job;
      p.generation = o.generation;
      p.event = o.event;
      p.quantity = o.quantity;
      p.ticks = o.ticks;
      p.effective_ticks = o.effective_ticks;
      if (o.contracted_price != 0) p.contracted_price = o.contracted_price;
      if (o.commitment != Commitment::none) p.commitment = o.commitment;
      p.minor = base::divide_half_up(l.ticks + p.ticks, base::ticks_per_minor(c)) - l.minor;
      p.covered_minor = o.covered_minor;
      l.from = std::min(l.from, p.from);
      l.until = std::max(l.until, p.until);
      l.quantity += p.quantity;
      l.ticks += p.ticks;
      l.minor += p.minor;
      l.covered_minor += p.covered_minor;
      parts.push_back(p);
    }
    l.month = base::month_begin(l.from);
    invoice.lines.push_back(l);
  }

  void total(std::int64_t tax_bp) {
    for (const InvoiceLine& l : invoice.lines) {
      invoice.lines_minor += l.minor;
      invoice.covered_minor += l.covered_minor;
    }
    invoice.net_minor = invoice.lines_minor - invoice.covered_minor;
    core::TaxLine t{tax_bp ? "S" : "O", tax_bp, invoice.net_minor, 0};
    t.tax_minor = base::divide_half_up(static_cast<Wide>(t.base_minor) * tax_bp, 10'000);
    invoice.taxes = {t};
    invoice.tax_minor = t.tax_minor;
    invoice.total_minor = invoice.payable_minor = invoice.net_minor + t.tax_minor;
  }
};

inline FocusNames names() {
  FocusNames n;
  n.provider = "Ampacity";
  n.price_book = "public";
  n.orgs = {{base::format_id("org", id(1)), "Acme, Films"},
            {base::format_id("org", id(2)), "北光研究所"}};
  n.projects = {{base::format_id("prj", id(11)), "render", 0},
                {base::format_id("prj", id(12)), "train \"v2\"", 0},
                {base::format_id("prj", id(13)), "chat", 1}};
  n.users = {"ann", "bo \"the\" builder", "chie"};
  n.skus = {
      {"h100", "NVIDIA H100 SXM5", false}, {"a40", "NVIDIA A40", true}, {"cpu", "CPU", false}};
  n.sites = {{"las1", "us-west-04", "Las Vegas"}, {"ord1", "us-central-02", "Chicago"}};
  core::Contract hours;
  hours.id = id(21);
  hours.name = "One node for a year";
  hours.from = at("2026-01-01T00:00:00Z");
  hours.months = 12;
  hours.commitment = core::CommitmentKind::gpu_hours;
  hours.sku = "h100";
  hours.price = 42'000;
  hours.reservations = {id(31)};
  core::Contract spend;
  spend.id = id(22);
  spend.name = "Spend 2026";
  spend.from = at("2026-01-01T00:00:00Z");
  spend.months = 12;
  spend.commitment = core::CommitmentKind::spend;
  spend.ramp = {{0, 600 * base::ticks_per_unit}, {4, 1200 * base::ticks_per_unit}};
  n.contracts = {hours, spend};
  n.job_name = [](const base::Id& job) -> std::string_view {
    return job.low % 2 == 0 ? "" : "shot, 42";
  };
  return n;
}

inline RatedPart like(LineKind kind, core::ProjectIx project, const char* meter, const char* unit,
                      std::int64_t per, base::Ticks list, base::Ticks contracted) {
  RatedPart p;
  p.kind = kind;
  p.project = project;
  p.meter = meter;
  p.unit = unit;
  p.per = per;
  p.list_price = list;
  p.contracted_price = contracted;
  return p;
}

inline RatedPart of(RatedPart p, core::SkuIx sku, core::SiteIx site, core::JobClass job_class,
                    core::UserIx user) {
  p.sku = sku;
  p.site = site;
  p.job_class = job_class;
  p.user = user;
  p.price_version = 7;
  return p;
}

// `units` smallest units between two instants at `ticks` altogether.
inline RatedPart own(const char* from, const char* until, std::int64_t quantity, base::Ticks ticks,
                     std::uint64_t job = 0, base::Ticks price = 0) {
  RatedPart p;
  p.from = at(from);
  p.until = at(until);
  p.quantity = quantity;
  p.ticks = p.effective_ticks = ticks;
  p.contracted_price = price;
  if (job) {
    p.job = id(100 + job);
    p.generation = static_cast<std::uint32_t>(1 + job % 3);
  }
  return p;
}

inline constexpr std::int64_t milli = 1000;

inline void usage_lines(Bill& b) {
  using enum core::JobClass;
  const auto gpu = [&](core::ProjectIx project, base::Ticks list, base::Ticks contracted) {
    return like(LineKind::usage, project, "gpu", "GPU-Hours", milli, list, contracted);
  };
  b.line(of(gpu(0, 47'800, 47'800), 0, 0, on_demand, 0), "NVIDIA H100 SXM5, on demand, las1",
         {own("2026-06-02T08:00:00.25Z", "2026-06-02T08:16:40Z", 8'000 * milli, 382'400'000, 1),
          own("2026-06-03T10:00:00Z", "2026-06-03T10:01:40.5Z", 101 * milli, 4'827'800, 2),
          own("2026-06-30T23:59:59.5Z", "2026-07-01T00:00:00Z", milli, 47'800, 3)});
  b.line(of(gpu(0, 47'800, 40'630), 0, 1, on_demand, 1), "NVIDIA H100 SXM5, on demand, ord1",
         {own("2026-06-04T00:00:00Z", "2026-06-04T02:00:07Z", 7'207 * milli, 7'207 * 40'630, 4),
          own("2026-06-05T00:00:00Z", "2026-06-05T00:00:13Z", 6'500, 264'095, 5)});
  b.line(of(like(LineKind::usage, 0, "vcpu", "vCPU-Hours", milli, 100, 100), 0, 0, on_demand, 0),
         "vCPU beside NVIDIA H100 SXM5",
         {own("2026-06-02T08:00:00Z", "2026-06-02T08:16:40Z", 16'000 * milli, 1'600'000, 1)});
  b.line(of(like(LineKind::usage, 0, "memory", "GiB-Hours", 1024, 50, 50), 0, 0, on_demand, 0),
         "Memory beside NVIDIA H100 SXM5",
         {own("2026-06-02T08:00:00Z", "2026-06-02T08:16:40Z", 1'000 * 1'536, 75'000, 1)});
  b.line(
      of(gpu(1, 12'800, 0), 1, 1, spot, 1), "NVIDIA A40, spot, ord1",
      {own("2026-06-08T12:00:00Z", "2026-06-08T13:00:00Z", 3'600 * milli, 3'600 * 5'120, 6, 5'120),
       own("2026-06-08T13:00:00Z", "2026-06-08T14:00:00Z", 3'600 * milli, 3'600 * 6'400, 6, 6'400),
       own("2026-06-08T14:00:00Z", "2026-06-08T14:07:01Z", 421 * milli, 421 * 4'480, 6, 4'480)});
  RatedPart drawn =
      own("2026-06-09T00:00:00Z", "2026-06-09T05:00:00Z", 18'000 * milli, 18'000LL * 20'600, 7);
  drawn.covered_minor = 1030;
  RatedPart partly =
      own("2026-06-09T06:00:00Z", "2026-06-09T07:00:00Z", 3'600 * milli, 3'600 * 20'600, 8);
  partly.covered_minor = 100;
  b.line(of(gpu(1, 20'600, 20'600), 1, 0, on_demand, 1), "NVIDIA A40, on demand, las1",
         {drawn, partly});
}

inline void commitment_lines(Bill& b) {
  constexpr std::int64_t hour = 3'600 * milli;
  RatedPart bought =
      like(LineKind::commitment, core::nobody, "gpu", "GPU-Hours", milli, 61'550, 42'000);
  bought.sku = 0;
  bought.job_class = core::JobClass::reserved;
  bought.contract = id(21);
  b.line(bought, "NVIDIA H100 SXM5, committed by \"One node for a year\"",
         {own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", 5'760 * hour,
              5'760LL * 3'600 * 42'000)});
  RatedPart covered = of(like(LineKind::usage, 1, "gpu", "GPU-Hours", milli, 61'550, 42'000), 0, 0,
                         core::JobClass::reserved, 1);
  covered.contract = id(21);
  const auto used = [&](const char* from, const char* until, std::int64_t hours,
                        std::uint64_t job) {
    RatedPart p = own(from, until, hours * hour, 0, job);
    p.effective_ticks = hours * 3'600 * 42'000;
    p.commitment = Commitment::used;
    return p;
  };
  b.line(covered, "NVIDIA H100 SXM5, covered by \"One node for a year\"",
         {used("2026-06-01T00:00:00Z", "2026-06-21T20:00:00Z", 4'000, 9),
          used("2026-06-22T00:00:00Z", "2026-06-26T04:00:00Z", 800, 10)});
  RatedPart idle = bought;
  idle.kind = LineKind::usage;
  RatedPart rest = own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", 960 * hour, 0);
  rest.effective_ticks = 960LL * 3'600 * 42'000;
  rest.commitment = Commitment::unused;
  b.line(idle, "NVIDIA H100 SXM5, not used of \"One node for a year\"", {rest});
  RatedPart short_of = like(LineKind::shortfall, core::nobody, "", "", 1, 0, 0);
  short_of.contract = id(22);
  b.line(short_of, "Shortfall of \"Spend 2026\"",
         {own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", 1, 972 * base::ticks_per_unit)});
}

inline void other_lines(Bill& b) {
  constexpr base::Ticks unit = base::ticks_per_unit;
  RatedPart tokens =
      like(LineKind::metered, 1, "llama_tokens", "Tokens", 1'000'000'000, 72'000, 72'000);
  tokens.price_version = 7;
  RatedPart first =
      own("2026-06-10T10:00:00Z", "2026-06-10T10:05:00Z", 1'234'567'000'000, 88'888'824);
  first.event = "gateway-1/evt-000001";
  RatedPart tier = own("2026-06-11T10:00:00Z", "2026-06-11T10:05:00Z", 900'000'000'000, 50'000'000);
  tier.event = "gateway-1/evt-000002";  // dearer and cheaper tiers: a price on average
  b.line(tokens, "Tokens of llama", {first, tier});
  RatedPart stored =
      like(LineKind::metered, 0, "file_storage", "GB-Months", 1'000'000, 2'520'000, 2'520'000);
  stored.site = 0;
  b.line(stored, "File storage",
         {own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", 1'500'250'000, 3'780'630'000)});
  RatedPart address =
      like(LineKind::metered, 0, "public_ipv4", "IP-Months", 1'000'000, 144'000'000, 144'000'000);
  b.line(address, "Public addresses",
         {own("2026-06-12T00:00:00Z", "2026-07-01T00:00:00Z", 633'333, 91'199'952)});
  RatedPart least = like(LineKind::minimum, 1, "llama_tokens", "", 1, 0, 0);
  b.line(least, "Monthly minimum, llama",
         {own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", 1, 90 * unit)});
  b.line(like(LineKind::prepaid, 1, "", "", 1, 0, 0), "Credit bought",
         {own("2026-06-08T09:00:00Z", "2026-06-08T09:00:01Z", 1, 500 * unit)});
  RatedPart sla = like(LineKind::sla_credit, core::nobody, "gpu", "", 1, 0, 0);
  sla.contract = id(21);
  b.line(sla, "Credit for lost uptime, \"One node for a year\"",
         {own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", -1, -24'192 * unit / 60)});
  b.line(like(LineKind::manual, 0, "", "", 1, 0, 0), "Set-up fee",
         {own("2026-06-15T00:00:00Z", "2026-06-16T00:00:00Z", 1, 150 * unit)});
  b.line(like(LineKind::manual, 0, "", "", 1, 0, 0), "Goodwill",
         {own("2026-06-15T00:00:00Z", "2026-06-16T00:00:00Z", -1, -25 * unit)});
}

inline void correction_lines(Bill& b) {
  RatedPart late = of(like(LineKind::usage, 0, "gpu", "GPU-Hours", milli, 47'800, 47'800), 0, 0,
                      core::JobClass::on_demand, 0);
  late.correction = true;
  b.line(
      late, "NVIDIA H100 SXM5, on demand, las1",
      {own("2026-05-30T00:00:00Z", "2026-05-30T03:00:00Z", 10'800 * milli, 10'800LL * 47'800, 11),
       own("2026-05-31T00:00:00Z", "2026-05-31T01:00:00Z", -3'600 * milli, -3'600LL * 47'800, 12)});
}

inline std::vector<Bill> bills() {
  Bill acme(0, "2026-000001");
  usage_lines(acme);
  commitment_lines(acme);
  other_lines(acme);
  correction_lines(acme);
  acme.total(1'900);
  Bill lab(1, "2026-000002", "JPY");
  lab.line(
      of(like(LineKind::usage, 2, "gpu", "GPU-Hours", milli, 7'170'000, 7'170'000), 0, 1,
         core::JobClass::on_demand, 2),
      "NVIDIA H100 SXM5, on demand, ord1",
      {own("2026-06-20T00:00:00Z", "2026-06-20T00:20:00Z", 1'200 * milli, 1'200LL * 7'170'000, 13),
       own("2026-06-21T00:00:00Z", "2026-06-21T00:20:01Z", 1'201 * milli, 1'201LL * 7'170'000,
           14)});
  lab.total(1'000);
  return {std::move(acme), std::move(lab)};
}

}  // namespace ampacity::documents::sample
