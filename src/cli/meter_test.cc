// Metered events on the command line: lines to batches, and each no back to its line.
#include <doctest/doctest.h>

#include "api/meter_events.h"
#include "cli/fake_cloud.h"
#include "cli/test_verbs.h"

using namespace ampacity;
using namespace ampacity::cli;

namespace {

api::MeterEventList sample_list() {
  api::MeterEventView e;
  e.sequence = 42;
  e.source = "/storage/lab";
  e.id = "v-7";
  e.project = "demo";
  e.meter = "storage_gb_hours";
  e.quantity = "12.5";
  e.from = *base::parse_instant("2026-11-22T10:00:00Z");
  e.until = *base::parse_instant("2026-11-22T11:00:00Z");
  e.corrects = api::Corrects{"/storage/lab", "v-6", {}};
  e.resource = "vol-1";
  return {{e}, "3:1:42"};
}

}  // namespace

TEST_CASE("meter events: what is asked for and shown") {
  check_verbs({
      {{"meter", "events", "--project", "demo", "--meter", "storage_gb_hours", "--from",
        "2026-11-01", "--to", "2026-12-01", "--limit", "5"},
       "GET /v1/meter-events",
       "/v1/meter-events?project=demo&meter=storage_gb_hours&from=2026-11-01&to=2026-12-01&limit=5",
       base::to_json(sample_list()),
       "2026-11-22T10:00:00Z +1h 00m  demo     storage_gb_hours      12.5  vol-1",
       ""},
      {{"meter", "events", "--org", "acme"},
       "GET /v1/meter-events",
       "/v1/meter-events?org=acme&limit=100",
       base::to_json(sample_list()),
       "more: --cursor 3:1:42",
       ""},
      {{"meter", "events"},
       "GET /v1/meter-events",
       "",
       base::to_json(sample_list()),
       "v-7 (correction)",
       ""},
  });
}

TEST_CASE("meter send: batches of a thousand lines, and what was not taken by its line") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  const auto send = [&](const std::string& lines, std::vector<std::string> more = {}) {
    cli.in.clear();
    cli.in.str(lines);
    std::vector<std::string> args = {"meter", "send", "-"};
    args.insert(args.end(), more.begin(), more.end());
    return cli(args);
  };
  cloud.answer("POST /v1/meter-events", 200, base::to_json(api::MeterAnswer{1, 0, {}, {}, 1}));
  CHECK(send("{\"a\":1}\r\n\n  \n{\"b\":2}") == 0);
  CHECK(cloud.seen().back().body == "[{\"a\":1}\r,{\"b\":2}]");
  CHECK(cli.out.str() == "1 taken, 0 known already, 0 in conflict, 0 refused\n");

  // The line of an index is that of its own batch, blank and broken lines counted.
  api::MeterAnswer no;
  no.accepted = 5;
  no.conflicts = {{0, "/s", "x", api::ConflictReason::other_payload}};
  no.refused = {{1, "time", "is required"}};
  cloud.answer("POST /v1/meter-events", 200, base::to_json(no));
  CHECK(send("\n{}\nnot json\n{}\n") == 2);
  CHECK(cli.out.str() ==
        "line 2: x of /s was received before and said something else; that stands\n"
        "line 3: (event) is not JSON on one line\n"
        "line 4: time is required\n"
        "5 taken, 0 known already, 1 in conflict, 2 refused\n");
  std::string many;
  for (int i = 0; i < 2'001; ++i) many += "{}\n";
  const std::size_t before = cloud.seen().size();
  CHECK(send(many, {"--json"}) == 2);
  CHECK(cloud.seen().size() == before + 3);
  CHECK(cloud.seen().back().body == "[{}]");
  const auto sum = base::from_json<api::MeterAnswer>(cli.out.str());
  REQUIRE(sum);
  CHECK(sum->accepted == 15);
  CHECK(sum->conflicts.at(2).index == 2'001);
  CHECK(send("") == 0);
  CHECK(cli({"meter", "send", "/nonexistent"}) == 2);
  cloud.answer("POST /v1/meter-events", 400, "no");
  CHECK(send("{}") == 2);
}
