#include "server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <bit>

namespace ampacity::server {

FleetMeasure measure(const core::World& w) {
  FleetMeasure m;
  for (core::NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    if (w.state().nodes[n].state == core::NodeState::absent) continue;
    ++m.nodes;
    m.gpus += static_cast<std::uint32_t>(w.state().nodes[n].gpus.size());
    m.gpus_leased += static_cast<std::uint32_t>((w.state().nodes[n].gpus.size() - w.free_gpus(n)));
  }
  for (const core::Job& j : w.state().jobs) {
    if (j.id.is_nil()) continue;
    m.queued += j.state == core::JobState::queued;
    m.starting += j.state == core::JobState::starting;
    m.running += j.state == core::JobState::running;
    m.stopping += j.state == core::JobState::stopping;
  }
  for (const core::Site& site : w.state().sites)
    if (!site.removed) m.sites.emplace_back(site.name, site.unknown_since.us == 0);
  core::Ticks burn = 0;
  for (const core::Ticks b : w.burn) burn += b;
  m.revenue_usd_per_hour = static_cast<double>(burn) * 3600 / base::ticks_per_usd;
  return m;
}

std::string metrics_text(const FleetMeasure& fleet, const LoopCounters& loop,
                         const engines::EngineHealth& engine, const LeadMeasure& lead) {
  prometheus::Registry registry;
  const auto gauge = [&](const char* name, const char* help, double value,
                         const prometheus::Labels& labels = {}) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels).Set(value);
  };
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({}).Increment(
        static_cast<double>(value));
  };
  gauge("ampacity_nodes", "Nodes that are registered", fleet.nodes);
  gauge("ampacity_gpus", "GPUs on registered nodes", fleet.gpus);
  gauge("ampacity_gpus_leased", "GPUs in live leases", fleet.gpus_leased);
  auto& jobs =
      prometheus::BuildGauge().Name("ampacity_jobs").Help("Live jobs by state").Register(registry);
  jobs.Add({{"state", "queued"}}).Set(fleet.queued);
  jobs.Add({{"state", "starting"}}).Set(fleet.starting);
  jobs.Add({{"state", "running"}}).Set(fleet.running);
  jobs.Add({{"state", "stopping"}}).Set(fleet.stopping);
  gauge("ampacity_revenue_usd_per_hour", "What live leases cost, per hour",
        fleet.revenue_usd_per_hour);
  gauge("ampacity_engine_reachable", "1 if the engine answers", engine.reachable,
        {{"engine", engine.kind}});
  gauge("ampacity_leads", "1 if this server leads and may act", lead.leads);
  gauge("ampacity_leader_epoch", "Of who leads; 0 where no other server can",
        static_cast<double>(lead.epoch));
  gauge("ampacity_sequence", "The latest fact that this server shows",
        static_cast<double>(lead.sequence));
  gauge("ampacity_lag_seconds", "Since this server had last seen every fact", lead.lag_s);
  auto& sites = prometheus::BuildGauge()
                    .Name("ampacity_site_reached")
                    .Help("1 if the site is heard of, 0 if it is unknown")
                    .Register(registry);
  for (const auto& [site, reached] : fleet.sites) sites.Add({{"site", site}}).Set(reached);
  gauge("ampacity_largest_batch", "Most work taken in one commit",
        static_cast<double>(loop.largest_batch));
  counter("ampacity_facts_total", "Facts committed by this process", loop.facts);
  counter("ampacity_commits_total", "Commits by this process", loop.commits);
  counter("ampacity_refused_full_total", "Requests refused because too many waited",
          loop.refused_full);
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

}  // namespace ampacity::server
