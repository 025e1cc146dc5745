// Billing: `billing`, `contracts`, `invoices`, `statement`, and what leaves as a file: `focus`,
// `usage --csv`, `journal`, `trial-balance`; the proof: `audit`, `close`.
#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <ostream>

#include "base/money.h"
#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

std::string day(base::Instant t) { return base::format_day(t); }
std::string last_day(base::Instant until) { return day(until - base::Duration{1}); }

Cell standing(const api::InvoiceView& i) {
  switch (i.state) {
    case api::InvoiceStanding::overdue:
      return {"overdue", Tone::bad};
    case api::InvoiceStanding::paid:
      return {i.kind == core::InvoiceKind::credit_note ? "credit note" : "paid", Tone::good};
    case api::InvoiceStanding::voided:
      return {"voided", Tone::dim};
    default:
      return {std::string(base::enum_name(i.state))};
  }
}

void add_party(Facts& facts, const api::PartyView& p) {
  facts.push_back({"name", Cell(p.name.empty() ? "not said yet" : p.name, Tone::bold)});
  const std::string place = p.postal_code + (p.postal_code.empty() ? "" : " ") + p.city;
  for (const auto& [label, text] : {std::pair<const char*, std::string>{"street", p.street},
                                    {"city", place},
                                    {"country", p.country},
                                    {"tax id", p.tax_id},
                                    {"e-mail", p.email},
                                    {"bank", p.bank}})
    if (!text.empty()) facts.push_back({label, Cell(text)});
}

Table lines_of(const api::InvoiceView& v) {
  Table table{{{"PROJECT", Align::left, 8, 3},
               {"WHAT", Align::left, 24},
               {"FROM", Align::left, 0, 2},
               {"UNTIL", Align::left, 0, 2},
               {"QUANTITY", Align::right},
               {"UNIT", Align::left, 0, 1},
               {"PRICE", Align::right},
               {v.currency, Align::right},
               {"COVERED", Align::right, 0, 4}},
              {}};
  for (const auto& l : v.lines)
    table.rows.push_back(
        {l.project.value_or(""), l.description + (l.correction ? " (correction)" : ""), day(l.from),
         last_day(l.until), l.quantity, l.unit, l.unit_price.value_or(""), l.amount, l.covered});
  return table;
}

void print_invoice(Session& session, const api::InvoiceView& v) {
  auto& t = session.terminal;
  Facts facts = {{v.kind == core::InvoiceKind::credit_note ? "credit note" : "invoice",
                  Cell(v.number, Tone::bold)},
                 {"org", Cell(v.org)},
                 {"period", Cell(day(v.from) + " – " + last_day(v.until))},
                 {"state", standing(v)}};
  if (v.due_at) facts.push_back({"due", Cell(day(*v.due_at))});
  if (v.corrects) facts.push_back({"takes back", Cell(*v.corrects)});
  if (v.emulated)
    facts.push_back({"note", Cell("EMULATED GPUs: no real money is owed", Tone::warn)});
  t.out << render_facts(facts, t.width, t.colour_out);
  if (!v.lines.empty()) t.out << "\n" << render(lines_of(v), t.width, t.colour_out);
  Facts sums = {{"lines", Cell(v.lines_total + " " + v.currency)}};
  if (v.covered.find_first_of("123456789") != std::string::npos)
    sums.push_back({"credit applied", Cell("-" + v.covered)});
  for (const auto& tax : v.taxes)
    if (tax.category != "O") sums.push_back({"tax " + tax.percent + " %", Cell(tax.tax)});
  sums.push_back({"total", Cell(v.total)});
  if (v.prepaid.find_first_of("123456789") != std::string::npos)
    sums.push_back({"paid when bought", Cell("-" + v.prepaid)});
  sums.push_back({"to be paid", Cell(v.payable + " " + v.currency, Tone::bold)});
  if (v.paid.find_first_of("123456789") != std::string::npos) {
    sums.push_back({"paid", Cell(v.paid)});
    sums.push_back({"open", Cell(v.open)});
  }
  t.out << "\n" << render_facts(sums, t.width, t.colour_out) << std::flush;
}

// A body that is a file: to `file`, or to standard output. Streamed.
int download(Session& session, const std::string& target, const std::string& file) {
  std::ofstream to;
  if (!file.empty()) {
    to.open(file, std::ios::binary | std::ios::trunc);
    if (!to) return session.report({exit_failed, "cannot write to " + file});
  }
  std::ostream& out = file.empty() ? session.terminal.out : to;
  std::int64_t bytes = 0;
  const auto end = session.stream(target, "", [&](std::string_view part) {
    out << part;
    bytes += static_cast<std::int64_t>(part.size());
    return static_cast<bool>(out);
  });
  out << std::flush;
  if (!end) return session.report(end.error());
  if (end->connection_lost)
    return session.report({exit_unreachable, "the export broke off: " + end->why +
                                                 "\n  what was written is not all of it"});
  if (!out) return session.report({exit_failed, "writing failed: is the disk full?"});
  if (!file.empty()) session.notice(fmt::format("{}: {}", file, cli::bytes(bytes)));
  return 0;
}

}  // namespace

// ---- who bills, who is billed -------------------------------------------------------------------

int billing_issuer(Session& session, const api::PartyChange& change) {
  const bool nothing = base::to_json(change) == base::to_json(api::PartyChange{});
  int done = 0;
  const auto party =
      nothing ? session.fetch<api::PartyView>("/v1/issuer", done)
              : session.send<api::PartyView>("PATCH", "/v1/issuer", base::to_json(change), done);
  if (!party) return done;
  Facts facts;
  add_party(facts, *party);
  session.terminal.out << render_facts(facts, session.terminal.width, session.terminal.colour_out)
                       << std::flush;
  return 0;
}

int billing_org(Session& session, const std::string& org, const api::BillingChange& change) {
  const std::string target = "/v1/orgs/" + escaped(org) + "/billing";
  const bool nothing = base::to_json(change) == base::to_json(api::BillingChange{});
  int done = 0;
  const auto v = nothing
                     ? session.fetch<api::BillingView>(target, done)
                     : session.send<api::BillingView>("PATCH", target, base::to_json(change), done);
  if (!v) return done;
  Facts facts = {{"org", Cell(v->org, Tone::bold)}};
  add_party(facts, v->party);
  facts.push_back({"currency", Cell(v->currency)});
  facts.push_back(
      {"tax", Cell(v->tax_category == "S" ? v->tax_percent + " %"
                                          : "none (category " + v->tax_category + ")")});
  facts.push_back({"pays within", Cell(fmt::format("{} days", v->net_days))});
  session.terminal.out << render_facts(facts, session.terminal.width, session.terminal.colour_out)
                       << std::flush;
  return 0;
}

int credit_line(Session& session, const std::string& project, const std::string& amount) {
  int done = 0;
  const auto v =
      session.send<api::ProjectView>("PUT", "/v1/projects/" + escaped(project) + "/credit-line",
                                     base::to_json(api::CreditLineRequest{amount}), done);
  if (!v) return done;
  session.terminal.out << fmt::format("{}: credit line {} · wallet {}\n", v->name, amount,
                                      money(v->wallet_usd, v->currency))
                       << std::flush;
  return 0;
}

int billing_line(Session& session, const std::string& org, const api::LineRequest& line) {
  int done = 0;
  const auto v = session.send<api::LineView>("POST", "/v1/orgs/" + escaped(org) + "/lines",
                                             base::to_json(line), done);
  if (!v) return done;
  session.terminal.out << fmt::format("{} on the next invoice of {}: {}\n", v->amount, v->org,
                                      v->description)
                       << std::flush;
  return 0;
}

// ---- contracts ----------------------------------------------------------------------------------

int contracts_list(Session& session, const std::string& org) {
  int done = 0;
  const auto list =
      session.fetch<api::ContractList>(with_query("/v1/contracts", {{"org", org}}), done);
  if (!list) return done;
  if (list->items.empty()) {
    session.notice(
        "no contracts; sign one: ampacity contracts sign ORG NAME --from 2026-12 "
        "--months 12 --spend 50000");
    return 0;
  }
  Table table{{{"NAME", Align::left, 8},
               {"ORG", Align::left, 6},
               {"STATE"},
               {"FROM"},
               {"UNTIL"},
               {"COMMITTED A MONTH", Align::right},
               {"USED", Align::right},
               {"FORECAST", Align::right, 0, 1},
               {"TIME", Align::right, 0, 2},
               {"PREPAID LEFT", Align::right, 0, 1}},
              {}};
  for (const auto& k : list->items) {
    const std::string unit =
        k.commitment == core::CommitmentKind::gpu_hours ? " GPU·h " + k.sku.value_or("") : "";
    std::string committed = k.ramp.empty() ? "–" : k.ramp[0].amount + unit;
    if (k.burn_down) committed = k.burn_down->committed + unit;
    table.rows.push_back({k.name,
                          k.org,
                          {k.state, k.state == "running" ? Tone::good : Tone::plain},
                          day(k.from),
                          last_day(k.until) + (k.renews ? " ↻" : ""),
                          committed,
                          k.burn_down ? k.burn_down->used : "–",
                          k.burn_down ? k.burn_down->forecast : "–",
                          k.burn_down ? fmt::format("{} %", k.burn_down->time_percent) : "–",
                          k.prepaid_left_now.value_or(k.prepaid_left)});
  }
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  return 0;
}

int contracts_sign(Session& session, const api::ContractRequest& request) {
  int done = 0;
  const auto v =
      session.send<api::ContractView>("POST", "/v1/contracts", base::to_json(request), done);
  if (!v) return done;
  session.terminal.out << fmt::format("{} of {}: {} – {}{} · {}\n", v->name, v->org, day(v->from),
                                      last_day(v->until), v->renews ? ", renews" : "", v->id)
                       << std::flush;
  return 0;
}

int contracts_show(Session& session, const std::string& name) {
  const auto list = session.get<api::ContractList>("/v1/contracts");
  if (!list) return session.report(list.error());
  const auto at = std::ranges::find_if(
      list->items, [&](const api::ContractView& k) { return k.name == name || k.id == name; });
  if (at == list->items.end())
    return session.report({exit_refused, "there is no contract " + name +
                                             "\n  hint: `ampacity contracts` lists them"});
  const api::ContractView& k = *at;
  if (session.print_json(base::to_json(k))) return 0;
  const bool hours = k.commitment == core::CommitmentKind::gpu_hours;
  const std::string unit = hours ? " GPU-hours of " + k.sku.value_or("any GPU") : "";
  Facts facts = {
      {"contract", Cell(k.name, Tone::bold)},
      {"of", Cell(k.org)},
      {"state", Cell(k.state, k.state == "running" ? Tone::good : Tone::plain)},
      {"term", Cell(day(k.from) + " – " + last_day(k.until) + (k.renews ? ", renews" : ""))}};
  for (const auto& step : k.ramp)
    facts.push_back({step.month == 0 ? "committed" : fmt::format("from month {}", step.month + 1),
                     Cell(step.amount + unit + " a month")});
  if (!k.ramp.empty())
    facts.push_back({"a shortfall", Cell(k.take_or_pay ? "is billed each month (take or pay)"
                                                       : "is billed at the end of the term")});
  if (k.price) facts.push_back({"price", Cell(*k.price + " per committed GPU-hour")});
  if (k.overage_price) facts.push_back({"beyond it", Cell(*k.overage_price + " per GPU-hour")});
  if (k.burn_down) {
    const auto& b = *k.burn_down;
    facts.push_back({"used up", Cell(fmt::format("{} of {} {}, at {} % of the time", b.used,
                                                 b.committed, b.unit, b.time_percent))});
    facts.push_back({"forecast", Cell(b.forecast + " " + b.unit + " at the present rate")});
  }
  if (k.prepaid.find_first_of("123456789") != std::string::npos)
    facts.push_back({"prepaid", Cell(fmt::format("{}, {} left", k.prepaid,
                                                 k.prepaid_left_now.value_or(k.prepaid_left)))});
  for (const auto& step : k.sla)
    facts.push_back({"uptime below " + step.below_percent + " %",
                     Cell(step.credit_percent + " % of the month back")});
  if (!k.reservations.empty()) facts.push_back({"served by", Cell(join(k.reservations, ", "))});
  auto& t = session.terminal;
  t.out << render_facts(facts, t.width, t.colour_out) << std::flush;
  return 0;
}

int contracts_end(Session& session, const std::string& name) {
  int done = 0;
  const auto v =
      session.send<api::ContractView>("DELETE", "/v1/contracts/" + escaped(name), "", done);
  if (!v) return done;
  session.terminal.out << fmt::format("{} ends with {}\n", v->name, last_day(v->until))
                       << std::flush;
  return 0;
}

// ---- invoices -----------------------------------------------------------------------------------

int invoices_list(Session& session, const std::string& org, int limit, const std::string& cursor) {
  int done = 0;
  const auto list = session.fetch<api::InvoiceList>(
      with_query("/v1/invoices",
                 {{"org", org}, {"limit", std::to_string(limit)}, {"cursor", cursor}}),
      done);
  if (!list) return done;
  if (list->items.empty()) {
    session.notice("no invoices yet; what one would say now: ampacity invoices draft");
    return 0;
  }
  Table table{{{"NUMBER"},
               {"ORG", Align::left, 8},
               {"FROM"},
               {"UNTIL"},
               {"ISSUED", Align::left, 0, 2},
               {"DUE", Align::left, 0, 1},
               {"TOTAL", Align::right},
               {"OPEN", Align::right},
               {""},
               {"STATE"}},
              {}};
  for (const auto& i : list->items)
    table.rows.push_back({{i.number, Tone::bold},
                          i.org,
                          day(i.from),
                          last_day(i.until),
                          i.issued_at ? day(*i.issued_at) : "",
                          i.due_at ? day(*i.due_at) : "",
                          i.total,
                          i.open,
                          i.currency,
                          standing(i)});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out);
  if (list->next_cursor)
    t.out << paint("older: --cursor " + *list->next_cursor, Tone::dim, t.colour_out) << "\n";
  t.out << std::flush;
  return 0;
}

int invoices_show(Session& session, const std::string& number) {
  int done = 0;
  const auto v = session.fetch<api::InvoiceView>("/v1/invoices/" + escaped(number), done);
  if (!v) return done;
  print_invoice(session, *v);
  session.notice(
      fmt::format("as a file: ampacity invoices get {} --format pdf|ubl|csv -o FILE", v->number));
  return 0;
}

int invoices_get(Session& session, const std::string& number, const std::string& format,
                 const std::string& file) {
  return download(session,
                  with_query("/v1/invoices/" + escaped(number) + "/document", {{"format", format}}),
                  file);
}

int invoices_draft(Session& session, const api::IssueRequest& r) {
  int done = 0;
  const auto v = session.fetch<api::InvoiceView>(
      with_query(
          "/v1/draft",
          {{"org", r.org}, {"month", r.month.value_or("")}, {"until", r.until.value_or("")}}),
      done);
  if (!v) return done;
  print_invoice(session, *v);
  return 0;
}

int invoices_issue(Session& session, const api::IssueRequest& request) {
  int done = 0;
  const auto v =
      session.send<api::InvoiceView>("POST", "/v1/invoices", base::to_json(request), done);
  if (!v) return done;
  print_invoice(session, *v);
  return 0;
}

int invoices_void(Session& session, const std::string& number, const std::string& why) {
  int done = 0;
  const auto v = session.send<api::InvoiceView>("POST", "/v1/invoices/" + escaped(number) + "/void",
                                                base::to_json(api::VoidRequest{why}), done);
  if (!v) return done;
  session.terminal.out << fmt::format("{} takes back {}: {} {}\n", v->number, number, v->payable,
                                      v->currency)
                       << std::flush;
  return 0;
}

int invoices_pay(Session& session, const std::string& number, const api::PaymentRequest& payment) {
  int done = 0;
  const auto v = session.send<api::InvoiceView>(
      "POST", "/v1/invoices/" + escaped(number) + "/payments", base::to_json(payment), done);
  if (!v) return done;
  session.terminal.out << fmt::format("{}: paid {}, open {} {}\n", v->number, v->paid, v->open,
                                      v->currency)
                       << std::flush;
  return 0;
}

// ---- files --------------------------------------------------------------------------------------

int export_file(Session& session, const ExportOptions& o) {
  return download(session,
                  with_query("/v1/" + o.what, {{"month", o.month},
                                               {"org", o.org},
                                               {"from", o.from},
                                               {"until", o.until},
                                               {"format", o.format},
                                               {"kind", o.kind},
                                               {"actor", o.actor},
                                               {"project", o.project},
                                               {"job", o.job},
                                               {"q", o.text},
                                               {"cursor", o.cursor}}),
                  o.file);
}

// ---- proof --------------------------------------------------------------------------------------

namespace {

// A large month takes minutes.
void be_patient(Session& session, const std::string& month) {
  session.patience = {};
  if (session.terminal.out_is_tty && !session.json)
    session.notice("working " + month + " out again from the facts …");
}

int print_audit(Session& session, const api::AuditView& v) {
  Table table{
      {{""}, {"CHECK", Align::left, 20}, {"EXAMINED", Align::right}, {"DETAIL", Align::left, 12}},
      {}};
  for (const auto& f : v.findings)
    table.rows.push_back({f.holds ? Cell("✔", Tone::good) : Cell("✘", Tone::bad), f.check,
                          std::to_string(f.examined), f.detail});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out)
        << (v.holds ? paint(v.month + " holds: every line was worked out again from the facts",
                            Tone::good, t.colour_out)
                    : paint(v.month + " does NOT hold", Tone::bad, t.colour_out))
        << "\n"
        << std::flush;
  return v.holds ? 0 : exit_failed;
}

}  // namespace

int audit(Session& session, const std::string& month) {
  be_patient(session, month);
  const auto body = session.call("GET", with_query("/v1/audit", {{"month", month}}));
  const auto v = Session::read<api::AuditView>(body);
  if (!v) return session.report(v.error());
  if (session.print_json(*body)) return v->holds ? 0 : exit_failed;
  return print_audit(session, *v);
}

int close_month(Session& session, const std::string& month) {
  be_patient(session, month);
  int done = 0;
  const auto v = session.send<api::CloseView>("POST", "/v1/close",
                                              base::to_json(api::CloseRequest{month}), done);
  if (!v) return done;
  session.terminal.out << fmt::format(
      "{} invoice{} issued: {}\n", v->invoices, v->invoices == 1 ? "" : "s",
      v->numbers.empty()       ? "none were due"
      : v->numbers.size() <= 8 ? join(v->numbers, ", ")
                               : v->numbers.front() + " … " + v->numbers.back());
  const int code = print_audit(session, v->audit);
  if (code == 0) session.notice(month + " is closed");
  return code;
}

}  // namespace ampacity::cli
