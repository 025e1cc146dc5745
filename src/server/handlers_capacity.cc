#include <algorithm>

#include "api/bind_capacity.h"
#include "api/problem.h"
#include "api/view_free.h"
#include "api/views.h"
#include "server/app.h"

namespace ampacity::server {
namespace {

// "rsv-k3v9": enough of an id to tell windows apart where nobody gave a name.
std::string name_of(const std::string& given, const char* prefix, base::Id id) {
  return given.empty() ? prefix + base::format_bare_id(id).substr(20) : given;
}

bool is(const core::Window& w, core::WindowKind kind) { return !w.id.is_nil() && w.kind == kind; }

// The views of all windows that pass, by their start.
template <typename List, typename F>
List windows_of(const core::World& w, F view_if) {
  List list;
  for (const core::Window& window : w.state().windows)
    if (auto view = view_if(window)) list.items.push_back(std::move(*view));
  std::stable_sort(list.items.begin(), list.items.end(),
                   [](const auto& a, const auto& b) { return a.from < b.from; });
  return list;
}

}  // namespace

// ---- reservations -------------------------------------------------------------------------------

base::Result<base::Id> App::reservation_named(core::ProjectIx project, const std::string& text) {
  if (const auto id = base::parse_id("rsv", text)) return *id;
  const auto found = loop_.ask([&](const core::World& w) {
    std::vector<base::Id> ids;
    for (const core::Window& x : w.state().windows)
      if (is(x, core::WindowKind::reservation) && x.name == text &&
          (project == core::nobody || x.project == project))
        ids.push_back(x.id);
    return ids;
  });
  if (found.size() == 1) return found[0];
  if (found.empty())
    return base::refuse(base::Code::not_found,
                        "there is no reservation " + text + " now (see `ampacity reservations`)");
  std::string ids;
  for (const base::Id id : found) ids += (ids.empty() ? "" : ", ") + base::format_id("rsv", id);
  return base::refuse(base::Code::conflict,
                      "several reservations are named " + text + "; say which by its id: " + ids);
}

void App::reserve(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::ReservationRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const base::Instant now = clock_.now();
  auto command = api::bind_reservation(*body, now);
  if (!command) return r.send(api::problem_response(command.error()));
  if (!c.caller.is_owner() && body->project)
    return r.send(api::problem(base::Code::forbidden,
                               "a customer's key has its own project: leave `project` out"));
  if (c.caller.is_owner() && !body->project)
    return r.send(api::problem_response(
        base::refusal_of({{"project", "is required with an operator's key"}})));
  const auto project = project_named(c, body->project.value_or(""));
  if (!project) return r.send(api::problem_response(project.error()));
  command->project =
      loop_.ask([&](const core::World& w) { return w.state().projects[*project].name; });
  command->id = new_id();
  command->name = name_of(command->name, "rsv-", command->id);
  // "Now" is when the loop decides, a moment after it was read here.
  if (command->from <= now) {
    command->from = now + base::Duration::seconds(1);
    if (body->duration) command->until = command->until + base::Duration::seconds(1);
  }
  Work work = work_of(c, r, *command);
  work.respond = [id = command->id](const core::World& w, base::Instant at) {
    return json_response(base::to_json(api::view_reservation(w, *w.window(id), at)), 201);
  };
  loop_.push(std::move(work));
}

void App::list_reservations(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    return base::to_json(windows_of<api::ReservationList>(
        w, [&](const core::Window& x) -> std::optional<api::ReservationView> {
          if (!is(x, core::WindowKind::reservation)) return std::nullopt;
          if (*project != core::nobody && x.project != *project) return std::nullopt;
          return api::view_reservation(w, x, clock_.now());
        }));
  })));
}

// The loop only copies who has a right to what; it is cut into pieces here.
void App::free_to_reserve(Call& c, net::Reply& r) {
  const base::Instant now = clock_.now();
  const auto asked = api::bind_free(c.target, now);
  if (!asked) return r.send(api::problem_response(asked.error()));
  const auto rights =
      loop_.ask([&](const core::World& w) { return api::copy_rights(w, *asked, now); });
  if (!rights) return r.send(api::problem_response(rights.error()));
  r.send(json_response(base::to_json(api::view_free(*rights, *asked))));
}

void App::end_reservation(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const std::string text = c.arguments.at(0);
  const auto id = reservation_named(*project, text);
  if (!id) return r.send(api::problem_response(id.error()));
  const bool theirs = loop_.ask([&](const core::World& w) {
    const core::Window* x = w.window(*id);
    return x && is(*x, core::WindowKind::reservation) &&
           (*project == core::nobody || x->project == *project);
  });
  // Somebody else's is answered as if it did not exist.
  if (!theirs)
    return r.send(api::problem(base::Code::not_found, "there is no reservation " + text +
                                                          " now (see `ampacity reservations`)"));
  Work work = work_of(c, r, core::EndWindow{*id, "given up"});
  work.respond = [](const core::World&, base::Instant) { return net::Response{204, "", "", {}}; };
  loop_.push(std::move(work));
}

// ---- maintenance --------------------------------------------------------------------------------

void App::maintain(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::MaintenanceRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  auto command = api::bind_maintenance(*body, clock_.now());
  if (!command) return r.send(api::problem_response(command.error()));
  command->id = new_id();
  command->name =
      name_of(command->name, command->until.us ? "maintenance-" : "drain-", command->id);
  Work work = work_of(c, r, *command);
  work.respond = [id = command->id](const core::World& w, base::Instant at) {
    return json_response(base::to_json(api::view_maintenance(w, *w.window(id), at)), 201);
  };
  loop_.push(std::move(work));
}

void App::list_maintenance(Call&, net::Reply& r) {
  r.send(json_response(loop_.ask([&](const core::World& w) {
    return base::to_json(windows_of<api::MaintenanceList>(
        w, [&](const core::Window& x) -> std::optional<api::MaintenanceView> {
          if (!is(x, core::WindowKind::maintenance)) return std::nullopt;
          return api::view_maintenance(w, x, clock_.now());
        }));
  })));
}

void App::end_maintenance(Call& c, net::Reply& r) {
  const auto id = base::parse_id("win", c.arguments.at(0));
  const bool there = id && loop_.ask([&](const core::World& w) {
    const core::Window* x = w.window(*id);
    return x && is(*x, core::WindowKind::maintenance);
  });
  if (!there)
    return r.send(api::problem(base::Code::not_found,
                               "there is no such window now (see `ampacity fleet windows`)"));
  Work work = work_of(c, r, core::EndWindow{*id, "the operator ended it"});
  work.respond = [](const core::World&, base::Instant) { return net::Response{204, "", "", {}}; };
  loop_.push(std::move(work));
}

// ---- quotas, weights, policy --------------------------------------------------------------------

base::Result<core::ProjectIx> App::project_in_path(const Call& c) {
  const std::string& name = c.arguments.at(0);
  const auto ix = loop_.ask([&](const core::World& w) { return w.project(name); });
  if (!ix || (!c.caller.is_owner() && c.caller.project != *ix))
    return base::refuse(base::Code::not_found, "there is no project " + name);
  return *ix;
}

base::Result<core::OrgIx> App::org_in_path(const Call& c) {
  const std::string& name = c.arguments.at(0);
  const auto ix = loop_.ask([&](const core::World& w) { return w.find_org(name); });
  if (!ix) return base::refuse(base::Code::not_found, "there is no org " + name);
  return *ix;
}

void App::set_quota(Call& c, net::Reply& r, bool of_org) {
  const auto body = base::from_json<api::QuotaRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  auto command = api::bind_quota(*body);
  if (!command) return r.send(api::problem_response(command.error()));
  const auto whose = of_org ? org_in_path(c) : project_in_path(c);
  if (!whose) return r.send(api::problem_response(whose.error()));
  (of_org ? command->org : command->project) = c.arguments.at(0);
  Work work = work_of(c, r, std::move(*command));
  work.respond = [of_org, ix = *whose](const core::World& w, base::Instant now) {
    return json_response(base::to_json(of_org ? api::view_org_quota(w, ix, now)
                                              : api::view_project_quota(w, ix, now)));
  };
  loop_.push(std::move(work));
}

void App::set_project_quota(Call& c, net::Reply& r) { set_quota(c, r, false); }
void App::set_org_quota(Call& c, net::Reply& r) { set_quota(c, r, true); }

void App::project_quota(Call& c, net::Reply& r) {
  const auto project = project_in_path(c);
  if (!project) return r.send(api::problem_response(project.error()));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    return base::to_json(api::view_project_quota(w, *project, clock_.now()));
  })));
}

void App::org_quota(Call& c, net::Reply& r) {
  const auto org = org_in_path(c);
  if (!org) return r.send(api::problem_response(org.error()));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    return base::to_json(api::view_org_quota(w, *org, clock_.now()));
  })));
}

void App::set_weight(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::WeightRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const auto project = project_in_path(c);
  if (!project) return r.send(api::problem_response(project.error()));
  Work work = work_of(c, r, core::SetWeight{c.arguments.at(0), body->weight});
  work.respond = [ix = *project](const core::World& w, base::Instant now) {
    return json_response(base::to_json(api::view_project(w, ix, now)));
  };
  loop_.push(std::move(work));
}

void App::policy(Call&, net::Reply& r) {
  r.send(json_response(loop_.ask(
      [](const core::World& w) { return base::to_json(api::view_policy(w.state().policy)); })));
}

void App::change_policy(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::PolicyChange>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const auto policy =
      api::changed(loop_.ask([](const core::World& w) { return w.state().policy; }), *body);
  if (!policy) return r.send(api::problem_response(policy.error()));
  Work work = work_of(c, r, core::SetPolicy{*policy});
  work.respond = [](const core::World& w, base::Instant) {
    return json_response(base::to_json(api::view_policy(w.state().policy)));
  };
  loop_.push(std::move(work));
}

}  // namespace ampacity::server
