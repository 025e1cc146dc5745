#include <algorithm>
#include <charconv>

#include "api/contract_doctor.h"
#include "api/problem.h"
#include "api/views.h"
#include "server/app.h"
#include "server/metrics.h"
#include "server/paging.h"

namespace ampacity::server {

// Through the loop, and only through it: a stuck loop is not healthy, busy workers are.
void App::healthz(Call&, net::Reply& r) {
  Work work;
  work.reply = std::move(r);
  work.respond = [this](const core::World& w, base::Instant) {
    api::Health health;
    health.live_jobs = w.live_jobs;
    health.engine_reachable = engine_.health().reachable;
    health.sequence = w.state().sequence;
    if (const Leadership* l = options_.leadership) {
      const auto leader = l->leader();
      health.role = loop_.leads() ? api::ServerRole::leader : api::ServerRole::follower;
      health.epoch = leader.epoch;
      if (!leader.url.empty()) health.leader = leader.url;
      health.lag_ms = l->lag().us / 1000;
    }
    return json_response(base::to_json(health));
  };
  loop_.push(std::move(work));
}

void App::openapi(Call&, net::Reply& r) { r.send(json_response(api::openapi_document())); }

LeadMeasure App::measure_lead() const {
  LeadMeasure m;
  m.sequence = loop_.sequence();
  if (!options_.leadership) return m;
  m.leads = loop_.leads() && options_.leadership->may_act();
  m.epoch = options_.leadership->leader().epoch;
  m.lag_s = static_cast<double>(options_.leadership->lag().us) / 1e6;
  return m;
}

void App::metrics(Call&, net::Reply& r) {
  const auto fleet = loop_.ask([](const core::World& w) { return measure(w); });
  r.send({200,
          "text/plain; version=0.0.4",
          metrics_text(fleet, loop_.counters(), engine_.health(), measure_lead()),
          {}});
}

void App::whoami(Call& c, net::Reply& r) {
  api::WhoAmI me;
  me.role = c.caller.role;
  if (!c.caller.sign_in.empty()) me.sign_in = c.caller.sign_in;
  me.cloud = options_.cloud;
  me.version = "0.1.0";
  const auto engine = engine_.health();
  me.engine = engine.kind + (engine.version.empty() ? "" : " " + engine.version) +
              (engine.reachable ? ""
               : loop_.leads()  ? " (not reachable)"
                                : " (this server follows)");
  if (!c.caller.is_owner())
    loop_.ask([&](const core::World& w) {
      const core::Project& p = w.state().projects[c.caller.project];
      me.project = p.name;
      me.org = w.state().orgs[p.org].name;
      me.user = w.state().users[c.caller.user].name;
      return 0;
    });
  r.send(json_response(base::to_json(me)));
}

namespace {

// What a customer must know of a site before choosing it.
std::vector<std::string> site_warnings(const core::World& w) {
  std::vector<std::string> all;
  for (const core::Site& s : w.state().sites)
    if (!s.removed && s.engine == "slurm")
      all.push_back("site " + s.name +
                    " runs plain processes, not containers: an image is not used there, volumes "
                    "are not mounted");
  return all;
}

}  // namespace

void App::offers(Call& c, net::Reply& r) {
  std::vector<std::string> warnings;
  auto list = loop_.ask([&](const core::World& w) {
    const bool owner = c.caller.is_owner();
    const auto org = owner ? core::nobody : w.state().projects[c.caller.project].org;
    warnings = site_warnings(w);
    return api::view_offers(w, org, clock_.now());
  });
  list.notes = notes_;
  list.notes.insert(list.notes.end(), warnings.begin(), warnings.end());
  if (loop_.leads() && !engine_.health().reachable)
    list.notes.push_back("the engine is not reachable now: what is rented waits to start");
  r.send(json_response(base::to_json(list)));
}

void App::list_nodes(Call& c, net::Reply& r) {
  std::size_t limit = 1000;
  const std::string_view limit_text = c.target.param("limit"), cursor = c.target.param("cursor");
  std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
  const auto shown = parse_node_cursor(cursor);
  if (!shown) return r.send(api::problem_response(base::refusal_of({{"cursor", cursor_form}})));
  limit = std::clamp<std::size_t>(limit, 1, 5000);
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::NodeList list;
    const std::size_t end = std::min(w.state().nodes.size(), *shown + limit);
    for (std::size_t n = *shown; n < end; ++n)
      list.items.push_back(api::view_node(w, static_cast<core::NodeIx>(n), clock_.now()));
    if (end < w.state().nodes.size()) list.next_cursor = std::to_string(end);
    return base::to_json(list);
  })));
}

void App::show_node(Call& c, net::Reply& r) {
  const std::string name = c.arguments.at(0);
  const auto view = loop_.ask([&](const core::World& w) -> std::optional<api::NodeView> {
    const auto n = w.node(name);
    if (!n) return std::nullopt;
    return api::view_node(w, *n, clock_.now());
  });
  if (!view)
    return r.send(
        api::problem_response({base::Code::not_found, "there is no node " + name, {}, {}, {}}));
  r.send(json_response(base::to_json(*view)));
}

void App::fleet(Call&, net::Reply& r) {
  r.send(json_response(base::to_json(loop_.ask(api::view_fleet_map))));
}

void App::fleet_live(Call& c, net::Reply& r) {
  auto stream = r.stream({200, "text/event-stream", "", {{"Cache-Control", "no-store"}}});
  lines_.add(c.caller, stream);
  stream->write(": the fleet of " + options_.cloud + "\n\n");
  if (!fleet_.follow(stream))
    stream->write("event: error\ndata: {\"detail\":\"too many followers\"}\n\n");
}

void App::change_node(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::NodeChange>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const std::string name = c.arguments.at(0);
  Work work = work_of(c, r, core::SetNodeState{name, body->state});
  work.respond = [name](const core::World& w, base::Instant now) {
    for (core::NodeIx n = 0; n < w.state().nodes.size(); ++n)
      if (w.state().nodes[n].name == name)
        return json_response(base::to_json(api::view_node(w, n, now)));
    return net::Response{404, "", "", {}};
  };
  loop_.push(std::move(work));
}

namespace {

std::optional<std::string> home_of(const core::World& w, const engines::VolumeSeen& v) {
  if (const auto home = w.volume_home(v.project, v.name)) return w.state().sites[*home].name;
  return v.site.empty() ? std::nullopt : std::optional(v.site);
}

}  // namespace

void App::list_volumes(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const auto volumes =
      engine_.volumes(*project == core::nobody ? std::nullopt : std::optional(*project));
  if (!volumes)
    return r.send(
        api::problem_response({base::Code::unavailable,
                               "the engine cannot be asked now: " + volumes.error().message,
                               {},
                               {},
                               {}}));
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::VolumeList list;
    for (const auto& v : *volumes) {
      if (v.project >= w.state().projects.size()) continue;
      if (*project != core::nobody && v.project != *project) continue;
      list.items.push_back({v.name, w.state().projects[v.project].name, v.used_bytes,
                            options_.volume_limit_bytes, v.in_use, home_of(w, v)});
    }
    return base::to_json(list);
  })));
}

void App::remove_volume(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  if (*project == core::nobody)
    return r.send(api::problem_response(
        base::refusal_of({{"project", "is required with an operator's key"}})));
  const std::string name = c.arguments.at(0);
  const auto volumes = engine_.volumes(*project);
  if (!volumes)
    return r.send(
        api::problem_response({base::Code::unavailable,
                               "the engine cannot be asked now: " + volumes.error().message,
                               {},
                               {},
                               {}}));
  const auto at = std::find_if(volumes->begin(), volumes->end(), [&](const auto& v) {
    return v.project == *project && v.name == name;
  });
  const bool lives =
      loop_.ask([&](const core::World& w) { return w.volume_home(*project, name).has_value(); });
  if (at == volumes->end() && !lives)
    return r.send(
        api::problem_response({base::Code::not_found, "there is no volume " + name, {}, {}, {}}));
  const bool wanted = loop_.ask([&](const core::World& w) {
    return std::any_of(w.state().jobs.begin(), w.state().jobs.end(), [&](const core::Job& j) {
      return !j.id.is_nil() && j.project == *project &&
             std::any_of(j.spec.volumes.begin(), j.spec.volumes.end(),
                         [&](const auto& m) { return m.volume == name; });
    });
  });
  if (wanted)
    return r.send(api::problem_response(
        {base::Code::conflict, "a live job uses volume " + name + "; stop it first", {}, {}, {}}));
  base::Try<void> removed;  // where no engine has it, only its home is forgotten
  if (at != volumes->end()) {
    const auto engine = engine_.at(at->site);
    if (engine)
      removed = engine->remove_volume(*project, name);
    else
      removed = base::fault("its site cannot be reached", true);
  }
  if (!removed) {
    const auto code =
        removed.error().status == 409 ? base::Code::conflict : base::Code::unavailable;
    return r.send(api::problem_response({code, removed.error().message, {}, {}, {}}));
  }
  Work forget = work_of(c, r, core::ForgetVolume{*project, name});
  forget.respond = [](const core::World&, base::Instant) { return net::Response{204, "", "", {}}; };
  loop_.push(std::move(forget));
}

}  // namespace ampacity::server
