#include "engines/slurm_wrapper.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace ampacity::engines {
namespace {

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string joined(const std::vector<GangPlace>& gang, std::string GangPlace::*part) {
  std::string all;
  for (const GangPlace& p : gang) all += (all.empty() ? "" : ",") + p.*part;
  return all;
}

// Gangs on one node must not meet on one port.
int port_of(const core::RankWork& work) {
  const std::uint64_t mixed = (work.job.low ^ work.job.high) * 0x9e3779b97f4a7c15ULL;
  return static_cast<int>(15'000 + (mixed >> 32) % 15'000);
}

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, fits);
}

std::string_view word(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  const std::string_view first = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return first;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < 0) return std::nullopt;
  return n;
}

}  // namespace

std::uint32_t leased_gpus(const core::RankWork& work) {
  if (!work.gpu_uuids.empty()) return static_cast<std::uint32_t>(work.gpu_uuids.size());
  for (const auto& [name, value] : work.env)
    if (name == "AMPACITY_GPUS")
      return value.empty() ? 0 : static_cast<std::uint32_t>(1 + std::ranges::count(value, ','));
  return 0;
}

std::vector<std::pair<std::string, std::string>> slurm_environment(const core::RankWork& work,
                                                                   const WrapperPlan& plan) {
  std::vector<std::pair<std::string, std::string>> env;
  for (const auto& [name, value] : work.env) {
    if (name.starts_with("SLURM_") || name == "AMPACITY_GPUS") continue;
    std::string as = value;
    if (name == "MASTER_PORT") as = std::to_string(port_of(work));
    if (!plan.gang.empty() && name == "MASTER_ADDR") as = plan.gang.front().address;
    if (!plan.gang.empty() && name == "DSTACK_MASTER_NODE_IP") as = plan.gang.front().address;
    if (!plan.gang.empty() && name == "AMPACITY_PEERS") as = joined(plan.gang, &GangPlace::address);
    env.emplace_back(name, std::move(as));
  }
  return env;
}

// bash alone, without a process of its own beside the command: at a hundred jobs a second each fork
// counts.
std::string slurm_wrapper(const core::RankWork& work, const WrapperPlan& plan) {
  std::string s = fmt::format("#!/bin/bash\n# Ampacity: {}\n", work.container_name());
  const std::string marker = shell_quoted(plan.marker);
  if (!plan.marker.empty())
    s += fmt::format(
        "set -C\n"
        "if ! printf 'S %(%s)T %s %s %s\\n' -1 \"$SLURM_JOB_ID\" \"$SLURMD_NODENAME\" "
        "\"${{SLURM_JOB_GPUS:-}}\" 2>/dev/null >{0}; then\n"
        "  echo \"ampacity: not run: {1} ran already, or {0} cannot be written\" >&2\n"
        "  exit {2}\nfi\nset +C\n",
        marker, work.container_name(), slurm_refused_exit);
  s += "g=\nfor i in ${SLURM_JOB_GPUS//,/ }; do g+=${g:+,}$SLURMD_NODENAME-gpu$i; done\n"
       "export AMPACITY_GPUS=$g AMPACITY_SLURM_JOB=$SLURM_JOB_ID\n";
  if (work.size > 1) {
    s += fmt::format("export SLURM_PROCID={0} SLURM_NODEID={0} SLURM_NTASKS={1} SLURM_NNODES={1}\n",
                     work.rank, work.size);
    if (!plan.gang.empty())
      s += "export SLURM_JOB_NODELIST=" + shell_quoted(joined(plan.gang, &GangPlace::node)) + "\n";
  }
  for (const auto& [name, value] : slurm_environment(work, plan))
    if (is_name(name)) s += fmt::format("export {}={}\n", name, shell_quoted(value));
  // Slurm signals every process of the job; the shell only stays to say how the command ended.
  s += "trap 't=1' TERM\nexec --";
  for (std::size_t i = 0; i < work.command.size(); ++i) s += " " + shell_quoted(work.command[i]);
  s += " &\nc=$! t=\nwait \"$c\"; r=$?\n"
       "while [ -n \"$t\" ]; do t=; wait \"$c\"; s=$?; [ $s = 127 ] || r=$s; done\n";
  if (!plan.marker.empty()) s += fmt::format("printf 'E %(%s)T %s\\n' -1 \"$r\" >>{}\n", marker);
  return s + "exit $r\n";
}

std::optional<SlurmMarker> parse_slurm_marker(std::string_view text) {
  SlurmMarker marker;
  bool started = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;  // not whole yet
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::string_view kind = word(line);
    const auto at = number(word(line));
    if (!at || *at > 0xffff'ffff) continue;
    if (kind == "S" && !started) {
      const auto job = number(word(line));
      if (!job || *job == 0 || *job > UINT32_MAX) continue;
      started = true;
      marker.started_at = {*at * 1'000'000};
      marker.job_id = static_cast<std::uint32_t>(*job);
      marker.node = word(line).substr(0, 256);
      marker.gpus = word(line).substr(0, 512);
    } else if (kind == "E" && started && !marker.ended_at) {
      const auto code = number(word(line));
      if (!code || *code > 255) continue;
      marker.ended_at = base::Instant{*at * 1'000'000};
      marker.exit_code = static_cast<std::int32_t>(*code);
    }
  }
  if (!started) return std::nullopt;
  return marker;
}

}  // namespace ampacity::engines
