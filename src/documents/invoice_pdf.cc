#include "documents/invoice_pdf.h"

#include <fmt/core.h>

#include <array>
#include <map>

#include "documents/invoice_flow.h"
#include "documents/invoice_words.h"

namespace ampacity::documents {
namespace {

struct Setter {
  const InvoiceSource& from;
  PageFlow& flow;
  const base::Currency& currency;
  std::int64_t sign;

  const core::Invoice& invoice() const { return from.invoice; }
  bool is_credit() const { return invoice().kind == core::InvoiceKind::credit_note; }
  std::string money(Wide minor) const {
    Wide scale = 1;
    for (int d = 0; d < currency.exponent; ++d) scale *= 10;
    return grouped(decimal_text(minor * sign, scale, currency.exponent, currency.exponent));
  }
  std::string with_currency(Wide minor) const {
    return fmt::format("{} {}", currency.code, money(minor));
  }
};

std::vector<std::string> address_of(const core::Party& party) {
  std::vector<std::string> lines;
  const auto add = [&](std::string line) {
    if (!line.empty()) lines.push_back(std::move(line));
  };
  add(party.street);
  std::string town = party.postal_code;
  if (!town.empty() && !party.city.empty()) town += ' ';
  town += party.city;
  if (!party.country.empty()) town += (town.empty() ? "" : ", ") + party.country;
  add(std::move(town));
  add(party.tax_id.empty() ? "" : "Tax ID " + party.tax_id);
  add(party.email);
  return lines;
}

void letterhead(const Setter& s) {
  PageFlow& f = s.flow;
  f.box(0, 0, page_width, 7, ink_accent);
  const std::string kind = s.is_credit() ? "CREDIT NOTE" : "INVOICE";
  const Style title{22, true, ink_accent};
  const double title_width = f.type.width(kind, title);
  const Style name{15, true, ink_text};
  f.words_within({"", left_edge, full_width - title_width - 20, false}, 62, s.from.issuer.name,
                 name);
  f.words_right(right_edge, 64, kind, title);
  f.words_right(right_edge, 79, "No. " + s.invoice().number, {10, false, ink_text});
  double at = 76;
  for (const std::string& line : address_of(s.from.issuer)) {
    f.words_within({"", left_edge, 300, false}, at, line, small);
    at += 10.5;
  }
  f.y = std::max(at, 98.0) + 6;
  f.rule(left_edge, f.y, full_width);
  f.y += 20;
}

// Customer on the left, dates and numbers on the right.
void parties(const Setter& s) {
  PageFlow& f = s.flow;
  const core::Invoice& i = s.invoice();
  const double top = f.y;
  double at = top;
  f.words(left_edge, at, s.is_credit() ? "CREDITED TO" : "BILLED TO", label);
  at += 15;
  for (const std::string& line :
       f.type.wrapped(clean_text(s.from.profile.party.name), {10.5, true, ink_text}, 235, 2)) {
    f.words(left_edge, at, line, {10.5, true, ink_text});
    at += 14;
  }
  for (const std::string& line : address_of(s.from.profile.party)) {
    f.words_within({"", left_edge, 235, false}, at, line, body);
    at += 12.5;
  }
  std::vector<std::pair<std::string, std::string>> rows = {
      {s.is_credit() ? "Credit note number" : "Invoice number", i.number},
      {"Issue date", day_text(i.issued_at)},
      {"Billing period", period_text(i.from, i.until)},
      {"Currency", std::string(s.currency.code)}};
  if (!s.is_credit()) rows.insert(rows.begin() + 2, {"Due date", day_text(i.due_at)});
  if (s.is_credit() && !s.from.corrects_number.empty())
    rows.insert(rows.begin() + 2, {"Takes back invoice", s.from.corrects_number + " of " +
                                                             day_text(s.from.corrects_issued_at)});
  double right = top;
  for (const auto& [what, value] : rows) {
    f.words(318, right, what, {8.5, false, ink_soft});
    f.words_within({"", 408, right_edge - 408, true}, right, value, body);
    right += 14;
  }
  f.y = std::max(at, right) + 4;
}

void amount_box(const Setter& s) {
  PageFlow& f = s.flow;
  const core::Invoice& i = s.invoice();
  f.box(left_edge, f.y, full_width, 40, ink_fill);
  f.box(left_edge, f.y, 3, 40, ink_accent);
  f.words(left_edge + 16, f.y + 24.5, s.is_credit() ? "Amount credited" : "Amount due",
          {11, true, ink_text});
  const Style big{17, true, ink_accent};
  f.words_within({"", left_edge + 220, full_width - 232, true}, f.y + 26,
                 s.with_currency(i.payable_minor), big);
  if (!s.is_credit() && i.payable_minor > 0)
    f.words(left_edge + 88, f.y + 24.5, "by " + day_text(i.due_at), {9, false, ink_soft});
  f.y += 40;
  bool emulated = false;
  for (const core::InvoiceLine& line : i.lines) emulated |= is_emulated(s.from.names, line);
  if (emulated) {
    f.y += 6;
    f.box(left_edge, f.y, full_width, 20, ink_alert_fill);
    f.box(left_edge, f.y, 3, 20, ink_alert);
    f.words(left_edge + 16, f.y + 13.2, "EMULATED", {8.5, true, ink_alert});
    f.words(left_edge + 70, f.y + 13.2,
            "This document bills usage of emulated GPUs; every such line is marked.",
            {8.5, false, ink_alert});
    f.y += 20;
  }
  f.y += 18;
}

void heading(PageFlow& f, std::string_view text) {
  f.need(70);
  f.words(left_edge, f.y + 10, text, {11, true, ink_text});
  f.y += 18;
}

// By project, and inside it by kind of service in the order of the lines, corrections by
// themselves.
struct Sum {
  std::string service;
  Wide minor = 0;
};
struct ProjectSum {
  std::uint32_t project = 0;
  std::string name;
  std::vector<Sum> services;
  Wide minor = 0;
};

std::vector<ProjectSum> sums_of(const InvoiceSource& from) {
  std::map<std::uint32_t, ProjectSum> by_project;
  for (const core::InvoiceLine& line : from.invoice.lines) {
    ProjectSum& p = by_project[line.project];
    p.project = line.project;
    if (p.name.empty()) p.name = project_text(line, from.names);
    std::string service = service_text(line);
    if (line.correction) service += ", corrections of earlier months";
    auto at = std::find_if(p.services.begin(), p.services.end(),
                           [&](const Sum& x) { return x.service == service; });
    if (at == p.services.end()) at = p.services.insert(at, {service, 0});
    at->minor += line.minor;
    p.minor += line.minor;
  }
  std::vector<ProjectSum> all;
  for (auto& [project, sum] : by_project) all.push_back(std::move(sum));
  return all;
}

void summary(const Setter& s, const std::vector<ProjectSum>& sums) {
  heading(s.flow, "Summary");
  const bool by_service = s.invoice().lines.size() <= most_pdf_lines;
  Table table(s.flow,
              {{"PROJECT", left_edge + 6, 190, false},
               {"SERVICE", left_edge + 206, 180, false},
               {"AMOUNT (" + std::string(s.currency.code) + ")", right_edge - 106, 100, true}});
  table.head();
  std::size_t shown = 0;
  Wide rest = 0;
  for (const ProjectSum& p : sums) {
    if (++shown > most_pdf_projects) {
      rest += p.minor;
      continue;
    }
    if (!by_service) {
      table.row({p.name, "all services", s.money(p.minor)}, "", body);
      continue;
    }
    for (std::size_t i = 0; i < p.services.size(); ++i)
      table.row({i == 0 ? p.name : "", p.services[i].service, s.money(p.services[i].minor)}, "",
                body, i + 1 == p.services.size());
  }
  if (shown > most_pdf_projects)
    table.row(
        {fmt::format("{} more projects", shown - most_pdf_projects), "all services", s.money(rest)},
        "", body);
  s.flow.y += 14;
}

struct TotalRow {
  std::string what;
  std::string amount;
  bool bold = false;
};

std::vector<TotalRow> totals_of(const Setter& s) {
  const core::Invoice& i = s.invoice();
  std::vector<TotalRow> rows = {{"Subtotal", s.money(i.lines_minor), false}};
  if (i.covered_minor != 0)
    rows.push_back({"Prepaid credit applied", s.money(-static_cast<Wide>(i.covered_minor)), false});
  rows.push_back({"Total before tax", s.money(i.net_minor), false});
  for (const core::TaxLine& t : i.taxes) rows.push_back({tax_text(t), s.money(t.tax_minor), false});
  rows.push_back({"Total", s.money(i.total_minor), true});
  if (i.prepaid_minor != 0)
    rows.push_back({"Already paid", s.money(-static_cast<Wide>(i.prepaid_minor)), false});
  return rows;
}

// Taxes on the left, totals on the right, on one page together.
void totals(const Setter& s) {
  PageFlow& f = s.flow;
  const core::Invoice& i = s.invoice();
  const std::vector<TotalRow> rows = totals_of(s);
  const double left_height = 30 + 14 * static_cast<double>(i.taxes.size()) + 40;
  const double right_height = 15 * static_cast<double>(rows.size()) + 40;
  f.need(std::max(left_height, right_height));
  const double top = f.y;
  const double x = right_edge - 226;
  for (const TotalRow& row : rows) {
    const Style style{9, row.bold, ink_text};
    if (row.bold) f.rule(x, f.y + 0.5, 226);
    f.words_within({"", x + 6, 118, false}, f.y + 11, row.what, style);
    f.words_within({"", x + 118, 102, true}, f.y + 11, row.amount, style);
    f.y += 15;
  }
  f.box(x, f.y + 3, 226, 25, ink_accent);
  const Style white{11, true, {255, 255, 255}};
  f.words(x + 6, f.y + 19.5, s.is_credit() ? "Amount credited" : "Amount due", white);
  f.words_within({"", x + 100, 120, true}, f.y + 19.5, s.with_currency(i.payable_minor), white);
  const double bottom = f.y + 28;
  f.y = top;
  const std::array<Column, 3> columns = {Column{"TAX", left_edge + 6, 104, false},
                                         Column{"TAXABLE", left_edge + 112, 68, true},
                                         Column{"TAX AMOUNT", left_edge + 184, 62, true}};
  f.box(left_edge, f.y, 250, 17, ink_fill);
  for (const Column& c : columns) f.words_within(c, f.y + 11.5, c.title, label);
  f.y += 17;
  for (const core::TaxLine& t : i.taxes) {
    f.words_within(columns[0], f.y + 11.5, tax_text(t), body);
    f.words_within(columns[1], f.y + 11.5, s.money(t.base_minor), body);
    f.words_within(columns[2], f.y + 11.5, s.money(t.tax_minor), body);
    f.y += 16;
    f.rule(left_edge, f.y, 250, ink_rule, 0.35);
  }
  f.y += 2;
  if (!i.taxes.empty())
    f.paragraph(left_edge + 6, 238, tax_reason(i.taxes.front().category, s.from.profile.tax_note),
                small, 3);
  f.y = std::max(bottom, f.y) + 20;
}

void payment(const Setter& s) {
  PageFlow& f = s.flow;
  const core::Invoice& i = s.invoice();
  std::vector<std::string> lines;
  std::string_view rest = s.from.issuer.bank;
  while (!rest.empty() && lines.size() < 6) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  f.need(56 + 12 * static_cast<double>(lines.size()));
  f.rule(left_edge, f.y - 6, full_width);
  f.words(left_edge, f.y + 9, "PAYMENT", label);
  const double x = left_edge + 90;
  double at = f.y + 9;
  const auto say = [&](std::string_view what, std::string_view value) {
    f.words(x, at, what, {8.5, false, ink_soft});
    f.words_within({"", x + 84, right_edge - x - 84, false}, at, value, body);
    at += 13;
  };
  if (s.is_credit() || i.payable_minor <= 0) {
    f.words_within({"", x, right_edge - x, false}, at,
                   s.is_credit() ? "Nothing is to be paid: this takes back what was billed before."
                                 : "Nothing is to be paid.",
                   body);
    at += 13;
  } else {
    say("Pay to", s.from.issuer.name);
    for (std::size_t l = 0; l < lines.size(); ++l) say(l == 0 ? "Bank account" : "", lines[l]);
    say("Reference", i.number);
    say("Amount and date", s.with_currency(i.payable_minor) + " by " + day_text(i.due_at));
  }
  f.y = at + 4;
  if (!i.note.empty()) {
    f.need(30);
    f.words(left_edge, f.y + 9, "NOTE", label);
    const double top = f.y;
    f.paragraph(x, right_edge - x, i.note, body, 8);
    f.y = std::max(f.y, top + 13) + 4;
  }
  f.y += 16;
}

std::vector<std::string> cells_of(const Setter& s, const core::InvoiceLine& line) {
  const bool counted = line.quantity != 0;
  core::InvoiceLine shown = line;
  if (s.sign < 0 && line.quantity != INT64_MIN) shown.quantity = -line.quantity;
  const int places = unit_size(line) > 1 ? 4 : 0;
  return {line_title(line, s.from.names),
          counted ? grouped(quantity_text(shown, places, std::max(places, 4))) : "",
          counted ? clean_text(line.unit) : "",
          counted && line.price != 0 ? grouped(unit_price_text(line, 4, 8)) : "",
          s.money(line.minor)};
}

// Where the amount is not quantity × the first tier's price, say so.
std::string detail_of(const Setter& s, const core::InvoiceLine& line) {
  std::string detail = line_detail(line, s.from.names);
  if (line.quantity == 0 || line.price == 0) return detail;
  const Wide exact = static_cast<Wide>(line.quantity) * line.price;
  const Wide off = exact - static_cast<Wide>(line.ticks) * line.per;
  if (off > line.per || -off > line.per)
    detail += (detail.empty() ? "" : " · ") + std::string("price of the first tier");
  return detail;
}

void details(const Setter& s, const std::vector<ProjectSum>& sums) {
  PageFlow& f = s.flow;
  const core::Invoice& i = s.invoice();
  // All of it below the summary, or from the top of a page.
  const bool listed = i.lines.size() <= most_pdf_lines;
  const double height = listed ? 60 + 32 * static_cast<double>(i.lines.size() + sums.size()) : 80;
  if (height > f.left_over()) f.new_page();
  heading(f, "Details");
  if (!listed) {
    f.paragraph(
        left_edge, full_width,
        fmt::format("This {} has {} lines. They are listed in {}.csv, which is part of it and "
                    "adds up to the same subtotal.",
                    s.is_credit() ? "credit note" : "invoice",
                    grouped(std::to_string(i.lines.size())), invoice_file_stem(i)),
        body, 3);
    return;
  }
  Table table(f, {{"DESCRIPTION", left_edge + 6, 196, false},
                  {"QUANTITY", left_edge + 208, 78, true},
                  {"UNIT", left_edge + 294, 58, false},
                  {"UNIT PRICE", left_edge + 354, 56, true},
                  {"AMOUNT (" + std::string(s.currency.code) + ")", right_edge - 82, 76, true}});
  table.head();
  for (const ProjectSum& p : sums) {
    table.group(p.name, s.money(p.minor));
    for (const bool corrections : {false, true})
      for (const core::InvoiceLine& line : i.lines)
        if (line.project == p.project && line.correction == corrections)
          table.row(cells_of(s, line), detail_of(s, line), body);
  }
}

}  // namespace

std::string invoice_file_stem(const core::Invoice& invoice) {
  std::string stem = invoice.kind == core::InvoiceKind::credit_note ? "credit-note-" : "invoice-";
  for (const char c : invoice.number)
    stem += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : '-';
  return stem;
}

base::Result<std::string> invoice_pdf(const InvoiceSource& source) {
  const base::Currency* currency = base::find_currency(source.invoice.currency);
  if (!currency) return base::refuse_field("currency", "must be one of ISO 4217");
  auto type = Typesetter::open();
  if (!type) return std::unexpected(std::move(type.error()));
  const core::Invoice& i = source.invoice;
  const bool credit = i.kind == core::InvoiceKind::credit_note;
  Pages pages;
  pages.title = clean_text((credit ? "Credit note " : "Invoice ") + i.number);
  pages.author = clean_text(source.issuer.name);
  pages.subject = clean_text("Inputs SHA-256 " + i.inputs_hash);
  pages.made_at = i.issued_at;
  PageFlow flow(*type, pages);
  const Setter s{source, flow, *currency, credit ? -1 : 1};
  const std::vector<ProjectSum> sums = sums_of(source);
  letterhead(s);
  parties(s);
  amount_box(s);
  summary(s, sums);
  totals(s);
  payment(s);
  details(s, sums);
  flow.finish(fmt::format("{}  ·  {} {}  ·  inputs SHA-256 {}  ·  rating engine {}, facts up to {}",
                          source.issuer.name, credit ? "credit note" : "invoice", i.number,
                          i.inputs_hash.substr(0, 16), i.engine, i.sequence));
  return type->pdf(pages);
}

}  // namespace ampacity::documents
