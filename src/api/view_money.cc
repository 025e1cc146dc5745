#include <fmt/core.h>

#include <algorithm>

#include "api/views.h"
#include "core/decide.h"
#include "core/meter.h"
#include "core/place.h"
#include "core/settle.h"

namespace ampacity::api {
namespace {

std::string decimal(std::int64_t quantity, std::int64_t per_unit) {
  const auto milli = base::divide_half_up(static_cast<base::Wide>(quantity) * 1000, per_unit);
  std::string text = fmt::format("{}.{:03}", milli / 1000, milli % 1000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

struct Component {
  std::string name, unit;
  std::int64_t quantity, per_unit;
  core::Ticks price;
  core::Ticks core::Amounts::*amount;
};

std::vector<Component> components(const std::string& sku, const core::Rates& r) {
  std::vector<Component> all;
  if (r.gpus) all.push_back({"gpu " + sku, "GPU", r.gpus, 1, r.gpu_price, &core::Amounts::gpu});
  all.push_back({"vcpu", "vCPU", r.cpu_milli, 1000, r.vcpu_price, &core::Amounts::vcpu});
  all.push_back({"memory", "GiB", r.memory_mib, 1024, r.gib_price, &core::Amounts::memory});
  return all;
}

}  // namespace

ReceiptInterval view_interval(const core::World& w, const core::Interval& i) {
  ReceiptInterval v;
  v.generation = i.generation;
  v.started_at = i.started_at;
  v.ended_at = i.ended_at;
  v.observed_s = i.billed_s + i.waived_s;
  v.billed_s = i.billed_s;
  v.waived_s = i.waived_s;
  v.price_version = i.rates.price_version;
  for (const Component& c : components(w.state().skus[i.sku].name, i.rates)) {
    const core::Ticks amount = i.amounts.*c.amount;
    v.lines.push_back({c.name, decimal(c.quantity, c.per_unit), c.unit,
                       base::format_hourly_price(c.price), i.billed_s, amount,
                       base::format_usd(amount, 6)});
  }
  v.amount_ticks = i.amounts.total();
  v.amount_usd = base::format_usd(v.amount_ticks, 6);
  return v;
}

base::Result<Quote> view_quote(const core::World& w, const core::SubmitJob& submit, Instant now) {
  // The same decision a submission gets; a lack of credit is shown, not refused.
  auto decision = core::decide_submit(w, submit, now);
  if (!decision && decision.error().code != base::Code::insufficient_credit)
    return std::unexpected(std::move(decision.error()));
  Quote q;
  core::Demand demand;
  demand.nodes = submit.gpus ? submit.gpus->nodes : 1;
  demand.gpus_per_node = submit.gpus ? submit.gpus->gpus_per_node : 0;
  demand.cpu_milli = submit.cpu_milli;
  demand.memory_mib = submit.memory_mib;
  const core::PriceBook& book = *w.prices_at(now);
  std::optional<core::Rates> best;
  for (core::SkuIx s = 0; s < w.state().skus.size(); ++s) {
    const core::Sku& sku = w.state().skus[s];
    const bool named = submit.gpus && std::find(submit.gpus->skus.begin(), submit.gpus->skus.end(),
                                                sku.name) != submit.gpus->skus.end();
    const bool any = submit.gpus && submit.gpus->skus.empty() && sku.name != "cpu" &&
                     sku.gpu_memory_mib >= submit.gpus->least_memory_mib;
    if (submit.gpus ? !named && !any : sku.name != "cpu") continue;
    std::int64_t cpu = 0, memory = 0;
    core::fill_defaults(sku, demand, cpu, memory);
    const auto rates = core::rates_for(book, sku, submit.job.job_class, demand.nodes,
                                       demand.gpus_per_node, cpu, memory);
    if (!rates || (best && core::burn_rate(*best) <= core::burn_rate(*rates))) continue;
    best = rates;
    q.sku = sku.name;
    q.emulated = sku.emulated;
  }
  q.job_class = submit.job.job_class;
  q.price_version = book.version;
  const core::Amounts hour = core::amounts_at(*best, 3600);
  for (const Component& c : components(q.sku, *best))
    q.lines.push_back({c.name, decimal(c.quantity, c.per_unit), c.unit,
                       base::format_hourly_price(c.price), base::format_usd(hour.*c.amount, 4)});
  q.usd_per_hour = base::format_usd(hour.total(), 2);
  const std::int64_t hold_s = core::first_hold_s(submit.job.time_limit_s, submit.job.grace_s);
  q.hold_usd = base::format_usd(core::cost_between(*best, 0, hold_s), 4);
  const core::Project& project = w.state().projects[submit.job.project];
  q.wallet_usd = base::format_usd(core::available(w.state().accounts[project.wallet]), 4);
  q.starts_now = decision && decision->size() > 1;
  if (!decision)
    q.why = decision.error().message;
  else if (!q.starts_now)
    q.why = "no room now: it would wait its turn";
  return q;
}

ProjectView view_project(const core::World& w, core::ProjectIx ix, Instant now) {
  const core::Project& p = w.state().projects[ix];
  const core::Account& a = w.state().accounts[p.wallet];
  ProjectView v{base::format_id("prj", p.id),
                p.name,
                w.state().orgs[p.org].name,
                p.created_at,
                base::format_usd(core::available(a), 4),
                base::format_usd(a.debits_pending, 4),
                base::format_usd(a.debits_posted, 6),
                {}};
  if (p.credit_low && w.burn[ix] > 0) {
    const Instant dry = now + base::Duration::seconds(core::available(a) / w.burn[ix]);
    v.warning = "credit is low: at today's rate nothing more can be held after " +
                base::format_instant({dry.us / 1'000'000 * 1'000'000});
  }
  return v;
}

std::string ledger_name(core::LedgerKind kind) {
  return kind == core::LedgerKind::usd_tick ? "USD·tick" : "USD·cent";
}

std::string account_name(const core::World& w, core::AccountIx ix) {
  const core::Account& a = w.state().accounts[ix];
  return std::to_string(a.code) + " " + a.name;
}

AccountList view_accounts(const core::World& w) {
  AccountList list;
  for (core::AccountIx i = 0; i < w.state().accounts.size(); ++i) {
    const core::Account& a = w.state().accounts[i];
    list.items.push_back({i, a.code, a.name, ledger_name(a.ledger), a.debits_pending,
                          a.debits_posted, a.credits_pending, a.credits_posted});
  }
  return list;
}

}  // namespace ampacity::api
