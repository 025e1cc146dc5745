#include "cli/display.h"

#include <fmt/core.h>

#include <algorithm>

namespace ampacity::cli {
namespace {

// value/unit with at most `places` decimals, no trailing zeros.
std::string decimal(std::int64_t value, std::int64_t unit, int places) {
  std::string s =
      fmt::format("{:.{}f}", static_cast<double>(value) / static_cast<double>(unit), places);
  if (s.find('.') != std::string::npos) {
    while (s.ends_with('0')) s.pop_back();
    if (s.ends_with('.')) s.pop_back();
  }
  return s;
}

bool is_plain(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:=,+@%").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string to_the_second(base::Instant t) { return base::format_instant(t).substr(0, 19) + "Z"; }

std::string moment(base::Instant t) {
  const std::int64_t us = (t.us % 1'000'000 + 1'000'000) % 1'000'000;
  return fmt::format("{}.{:03}Z", base::format_instant(t).substr(0, 19), us / 1000);
}

std::string age(base::Instant then, base::Instant now) {
  const std::int64_t s = std::max<std::int64_t>(0, (now - then).whole_seconds());
  if (s < 120) return fmt::format("{}s", s);
  if (s < 7200) return fmt::format("{}m", s / 60);
  if (s < 172'800) return fmt::format("{}h", s / 3600);
  return fmt::format("{}d", s / 86'400);
}

std::string vcpus(std::int64_t milli) { return decimal(milli, 1000, 3); }

std::string memory(std::int64_t mib) {
  if (mib >= 1024) return decimal(mib, 1024, 1) + " GiB";
  return std::to_string(mib) + " MiB";
}

std::string bytes(std::int64_t n) {
  if (n < 1024) return std::to_string(n) + " B";
  if (n < 1 << 20) return decimal(n, 1024, 1) + " KiB";
  return n < 1 << 30 ? decimal(n, 1 << 20, 1) + " MiB" : decimal(n, 1 << 30, 1) + " GiB";
}

std::string hardware(const api::JobView& job) {
  std::string text = job.sku;
  if (job.gpu_share || job.mig)
    text += job.mig ? " slice of " + *job.mig : " ×" + *job.gpu_share;
  else if (job.gpus_per_node > 0)
    text += fmt::format(" ×{}", job.gpus_per_node);
  else
    text += fmt::format(" {} vCPU {}", vcpus(job.cpu_milli), memory(job.memory_mib));
  if (job.nodes > 1) text += fmt::format(" ×{} nodes", job.nodes);
  return text + (job.emulated ? " (emulated)" : "");
}

std::string hardware_short(const api::JobView& job) {
  if (job.gpus_per_node == 0) return hardware(job);
  return fmt::format("{}:{}{}{}", job.sku, gpus_each(job),
                     job.nodes > 1 ? fmt::format("x{}", job.nodes) : "",
                     job.emulated ? " emulated" : "");
}

std::string gpus_each(const api::JobView& job) {
  return job.mig ? *job.mig : job.gpu_share ? *job.gpu_share : std::to_string(job.gpus_per_node);
}

std::string nodes_of(const api::JobView& job) {
  std::vector<std::string> names;
  for (const auto& rank : job.ranks)
    if (std::find(names.begin(), names.end(), rank.node) == names.end()) names.push_back(rank.node);
  return join(names, ", ");
}

std::string command_line(const std::vector<std::string>& command) {
  std::string line;
  for (const auto& word : command) {
    if (!line.empty()) line += ' ';
    if (is_plain(word)) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string ran_for(const api::JobView& job, base::Instant now) {
  if (!job.started_at) return {};
  const auto d = job.ended_at.value_or(now) - *job.started_at;
  return base::format_duration(d.us < 0 ? base::Duration{} : d);
}

Cell state_cell(const api::JobView& job) {
  using core::JobState;
  using core::Outcome;
  if (job.state != JobState::ended) {
    const Tone tone = job.state == JobState::running ? Tone::good : Tone::warn;
    return {std::string(base::enum_name(job.state)), tone};
  }
  const auto outcome = job.outcome.value_or(Outcome::none);
  if (outcome == Outcome::none) return {"ended", Tone::dim};
  std::string text(base::enum_name(outcome));
  std::replace(text.begin(), text.end(), '_', ' ');
  if (outcome == Outcome::failed && job.exit_code.value_or(0) != 0)
    text += fmt::format(" ({})", *job.exit_code);
  const Tone tone = outcome == Outcome::succeeded   ? Tone::good
                    : outcome == Outcome::cancelled ? Tone::dim
                                                    : Tone::bad;
  return {text, tone};
}

std::string job_name(const api::JobView& job) { return job.name.empty() ? job.id : job.name; }

std::string money(const std::string& amount, const std::optional<std::string>& currency) {
  return amount.empty() ? "" : amount + " " + currency.value_or("USD");
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string all;
  for (const auto& p : parts) all += (all.empty() ? "" : std::string(separator)) + p;
  return all;
}

}  // namespace ampacity::cli
