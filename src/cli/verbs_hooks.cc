// Limits and alerts: `budgets`, `webhooks`.
#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

std::string amount(const api::BudgetView& b, const std::string& value) {
  std::string unit = b.unit;
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return value + (b.unit == "gpu_hours" ? " GPU-h" : " " + unit);
}

std::string per(const api::BudgetView& b) {
  return b.per == core::BudgetWindow::once ? "once" : "a " + std::string(base::enum_name(b.per));
}

// "50 80! 100, block": what has fired in this window has a mark.
std::string actions(const api::BudgetView& b) {
  std::string text;
  for (const std::uint32_t percent : b.alerts)
    text += (text.empty() ? "" : " ") + std::to_string(percent) +
            (std::find(b.fired.begin(), b.fired.end(), percent) != b.fired.end() ? "!" : "");
  if (!text.empty()) text += " %";
  const char* act = b.stop ? "stop" : b.block ? "block" : "";
  if (*act) text += (text.empty() ? "" : ", ") + std::string(act);
  return text;
}

}  // namespace

// ---- budgets ------------------------------------------------------------------------------------

int budgets_set(Session& session, const api::BudgetRequest& request) {
  int done = 0;
  const auto b = session.send<api::BudgetView>("PUT", "/v1/budgets", base::to_json(request), done);
  if (!b) return done;
  session.terminal.out << fmt::format("{}: {} {}, {} left until {}\n", b->name,
                                      amount(*b, b->limit), per(*b), amount(*b, b->left),
                                      b->until ? to_the_second(*b->until) : "it is used up")
                       << std::flush;
  return 0;
}

int budgets_list(Session& session, const std::string& project) {
  int done = 0;
  const auto list =
      session.fetch<api::BudgetList>(with_query("/v1/budgets", {{"project", project}}), done);
  if (!list) return done;
  if (list->items.empty()) {
    session.notice(
        "no budgets; make one: ampacity budgets set --project P --limit 500usd --per month "
        "--alert 50,80,100 --stop");
    return 0;
  }
  Table table{{{"BUDGET", Align::left, 8},
               {"OF", Align::left, 8, 2},
               {"LIMIT", Align::right},
               {"USED", Align::right},
               {"HELD", Align::right, 0, 3},
               {"LEFT", Align::right},
               {"%", Align::right},
               {"REACHED"},
               {"ALERTS", Align::left, 8, 1}},
              {}};
  for (const auto& b : list->items)
    table.rows.push_back({b.name,
                          b.key       ? "key of " + b.project.value_or("?")
                          : b.project ? *b.project
                                      : "org " + b.org,
                          amount(b, b.limit) + " " + per(b),
                          b.used,
                          b.held,
                          b.left,
                          {std::to_string(b.percent), b.percent >= 100  ? Tone::bad
                                                      : b.percent >= 80 ? Tone::warn
                                                                        : Tone::plain},
                          b.percent >= 100 ? "now"
                          : b.reached_at   ? to_the_second(*b.reached_at)
                                           : "–",
                          actions(b)});
  print_table(session, table);
  return 0;
}

int budgets_remove(Session& session, const std::string& name) {
  const auto body = session.call("DELETE", "/v1/budgets/" + escaped(name));
  if (!body) return session.report(body.error());
  session.notice(fmt::format("budget {} is removed", name));
  return 0;
}

// ---- webhooks -----------------------------------------------------------------------------------

int webhooks_add(Session& session, const api::WebhookRequest& request) {
  int done = 0;
  const auto w =
      session.send<api::WebhookView>("POST", "/v1/webhooks", base::to_json(request), done);
  if (!w) return done;
  session.notice(fmt::format("webhook {}; its secret is shown this once:", w->id));
  session.terminal.out << w->secret.value_or("") << "\n" << std::flush;
  session.notice(fmt::format("try it: ampacity webhooks test {}", w->id));
  return 0;
}

int webhooks_list(Session& session, const std::string& project) {
  int done = 0;
  const auto list =
      session.fetch<api::WebhookList>(with_query("/v1/webhooks", {{"project", project}}), done);
  if (!list) return done;
  if (list->items.empty()) {
    session.notice("no webhooks; make one: ampacity webhooks add https://… --events job.ended");
    return 0;
  }
  Table table{{{"WEBHOOK"},
               {"URL", Align::left, 16},
               {"EVENTS", Align::left, 8, 1},
               {"OF", Align::left, 6, 2},
               {"STATE", Align::left, 4}},
              {}};
  for (const auto& w : list->items)
    table.rows.push_back(
        {{w.id, Tone::dim},
         w.url,
         w.events.empty() ? "all" : join(w.events, ", "),
         w.project ? *w.project
         : w.org   ? "org " + *w.org
                   : "everything",
         w.enabled ? Cell("on", Tone::good) : Cell("off: " + w.why.value_or(""), Tone::bad)});
  print_table(session, table);
  return 0;
}

int webhooks_remove(Session& session, const std::string& id) {
  const auto body = session.call("DELETE", "/v1/webhooks/" + escaped(id));
  if (!body) return session.report(body.error());
  session.notice(fmt::format("webhook {} is removed", id));
  return 0;
}

int webhooks_enable(Session& session, const std::string& id) {
  int done = 0;
  const auto w =
      session.send<api::WebhookView>("POST", "/v1/webhooks/" + escaped(id) + "/enable", {}, done);
  if (w) session.notice(fmt::format("webhook {} is on", w->id));
  return done;
}

int webhooks_test(Session& session, const std::string& id) {
  int done = 0;
  const auto t =
      session.send<api::WebhookTest>("POST", "/v1/webhooks/" + escaped(id) + "/test", {}, done);
  if (!t) return done;
  if (t->delivered) {
    session.terminal.out << fmt::format("delivered {}: answered {}\n", t->id, t->status.value_or(0))
                         << std::flush;
    return 0;
  }
  return session.report({exit_refused, "it was not delivered: " + printable(t->why.value_or(""))});
}

int webhooks_deliveries(Session& session, const std::string& id, std::int64_t limit) {
  int done = 0;
  const auto list = session.fetch<api::DeliveryList>(
      with_query("/v1/webhooks/" + escaped(id) + "/deliveries", {{"limit", std::to_string(limit)}}),
      done);
  if (!list) return done;
  if (list->items.empty()) {
    session.notice("it was told nothing yet; try it: ampacity webhooks test " + id);
    return 0;
  }
  Table table{{{"WHEN"},
               {"EVENT"},
               {"STATE"},
               {"ATTEMPTS", Align::right},
               {"ANSWER", Align::right},
               {"NEXT", Align::left, 0, 2},
               {"WHY", Align::left, 8, 1}},
              {}};
  for (const auto& d : list->items)
    table.rows.push_back({to_the_second(d.created_at),
                          d.event,
                          {d.state, d.state == "delivered" ? Tone::good
                                    : d.state == "waiting" ? Tone::warn
                                                           : Tone::bad},
                          std::to_string(d.attempts),
                          d.status ? std::to_string(*d.status) : "–",
                          d.next_at ? to_the_second(*d.next_at) : "",
                          printable(d.why.value_or(""))});
  print_table(session, table);
  return 0;
}

}  // namespace ampacity::cli
