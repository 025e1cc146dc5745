// Budgets and webhooks.
#include <algorithm>

#include "api/bind_hooks.h"
#include "api/problem.h"
#include "server/app.h"
#include "server/webhooks.h"

namespace ampacity::server {
namespace {

net::Response gone(const core::World&, base::Instant) { return net::Response{204, "", "", {}}; }

int limit_of(const Call& c) {
  const std::string text(c.target.param("limit"));
  const int n = std::atoi(text.c_str());
  return n <= 0 ? 50 : std::min(n, 500);
}

// "demo-month-usd", "key-3f2a-day-gpuh".
std::string default_name(const core::World& w, const core::Budget& b) {
  std::string scope =
      b.project != core::nobody ? w.state().projects[b.project].name : w.state().orgs[b.org].name;
  for (const core::Key& k : w.state().keys)
    if (k.id == b.key && !b.key.is_nil()) scope = "key-" + k.lookup;
  return scope + "-" + std::string(base::enum_name(b.window)) +
         (b.unit == core::BudgetUnit::money ? "-" + api::budget_unit(w.state(), b) : "-gpuh");
}

}  // namespace

// ---- budgets ------------------------------------------------------------------------------------

// Whose budget it is to be; a customer's is of its own project or of one of its keys.
base::Result<void> App::scope_budget(const Call& c, const api::BudgetRequest& body,
                                     core::Budget& b) {
  b.by_owner = c.caller.is_owner();
  if (!b.by_owner && body.org)
    return base::refuse(base::Code::forbidden, "a budget of the whole org is the operator's");
  if (body.key) {
    const auto id = base::parse_id("key", *body.key);
    const auto project = loop_.ask([&](const core::World& w) {
      for (const core::Key& k : w.state().keys)
        if (id && k.id == *id && !k.revoked) return k.project;
      return core::nobody;
    });
    if (project == core::nobody || (!b.by_owner && project != c.caller.project))
      return base::refuse_field("key", "there is no such key of a project");
    b.key = *id;
    b.project = project;
  } else if (!body.org) {
    if (b.by_owner && !body.project)
      return base::refuse_field("project", "say whose: an org, a project or a key");
    const auto project = project_named(c, body.project.value_or(""));
    if (!project) return std::unexpected(project.error());
    b.project = *project;
    const bool another = !b.by_owner && body.project && loop_.ask([&](const core::World& w) {
      return w.project(*body.project) != std::optional(*project);
    });
    if (another) return base::refuse_field("project", "there is no project " + *body.project);
  }
  return loop_.ask([&](const core::World& w) -> base::Result<void> {
    if (body.org) {
      const auto org = w.find_org(*body.org);
      if (!org) return base::refuse_field("org", "there is no org " + *body.org);
      b.org = *org;
    } else {
      b.org = w.state().projects[b.project].org;
    }
    if (b.name.empty()) b.name = default_name(w, b);
    return {};
  });
}

void App::set_budget(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::BudgetRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  auto bound = api::bind_budget(*body);
  if (!bound) return r.send(api::problem_response(bound.error()));
  core::Budget& b = bound->set.budget;
  if (auto ok = scope_budget(c, *body, b); !ok) return r.send(api::problem_response(ok.error()));
  const std::string currency =
      loop_.ask([&](const core::World& w) { return w.state().orgs[b.org].billing.currency; });
  if (!bound->currency.empty() && bound->currency != currency)
    return r.send(api::problem_response(base::refusal_of(
        {{"limit", "the org is billed in " + currency + ", not in " + bound->currency}})));
  b.id = new_id();
  Work work = work_of(c, r, bound->set);
  work.respond = [org = b.org, name = b.name](const core::World& w, base::Instant now) {
    const auto& all = w.state().budgets;
    for (std::uint32_t ix = 0; ix < all.size(); ++ix)
      if (!all[ix].id.is_nil() && all[ix].org == org && all[ix].name == name)
        return json_response(base::to_json(api::view_budget(w, ix, now)));
    return api::problem(base::Code::not_found, "the budget is gone");
  };
  loop_.push(std::move(work));
}

void App::list_budgets(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::BudgetList list;
    const auto& all = w.state().budgets;
    for (std::uint32_t ix = 0; ix < all.size(); ++ix)
      if (!all[ix].id.is_nil() && (*project == core::nobody || all[ix].project == *project))
        list.items.push_back(api::view_budget(w, ix, clock_.now()));
    std::sort(list.items.begin(), list.items.end(), [](const auto& a, const auto& b) {
      return std::tie(a.org, a.name) < std::tie(b.org, b.name);
    });
    return base::to_json(list);
  })));
}

void App::remove_budget(Call& c, net::Reply& r) {
  const std::string text = c.arguments.at(0);
  const auto id = base::parse_id("bud", text);
  const auto found = loop_.ask([&](const core::World& w) {
    std::vector<base::Id> ids;
    for (const core::Budget& b : w.state().budgets)
      if (!b.id.is_nil() && (id ? b.id == *id : b.name == text) &&
          (c.caller.is_owner() || b.project == c.caller.project))
        ids.push_back(b.id);
    return ids;
  });
  if (found.size() > 1)
    return r.send(api::problem(base::Code::conflict, "several orgs have a budget named " + text +
                                                         "; say which by its id"));
  if (found.empty())
    return r.send(api::problem(base::Code::not_found,
                               "there is no budget " + text + " (see `ampacity budgets`)"));
  Work work = work_of(c, r, core::RemoveBudget{found[0], c.caller.is_owner()});
  work.respond = gone;
  loop_.push(std::move(work));
}

// ---- webhooks -----------------------------------------------------------------------------------

// Of the path; somebody else's is answered as if it did not exist.
base::Result<core::Webhook> App::webhook_in_path(const Call& c, std::string_view text) {
  const auto id = base::parse_id("whk", text);
  auto found = loop_.ask([&](const core::World& w) {
    std::optional<core::Webhook> hook;
    for (const core::Webhook& h : w.state().webhooks)
      if (id && h.id == *id && (c.caller.is_owner() || h.project == c.caller.project)) hook = h;
    return hook;
  });
  if (found) return std::move(*found);
  return base::refuse(base::Code::not_found,
                      "there is no webhook " + std::string(text) + " (see `ampacity webhooks`)");
}

void App::add_webhook(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::WebhookRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  auto command = api::bind_webhook(*body);
  if (!command) return r.send(api::problem_response(command.error()));
  if (const auto ok = webhooks_.check(body->url); !ok)
    return r.send(api::problem_response(ok.error()));
  core::Webhook& hook = command->webhook;
  if (!c.caller.is_owner() && (body->org || body->project))
    return r.send(
        api::problem(base::Code::forbidden,
                     "a customer's key has its own project: leave `project` and `org` out"));
  if (!c.caller.is_owner() || body->project) {
    const auto project = project_named(c, body->project.value_or(""));
    if (!project) return r.send(api::problem_response(project.error()));
    hook.project = *project;
  } else if (body->org) {
    const auto org = loop_.ask([&](const core::World& w) { return w.find_org(*body->org); });
    if (!org)
      return r.send(
          api::problem_response(base::refusal_of({{"org", "there is no org " + *body->org}})));
    hook.org = *org;
  }
  hook.id = new_id();
  const std::string secret = shown_secret(webhooks_.secret_of(hook.id));
  Work work = work_of(c, r, *command);
  work.respond = [secret](const core::World& w, base::Instant) {
    api::WebhookView view = api::view_webhook(w, w.state().webhooks.back());
    view.secret = secret;
    return json_response(base::to_json(view), 201);
  };
  // What is kept for a repeat has no secret: it was shown once.
  work.redact = [](const std::string& shown) {
    auto view = base::from_json<api::WebhookView>(shown);
    view->secret.reset();
    return base::to_json(*view);
  };
  loop_.push(std::move(work));
}

void App::list_webhooks(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::WebhookList list;
    for (const core::Webhook& h : w.state().webhooks)
      if (*project == core::nobody || h.project == *project)
        list.items.push_back(api::view_webhook(w, h));
    return base::to_json(list);
  })));
}

void App::remove_webhook(Call& c, net::Reply& r) {
  const auto hook = webhook_in_path(c, c.arguments.at(0));
  if (!hook) return r.send(api::problem_response(hook.error()));
  Work work = work_of(c, r, core::RemoveWebhook{hook->id});
  work.respond = gone;
  loop_.push(std::move(work));
}

void App::enable_webhook(Call& c, net::Reply& r) {
  const auto hook = webhook_in_path(c, c.arguments.at(0));
  if (!hook) return r.send(api::problem_response(hook.error()));
  Work work = work_of(c, r, core::SwitchWebhook{hook->id, true, ""});
  work.respond = [id = hook->id](const core::World& w, base::Instant) {
    for (const core::Webhook& h : w.state().webhooks)
      if (h.id == id) return json_response(base::to_json(api::view_webhook(w, h)));
    return api::problem(base::Code::not_found, "the webhook is gone");
  };
  loop_.push(std::move(work));
}

void App::test_webhook(Call& c, net::Reply& r) {
  const auto hook = webhook_in_path(c, c.arguments.at(0));
  if (!hook) return r.send(api::problem_response(hook.error()));
  api::WebhookTest test;
  test.id = "msg_test_" + base::format_bare_id(new_id());
  const auto sent = webhooks_.send(
      *hook, test.id,
      "{\"type\":\"webhook.test\",\"timestamp\":\"" + base::format_instant(clock_.now()) +
          "\",\"data\":{\"webhook\":\"" + base::format_id("whk", hook->id) + "\"}}");
  test.delivered = sent.ok;
  if (sent.status) test.status = sent.status;
  if (!sent.ok) test.why = sent.why;
  r.send(json_response(base::to_json(test)));
}

void App::list_deliveries(Call& c, net::Reply& r) {
  const auto hook = webhook_in_path(c, c.arguments.at(0));
  if (!hook) return r.send(api::problem_response(hook.error()));
  auto reader = store::DeliveryReader::open(options_.store);
  if (!reader) return r.send(api::problem(base::Code::unavailable, reader.error().message));
  api::DeliveryList list;
  for (const store::Delivery& d : reader->latest(hook->id, limit_of(c))) {
    api::DeliveryView v;
    v.id = message_id(d.webhook, d.sequence);
    v.webhook = base::format_id("whk", d.webhook);
    v.event = d.event;
    v.sequence = d.sequence;
    v.state = std::string(base::enum_name(d.state));
    v.attempts = d.attempts;
    v.created_at = d.created_at;
    if (d.state == store::DeliveryState::waiting)
      v.next_at = d.next_at;
    else
      v.done_at = d.done_at;
    if (d.status) v.status = d.status;
    if (!d.why.empty()) v.why = d.why;
    list.items.push_back(std::move(v));
  }
  r.send(json_response(base::to_json(list)));
}

}  // namespace ampacity::server
