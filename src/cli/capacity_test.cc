// Reservations, maintenance, quotas, policy and checkpoints on the command line.
#include <doctest/doctest.h>

#include "api/contract_capacity.h"
#include "cli/fake_cloud.h"
#include "cli/session.h"
#include "cli/test_verbs.h"

using namespace ampacity;
using namespace ampacity::cli;
using core::JobState;

namespace {

api::ReservationView sample_reservation() {
  api::ReservationView r;
  r.id = "rsv-1";
  r.name = "night";
  r.project = "demo";
  r.sku = "h100";
  r.gpus = 64;
  r.gpus_kept = 56;
  r.gpus_used = 8;
  r.from = *base::parse_instant("2026-11-22T22:00:00.5Z");
  r.until = *base::parse_instant("2026-11-23T02:00:00.5Z");
  r.nodes = {"n1", "n2"};
  return r;
}

api::FreeList sample_free() {
  const auto at = [](const char* text) { return *base::parse_instant(text); };
  const base::Instant from = at("2026-11-22T12:00:00Z"), change = at("2026-11-22T22:00:00Z"),
                      until = at("2026-11-24T12:00:00Z");
  api::FreeKind kind{"h100", true, 32, {from, until, 8, 1, "home"}, {}, false};
  kind.pieces = {{from, change, 24, 3, "home"}, {change, until, 8, 1, "home"}};
  return {from, until, {kind}};
}

api::MaintenanceView sample_drain() {
  api::MaintenanceView w;
  w.id = "win-1";
  w.name = "drain-x";
  w.nodes = {"n1"};
  w.state = api::WindowState::now;
  w.from = *base::parse_instant("2026-11-22T12:00:00Z");
  w.jobs = 1;
  return w;
}

api::QuotaView sample_quota() {
  api::QuotaView v;
  v.project = "demo";
  v.lines = {{"gpus", "16", "16", "0", "0"}, {"gpu_hours", "100", "12.5", "8", "79.5"}};
  v.window_s = 30 * 86'400;
  v.window_until = *base::parse_instant("2026-12-01T00:00:00Z");
  return v;
}

api::PolicyView sample_policy() { return {core::Order::fair, 4, 7 * 86'400, 600, 30, 5, 60}; }

api::ProjectView sample_weighed() {
  api::ProjectView project;
  project.name = "demo";
  project.weight = 200;
  return project;
}

const std::vector<VerbRow> capacity_rows = {
    {{"reserve", "h100:64", "--from", "+2h", "--for", "4h", "--name", "night", "--release-unused"},
     "POST /v1/reservations",
     "",
     base::to_json(sample_reservation()),
     "night: 64 h100 on 2 nodes kept for demo from 2026-11-22T22:00:00Z until 2026-11-23T02:00:00Z",
     R"({"name":"night","gpus":"h100:64","from":"+2h","duration":"4h","release_unused":true})"},
    {{"reservations"},
     "GET /v1/reservations",
     "",
     base::to_json(api::ReservationList{{sample_reservation()}}),
     "night  h100:56 of 64  upcoming     8  2026-11-22T22:00:00Z",
     ""},
    {{"reservations", "ls"},
     "GET /v1/reservations",
     "",
     base::to_json(api::ReservationList{{sample_reservation()}}),
     "4h 00m  n1, n2",
     ""},
    {{"reservations", "rm", "night", "--project", "demo"},
     "DELETE /v1/reservations/night",
     "/v1/reservations/night?project=demo",
     "",
     "",
     ""},
    {{"reservations", "free", "h100", "--from", "+2h", "--for", "2d", "--site", "home", "--site",
      "us"},
     "GET /v1/reservations/free",
     "/v1/reservations/free?sku=h100&from=%2B2h&duration=2d&site=home%2Cus",
     base::to_json(sample_free()),
     "h100 (emulated)    24  32      3  2026-11-22T12:00:00Z  2026-11-22T22:00:00Z",
     ""},
    {{"fleet", "drain", "n1"},
     "POST /v1/maintenance",
     "",
     base::to_json(sample_drain()),
     "n1: drains; 1 job still on it · win-1",
     R"({"nodes":["n1"]})"},
    {{"fleet", "maintain", "n1", "n2", "--from", "+1h", "--for", "2h"},
     "POST /v1/maintenance",
     "",
     base::to_json(sample_drain()),
     "n1",
     R"({"nodes":["n1","n2"],"from":"+1h","duration":"2h"})"},
    {{"fleet", "windows"},
     "GET /v1/maintenance",
     "",
     base::to_json(api::MaintenanceList{{sample_drain()}}),
     "further notice",
     ""},
    {{"quotas", "set", "demo", "--gpus", "16", "--gpus", "h100=8", "--gpu-hours", "100", "--spend",
      "500", "--window", "30d"},
     "PUT /v1/projects/demo/quota",
     "",
     base::to_json(sample_quota()),
     "gpu hours",
     R"({"gpus":{"any":"16","h100":"8"},"gpu_hours":"100","spend_usd":"500","window":"30d"})"},
    {{"quotas", "clear", "acme", "--org"},
     "PUT /v1/orgs/acme/quota",
     "",
     base::to_json(sample_quota()),
     "",
     R"({"gpus":{}})"},
    {{"quotas", "show", "demo"},
     "GET /v1/projects/demo/quota",
     "",
     base::to_json(sample_quota()),
     "gpu hours       100  12.5          8  79.5",
     ""},
    {{"weight", "demo", "200"},
     "PUT /v1/projects/demo/weight",
     "",
     base::to_json(sample_weighed()),
     "demo: weight 200",
     R"({"weight":200})"},
    {{"policy", "show"},
     "GET /v1/policy",
     "",
     base::to_json(sample_policy()),
     "promises per class              4",
     ""},
    {{"policy"},
     "GET /v1/policy",
     "/v1/policy",
     base::to_json(sample_policy()),
     "order                           fair",
     ""},
    {{"policy", "set", "--order", "fifo", "--half-life", "2d"},
     "PATCH /v1/policy",
     "",
     base::to_json(sample_policy()),
     "fair",
     R"({"order":"fifo","half_life":"2d"})"},
    {{"checkpoint", "train"},
     "POST /v1/jobs/train/checkpoint",
     "",
     base::to_json(sample_job(JobState::running)),
     "train: saved",
     ""},
};

}  // namespace

TEST_CASE("each verb about capacity asks its route and shows the answer") {
  check_verbs(capacity_rows);
}

TEST_CASE("undrain ends a node's own window, and says when others are in it") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  auto both = sample_drain();
  both.id = "win-2";
  both.nodes = {"n2", "n3"};
  cloud.answer("GET /v1/maintenance", 200,
               base::to_json(api::MaintenanceList{{sample_drain(), both}}));
  cloud.answer("DELETE /v1/maintenance/win-1", 204, "");
  cloud.answer("DELETE /v1/maintenance/win-2", 204, "");
  CHECK(cli({"fleet", "undrain", "n1"}) == 0);
  CHECK(cli.err.str() == "n1 takes work again\n");
  CHECK(cli({"fleet", "undrain", "n3"}) == 2);
  CHECK(cli.err.str().find("ampacity fleet undrain win-2") != std::string::npos);
  CHECK(cloud.seen("DELETE /v1/maintenance/win-2").empty());
  CHECK(cli({"fleet", "undrain", "win-2"}) == 0);
  CHECK(cli.err.str() == "n2, n3 take work again\n");
  CHECK(cli({"fleet", "undrain", "n9"}) == 2);
}

TEST_CASE("a customer's own quota, and an over-quota refusal") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  api::WhoAmI me;
  me.project = "demo";
  cloud.answer("GET /v1/whoami", 200, base::to_json(me));
  cloud.answer("GET /v1/projects/demo/quota", 200, base::to_json(sample_quota()));
  CHECK(cli({"quotas", "show"}) == 0);
  CHECK(cli.out.str().find("16 ") != std::string::npos);
  me.project.reset();
  cloud.answer("GET /v1/whoami", 200, base::to_json(me));
  CHECK(cli({"quotas", "show"}) == 2);
  CHECK(cli({"quotas", "set", "demo"}) == 2);
  CHECK(cli.err.str().find("a limit is needed") != std::string::npos);
  api::Problem p{"urn:x",
                 "T",
                 403,
                 "over the quota of project demo: it wants 8 GPUs and 0 GPUs are left; there is "
                 "room again at 2026-11-22T13:00:00Z",
                 base::Code::over_quota,
                 {},
                 {{"project_gpu_milli", 8000, 0}},
                 base::parse_instant("2026-11-22T13:00:00Z")};
  cloud.answer("POST /v1/jobs", 403, base::to_json(p));
  CHECK(cli({"run", "--image", "x", "-d"}) == exit_refused);
  CHECK(cli.err.str() == "error: " + p.detail +
                             "\n  hint: `ampacity quotas show` shows the limits and what is "
                             "used\n");
}
