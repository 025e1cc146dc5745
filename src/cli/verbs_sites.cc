// `fleet`, `fleet site …`.
#include <fmt/core.h>

#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

// "yes", "NO, since 14:05:00Z", "again: clearing"
Cell reach_of(const api::SiteView& s) {
  if (s.unknown_since)
    return {"UNKNOWN since " + moment(*s.unknown_since).substr(11, 8) + "Z", Tone::bad};
  if (s.clearing) return {"again; clearing", Tone::warn};
  return s.reachable ? Cell("yes", Tone::good) : Cell("not now", Tone::warn);
}

Cell state_of(const api::SiteView& s) {
  return {std::string(base::enum_name(s.state)),
          s.state == core::SiteState::active ? Tone::good : Tone::warn};
}

void say_next(Session& session, const api::SiteView& s) {
  if (s.next) session.notice(fmt::format("{}: {}", s.name, *s.next), Tone::warn);
  for (const auto& note : s.notes) session.notice(fmt::format("{}: {}", s.name, note));
}

int show(Session& session, const api::SiteView& s) {
  auto& t = session.terminal;
  Facts f = {{"site", s.name + (s.emulated ? " (emulated)" : "")},
             {"region", s.region},
             {"engine", s.engine},
             {"state", state_of(s)},
             {"reached", reach_of(s)}};
  if (s.fenced_at) f.push_back({"given up at", moment(*s.fenced_at) + " for what may move"});
  if (s.next) f.push_back({"next", *s.next});
  f.push_back({"nodes", std::to_string(s.nodes)});
  f.push_back({"GPUs free", fmt::format("{} of {}", s.gpus_free, s.gpus)});
  f.push_back({"jobs", s.jobs_moving
                           ? fmt::format("{}, of them {} that may move", s.jobs, s.jobs_moving)
                           : std::to_string(s.jobs)});
  if (s.url) f.push_back({"url", *s.url});
  if (s.token_file) f.push_back({"token", "in file " + *s.token_file});
  if (s.token_env) f.push_back({"token", "in variable " + *s.token_env});
  if (!s.options.empty()) f.push_back({"options", join(s.options, ", ")});
  f.push_back({"power", fmt::format("{} USD a kWh, PUE {}", s.power_usd_per_kwh, s.pue)});
  if (!s.volumes.empty()) f.push_back({"volumes", join(s.volumes, ", ")});
  t.out << render_facts(f, t.width, t.colour_out) << std::flush;
  for (const auto& note : s.notes) session.notice("note: " + note);
  return 0;
}

}  // namespace

int fleet_sites(Session& session) {
  int done = 0;
  const auto list = session.fetch<api::SiteList>("/v1/sites", done);
  if (!list) return done;
  Table table{{{"SITE"},
               {"REGION", Align::left, 0, 2},
               {"ENGINE", Align::left, 10, 4},
               {"STATE", Align::left, 0, 3},
               {"REACHED"},
               {"NODES", Align::right, 0, 1},
               {"JOBS", Align::right, 0, 5},
               {"GPUS FREE", Align::right},
               {"USD/KWH", Align::right, 0, 6},
               {"PUE", Align::right, 0, 6}},
              {}};
  for (const auto& s : list->items)
    table.rows.push_back({s.name + (s.emulated ? " (emulated)" : ""), s.region, s.engine,
                          state_of(s), reach_of(s), std::to_string(s.nodes), std::to_string(s.jobs),
                          fmt::format("{} of {}", s.gpus_free, s.gpus), s.power_usd_per_kwh,
                          s.pue});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  for (const auto& s : list->items) say_next(session, s);
  if (list->items.size() == 1)
    session.notice(
        "more: ampacity fleet site add NAME --engine slurm --url unix:/… · machines: "
        "ampacity fleet nodes");
  return 0;
}

int site_show(Session& session, const std::string& name) {
  int done = 0;
  const auto s = session.fetch<api::SiteView>("/v1/sites/" + escaped(name), done);
  return s ? show(session, *s) : done;
}

int site_add(Session& session, const api::SiteRequest& request) {
  int done = 0;
  const auto s = session.send<api::SiteView>("POST", "/v1/sites", base::to_json(request), done);
  if (!s) return done;
  session.terminal.out << fmt::format("site {} in {} is added; its engine is being reached\n",
                                      s->name, s->region)
                       << std::flush;
  session.notice(fmt::format(
      "look: ampacity fleet site show {0} · rent there: ampacity run --site {0} …", s->name));
  return 0;
}

int site_set(Session& session, const std::string& name, const api::SiteChange& change) {
  int done = 0;
  const auto s = session.send<api::SiteView>("PATCH", "/v1/sites/" + escaped(name),
                                             base::to_json(change), done);
  return s ? show(session, *s) : done;
}

int site_remove(Session& session, const std::string& name) {
  const auto body = session.call("DELETE", "/v1/sites/" + escaped(name));
  if (!body) return session.report(body.error());
  session.notice(fmt::format("site {} is removed; what it billed stays in the books", name));
  return 0;
}

}  // namespace ampacity::cli
