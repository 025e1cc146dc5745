#include "api/problem.h"
#include "base/log.h"
#include "documents/focus_writer.h"
#include "documents/journal_hledger.h"
#include "documents/usage_csv.h"
#include "server/app.h"
#include "server/billing_views.h"
#include "server/invoicing.h"
#include "server/paced_stream.h"

namespace ampacity::server {
namespace {

using base::Code;

// Orgs (nobody: all), and what each was sent for a month.
std::vector<std::pair<core::OrgIx, std::vector<base::Id>>> sent_in(const core::World& w,
                                                                   core::OrgIx org,
                                                                   const Period& period) {
  std::vector<std::pair<core::OrgIx, std::vector<base::Id>>> orgs;
  for (core::OrgIx ix = 0; ix < w.state().orgs.size(); ++ix) {
    if (org != core::nobody && org != ix) continue;
    orgs.emplace_back(ix, std::vector<base::Id>{});
    for (const core::Invoice& i : w.state().invoices)
      if (i.org == ix && i.from >= period.from && i.from < period.until)
        orgs.back().second.push_back(i.id);
  }
  return orgs;
}

}  // namespace

// A month's parts, invoice by invoice: those issued as they were, then what no invoice has asked
// for yet.
void App::stream_parts(Call& c, net::Reply& r, bool focus) {
  const auto org = org_of(c, c.target.param("org"));
  if (!org) return r.send(api::problem_response(org.error()));
  const auto month = base::parse_month(c.target.param("month"));
  if (!month)
    return r.send(
        api::problem_response(base::refusal_of({{"month", "must be a month such as 2026-11"}})));
  const Period period = month_period(*month);
  const base::Instant now = clock_.now();
  if (period.from >= now)
    return r.send(api::problem_response(base::refusal_of({{"month", "has not begun yet"}})));

  documents::FocusNames names;
  const auto orgs = loop_.ask([&](const core::World& w) {
    names = export_names(w);
    return sent_in(w, *org, period);
  });
  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(api::problem_response({Code::unavailable, reader.error().message, {}, {}, {}}));

  PacedStream out(r.stream({200, "text/csv; charset=utf-8", "", {}}), clock_);
  const auto sink = [&out](std::string_view text) { out.write(text); };
  std::optional<documents::FocusWriter> costs;
  std::optional<documents::UsageCsv> usage;
  if (focus)
    costs.emplace(names, sink);
  else
    usage.emplace(names, sink);
  const billing::PartSink part = [&](const billing::RatedPart& p) {
    costs ? costs->add(p) : usage->add(p);
  };
  Invoicing invoicing(loop_, options_.store, clock_);
  const auto failed = [&](const base::Refusal& why) {
    base::log_error("export of {}: {}", base::format_month(*month), why.message);
    out.abort();
  };
  for (const auto& [ix, ids] : orgs) {
    for (const base::Id id : ids) {
      const auto invoice = (*reader)->invoice(id);
      if (!invoice) return failed({Code::unavailable, "an invoice's row", {}, {}, {}});
      costs ? costs->begin(*invoice) : usage->begin(*invoice);
      if (invoice->kind == core::InvoiceKind::invoice) {
        const auto again = invoicing.again(*invoice, part);
        if (!again) return failed(again.error());
      } else {
        const auto original = (*reader)->invoice(invoice->corrects);
        if (!original) return failed({Code::unavailable, "an invoice's row", {}, {}, {}});
        const auto taken_back = invoicing.taken_back(*original, part);
        if (!taken_back) return failed(taken_back.error());
      }
      if (costs)
        if (const auto end = costs->end(); !end) return failed(end.error());
      if (out.gone()) return;
    }
    // What is left: rated once for its totals, which the rows are checked against.
    const Period rest{period.from, std::min(period.until, now)};
    const auto draft = invoicing.draft(ix, rest, {});
    if (!draft) return failed(draft.error());
    if (draft->invoice.lines.empty()) continue;
    costs ? costs->begin(draft->invoice) : usage->begin(draft->invoice);
    if (const auto again = invoicing.again(draft->invoice, part); !again)
      return failed(again.error());
    if (costs)
      if (const auto end = costs->end(); !end) return failed(end.error());
  }
}

void App::export_focus(Call& c, net::Reply& r) { stream_parts(c, r, true); }
void App::export_usage(Call& c, net::Reply& r) { stream_parts(c, r, false); }

void App::focus_schema(Call&, net::Reply& r) {
  r.send(json_response(documents::focus_schema(clock_.now())));
}

// What was posted up to the moment the counters were read, so that the balances it ends with hold.
void App::export_journal(Call&, net::Reply& r) {
  std::uint64_t sequence = 0;
  const auto accounts = loop_.ask([&](const core::World& w) {
    sequence = w.state().sequence;
    return book_accounts(w);
  });
  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(api::problem_response({Code::unavailable, reader.error().message, {}, {}, {}}));
  PacedStream out(r.stream({200, "text/plain; charset=utf-8", "", {}}), clock_);
  documents::JournalWriter journal(accounts, base::Instant{},
                                   [&out](std::string_view text) { out.write(text); });
  const auto read = (*reader)->each_transfer(sequence, [&](const store::TransferRow& row) {
    const core::Transfer& t = row.transfer;
    if (t.has(ledger::transfer_flag::pending) || t.has(ledger::transfer_flag::void_pending)) return;
    const std::string id = base::format_bare_id(t.id);
    journal.add({row.at, id, row.reason, ledger::position_of(t.debit),
                 ledger::position_of(t.credit), t.amount, t.has(ledger::transfer_flag::linked)});
  });
  if (!read) {
    base::log_error("export of the journal: {}", read.error().message);
    return out.abort();
  }
  journal.end(clock_.now());
}

}  // namespace ampacity::server
