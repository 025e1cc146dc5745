#include "sim/cloud.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/check.h"
#include "core/price_book.h"

namespace ampacity::sim {
namespace {

constexpr core::Ticks ticks_per_gpu_second = 20'000;
constexpr core::Ticks ticks_per_vcpu_second = 100;
constexpr std::int64_t credit_cents = 10'000'000'000'000;  // of all projects together
constexpr std::uint64_t job_ids = 0x0190'0000'0000'7000ULL;

core::PriceBook prices(const std::set<std::string>& skus) {
  std::vector<core::SkuPrice> gpus;
  for (const std::string& sku : skus)
    if (sku != "cpu") gpus.push_back({sku, ticks_per_gpu_second, ticks_per_gpu_second / 2});
  return core::plain_book("simulation", {}, gpus, 0, 0, ticks_per_vcpu_second, 0);
}

core::Node node_of(const TraceNode& n, std::size_t position) {
  core::Node node;
  node.name = n.name;
  node.cpu_milli = n.cpu_milli;
  node.memory_mib = n.memory_mib;
  node.rents_cpu = true;
  node.rack = n.rack;
  for (std::uint32_t g = 0; g < n.gpus; ++g) node.gpus.push_back(fmt::format("{}-{}", position, g));
  return node;
}

}  // namespace

void found_cloud(core::World& world, const Trace& trace, const core::Policy& policy) {
  std::vector<core::Fact> facts;
  const auto run = [&](const core::Command& command) {
    const auto done = core::step(world, command, trace_begin, "sim", facts);
    CHECK_THAT(done, done ? "" : done.error().message);
    facts.clear();
  };
  std::set<std::string> skus{"cpu"};
  std::map<std::string, core::RegisterSite> sites;
  for (std::size_t i = 0; i < trace.nodes.size(); ++i) {
    const TraceNode& n = trace.nodes[i];
    skus.insert(n.sku);
    sites[n.site].nodes.push_back({node_of(n, i), n.sku});
  }
  run(core::Found{prices(skus)});
  run(core::SetPolicy{policy});
  for (auto& [name, site] : sites) {
    site.site = {name, name, "simulated"};
    for (const std::string& sku : skus) site.skus.push_back({sku, sku});
    run(site);
  }
  run(core::CreateOrg{{job_ids, 1}, "sim"});
  run(core::CreateUser{{job_ids, 2}, "sim", "sim"});
  for (std::size_t p = 0; p < trace.projects.size(); ++p) {
    run(core::CreateProject{{job_ids, 3 + p}, trace.projects[p], "sim"});
    run(core::AddCredit{trace.projects[p],
                        credit_cents / static_cast<std::int64_t>(trace.projects.size()), ""});
  }
}

base::Id job_id(std::size_t position) { return {job_ids + 1, position + 1}; }
std::size_t job_position(base::Id id) { return id.low - 1; }

core::SubmitJob submission(const Trace& trace, std::size_t position, std::int64_t grace_s,
                           bool oracle, bool saves_on_stop) {
  const TraceJob& t = trace.jobs[position];
  core::SubmitJob s;
  s.job.id = job_id(position);
  s.job.name = t.name;
  s.job.project = t.project;
  s.job.user = 0;
  // Reservations are windows, which a trace does not have: their jobs are the first of the others.
  s.job.job_class =
      t.job_class == core::JobClass::reserved ? core::JobClass::on_demand : t.job_class;
  s.job.spec.image = "simulated";
  s.job.time_limit_s = t.time_limit_s;
  s.job.grace_s = grace_s;
  s.job.saves_on_stop = saves_on_stop;
  if (oracle && t.ends())
    s.job.expected_run_s = std::max<std::int64_t>(1, t.run.seconds_rounded_up());
  s.cpu_milli = t.cpu_milli;
  s.memory_mib = t.memory_mib;
  s.gpu_milli = t.gpu_milli;
  s.by_owner = true;
  if (t.gpus_per_node)
    s.gpus = core::GpuRequest{trace.sku_sets[t.skus], 0, t.gpus_per_node, t.nodes};
  return s;
}

}  // namespace ampacity::sim
