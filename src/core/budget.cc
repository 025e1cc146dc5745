#include "core/budget.h"

#include <algorithm>

#include "base/check.h"
#include "core/meter.h"
#include "core/world.h"

namespace ampacity::core {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;
constexpr std::int64_t a_monday_us = 4 * day_us;  // 1970-01-05

std::int64_t amount_of(BudgetUnit unit, const Rates& r, std::int64_t from_s, std::int64_t to_s) {
  return unit == BudgetUnit::money ? cost_between(r, from_s, to_s)
                                   : (to_s - from_s) * r.gpus * r.gpu_milli;
}
// Of a lease or an interval, whatever its rates were on the way.
template <typename Priced>
std::int64_t amount_of(BudgetUnit unit, const Priced& p, std::int64_t from_s, std::int64_t to_s) {
  if (unit != BudgetUnit::money) return amount_of(unit, p.rates, from_s, to_s);
  return amounts_at(p.steps, p.rates, to_s).total() - amounts_at(p.steps, p.rates, from_s).total();
}

// Billed seconds of a lease that began at `started` before t, of `most`.
std::int64_t seconds_before(Instant started, Instant t, std::int64_t most) {
  return t <= started ? 0 : std::min((t - started).seconds_rounded_up(), most);
}

struct Part {
  std::int64_t within = 0;
  std::int64_t after = 0;
};
// Of a live lease, were it held up to `paid_s`.
Part part_of(const Budget& b, const Span& span, const Lease& l, std::int64_t paid_s) {
  if (l.pending_id == 0) return {};
  const bool open_end = span.until == forever;
  if (l.started_at.us == 0) {
    const std::int64_t all = amount_of(b.unit, l, 0, paid_s);
    return {all, open_end ? 0 : all};
  }
  const std::int64_t from = seconds_before(l.started_at, span.from, paid_s);
  const std::int64_t until = open_end ? paid_s : seconds_before(l.started_at, span.until, paid_s);
  return {amount_of(b.unit, l, from, until), amount_of(b.unit, l, until, paid_s)};
}

std::int64_t rate_of(const Budget& b, const Lease& l) {
  if (l.pending_id == 0) return 0;
  return b.unit == BudgetUnit::money ? burn_rate(l.rates) : l.rates.gpus * l.rates.gpu_milli;
}

bool is_in(const State& s, const Budget& b, const Job& job) {
  if (!b.key.is_nil()) return job.key == b.key;
  return b.project != nobody ? job.project == b.project : s.projects[job.project].org == b.org;
}

const Used& in_window(const Spent& spent, BudgetWindow w) {
  return w == BudgetWindow::day ? spent.day : w == BudgetWindow::week ? spent.week : spent.month;
}

// By leases that have ended, in a window that begins so.
std::int64_t posted_in(const State& s, const Budget& b, Instant from) {
  if (b.window == BudgetWindow::once) return b.used;
  const Spent* spent = nullptr;
  if (!b.key.is_nil()) {
    for (const Key& k : s.keys)
      if (k.id == b.key) spent = &k.spent;
  } else {
    spent = b.project != nobody ? &s.projects[b.project].spent : &s.orgs[b.org].spent;
  }
  if (!spent) return 0;
  const Used& used = in_window(*spent, b.window);
  if (used.window != from) return 0;
  return b.unit == BudgetUnit::money ? used.spend : used.gpu_milli_s;
}

void add_lease(BudgetUse& use, const Budget& b, const Lease& l, int sign) {
  const Part part = part_of(b, use.span, l, l.paid_s);
  use.held += sign * part.within;
  use.after += sign * part.after;
  use.rate += sign * rate_of(b, l);
}

BudgetUse measured(const State& s, const Budget& b, Instant now) {
  BudgetUse use;
  use.span = span_of(b.window, b.created_at, now);
  use.posted = posted_in(s, b, use.span.from);
  for (const Job& job : s.jobs)
    if (!job.id.is_nil() && job.lease && is_in(s, b, job)) add_lease(use, b, *job.lease, +1);
  return use;
}

// The smallest count that is `percent` of the limit.
std::int64_t reached_at(const Budget& b, std::uint32_t percent) {
  return static_cast<std::int64_t>((static_cast<base::Wide>(b.limit) * percent + 99) / 100);
}
bool has_fired(const Budget& b, const Span& span, std::uint32_t percent) {
  return b.crossed_from == span.from &&
         std::binary_search(b.crossed.begin(), b.crossed.end(), percent);
}

}  // namespace

Span span_of(BudgetWindow window, Instant created_at, Instant t) {
  switch (window) {
    case BudgetWindow::day: {
      const Instant from{t.us - t.us % day_us};
      return {from, {from.us + day_us}};
    }
    case BudgetWindow::week: {
      const Instant from{t.us - (t.us - a_monday_us) % (7 * day_us)};
      return {from, {from.us + 7 * day_us}};
    }
    case BudgetWindow::month:
      return {base::month_begin(t), base::month_plus(base::month_begin(t), 1)};
    case BudgetWindow::once:
      break;
  }
  return {created_at, forever};
}

void count_spent(Spent& spent, const Interval& i, Instant at) {
  const auto count = [&](Used& used, BudgetWindow window) {
    const Instant from = span_of(window, {}, at).from;
    if (used.window != from) used = {from, 0, 0};
    const std::int64_t begin = seconds_before(i.started_at, from, i.billed_s);
    used.gpu_milli_s += amount_of(BudgetUnit::gpu_time, i.rates, begin, i.billed_s);
    used.spend += amount_of(BudgetUnit::money, i, begin, i.billed_s);
  };
  if (burn_rate(i.rates) == 0) return;
  count(spent.day, BudgetWindow::day);
  count(spent.week, BudgetWindow::week);
  count(spent.month, BudgetWindow::month);
}

std::int64_t used_since(const Budget& b, const Interval& i) {
  if (burn_rate(i.rates) == 0) return 0;
  return amount_of(b.unit, i, seconds_before(i.started_at, b.created_at, i.billed_s), i.billed_s);
}

// ---- derived ------------------------------------------------------------------------------------

template <typename F>
void BudgetIndex::each(const State& s, const Payer& payer, F&& f) const {
  if (empty()) return;
  const auto visit = [&](const auto& lists, const auto& scope) {
    if (const auto at = lists.find(scope); at != lists.end())
      for (const std::uint32_t ix : at->second) f(ix);
  };
  visit(of_org_, s.projects[payer.project].org);
  visit(of_project_, payer.project);
  if (!payer.key.is_nil()) visit(of_key_, payer.key);
}

std::vector<std::uint32_t>& BudgetIndex::list_of(const Budget& b) {
  if (!b.key.is_nil()) return of_key_[b.key];
  return b.project != nobody ? of_project_[b.project] : of_org_[b.org];
}

void BudgetIndex::find_next() {
  next_until = {};
  for (const BudgetUse& u : use)
    if (u.span.until.us && u.span.until != forever &&
        (next_until.us == 0 || u.span.until < next_until))
      next_until = u.span.until;
}

void BudgetIndex::rebuild(const State& s, Instant now) {
  *this = {};
  use.resize(s.budgets.size());
  for (std::uint32_t ix = 0; ix < s.budgets.size(); ++ix) {
    const Budget& b = s.budgets[ix];
    if (b.id.is_nil()) continue;
    list_of(b).push_back(ix);
    use[ix].span = span_of(b.window, b.created_at, now);
  }
  for (const Job& job : s.jobs)
    if (!job.id.is_nil() && job.lease)
      each(s, payer_of(job),
           [&](std::uint32_t ix) { add_lease(use[ix], s.budgets[ix], *job.lease, +1); });
  for (std::uint32_t ix = 0; ix < s.budgets.size(); ++ix)
    if (!s.budgets[ix].id.is_nil()) refresh(s, ix);
  find_next();
}

void BudgetIndex::put(const State& s, std::uint32_t ix, Instant now) {
  use.resize(s.budgets.size());
  const Budget& b = s.budgets[ix];
  auto& list = list_of(b);
  const auto at = std::lower_bound(list.begin(), list.end(), ix);
  if (at == list.end() || *at != ix) list.insert(at, ix);
  use[ix] = measured(s, b, now);
  refresh(s, ix);
  find_next();
}

void BudgetIndex::remove(const State& s, std::uint32_t ix) {
  const Budget& b = s.budgets[ix];
  std::erase(list_of(b), ix);
  if (!b.key.is_nil())
    std::erase_if(of_key_, [](const auto& l) { return l.second.empty(); });
  else if (b.project != nobody)
    std::erase_if(of_project_, [](const auto& l) { return l.second.empty(); });
  else
    std::erase_if(of_org_, [](const auto& l) { return l.second.empty(); });
  use[ix] = {};
  due.erase(ix);
  find_next();
}

void BudgetIndex::count_lease(const State& s, const Job& job, int sign) {
  each(s, payer_of(job), [&](std::uint32_t ix) {
    add_lease(use[ix], s.budgets[ix], *job.lease, sign);
    if (sign > 0) refresh(s, ix);
  });
}

void BudgetIndex::refresh(const State& s, std::uint32_t ix) {
  const Budget& b = s.budgets[ix];
  BudgetUse& u = use[ix];
  u.posted = posted_in(s, b, u.span.from);
  const bool reached = std::any_of(b.alerts.begin(), b.alerts.end(), [&](std::uint32_t percent) {
    return u.counted() >= reached_at(b, percent) && !has_fired(b, u.span, percent);
  });
  if (reached)
    due.insert(ix);
  else
    due.erase(ix);
}

void BudgetIndex::refresh_of(const State& s, const Payer& payer) {
  each(s, payer, [&](std::uint32_t ix) { refresh(s, ix); });
}

void BudgetIndex::count_closed(State& s, const Payer& payer, const Interval& interval) {
  each(s, payer, [&](std::uint32_t ix) {
    if (Budget& b = s.budgets[ix]; b.window == BudgetWindow::once)
      b.used += used_since(b, interval);
  });
}

// ---- decisions ----------------------------------------------------------------------------------

BudgetUse use_at(const World& world, std::uint32_t ix, Instant now) {
  const BudgetUse& use = world.budgets.use[ix];
  return now < use.span.until ? use : measured(world.state(), world.state().budgets[ix], now);
}

std::int64_t used_by(const World& world, std::uint32_t ix, Instant now) {
  const State& s = world.state();
  const Budget& b = s.budgets[ix];
  const Span span = span_of(b.window, b.created_at, now);
  std::int64_t used = posted_in(s, b, span.from);
  for (const auto& [order, slot] : world.leased) {
    const Job& job = s.jobs[slot];
    const Lease& l = *job.lease;
    if (l.started_at.us == 0 || l.pending_id == 0 || !is_in(s, b, job)) continue;
    const std::int64_t to_s = seconds_before(l.started_at, now, l.paid_s);
    used += amount_of(b.unit, l, seconds_before(l.started_at, span.from, to_s), to_s);
  }
  return used;
}

BudgetUse& BudgetRoom::use(std::uint32_t ix) {
  const auto at = uses_.find(ix);
  return at != uses_.end() ? at->second : uses_.emplace(ix, use_at(world_, ix, now_)).first->second;
}

std::int64_t BudgetRoom::seconds(const Job& job, const Lease& after, std::int64_t from_s,
                                 std::int64_t most_s) {
  const State& s = world_.state();
  const Lease& l = *job.lease;
  world_.budgets.each(s, payer_of(job), [&](std::uint32_t ix) {
    const Budget& b = s.budgets[ix];
    if (!b.stops) return;
    const BudgetUse& u = use(ix);
    const Part own = part_of(b, u.span, l, l.paid_s);
    const auto fits = [&](std::int64_t seconds) {
      const Part part = part_of(b, u.span, after, from_s + seconds);
      return u.counted() - own.within + part.within <= b.limit &&
             u.after - own.after + part.after <= b.limit;
    };
    std::int64_t low = 0, high = most_s;  // it grows with the seconds: bisect
    while (low < high) {
      const std::int64_t middle = low + (high - low + 1) / 2;
      if (fits(middle))
        low = middle;
      else
        high = middle - 1;
    }
    most_s = low;
  });
  return most_s;
}

void BudgetRoom::held(const Job& job, const Lease& after, std::int64_t paid_s) {
  const State& s = world_.state();
  world_.budgets.each(s, payer_of(job), [&](std::uint32_t ix) {
    BudgetUse& u = use(ix);
    const Part before = part_of(s.budgets[ix], u.span, *job.lease, job.lease->paid_s);
    const Part now = part_of(s.budgets[ix], u.span, after, paid_s);
    u.held += now.within - before.within;
    u.after += now.after - before.after;
  });
}

bool within_budgets(const World& world, const Job& job, const Rates& rates, std::int64_t hold_s,
                    Instant now) {
  bool fits = true;
  world.budgets.each(world.state(), payer_of(job), [&](std::uint32_t ix) {
    const Budget& b = world.state().budgets[ix];
    if (!fits || !b.blocks || cost_between(rates, 0, hold_s) == 0) return;
    const BudgetUse u = use_at(world, ix, now);
    const std::int64_t want = amount_of(b.unit, rates, 0, hold_s);
    fits = u.counted() + want <= b.limit && u.after + want <= b.limit;
  });
  return fits;
}

std::optional<base::Refusal> over_budget(const World& world, const Job& job, const Rates& rates,
                                         std::int64_t hold_s, Instant now) {
  if (within_budgets(world, job, rates, hold_s, now)) return std::nullopt;
  base::Refusal r{base::Code::over_budget, "over budget: ", {}, {}, {}};
  bool never = false;
  Instant room;  // when all of them have some
  world.budgets.each(world.state(), payer_of(job), [&](std::uint32_t ix) {
    const Budget& b = world.state().budgets[ix];
    const BudgetUse u = use_at(world, ix, now);
    const std::int64_t want = amount_of(b.unit, rates, 0, hold_s);
    const std::int64_t left = b.limit - std::max(u.counted(), u.after);
    if (!b.blocks || want <= left) return;
    const bool money = b.unit == BudgetUnit::money;
    const auto text = [&](std::int64_t v) {
      return money ? money_text(world.state(), job.project, std::max<std::int64_t>(v, 0), 2)
                   : std::to_string(std::max<std::int64_t>(v, 0) / 3'600'000) + "." +
                         std::to_string(std::max<std::int64_t>(v, 0) / 360'000 % 10) + " GPU-hours";
    };
    r.message += (r.missing.empty() ? "" : "; ") + b.name + " has " + text(left) + " of " +
                 text(b.limit) + " left and this needs " + text(want) + " to start";
    r.missing.push_back(
        {money ? "budget_ticks" : "budget_gpu_milli_s", want, std::max<std::int64_t>(left, 0)});
    never |= want > b.limit || u.span.until == forever;
    room = std::max(room, u.span.until);
  });
  if (!never) {
    r.earliest = room;
    r.message += "; there is room again at " + base::format_instant(room);
  }
  return r;
}

std::vector<FactBody> crossings(const World& world) {
  std::vector<FactBody> facts;
  for (const std::uint32_t ix : world.budgets.due) {
    const Budget& b = world.state().budgets[ix];
    const BudgetUse& u = world.budgets.use[ix];
    for (const std::uint32_t percent : b.alerts)
      if (u.counted() >= reached_at(b, percent) && !has_fired(b, u.span, percent))
        facts.push_back(BudgetCrossed{b.id, u.span.from, percent, u.counted(), b.limit});
  }
  return facts;
}

}  // namespace ampacity::core
