// `fleet` and `volumes`.
#include <fmt/core.h>

#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {

int fleet_nodes(Session& session) {
  Table table{{{"NODE"},
               {"SITE", Align::left, 0, 3},
               {"SKU"},
               {"STATE"},
               {"GPUS FREE", Align::right},
               {"VCPU FREE", Align::right, 0, 2},
               {"MEMORY FREE", Align::right, 0, 1},
               {"JOBS", Align::right},
               {"RACK", Align::left, 0, 5},
               {"LEAF", Align::left, 0, 6},
               {"WHICH", Align::left, 30, 4}},
              {}};
  constexpr std::size_t rows_max = 100'000;
  std::string cursor;
  do {
    const auto body = session.call("GET", with_query("/v1/nodes", {{"cursor", cursor}}));
    const auto list = Session::read<api::NodeList>(body);
    if (!list) return session.report(list.error());
    if (session.print_json(*body)) return 0;
    for (const auto& n : list->items)
      table.rows.push_back(
          {n.name, n.site, n.sku + (n.emulated ? " (emulated)" : ""),
           Cell(std::string(base::enum_name(n.state)) + (n.kept ? ", " + *n.kept : ""),
                n.state == core::NodeState::active && !n.kept ? Tone::good : Tone::warn),
           n.gpus == 0 ? "–" : fmt::format("{} of {}", n.gpus_free, n.gpus),
           fmt::format("{} of {}", vcpus(n.cpu_milli_free), vcpus(n.cpu_milli)),
           fmt::format("{} of {}", memory(n.memory_mib_free), memory(n.memory_mib)),
           std::to_string(n.jobs.size()), n.rack.value_or(""), n.leaf.value_or(""),
           join(n.jobs, ", ")});
    cursor = list->items.empty() ? "" : list->next_cursor.value_or("");
  } while (!cursor.empty() && table.rows.size() < rows_max);
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  return 0;
}

int fleet_change(Session& session, const std::string& node, core::NodeState state) {
  const auto body =
      session.call("PATCH", "/v1/nodes/" + escaped(node), base::to_json(api::NodeChange{state}));
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto view = Session::parse<api::NodeView>(*body);
  if (!view) return session.report(view.error());
  const auto running = view->jobs.size();
  session.terminal.out << fmt::format(
                              "{}{} is {}{}\n", view->name, view->emulated ? " (emulated)" : "",
                              base::enum_name(view->state),
                              state == core::NodeState::cordoned && running > 0
                                  ? fmt::format("; {} job{} on it go{} on", running,
                                                running == 1 ? "" : "s", running == 1 ? "es" : "")
                                  : "")
                       << std::flush;
  return 0;
}

int volumes_list(Session& session) {
  const auto body = session.call("GET", "/v1/volumes");
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto list = Session::parse<api::VolumeList>(*body);
  if (!list) return session.report(list.error());
  if (list->items.empty()) {
    session.notice("no volumes; `ampacity run --volume NAME:/path …` makes one");
    return 0;
  }
  Table table{{{"VOLUME", Align::left, 10},
               {"PROJECT", Align::left, 8},
               {"USED", Align::right},
               {"LIMIT", Align::right},
               {"IN USE"},
               {"SITE", Align::left, 0, 1}},
              {}};
  for (const auto& v : list->items)
    table.rows.push_back({v.name, v.project, bytes(v.used_bytes), bytes(v.limit_bytes),
                          v.in_use ? "yes" : "", v.site.value_or("")});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  return 0;
}

int volumes_remove(Session& session, const std::string& name, const std::string& project) {
  const auto body =
      session.call("DELETE", with_query("/v1/volumes/" + escaped(name), {{"project", project}}));
  if (!body) return session.report(body.error());
  session.notice(fmt::format("volume {} is removed", name));
  return 0;
}

}  // namespace ampacity::cli
