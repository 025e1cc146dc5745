#include "core/desire.h"

#include <algorithm>

#include "core/meter.h"
#include "core/order.h"

namespace ampacity::core {
namespace {

std::vector<std::string> leased_gpus(const Node& node, std::uint64_t mask) {
  std::vector<std::string> gpus;
  for (std::size_t g = 0; g < node.gpus.size(); ++g)
    if (mask >> g & 1) gpus.push_back(node.gpus[g]);
  return gpus;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& p : parts) all += (all.empty() ? "" : ",") + p;
  return all;
}

// Ours, and the names that Slurm, torchrun, SkyPilot and dstack users know.
void add_env(RankWork& r, const Job& job, const std::vector<std::string>& peers,
             const std::vector<std::string>& gpus, const std::string& node) {
  const std::string rank = std::to_string(r.rank), size = std::to_string(r.size);
  const std::string master = r.size > 1 ? peers[0] : "127.0.0.1";
  const std::string gpu_count = std::to_string(gpus.size());
  const auto add = [&r](const char* name, const std::string& value) {
    r.env.emplace_back(name, value);
  };
  add("AMPACITY_JOB", r.job_name);
  add("AMPACITY_GENERATION", std::to_string(r.generation));
  add("AMPACITY_NODE", node);
  add("AMPACITY_RANK", rank);
  add("AMPACITY_SIZE", size);
  add("AMPACITY_PEERS", joined(peers));
  add("AMPACITY_GPUS", joined(gpus));
  add("AMPACITY_EMULATED", r.emulated ? "1" : "0");
  if (r.gpu_milli < 1000) {  // a share is kept by MPS, where it runs (CUDA MPS documentation)
    add("AMPACITY_GPU_MILLI", std::to_string(r.gpu_milli));
    add("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", std::to_string(std::max(1U, r.gpu_milli / 10)));
  }
  add("MASTER_ADDR", master);
  add("MASTER_PORT", "29500");
  add("RANK", rank);
  add("WORLD_SIZE", size);
  add("NODE_RANK", rank);
  add("SLURM_JOB_ID", r.job_name);
  add("SLURM_JOB_NAME", job.name);
  add("SLURM_PROCID", rank);
  add("SLURM_NTASKS", size);
  add("SLURM_NNODES", size);
  add("SLURM_NODEID", rank);
  add("SLURM_JOB_NODELIST", joined(peers));
  add("SLURM_GPUS_ON_NODE", gpu_count);
  add("SLURM_RESTART_COUNT", std::to_string(r.generation - 1));
  add("SKYPILOT_NODE_RANK", rank);
  add("SKYPILOT_NUM_NODES", size);
  add("SKYPILOT_NUM_GPUS_PER_NODE", gpu_count);
  add("DSTACK_NODE_RANK", rank);
  add("DSTACK_NODES_NUM", size);
  add("DSTACK_GPUS_PER_NODE", gpu_count);
  add("DSTACK_MASTER_NODE_IP", master);
}

}  // namespace

std::string job_name(Id id) { return base::format_id("job", id); }

std::vector<RankWork> desired_ranks(const World& world, const Job& job) {
  std::vector<RankWork> ranks;
  if (!job.lease) return ranks;
  const Lease& lease = *job.lease;
  const Project& project = world.state().projects[job.project];
  const auto size = static_cast<std::uint32_t>(lease.places.size());
  std::vector<std::string> peers;
  for (std::uint32_t i = 0; i < size; ++i)
    peers.push_back(job_name(job.id) + "-" + std::to_string(job.generation) + "-" +
                    std::to_string(i));
  for (std::uint32_t i = 0; i < size; ++i) {
    if (lease.ranks[i].state == RankState::ended) continue;
    const Node& node = world.state().nodes[lease.places[i].node];
    const auto gpus = leased_gpus(node, lease.places[i].gpu_mask);
    RankWork r;
    r.job = job.id;
    r.generation = job.generation;
    r.rank = i;
    r.size = size;
    r.want = job.state == JobState::stopping ? RankWork::Want::stop : RankWork::Want::run;
    r.confirmed = lease.ranks[i].state == RankState::running;
    r.grace_s = notice_s(world.state().policy, job);
    r.job_name = job_name(job.id);
    r.project = job.project;
    r.project_name = project.name;
    r.image = job.spec.image;
    r.command = job.spec.command;
    r.volumes = job.spec.volumes;
    r.cpu_milli = lease.cpu_milli;
    r.memory_mib = lease.memory_mib;
    r.gpu_milli = lease.gpu_milli;
    r.read_only_root = job.spec.read_only_root;
    r.emulated = node.emulated;
    if (!node.emulated) r.gpu_uuids = gpus;
    r.site = world.state().sites[node.site].name;
    r.node = node.name;
    r.whole_node = !node.gpus.empty() && gpus.size() == node.gpus.size() && lease.gpu_milli == 1000;
    if (size > 1) r.network = r.job_name + "-" + std::to_string(job.generation);
    r.env.reserve(32 + job.spec.env_names.size());
    add_env(r, job, peers, gpus, node.name);
    ranks.push_back(std::move(r));
  }
  return ranks;
}

std::vector<RankWork> desired_whole(const World& world) {
  std::vector<RankWork> all;
  for (const auto& [order, slot] : world.leased) {
    auto ranks = desired_ranks(world, world.state().jobs[slot]);
    all.insert(all.end(), std::make_move_iterator(ranks.begin()),
               std::make_move_iterator(ranks.end()));
  }
  return all;
}

}  // namespace ampacity::core
