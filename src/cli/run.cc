// `run`: flags and job file to a request; then placement, live log, one closing line.
#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <istream>
#include <ostream>
#include <sstream>

#include "api/job_file.h"
#include "cli/display.h"
#include "cli/log_follow.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

using core::JobState;
using core::Outcome;

Answer<std::string> read_file(const std::string& path, Terminal& terminal) {
  std::string text(api::max_job_file_bytes + 1, '\0');  // one more: parse_job_file then refuses
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return fail(exit_refused, fmt::format("{}: cannot be read", path));
  }
  std::istream& in = path == "-" ? terminal.in : file;
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  if (in.bad()) return fail(exit_refused, fmt::format("{}: cannot be read", path));
  return text;
}

std::string_view mount_path(std::string_view volume) {
  const auto colon = volume.find(':');
  return colon == std::string_view::npos ? volume : volume.substr(colon + 1);
}

Answer<void> apply_lists(const RunOptions& o, api::JobRequest& request) {
  for (const auto& pair : o.env) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(exit_refused, fmt::format("--env {}: must be NAME=VALUE", pair));
    request.env[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  for (const auto& volume : o.volumes) {  // the same path: the flag wins
    std::erase_if(request.volumes,
                  [&](const auto& v) { return mount_path(v) == mount_path(volume); });
    request.volumes.push_back(volume);
  }
  if (o.together) {
    request.placement->together = base::parse_enum<core::Together>(*o.together);
    if (!request.placement->together)
      return fail(exit_refused, fmt::format("--together {}: must be one of {}", *o.together,
                                            base::enum_names<core::Together>()));
  }
  if (o.job_class) {
    std::string name = *o.job_class;
    std::replace(name.begin(), name.end(), '-', '_');
    request.job_class = base::parse_enum<core::JobClass>(name);
    if (!request.job_class)
      return fail(exit_refused, fmt::format("--class {}: must be one of {}", *o.job_class,
                                            base::enum_names<core::JobClass>()));
  }
  return {};
}

void apply_flags(const RunOptions& o, api::JobRequest& request) {
  if (o.image) request.image = *o.image;
  const auto over = [](const auto& flag, auto& field) {
    if (flag) field = flag;
  };
  if (o.gpus || o.cpus || o.memory || o.share || o.mig) {
    if (!request.resources) request.resources.emplace();
    over(o.gpus, request.resources->gpus);
    over(o.cpus, request.resources->cpus);
    over(o.memory, request.resources->memory);
    over(o.share, request.resources->gpu_share);
    over(o.mig, request.resources->mig);
  }
  if (!o.sites.empty() || o.together || o.apart) {
    if (!request.placement) request.placement.emplace();
    if (!o.sites.empty()) request.placement->sites = o.sites;
    over(o.apart, request.placement->apart);
  }
  if (o.if_site_lost) request.if_site_lost = base::parse_enum<core::IfSiteLost>(*o.if_site_lost);
  over(o.max_price, request.max_price);
  over(o.start_by, request.start_by);
  over(o.expected, request.expected);
  over(o.reservation, request.reservation);
  over(o.time, request.time);
  over(o.grace, request.grace);
  over(o.name, request.name);
  over(o.project, request.project);
  over(o.retries, request.retries);
  if (o.read_only) request.read_only_root = true;
  if (!o.command.empty()) request.command = o.command;
}

void say_placement(Session& session, const api::JobView& job) {
  std::string line = fmt::format("▸ {} · {}", job_name(job), hardware(job));
  if (const auto nodes = nodes_of(job); !nodes.empty()) line += " on " + nodes;
  line += fmt::format(" · {} per hour · {}", money(job.price_usd_per_hour, job.currency), job.id);
  session.notice(line, Tone::bold);
}

int outcome_code(const api::JobView& job) {
  if (job.outcome == Outcome::succeeded) return 0;
  const int code = job.exit_code.value_or(0) & 0xFF;
  return code != 0 ? code : exit_failed;
}

void say_outcome(Session& session, const api::JobView& job) {
  const bool good = job.outcome == Outcome::succeeded;
  const std::string name = job_name(job);
  std::string line = fmt::format("{} {} {}", good ? "✔" : "✘", name, state_cell(job).text);
  const bool said = job.exit_code && job.why == fmt::format("exit code {}", *job.exit_code);
  if (!good && !said && job.why && !job.why->empty()) line += ": " + *job.why;
  if (!good && job.billed_s == 0) {
    line += " · nothing billed";
  } else {
    if (job.started_at) line += " · ran " + ran_for(job, session.terminal.clock.now());
    line += fmt::format(" · billed {} s · {}{} · receipt: ampacity receipt {}", job.billed_s,
                        money(job.cost_usd, job.currency), job.emulated ? " · emulated" : "", name);
  }
  session.notice(line, good ? Tone::good : Tone::bad);
}

int detach(Session& session, const api::JobView& job) {
  const std::string name = job_name(job);
  session.terminal.err << "\n";  // after the terminal's ^C
  session.notice(fmt::format("detached; {} goes on. Come back: ampacity logs -f {} · end it: "
                             "ampacity stop {}",
                             name, name, name),
                 Tone::warn);
  return exit_interrupted;
}

// Until the job has left the queue; says why it waits whenever that changes.
Answer<api::JobView> wait_in_queue(Session& session, api::JobView job) {
  std::string said;
  auto delay = base::Duration::millis(100);
  while (job.state == JobState::queued) {
    const std::string why = job.why.value_or("waiting for capacity");
    if (why != said)
      session.notice(fmt::format("… {} is queued: {}", job_name(job), why), Tone::warn);
    said = why;
    if (!session.terminal.pause(delay)) return job;
    delay = std::min(base::Duration::seconds(2), delay * 2);
    auto next = session.get<api::JobView>("/v1/jobs/" + escaped(job.id));
    if (!next && session.terminal.interrupted) return job;
    if (!next) return std::unexpected(next.error());
    job = std::move(*next);
  }
  return job;
}

Answer<api::JobView> attend(Session& session, api::JobView job) {
  auto placed = wait_in_queue(session, std::move(job));
  if (!placed || session.terminal.interrupted) return placed;
  job = std::move(*placed);
  if (!job.ranks.empty()) say_placement(session, job);
  auto end = follow_log(session, job.id, {}, true, job.nodes > 1);
  if (!end) return std::unexpected(end.error());
  return *end ? std::move(**end) : std::move(job);
}

// --json: no words, no log; the job's last view.
int run_quietly(Session& session, api::JobView job) {
  while (job.state != JobState::ended) {
    if (!session.terminal.pause(base::Duration::millis(500))) return exit_interrupted;
    const auto body = session.call("GET", "/v1/jobs/" + escaped(job.id));
    if (!body) return session.report(body.error());
    auto next = Session::parse<api::JobView>(*body);
    if (!next) return session.report(next.error());
    job = std::move(*next);
    if (job.state == JobState::ended) session.print_json(*body);
  }
  return outcome_code(job);
}

}  // namespace

Answer<api::JobRequest> request_of(const RunOptions& options, Terminal& terminal) {
  api::JobRequest request;
  if (!options.file.empty()) {
    auto text = read_file(options.file, terminal);
    if (!text) return std::unexpected(text.error());
    auto parsed = api::parse_job_file(*text);
    if (!parsed) {
      auto failure = failure_of(parsed.error());
      failure.text = options.file + ": " + failure.text;
      return std::unexpected(std::move(failure));
    }
    request = std::move(*parsed);
  }
  apply_flags(options, request);
  if (auto applied = apply_lists(options, request); !applied)
    return std::unexpected(applied.error());
  if (request.image.empty())
    return fail(exit_refused,
                "an image is needed: --image NAME, or `image:` in the job file\n"
                "  hint: ampacity run --image debian -- sh -c 'echo hello'");
  return request;
}

int run(Session& session, const RunOptions& options) {
  const auto request = request_of(options, session.terminal);
  if (!request) return session.report(request.error());
  const auto body = session.call("POST", "/v1/jobs", base::to_json(*request));
  if (!body) return session.report(body.error());
  auto job = Session::parse<api::JobView>(*body);
  if (!job) return session.report(job.error());
  if (options.detach) {
    if (!session.print_json(*body)) session.terminal.out << job->id << "\n" << std::flush;
    session.notice(
        fmt::format("follow it: ampacity logs -f {0} · end it: ampacity stop {0}", job_name(*job)));
    return 0;
  }
  CatchInterrupt guard(session.terminal);
  if (session.json) return run_quietly(session, std::move(*job));
  const api::JobView submitted = *job;
  const auto end = attend(session, std::move(*job));
  if (session.terminal.interrupted) return detach(session, submitted);
  if (!end) {
    session.report(end.error());
    session.notice(fmt::format("the job goes on: ampacity logs -f {}", job_name(submitted)));
    return end.error().exit_code;
  }
  say_outcome(session, *end);
  return outcome_code(*end);
}

}  // namespace ampacity::cli
