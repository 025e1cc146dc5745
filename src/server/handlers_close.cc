#include "api/contract_billing.h"
#include "api/problem.h"
#include "audit/audit.h"
#include "server/app.h"
#include "server/invoicing.h"
#include "server/proof.h"

namespace ampacity::server {
namespace {

api::AuditView view_audit(base::Instant month, const std::vector<audit::Finding>& findings,
                          base::Instant sealed_until) {
  api::AuditView v;
  v.month = base::format_month(month);
  v.holds = true;
  for (const audit::Finding& f : findings) {
    v.holds &= f.holds;
    v.findings.push_back({f.check, f.holds, f.examined, f.detail});
  }
  if (sealed_until.us) v.sealed_until = sealed_until;
  return v;
}

// By an independent rater and from the books' SQL; then by the rating itself.
std::vector<audit::Finding> findings_of(Loop& loop, const store::StoreAt& store,
                                        base::Clock& clock, base::Instant month) {
  auto findings = audit::check_month(store, month);
  auto proof = prove_invoices(loop, store, clock, month_period(month));
  // What is not checked comes last.
  findings.insert(findings.empty() ? findings.end() : findings.end() - 1,
                  std::make_move_iterator(proof.begin()), std::make_move_iterator(proof.end()));
  return findings;
}

net::Response wrong_month(const char* message) {
  return api::problem_response(base::refusal_of({{"month", message}}));
}

}  // namespace

void App::audit_month(Call& c, net::Reply& r) {
  const auto month = base::parse_month(c.target.param("month"));
  if (!month) return r.send(wrong_month("must be a month such as 2026-11"));
  const auto findings = findings_of(loop_, options_.store, clock_, *month);
  const auto sealed = loop_.ask([](const core::World& w) { return w.state().sealed_until; });
  r.send(json_response(base::to_json(view_audit(*month, findings, sealed))));
}

// Every org is invoiced, the month is proved, and only then closed.
void App::close_month(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::CloseRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const auto month = base::parse_month(body->month);
  const Period period = month_period(month.value_or(base::Instant{}));
  if (!month || period.until > clock_.now())
    return r.send(wrong_month("must be one that is over, such as 2026-10"));
  const auto [sealed, orgs] = loop_.ask([](const core::World& w) {
    return std::pair{w.state().sealed_until, static_cast<core::OrgIx>(w.state().orgs.size())};
  });
  if (period.until <= sealed)
    return r.send(api::problem_response(
        {base::Code::conflict,
         body->month + " is closed already: what comes late is on the next month's invoices",
         {},
         {},
         {}}));
  api::CloseView view;
  view.month = body->month;
  for (core::OrgIx org = 0; org < orgs; ++org) {
    const auto issued = issue(org, period, c.caller.actor);
    if (!issued) return r.send(api::problem_response(issued.error()));
    if (!*issued) continue;
    ++view.invoices;
    view.numbers.push_back((*issued)->number);
  }
  const auto findings = findings_of(loop_, options_.store, clock_, *month);
  view.audit = view_audit(*month, findings, sealed);
  if (view.audit.holds) {
    const auto closed = loop_.run(
        core::SealPeriod{period.until, base::to_hex(base::sha256(base::to_json(view.audit)))},
        c.caller.actor);
    if (!closed) return r.send(api::problem_response(closed.error()));
    view.audit.sealed_until = period.until;
  }
  r.send(json_response(base::to_json(view)));
}

}  // namespace ampacity::server
