// CSV, traces and converters: what is right is read, what is wrong is named by line and column.
#include <doctest/doctest.h>

#include "sim/archive.h"
#include "sim/convert.h"

namespace ampacity::sim {
namespace {

CsvReader reader(std::string text, const std::vector<CsvColumn>& columns,
                 const char* file = "t.csv") {
  auto csv = CsvReader::from_text(file, std::move(text), columns);
  REQUIRE_MESSAGE(csv, csv.error().message);
  return std::move(*csv);
}

const char* const two_nodes =
    "node,site,rack,sku,gpus,cpu_milli,memory_mib\n"
    "a,s,r1,h100,8,64000,1000\n"
    "b,s,r1,a40,4,32000,1000\n";
const std::string job_head =
    "job,project,class,submit_s,run_s,nodes,gpus_per_node,gpu_milli,cpu_milli,memory_mib,sku\n";

struct Loaded {
  Trace trace;
  Problems problems;
  bool usable = false;
};

Loaded load(const std::string& jobs, const char* nodes = two_nodes) {
  Loaded l;
  auto n = reader(nodes, node_columns(), "nodes.csv");
  auto j = reader(jobs, job_columns(), "jobs.csv");
  l.usable = load_nodes(n, l.trace, l.problems) && load_jobs(j, l.trace, l.problems);
  return l;
}

}  // namespace

TEST_CASE("columns in any order, CRLF, quotes, blank lines and no last newline") {
  auto csv = reader("b , extra,a\r\n1,x,2\r\n\r\n\"3,4\",,5", {{"a"}, {"b"}, {"c", false}});
  REQUIRE(csv.next());
  CHECK(csv.field(0) == "2");
  CHECK(csv.field(1) == "1");
  CHECK(csv.field(2).empty());
  REQUIRE(csv.next());
  CHECK(csv.line() == 4);
  CHECK(csv.field(0) == "5");
  CHECK(csv.field(1) == "3,4");
  CHECK(csv.at(0, "is odd") == "t.csv:4: a: '5' is odd");
  CHECK_FALSE(csv.next());
}

TEST_CASE("a file without the columns, and rows of another width, are named") {
  const auto none = CsvReader::from_text("x.csv", "a,b\n", {{"a"}, {"c"}, {"d"}});
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "x.csv:1: column c, d is missing; the first line must name a,c,d");
  CHECK_FALSE(CsvReader::from_text("x.csv", "a,a\n", {{"a"}}));
  CHECK_FALSE(CsvReader::from_text("x.csv", "", {{"a"}}));
  auto csv = reader("a,b\n1\n1,2,3\n\"1,2\n1,2\n", {{"a"}});
  for (int i = 0; i < 3; ++i) {
    REQUIRE(csv.next());
    CHECK_FALSE(csv.whole());
  }
  CHECK(csv.why_broken().starts_with("t.csv:4: a quoted field"));
  REQUIRE(csv.next());
  CHECK(csv.whole());
  auto odd = reader("a,b\n1\",2\n1,\x01\n", {{"a"}});
  REQUIRE(odd.next());
  CHECK_FALSE(odd.whole());
  REQUIRE(odd.next());
  CHECK(odd.why_broken() == "t.csv:3: a control character");
}

TEST_CASE("seconds have up to six decimals and no sign") {
  CHECK(parse_seconds("12")->us == 12'000'000);
  CHECK(parse_seconds("0.25")->us == 250'000);
  CHECK(parse_seconds("1.0000019")->us == 1'000'001);
  for (const char* bad : {"", "-1", "-0", "1.", ".5", "1e3", "1.x", "1.0000000x", "99999999999999"})
    CHECK_MESSAGE(!parse_seconds(bad), bad);
  CHECK(format_seconds({1'500'000}) == "1.5");
  CHECK(format_seconds({3'000'000}) == "3");
}

TEST_CASE("a trace is read, sorted by submission, and written as it was") {
  const std::string jobs = job_head +
                           "2,p,spot,20.5,,2,4,1000,1000,10,h100|a40\n"
                           "1,,on_demand,10,7,1,1,250,0,0,\n"
                           "3,q,house,20.5,1,1,0,,4000,100,\n";
  auto l = load(jobs,
                "node,site,rack,sku,gpus,cpu_milli,memory_mib\n"
                "a,s,r1,h100,8,64000,1000\nb,s,r1,h100,4,32000,1000\nc,,,a40,1,1,1\n");
  REQUIRE(l.usable);
  REQUIRE(l.problems.none());
  CHECK(l.trace.gpus() == 13);
  REQUIRE(l.trace.jobs.size() == 3);
  const TraceJob& first = l.trace.jobs[0];
  CHECK(first.name == "1");
  CHECK(l.trace.projects[first.project] == "default");
  CHECK(first.gpu_milli == 250);
  const TraceJob& gang = l.trace.jobs[1];
  CHECK_FALSE(gang.ends());
  CHECK(l.trace.sku_sets[gang.skus] == std::vector<std::string>{"h100", "a40"});
  CHECK(l.trace.jobs[2].job_class == core::JobClass::house);
  auto again = reader(write_jobs(l.trace), job_columns());
  Trace copy;
  copy.nodes = l.trace.nodes;
  Problems problems;
  REQUIRE(load_jobs(again, copy, problems));
  CHECK(write_jobs(copy) == write_jobs(l.trace));
}

TEST_CASE("a gang stands on one kind of GPU, however long the kinds' names are") {
  const auto l = load(job_head + "1,p,spot,0,1,2,8,1000,0,0,\n",
                      "node,site,rack,sku,gpus,cpu_milli,memory_mib\n"
                      "a,s,,a-kind-with-a-long-name-1,8,1,1\n"
                      "b,s,,a-kind-with-a-long-name-2,8,1,1\n");
  CHECK_FALSE(l.usable);
  REQUIRE(l.problems.count == 2);
  CHECK(l.problems.listed[0].contains("is a gang larger than the fleet: 1 such nodes"));
}

TEST_CASE("names with commas are written so that they can be read") {
  auto l = load(job_head + "\"j,1\",\"p,q\",spot,1,2,1,4,1000,0,0,\"a,b\"\n",
                "node,site,rack,sku,gpus,cpu_milli,memory_mib\n\"n,1\",s,r,\"a,b\",4,1,1\n");
  REQUIRE(l.usable);
  REQUIRE(l.problems.none());
  const std::string nodes = write_nodes(l.trace);
  const auto again = load(write_jobs(l.trace), nodes.c_str());
  REQUIRE(again.problems.none());
  CHECK(again.trace.nodes[0].name == "n,1");
  CHECK(again.trace.jobs[0].name == "j,1");
  CHECK(write_jobs(again.trace) == write_jobs(l.trace));
}

TEST_CASE("bad lines are named by line and column, and the rest stands") {
  struct Case {
    const char* row;
    const char* says;
  };
  const Case cases[] = {
      {"x,p,spot,-5,1,1,1,1000,0,0,", "jobs.csv:3: submit_s: '-5' is negative"},
      {"x,p,spot,,1,1,1,1000,0,0,", "jobs.csv:3: submit_s: '' is not seconds"},
      {"x,p,spot,1,ten,1,1,1000,0,0,", "jobs.csv:3: run_s: 'ten' is not seconds"},
      {"x,p,bronze,1,1,1,1,1000,0,0,", "jobs.csv:3: class: 'bronze' is no class"},
      {"x,p,spot,1,1,2,8,1000,0,0,", "jobs.csv:3: nodes: '2' is a gang larger than the fleet"},
      {"x,p,spot,1,1,2,4,1000,0,0,", "jobs.csv:3: nodes: '2' is a gang larger than the fleet"},
      {"x,p,spot,1,1,1,16,1000,0,0,", "jobs.csv:3: gpus_per_node: '16' is more GPUs than any"},
      {"x,p,spot,1,1,1,8,1000,0,0,a40", "jobs.csv:3: gpus_per_node: '8' is more GPUs than any"},
      {"x,p,spot,1,1,1,65,1000,0,0,", "jobs.csv:3: gpus_per_node: '65' is not a whole number"},
      {"x,p,spot,1,1,1,1,1000,64001,0,", "jobs.csv:3: cpu_milli: '64001' with 0 MiB"},
      {"x,p,spot,1,1,1,1,1000,0,0,v100", "jobs.csv:3: sku: 'v100' names a kind of GPU that no"},
      {"x,p,spot,1,1,1,2,500,0,0,", "jobs.csv:3: gpu_milli: '500' is a share"},
      {"x,p,spot,1,1,1,1,0,0,0,", "jobs.csv:3: gpu_milli: '0' is not a whole number"},
      {"x,p,spot,1,1,2,0,,1,1,", "jobs.csv:3: nodes: '2' is a gang without GPUs"},
      {"x,p,spot,1,1,1,1", "jobs.csv:3: 7 fields, but the first line names 11"},
  };
  for (const Case& c : cases) {
    const auto l = load(job_head + "1,p,spot,0,1,1,1,1000,0,0,\n" + c.row + "\n" +
                        "2,p,spot,0,1,1,1,1000,0,0,\n");
    CHECK(l.usable);
    CHECK(l.trace.jobs.size() == 2);
    REQUIRE_MESSAGE(l.problems.count == 1, c.row);
    CHECK_MESSAGE(l.problems.listed[0].starts_with(c.says), l.problems.listed[0]);
  }
  const auto nodes = load(job_head + "1,p,spot,0,1,1,1,1000,0,0,\n",
                          "node,site,rack,sku,gpus,cpu_milli,memory_mib\na,s,r,h100,8,1,1\n"
                          "a,s,r,h100,8,1,1\nb,s,r,,8,1,1\nc,s,r,h100,65,1,1\n");
  REQUIRE(nodes.problems.count == 3);
  CHECK(nodes.problems.listed[0] == "nodes.csv:3: node: 'a' is there twice");
  CHECK(nodes.problems.listed[1].starts_with("nodes.csv:4: sku"));
  CHECK(nodes.problems.listed[2].starts_with("nodes.csv:5: gpus"));
}

TEST_CASE("at most twenty problems are listed, all are counted") {
  std::string jobs = job_head;
  for (int i = 0; i < 50; ++i) jobs += "x,p,spot,-1,1,1,1,1000,0,0,\n";
  const auto l = load(jobs);
  CHECK_FALSE(l.usable);
  CHECK(l.problems.count == 51);  // and that no job is left
  CHECK(l.problems.listed.size() == most_listed_problems);
}

TEST_CASE("openb: shares, CPU pods, and pods that were never scheduled") {
  auto nodes = reader("sn,cpu_milli,memory_mib,gpu,model\nn0,64000,1000,2,P100\nn1,32000,500,0,\n",
                      openb_node_columns());
  auto pods = reader(
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"
      "deletion_time,scheduled_time\n"
      "p0,100,10,1,460,P100,LS,Running,50,90,60\n"
      "p1,200,20,0,0,,BE,Pending,10,25,\n"
      "p2,300,30,2,1000,,LS,Running,20,10,20\n",
      openb_pod_columns());
  Trace t;
  Problems problems;
  REQUIRE(convert_openb(nodes, pods, core::JobClass::on_demand, t, problems));
  REQUIRE(problems.count == 1);
  CHECK(problems.listed[0].starts_with("t.csv:4: deletion_time: '10'"));
  CHECK(write_nodes(t) ==
        "node,site,rack,sku,gpus,cpu_milli,memory_mib\n"
        "n0,openb,,P100,2,64000,1000\nn1,openb,,cpu,0,32000,500\n");
  CHECK(write_jobs(t) == job_head +
                             "p1,openb,on_demand,10,15,1,0,1000,200,20,\n"
                             "p0,openb,on_demand,50,30,1,1,460,100,10,P100\n");
}

TEST_CASE("itp: files without a last newline, gangs of whole nodes, time from the first") {
  std::map<std::string, std::string> files = {
      {"cluster01.csv", "job_id,submission_time,duration,num_gpu\nu1,200,5,64"},
      {"cluster02.csv", "job_id,submission_time,duration,num_gpu\nu2,150,7,2\nu3,300,1,9999"}};
  Trace t;
  Problems problems;
  ItpPlan plan;
  plan.project_by_cluster = true;
  REQUIRE(convert_itp(files, plan, t, problems));
  CHECK(t.gpus() == 1280);
  CHECK(write_jobs(t) == job_head +
                             "cluster02-1,cluster02,spot,0,7,1,2,1000,0,0,\n"
                             "cluster01-2,cluster01,spot,50,5,8,8,1000,0,0,\n");
  REQUIRE(problems.count == 1);
  CHECK(problems.listed[0].starts_with("cluster02.csv:3: num_gpu: '9999'"));
}

TEST_CASE("muri: milliseconds, rounded up to a second, or stretched as the artifact does") {
  const char* text =
      "job_id,num_gpu,submit_time,iterations,model_name,duration,iteration_time\n"
      "0,16,1500,1001,dqn,1,1\n";
  for (const std::int64_t stretch : {1000, 1015}) {
    auto csv = reader(text, muri_columns());
    Trace t;
    Problems problems;
    MuriPlan plan;
    plan.stretch_permille = stretch;
    REQUIRE(convert_muri(csv, plan, t, problems));
    const std::string run = stretch == 1000 ? "2" : "1.016015";
    CHECK(write_jobs(t) == job_head + "0,muri,spot,1.5," + run + ",2,8,1000,0,0,\n");
  }
}

}  // namespace ampacity::sim
