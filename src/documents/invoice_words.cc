#include "documents/invoice_words.h"

#include <fmt/core.h>

#include <array>

namespace ampacity::documents {
namespace {

constexpr std::array<std::string_view, 12> months = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

struct Day {
  int year = 1970;
  int month = 1;
  int day = 1;
  bool operator==(const Day&) const = default;
};

Day day_of(Instant t) {
  const std::string iso = base::format_day(t);  // "2026-11-22"
  const std::size_t at = iso.size() >= 10 ? iso.size() - 6 : 0;
  const auto number = [&](std::size_t from, std::size_t n) {
    int value = 0;
    for (std::size_t i = from; i < from + n && i < iso.size(); ++i)
      if (iso[i] >= '0' && iso[i] <= '9') value = value * 10 + (iso[i] - '0');
    return value;
  };
  return {number(0, at), number(at + 1, 2), number(at + 4, 2)};
}

std::string_view month_name(const Day& d) {
  return months[static_cast<std::size_t>(d.month - 1) % months.size()];
}

// Length of the well-formed UTF-8 sequence that text begins with; 0: it is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t n = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;
  if (n == 0 || n > text.size()) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
      (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f))
    return 0;
  return n;
}

bool is_control(std::string_view s) {
  if (s.size() == 1) return static_cast<unsigned char>(s[0]) < 0x20 || s[0] == 0x7f;
  if (s.size() == 2 && s[0] == '\xc2') return static_cast<unsigned char>(s[1]) < 0xa0;
  // Line and paragraph separators; marks that turn the writing direction: an amount must not.
  if (s.size() == 3 && s[0] == '\xe2' && s[1] == '\x80') {
    const auto last = static_cast<unsigned char>(s[2]);
    return last >= 0xa8 && last <= 0xae;
  }
  return s.size() == 3 && s[0] == '\xe2' && s[1] == '\x81' &&
         static_cast<unsigned char>(s[2]) >= 0xa6 && static_cast<unsigned char>(s[2]) <= 0xa9;
}

}  // namespace

std::string clean_text(std::string_view text) {
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t n = sequence_length(text);
    const std::string_view s = text.substr(0, n);
    if (n == 0 || s == "\xef\xbf\xbe" || s == "\xef\xbf\xbf")
      out += replacement;  // XML has no U+FFFE, U+FFFF
    else if (is_control(s))
      out += ' ';
    else
      out += s;
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

std::string decimal_text(Wide numerator, Wide denominator, int least, int most) {
  const bool negative = numerator < 0;
  const Wide magnitude = negative ? -numerator : numerator;
  Wide scale = 1;
  for (int i = 0; i < most; ++i) scale *= 10;
  Wide whole = magnitude / denominator;
  Wide fraction = ((magnitude % denominator) * scale * 2 + denominator) / (2 * denominator);
  if (fraction == scale) {
    ++whole;
    fraction = 0;
  }
  std::string out = negative && (whole != 0 || fraction != 0) ? "-" : "";
  out += fmt::format("{}", static_cast<std::uint64_t>(whole));
  if (most == 0) return out;
  std::string digits = fmt::format("{:0{}}", static_cast<std::uint64_t>(fraction), most);
  while (digits.size() > static_cast<std::size_t>(least) && digits.back() == '0') digits.pop_back();
  if (!digits.empty()) out += '.' + digits;
  return out;
}

std::string grouped(std::string_view decimal) {
  const std::size_t begin = decimal.starts_with('-') ? 1 : 0;
  const std::size_t point = std::min(decimal.find('.'), decimal.size());
  std::string out(decimal.substr(0, begin));
  for (std::size_t i = begin; i < point; ++i) {
    if (i > begin && (point - i) % 3 == 0) out += ',';
    out += decimal[i];
  }
  return out.append(decimal.substr(point));
}

std::string money_text(std::int64_t minor, const base::Currency& currency) {
  return grouped(base::format_minor(minor, currency));
}

std::int64_t unit_size(const core::InvoiceLine& line) {
  const std::int64_t per = std::max<std::int64_t>(line.per, 1);
  const bool by_seconds = line.kind != core::LineKind::metered && line.unit.ends_with("-Hours");
  std::int64_t size = 0;
  return by_seconds && !__builtin_mul_overflow(per, 3600, &size) ? size : per;
}

std::string quantity_text(const core::InvoiceLine& line, int least, int most) {
  return decimal_text(line.quantity, unit_size(line), least, most);
}

Wide unit_price_ticks(const core::InvoiceLine& line) {
  return static_cast<Wide>(line.price) * (unit_size(line) / std::max<std::int64_t>(line.per, 1));
}

std::string unit_price_text(const core::InvoiceLine& line, int least, int most) {
  return decimal_text(unit_price_ticks(line), base::ticks_per_unit, least, most);
}

std::string day_text(Instant t) {
  const Day d = day_of(t);
  return fmt::format("{} {} {}", d.day, month_name(d), d.year);
}

std::string short_day_text(Instant t) {
  const Day d = day_of(t);
  return fmt::format("{} {} {}", d.day, month_name(d).substr(0, 3), d.year);
}

Instant last_day(Instant from, Instant until) {
  return until > from ? Instant{until.us - 1} : from;
}

std::string period_text(Instant from, Instant until) {
  const Day a = day_of(from), b = day_of(last_day(from, until));
  if (a == b) return day_text(from);
  if (a.year != b.year) return day_text(from) + " – " + day_text(last_day(from, until));
  if (a.month != b.month)
    return fmt::format("{} {} – {}", a.day, month_name(a), day_text(last_day(from, until)));
  return fmt::format("{} – {}", a.day, day_text(last_day(from, until)));
}

std::string month_text(Instant t) {
  const Day d = day_of(t);
  return fmt::format("{} {}", month_name(d), d.year);
}

std::string percent_text(std::int64_t bp) { return decimal_text(bp, 100, 0, 2); }

std::string tax_text(const core::TaxLine& tax) {
  if (tax.category == "S") return "VAT " + percent_text(tax.rate_bp) + " %";
  if (tax.category == "Z") return "Zero rated";
  if (tax.category == "E") return "Exempt from VAT";
  if (tax.category == "AE") return "Reverse charge";
  if (tax.category == "O") return "Not subject to VAT";
  return "Tax " + clean_text(tax.category) + " " + percent_text(tax.rate_bp) + " %";
}

std::string tax_reason(std::string_view category, std::string_view note) {
  if (category == "S" || category == "Z") return "";
  if (!note.empty()) return clean_text(note);
  if (category == "AE") return "Reverse charge: VAT is to be accounted for by the customer";
  return tax_text({std::string(category), 0, 0, 0});
}

std::string service_text(const core::InvoiceLine& line) {
  using core::LineKind;
  switch (line.kind) {
    case LineKind::usage:
      if (line.meter == "gpu") return "GPU compute";
      if (line.meter == "vcpu" || line.meter == "cpu_vcpu") return "CPU compute";
      if (line.meter == "memory" || line.meter == "cpu_memory") return "Memory";
      return clean_text(line.meter);
    case LineKind::metered:
      return line.meter.empty() ? "Metered usage" : clean_text(line.meter);
    case LineKind::minimum:
      return "Minimum charge";
    case LineKind::commitment:
      return "Commitment";
    case LineKind::shortfall:
      return "Commitment shortfall";
    case LineKind::prepaid:
      return "Prepaid credit";
    case LineKind::sla_credit:
      return "SLA credit";
    case LineKind::manual:
      return "Other charges";
  }
  return "Other charges";
}

std::string class_text(core::JobClass c) {
  return c == core::JobClass::on_demand ? "on demand" : std::string(base::enum_name(c));
}

std::string line_title(const core::InvoiceLine& line, const InvoiceNames& names) {
  if (!line.description.empty()) return clean_text(line.description);
  std::string title = service_text(line);
  const std::string_view sku = name_at(names.skus, line.sku);
  if (!sku.empty()) title += ", " + clean_text(sku);
  if (line.kind == core::LineKind::usage) title += ", " + class_text(line.job_class);
  return title;
}

std::string line_detail(const core::InvoiceLine& line, const InvoiceNames& names) {
  std::string detail;
  const auto add = [&](std::string_view words) {
    if (words.empty()) return;
    if (!detail.empty()) detail += " · ";
    detail += words;
  };
  if (line.correction) add("Correction of " + month_text(line.month));
  if (line.until > line.from) add(period_text(line.from, line.until));
  add(clean_text(name_at(names.sites, line.site)));
  if (line.price_version != 0) add(fmt::format("prices v{}", line.price_version));
  if (is_emulated(names, line)) add("EMULATED");
  return detail;
}

std::string project_text(const core::InvoiceLine& line, const InvoiceNames& names) {
  const std::string_view name = name_at(names.projects, line.project);
  return name.empty() ? "Organisation" : clean_text(name);
}

}  // namespace ampacity::documents
