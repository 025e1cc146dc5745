#include "api/bind_sites.h"
#include "api/problem.h"
#include "api/views.h"
#include "server/app.h"
#include "server/site_factory.h"

namespace ampacity::server {
namespace {

net::Response no_site(const std::string& name) {
  return api::problem_response({base::Code::not_found, "there is no site " + name, {}, {}, {}});
}

}  // namespace

// With what is known of its engine this moment.
api::SiteView App::site_view(const core::World& w, core::SiteIx ix) const {
  api::SiteView v = api::view_site(w, ix, clock_.now());
  const bool own = w.state().sites[ix].url.empty();
  const auto engine = engine_.at(v.name);
  const auto health = engine ? engine->health() : engines::EngineHealth{};
  v.reachable = health.reachable;
  if (!health.kind.empty())
    v.engine = health.kind + (health.version.empty() ? "" : " " + health.version);
  v.notes = own ? notes_ : site_notes_ ? site_notes_(v.name) : std::vector<std::string>{};
  if (!own && !health.note.empty()) v.notes.push_back(health.note);
  return v;
}

void App::list_sites(Call&, net::Reply& r) {
  r.send(json_response(loop_.ask([this](const core::World& w) {
    api::SiteList all;
    for (core::SiteIx s = 0; s < w.state().sites.size(); ++s)
      if (!w.state().sites[s].removed) all.items.push_back(site_view(w, s));
    return base::to_json(all);
  })));
}

void App::show_site(Call& c, net::Reply& r) {
  const std::string name = c.arguments.at(0);
  const auto body = loop_.ask([&](const core::World& w) -> std::optional<std::string> {
    const auto ix = w.site(name);
    if (!ix) return std::nullopt;
    return base::to_json(site_view(w, *ix));
  });
  r.send(body ? json_response(*body) : no_site(name));
}

void App::add_site(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::SiteRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  auto command = api::bind_site(*body);
  if (!command) return r.send(api::problem_response(command.error()));
  if (const auto ok = check_site(command->site); !ok)
    return r.send(api::problem_response(ok.error()));
  const std::string name = body->name;
  Work work = work_of(c, r, std::move(*command));
  work.respond = [this, name](const core::World& w, base::Instant) {
    const auto ix = w.site(name);
    return ix ? json_response(base::to_json(site_view(w, *ix)), 201) : no_site(name);
  };
  loop_.push(std::move(work));
}

void App::change_site(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::SiteChange>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const std::string name = c.arguments.at(0);
  auto command = api::bind_site_change(name, *body);
  if (!command) return r.send(api::problem_response(command.error()));
  // As it would be.
  const auto after = loop_.ask([&](const core::World& w) -> std::optional<core::Site> {
    const auto ix = w.site(name);
    if (!ix) return std::nullopt;
    core::Site site = w.state().sites[*ix];
    site.url = command->url.value_or(site.url);
    site.credential = command->credential.value_or(site.credential);
    site.options = command->options.value_or(site.options);
    return site;
  });
  if (!after) return r.send(no_site(name));
  const bool connects = command->url || command->credential || command->options;
  if (const auto ok = check_site(*after); connects && !after->url.empty() && !ok)
    return r.send(api::problem_response(ok.error()));
  Work work = work_of(c, r, std::move(*command));
  work.respond = [this, name](const core::World& w, base::Instant) {
    const auto ix = w.site(name);
    return ix ? json_response(base::to_json(site_view(w, *ix))) : no_site(name);
  };
  loop_.push(std::move(work));
}

void App::remove_site(Call& c, net::Reply& r) {
  Work work = work_of(c, r, core::RemoveSite{c.arguments.at(0)});
  work.respond = [](const core::World&, base::Instant) { return net::Response{204, "", "", {}}; };
  loop_.push(std::move(work));
}

}  // namespace ampacity::server
