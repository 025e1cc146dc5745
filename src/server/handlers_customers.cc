#include <algorithm>

#include "api/problem.h"
#include "api/views.h"
#include "base/currency.h"
#include "server/app.h"

namespace ampacity::server {
namespace {

// A body of T, or the problem is sent.
template <typename T>
std::optional<T> body_of(const Call& c, net::Reply& r) {
  auto body = base::from_json<T>(c.request.body);
  if (body) return std::move(*body);
  r.send(api::problem_response(body.error()));
  return std::nullopt;
}

bool named(const std::string& name, net::Reply& r) {
  if (api::is_name(name)) return true;
  r.send(api::problem_response(base::refusal_of(
      {{"name", "must be a-z, 0-9 and '-', begin with a letter, at most 63 characters"}})));
  return false;
}

net::Response only_own(std::string_view what, const std::string& name) {
  return api::problem_response({base::Code::forbidden,
                                "a customer's key may " + std::string(what) + ", " + name,
                                {},
                                {},
                                {}});
}

api::OrgView view_org(const core::Org& o) {
  return {base::format_id("org", o.id), o.name, o.created_at};
}
api::UserView view_user(const core::World& w, const core::User& u) {
  return {base::format_id("user", u.id), u.name, w.state().orgs[u.org].name, u.created_at};
}

}  // namespace

App::OwnNames App::own_names(const Caller& caller) {
  return loop_.ask([&](const core::World& w) {
    const core::Project& p = w.state().projects[caller.project];
    return OwnNames{w.state().orgs[p.org].name, p.name,
                    caller.user == core::nobody ? "" : w.state().users[caller.user].name};
  });
}

void App::create_org(Call& c, net::Reply& r) {
  const auto body = body_of<api::OrgRequest>(c, r);
  if (!body || !named(body->name, r)) return;
  Work work = work_of(c, r, core::CreateOrg{new_id(), body->name});
  work.respond = [](const core::World& w, base::Instant) {
    return json_response(base::to_json(view_org(w.state().orgs.back())), 201);
  };
  loop_.push(std::move(work));
}

void App::list_orgs(Call&, net::Reply& r) {
  r.send(json_response(loop_.ask([](const core::World& w) {
    api::OrgList list;
    for (const core::Org& o : w.state().orgs) list.items.push_back(view_org(o));
    return base::to_json(list);
  })));
}

void App::create_project(Call& c, net::Reply& r) {
  const auto body = body_of<api::ProjectRequest>(c, r);
  if (!body || !named(body->name, r)) return;
  Work work = work_of(c, r, core::CreateProject{new_id(), body->name, body->org});
  work.respond = [](const core::World& w, base::Instant now) {
    const auto ix = static_cast<core::ProjectIx>(w.state().projects.size() - 1);
    return json_response(base::to_json(api::view_project(w, ix, now)), 201);
  };
  loop_.push(std::move(work));
}

void App::list_projects(Call& c, net::Reply& r) {
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::ProjectList list;
    for (core::ProjectIx p = 0; p < w.state().projects.size(); ++p)
      if (c.caller.is_owner() || c.caller.project == p)
        list.items.push_back(api::view_project(w, p, clock_.now()));
    return base::to_json(list);
  })));
}

void App::create_user(Call& c, net::Reply& r) {
  const auto body = body_of<api::UserRequest>(c, r);
  if (!body || !named(body->name, r)) return;
  if (!c.caller.is_owner() && body->org != own_names(c.caller).org)
    return r.send(only_own("make people only of its own org", own_names(c.caller).org));
  Work work = work_of(c, r, core::CreateUser{new_id(), body->name, body->org});
  work.respond = [](const core::World& w, base::Instant) {
    return json_response(base::to_json(view_user(w, w.state().users.back())), 201);
  };
  loop_.push(std::move(work));
}

void App::list_users(Call& c, net::Reply& r) {
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::UserList list;
    for (const core::User& u : w.state().users)
      if (c.caller.is_owner() || u.org == w.state().projects[c.caller.project].org)
        list.items.push_back(view_user(w, u));
    return base::to_json(list);
  })));
}

void App::create_key(Call& c, net::Reply& r) {
  auto body = body_of<api::KeyRequest>(c, r);
  if (!body) return;
  if (!c.caller.is_owner()) {
    const OwnNames own = own_names(c.caller);
    if (body->role.value_or(core::Role::customer) != core::Role::customer ||
        body->project.value_or(own.project) != own.project)
      return r.send(only_own("make keys only of its own project", own.project));
    body->project = own.project;
    if (!body->user) body->user = own.user;
  }
  NewKey made = make_key(keys_.pepper());
  core::CreateKey command;
  command.key.id = new_id();
  command.key.lookup = made.lookup;
  command.key.hash = made.hash;
  std::vector<base::Wrong> wrong;
  if (body->sign_in) {
    const auto name = options_.desk ? options_.desk->plain_name(*body->sign_in) : std::nullopt;
    if (!c.caller.is_owner())
      wrong.push_back({"sign_in", "is for operators: they say who may sign in as whom"});
    else if (!options_.desk)
      wrong.push_back({"sign_in", "no sign-in provider is configured here (oidc-issuer)"});
    else if (!name)
      wrong.push_back({"sign_in", "cannot be what the provider's claim '" +
                                      options_.desk->provider().options().claim +
                                      "' says; at most 254 characters, no spaces"});
    else
      command.key.sign_in = *name;
    command.key.hash.clear();
    made.secret.clear();
  }
  command.key.role = body->role.value_or(core::Role::customer);
  command.key.label = body->label.value_or("").substr(0, 200);
  command.project = body->project.value_or("");
  command.user = body->user.value_or("");
  if (command.key.role == core::Role::customer) {
    if (!body->project) wrong.push_back({"project", "is required for a customer's key"});
    if (!body->user) wrong.push_back({"user", "is required for a customer's key"});
  } else {
    if (body->project) wrong.push_back({"project", "is not for an owner's key: it sees all"});
    if (body->user) wrong.push_back({"user", "is not for an owner's key"});
  }
  if (!wrong.empty()) return r.send(api::problem_response(base::refusal_of(std::move(wrong))));
  Work work = work_of(c, r, std::move(command));
  work.respond = [secret = made.secret](const core::World& w, base::Instant) {
    api::KeyView view = api::view_key(w, w.state().keys.back());
    if (!secret.empty()) view.secret = secret;
    return json_response(base::to_json(view), 201);
  };
  // What is kept for a repeat has no secret: it was shown once.
  work.redact = [](const std::string& shown) {
    auto view = base::from_json<api::KeyView>(shown);
    view->secret.reset();
    return base::to_json(*view);
  };
  loop_.push(std::move(work));
}

void App::list_keys(Call& c, net::Reply& r) {
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::KeyList list;
    for (const core::Key& k : w.state().keys)
      if (c.caller.is_owner() || k.project == c.caller.project)
        list.items.push_back(api::view_key(w, k));
    return base::to_json(list);
  })));
}

void App::revoke_key(Call& c, net::Reply& r) {
  const auto id = base::parse_id("key", c.arguments.at(0));
  // Somebody else's is answered as if it did not exist.
  const bool theirs = id && loop_.ask([&](const core::World& w) {
    return std::ranges::any_of(w.state().keys, [&](const core::Key& k) {
      return k.id == *id && (c.caller.is_owner() || k.project == c.caller.project);
    });
  });
  if (!theirs)
    return r.send(
        api::problem_response({base::Code::not_found, "there is no such key", {}, {}, {}}));
  Work work = work_of(c, r, core::RevokeKey{*id});
  work.respond = [](const core::World&, base::Instant) { return net::Response{204, "", "", {}}; };
  loop_.push(std::move(work));
}

void App::add_credit(Call& c, net::Reply& r) {
  const auto body = body_of<api::CreditRequest>(c, r);
  if (!body) return;
  const auto minor = loop_.ask([&](const core::World& w) {
    const auto project = w.project(body->project);
    const base::Currency* currency =
        project
            ? base::find_currency(w.state().orgs[w.state().projects[*project].org].billing.currency)
            : base::find_currency("USD");
    return base::parse_minor(body->amount, *currency);
  });
  if (!minor || *minor <= 0 || *minor > 10'000'000'000)
    return r.send(api::problem_response(base::refusal_of(
        {{"amount",
          "must be an amount such as \"25.00\", with no more decimals than the currency has, at "
          "most 100,000,000.00; got '" +
              body->amount.substr(0, 40) + "'"}})));
  Work work =
      work_of(c, r, core::AddCredit{body->project, *minor, body->note.value_or("").substr(0, 500)});
  work.respond = [name = body->project](const core::World& w, base::Instant now) {
    return json_response(base::to_json(api::view_project(w, *w.project(name), now)), 201);
  };
  loop_.push(std::move(work));
}

}  // namespace ampacity::server
