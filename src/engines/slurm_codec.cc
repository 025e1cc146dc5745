#include "engines/slurm_codec.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "engines/fields.h"
#include "engines/slurm_job_reader.h"

namespace ampacity::engines {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostSaid = 300;

std::string bounded(std::string text) {
  if (text.size() > kMostSaid) text = text.substr(0, kMostSaid) + "…";
  return text;
}

// Slurm's error, if the answer has one.
struct Said {
  int number = 0;
  std::string text;
};
Said error_in(const json::value& answer) {
  for (const json::value& e : fields::list(fields::at(answer, "errors"))) {
    Said said;
    for (const char* key : {"error_number", "error_code", "errno"})
      if (const auto n = fields::number(e, key); n != 0) said.number = static_cast<int>(n);
    said.text = fields::text(e, "error");
    const std::string more = fields::text(e, "description");
    if (!more.empty()) said.text = said.text.empty() ? more : more + " (" + said.text + ")";
    if (said.number != 0 || !said.text.empty()) return said;
  }
  return {};
}

base::Fault said_no(const net::Response& answer, const Said& said) {
  return {bounded(fmt::format(
              "Slurm: {}", said.text.empty() ? fmt::format("HTTP {}", answer.status) : said.text)),
          true, said.number != 0 ? said.number : answer.status};
}

// The document, if it is whole and says no error.
base::Try<json::value> read_answer(const net::Response& answer, std::string_view what) {
  auto value = fields::parse(answer.body, what);
  if (!value) {
    if (answer.status >= 300)
      return base::fault(bounded(fmt::format("{}: HTTP {} {}", what, answer.status, answer.body)),
                         true, answer.status);
    return std::unexpected(value.error());
  }
  const Said said = error_in(*value);
  if (said.number != 0 || !said.text.empty() || answer.status >= 300)
    return std::unexpected(said_no(answer, said));
  return value;
}

std::vector<std::string> words(const json::value& value) {
  std::vector<std::string> out;
  if (const auto* s = value.if_string()) {
    std::string_view rest(s->data(), s->size());
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) out.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  for (const json::value& v : fields::list(value))
    if (const auto* s = v.if_string()) out.emplace_back(s->data(), s->size());
  return out;
}

json::object number_of(std::int64_t n) {
  return {{"set", true}, {"infinite", false}, {"number", n}};
}

}  // namespace

bool SlurmNode::usable() const {
  static constexpr std::array bad = {"DRAIN",         "NOT_RESPONDING", "MAINTENANCE", "FAIL",
                                     "REBOOT_ISSUED", "POWERED_DOWN",   "INVALID_REG", "DOWN"};
  for (const std::string& f : flags)
    if (std::ranges::find(bad, f) != bad.end()) return false;
  std::string word = state;
  std::ranges::transform(word, word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return word == "idle" || word == "mixed" || word == "allocated" || word == "completing";
}

bool SlurmNode::drained_for(std::string_view why) const {
  SlurmNode undrained = *this;
  return std::erase(undrained.flags, "DRAIN") > 0 && reason == why && undrained.usable();
}

bool SlurmJob::is_stuck() const {
  constexpr std::array kReasons = {
      "JobHeld",        "JobHold",    "launch failed", "launch_failed",     "ReservationDeleted",
      "BadConstraints", "ReqNodeNot", "NodeDown",      "PartitionInactive", "PartitionDown"};
  if (state != SlurmState::waiting) return false;
  if (word.ends_with("_HOLD") || word == "SPECIAL_EXIT") return true;
  return std::ranges::any_of(kReasons, [this](const char* r) { return reason.starts_with(r); });
}

net::Request SlurmCodec::get(std::string path) const {
  return {"GET", fmt::format("/slurm/v0.0.{}/{}", api_, path), {}, {}};
}

net::Request SlurmCodec::ping() const { return get("ping"); }
net::Request SlurmCodec::nodes() const { return get("nodes"); }
net::Request SlurmCodec::partitions() const { return get("partitions"); }
net::Request SlurmCodec::diag() const { return get("diag"); }
net::Request SlurmCodec::job(std::uint32_t id) const { return get(fmt::format("job/{}", id)); }
net::Request SlurmCodec::jobs(base::Instant since) const {
  return get(since.us > 0 ? fmt::format("jobs?update_time={}", since.us / 1'000'000) : "jobs");
}

net::Request SlurmCodec::submit(const SlurmSubmission& what) const {
  const bool newer = api_ >= 39;
  json::object job{{"name", what.name},
                   {"comment", what.comment},
                   {"nodes", "1"},
                   {"tasks", 1},
                   {"cpus_per_task", what.cpus},
                   {"current_working_directory", what.directory},
                   {"standard_output", what.output},
                   {"standard_error", what.output},
                   {"requeue", false}};
  if (newer)
    job["required_nodes"] = json::array{what.node};
  else
    job["nodelist"] = what.node;
  if (!what.partition.empty()) job["partition"] = what.partition;
  if (!what.reservation.empty()) job["reservation"] = what.reservation;
  if (!what.gres.empty())
    job[newer ? "tres_per_node" : "gres"] = (newer ? "gres/" : "") + what.gres;
  if (what.exclusive) {
    if (newer)
      job["shared"] = json::array{"none"};
    else
      job["exclusive"] = "exclusive";
  }
  if (what.singleton) job["dependency"] = "singleton";
  if (what.memory_mib > 0) {
    if (newer)
      job["memory_per_node"] = number_of(what.memory_mib);
    else
      job["memory_per_node"] = what.memory_mib;
  }
  if (what.limit_min > 0) {
    if (newer)
      job["time_limit"] = number_of(what.limit_min);
    else
      job["time_limit"] = what.limit_min;
  }
  if (newer) {
    json::array env;
    for (const auto& [name, value] : what.env) env.emplace_back(name + "=" + value);
    job["environment"] = std::move(env);
  } else {
    json::object env;
    for (const auto& [name, value] : what.env) env[name] = value;
    job["environment"] = std::move(env);
  }
  return {"POST",
          fmt::format("/slurm/v0.0.{}/job/submit", api_),
          {{"Content-Type", "application/json"}},
          json::serialize(json::object{{"script", what.script}, {"job", std::move(job)}})};
}

net::Request SlurmCodec::signal(std::uint32_t id, std::string_view signal) const {
  return {"DELETE", fmt::format("/slurm/v0.0.{}/job/{}?signal={}", api_, id, signal), {}, {}};
}

net::Request SlurmCodec::limit(std::uint32_t id, std::int64_t limit_min) const {
  json::object change;
  if (api_ >= 39)
    change["time_limit"] = number_of(limit_min);
  else
    change["time_limit"] = limit_min;
  return {"POST",
          fmt::format("/slurm/v0.0.{}/job/{}", api_, id),
          {{"Content-Type", "application/json"}},
          json::serialize(change)};
}

base::Try<std::string> parse_release(const net::Response& answer) {
  auto value = read_answer(answer, "Slurm's ping");
  if (!value) return std::unexpected(value.error());
  const json::value& meta = fields::at(*value, "meta");
  for (const char* key : {"Slurm", "slurm"})
    if (std::string release = fields::text(fields::at(meta, key), "release"); !release.empty())
      return bounded(release);
  return base::fault("what answers is not slurmrestd", false);
}

base::Try<std::vector<SlurmJob>> parse_jobs(const net::Response& answer, std::string_view comment) {
  if (answer.status >= 300) {
    auto failed = read_answer(answer, "Slurm's jobs");
    if (!failed) return std::unexpected(failed.error());
  }
  return read_slurm_jobs(answer.body, comment);
}

base::Try<std::uint32_t> parse_submitted(const net::Response& answer) {
  auto value = read_answer(answer, "Slurm's submission");
  if (!value) return std::unexpected(value.error());
  const std::int64_t id = fields::number(*value, "job_id");
  if (id <= 0 || id > UINT32_MAX) return base::fault("Slurm took a job and named no id");
  return static_cast<std::uint32_t>(id);
}

base::Try<void> parse_done(const net::Response& answer) {
  auto value = read_answer(answer, "Slurm's answer");
  if (!value) return std::unexpected(value.error());
  return {};
}

base::Try<std::vector<SlurmNode>> parse_nodes(const net::Response& answer) {
  auto value = read_answer(answer, "Slurm's nodes");
  if (!value) return std::unexpected(value.error());
  if (!fields::at(*value, "nodes").is_array())
    return base::fault("Slurm's nodes: there is no list");
  std::vector<SlurmNode> nodes;
  for (const json::value& n : fields::list(fields::at(*value, "nodes"))) {
    SlurmNode& node = nodes.emplace_back();
    node.name = fields::text(n, "name");
    node.address = fields::text(n, "address");
    node.state = fields::text(n, "state");
    node.flags = words(fields::at(n, "state_flags"));
    if (node.state.empty()) {  // newer: one list, the state first
      node.flags = words(fields::at(n, "state"));
      if (!node.flags.empty()) node.state = node.flags.front();
    }
    node.reason = bounded(fields::text(n, "reason"));
    node.gres = fields::text(n, "gres");
    node.features = words(fields::at(n, "features"));
    node.partitions = words(fields::at(n, "partitions"));
    node.cpus = fields::number(n, "cpus");
    node.memory_mib = fields::number(n, "real_memory");
    if (node.name.empty()) nodes.pop_back();
  }
  return nodes;
}

base::Try<std::vector<SlurmPartition>> parse_partitions(const net::Response& answer) {
  auto value = read_answer(answer, "Slurm's partitions");
  if (!value) return std::unexpected(value.error());
  std::vector<SlurmPartition> all;
  for (const json::value& p : fields::list(fields::at(*value, "partitions"))) {
    const auto flags = words(fields::at(p, "flags"));
    const bool is_default = std::ranges::any_of(
        flags, [](const std::string& f) { return f == "default" || f == "DEFAULT"; });
    all.push_back({fields::text(p, "name"), is_default});
  }
  return all;
}

base::Try<base::Instant> parse_server_time(const net::Response& diag) {
  auto value = read_answer(diag, "Slurm's diag");
  if (!value) return std::unexpected(value.error());
  const std::int64_t second = fields::number(fields::at(*value, "statistics"), "req_time");
  if (second <= 0 || second > 0xffff'fff0) return base::fault("Slurm did not say its time");
  return base::Instant{second * 1'000'000};
}

bool is_refusal(const base::Fault& fault) { return fault.status >= 2000; }

bool refused_for_good(const base::Fault& fault) {
  // Of slurm_errno.h: a partition, node, count, size, time, reservation or GRES that is not there.
  static constexpr std::array never = {2000, 2001, 2004, 2006, 2014, 2015, 2018, 2028,
                                       2033, 2044, 2051, 2052, 2057, 2072, 2148, 9001};
  return std::ranges::find(never, fault.status) != never.end();
}

std::pair<std::string, std::uint32_t> gpus_of_gres(std::string_view gres) {
  while (!gres.empty()) {
    std::size_t end = 0;
    for (int depth = 0; end < gres.size() && (gres[end] != ',' || depth > 0); ++end) {
      if (gres[end] == '(') ++depth;
      if (gres[end] == ')') --depth;
    }
    std::string_view one = gres.substr(0, end);
    gres.remove_prefix(std::min(end + 1, gres.size()));
    one = one.substr(0, one.find('('));
    if (!one.starts_with("gpu:") && one != "gpu") continue;
    one.remove_prefix(std::min<std::size_t>(4, one.size()));
    const std::size_t colon = one.rfind(':');
    const std::string_view count = colon == std::string_view::npos ? one : one.substr(colon + 1);
    std::uint32_t n = 0;
    const auto [at, error] = std::from_chars(count.data(), count.data() + count.size(), n);
    const bool is_number = error == std::errc{} && at == count.data() + count.size();
    if (colon != std::string_view::npos)
      return {std::string(one.substr(0, colon)), is_number ? n : 0};
    return is_number ? std::pair{std::string("gpu"), n}
                     : std::pair{std::string(one.empty() ? "gpu" : one), 1U};
  }
  return {};
}

}  // namespace ampacity::engines
