#include <fmt/core.h>

#include "documents/invoice_samples.h"

namespace ampacity::documents {
namespace {

core::InvoiceLine plain_line(core::LineKind kind, std::int64_t minor, std::string description,
                             const base::Currency& currency) {
  core::InvoiceLine l;
  l.kind = kind;
  l.description = std::move(description);
  l.month = l.from = at("2026-11-01T00:00:00Z");
  l.until = at("2026-12-01T00:00:00Z");
  l.minor = minor;
  l.ticks = minor * base::ticks_per_minor(currency);
  return l;
}

core::InvoiceLine token_line(std::int64_t tokens, const base::Currency& currency) {
  core::InvoiceLine l = plain_line(core::LineKind::metered, 0, "", currency);
  l.project = 1;
  l.meter = "Output tokens";
  l.unit = "1M tokens";
  l.quantity = tokens;  // millionths of a million
  l.per = 1'000'000;
  l.price = 21'600'000;  // 0.60
  l.ticks = base::divide_half_up(static_cast<base::Wide>(l.quantity) * l.price, l.per);
  l.minor = base::divide_half_up(l.ticks, base::ticks_per_minor(currency));
  return l;
}

core::InvoiceLine correction_line(std::int64_t seconds, const base::Currency& currency) {
  core::InvoiceLine l = gpu_line(0, 0, seconds, 47'800, currency);
  l.correction = true;
  l.month = at("2026-10-01T00:00:00Z");
  l.from = at("2026-10-03T04:00:00Z");
  l.until = at("2026-10-05T16:00:00Z");
  return l;
}

}  // namespace

Sample showcase() {
  Sample s = empty_sample();
  const base::Currency& usd = *base::find_currency("USD");
  auto& lines = s.invoice.lines;
  lines.push_back(gpu_line(0, 0, 3600LL * 744 * 8, 47'800, usd));
  lines.push_back(gpu_line(0, 1, 3600LL * 211 + 1234, 22'100, usd));
  lines.back().job_class = core::JobClass::spot;
  lines.push_back(correction_line(-12'345, usd));
  lines.push_back(token_line(1'234'567'890, usd));
  lines.push_back(gpu_line(1, 2, 7'201, 47'800, usd));
  lines.push_back(gpu_line(2, 1, 86'400, 22'100, usd));
  lines.push_back(gpu_line(3, 0, 86'399, 47'800, usd));
  lines.push_back(plain_line(core::LineKind::commitment, 1'000'000,
                             "Commitment Northlight 2026, month 3 of 12", usd));
  lines.push_back(plain_line(core::LineKind::sla_credit, -356'170,
                             "SLA credit 10 %: uptime 99.52 % in fra2", usd));
  lines.push_back(plain_line(core::LineKind::manual, 25'000, "On-site support, 5 hours", usd));
  lines[3].covered_minor = 50'000;
  add_up(s);
  s.invoice.prepaid_minor = 100'000;
  add_up(s);
  return s;
}

Sample random_sample(base::Prng& prng, std::string_view currency, std::string_view category) {
  const base::Currency& c = *base::find_currency(currency);
  Sample s = empty_sample(std::string(currency));
  s.profile.tax_category = category;
  s.profile.tax_bp = category == "S" ? 1 + static_cast<std::int64_t>(prng.next() % 2700) : 0;
  if (prng.next() % 2 == 0) s.profile.tax_note = "As agreed <& signed>";
  const std::size_t n = 1 + prng.next() % 12;
  for (std::size_t k = 0; k < n; ++k) {
    const auto r = static_cast<std::int64_t>(prng.next() % 5'000'000);
    const auto project = static_cast<std::uint32_t>(prng.next() % 4);
    const auto sku = static_cast<std::uint32_t>(prng.next() % 3);
    const auto price = static_cast<base::Ticks>(1 + prng.next() % 90'000);
    core::InvoiceLine l;
    switch (prng.next() % 8) {
      case 0:
        l = token_line(r * 1'000, c);
        break;
      case 1:
        l = correction_line(r - 2'500'000, c);
        break;
      case 2:
        l = plain_line(core::LineKind::sla_credit, -r / 50, "SLA credit", c);
        break;
      case 3:
        l = plain_line(core::LineKind::manual, r, "Manual \"quoted\", and a comma", c);
        break;
      case 4:  // tiers: the amount is not quantity × price; the sign may differ
        l = gpu_line(project, sku, r, price, c);
        l.minor -= static_cast<std::int64_t>(prng.next() % 200'000);
        break;
      case 5:  // re-rated: no quantity, an amount
        l = gpu_line(project, sku, 0, price, c);
        l.minor = r / 7 - 100'000;
        break;
      default:
        l = gpu_line(project, sku, r, price, c);
    }
    if (l.minor > 0 && prng.next() % 3 == 0)
      l.covered_minor = static_cast<std::int64_t>(prng.next() % (l.minor + 1));
    s.invoice.lines.push_back(std::move(l));
  }
  if (prng.next() % 4 == 0) s.invoice.prepaid_minor = static_cast<std::int64_t>(prng.next() % 1000);
  add_up(s);
  return s;
}

Sample credit_note_of(const Sample& s) {
  Sample note = s;
  core::Invoice& i = note.invoice;
  note.corrects_number = s.invoice.number;
  note.corrects_issued_at = s.invoice.issued_at;
  i.kind = core::InvoiceKind::credit_note;
  i.number = "2026-000043";
  i.issued_at = i.due_at = at("2026-12-05T08:00:00Z");
  for (core::InvoiceLine& l : i.lines) {
    l.quantity = -l.quantity;
    l.ticks = -l.ticks;
    l.minor = -l.minor;
    l.covered_minor = -l.covered_minor;
  }
  i.prepaid_minor = -i.prepaid_minor;
  add_up(note);
  return note;
}

}  // namespace ampacity::documents
