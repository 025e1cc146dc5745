#include <algorithm>
#include <charconv>

#include "api/bind_billing.h"
#include "api/problem.h"
#include "api/views.h"
#include "billing/invoice.h"
#include "core/billing.h"
#include "server/app.h"
#include "server/billing_views.h"
#include "server/invoicing.h"
#include "server/paging.h"

namespace ampacity::server {
namespace {

using base::Code;

// Of a request's body; nullopt: the answer was sent.
template <typename T>
std::optional<T> body_of(Call& c, net::Reply& r) {
  auto body = base::from_json<T>(c.request.body);
  if (body) return std::move(*body);
  r.send(api::problem_response(body.error()));
  return std::nullopt;
}

const base::Currency& currency_of(const core::World& w, core::OrgIx org) {
  const base::Currency* c = base::find_currency(w.state().orgs[org].billing.currency);
  return c ? *c : *base::find_currency("USD");
}

}  // namespace

// ---- who bills, who is billed -------------------------------------------------------------------

// The org of a call: ?org= for operators (nobody: all), the key's own for customers.
base::Result<core::OrgIx> App::org_of(const Call& c, std::string_view name) {
  if (!c.caller.is_owner())
    return loop_.ask(
        [&](const core::World& w) { return w.state().projects[c.caller.project].org; });
  if (name.empty()) return core::nobody;
  const auto ix = loop_.ask([&](const core::World& w) { return w.find_org(name); });
  if (!ix) return base::refuse_field("org", "there is no org " + std::string(name));
  return *ix;
}

void App::issuer(Call&, net::Reply& r) {
  r.send(json_response(
      loop_.ask([](const core::World& w) { return base::to_json(view_party(w.state().issuer)); })));
}

void App::change_issuer(Call& c, net::Reply& r) {
  const auto body = body_of<api::PartyChange>(c, r);
  if (!body) return;
  core::Party party = loop_.ask([](const core::World& w) { return w.state().issuer; });
  Work work = work_of(c, r, core::SetIssuer{api::changed(std::move(party), *body)});
  work.respond = [](const core::World& w, base::Instant) {
    return json_response(base::to_json(view_party(w.state().issuer)));
  };
  loop_.push(std::move(work));
}

void App::org_billing(Call& c, net::Reply& r) {
  const auto org = org_of(c, c.arguments.at(0));
  if (!org) return r.send(api::problem_response(org.error()));
  r.send(json_response(
      loop_.ask([&](const core::World& w) { return base::to_json(view_billing(w, *org)); })));
}

void App::change_org_billing(Call& c, net::Reply& r) {
  const auto body = body_of<api::BillingChange>(c, r);
  if (!body) return;
  const auto org = org_in_path(c);
  if (!org) return r.send(api::problem_response(org.error()));
  auto profile = api::changed(
      loop_.ask([&](const core::World& w) { return w.state().orgs[*org].billing; }), *body);
  if (!profile) return r.send(api::problem_response(profile.error()));
  Work work = work_of(c, r, core::SetBilling{c.arguments.at(0), std::move(*profile)});
  work.respond = [org = *org](const core::World& w, base::Instant) {
    return json_response(base::to_json(view_billing(w, org)));
  };
  loop_.push(std::move(work));
}

void App::set_credit_line(Call& c, net::Reply& r) {
  const auto body = body_of<api::CreditLineRequest>(c, r);
  if (!body) return;
  const auto project = project_in_path(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const auto minor = loop_.ask([&](const core::World& w) {
    return base::parse_minor(body->amount, currency_of(w, w.state().projects[*project].org));
  });
  if (!minor)
    return r.send(api::problem_response(
        base::refusal_of({{"amount", "must be an amount such as 10000.00"}})));
  Work work = work_of(c, r, core::SetCreditLine{c.arguments.at(0), *minor});
  work.respond = [ix = *project](const core::World& w, base::Instant now) {
    return json_response(base::to_json(api::view_project(w, ix, now)));
  };
  loop_.push(std::move(work));
}

void App::add_line(Call& c, net::Reply& r) {
  const auto body = body_of<api::LineRequest>(c, r);
  if (!body) return;
  const auto org = org_in_path(c);
  if (!org) return r.send(api::problem_response(org.error()));
  const auto minor = loop_.ask(
      [&](const core::World& w) { return base::parse_minor(body->amount, currency_of(w, *org)); });
  if (!minor)
    return r.send(
        api::problem_response(base::refusal_of({{"amount", "must be an amount such as -25.00"}})));
  Work work = work_of(
      c, r,
      core::AddLine{c.arguments.at(0), body->project.value_or(""), *minor, body->description});
  work.respond = [body = *body, org = *org](const core::World& w, base::Instant) {
    return json_response(base::to_json(api::LineView{w.state().orgs[org].name, body.project,
                                                     body.amount, body.description}),
                         201);
  };
  loop_.push(std::move(work));
}

// ---- contracts ----------------------------------------------------------------------------------

void App::sign_contract(Call& c, net::Reply& r) {
  const auto body = body_of<api::ContractRequest>(c, r);
  if (!body) return;
  const auto org = org_of(c, body->org);
  if (!org) return r.send(api::problem_response(org.error()));
  if (*org == core::nobody)
    return r.send(api::problem_response(base::refusal_of({{"org", "is required"}})));
  auto contract = loop_.ask(
      [&](const core::World& w) { return api::bind_contract(*body, currency_of(w, *org)); });
  if (!contract) return r.send(api::problem_response(contract.error()));
  contract->id = new_id();
  Work work = work_of(c, r, core::SignContract{std::move(*contract), body->org});
  work.respond = [](const core::World& w, base::Instant now) {
    return json_response(base::to_json(view_contract(w, w.state().contracts.back(), {}, now)), 201);
  };
  loop_.push(std::move(work));
}

void App::list_contracts(Call& c, net::Reply& r) {
  const auto org = org_of(c, c.target.param("org"));
  if (!org) return r.send(api::problem_response(org.error()));
  const auto contracts = loop_.ask([&](const core::World& w) {
    std::vector<core::Contract> own;
    for (const core::Contract& k : w.state().contracts)
      if (*org == core::nobody || k.org == *org) own.push_back(k);
    return own;
  });
  const base::Instant now = clock_.now();
  const auto uses = Invoicing(loop_, options_.store, clock_).use_of(contracts, now);
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::ContractList list;
    for (const core::Contract& k : contracts) {
      const auto use = uses.find(k.id);
      list.items.push_back(
          view_contract(w, k, use == uses.end() ? std::nullopt : std::optional(use->second), now));
    }
    return base::to_json(list);
  })));
}

void App::end_contract(Call& c, net::Reply& r) {
  const std::string text = c.arguments.at(0);
  const auto id = base::parse_id("ctr", text);
  const auto found = loop_.ask([&](const core::World& w) {
    for (const core::Contract& k : w.state().contracts)
      if (id ? k.id == *id : k.name == text) return k.id;
    return base::Id{};
  });
  Work work = work_of(c, r, core::EndContract{found, clock_.now()});
  work.respond = [found](const core::World& w, base::Instant now) {
    for (const core::Contract& k : w.state().contracts)
      if (k.id == found) return json_response(base::to_json(view_contract(w, k, {}, now)));
    return net::Response{};
  };
  loop_.push(std::move(work));
}

// ---- invoices -----------------------------------------------------------------------------------

namespace {

// The period that a draft or an invoice is asked for.
base::Result<Period> period_of(const std::optional<std::string>& month,
                               const std::optional<std::string>& until, base::Instant now) {
  Period p = month_period(until && !month ? base::month_begin(now) : base::month_plus(now, -1));
  if (month) {
    const auto m = base::parse_month(*month);
    if (!m) return base::refuse_field("month", "must be a month such as 2026-11");
    p = month_period(*m);
  }
  if (until) {
    const auto t = *until == "now" ? std::optional(now) : base::parse_instant(*until);
    if (!t) return base::refuse_field("until", "must be `now` or an RFC 3339 time");
    if (*t <= p.from || *t > p.until)
      return base::refuse_field("until", "must lie inside the month");
    p.until = *t;
  }
  if (p.from >= now) return base::refuse_field("month", "has not begun yet");
  return p;
}

std::optional<std::string> param(const Call& c, std::string_view name) {
  const std::string_view text = c.target.param(name);
  return text.empty() ? std::nullopt : std::optional(std::string(text));
}

}  // namespace

// By number or id, as issued, with its lines and with what was paid since.
base::Result<core::Invoice> App::invoice_named(const Call& c, const std::string& text) {
  const auto org = org_of(c, "");
  if (!org) return std::unexpected(org.error());
  const auto id = base::parse_id("inv", text);
  const auto head = loop_.ask([&](const core::World& w) {
    for (const core::Invoice& i : w.state().invoices)
      if ((id ? i.id == *id : i.number == text) && (*org == core::nobody || i.org == *org))
        return i;
    return core::Invoice{};
  });
  if (head.id.is_nil())
    return base::refuse(Code::not_found,
                        "there is no invoice " + text + " (see `ampacity invoices`)");
  auto reader = store::open_reader(options_.store);
  if (!reader) return base::refuse(Code::unavailable, reader.error().message);
  auto invoice = (*reader)->invoice(head.id);
  if (!invoice) return base::refuse(Code::unavailable, "the invoice's row could not be read");
  invoice->state = head.state;
  invoice->paid_minor = head.paid_minor;
  return std::move(*invoice);
}

void App::draft_invoice(Call& c, net::Reply& r) {
  const auto org = org_of(c, c.target.param("org"));
  if (!org) return r.send(api::problem_response(org.error()));
  if (*org == core::nobody)
    return r.send(api::problem_response(base::refusal_of({{"org", "is required"}})));
  auto month = param(c, "month"), until = param(c, "until");
  if (!month && !until) until = "now";
  auto period = period_of(month, until, clock_.now());
  if (!period) return r.send(api::problem_response(period.error()));
  period->until = std::min(period->until, clock_.now());
  const auto draft = Invoicing(loop_, options_.store, clock_).draft(*org, *period, {});
  if (!draft) return r.send(api::problem_response(draft.error()));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    return base::to_json(view_invoice(w, draft->invoice, clock_.now()));
  })));
}

void App::list_invoices(Call& c, net::Reply& r) {
  const auto org = org_of(c, c.target.param("org"));
  if (!org) return r.send(api::problem_response(org.error()));
  std::size_t limit = 200;
  const std::string_view limit_text = c.target.param("limit"), cursor = c.target.param("cursor");
  std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
  limit = std::clamp<std::size_t>(limit, 1, 1'000);
  const auto after = cursor.empty() ? base::Id{} : base::parse_id("inv", cursor);
  const auto bad_cursor = [] {
    return api::problem_response(base::refusal_of({{"cursor", cursor_form}}));
  };
  if (!after) return r.send(bad_cursor());
  r.send(loop_.ask([&](const core::World& w) {
    const auto& all = w.state().invoices;
    auto i = all.rbegin();
    if (!after->is_nil()) {
      i = std::find_if(i, all.rend(), [&](const core::Invoice& x) { return x.id == *after; });
      if (i == all.rend() || (*org != core::nobody && i->org != *org)) return bad_cursor();
      ++i;
    }
    api::InvoiceList list;
    for (; i != all.rend(); ++i) {
      if (*org != core::nobody && i->org != *org) continue;
      if (list.items.size() == limit) {
        list.next_cursor = list.items.back().id;
        break;
      }
      list.items.push_back(view_invoice(w, *i, clock_.now()));
    }
    return json_response(base::to_json(list));
  }));
}

void App::show_invoice(Call& c, net::Reply& r) {
  const auto invoice = invoice_named(c, c.arguments.at(0));
  if (!invoice) return r.send(api::problem_response(invoice.error()));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    return base::to_json(view_invoice(w, *invoice, clock_.now()));
  })));
}

base::Result<std::optional<core::Invoice>> App::issue(core::OrgIx org, Period period,
                                                      const std::string& actor) {
  return Invoicing(loop_, options_.store, clock_).issue(org, period, new_id(), actor);
}

void App::issue_invoice(Call& c, net::Reply& r) {
  const auto body = body_of<api::IssueRequest>(c, r);
  if (!body) return;
  const auto org = org_of(c, body->org);
  if (!org) return r.send(api::problem_response(org.error()));
  if (*org == core::nobody)
    return r.send(api::problem_response(base::refusal_of({{"org", "is required"}})));
  const auto period = period_of(body->month, body->until, clock_.now());
  if (!period) return r.send(api::problem_response(period.error()));
  if (period->until > clock_.now())
    return r.send(api::problem_response(base::refusal_of(
        {{"month", "is not over: give `until` to invoice what was used so far"}})));
  const auto issued = issue(*org, *period, c.caller.actor);
  if (!issued) return r.send(api::problem_response(issued.error()));
  if (!*issued)
    return r.send(api::problem(Code::conflict,
                               "there is nothing to invoice: no service that an "
                               "earlier invoice has not asked for"));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    return base::to_json(view_invoice(w, **issued, clock_.now()));
  }),
                       201));
}

void App::void_invoice(Call& c, net::Reply& r) {
  const auto body = body_of<api::VoidRequest>(c, r);
  if (!body) return;
  if (body->why.empty() || body->why.size() > 256)
    return r.send(
        api::problem_response(base::refusal_of({{"why", "must say why, in 1 to 256 characters"}})));
  const auto invoice = invoice_named(c, c.arguments.at(0));
  if (!invoice) return r.send(api::problem_response(invoice.error()));
  const std::uint64_t sequence = loop_.ask([](const core::World& w) { return w.state().sequence; });
  core::VoidInvoice command{billing::credit_note(*invoice, sequence, clock_.now(), body->why)};
  command.note.id = new_id();
  const auto id = command.note.id;
  auto lines = command.note.lines;
  Work work = work_of(c, r, std::move(command));
  work.respond = [id, lines = std::move(lines)](const core::World& w, base::Instant now) {
    for (core::Invoice i : w.state().invoices) {
      if (i.id != id) continue;
      i.lines = lines;
      return json_response(base::to_json(view_invoice(w, i, now)), 201);
    }
    return net::Response{};
  };
  loop_.push(std::move(work));
}

void App::pay_invoice(Call& c, net::Reply& r) {
  const auto body = body_of<api::PaymentRequest>(c, r);
  if (!body) return;
  const auto invoice = invoice_named(c, c.arguments.at(0));
  if (!invoice) return r.send(api::problem_response(invoice.error()));
  core::Payment payment{new_id(),
                        invoice->id,
                        invoice->payable_minor - invoice->paid_minor,
                        "manual",
                        body->reference.value_or("").substr(0, 128),
                        body->paid_at.value_or(clock_.now())};
  if (body->amount) {
    const auto minor = base::parse_minor(*body->amount, *base::find_currency(invoice->currency));
    if (!minor)
      return r.send(api::problem_response(
          base::refusal_of({{"amount", "must be an amount such as 1234.56"}})));
    payment.minor = *minor;
  }
  Work work = work_of(c, r, core::RecordPayment{payment});
  work.respond = [id = invoice->id](const core::World& w, base::Instant now) {
    for (const core::Invoice& i : w.state().invoices)
      if (i.id == id) return json_response(base::to_json(view_invoice(w, i, now)), 201);
    return net::Response{};
  };
  loop_.push(std::move(work));
}

}  // namespace ampacity::server
