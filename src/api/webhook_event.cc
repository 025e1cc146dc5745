#include "api/webhook_event.h"

#include <algorithm>
#include <array>

#include "api/bind_hooks.h"
#include "api/views.h"
#include "base/currency.h"
#include "core/desire.h"

namespace ampacity::api {
namespace {

constexpr std::array<std::string_view, 11> types = {
    "job.submitted",  "job.started",        "job.stopping",    "job.requeued",
    "job.ended",      "credit.added",       "credit.low",      "budget.crossed",
    "invoice.issued", "credit_note.issued", "payment.recorded"};

struct EventTeller {
  const core::World& w;
  Instant at;
  std::uint64_t sequence;
  const core::State& s = w.state();

  template <typename T>
  std::optional<WebhookEvent> operator()(const T&) const {
    return std::nullopt;  // nobody is told
  }

  template <typename Data>
  WebhookEvent tell(std::string_view type, core::OrgIx org, core::ProjectIx project,
                    const Data& data) const {
    std::string body = "{\"type\":";
    base::write_json_string(body, type);
    body += ",\"timestamp\":";
    base::write_json(body, at);
    body += ",\"data\":";
    base::write_json(body, data);
    body += '}';
    return {type, org, project, std::move(body)};
  }

  JobEvent job_event(const core::Job& job, core::JobState state) const {
    const core::Project& project = s.projects[job.project];
    JobEvent e;
    e.sequence = sequence;
    e.job = core::job_name(job.id);
    e.name = job.name;
    e.project = project.name;
    e.org = s.orgs[project.org].name;
    e.job_class = job.job_class;
    e.state = state;
    e.generation = job.generation;
    return e;
  }
  WebhookEvent tell_job(std::string_view type, const core::Job& job, const JobEvent& e) const {
    return tell(type, s.projects[job.project].org, job.project, e);
  }

  std::optional<WebhookEvent> operator()(const core::JobSubmitted& f) const {
    return tell_job("job.submitted", f.job, job_event(f.job, core::JobState::queued));
  }
  std::optional<WebhookEvent> operator()(const core::RankStarted& f) const {
    const core::Job* job = w.job(f.job);
    if (!job || !job->lease || job->state != core::JobState::starting) return std::nullopt;
    for (std::uint32_t r = 0; r < job->lease->ranks.size(); ++r)
      if (r != f.rank && job->lease->ranks[r].state == core::RankState::pending)
        return std::nullopt;  // not the last of the gang
    return tell_job("job.started", *job, job_event(*job, core::JobState::running));
  }
  std::optional<WebhookEvent> operator()(const core::StopOrdered& f) const {
    const core::Job* job = w.job(f.job);
    if (!job) return std::nullopt;
    JobEvent e = job_event(*job, core::JobState::stopping);
    e.stop_reason = f.reason;
    e.why = f.why;
    return tell_job("job.stopping", *job, e);
  }
  std::optional<WebhookEvent> operator()(const core::LeaseClosed& f) const {
    const core::Job* job = w.job(f.job);
    if (!job) return std::nullopt;
    JobEvent e = job_event(*job, f.requeue ? core::JobState::queued : core::JobState::ended);
    e.generation = f.generation;
    e.exit_code = f.exit_code;
    if (!f.requeue) e.outcome = f.outcome;
    if (job->stop_reason != core::StopReason::none) e.stop_reason = job->stop_reason;
    e.why = f.why;
    e.billed_s = f.interval.billed_s;
    e.amount_ticks = f.interval.amounts.total();
    e.amount_usd = base::format_usd(f.interval.amounts.total(), 6);
    e.currency = currency_of(w, job->project);
    return tell_job(f.requeue ? "job.requeued" : "job.ended", *job, e);
  }
  std::optional<WebhookEvent> operator()(const core::JobEnded& f) const {
    const core::Job* job = w.job(f.job);
    if (!job) return std::nullopt;
    JobEvent e = job_event(*job, core::JobState::ended);
    e.outcome = f.outcome;
    e.why = f.why;
    return tell_job("job.ended", *job, e);
  }

  CreditEvent credit_event(core::ProjectIx project) const {
    const core::Project& p = s.projects[project];
    CreditEvent e;
    e.sequence = sequence;
    e.project = p.name;
    e.org = s.orgs[p.org].name;
    e.currency = currency_of(w, project);
    return e;
  }
  std::optional<WebhookEvent> operator()(const core::CreditAdded& f) const {
    const core::Project& p = s.projects[f.project];
    CreditEvent e = credit_event(f.project);
    const base::Currency& currency = *base::find_currency(currency_code(w, f.project));
    const core::Ticks added = f.minor * base::ticks_per_minor(currency);
    e.added_usd = base::format_minor(f.minor, currency);
    e.available_usd = base::format_usd(core::available(s.accounts[p.wallet]) + added, 2);
    return tell("credit.added", p.org, f.project, e);
  }
  std::optional<WebhookEvent> operator()(const core::CreditLow& f) const {
    CreditEvent e = credit_event(f.project);
    e.available_usd = base::format_usd(f.available, 2);
    e.dry_at = f.dry_at;
    return tell("credit.low", s.projects[f.project].org, f.project, e);
  }

  std::optional<WebhookEvent> operator()(const core::BudgetCrossed& f) const {
    for (const core::Budget& b : s.budgets) {
      if (b.id != f.budget) continue;
      BudgetEvent e;
      e.sequence = sequence;
      e.budget = base::format_id("bud", b.id);
      e.name = b.name;
      e.org = s.orgs[b.org].name;
      if (b.project != core::nobody) e.project = s.projects[b.project].name;
      if (!b.key.is_nil()) e.key = base::format_id("key", b.key);
      e.per = b.window;
      e.from = f.from;
      e.unit = budget_unit(s, b);
      e.percent = f.percent;
      e.counted = budget_amount(s, b, f.counted);
      e.limit = budget_amount(s, b, f.limit);
      e.block = b.blocks;
      e.stop = b.stops;
      return tell("budget.crossed", b.org, b.project, e);
    }
    return std::nullopt;
  }

  std::string minor(std::int64_t amount, const std::string& currency) const {
    const base::Currency* c = base::find_currency(currency);
    return c ? base::format_minor(amount, *c) : std::to_string(amount);
  }
  std::optional<WebhookEvent> operator()(const core::InvoiceIssued& f) const {
    const core::Invoice& i = f.invoice;
    InvoiceEvent e{sequence,   base::format_id("inv", i.id),       i.number, s.orgs[i.org].name,
                   i.currency, minor(i.payable_minor, i.currency), {}};
    const bool invoice = i.kind == core::InvoiceKind::invoice;
    if (invoice) e.due_at = i.due_at;
    return tell(invoice ? "invoice.issued" : "credit_note.issued", i.org, core::nobody, e);
  }
  std::optional<WebhookEvent> operator()(const core::PaymentRecorded& f) const {
    for (const core::Invoice& i : s.invoices) {
      if (i.id != f.payment.invoice) continue;
      const InvoiceEvent e{
          sequence,   base::format_id("inv", i.id),       i.number, s.orgs[i.org].name,
          i.currency, minor(f.payment.minor, i.currency), {}};
      return tell("payment.recorded", i.org, core::nobody, e);
    }
    return std::nullopt;
  }
};

}  // namespace

std::span<const std::string_view> webhook_event_types() { return types; }

std::optional<WebhookEvent> webhook_event(const core::World& before, const core::Fact& fact,
                                          std::uint64_t sequence) {
  return std::visit(EventTeller{before, fact.at, sequence}, fact.body);
}

bool hears(const core::Webhook& hook, const WebhookEvent& event) {
  if (!hook.enabled) return false;
  if (hook.project != core::nobody && hook.project != event.project) return false;
  if (hook.org != core::nobody && hook.org != event.org) return false;
  return hook.events.empty() ||
         std::find(hook.events.begin(), hook.events.end(), event.type) != hook.events.end();
}

}  // namespace ampacity::api
