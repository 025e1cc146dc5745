#include <algorithm>
#include <map>

#include "api/bind_ledger.h"
#include "api/problem.h"
#include "api/views.h"
#include "audit/audit.h"
#include "core/desire.h"
#include "core/meter.h"
#include "server/app.h"

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

// Usage of one interval inside [from, to): by cumulative seconds, so that parts add up exactly.
struct Part {
  std::int64_t seconds = 0;
  core::Ticks amount = 0;
};
Part part_of(const store::UsageRow& u, base::Instant from, base::Instant to) {
  const auto seconds_at = [&](base::Instant t) {
    if (t <= u.started_at) return std::int64_t{0};
    return std::min((t - u.started_at).seconds_rounded_up(), u.billed_s);
  };
  const std::int64_t a = seconds_at(from), b = seconds_at(to);
  return {b - a, core::cost_between(u.rates, a, b)};
}

void add(api::UsageRow& row, const store::UsageRow& u, const Part& part) {
  row.jobs += u.step == 0;
  row.gpu_milli_seconds += u.rates.gpus * u.rates.gpu_milli * part.seconds;
  row.vcpu_milliseconds_k += u.rates.cpu_milli * part.seconds;
  row.memory_mib_seconds += u.rates.memory_mib * part.seconds;
  row.amount_ticks += part.amount;
}

// Live leases as if they closed now.
std::vector<store::UsageRow> live_usage(const core::World& w, core::ProjectIx project,
                                        base::Instant now) {
  std::vector<store::UsageRow> rows;
  for (const auto& [order, slot] : w.leased) {
    const core::Job& job = w.state().jobs[slot];
    if ((project != core::nobody && job.project != project) || job.lease->started_at.us == 0)
      continue;
    store::add_usage(rows, w.state(), job, api::interval_so_far(job, now), 0);
  }
  return rows;
}

std::string key_of(const core::World& w, const store::UsageRow& u, const std::string& by) {
  const core::State& s = w.state();
  if (by == "project") return s.projects[u.project].name;
  if (by == "user") return u.user == core::nobody ? "owner" : s.users[u.user].name;
  return s.skus[u.sku].name;
}

// One row per day of UTC that the interval touches.
void add_days(std::map<std::string, api::UsageRow>& rows, const store::UsageRow& u,
              base::Instant from, base::Instant to) {
  constexpr std::int64_t day_us = 86'400'000'000;
  const base::Instant end{std::min(to.us, u.started_at.us + (u.billed_s + 1) * 1'000'000)};
  base::Instant t = std::max(from, u.started_at);
  do {
    const base::Instant next{(t.us / day_us + 1) * day_us};
    const Part part = part_of(u, t, std::min(next, to));
    if (part.seconds > 0 || u.billed_s == 0) add(rows[base::format_day(t)], u, part);
    t = next;
  } while (t < end);
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
  const std::string by(c.target.param("by").empty() ? "project" : c.target.param("by"));
  std::vector<base::Wrong> wrong;
  if (by != "project" && by != "user" && by != "sku" && by != "day")
    wrong.push_back({"by", "must be project, user, sku or day"});
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
  const auto live =
      loop_.ask([&](const core::World& w) { return live_usage(w, *project, clock_.now()); });
  // By end, so that what began before `to` and ended after it is there too.
  auto rows = (*reader)->usage(*project, from, base::Instant{INT64_MAX / 2});
  std::erase_if(rows, [&](const store::UsageRow& u) { return u.started_at >= to; });
  // A lease that closed between the two looks is in both: the closed one is true.
  for (const auto& l : live) {
    const bool closed = std::any_of(rows.begin(), rows.end(), [&](const store::UsageRow& u) {
      return u.job == l.job && u.generation == l.generation;
    });
    if (!closed) rows.push_back(l);
  }
  r.send(json_response(loop_.ask([&](const core::World& w) {
    std::map<std::string, api::UsageRow> sums;
    api::Usage usage;
    usage.by = by;
    usage.total.key = "total";
    for (const auto& u : rows) {
      const Part part = part_of(u, from, to);
      add(usage.total, u, part);
      if (by == "day")
        add_days(sums, u, from, to);
      else
        add(sums[key_of(w, u, by)], u, part);
    }
    const auto finish = [](api::UsageRow& row) {
      row.gpu_seconds = (row.gpu_milli_seconds + 500) / 1000;
      row.amount_usd = base::format_usd(row.amount_ticks, 6);
    };
    for (auto& [key, row] : sums) {
      row.key = key;
      finish(row);
      usage.rows.push_back(std::move(row));
    }
    finish(usage.total);
    return base::to_json(usage);
  })));
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
