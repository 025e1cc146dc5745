// The contract: the golden OpenAPI document, who may call what, and every wrong field named.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "api/bind_job.h"
#include "api/price_file.h"
#include "api/problem.h"
#include "api/routes.h"

namespace ampacity::api {

TEST_CASE("the OpenAPI document is the golden one") {
  // A change on purpose: AMPACITY_GOLDEN=write build/default/bin/api_test, and read the diff.
  const std::string path = AMPACITY_SOURCE_DIR "/tests/golden/openapi.json";
  const std::string document = openapi_document();
  if (const char* write = std::getenv("AMPACITY_GOLDEN"); write && std::string(write) == "write")
    std::ofstream(path) << document;
  std::ifstream in(path);
  const std::string golden((std::istreambuf_iterator<char>(in)), {});
  CHECK(document == golden);
  CHECK(base::parse_json(document));
}

TEST_CASE("routes: names are unique, owners' things need an owner, paths match whole") {
  std::set<std::string_view> operations;
  for (const Route& r : routes()) {
    CHECK(operations.insert(r.operation).second);
    if (r.permission == Permission::anyone)
      CHECK_MESSAGE((r.path == "/healthz" || r.path == "/openapi.json"), r.path);
  }
  CHECK(match_route("POST", "/v1/jobs/x/stop").arguments.at(0) == "x");
  CHECK(match_route("GET", "/v1/jobs/x").route->operation == "show_job");
  CHECK(match_route("PUT", "/v1/jobs").other_method);
  for (const char* path :
       {"", "/", "/v1", "/v1/jobs/", "/v1/jobs/x/", "/v1/jobs/x/stop/y", "v1/jobs"})
    CHECK_MESSAGE(match_route("GET", path).route == nullptr, path);
  for (const char* path : {"/v1/nodes", "/v1/orgs", "/v1/keys", "/v1/ledger/check", "/metrics"})
    CHECK(match_route("GET", path).route->permission == Permission::owner);
}

TEST_CASE("a job request: every wrong field is named, with what would be right") {
  struct Row {
    const char* json;
    std::vector<std::string> fields;
  };
  const Row rows[] = {
      {R"({"image":"x"})", {}},
      {R"({"image":""})", {"image"}},
      {R"({"image":"a b"})", {"image"}},
      {R"({"image":"dir:/etc"})", {"image"}},
      {R"({"image":"containers-storage:[vfs@/a+/b]x"})", {"image"}},
      {R"({"image":"oci-archive:x"})", {"image"}},
      {R"({"image":"localhost:5000/a/b-c_d:1.2@sha256:00"})", {}},
      {R"({"image":"x","name":"Train"})", {"name"}},
      {R"({"image":"x","time":"0s"})", {"time"}},
      {R"({"image":"x","grace":"6m"})", {"grace"}},
      {R"({"image":"x","retries":-1})", {"retries"}},
      {R"({"image":"x","env":{"1A":"x","AMPACITY_X":"y"}})", {"env.1A", "env.AMPACITY_X"}},
      {R"({"image":"x","volumes":["a:/b","a:b","/etc:/c","a:/x/../y","b:/b"]})",
       {"volumes[1]", "volumes[2]", "volumes[3]", "volumes[4]"}},
      {R"({"image":"x","resources":{"gpus":"h100:0","cpus":"-1","memory":"1PB"}})",
       {"resources.gpus", "resources.cpus", "resources.memory"}},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.json));
    const auto request = base::from_json<JobRequest>(row.json);
    REQUIRE(request);
    const auto bound = bind_job(*request);
    std::vector<std::string> fields;
    if (!bound)
      for (const auto& w : bound.error().wrong) fields.push_back(w.field);
    CHECK(fields == row.fields);
  }
  const auto bound = bind_job(*base::from_json<JobRequest>(
      R"({"image":"x","resources":{"gpus":"h100:8x4","cpus":"1.5","memory":"2GiB"},"time":"1h"})"));
  REQUIRE(bound);
  CHECK(bound->submit.gpus->nodes == 4);
  CHECK(bound->submit.cpu_milli == 1500);
  CHECK(bound->submit.memory_mib == 2048);
  CHECK(bound->submit.job.time_limit_s == 3600);
}

TEST_CASE("problems are RFC 9457 and keep what is missing") {
  base::Refusal refusal{base::Code::insufficient_credit, "no", {}, {{"credit_ticks", 5, 3}}, {}};
  const net::Response r = problem_response(refusal);
  CHECK(r.status == 402);
  CHECK(r.content_type == "application/problem+json");
  const auto back = base::from_json<Problem>(r.body);
  REQUIRE(back);
  CHECK(back->type == "urn:ampacity:problem:insufficient_credit");
  CHECK(back->missing == refusal.missing);
}

TEST_CASE("a price file is exact or refused, with its line") {
  const auto book = parse_price_file(
      "name: mine\n"
      "gpus: {h100: {on_demand: 4.7800, spot: 2.39}, a40: {on_demand: 1.28}}\n"
      "beside_gpu: {vcpu: 0.010, gib: 0.005}\n"
      "cpu_only: {vcpu: 0.0125, gib: 0}\n");
  REQUIRE_MESSAGE(book, book.error().message);
  CHECK(book->gpus[1].on_demand == 47'800);
  CHECK(book->gpus[0].spot == 6'400);  // half
  CHECK(book->cpu_vcpu == 125);
  const auto bad = parse_price_file(
      "name: mine\ngpus:\n  h100: {on_demand: 4.78001}\n"
      "beside_gpu: {vcpu: -1, gib: 0.005}\ncpu_only: {vcpu: x, gib: 1e3}\n");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().wrong.size() == 4);
  CHECK(bad.error().wrong[0].message.find("line 3") != std::string::npos);
  CHECK_FALSE(parse_price_file("name: [x\n"));
}

}  // namespace ampacity::api
