#include <algorithm>
#include <map>

#include "api/bind_ledger.h"
#include "api/problem.h"
#include "api/views.h"
#include "audit/audit.h"
#include "core/desire.h"
#include "core/meter.h"
#include "server/app.h"
#include "server/usage_sums.h"

namespace ampacity::server {
namespace {

void add_transfers(const core::World& w, const std::vector<store::TransferRow>& rows,
                   api::Receipt& receipt) {
  std::map<base::Id, core::Ticks> held;
  for (const auto& row : rows) {
    const core::Transfer& t = row.transfer;
    const core::TransferKind kind = core::kind_of(t);
    receipt.transfers.push_back({api::hex_id(t.id), row.at, std::string(base::enum_name(kind)),
                                 api::account_name(w, ledger::position_of(t.debit)),
                                 api::account_name(w, ledger::position_of(t.credit)), t.amount,
                                 base::format_usd(t.amount, 6), row.reason});
    if (kind == core::TransferKind::pending)
      held[t.id] = t.amount;
    else
      held.erase(t.pending_id);
    if (row.reason == "usage") receipt.posted_ticks += t.amount;
    if (row.reason == "correction") receipt.posted_ticks -= t.amount;
  }
  for (const auto& [id, amount] : held) receipt.held_ticks += amount;
}

}  // namespace

void App::job_receipt(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(
        api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
  const core::Job& job = found->job;
  const auto transfers = (*reader)->transfers(job.id);
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::Receipt receipt;
    receipt.job = core::job_name(job.id);
    receipt.name = job.name;
    receipt.project = w.state().projects[job.project].name;
    receipt.state = job.state;
    const auto add = [&](const core::Interval& interval) {  // a line for each of its prices
      for (const core::Interval& i : core::by_rates(interval))
        receipt.intervals.push_back(api::view_interval(w, i));
    };
    for (const core::Interval& i : job.intervals) add(i);
    if (job.lease && job.lease->started_at.us) {
      add(api::interval_so_far(job, clock_.now()));
      receipt.intervals.back().ended_at.reset();
    }
    for (const auto& i : receipt.intervals) receipt.total_ticks += i.amount_ticks;
    receipt.total_usd = base::format_usd(receipt.total_ticks, 6);
    receipt.currency = api::currency_of(w, job.project);
    const core::SkuIx sku = job.lease               ? job.lease->sku
                            : job.intervals.empty() ? job.demand.skus[0]
                                                    : job.intervals.back().sku;
    receipt.emulated = w.state().skus[sku].emulated;
    add_transfers(w, transfers, receipt);
    return base::to_json(receipt);
  })));
}

void App::usage(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const std::string_view by_text = c.target.param("by");
  const auto by = base::parse_enum<UsageBy>(by_text.empty() ? "project" : by_text);
  std::vector<base::Wrong> wrong;
  if (!by) wrong.push_back({"by", "must be project, user, sku or day"});
  base::Instant from{0}, to{INT64_MAX / 2};
  const auto instant = [&](const char* name, base::Instant& out) {
    const std::string_view text = c.target.param(name);
    if (text.empty()) return;
    const auto t = base::parse_instant(text.size() == 10 ? std::string(text) + "T00:00:00Z"
                                                         : std::string(text));
    if (t)
      out = *t;
    else
      wrong.push_back({name, "must be a day or an RFC 3339 time such as 2026-11-22T12:00:00Z"});
  };
  instant("from", from);
  instant("to", to);
  if (to < from) wrong.push_back({"to", "must not be before `from`"});
  if (!wrong.empty()) return r.send(api::problem_response(base::refusal_of(std::move(wrong))));

  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(
        api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
  auto sums = loop_.ask(
      [&](const core::World& w) { return UsageSums(w, *project, *by, from, to, clock_.now()); });
  // By end, so that what began before `to` and ended after it is there too.
  const auto read =
      (*reader)->each_ended(*project, from, base::Instant{INT64_MAX / 2},
                            [&](const store::UsageRow& row) { sums.add_closed(row); });
  if (!read)
    return r.send(
        api::problem_response({base::Code::unavailable, read.error().message, {}, {}, {}}));
  r.send(json_response(base::to_json(std::move(sums).result())));
}

// The auditor reads the store and shares no code with what wrote it; then its counters are compared
// with the living world's.
void App::check_ledger(Call&, net::Reply& r) {
  api::LedgerCheck check;
  check.holds = true;
  for (auto& f : audit::check_ledger(options_.store)) {
    check.holds &= f.holds;
    check.findings.push_back({f.check, f.holds, f.examined, f.detail});
  }
  r.send(json_response(base::to_json(check)));
}

void App::list_accounts(Call&, net::Reply& r) {
  r.send(json_response(
      loop_.ask([](const core::World& w) { return base::to_json(api::view_accounts(w)); })));
}

}  // namespace ampacity::server
