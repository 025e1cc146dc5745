// `ps`, `show`, `stop`, `offers`.
#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

Table job_table(const std::vector<api::JobView>& jobs, base::Instant now) {
  // HARDWARE is never cut: it says `emulated`.
  const std::string currency = currency_of(jobs);
  Table table{{{"NAME", Align::left, 6},
               {"STATE"},
               {"HARDWARE"},
               {"NODES", Align::left, 14, 4},
               {"CLASS", Align::left, 0, 6},
               {"AGE", Align::right, 0, 2},
               {"RAN", Align::right, 0, 1},
               {(currency.empty() ? "PRICE" : currency) + "/H", Align::right, 0, 3},
               {currency.empty() ? "COST" : "COST " + currency, Align::right, 0, 1},
               {"PROJECT", Align::left, 8, 5},
               {"ID", Align::left, 0, 7}},
              {}};
  for (const auto& j : jobs)
    table.rows.push_back({job_name(j),
                          state_cell(j),
                          hardware_short(j),
                          nodes_of(j),
                          std::string(base::enum_name(j.job_class)),
                          age(j.submitted_at, now),
                          ran_for(j, now),
                          j.price_usd_per_hour,
                          currency.empty() ? money(j.cost_usd, j.currency) : j.cost_usd,
                          j.project,
                          {j.id, Tone::dim}});
  return table;
}

std::string gpus_text(const std::vector<std::string>& gpus) {
  if (gpus.size() <= 2) return join(gpus, ", ");
  return fmt::format("{}, {}, … {} in all", gpus[0], gpus[1], gpus.size());
}

std::string or_dash(const std::optional<base::Instant>& t) { return t ? moment(*t) : "–"; }

// What it asked for beside hardware, and what became of it in the queue.
void add_wishes(const api::JobView& j, Facts& f) {
  if (const auto& p = j.placement) {
    if (!p->sites.empty()) f.push_back({"sites", join(p->sites, ", ")});
    if (p->together)
      f.push_back({"together", "in one " + std::string(base::enum_name(*p->together))});
    if (p->apart) f.push_back({"apart from", "other jobs labelled " + *p->apart});
  }
  if (j.site) f.push_back({"site", *j.site});
  if (j.if_site_lost)
    f.push_back({"if its site is lost", *j.if_site_lost == core::IfSiteLost::move
                                            ? "it starts again elsewhere"
                                            : "it waits"});
  if (j.reservation) f.push_back({"reservation", *j.reservation});
  if (j.max_price_usd)
    f.push_back({"max price", money(*j.max_price_usd, j.currency) + " per GPU-hour"});
  if (j.start_by) f.push_back({"start by", moment(*j.start_by)});
  if (j.expected_run_s)
    f.push_back({"expected", base::format_duration(base::Duration::seconds(*j.expected_run_s))});
  if (j.promise)
    f.push_back({"promised", fmt::format("a start by {}, {}", moment(j.promise->start_by),
                                         j.promise->certain ? "certainly" : "likely")});
  if (j.claimed_at) f.push_back({"claimed", "its GPUs, at " + moment(*j.claimed_at)});
  if (j.checkpoint_at) f.push_back({"saved at", moment(*j.checkpoint_at)});
  if (j.preemptions > 0) f.push_back({"preempted", fmt::format("{}×", j.preemptions)});
}

Facts facts_of(const api::JobView& j, base::Instant now) {
  Facts f = {{"name", j.name}, {"id", j.id}, {"state", state_cell(j)}, {"hardware", hardware(j)}};
  if (j.why && !j.why->empty()) f.push_back({"why", *j.why});
  if (j.gpus_per_node > 0)
    f.push_back({"per node", fmt::format("{} GPU, {} vCPU, {}", gpus_each(j), vcpus(j.cpu_milli),
                                         memory(j.memory_mib))});
  f.push_back({"image", j.image});
  if (!j.command.empty()) f.push_back({"command", command_line(j.command)});
  if (!j.volumes.empty()) f.push_back({"volumes", join(j.volumes, ", ")});
  f.push_back({"class", std::string(base::enum_name(j.job_class))});
  f.push_back({"project", j.project + (j.user.empty() ? "" : " (" + j.user + ")")});
  f.push_back({"submitted", moment(j.submitted_at)});
  f.push_back({"started", or_dash(j.started_at)});
  f.push_back({"ended", or_dash(j.ended_at)});
  if (j.started_at) f.push_back({"ran", ran_for(j, now)});
  if (j.generation > 1 || j.retries_left > 0)
    f.push_back({"generation", fmt::format("{}, {} retries left", j.generation, j.retries_left)});
  if (j.time_limit_s)
    f.push_back({"time limit", base::format_duration(base::Duration::seconds(*j.time_limit_s))});
  if (j.exit_code) f.push_back({"exit code", std::to_string(*j.exit_code)});
  f.push_back({"price", money(j.price_usd_per_hour, j.currency) + " per hour"});
  f.push_back({"billed", fmt::format("{} s, {}", j.billed_s, money(j.cost_usd, j.currency))});
  if (j.paid_until) f.push_back({"paid until", moment(*j.paid_until)});
  add_wishes(j, f);
  return f;
}

// All pages up to `limit` jobs; `more` if there were others.
Answer<std::vector<api::JobView>> list_jobs(Session& session, const PsOptions& o, bool& more) {
  std::vector<api::JobView> jobs;
  std::string cursor;
  const auto wanted = static_cast<std::size_t>(o.limit);
  for (more = true; more && jobs.size() < wanted;) {
    auto page = session.get<api::JobList>(with_query(
        "/v1/jobs", {{"all", o.all ? "1" : ""},
                     {"limit", std::to_string(std::min<std::size_t>(wanted - jobs.size(), 100))},
                     {"cursor", cursor},
                     {"project", o.project},
                     {"state", o.state}}));
    if (!page) return std::unexpected(page.error());
    for (auto& job : page->items) jobs.push_back(std::move(job));
    cursor = page->next_cursor.value_or("");
    more = !cursor.empty() && !page->items.empty();
  }
  return jobs;
}

}  // namespace

int ps(Session& session, const PsOptions& o) {
  auto& t = session.terminal;
  if (session.json) {
    const auto body =
        session.call("GET", with_query("/v1/jobs", {{"all", o.all ? "1" : ""},
                                                    {"limit", std::to_string(o.limit)},
                                                    {"project", o.project},
                                                    {"state", o.state}}));
    if (!body) return session.report(body.error());
    session.print_json(*body);
    return 0;
  }
  bool more = false;
  const auto jobs = list_jobs(session, o, more);
  if (!jobs) return session.report(jobs.error());
  if (jobs->empty()) {
    session.notice(o.all ? "no jobs yet: ampacity run --image IMAGE -- COMMAND"
                         : "no live jobs; ended ones: ampacity ps -a");
    return 0;
  }
  t.out << render(job_table(*jobs, t.clock.now()), t.width, t.colour_out) << std::flush;
  if (more) session.notice(fmt::format("… there are more: --limit {}", o.limit * 4));
  return 0;
}

int show(Session& session, const std::string& name) {
  int done = 0;
  const auto job = session.fetch<api::JobView>("/v1/jobs/" + escaped(name), done);
  if (!job) return done;
  auto& t = session.terminal;
  t.out << render_facts(facts_of(*job, t.clock.now()), t.width, t.colour_out);
  if (!job->ranks.empty()) {
    Table table{{{"RANK", Align::right},
                 {"NODE", Align::left, 8},
                 {"STATE"},
                 {"EXIT", Align::right},
                 {"GPUS", Align::left, 10}},
                {}};
    for (const auto& r : job->ranks)
      table.rows.push_back({std::to_string(r.rank), r.node, std::string(base::enum_name(r.state)),
                            r.exit_code ? std::to_string(*r.exit_code) : "", gpus_text(r.gpus)});
    t.out << "\n" << render(table, t.width, t.colour_out);
  }
  t.out << std::flush;
  return 0;
}

int stop(Session& session, const std::vector<std::string>& jobs) {
  int worst = 0;
  for (const auto& name : jobs) {
    const auto body = session.call("POST", "/v1/jobs/" + escaped(name) + "/stop");
    const auto job = Session::read<api::JobView>(body);
    if (!job)
      worst = session.report(
          {job.error().exit_code, (jobs.size() > 1 ? name + ": " : "") + job.error().text});
    else if (!session.print_json(*body))
      session.terminal.out << printable(job_name(*job)) << " " << state_cell(*job).text << "\n"
                           << std::flush;
  }
  return worst;
}

int offers(Session& session) {
  const auto body = session.call("GET", "/v1/offers");
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto list = Session::parse<api::OfferList>(*body);
  if (!list) return session.report(list.error());
  const std::string code = list->currency.value_or("USD");
  Table table{{{"SKU"},
               {"WHAT", Align::left, 12, 3},
               {"FREE", Align::right},
               {"NODES", Align::left, 0, 4},
               {code + "/GPU·H", Align::right},
               {"SPOT", Align::right},
               {code + "/VCPU·H", Align::right, 0, 1},
               {code + "/GIB·H", Align::right, 0, 2},
               {"SITES", Align::left, 0, 5},
               {"AVAILABLE", Align::left, 10}},
              {}};
  const auto sites_of = [](const api::Offer& o) {
    std::string text;
    for (const auto& s : o.sites)
      text += (text.empty() ? "" : ", ") + s.site +
              (s.region.empty() || s.region == s.site ? "" : " (" + s.region + ")") +
              (s.reachable ? "" : " UNREACHABLE");
    return text;
  };
  for (const auto& o : list->items) {
    const bool gpu = o.gpus_per_node > 0;
    const std::string free =
        gpu ? fmt::format("{} of {} GPUs", o.gpus_free, o.gpus_total)
            : fmt::format("{} vCPU, {}", vcpus(o.cpu_milli_free), memory(o.memory_mib_free));
    table.rows.push_back(
        {{o.sku + (o.emulated ? " (emulated)" : ""), Tone::bold},
         o.description,
         free,
         gpu ? fmt::format("{}×{}", o.nodes, o.gpus_per_node) : std::to_string(o.nodes),
         o.on_demand_usd_per_gpu_hour,
         o.spot_usd_per_gpu_hour,
         o.usd_per_vcpu_hour,
         o.usd_per_gib_hour,
         sites_of(o),
         {o.availability, o.availability == "now" ? Tone::good : Tone::warn}});
  }
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  for (const auto& note : list->notes) session.notice("note: " + note);
  return 0;
}

}  // namespace ampacity::cli
