// Capacity over time: `reserve`, `reservations`, `fleet drain|maintain|undrain|windows`; what may
// be used: `quotas`, `weight`, `policy`; `checkpoint`.
#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

Cell state_of(api::WindowState state) {
  return {std::string(base::enum_name(state)),
          state == api::WindowState::now ? Tone::good : Tone::plain};
}

}  // namespace

// ---- reservations -------------------------------------------------------------------------------

int reserve(Session& session, const api::ReservationRequest& request) {
  int done = 0;
  const auto v =
      session.send<api::ReservationView>("POST", "/v1/reservations", base::to_json(request), done);
  if (!v) return done;
  session.terminal.out << fmt::format("{}: {} {} on {} node{} kept for {} from {} until {}\n",
                                      v->name, v->gpus, v->sku, v->nodes.size(),
                                      v->nodes.size() == 1 ? "" : "s", v->project,
                                      to_the_second(v->from), to_the_second(v->until))
                       << std::flush;
  session.notice(
      fmt::format("run in it: ampacity run --reservation {0} … · give it up: ampacity "
                  "reservations rm {0}",
                  v->name));
  return 0;
}

int reservations_list(Session& session, const std::string& project) {
  int done = 0;
  const auto list = session.fetch<api::ReservationList>(
      with_query("/v1/reservations", {{"project", project}}), done);
  if (!list) return done;
  if (list->items.empty()) {
    session.notice("no reservations; make one: ampacity reserve h100:8 --from +1h --for 4h");
    return 0;
  }
  Table table{{{"NAME", Align::left, 8},
               {"GPUS"},
               {"STATE"},
               {"USED", Align::right},
               {"FROM"},
               {"UNTIL"},
               {"FOR", Align::right, 0, 3},
               {"NODES", Align::left, 12, 4},
               {"PROJECT", Align::left, 8, 2},
               {"ID", Align::left, 0, 1}},
              {}};
  for (const auto& r : list->items)
    table.rows.push_back({r.name,
                          fmt::format("{}:{}{}", r.sku, r.gpus_kept,
                                      r.gpus_kept < r.gpus ? fmt::format(" of {}", r.gpus) : ""),
                          state_of(r.state),
                          std::to_string(r.gpus_used),
                          to_the_second(r.from),
                          to_the_second(r.until),
                          base::format_duration(r.until - r.from),
                          join(r.nodes, ", "),
                          r.project,
                          {r.id, Tone::dim}});
  print_table(session, table);
  return 0;
}

int reservations_free(Session& session, const api::ReservationRequest& asked) {
  int done = 0;
  const auto list = session.fetch<api::FreeList>(
      with_query("/v1/reservations/free",
                 {{"sku", asked.gpus},
                  {"from", asked.from.value_or("")},
                  {"until", asked.until.value_or("")},
                  {"duration", asked.duration.value_or("")},
                  {"site", join(asked.sites.value_or(std::vector<std::string>{}), ",")},
                  {"across_sites", asked.across_sites.value_or(false) ? "1" : ""}}),
      done);
  if (!list) return done;
  Table table{{{"KIND"},
               {"FREE", Align::right},
               {"OF", Align::right, 0, 3},
               {"NODES", Align::right, 0, 2},
               {"FROM"},
               {"UNTIL"},
               {"FOR", Align::right},
               {"SITE", Align::left, 8, 1}},
              {}};
  bool joined = false;
  for (const auto& kind : list->items) {
    joined |= kind.joined;
    for (const auto& p : kind.pieces)
      table.rows.push_back({kind.emulated ? kind.sku + " (emulated)" : kind.sku,
                            {std::to_string(p.gpus), p.gpus ? Tone::good : Tone::dim},
                            std::to_string(kind.gpus_total),
                            std::to_string(p.nodes),
                            to_the_second(p.from),
                            to_the_second(p.until),
                            base::format_duration(p.until - p.from),
                            p.site.value_or("")});
  }
  print_table(session, table, "there are no GPUs to reserve");
  if (joined) session.notice("changes that stand close together are shown as one");
  for (const auto& kind : list->items)
    if (kind.all.gpus)
      session.notice(fmt::format("all of that time: ampacity reserve {}:{} --from {} --until {}",
                                 kind.sku, kind.all.gpus, base::format_instant(list->from),
                                 base::format_instant(list->until)));
  return 0;
}

int reservations_remove(Session& session, const std::string& name, const std::string& project) {
  const auto body = session.call(
      "DELETE", with_query("/v1/reservations/" + escaped(name), {{"project", project}}));
  if (!body) return session.report(body.error());
  session.notice(fmt::format("reservation {} is given up", name));
  return 0;
}

// ---- maintenance --------------------------------------------------------------------------------

namespace {

int maintain(Session& session, const api::MaintenanceRequest& request) {
  int done = 0;
  const auto v =
      session.send<api::MaintenanceView>("POST", "/v1/maintenance", base::to_json(request), done);
  if (!v) return done;
  std::string line = join(v->nodes, ", ");
  if (v->until)
    line += fmt::format(": maintenance from {} until {}", to_the_second(v->from),
                        to_the_second(*v->until));
  else
    line +=
        v->state == api::WindowState::now ? ": drains" : ": drains from " + to_the_second(v->from);
  if (v->jobs > 0)
    line += fmt::format("; {} job{} still on {}", v->jobs, v->jobs == 1 ? "" : "s",
                        v->nodes.size() == 1 ? "it" : "them");
  session.terminal.out << line << " · " << v->id << "\n" << std::flush;
  return 0;
}

}  // namespace

// One window a node, so that each returns by itself.
int fleet_drain(Session& session, const api::MaintenanceRequest& request) {
  int worst = 0;
  for (const std::string& node : request.nodes) {
    api::MaintenanceRequest one = request;
    one.nodes = {node};
    worst = std::max(worst, maintain(session, one));
  }
  return worst;
}

int fleet_maintain(Session& session, const api::MaintenanceRequest& request) {
  return maintain(session, request);
}

int fleet_windows(Session& session) {
  int done = 0;
  const auto list = session.fetch<api::MaintenanceList>("/v1/maintenance", done);
  if (!list) return done;
  if (list->items.empty()) {
    session.notice("no maintenance and no drains: ampacity fleet drain NODE");
    return 0;
  }
  Table table{{{"NODES", Align::left, 12},
               {"STATE"},
               {"FROM"},
               {"UNTIL"},
               {"JOBS", Align::right},
               {"NAME", Align::left, 8, 2},
               {"ID", Align::left, 0, 1}},
              {}};
  for (const auto& w : list->items)
    table.rows.push_back({join(w.nodes, ", "),
                          state_of(w.state),
                          to_the_second(w.from),
                          w.until ? to_the_second(*w.until) : "further notice",
                          std::to_string(w.jobs),
                          w.name,
                          {w.id, Tone::dim}});
  print_table(session, table);
  return 0;
}

// NODE or a window's id. A window over several nodes ends for all of them: that must be said.
int fleet_undrain(Session& session, const std::vector<std::string>& names) {
  int worst = 0;
  for (const std::string& name : names) {
    const auto list = session.get<api::MaintenanceList>("/v1/maintenance");
    if (!list) return session.report(list.error());
    int ended = 0;
    for (const auto& w : list->items) {
      const bool keeps = std::find(w.nodes.begin(), w.nodes.end(), name) != w.nodes.end();
      if (w.id != name && !keeps) continue;
      ++ended;
      if (w.id != name && w.nodes.size() > 1) {
        worst = session.report(
            {exit_refused,
             fmt::format("{} is kept together with {} other node{} by {}\n  hint: "
                         "end it for all of them: ampacity fleet undrain {}",
                         name, w.nodes.size() - 1, w.nodes.size() == 2 ? "" : "s", w.name, w.id)});
        continue;
      }
      if (const auto gone = session.call("DELETE", "/v1/maintenance/" + escaped(w.id)); !gone)
        worst = session.report(gone.error());
      else
        session.notice(fmt::format("{} take{} work again", join(w.nodes, ", "),
                                   w.nodes.size() == 1 ? "s" : ""));
    }
    if (ended == 0)
      worst = session.report({exit_refused, name + " is not drained and has no maintenance\n  "
                                                   "hint: ampacity fleet windows"});
  }
  return worst;
}

// ---- quotas, weights, policy --------------------------------------------------------------------

namespace {

std::string quota_path(const std::string& name, bool of_org) {
  return (of_org ? "/v1/orgs/" : "/v1/projects/") + escaped(name) + "/quota";
}

void show_quota(Session& session, const api::QuotaView& v) {
  auto& t = session.terminal;
  t.out << paint(v.project ? "project " + *v.project : "org " + v.org.value_or("?"), Tone::bold,
                 t.colour_out);
  if (v.window_s)
    t.out << fmt::format(" · hours and money per {}, this window until {}",
                         base::format_duration(base::Duration::seconds(*v.window_s)),
                         to_the_second(*v.window_until));
  t.out << "\n";
  Table table{{{"WHAT"},
               {"LIMIT", Align::right},
               {"USED", Align::right},
               {"COMMITTED", Align::right},
               {"LEFT", Align::right}},
              {}};
  for (const auto& l : v.lines) {
    const bool at_once = l.what.ends_with("gpus");
    std::string what = at_once ? l.what + " at once" : l.what;
    std::replace(what.begin(), what.end(), '_', ' ');
    table.rows.push_back({what,
                          l.limit.value_or("–"),
                          l.used,
                          at_once ? "" : l.committed,
                          {l.left.value_or("–"), l.left == "0" ? Tone::warn : Tone::plain}});
  }
  print_table(session, table);
}

}  // namespace

int quotas_show(Session& session, std::string name, bool of_org) {
  if (name.empty()) {
    const auto me = session.get<api::WhoAmI>("/v1/whoami");
    if (!me) return session.report(me.error());
    if (!me->project)
      return session.report({exit_refused,
                             "say whose: ampacity quotas show PROJECT, or ampacity "
                             "quotas show --org ORG"});
    name = *me->project;
  }
  int done = 0;
  const auto v = session.fetch<api::QuotaView>(quota_path(name, of_org), done);
  if (v) show_quota(session, *v);
  return done;
}

int quotas_set(Session& session, const QuotaOptions& o) {
  api::QuotaRequest request;
  for (const std::string& text : o.gpus) {  // "16" or "h100=8"
    const auto equals = text.find('=');
    const std::string sku = equals == std::string::npos ? "any" : text.substr(0, equals);
    request.gpus[sku] = equals == std::string::npos ? text : text.substr(equals + 1);
  }
  request.gpu_hours = o.gpu_hours;
  request.spend_usd = o.spend;
  request.window = o.window;
  const bool nothing = o.gpus.empty() && !o.gpu_hours && !o.spend && !o.window;
  if (nothing && !o.clear)
    return session.report({exit_refused,
                           "a limit is needed: --gpus 16, --gpus h100=8, --gpu-hours 100 "
                           "--window 30d, --spend 500 --window 30d\n  hint: no limits at all: "
                           "ampacity quotas clear " +
                               o.name});
  int done = 0;
  const auto v = session.send<api::QuotaView>("PUT", quota_path(o.name, o.of_org),
                                              base::to_json(request), done);
  if (v) show_quota(session, *v);
  return done;
}

int weight(Session& session, const std::string& project, std::optional<std::int64_t> value) {
  int done = 0;
  if (!value) {
    const auto list = session.fetch<api::ProjectList>("/v1/projects", done);
    if (!list) return done;
    for (const auto& p : list->items)
      if (p.name == project || p.id == project) {
        session.terminal.out << fmt::format("{}: weight {}\n", p.name, p.weight) << std::flush;
        return 0;
      }
    return session.report({exit_refused, "there is no project " + project});
  }
  const auto v =
      session.send<api::ProjectView>("PUT", "/v1/projects/" + escaped(project) + "/weight",
                                     base::to_json(api::WeightRequest{*value}), done);
  if (v) session.terminal.out << fmt::format("{}: weight {}\n", v->name, v->weight) << std::flush;
  return done;
}

int policy(Session& session, const std::optional<api::PolicyChange>& change) {
  int done = 0;
  const auto v =
      change ? session.send<api::PolicyView>("PATCH", "/v1/policy", base::to_json(*change), done)
             : session.fetch<api::PolicyView>("/v1/policy", done);
  if (!v) return done;
  const auto stretch = [](std::int64_t s) {
    return base::format_duration(base::Duration::seconds(s));
  };
  auto& t = session.terminal;
  const Facts facts = {
      {"order", std::string(base::enum_name(v->order))},
      {"promises per class", std::to_string(v->promises_per_class)},
      {"promises of spot", std::to_string(v->spot_promises)},
      {"half-life of past use", stretch(v->half_life_s)},
      {"credit held ahead", stretch(v->quantum_s)},
      {"grace of spot", stretch(v->spot_grace_s)},
      {"grace of house", stretch(v->house_grace_s)},
      {"cost of a restart", stretch(v->restart_cost_s)},
      {"a silent site is unknown after", stretch(v->site_unknown_s)},
      {"lease of work at such a site", stretch(v->site_lease_s)},
      {"grace after that", stretch(v->site_grace_s)},
  };
  t.out << render_facts(facts, t.width, t.colour_out) << std::flush;
  return 0;
}

// ---- checkpoint ---------------------------------------------------------------------------------

int checkpoint(Session& session, const std::string& job) {
  int done = 0;
  const auto v =
      session.send<api::JobView>("POST", "/v1/jobs/" + escaped(job) + "/checkpoint", {}, done);
  if (v)
    session.terminal.out << printable(job_name(*v)) << ": saved"
                         << (v->checkpoint_at ? " at " + to_the_second(*v->checkpoint_at) : "")
                         << "\n"
                         << std::flush;
  return done;
}

}  // namespace ampacity::cli
