// The command line as a whole: exit codes, errors, sign-in, retries, JSON, tables of every verb.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "cli/beside.h"
#include "cli/fake_cloud.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/test_verbs.h"

using namespace ampacity;
using namespace ampacity::cli;
using core::JobState;

namespace {

std::string problem(int status, base::Code code) {
  api::Problem p{"urn:ampacity:problem:x", "Title", status, "what was wrong", code, {}, {}, {}};
  return base::to_json(p);
}

struct HomeFolder {
  std::string path;
  HomeFolder() {
    char name[] = "/tmp/ampacity-cli-test-XXXXXX";
    path = mkdtemp(name);
  }
  ~HomeFolder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("each kind of no has its exit code") {
  struct Row {
    int status;
    base::Code code;
    int expected;
  };
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  for (const auto& row :
       {Row{400, base::Code::invalid, 2}, Row{401, base::Code::unauthenticated, 4},
        Row{403, base::Code::forbidden, 4}, Row{404, base::Code::not_found, 2},
        Row{409, base::Code::conflict, 2}, Row{402, base::Code::insufficient_credit, 2},
        Row{507, base::Code::store_full, 2}, Row{503, base::Code::unavailable, 3}}) {
    cloud.answer("GET /v1/offers", row.status, problem(row.status, row.code));
    CHECK(cli({"offers"}) == row.expected);
    CHECK(cli.err.str().starts_with("error: what was wrong\n"));
    CHECK(cli.out.str().empty());
  }
  cloud.answer("GET /v1/offers", 500, "<html>\033[31m");
  CHECK(cli({"offers"}) == 3);
  CHECK(cli.err.str() == "error: the server answered 500: <html>?[31m\n");
  cloud.answer("GET /v1/offers", 200, R"({"items": 5})");
  CHECK(cli({"offers"}) == 3);
  CHECK(cli.err.str().find("items must be a list") != std::string::npos);
  CHECK(cli({"nonsense"}) == 2);
  CHECK(cli({"show"}) == 2);
  CHECK(cli({"run", "--image", "x", "python", "y.py"}) == 2);
  CHECK(cli.err.str().find("the command comes after --") != std::string::npos);
  CHECK(cli({"ps", "--", "x"}) == 2);
  CHECK(cli({"exec", "j"}) == 2);
  CHECK(cli({"run", "--image", "x", "-e", "novalue"}) == 2);
  CHECK(cli({"run", "--image", "x", "--class", "cheap"}) == 2);
  CHECK(cli({"run"}) == 2);
  CHECK(cli({"--help"}) == 0);
  cli.env.erase("AMPACITY_KEY");
  CHECK(cli({"offers"}) == 4);
  CHECK(cli({}) == 0);
  CHECK(cli.out.str().find("ampacity login") != std::string::npos);
}

TEST_CASE("a refusal names every wrong field, what is missing, when, and a hint") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  api::Problem p{"urn:x",
                 "T",
                 400,
                 "2 fields are wrong; see `wrong`",
                 base::Code::never_fits,
                 {{"resources.gpus", "no node has 9"}, {"time", "must be a duration"}},
                 {{"credit_ticks", 36'000'000, 18'000'000},
                  {"gpus", 9, 8},
                  {"memory_mib_per_node", 2048, 512}},
                 base::parse_instant("2026-11-22T13:00:00Z")};
  cloud.answer("POST /v1/jobs", 400, base::to_json(p));
  CHECK(cli({"run", "--image", "x", "-d"}) == 2);
  CHECK(cli.err.str() ==
        "error: 2 fields are wrong\n"
        "  resources.gpus: no node has 9\n"
        "  time: must be a duration\n"
        "  credit: 1.0000 wanted, 0.5000 available\n"
        "  gpus: 9 wanted, 8 available\n"
        "  memory per node: 2 GiB wanted, 512 MiB available\n"
        "  earliest: 2026-11-22T13:00:00Z\n"
        "  hint: `ampacity offers` shows what there is\n");
}

TEST_CASE("a POST is repeated with its key while the server is away, a bounded number of times") {
  std::uint16_t port = 0;
  {
    FakeCloud probe;
    port = probe.port();
  }
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = "http://127.0.0.1:" + std::to_string(port);
  CHECK(cli({"stop", "train"}) == exit_unreachable);
  CHECK(cli.slept.size() == 4);
  CHECK(cli.err.str().find("is ampacityd running") != std::string::npos);
  CHECK(cli.err.str().starts_with("error: cannot reach " + cli.env["AMPACITY_URL"] + ": Failed"));

  std::unique_ptr<FakeCloud> cloud;
  cli.on_sleep = [&] {
    if (cloud) return;
    cloud = std::make_unique<FakeCloud>(port);
    REQUIRE(cloud->started);
    cloud->on("POST /v1/jobs/train/stop", [n = 0](const net::Request&, net::Reply reply) mutable {
      if (++n < 3)
        reply.send({503, "application/json", problem(503, base::Code::unavailable), {}});
      else
        reply.send({200, "application/json", base::to_json(sample_job(JobState::stopping)), {}});
    });
  };
  CHECK(cli({"stop", "train"}) == 0);
  CHECK(cli.out.str() == "train stopping\n");
  const auto posts = cloud->seen("POST /v1/jobs/train/stop");
  REQUIRE(posts.size() == 3);
  CHECK(posts[0].header("Idempotency-Key").size() == 22);
  for (const auto& post : posts)
    CHECK(post.header("Idempotency-Key") == posts[0].header("Idempotency-Key"));
  CHECK(cli({"stop", "train"}) == 0);
  CHECK(cloud->seen().back().header("Idempotency-Key") != posts[0].header("Idempotency-Key"));
}

TEST_CASE("login keeps the key where only its owner reads it; the environment goes before") {
  FakeCloud cloud;
  FakeTerminal cli;
  HomeFolder folder;
  const std::string path = folder.path + "/deep/config.json";
  cli.env["AMPACITY_CONFIG"] = path;
  cli.env.erase("AMPACITY_KEY");
  api::WhoAmI me;
  me.user = "ada";
  me.project = "demo";
  me.cloud = "here";
  cloud.on("GET /v1/whoami", [&](const net::Request& r, net::Reply reply) {
    const bool good = r.header("Authorization") == "Bearer amp_good";
    reply.send({good ? 200 : 401,
                "application/json",
                good ? base::to_json(me) : problem(401, base::Code::unauthenticated),
                {}});
  });
  CHECK(cli({"login", "--url", cloud.url() + "/", "--key", "amp_bad"}) == exit_not_allowed);
  CHECK_FALSE(std::filesystem::exists(path));
  cli.in.str("  amp_good \n");
  CHECK(cli({"login", "--url", cloud.url(), "--key", "-"}) == 0);
  CHECK(cli.out.str().find("ada in project demo") != std::string::npos);
  CHECK((cli.out.str() + cli.err.str()).find("amp_good") == std::string::npos);
  struct stat st {};
  REQUIRE(stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  CHECK(cli({"whoami"}) == 0);
  cli.env["AMPACITY_KEY"] = "amp_bad";
  CHECK(cli({"whoami"}) == exit_not_allowed);
  cli.env.erase("AMPACITY_KEY");
  for (const char* key : {"", "a b", "a\r\nX: y"})
    CHECK(cli({"login", "--key", key}) == exit_refused);
  CHECK(cli({"login", "--url", "ftp://x", "--key", "k"}) == exit_refused);
  std::ofstream(path) << "{\"url\": 5}";
  CHECK(cli({"whoami"}) == exit_refused);
  CHECK(cli.err.str().find(path) != std::string::npos);
}

TEST_CASE("tables fit the terminal, say emulated, and names cannot steer it") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  api::JobList list;
  for (int i = 0; i < 3; ++i)
    list.items.push_back(sample_job(i ? JobState::ended : JobState::running));
  list.items[1].name = "\033]0;owned\007" + std::string(300, 'x');
  cloud.answer("GET /v1/jobs", 200, base::to_json(list));
  for (int width : {40, 60, 80, 120, 200}) {
    cli.terminal.width = width;
    CHECK(cli({"ps", "-a"}) == 0);
    std::istringstream lines(cli.out.str());
    std::string line;
    std::getline(lines, line);
    CHECK(width_of(line) <= width);
    for (int rows = 0; rows < 3; ++rows) {
      REQUIRE(std::getline(lines, line));
      CHECK(width_of(line) <= width);
      CHECK_MESSAGE(line.find("emulated") != std::string::npos, line);
    }
    CHECK(cli.out.str().find('\033') == std::string::npos);
  }
  CHECK(cloud.seen().back().target == "/v1/jobs?all=1&limit=50");
  CHECK(cli({"ps", "--json"}) == 0);
  CHECK(cli.out.str() == base::to_json(list) + "\n");
  cli.terminal.out_is_tty = true;
  CHECK(cli({"ps", "--json"}) == 0);
  CHECK(cli.out.str().starts_with("{\n  \"items\": [\n    {\n      \"id\": \"job-06bx1\",\n"));
}

TEST_CASE("ps takes page after page, up to its limit") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  cloud.on("GET /v1/jobs", [](const net::Request& r, net::Reply reply) {
    api::JobList page;
    const auto target = net::parse_target(r.target);
    const int limit = std::stoi(std::string(target.param("limit")));
    for (int i = 0; i < std::min(limit, 20); ++i)
      page.items.push_back(sample_job(JobState::running));
    page.next_cursor = std::string(target.param("cursor")) + "x";
    reply.send({200, "application/json", base::to_json(page), {}});
  });
  CHECK(cli({"ps", "--limit", "50"}) == 0);
  CHECK(cloud.seen().size() == 3);
  CHECK(cloud.seen().back().target == "/v1/jobs?limit=10&cursor=xx");
  CHECK(cli.err.str().find("there are more") != std::string::npos);
  const std::string text = cli.out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 51);
}

namespace {

api::Receipt sample_receipt() {
  api::Receipt receipt;
  receipt.name = "train";
  receipt.emulated = true;
  receipt.state = JobState::ended;
  receipt.intervals = {{1,
                        {0},
                        base::Instant{9'000'000},
                        9,
                        9,
                        0,
                        1,
                        {{"gpu h100", "8", "GPU", "4.78", 9, 3'441'600, "0.0956"}},
                        3'441'600,
                        "0.0956"}};
  receipt.total_ticks = receipt.posted_ticks = 3'441'600;
  receipt.total_usd = "0.0956";
  return receipt;
}

api::LedgerCheck sample_broken() {
  api::LedgerCheck broken{false, {{"debits equal credits", false, 12, "differ by 1"}}};
  return broken;
}

api::Usage sample_usage() {
  api::Usage usage{"day", {{"2026-11-22", 3, 3600, 7'200'000, 3600 * 1024, 5, "0.01"}}, {}};
  return usage;
}

api::NodeView sample_node() {
  api::NodeView node;
  node.name = "n1";
  node.emulated = true;
  node.state = core::NodeState::cordoned;
  node.jobs = {"train"};
  return node;
}

api::KeyView sample_key() {
  api::KeyView key;
  key.id = "key-1";
  key.secret = "amp_once";
  return key;
}

api::Offer sample_offer() {
  api::Offer offer;
  offer.sku = "h100";
  offer.emulated = true;
  offer.gpus_per_node = 8;
  offer.gpus_total = 32;
  offer.gpus_free = 8;
  offer.on_demand_usd_per_gpu_hour = "4.78";
  offer.availability = "now";
  return offer;
}

api::Quote sample_quoted() {
  api::Quote quoted;
  quoted.usd_per_hour = "38.24";
  quoted.why = "3 jobs wait";
  return quoted;
}

api::WhyView sample_why() {
  api::WhyView why;
  why.job = "job-06bx1";
  why.name = "train";
  why.state = JobState::queued;
  why.why = "needs 4 nodes with 8 free h100; 3 now";
  why.constraint = core::Constraint::no_room;
  why.job_class = core::JobClass::on_demand;
  return why;
}

api::ProjectView sample_project() {
  api::ProjectView project;
  project.name = "demo";
  project.wallet_usd = "25.00";
  return project;
}

const std::vector<VerbRow> verb_rows = {
    {{"receipt", "a/b"},
     "GET /v1/jobs/a%2Fb/receipt",
     "",
     base::to_json(sample_receipt()),
     "emulated hardware",
     ""},
    {{"ledger", "check"},
     "GET /v1/ledger/check",
     "",
     base::to_json(sample_broken()),
     "do NOT hold",
     "",
     1},
    {{"ledger", "accounts"}, "GET /v1/ledger/accounts", "", R"({"items":[]})", "DEBITS", ""},
    {{"ledger", "heads"},
     "GET /v1/ledger/heads",
     "",
     R"({"items":[{"day":"2026-11-22","transfers":3,"last":"2026-11-22T01:00:00Z",)"
     R"("head":"ab12"}]})",
     "ab12",
     ""},
    {{"usage", "--by", "day", "--from", "2026-11-01"},
     "GET /v1/usage",
     "/v1/usage?by=day&from=2026-11-01",
     base::to_json(sample_usage()),
     "2026-11-22",
     ""},
    {{"fleet", "nodes"},
     "GET /v1/nodes",
     "",
     base::to_json(api::NodeList{{sample_node()}, {}}),
     "(emulated)",
     ""},
    {{"fleet", "sites"}, "GET /v1/sites", "", R"({"items":[]})", "ENGINE", ""},
    {{"fleet", "cordon", "n1"},
     "PATCH /v1/nodes/n1",
     "",
     base::to_json(sample_node()),
     "n1 (emulated) is cordoned; 1 job on it goes on",
     R"({"state":"cordoned"})"},
    {{"fleet", "return", "n1"},
     "PATCH /v1/nodes/n1",
     "",
     base::to_json(sample_node()),
     "n1",
     R"({"state":"active"})"},
    {{"volumes", "ls"},
     "GET /v1/volumes",
     "",
     base::to_json(api::VolumeList{{{"d", "p", 1 << 20, 2 << 20, true}}}),
     "1 MiB",
     ""},
    {{"volumes", "rm", "d", "--project", "p"},
     "DELETE /v1/volumes/d",
     "/v1/volumes/d?project=p",
     "",
     "",
     ""},
    {{"orgs", "add", "acme"},
     "POST /v1/orgs",
     "",
     base::to_json(api::OrgView{"org-1", "acme", {}}),
     "org-1",
     R"({"name":"acme"})"},
    {{"projects", "ls"},
     "GET /v1/projects",
     "",
     base::to_json(api::ProjectList{{sample_project()}}),
     "25.00",
     ""},
    {{"users", "ls"},
     "GET /v1/users",
     "",
     base::to_json(api::UserList{{{"user-1", "ada", "acme", {}}}}),
     "ada   acme",
     ""},
    {{"keys", "add", "--project", "demo", "--user", "ada"},
     "POST /v1/keys",
     "",
     base::to_json(sample_key()),
     "amp_once\n",
     R"({"role":"customer","project":"demo","user":"ada"})"},
    {{"keys", "rm", "key-1"}, "DELETE /v1/keys/key-1", "", "", "", ""},
    {{"credit", "add", "demo", "25.00"},
     "POST /v1/credits",
     "",
     base::to_json(sample_project()),
     "demo: wallet 25.00 USD",
     R"({"project":"demo","amount":"25.00"})"},
    {{"offers"},
     "GET /v1/offers",
     "",
     base::to_json(api::OfferList{{sample_offer()}, {"a note"}}),
     "emulated",
     ""},
    {{"quote", "--image", "x"},
     "POST /v1/quotes",
     "",
     base::to_json(sample_quoted()),
     "not now: 3 jobs wait",
     ""},
    {{"show", "train"},
     "GET /v1/jobs/train",
     "",
     base::to_json(sample_job(JobState::running)),
     "(emulated)",
     ""},
    {{"why", "train"},
     "GET /v1/jobs/train/why",
     "",
     base::to_json(sample_why()),
     "train is queued: needs 4 nodes",
     ""},
};

}  // namespace

TEST_CASE("every other verb asks its route and shows the answer") { check_verbs(verb_rows); }

TEST_CASE("an empty list and a group without its verb say what to type") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  cloud.answer("GET /v1/orgs", 200, R"({"items":[]})");
  CHECK(cli({"orgs", "ls"}) == 0);
  CHECK(cli.out.str().empty());
  CHECK(cli.err.str() == "no orgs yet: ampacity orgs add NAME\n");
  CHECK(cli({"keys"}) == 2);
  CHECK(cli.err.str().find("hint: ampacity keys ls | add | rm") != std::string::npos);
  CHECK(cli({"events", "--since", "abc"}) == 2);
}

TEST_CASE("completion knows every verb") {
  FakeTerminal cli;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CHECK(cli({"completion", shell}) == 0);
    for (const char* word :
         {"offers",  "quote",      "run",      "ps",           "show",     "why",    "logs",
          "exec",    "stop",       "receipt",  "usage",        "events",   "fleet",  "cordon",
          "volumes", "orgs",       "projects", "users",        "keys",     "credit", "ledger",
          "login",   "version",    "reserve",  "reservations", "drain",    "quotas", "weight",
          "policy",  "checkpoint", "sim",      "prices",       "validate", "store"})
      CHECK_MESSAGE(cli.out.str().find(word) != std::string::npos, word);
  }
  CHECK(cli({"completion", "csh"}) == 2);
}

TEST_CASE("verbs of other programs: which, and with what; or that there is none") {
  REQUIRE(beside("store"));
  CHECK(beside("store")->program == "ampacityd");
  CHECK(beside("store")->keeps_verb);
  CHECK_FALSE(beside("ps"));
  CHECK(path_beside("ampacity-sim") ==
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ampacity-sim").string());
  FakeTerminal cli;
  const HomeFolder folder;
  CHECK(become(folder.path + "/ampacity-sim", *beside("sim"), {"--help"}, cli.terminal) ==
        exit_failed);
  CHECK(cli.err.str().find("/ampacity-sim cannot be run: No such file") != std::string::npos);
  CHECK(cli.err.str().find("hint: ") != std::string::npos);
}
