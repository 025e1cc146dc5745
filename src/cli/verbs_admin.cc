// Who we are (`login`, `whoami`, no arguments) and who there is (`orgs`, `projects`, `users`,
// `keys`).
#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

// GET or POST, then the body as JSON or `show(T)`.
template <typename T, typename F>
int fetch(Session& session, const char* method, const std::string& target, std::string request,
          F show) {
  const auto body = session.call(method, target, std::move(request));
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto value = Session::parse<T>(*body);
  if (!value) return session.report(value.error());
  show(*value);
  session.terminal.out << std::flush;
  return 0;
}

std::string wallet_of(Session& session, const api::WhoAmI& me) {
  const auto list = session.get<api::ProjectList>("/v1/projects");
  if (!list) return "unknown";
  if (!me.project && list->items.size() > 1)
    return fmt::format("{} projects: ampacity projects ls", list->items.size());
  for (const auto& p : list->items)
    if (!me.project || p.name == *me.project)
      return fmt::format("{} ({}){}", money(p.wallet_usd, p.currency), p.name,
                         p.warning ? " · " + *p.warning : "");
  return {};
}

// What to type next; an operator of an empty cloud first needs somebody to rent.
std::string next_steps(const api::WhoAmI& me, bool empty_cloud) {
  if (me.role == core::Role::owner && empty_cloud)
    return "Nobody can rent here yet:\n"
           "  ampacity orgs add acme                         who pays\n"
           "  ampacity projects add demo --org acme          a wallet\n"
           "  ampacity credit add demo 25.00                 what it may spend\n"
           "  ampacity users add ann --org acme              a person\n"
           "  ampacity keys add --project demo --user ann    what she signs in with\n";
  const bool owner = me.role == core::Role::owner;
  return std::string(
             owner
                 ? "  ampacity run --project P --image I -- CMD  rent, run, follow the log\n"
                 : "  ampacity run --image IMAGE -- COMMAND      rent, run, pay by the second\n") +
         "  ampacity offers                            what can be had, at what price\n"
         "  ampacity ps -a                             jobs, ended ones too\n"
         "  ampacity --help                            everything there is\n";
}

int say_signed_out(Session& session) {
  session.terminal.out << "ampacity rents GPUs by the second. You are not signed in yet.\n\n"
                          "  ampacity login --url URL --key KEY   sign in (the cloud's operator "
                          "makes keys)\n"
                          "  ampacity login --key -               the key from standard input\n"
                          "  ampacity login --key - < FILE        an operator's first key: "
                          "ampacityd printed\n"
                          "                                       it, or kept it in its "
                          "--owner-key-file\n"
                          "  ampacity --help                      everything there is\n"
                       << std::flush;
  return 0;
}

}  // namespace

std::string identity(const api::WhoAmI& me) {
  if (me.role == core::Role::owner) return "owner of " + me.cloud;
  return fmt::format("{} in project {}{}", me.user.value_or("somebody"), me.project.value_or("?"),
                     me.org ? " of " + *me.org : "");
}

int welcome(Session& session) {
  if (session.config.key.empty()) return say_signed_out(session);
  const auto me = session.get<api::WhoAmI>("/v1/whoami");
  if (!me) return session.report(me.error());
  auto& t = session.terminal;
  Facts facts = {
      {"signed in", identity(*me)},
      {"cloud", fmt::format("{} · {} · {}", me->cloud, session.servers.url(), me->engine)}};
  const std::string wallet = wallet_of(session, *me);
  if (!wallet.empty()) facts.push_back({"wallet", wallet});
  const auto jobs = session.get<api::JobList>("/v1/jobs?limit=5");
  if (jobs && jobs->items.empty()) facts.push_back({"live jobs", "none"});
  if (jobs)
    for (const auto& j : jobs->items)
      facts.push_back({&j == &jobs->items.front() ? "live jobs" : "",
                       fmt::format("{} · {} · {} · {} so far", job_name(j), state_cell(j).text,
                                   hardware(j), money(j.cost_usd, j.currency))});
  t.out << render_facts(facts, t.width, t.colour_out) << "\n"
        << next_steps(*me, wallet.empty()) << std::flush;
  return 0;
}

int whoami(Session& session) {
  return fetch<api::WhoAmI>(session, "GET", "/v1/whoami", {}, [&](const api::WhoAmI& me) {
    auto& t = session.terminal;
    Facts facts = {{"role", std::string(base::enum_name(me.role))}};
    if (me.user) facts.push_back({"user", *me.user});
    if (me.project) facts.push_back({"project", *me.project});
    if (me.org) facts.push_back({"org", *me.org});
    facts.push_back({"cloud", fmt::format("{} · {}", me.cloud, session.servers.url())});
    facts.push_back({"server", me.version});
    facts.push_back({"engine", me.engine});
    t.out << render_facts(facts, t.width, t.colour_out);
  });
}

int print_version(Session& session) {
  auto& t = session.terminal;
  if (session.print_json(fmt::format(R"({{"version":"{}"}})", version))) return 0;
  t.out << "ampacity " << version << "\n" << std::flush;
  return 0;
}

int orgs_list(Session& session) {
  return fetch<api::OrgList>(session, "GET", "/v1/orgs", {}, [&](const api::OrgList& list) {
    Table table{{{"ORG"}, {"CREATED"}, {"ID", Align::left, 0, 1}}, {}};
    for (const auto& o : list.items)
      table.rows.push_back({o.name, moment(o.created_at), {o.id, Tone::dim}});
    print_table(session, table, "no orgs yet: ampacity orgs add NAME");
  });
}

int orgs_add(Session& session, const api::OrgRequest& request) {
  return fetch<api::OrgView>(session, "POST", "/v1/orgs", base::to_json(request),
                             [&](const api::OrgView& o) { session.terminal.out << o.id << "\n"; });
}

int projects_list(Session& session) {
  return fetch<api::ProjectList>(
      session, "GET", "/v1/projects", {}, [&](const api::ProjectList& list) {
        const std::string currency = currency_of(list.items);
        const auto title = [&](const std::string& what) {
          return currency.empty() ? what : what + " " + currency;
        };
        const auto shown = [&](const api::ProjectView& p, const std::string& amount) {
          return currency.empty() ? money(amount, p.currency) : amount;
        };
        Table table{{{"PROJECT"},
                     {"ORG"},
                     {title("WALLET"), Align::right},
                     {title("HELD"), Align::right},
                     {title("SPENT"), Align::right},
                     {"", Align::left, 10, 2},
                     {"ID", Align::left, 0, 1}},
                    {}};
        for (const auto& p : list.items)
          table.rows.push_back({p.name,
                                p.org,
                                shown(p, p.wallet_usd),
                                shown(p, p.held_usd),
                                shown(p, p.spent_usd),
                                {p.warning.value_or(""), Tone::warn},
                                {p.id, Tone::dim}});
        print_table(session, table,
                    "no projects yet: ampacity projects add NAME "
                    "--org ORG");
      });
}

int projects_add(Session& session, const api::ProjectRequest& request) {
  return fetch<api::ProjectView>(
      session, "POST", "/v1/projects", base::to_json(request),
      [&](const api::ProjectView& p) { session.terminal.out << p.id << "\n"; });
}

int users_list(Session& session) {
  return fetch<api::UserList>(session, "GET", "/v1/users", {}, [&](const api::UserList& list) {
    Table table{{{"USER"}, {"ORG"}, {"CREATED"}, {"ID", Align::left, 0, 1}}, {}};
    for (const auto& u : list.items)
      table.rows.push_back({u.name, u.org, moment(u.created_at), {u.id, Tone::dim}});
    print_table(session, table, "no users yet: ampacity users add NAME --org ORG");
  });
}

int users_add(Session& session, const api::UserRequest& request) {
  return fetch<api::UserView>(
      session, "POST", "/v1/users", base::to_json(request),
      [&](const api::UserView& u) { session.terminal.out << u.id << "\n"; });
}

int keys_list(Session& session) {
  return fetch<api::KeyList>(session, "GET", "/v1/keys", {}, [&](const api::KeyList& list) {
    Table table{{{"KEY"},
                 {"ROLE"},
                 {"PROJECT", Align::left, 8},
                 {"USER", Align::left, 8},
                 {"LABEL", Align::left, 8, 3},
                 {"CREATED", Align::left, 0, 2},
                 {"STATE"},
                 {"ID", Align::left, 0, 1}},
                {}};
    for (const auto& k : list.items)
      table.rows.push_back({k.sign_in.value_or(k.prefix),
                            std::string(base::enum_name(k.role)),
                            k.project.value_or(""),
                            k.user.value_or(""),
                            k.label,
                            moment(k.created_at),
                            k.revoked ? Cell("revoked", Tone::dim) : Cell("valid", Tone::good),
                            {k.id, Tone::dim}});
    print_table(session, table);
  });
}

int keys_add(Session& session, const api::KeyRequest& request) {
  return fetch<api::KeyView>(
      session, "POST", "/v1/keys", base::to_json(request), [&](const api::KeyView& k) {
        if (k.sign_in) {
          session.notice(fmt::format("{} {}; {} signs in to the console with it, by the provider",
                                     base::enum_name(k.role), k.id, *k.sign_in));
          session.terminal.out << k.id << "\n";
          return;
        }
        session.notice(
            fmt::format("{} {}; its secret is shown this once:", base::enum_name(k.role), k.id));
        session.terminal.out << k.secret.value_or("") << "\n";
      });
}

int keys_remove(Session& session, const std::string& id) {
  const auto body = session.call("DELETE", "/v1/keys/" + escaped(id));
  if (!body) return session.report(body.error());
  session.notice(fmt::format("key {} is revoked", id));
  return 0;
}

}  // namespace ampacity::cli
