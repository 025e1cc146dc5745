// Public traces into ours: openb (Alibaba), Microsoft ITP, Muri. What each leaves out or adds is
// said at its function; docs/simulation.md repeats it.
#pragma once

#include <map>
#include <string>

#include "sim/trace.h"

namespace ampacity::sim {

// `count` nodes of `gpus` GPUs each of one kind, "gpu", in racks of `per_rack`.
std::vector<TraceNode> uniform_nodes(std::size_t count, std::uint32_t gpus,
                                     std::size_t per_rack = 16);

// Nodes: sn,cpu_milli,memory_mib,gpu,model. Pods: name,cpu_milli,memory_mib,num_gpu,gpu_milli,
// gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time. The run time is from
// scheduled (created, if it never was) to deleted; qos and phase are left out.
bool convert_openb(CsvReader& nodes, CsvReader& pods, core::JobClass job_class, Trace& trace,
                   Problems& problems);
const std::vector<CsvColumn>& openb_node_columns();
const std::vector<CsvColumn>& openb_pod_columns();

struct ItpPlan {
  std::size_t nodes = 160;  // of 8 GPUs
  core::JobClass job_class = core::JobClass::spot;
  bool project_by_cluster = false;  // else one project, "itp"
};
// cluster01.csv …: job_id,submission_time,duration,num_gpu. Above 8 GPUs: ⌈num_gpu/8⌉ whole nodes.
// Jobs are named by their place in the order of submission: the trace's ids say nothing about
// which jobs are alike. Time starts at the first submission.
bool convert_itp(std::map<std::string, std::string> files, const ItpPlan& plan, Trace& trace,
                 Problems& problems);

struct MuriPlan {
  std::size_t nodes = 8;  // of 8 GPUs
  core::JobClass job_class = core::JobClass::spot;
  // Run time is iterations × iteration_time, in milliseconds, times this: the artifact's own
  // simulator lengthens every iteration so. 1000: as the trace says, rounded up to a second.
  std::int64_t stretch_permille = 1000;
};
bool convert_muri(CsvReader& csv, const MuriPlan& plan, Trace& trace, Problems& problems);
const std::vector<CsvColumn>& muri_columns();

}  // namespace ampacity::sim
