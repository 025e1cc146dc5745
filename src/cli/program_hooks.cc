// The words of `budgets` and `webhooks`.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/choice.h"

namespace ampacity::cli {
namespace {

void add_budgets(CLI::App& app, Choice& c) {
  auto* budgets = add_list(app, c, "budgets", "what may be spent or used in a window",
                           [&c](Session& s) { return budgets_list(s, c.where); });
  budgets->add_option("--project", c.where, "of one project (operators)");
  add(*budgets, c, "ls", "used, left, and when they are reached",
      [&c](Session& s) { return budgets_list(s, c.where); });
  auto* set = add(*budgets, c, "set", "make one, or change the one of that name", [&c](Session& s) {
    c.budget.per = base::parse_enum<core::BudgetWindow>(c.budget_window).value();
    return budgets_set(s, c.budget);
  });
  set->add_option("--limit", c.budget.limit, "500usd or 100gpuh")->required();
  set->add_option("--per", c.budget_window, "calendar day, week, month (UTC), or once")
      ->check(CLI::IsMember({"day", "week", "month", "once"}))
      ->capture_default_str();
  set->add_option("--project", c.budget.project, "of a project (operators)");
  set->add_option("--org", c.budget.org, "of a whole org (operators)");
  set->add_option("--key", c.budget.key, "of one key: key-06bx…");
  set->add_option("--alert", c.budget.alerts, "percents of the limit: 50,80,100")->delimiter(',');
  set->add_flag_callback(
      "--block", [&c] { c.budget.block = true; }, "nothing new starts beyond it");
  set->add_flag_callback(
      "--stop", [&c] { c.budget.stop = true; },
      "and what runs is stopped inside it, with its grace");
  set->add_option("--name", c.budget.name, "a name of your own");
  add(*budgets, c, "rm", "remove one", [&c](Session& s) { return budgets_remove(s, c.name); })
      ->add_option("BUDGET", c.name, "name or id")
      ->required();
}

void add_webhooks(CLI::App& app, Choice& c) {
  auto* hooks = add_list(app, c, "webhooks", "be told of what happens, over HTTPS",
                         [&c](Session& s) { return webhooks_list(s, c.where); });
  hooks->add_option("--project", c.where, "of one project (operators)");
  add(*hooks, c, "ls", "all of them", [&c](Session& s) { return webhooks_list(s, c.where); });
  auto* more = add(*hooks, c, "add", "make one; its secret is shown once",
                   [&c](Session& s) { return webhooks_add(s, c.webhook); });
  more->add_option("URL", c.webhook.url, "https://…, on the public Internet")->required();
  more->add_option("--events", c.webhook.events, "job.ended,budget.crossed…; default: all")
      ->delimiter(',');
  more->add_option("--project", c.webhook.project, "of one project only (operators)");
  more->add_option("--org", c.webhook.org, "of one org only (operators)");
  const auto of_one = [&c](CLI::App* verb) {
    verb->add_option("WEBHOOK", c.name, "its id")->required();
    return verb;
  };
  of_one(
      add(*hooks, c, "rm", "remove one", [&c](Session& s) { return webhooks_remove(s, c.name); }));
  of_one(add(*hooks, c, "test", "send it a signed webhook.test now",
             [&c](Session& s) { return webhooks_test(s, c.name); }));
  of_one(add(*hooks, c, "enable", "on again, after it was switched off",
             [&c](Session& s) { return webhooks_enable(s, c.name); }));
  of_one(add(*hooks, c, "deliveries", "what it was told, and what became of it",
             [&c](Session& s) { return webhooks_deliveries(s, c.name, c.delivery_limit); }))
      ->add_option("--limit", c.delivery_limit, "how many")
      ->check(CLI::Range(1, 500));
}

}  // namespace

void add_hook_verbs(CLI::App& app, Choice& c) {
  add_budgets(app, c);
  add_webhooks(app, c);
}

}  // namespace ampacity::cli
