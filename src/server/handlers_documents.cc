#include "api/problem.h"
#include "base/log.h"
#include "documents/invoice_csv.h"
#include "documents/invoice_pdf.h"
#include "documents/invoice_ubl.h"
#include "documents/statement.h"
#include "documents/trial_balance.h"
#include "server/app.h"
#include "server/billing_views.h"

namespace ampacity::server {
namespace {

using base::Code;

net::Response file(std::string type, const std::string& name, std::string body) {
  return {200,
          std::move(type),
          std::move(body),
          {{"Content-Disposition", "attachment; filename=\"" + name + "\""}}};
}

net::Response wrong_field(const char* field, const char* message) {
  return api::problem_response(base::refusal_of({{field, message}}));
}

}  // namespace

void App::invoice_document(Call& c, net::Reply& r) {
  const std::string format(c.target.param("format").empty() ? "pdf" : c.target.param("format"));
  if (format != "pdf" && format != "ubl" && format != "csv")
    return r.send(wrong_field("format", "must be pdf, ubl or csv; JSON is the invoice itself"));
  const auto invoice = invoice_named(c, c.arguments.at(0));
  if (!invoice) return r.send(api::problem_response(invoice.error()));
  documents::InvoiceNames names;
  std::string corrects;
  base::Instant corrects_at;
  loop_.ask([&](const core::World& w) {
    names = invoice_names(w);
    for (const core::Invoice& i : w.state().invoices)
      if (!invoice->corrects.is_nil() && i.id == invoice->corrects) {
        corrects = i.number;
        corrects_at = i.issued_at;
      }
    return 0;
  });
  const documents::InvoiceSource source{*invoice, invoice->buyer, invoice->seller,
                                        names,    corrects,       corrects_at};
  const std::string stem = documents::invoice_file_stem(*invoice);
  if (format == "csv") {
    std::string text;
    const auto made =
        documents::invoice_csv(source, [&text](std::string_view part) { text += part; });
    if (!made) return r.send(api::problem_response(made.error()));
    return r.send(file("text/csv; charset=utf-8", stem + ".csv", std::move(text)));
  }
  auto made = format == "ubl" ? documents::invoice_ubl(source) : documents::invoice_pdf(source);
  if (!made) return r.send(api::problem_response(made.error()));
  r.send(format == "ubl" ? file("application/xml", stem + ".xml", std::move(*made))
                         : file("application/pdf", stem + ".pdf", std::move(*made)));
}

void App::statement(Call& c, net::Reply& r) {
  const auto org = org_of(c, c.target.param("org"));
  if (!org) return r.send(api::problem_response(org.error()));
  std::vector<base::Wrong> wrong;
  if (*org == core::nobody) wrong.push_back({"org", "is required"});
  const auto day = [&](const char* name, base::Instant otherwise) {
    const std::string text(c.target.param(name));
    if (text.empty()) return otherwise;
    const auto t = base::parse_instant(text + "T00:00:00Z");
    if (!t) wrong.push_back({name, "must be a day such as 2026-11-01"});
    return t.value_or(otherwise);
  };
  const base::Instant now = clock_.now();
  const base::Instant from = day("from", base::month_plus(now, -12));
  const base::Instant until = day("until", now);
  const std::string format(c.target.param("format").empty() ? "csv" : c.target.param("format"));
  if (format != "pdf" && format != "csv") wrong.push_back({"format", "must be csv or pdf"});
  if (!wrong.empty()) return r.send(api::problem_response(base::refusal_of(std::move(wrong))));
  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(api::problem_response({Code::unavailable, reader.error().message, {}, {}, {}}));
  const auto payments = (*reader)->payments(*org);
  if (!payments)
    return r.send(api::problem_response({Code::unavailable, payments.error().message, {}, {}, {}}));
  std::vector<core::Invoice> invoices;
  core::BillingProfile profile;
  core::Party issuer;
  loop_.ask([&](const core::World& w) {
    for (const core::Invoice& i : w.state().invoices)
      if (i.org == *org) invoices.push_back(i);
    profile = w.state().orgs[*org].billing;
    if (profile.party.name.empty()) profile.party.name = w.state().orgs[*org].name;
    issuer = w.state().issuer;
    return 0;
  });
  const auto made =
      documents::make_statement(*org, profile.currency, from, until, invoices, *payments);
  if (!made) return r.send(api::problem_response(made.error()));
  if (format == "pdf") {
    auto pdf = documents::statement_pdf(*made, issuer, profile.party);
    if (!pdf) return r.send(api::problem_response(pdf.error()));
    return r.send(file("application/pdf", "statement.pdf", std::move(*pdf)));
  }
  std::string text;
  const auto csv =
      documents::statement_csv(*made, [&text](std::string_view part) { text += part; });
  if (!csv) return r.send(api::problem_response(csv.error()));
  r.send(file("text/csv; charset=utf-8", "statement.csv", std::move(text)));
}

void App::export_trial_balance(Call& c, net::Reply& r) {
  const std::string_view format = c.target.param("format");
  const auto accounts = loop_.ask(book_accounts);
  std::string text;
  const auto sink = [&text](std::string_view part) { text += part; };
  if (format == "csv")
    documents::trial_balance_csv(accounts, sink);
  else
    documents::trial_balance_table(accounts, sink);
  r.send({200,
          format == "csv" ? "text/csv; charset=utf-8" : "text/plain; charset=utf-8",
          std::move(text),
          {}});
}

}  // namespace ampacity::server
