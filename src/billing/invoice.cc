#include "billing/invoice.h"

#include <algorithm>

namespace ampacity::billing {

using base::Wide;
using core::InvoiceLine;
using core::LineKind;

std::string description_of(const Setting& setting, const LineKey& key);  // describe.cc

bool is_amount(const LineKey& key) {
  switch (key.kind) {
    case LineKind::minimum:
    case LineKind::prepaid:
    case LineKind::sla_credit:
    case LineKind::manual:
      return true;
    case LineKind::shortfall:
      return key.meter == meter_none;
    default:
      return false;
  }
}

bool fold_earlier(Setting& setting, BilledLines& billed) {
  const Instant first = setting.months.empty() ? Instant{INT64_MAX} : setting.months.front().from;
  for (const InvoiceLine& l : setting.in.earlier) {
    if (l.kind == LineKind::manual || l.kind == LineKind::prepaid) continue;
    LineKey key{l.month, l.kind,      l.project,       l.sku,   setting.meters.of(l.meter),
                l.site,  l.job_class, l.price_version, l.price, l.contract};
    if (is_amount(key)) key.price = 0;
    if (l.month < first) {
      if (l.contract.is_nil()) continue;
      LineState& state = setting.earlier_terms[key];
      if (__builtin_add_overflow(state.quantity, l.quantity, &state.quantity) ||
          __builtin_add_overflow(state.ticks, l.ticks, &state.ticks))
        return false;
      continue;
    }
    Billed& b = billed[key];
    b.quantity += l.quantity;
    if (__builtin_add_overflow(b.ticks, l.ticks, &b.ticks)) return false;
    b.minor += l.minor;
    b.paid += l.paid_ticks;
    b.covered_minor += l.covered_minor;
    // What is of no project, nothing else ever covered.
    b.contract_minor += l.project == core::nobody ? l.covered_minor : l.contract_minor;
  }
  return true;
}

KeyedLines lines_of(const Setting& setting, const std::map<LineKey, LineState>& now,
                    const BilledLines& billed) {
  KeyedLines all;
  const auto add = [&](const LineKey& key, const LineState* state, const Billed& before) {
    InvoiceLine l;
    const Ticks ticks = state ? state->ticks : 0;
    l.quantity = (state ? state->quantity : 0) - before.quantity;
    l.ticks = ticks - before.ticks;
    l.paid_ticks = (state ? state->paid : 0) - before.paid;
    l.minor = base::divide_half_up(ticks, setting.ticks_per_minor) - before.minor;
    const Span month = month_of(key.month);
    l.correction = month.until <= setting.in.from;
    if (is_amount(key)) l.quantity = l.ticks < 0 ? -1 : 1;
    if (l.ticks == 0 && l.minor == 0 && (l.quantity == 0 || is_amount(key))) return;
    l.kind = key.kind;
    l.project = key.project;
    l.meter = setting.meters.name(key.meter);
    l.description = description_of(setting, key);
    l.sku = key.sku;
    l.site = key.site;
    l.job_class = key.job_class;
    l.price_version = key.version;
    l.contract = key.contract;
    l.month = key.month;
    l.from = state && !l.correction ? state->from : month.from;
    // What an interim invoice left of a month; a shortfall is of its whole term.
    if (!l.correction && state && setting.in.from < state->until && key.kind != LineKind::shortfall)
      l.from = std::max(l.from, setting.in.from);
    l.until = state && !l.correction ? state->until : month.until;
    l.per = is_amount(key) || !state ? 1 : state->per;
    if (!state && !is_amount(key))
      l.per = key.meter == meter_memory || key.meter == meter_cpu_memory ? 1024
              : key.kind == LineKind::metered                            ? 1'000'000
                                                                         : 1000;
    l.unit = is_amount(key) ? "" : unit_of(setting, key.meter);
    l.price = is_amount(key) ? (l.ticks < 0 ? -l.ticks : l.ticks) : key.price;
    all.keys.push_back(key);
    all.lines.push_back(std::move(l));
  };
  // Both maps are in the order of keys: merge them.
  auto n = now.begin();
  auto b = billed.begin();
  while (n != now.end() || b != billed.end()) {
    if (b == billed.end() || (n != now.end() && n->first < b->first)) {
      add(n->first, &n->second, {});
      ++n;
    } else if (n == now.end() || b->first < n->first) {
      add(b->first, nullptr, b->second);
      ++b;
    } else {
      add(n->first, &n->second, b->second);
      ++n;
      ++b;
    }
  }
  return all;
}

namespace {

// Gives the open amounts of `lines` all that `left` pays, in their order. What they give back goes
// into the fund again, at most `returnable`. The change of what is covered, altogether.
std::int64_t draw(std::vector<InvoiceLine*>& lines, std::int64_t left, std::int64_t returnable) {
  Wide open = 0;
  for (const InvoiceLine* l : lines) open += l->minor - l->covered_minor;
  const auto drawn = static_cast<std::int64_t>(std::clamp<Wide>(
      open, -std::max<std::int64_t>(0, returnable), std::max<std::int64_t>(0, left)));
  // Lines of its sign alone add up to at least as much: no other is touched.
  std::int64_t rest = drawn;
  for (InvoiceLine* l : lines) {
    const std::int64_t unpaid = l->minor - l->covered_minor;
    const std::int64_t part = drawn > 0 ? std::clamp<std::int64_t>(unpaid, 0, rest)
                                        : std::clamp<std::int64_t>(unpaid, rest, 0);
    l->covered_minor += part;
    rest -= part;
  }
  return drawn;
}

}  // namespace

void cover_lines(const Setting& setting, const BilledLines& billed, KeyedLines& all, Rated& rated) {
  for (const ContractFund& fund : setting.in.contract_funds) {
    std::vector<InvoiceLine*> lines;
    for (InvoiceLine& l : all.lines)  // by month
      if (l.contract == fund.contract) lines.push_back(&l);
    std::int64_t before = 0;
    for (const auto& [key, b] : billed)
      if (key.contract == fund.contract) before += b.contract_minor;
    rated.contract_drawn.push_back({fund.contract, draw(lines, fund.left_minor, before)});
    for (InvoiceLine* l : lines) l->contract_minor = l->covered_minor;
  }
  const auto coverable = [](LineKind kind) {
    return kind == LineKind::usage || kind == LineKind::metered;
  };
  for (const ProjectFund& fund : setting.in.project_funds) {
    std::vector<InvoiceLine*> lines;
    std::int64_t usage = 0;      // that nothing covers yet
    Wide payable = fund.wallet;  // with what leases have paid
    for (InvoiceLine& l : all.lines) {
      if (l.project != fund.project || !coverable(l.kind)) continue;
      lines.push_back(&l);
      if (l.kind != LineKind::usage) continue;
      usage += std::max<std::int64_t>(0, l.minor - l.covered_minor);
      payable += l.paid_ticks;
    }
    const std::int64_t more =
        std::clamp<std::int64_t>(usage - fund.left_minor, 0, fund.rounding_minor);
    const auto most = static_cast<std::int64_t>(std::min<Wide>(
        fund.left_minor + more,
        std::max<Wide>(usage, payable <= 0 ? 0 : payable / setting.ticks_per_minor)));
    std::int64_t before = 0;
    for (const auto& [key, b] : billed)
      if (key.project == fund.project && coverable(key.kind))
        before += b.covered_minor - b.contract_minor;
    rated.project_drawn.push_back({fund.project, draw(lines, most, before)});
  }
}

base::Result<void> total(const core::BillingProfile& profile, std::int64_t paid_minor,
                         core::Invoice& invoice) {
  Wide lines = 0, covered = 0;
  for (const InvoiceLine& l : invoice.lines) {
    lines += l.minor;
    covered += l.covered_minor;
  }
  const Wide net = lines - covered;
  constexpr Wide most = INT64_MAX / 4;  // and tax on it
  const Wide largest = std::max(lines < 0 ? -lines : lines, net < 0 ? -net : net);
  if (largest > most || profile.tax_bp < 0 || profile.tax_bp > 10'000)
    return base::refuse(base::Code::invalid,
                        "the invoice's total is more than 64 bits of minor units hold");
  invoice.lines_minor = static_cast<std::int64_t>(lines);
  invoice.covered_minor = static_cast<std::int64_t>(covered);
  invoice.net_minor = static_cast<std::int64_t>(net);
  core::TaxLine tax{profile.tax_category, profile.tax_bp, invoice.net_minor, 0};
  tax.tax_minor = base::divide_half_up(net * profile.tax_bp, 10'000);
  invoice.taxes = {tax};
  invoice.tax_minor = tax.tax_minor;
  invoice.total_minor = invoice.net_minor + invoice.tax_minor;
  invoice.prepaid_minor = paid_minor;
  invoice.payable_minor = invoice.total_minor - paid_minor;
  return {};
}

core::Invoice credit_note(const core::Invoice& issued, std::uint64_t sequence, Instant issued_at,
                          std::string note) {
  core::Invoice c = issued;
  c.id = {};
  c.number.clear();
  c.kind = core::InvoiceKind::credit_note;
  c.sequence = sequence;
  c.issued_at = issued_at;
  c.due_at = issued_at;
  for (InvoiceLine& l : c.lines) {
    l.quantity = -l.quantity;
    l.ticks = -l.ticks;
    l.minor = -l.minor;
    l.covered_minor = -l.covered_minor;
    l.contract_minor = -l.contract_minor;
    l.paid_ticks = l.kind == LineKind::usage ? l.ticks : 0;  // what was given back stays so
  }
  for (core::TaxLine& t : c.taxes) {
    t.base_minor = -t.base_minor;
    t.tax_minor = -t.tax_minor;
  }
  for (std::int64_t* amount : {&c.lines_minor, &c.covered_minor, &c.net_minor, &c.tax_minor,
                               &c.total_minor, &c.prepaid_minor, &c.payable_minor})
    *amount = -*amount;
  for (core::ContractPart& part : c.contract_drawn) part.minor = -part.minor;
  c.on_credit.clear();
  c.corrects = issued.id;
  c.note = std::move(note);
  c.state = core::InvoiceState::issued;
  c.paid_minor = 0;
  return c;
}

}  // namespace ampacity::billing
