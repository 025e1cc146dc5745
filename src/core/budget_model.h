// What watches the money: budgets, and the webhooks that tell of what happens. Plain data.
// Money in ticks, GPU time in thousandths of a GPU-second.
#pragma once

#include "core/model.h"

namespace ampacity::core {

// What a budget counts in: calendar days, weeks (from Monday) and months of UTC; once: all of it.
enum class BudgetWindow { day, week, month, once };
BOOST_DESCRIBE_ENUM(BudgetWindow, day, week, month, once)

enum class BudgetUnit { money, gpu_time };
BOOST_DESCRIBE_ENUM(BudgetUnit, money, gpu_time)

// Of an org, of a project or of one key: what its work may use in a window (core/budget.h).
struct Budget {
  Id id;             // nil: a free slot in State::budgets
  std::string name;  // unique in the org
  OrgIx org = nobody;
  ProjectIx project = nobody;  // nobody: of the whole org
  Id key;                      // nil: whoever calls
  BudgetWindow window = BudgetWindow::month;
  BudgetUnit unit = BudgetUnit::money;
  std::int64_t limit = 0;
  std::vector<std::uint32_t> alerts;  // percents of the limit, ascending
  bool blocks = false;                // nothing new starts beyond it
  bool stops = false;                 // what runs is stopped, with its grace, inside it
  bool by_owner = false;              // an operator's: customers cannot change it
  Instant created_at;
  std::int64_t used = 0;  // once: by leases that have ended, since then
  // Thresholds that were reached in the window that began at `crossed_from`, ascending.
  Instant crossed_from;
  std::vector<std::uint32_t> crossed;
};
BOOST_DESCRIBE_STRUCT(Budget, (),
                      (id, name, org, project, key, window, unit, limit, alerts, blocks, stops,
                       by_owner, created_at, used, crossed_from, crossed))

// Somebody's endpoint that is told of what happens. Its secret is derived from its id, not kept.
struct Webhook {
  Id id;
  std::string url;
  std::vector<std::string> events;  // "job.ended"; empty: all
  OrgIx org = nobody;               // of one org or of one project only; neither: of all
  ProjectIx project = nobody;
  Instant created_at;
  bool enabled = true;
  std::string why;  // it is switched off
};
BOOST_DESCRIBE_STRUCT(Webhook, (), (id, url, events, org, project, created_at, enabled, why))

}  // namespace ampacity::core
