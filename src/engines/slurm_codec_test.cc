// Answers of slurmrestd 22.05.8 as they were recorded, what is asked of it, the wrapper, the
// marker.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "engines/fields.h"
#include "engines/slurm.h"
#include "engines/slurm_inventory.h"
#include "engines/slurm_plan.h"
#include "engines/slurm_token.h"

using namespace ampacity;
using namespace ampacity::engines;

namespace {

// The first byte of a recorded answer is the fuzzer's.
net::Response recorded(const std::string& name, int status = 200) {
  std::ifstream in(AMPACITY_SOURCE_DIR "/tests/corpus/slurm_answers/" + name);
  REQUIRE(in);
  std::string body((std::istreambuf_iterator<char>(in)), {});
  return {status, "application/json", body.substr(1), {}};
}

const SlurmJob& named(const std::vector<SlurmJob>& jobs, const std::string& name) {
  for (const SlurmJob& j : jobs)
    if (j.name == name) return j;
  FAIL("no job " << name);
  return jobs.front();
}

}  // namespace

TEST_CASE("slurm codec: jobs as recorded") {
  auto jobs = parse_jobs(recorded("jobs"), "ampacity:x");
  REQUIRE(jobs);
  const struct {
    const char* name;
    SlurmState state;
    bool ran;
    int exit_code;
  } expected[] = {{"job-ok-1-0", SlurmState::ended, true, 0},
                  {"job-three-1-0", SlurmState::ended, true, 3},
                  {"job-sig-1-0", SlurmState::ended, true, 137},
                  {"job-run-1-0", SlurmState::running, true, 0},
                  {"job-whole-1-0", SlurmState::running, true, 0},
                  {"job-wait-1-0", SlurmState::waiting, false, 0}};
  for (const auto& e : expected) {
    CAPTURE(e.name);
    const SlurmJob& job = named(*jobs, e.name);
    CHECK(job.state == e.state);
    CHECK(job.ran == e.ran);
    CHECK(job.exit_code == e.exit_code);
    CHECK((job.started_at.us != 0) == e.ran);
    CHECK((job.ended_at.us != 0) == (e.state == SlurmState::ended));
    CHECK(job.limit_min == 10);
  }
  CHECK(parse_jobs(recorded("jobs"), "ampacity:other")->empty());
  auto ended = parse_jobs(recorded("jobs_ended"), "ampacity:x");
  REQUIRE(ended);
  CHECK(named(*ended, "job-wait-1-0").state == SlurmState::ended);
  CHECK_FALSE(named(*ended, "job-wait-1-0").ran);  // cancelled as it waited
}

TEST_CASE("slurm codec: what is no whole answer is a fault, never fewer jobs") {
  const net::Response whole = recorded("jobs");
  for (std::size_t n = 0; n + 2 < whole.body.size(); n += 97) {
    net::Response cut = whole;
    cut.body.resize(n);
    CHECK_FALSE(parse_jobs(cut, "ampacity:x"));
  }
  CHECK_FALSE(parse_jobs({200, "", "{}", {}}, "x"));
  CHECK_FALSE(parse_jobs({503, "", "busy", {}}, "x"));
  const auto unknown = parse_jobs(recorded("job_unknown", 500), "ampacity:x");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().status == slurm_no_such_job);
  // slurmctld away: an error inside a 200.
  const auto away = parse_jobs(
      {200, "", R"({"errors":[{"error":"Unspecified error","errno":-1}],"jobs":[]})", {}}, "x");
  CHECK_FALSE(away);
}

TEST_CASE("slurm codec: numbers as later versions write them") {
  const auto jobs = parse_jobs(
      {200,
       "",
       R"({"errors":[],"jobs":[{"job_id":7,"name":"a","comment":"c","job_state":["FAILED"],)"
       R"("nodes":"n1","start_time":{"set":true,"infinite":false,"number":100},)"
       R"("end_time":{"set":true,"infinite":false,"number":105},)"
       R"("exit_code":{"status":["SIGNALED"],"return_code":{"set":false,"number":0},)"
       R"("signal":{"id":{"set":true,"number":9},"name":"KILL"}},)"
       R"("time_limit":{"set":true,"number":5}},)"
       R"({"job_id":8,"name":"b","comment":"c","job_state":["RUNNING","COMPLETING"],)"
       R"("nodes":"n1"}]})",
       {}},
      "c");
  REQUIRE(jobs);
  REQUIRE(jobs->size() == 2);
  CHECK((*jobs)[0].exit_code == 137);
  CHECK((*jobs)[0].started_at.us == 100'000'000);
  CHECK((*jobs)[0].limit_min == 5);
  CHECK((*jobs)[1].state == SlurmState::completing);
}

TEST_CASE("slurm codec: submissions, refusals, nodes, partitions") {
  CHECK(parse_submitted(recorded("submit_ok")).value() > 0);
  const auto refused = parse_submitted(recorded("submit_refused", 500));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == 2018);
  CHECK(refused_for_good(refused.error()));
  CHECK(parse_done(recorded("cancel_ok")));
  CHECK(parse_release(recorded("ping")).value() == "22.05.8");
  const auto partitions = parse_partitions(recorded("partitions"));
  REQUIRE(partitions);
  CHECK(partitions->at(0).is_default);

  auto nodes = parse_nodes(recorded("nodes"));
  REQUIRE(nodes);
  nodes->push_back(nodes->at(0));
  nodes->back().name = "n3";
  nodes->back().flags = {"DRAIN"};
  nodes->back().reason = "fan";
  const auto leaves = leaves_of_topology(
      "SwitchName=leaf-1 Level=0 LinkSpeed=1 Nodes=n[1-2]\nSwitchName=spine Level=1 "
      "Nodes=n[1-9]\n");
  const SiteSeen site = slurm_site(*nodes, "main", leaves, "ours");
  REQUIRE(site.nodes.size() == 3);
  CHECK(site.nodes[1].node.state == core::NodeState::active);
  CHECK(site.nodes[2].node.state == core::NodeState::cordoned);
  CHECK(site.nodes[1].node.leaf == "leaf-1");
  CHECK(site.nodes[1].node.gpus.size() == 8);
  CHECK(site.nodes[1].node.emulated);
  CHECK(site.skus.at(0).name == "h100");
  CHECK(site.skus.at(0).emulated);
  REQUIRE(site.notes.size() == 1);
  CHECK(site.notes[0] == "node n3 takes nothing new: Slurm has it as mixed+drain: fan");
  CHECK(slurm_site(*nodes, "other", {}, "ours").nodes.empty());

  SlurmSubmission s;
  s.name = "job-a-1-0";
  s.node = "n1";
  s.gres = "gpu:h100:8";
  s.exclusive = true;
  s.env = {{"A", "b c"}};
  const auto body = fields::parse(SlurmCodec(38).submit(s).body, "test");
  REQUIRE(body);
  const auto& job = fields::at(*body, "job");
  CHECK(fields::text(job, "nodelist") == "n1");
  CHECK(fields::text(job, "nodes") == "1");  // a list would silently mean one of them
  CHECK(fields::text(job, "exclusive") == "exclusive");
  CHECK(fields::text(fields::at(job, "environment"), "A") == "b c");
  CHECK(fields::at(job, "dependency").is_null());
}

TEST_CASE("slurm codec: GRES and host lists") {
  using Gpus = std::pair<std::string, std::uint32_t>;
  CHECK(gpus_of_gres("gpu:h100:8(S:0-1),nic:2") == Gpus{"h100", 8});
  CHECK(gpus_of_gres("nic:2(a,b),gpu:4") == Gpus{"gpu", 4});
  CHECK(gpus_of_gres("gpu:a100-80") == Gpus{"a100-80", 1});
  CHECK(gpus_of_gres("") == Gpus{"", 0});
  CHECK(names_of_hostlist("n[1-3,07],m") == std::vector<std::string>{"n1", "n2", "n3", "n07", "m"});
  CHECK(names_of_hostlist("n[1-9999999]").empty());
}

TEST_CASE("slurm: markers, whole or not yet") {
  CHECK_FALSE(parse_slurm_marker(""));
  CHECK_FALSE(parse_slurm_marker("S 1795893651 7 n1"));
  const auto begun = parse_slurm_marker("S 1795893651 7 n1 0,1\nE 17");
  REQUIRE(begun);
  CHECK(begun->job_id == 7);
  CHECK(begun->gpus == "0,1");
  CHECK_FALSE(begun->ended_at);
  const auto ended = parse_slurm_marker("S 1795893651 7 n1 \nE 1795893653 3\nE 1795893699 4\n");
  REQUIRE(ended);
  CHECK(ended->exit_code == 3);
  CHECK(ended->ended_at->us == 1795893653'000'000);
}

TEST_CASE("slurm: the wrapper says nothing that a shell would read as more") {
  core::RankWork work;
  work.job_name = "job-a";
  work.command = {"sh", "-c", "echo 'it''s' $(rm -rf /)"};
  work.env = {{"SLURM_PROCID", "3"}, {"AMPACITY_GPUS", "a,b"}, {"MASTER_ADDR", "peer"}};
  const WrapperPlan plan{"/s/markers/job-a-1-0", {{"n1", "10.0.0.1"}, {"n2", "10.0.0.2"}}};
  const std::string script = slurm_wrapper(work, plan);
  CHECK(script.find(R"('echo '\''it'\'''\''s'\'' $(rm -rf /)' &)") != std::string::npos);
  CHECK(leased_gpus(work) == 2);
  const auto env = slurm_environment(work, plan);
  for (const auto& [name, value] : env) {
    CHECK_FALSE(name.starts_with("SLURM_"));
    if (name == "MASTER_ADDR") CHECK(value == "10.0.0.1");
  }
}

TEST_CASE("slurm: a token as scontrol mints it; options that do not fit together") {
  // Checked against a real slurmrestd in slurm_real_test.cc; here its form.
  const std::string token =
      mint_slurm_token("key", "ann", base::Instant{1'000'000'000}, base::Duration::seconds(60));
  CHECK(token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."));
  CHECK(token.find('=') == std::string::npos);
  SlurmOptions o;
  CHECK_FALSE(check_slurm_options(o));
  o.url = "http://127.0.0.1:1";
  CHECK_FALSE(check_slurm_options(o));  // TCP without a token
  o.token_file = "/etc/t";
  CHECK(check_slurm_options(o));
  o.shared = "relative";
  CHECK_FALSE(check_slurm_options(o));
}
