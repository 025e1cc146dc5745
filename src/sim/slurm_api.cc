#include "sim/slurm_api.h"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <charconv>
#include <optional>

#include "sim/fake_slurm.h"

namespace ampacity::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view prefix = "/slurm/v0.0.38/";

json::object head() {
  return {{"meta",
           {{"plugin", {{"type", "openapi/v0.0.38"}, {"name", "Slurm OpenAPI v0.0.38"}}},
            {"Slurm",
             {{"version", {{"major", 22}, {"micro", 8}, {"minor", 5}}}, {"release", "22.05.8"}}}}},
          {"errors", json::array{}}};
}
net::Response fine(json::object body) {
  return {200, "application/json", json::serialize(body), {}};
}
net::Response fine() { return fine(head()); }

std::string text_at(const json::object& o, std::string_view key) {
  const json::value* at = o.if_contains(key);
  return at && at->is_string() ? std::string(at->as_string()) : std::string();
}
std::int64_t number_at(const json::object& o, std::string_view key) {
  const json::value* at = o.if_contains(key);
  return at && at->is_int64() ? at->as_int64() : 0;
}
std::int64_t number_in(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

json::object job_text(const FakeSlurm& slurm, const SlurmOne& j) {
  const auto second = [&](base::Instant t) { return t.us ? slurm.its_second(t) : 0; };
  const bool began = j.started_at.us != 0;
  // Of one that was cancelled as it waited: its start is its end, and it has no node.
  const std::int64_t start = second(began ? j.started_at : j.ended_at);
  const std::int64_t end = j.over() ? second(j.ended_at) : began ? start + 60 * j.limit_min : 0;
  return {{"comment", j.comment},
          {"end_time", end},
          {"exit_code", j.raw_exit},
          {"job_id", j.id},
          {"job_state", j.completing ? std::string("COMPLETING") : j.word},
          {"name", j.name},
          {"nodes", began ? j.node : ""},
          {"required_nodes", j.node},
          {"requeue", true},
          {"restart_cnt", j.restarts},
          {"resv_name", j.reservation},
          {"start_time", start},
          {"state_reason", j.reason},
          {"time_limit", j.limit_min},
          {"user_name", "slurm"}};
}

net::Response list(const FakeSlurm& slurm, std::optional<std::uint32_t> only) {
  json::array jobs;
  for (const auto& [id, job] : slurm.jobs())
    if (!only || *only == id) jobs.push_back(job_text(slurm, job));
  if (only && jobs.empty()) return slurm_error(2017, "Invalid job id specified");
  json::object body = head();
  body["jobs"] = std::move(jobs);
  return fine(std::move(body));
}

net::Response nodes(const FakeSlurm& slurm) {
  json::array all;
  for (const FakeSlurm::Node& n : slurm.nodes()) {
    json::array flags;
    if (n.drained) flags.push_back("DRAIN");
    if (n.down) flags.push_back("NOT_RESPONDING");
    all.push_back(json::object{{"name", n.name},
                               {"address", "127.0.0.1"},
                               {"state", n.down ? "down" : "mixed"},
                               {"state_flags", std::move(flags)},
                               {"reason", n.drained ? n.reason : ""},
                               {"gres", fmt::format("gpu:h100:{}", FakeSlurm::gpus_a_node)},
                               {"features", "emulated"},
                               {"partitions", json::array{"main"}},
                               {"cpus", 128},
                               {"real_memory", 1'048'576}});
  }
  json::object body = head();
  body["nodes"] = std::move(all);
  return fine(std::move(body));
}

net::Response submit(FakeSlurm& slurm, const json::object& body) {
  const json::object& j = body.at("job").as_object();
  SlurmOne job;
  job.name = text_at(j, "name");
  job.comment = text_at(j, "comment");
  job.node = text_at(j, "nodelist");
  job.reservation = text_at(j, "reservation");
  job.singleton = text_at(j, "dependency") == "singleton";
  job.exclusive = !text_at(j, "exclusive").empty();
  job.limit_min = number_at(j, "time_limit");
  const std::string script = text_at(body, "script");
  job.has_gate = script.find("set -C\n") != std::string::npos;
  job.once = script.find("SLURM_RESTART_COUNT") != std::string::npos;
  if (const std::string gres = text_at(j, "gres"); !gres.empty())
    job.gpus = static_cast<int>(number_in(std::string_view(gres).substr(gres.rfind(':') + 1)));
  int error = 0;
  const std::uint32_t id = slurm.submit(std::move(job), error);
  if (error == 2053) return slurm_error(error, "Requested reservation is invalid");
  if (error) return slurm_error(error, "Requested node configuration is not available");
  json::object done = head();
  done["job_id"] = id;
  done["step_id"] = "BATCH";
  done["job_submit_user_msg"] = "";
  return fine(std::move(done));
}

net::Response of_one(FakeSlurm& slurm, const net::Request& q, std::string_view what,
                     const json::object& body) {
  const auto id = static_cast<std::uint32_t>(number_in(what.substr(4)));
  SlurmOne* job = slurm.find(id);
  if (!job) return slurm_error(2017, "Invalid job id specified");
  if (q.method == "GET") return list(slurm, id);
  if (q.method == "DELETE") {
    const int error = slurm.signal(*job, q.target.ends_with("KILL"));
    if (error == 2021) return slurm_error(error, "Job/step already completing or completed");
    return error ? slurm_error(error, "Job can not be altered now, try again later") : fine();
  }
  if (job->over()) return slurm_error(2021, "Job/step already completing or completed");
  slurm.set_limit(*job, number_at(body, "time_limit"));
  return fine();
}

}  // namespace

net::Response slurm_error(int number, const char* text) {
  json::object body = head();
  body["errors"] =
      json::array{json::object{{"error_number", number}, {"error", text}, {"source", "simulated"}}};
  return {500, "application/json", json::serialize(body), {}};
}

net::Response serve_slurm(FakeSlurm& slurm, const net::Request& q) {
  const std::string_view target = q.target;
  if (!target.starts_with(prefix)) return {404, "text/plain", "no such version", {}};
  const std::string_view what = target.substr(prefix.size(), target.find('?') - prefix.size());
  const json::object body = q.body.empty() ? json::object() : json::parse(q.body).as_object();
  if (what == "ping") return fine();
  if (what == "nodes") return nodes(slurm);
  if (what == "diag") {
    json::object said = head();
    said["statistics"] = json::object{{"req_time", slurm.its_second_now()}};
    return fine(std::move(said));
  }
  if (what == "job/submit") return submit(slurm, body);
  if (what == "partitions") {
    json::object all = head();
    all["partitions"] =
        json::array{json::object{{"name", "main"}, {"flags", json::array{"default"}}}};
    return fine(std::move(all));
  }
  if (what == "jobs") {
    const std::size_t since = target.find("update_time=");
    if (since != std::string_view::npos &&
        slurm.nothing_new_since(number_in(target.substr(since + 12))))
      return {304, "", "", {}};
    return list(slurm, {});
  }
  return of_one(slurm, q, what, body);
}

}  // namespace ampacity::sim
