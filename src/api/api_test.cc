// The contract: the golden OpenAPI document, who may call what, and every wrong field named.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "api/bind_capacity.h"
#include "api/bind_job.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/when.h"

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
      CHECK_MESSAGE((r.path == "/healthz" || r.path == "/openapi.json" ||
                     (r.path.starts_with("/v1/session") && r.method != "DELETE")),
                    r.path);
  }
  CHECK(match_route("POST", "/v1/jobs/x/stop").arguments.at(0) == "x");
  CHECK(match_route("GET", "/v1/jobs/x").route->operation == "show_job");
  CHECK(match_route("PUT", "/v1/jobs").other_method);
  for (const char* path :
       {"", "/", "/v1", "/v1/jobs/", "/v1/jobs/x/", "/v1/jobs/x/stop/y", "v1/jobs"})
    CHECK_MESSAGE(match_route("GET", path).route == nullptr, path);
  for (const char* path : {"/v1/nodes", "/v1/orgs", "/v1/ledger/check", "/metrics", "/v1/queue",
                           "/v1/revenue", "/v1/event-log", "/v1/fleet", "/v1/fleet/live"})
    CHECK(match_route("GET", path).route->permission == Permission::owner);
}

namespace {
const Instant now = *base::parse_instant("2026-11-22T12:00:00Z");

std::vector<std::string> fields_of(const base::Refusal& r) {
  std::vector<std::string> fields;
  for (const auto& w : r.wrong) fields.push_back(w.field);
  return fields;
}
}  // namespace

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
      {R"({"image":"x","resources":{"gpus":"h100:1","gpu_share":"0.25"}})", {}},
      {R"({"image":"x","resources":{"gpus":"h100","mig":"3g.40gb"}})", {}},
      {R"({"image":"x","resources":{"gpus":"h100:2","gpu_share":"0.25"}})",
       {"resources.gpu_share"}},
      {R"({"image":"x","resources":{"gpus":"h100:1x2","mig":"1/8"}})", {"resources.mig"}},
      {R"({"image":"x","resources":{"gpu_share":"1"}})",
       {"resources.gpu_share", "resources.gpu_share"}},
      {R"({"image":"x","resources":{"gpus":"h100:1","gpu_share":"0.001"}})",
       {"resources.gpu_share"}},
      {R"({"image":"x","resources":{"gpus":"h100:1","gpu_share":"0.5","mig":"1/8"}})",
       {"resources.mig"}},
      {R"({"image":"x","resources":{"gpus":"h100:1","mig":"9g.5gb"}})", {"resources.mig"}},
      {R"({"image":"x","placement":{"sites":["","lab"],"apart":"A b"}})",
       {"placement.sites[0]", "placement.apart"}},
      {R"({"image":"x","start_by":"yesterday","expected":"0s","max_price":"x"})",
       {"start_by", "expected", "max_price"}},
      {R"({"image":"x","start_by":"2026-11-22T11:59:59Z","max_price":"3.50"})",
       {"start_by", "max_price"}},
      {R"({"image":"x","resources":{"gpus":"a40"},"max_price":"0.00001"})", {"max_price"}},
      {R"({"image":"x","reservation":"No Such"})", {"reservation"}},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.json));
    const auto request = base::from_json<JobRequest>(row.json);
    REQUIRE(request);
    const auto bound = bind_job(*request, now);
    std::vector<std::string> fields;
    if (!bound)
      for (const auto& w : bound.error().wrong) fields.push_back(w.field);
    CHECK(fields == row.fields);
  }
  const auto bound =
      bind_job(*base::from_json<JobRequest>(
                   R"({"image":"x","resources":{"gpus":"h100:8x4","cpus":"1.5","memory":"2GiB"},)"
                   R"("time":"1h"})"),
               now);
  REQUIRE(bound);
  CHECK(bound->submit.gpus->nodes == 4);
  CHECK(bound->submit.cpu_milli == 1500);
  CHECK(bound->submit.memory_mib == 2048);
  CHECK(bound->submit.job.time_limit_s == 3600);
}

TEST_CASE("a job's wishes become the core's words") {
  const auto bind = [](const char* json) {
    const auto bound = bind_job(*base::from_json<JobRequest>(json), now);
    REQUIRE(bound);
    return *bound;
  };
  const auto share =
      bind(R"({"image":"x","resources":{"gpus":"h100:1","gpu_share":"0.25"},"max_price":"3.50",)"
           R"("placement":{"sites":["lab"],"together":"rack","apart":"db"},"start_by":"+2h",)"
           R"("expected":"90m"})");
  CHECK(share.submit.gpu_milli == 250);
  CHECK(share.submit.most_price == 35'000);
  CHECK(share.submit.places == std::vector<std::string>{"lab"});
  CHECK(share.submit.together == core::Together::rack);
  CHECK(share.submit.apart == "db");
  CHECK(share.submit.job.start_by == now + base::Duration::seconds(7200));
  CHECK(share.submit.job.expected_run_s == 5400);
  CHECK(share.submit.job.job_class == core::JobClass::on_demand);
  // A slice is paid and counted as the eighths it takes.
  const auto slice = bind(R"({"image":"x","resources":{"gpus":"h100:1","mig":"2g.20gb"}})");
  CHECK(slice.submit.mig == 2);
  CHECK(slice.submit.gpu_milli == 250);
  const auto inside = bind(R"({"image":"x","reservation":"night","placement":{"sites":["any"]}})");
  CHECK(inside.reservation == "night");
  CHECK(inside.submit.job.job_class == core::JobClass::reserved);
  CHECK(inside.submit.places.empty());
}

TEST_CASE("instants, parts and slices as people write them") {
  CHECK(parse_when("now", now) == now);
  CHECK(parse_when("+1d12h", now) == now + base::Duration::seconds(129'600));
  CHECK(parse_when("2026-11-23T08:00:00+01:00", now) ==
        base::parse_instant("2026-11-23T07:00:00Z"));
  for (const char* bad : {"", "+", "+-2h", "2h", "tomorrow", "+9999999d"})
    CHECK_MESSAGE(!parse_when(bad, now), bad);
  CHECK(parse_milli("16", 100) == 16'000);
  CHECK(parse_milli("0.125", 1) == 125);
  CHECK(parse_milli("0", 1) == 0);
  for (const char* bad : {"", "-1", ".5", "1.", "1.0001", "1e3", "1.5", "2", "0x1"})
    CHECK_MESSAGE(!parse_milli(bad, 1), bad);
  CHECK(format_decimal(16'000, 1000) == "16");
  CHECK(format_decimal(125, 1000) == "0.125");
  CHECK(format_decimal(5, 10'000) == "0.001");
  struct Slice {
    const char* text;
    std::uint32_t eighths;
  };
  for (const Slice& s : {Slice{"1g.5gb", 1},
                         {"1g.10gb", 1},
                         {"1g.20gb", 2},
                         {"2g.20gb", 2},
                         {"3g.40gb", 4},
                         {"4g.40gb", 4},
                         {"7g.80gb", 8},
                         {"1/8", 1},
                         {"2", 2},
                         {"8/8", 8}})
    CHECK_MESSAGE(parse_mig(s.text) == s.eighths, s.text);
  for (const char* bad : {"", "3", "3/8", "5g.40gb", "1g", "10gb"})
    CHECK_MESSAGE(!parse_mig(bad), bad);
}

TEST_CASE("a reservation: one kind, one end, in the future") {
  struct Row {
    const char* json;
    std::vector<std::string> fields;
    std::uint32_t gpus = 0;
    std::int64_t from_s = 0, for_s = 0;
  };
  const Row rows[] = {
      {R"({"gpus":"h100:64","duration":"4h"})", {}, 64, 0, 14'400},
      {R"({"gpus":"h100:8x16","from":"+1h","until":"+2h"})", {}, 128, 3600, 3600},
      {R"({"gpus":"h100:100000","from":"2026-11-22T13:00:00Z","duration":"1d"})",
       {},
       100'000,
       3600,
       86'400},
      {R"({"gpus":"h100|a40:8","duration":"4h"})", {"gpus"}},
      {R"({"gpus":"any:8","duration":"4h"})", {"gpus"}},
      {R"({"gpus":"h100:0","duration":"4h"})", {"gpus"}},
      {R"({"gpus":"h100:1.5","duration":"x"})", {"gpus", "duration"}},
      {R"({"gpus":"h100:8"})", {"duration"}},
      {R"({"gpus":"h100:8","until":"+1h","duration":"1h"})", {"duration"}},
      {R"({"gpus":"h100:8","from":"soon","duration":"1h","name":"A"})", {"name", "from"}},
      {R"({"gpus":"h100:8","from":"2026-11-22T11:00:00Z","duration":"1h"})", {"from"}},
      {R"({"gpus":"h100:8","from":"+2h","until":"+1h"})", {"until"}},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.json));
    const auto bound = bind_reservation(*base::from_json<ReservationRequest>(row.json), now);
    CHECK(bound.has_value() == row.fields.empty());
    if (!bound) {
      CHECK(fields_of(bound.error()) == row.fields);
      continue;
    }
    CHECK(bound->gpus == row.gpus);
    CHECK(bound->sku == "h100");
    CHECK(bound->from == now + base::Duration::seconds(row.from_s));
    CHECK(bound->until == bound->from + base::Duration::seconds(row.for_s));
  }
}

TEST_CASE("maintenance without an end is a drain") {
  const auto drain = bind_maintenance({{}, {"n1"}, {}, {}, {}}, now);
  REQUIRE(drain);
  CHECK(drain->from == now);
  CHECK(drain->until.us == 0);
  const auto window = bind_maintenance({"disks", {"n1"}, "+1h", {}, "2h"}, now);
  REQUIRE(window);
  CHECK((window->until - window->from).whole_seconds() == 7200);
  const auto none = bind_maintenance({}, now);
  REQUIRE_FALSE(none);
  CHECK(fields_of(none.error()) == std::vector<std::string>{"nodes"});
}

TEST_CASE("quotas and the policy: each wrong field by its path") {
  const auto quota = bind_quota({{{"any", "16"}, {"h100", "0.5"}}, "100", "500", "30d"});
  REQUIRE(quota);
  CHECK(quota->gpu_milli ==
        std::vector<std::pair<std::string, std::int64_t>>{{"", 16'000}, {"h100", 500}});
  CHECK(quota->quota.gpu_milli_s == 100LL * 3600 * 1000);
  CHECK(quota->quota.spend == 500 * base::ticks_per_usd);
  CHECK(quota->quota.window_s == 30 * 86'400);
  const auto none = bind_quota({});
  REQUIRE(none);
  CHECK(none->quota.gpu_milli_s == -1);
  CHECK(none->quota.spend == -1);
  struct Row {
    QuotaRequest request;
    std::vector<std::string> fields;
  };
  const Row rows[] = {
      {{{{"any", "-1"}, {"h100", "x"}}, "y", "z", "1m"},
       {"gpus.any", "gpus.h100", "gpu_hours", "spend_usd", "window"}},
      {{{}, "1", {}, {}}, {"window"}},
      {{{}, {}, {}, "30d"}, {"window"}},
  };
  for (const Row& row : rows) {
    const auto bound = bind_quota(row.request);
    REQUIRE_FALSE(bound);
    CHECK(fields_of(bound.error()) == row.fields);
  }
  PolicyChange change;
  change.half_life = "2d";
  change.order = core::Order::fifo;
  const auto policy = changed({}, change);
  REQUIRE(policy);
  CHECK(policy->half_life_s == 2 * 86'400);
  CHECK(policy->order == core::Order::fifo);
  CHECK(policy->spot_grace_s == core::Policy{}.spot_grace_s);
  change.order = core::Order::srtf;
  change.spot_grace = "soon";
  const auto bad = changed({}, change);
  REQUIRE_FALSE(bad);
  CHECK(fields_of(bad.error()) == std::vector<std::string>{"order", "spot_grace"});
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
  CHECK(back->code == base::Code::insufficient_credit);
  refusal.code = base::Code::over_quota;
  CHECK(base::from_json<Problem>(problem_response(refusal).body)->code == base::Code::over_quota);
}

}  // namespace ampacity::api
