// What slurmrestd, scontrol and a rank's marker say: any bytes are read or are a fault; nothing is
// made of nothing, and what is said is bounded. The first byte chooses the status.
#include "base/fuzz_input.h"
#include "engines/slurm_codec.h"
#include "engines/slurm_inventory.h"
#include "engines/slurm_wrapper.h"

namespace base = ampacity::base;
namespace engines = ampacity::engines;
namespace net = ampacity::net;

namespace {

void check_fault(const base::Fault& fault) {
  CHECK_THAT(!fault.message.empty() && fault.message.size() <= 700,
             "a fault without words or bounds");
}

void jobs(const net::Response& answer) {
  const auto all = engines::parse_jobs(answer, "ampacity:x");
  if (!all) return check_fault(all.error());
  CHECK_THAT(answer.body.contains("jobs"), "a list out of nothing");
  for (const auto& job : *all) {
    CHECK_THAT(job.id != 0 && !job.name.empty() && job.name.size() <= 256, "a job of no name");
    CHECK_THAT(job.exit_code >= 0 && job.exit_code <= 255, "an exit code that no shell has");
    CHECK_THAT(job.started_at.us >= 0 && job.ended_at.us >= 0, "before there was time");
    CHECK_THAT(job.state == engines::SlurmState::ended ||
                   job.state == engines::SlurmState::completing || job.ended_at.us == 0,
               "an end of what runs");
  }
}

void site(const net::Response& answer, std::string_view text) {
  const auto nodes = engines::parse_nodes(answer);
  if (!nodes) return check_fault(nodes.error());
  const auto seen =
      engines::slurm_site(*nodes, "main", engines::leaves_of_topology(text), "held back");
  for (const auto& machine : seen.nodes) {
    CHECK_THAT(machine.node.gpus.size() <= 64, "more GPUs than are placed");
    CHECK_THAT(!machine.sku.empty() && !machine.node.name.empty(), "a machine of no kind");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::FuzzInput input(data, size);
  constexpr int statuses[] = {200, 200, 304, 401, 404, 500, 503, 200};
  net::Response answer;
  answer.status = statuses[input.byte() % 8];
  const std::string_view text = input.rest();
  answer.body = text;
  jobs(answer);
  site(answer, text);
  if (const auto id = engines::parse_submitted(answer))
    CHECK_THAT(*id != 0 && answer.status < 300, "a job that was not taken");
  else
    check_fault(id.error());
  (void)engines::parse_done(answer);
  (void)engines::parse_release(answer);
  (void)engines::parse_partitions(answer);
  if (const auto marker = engines::parse_slurm_marker(text)) {
    CHECK_THAT(marker->job_id != 0 && marker->started_at.us >= 0, "a start of nothing");
    CHECK_THAT(marker->exit_code >= 0 && marker->exit_code <= 255, "no exit code");
  }
  const auto [kind, count] = engines::gpus_of_gres(text);
  CHECK_THAT(kind.size() <= text.size() + 3, "a kind out of nothing");
  (void)count;
  CHECK_THAT(engines::names_of_hostlist(text).size() <= 100'001, "names without bounds");
  return 0;
}
