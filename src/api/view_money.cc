#include <fmt/core.h>

#include "api/views.h"
#include "core/meter.h"

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
  if (r.gpus)
    all.push_back(
        {"gpu " + sku, "GPU", r.gpus * r.gpu_milli, 1000, r.gpu_price, &core::Amounts::gpu});
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

std::vector<QuoteLine> quote_lines(const std::string& sku, const core::Rates& rates) {
  const core::Amounts hour = core::amounts_at(rates, 3600);
  std::vector<QuoteLine> lines;
  for (const Component& c : components(sku, rates))
    lines.push_back({c.name, decimal(c.quantity, c.per_unit), c.unit,
                     base::format_hourly_price(c.price), base::format_usd(hour.*c.amount, 4)});
  return lines;
}

std::string currency_code(const core::World& w, core::ProjectIx project) {
  return w.state().orgs[w.state().projects[project].org].billing.currency;
}

std::optional<std::string> currency_of(const core::World& w, core::ProjectIx project) {
  const std::string code = currency_code(w, project);
  return code == "USD" ? std::nullopt : std::optional(code);
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
                {},
                p.share.weight,
                currency_of(w, ix)};
  if (p.credit_low && w.burn[ix] > 0) {
    const Instant dry = now + base::Duration::seconds(core::available(a) / w.burn[ix]);
    v.warning = "credit is low: at today's rate nothing more can be held after " +
                base::format_instant({dry.us / 1'000'000 * 1'000'000});
  }
  return v;
}

std::string account_name(const core::World& w, core::AccountIx ix) {
  const core::Account& a = w.state().accounts[ix];
  return std::to_string(a.code) + " " + a.name;
}

AccountList view_accounts(const core::World& w) {
  AccountList list;
  for (core::AccountIx i = 0; i < w.state().accounts.size(); ++i) {
    const core::Account& a = w.state().accounts[i];
    list.items.push_back({i, a.code, a.name, ledger::ledger_name(a.ledger), a.debits_pending,
                          a.debits_posted, a.credits_pending, a.credits_posted});
  }
  return list;
}

}  // namespace ampacity::api
