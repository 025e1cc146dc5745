#include "api/bind_hooks.h"

#include <algorithm>

#include "api/webhook_event.h"
#include "api/when.h"
#include "base/currency.h"
#include "core/budget.h"

namespace ampacity::api {
namespace {

constexpr std::size_t most_name = 100;

bool take_suffix(std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.resize(text.size() - suffix.size());
  while (text.ends_with(' ')) text.pop_back();
  return true;
}

struct Limit {
  core::BudgetUnit unit = core::BudgetUnit::money;
  std::int64_t amount = 0;
  std::string currency;
};

// "500usd", "50000 JPY", "$500", "100gpuh", "100 gpu-hours".
std::optional<Limit> parse_limit(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  for (const std::string_view unit : {"GPU-HOURS", "GPU_HOURS", "GPUH"})
    if (take_suffix(text, unit)) {
      const auto milli = parse_milli(text, most_gpu_hours);
      if (!milli) return std::nullopt;
      return Limit{core::BudgetUnit::gpu_time, *milli * 3600, ""};
    }
  std::string code = "USD";
  if (text.starts_with('$'))
    text.erase(0, 1);
  else
    code = text.substr(text.size() - std::min<std::size_t>(3, text.size()));
  const base::Currency* currency = base::find_currency(code);
  if (!currency || (take_suffix(text, code), text.empty())) return std::nullopt;
  const auto minor = base::parse_minor(text, *currency);
  const auto ticks = minor ? base::multiply(*minor, base::ticks_per_minor(*currency)) : minor;
  if (!ticks) return std::nullopt;
  return Limit{core::BudgetUnit::money, *ticks, code};
}

}  // namespace

base::Result<BoundBudget> bind_budget(const BudgetRequest& r) {
  BoundBudget bound;
  core::SetBudget& c = bound.set;
  std::vector<base::Wrong> wrong;
  if (const auto limit = parse_limit(r.limit)) {
    c.budget.unit = limit->unit;
    c.budget.limit = limit->amount;
    bound.currency = limit->currency;
    if (limit->amount <= 0) wrong.push_back({"limit", "must be more than nothing"});
  } else {
    wrong.push_back({"limit", "must be money or GPU-hours such as 500usd or 100gpuh; got '" +
                                  r.limit.substr(0, 40) + "'"});
  }
  if (r.name && (r.name->empty() || r.name->size() > most_name))
    wrong.push_back({"name", "must be 1 to 100 characters"});
  if (int{r.org.has_value()} + int{r.project.has_value()} + int{r.key.has_value()} > 1)
    wrong.push_back({"project", "a budget is of one org, of one project or of one key"});
  for (const std::uint32_t percent : r.alerts)
    if (percent < 1 || percent > 1000)
      wrong.push_back({"alerts", "must be percents of the limit from 1 to 1000"});
  if (r.alerts.size() > 20) wrong.push_back({"alerts", "must be at most 20"});
  c.budget.stops = r.stop.value_or(false);
  c.budget.blocks = r.block.value_or(false) || c.budget.stops;
  if (r.alerts.empty() && !c.budget.blocks)
    wrong.push_back({"alerts", "it would do nothing: give alerts, block or stop"});
  c.budget.name = r.name.value_or("");
  c.budget.window = r.per;
  c.budget.alerts = r.alerts;
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return bound;
}

base::Result<core::AddWebhook> bind_webhook(const WebhookRequest& r) {
  core::AddWebhook c;
  std::vector<base::Wrong> wrong;
  const auto types = webhook_event_types();
  for (const std::string& event : r.events) {
    if (std::find(types.begin(), types.end(), event) != types.end()) continue;
    std::string known;
    for (const auto type : types) known += (known.empty() ? "" : ", ") + std::string(type);
    wrong.push_back(
        {"events", "there is no event '" + event.substr(0, 40) + "'; there are " + known});
    break;
  }
  if (r.project && r.org) wrong.push_back({"project", "is of a project or of an org, not of both"});
  c.webhook.url = r.url;
  c.webhook.events = r.events;
  auto& events = c.webhook.events;
  std::sort(events.begin(), events.end());
  events.erase(std::unique(events.begin(), events.end()), events.end());
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return c;
}

namespace {

const base::Currency& budget_currency(const core::State& s, const core::Budget& b) {
  return *base::find_currency(s.orgs[b.org].billing.currency);
}

}  // namespace

std::string budget_unit(const core::State& s, const core::Budget& b) {
  if (b.unit == core::BudgetUnit::gpu_time) return "gpu_hours";
  std::string code(budget_currency(s, b).code);
  for (char& c : code) c = static_cast<char>(c - 'A' + 'a');
  return code;
}

std::string budget_amount(const core::State& s, const core::Budget& b, std::int64_t amount) {
  if (b.unit == core::BudgetUnit::gpu_time) return format_decimal(amount, milli_s_per_gpu_hour);
  const base::Currency& currency = budget_currency(s, b);
  return base::format_minor(base::divide_half_up(amount, base::ticks_per_minor(currency)),
                            currency);
}

BudgetView view_budget(const core::World& w, std::uint32_t ix, Instant now) {
  const core::Budget& b = w.state().budgets[ix];
  const core::BudgetUse use = core::use_at(w, ix, now);
  const std::int64_t used = core::used_by(w, ix, now);
  BudgetView v;
  v.id = base::format_id("bud", b.id);
  v.name = b.name;
  v.org = w.state().orgs[b.org].name;
  if (b.project != core::nobody) v.project = w.state().projects[b.project].name;
  if (!b.key.is_nil()) v.key = base::format_id("key", b.key);
  v.per = b.window;
  v.unit = budget_unit(w.state(), b);
  const auto text = [&](std::int64_t amount) { return budget_amount(w.state(), b, amount); };
  v.limit = text(b.limit);
  v.used = text(used);
  v.held = text(std::max<std::int64_t>(0, use.counted() - used));
  v.left = text(std::max<std::int64_t>(0, b.limit - use.counted()));
  v.percent = static_cast<std::int64_t>(base::Wide{use.counted()} * 100 / b.limit);
  v.alerts = b.alerts;
  if (b.crossed_from == use.span.from) v.fired = b.crossed;
  v.block = b.blocks;
  v.stop = b.stops;
  v.by_operator = b.by_owner;
  v.from = use.span.from;
  if (use.span.until != core::forever) v.until = use.span.until;
  if (use.rate > 0 && used < b.limit) {
    const std::int64_t left_s = (b.limit - used) / use.rate;
    const std::int64_t most_s = (use.span.until - now).whole_seconds();
    if (left_s <= most_s) v.reached_at = now + base::Duration::seconds(left_s);
  }
  return v;
}

WebhookView view_webhook(const core::World& w, const core::Webhook& h) {
  WebhookView v;
  v.id = base::format_id("whk", h.id);
  v.url = h.url;
  v.events = h.events;
  if (h.project != core::nobody) v.project = w.state().projects[h.project].name;
  if (h.org != core::nobody) v.org = w.state().orgs[h.org].name;
  v.enabled = h.enabled;
  if (!h.enabled) v.why = h.why;
  v.created_at = h.created_at;
  return v;
}

}  // namespace ampacity::api
