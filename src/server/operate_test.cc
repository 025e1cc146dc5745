// Over HTTP: a customer's own people and keys, the log of events, pages of the job list, the fleet.
#include "api/contract_operate.h"
#include "server/fleet_feed.h"
#include "server/test_server.h"

namespace ampacity::server {
namespace {

struct TwoOrgs {
  store::ScratchFolder folder;
  TestServer server{folder.path, store::scratch_store(folder)};
  std::string owner = server.add_key(core::Role::owner, core::nobody);
  std::string ann, bob;

  TwoOrgs() {
    for (const char* org : {"acme", "other"}) {
      make("/v1/orgs", R"({"name":")" + std::string(org) + "\"}");
      make("/v1/projects", R"({"org":")" + std::string(org) + R"(","name":"p-)" + org + "\"}");
    }
    make("/v1/users", R"({"org":"acme","name":"ann"})");
    make("/v1/users", R"({"org":"other","name":"bob"})");
    ann = secret(make("/v1/keys", R"({"project":"p-acme","user":"ann"})"));
    bob = secret(make("/v1/keys", R"({"project":"p-other","user":"bob"})"));
  }
  std::string make(const std::string& at, const std::string& body) {
    const auto r = server.call(owner, "POST", at, body);
    REQUIRE_MESSAGE(r.status == 201, r.body);
    return r.body;
  }
  static std::string secret(const std::string& body) {
    return *base::from_json<api::KeyView>(body)->secret;
  }
  int status(const std::string& key, const char* method, const std::string& at,
             const std::string& body = {}) {
    return server.call(key, method, at, body).status;
  }
  template <typename T>
  T got(const std::string& key, const std::string& at) {
    const auto r = server.call(key, "GET", at);
    REQUIRE_MESSAGE(r.status == 200, r.body);
    return *base::from_json<T>(r.body);
  }
};

}  // namespace

TEST_CASE("a customer's key sees, makes and revokes keys of its own project, and no other") {
  TwoOrgs c;
  CHECK(c.got<api::KeyList>(c.ann, "/v1/keys").items.size() == 1);
  CHECK(c.got<api::KeyList>(c.owner, "/v1/keys").items.size() == 2);
  const auto made = c.server.call(c.ann, "POST", "/v1/keys", R"({"label":"ci"})");
  REQUIRE_MESSAGE(made.status == 201, made.body);
  const auto key = *base::from_json<api::KeyView>(made.body);
  CHECK(key.project == "p-acme");
  CHECK(key.user == "ann");
  CHECK(c.status(*key.secret, "GET", "/v1/whoami") == 200);
  for (const char* body : {R"({"role":"owner"})", R"({"project":"p-other","user":"bob"})",
                           R"({"project":"p-acme","role":"owner","user":"ann"})"})
    CHECK_MESSAGE(c.status(c.ann, "POST", "/v1/keys", body) == 403, body);
  CHECK(c.status(c.ann, "POST", "/v1/keys", R"({"user":"bob"})") == 400);
  CHECK(c.status(c.bob, "DELETE", "/v1/keys/" + key.id) == 404);
  CHECK(c.status(*key.secret, "GET", "/v1/whoami") == 200);
  CHECK(c.status(c.ann, "DELETE", "/v1/keys/" + key.id) == 204);
  CHECK(c.status(*key.secret, "GET", "/v1/whoami") == 401);
  CHECK(c.status(c.ann, "DELETE", "/v1/keys/key-nothing") == 404);
}

TEST_CASE("a customer's key sees and makes people of its own org, and no other") {
  TwoOrgs c;
  CHECK(c.status(c.ann, "POST", "/v1/users", R"({"org":"acme","name":"amy"})") == 201);
  CHECK(c.status(c.ann, "POST", "/v1/users", R"({"org":"other","name":"eve"})") == 403);
  CHECK(c.got<api::UserList>(c.ann, "/v1/users").items.size() == 2);
  CHECK(c.got<api::UserList>(c.bob, "/v1/users").items.size() == 1);
  CHECK(c.got<api::UserList>(c.owner, "/v1/users").items.size() == 3);
}

TEST_CASE("the log of events: newest first, each once over its pages, filtered, with who did it") {
  TwoOrgs c;
  std::vector<std::uint64_t> all;
  std::string cursor;
  do {
    const auto page = c.got<api::EventLog>(c.owner, "/v1/event-log?limit=3" + cursor);
    CHECK(page.items.size() <= 3);
    for (const auto& e : page.items) all.push_back(e.sequence);
    cursor = page.next_cursor ? "&cursor=" + *page.next_cursor : "";
  } while (!cursor.empty());
  REQUIRE(all.size() > 10);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == all.size() - i);
  const auto people = c.got<api::EventLog>(c.owner, "/v1/event-log?kind=user");
  REQUIRE(people.items.size() == 2);
  CHECK(people.items[0].text == "user bob");
  CHECK(people.items[0].actor.starts_with("key-"));
  CHECK_FALSE(people.next_cursor);
  CHECK(c.got<api::EventLog>(c.owner, "/v1/event-log?q=ann&kind=user").items.size() == 1);
  CHECK(c.got<api::EventLog>(c.owner, "/v1/event-log?actor=engine").items.empty());
  CHECK(c.status(c.owner, "GET", "/v1/event-log?cursor=x") == 400);
  CHECK(c.status(c.ann, "GET", "/v1/event-log") == 403);
}

TEST_CASE("the log of events as one file: all of it, filtered, quoted, for operators only") {
  TwoOrgs c;
  const auto log = c.got<api::EventLog>(c.owner, "/v1/event-log?limit=500").items;
  const auto file = c.server.call(c.owner, "GET", "/v1/exports/events");
  REQUIRE(file.status == 200);
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = file.body.find("\r\n", at)) != std::string::npos;
       at = end + 2)
    lines.push_back(file.body.substr(at, end - at));
  REQUIRE(lines.size() == log.size() + 1);
  CHECK(lines[0] == "sequence,at,actor,kind,project,job,text");
  for (std::size_t i = 0; i < log.size(); ++i)
    CHECK(lines[i + 1].starts_with(std::to_string(log[i].sequence) + "," +
                                   base::format_instant(log[i].at) + "," + log[i].actor + "," +
                                   log[i].kind + ","));
  CHECK(file.body.find("cut_off") == std::string::npos);
  const auto part = c.server.call(
      c.owner, "GET", "/v1/exports/events?kind=user&cursor=" + std::to_string(log[0].sequence));
  CHECK(std::count(part.body.begin(), part.body.end(), '\n') == 3);
  CHECK(part.body.ends_with(",user ann\r\n"));
  CHECK(c.status(c.owner, "GET", "/v1/exports/events?cursor=0") == 400);
  CHECK(c.status(c.ann, "GET", "/v1/exports/events") == 403);
}

TEST_CASE("a picture of the fleet: all once each node was seen, then what differs") {
  FleetPicture picture;
  CHECK_FALSE(picture.take({{{0, {'a', "...."}}}, 3, 7}));
  CHECK_FALSE(picture.take({{{1, {'a', "oooo"}}, {0, {'a', "...."}}}, 3, 8}));
  CHECK_FALSE(picture.is_whole());
  const auto all = picture.take({{{2, {'c', ""}}}, 3, 9});
  REQUIRE(all);
  CHECK(all->sequence == 9);
  CHECK(all->nodes == "aac");
  CHECK(all->gpus == "....oooo");
  CHECK_FALSE(picture.take({{{2, {'c', ""}}, {0, {'a', "...."}}}, 3, 10}));
  const auto some = picture.take({{{2, {'x', ""}}, {1, {'a', "oooo"}}, {0, {'a', "..o."}}}, 3, 11});
  REQUIRE(some);
  CHECK_FALSE(some->nodes);
  REQUIRE(some->changes.size() == 2);
  CHECK(some->changes[0].node == 2);
  CHECK(some->changes[0].state == "x");
  CHECK(some->changes[1].gpus == "..o.");
  CHECK(picture.everything().gpus == "..o.oooo");
  // One more node: nothing is said until it, and all others, were seen again.
  CHECK_FALSE(picture.take({{{3, {'a', "."}}}, 4, 12}));
  CHECK_FALSE(picture.is_whole());
}

TEST_CASE("who looks at the fleet hears of what facts name, and of what none names") {
  TwoOrgs c;
  const auto must = [&c](core::Command command) {
    const auto done = c.server.loop->run(std::move(command), "test");
    REQUIRE_MESSAGE(done, done.error().message);
  };
  core::RegisterSite site{{"home", "lab", "test"}, {}, {}};
  site.skus = {{"h100", "", 81'920, 8, 16'000, 131'072, true}};
  for (const char* name : {"n0", "n1"}) {
    core::Node node;
    node.name = name;
    node.cpu_milli = 128'000;
    node.memory_mib = 1 << 20;
    for (int g = 0; g < 2; ++g) node.gpus.push_back(node.name + "-" + std::to_string(g));
    site.nodes.push_back({node, "h100"});
  }
  must(site);
  net::HttpClient client({"http://127.0.0.1:" + std::to_string(c.server.http->port()), {}, {}});
  const net::Request q{"GET", "/v1/fleet/live", {{"Authorization", "Bearer " + c.owner}}, ""};
  std::string said;
  const auto once = [&said](const char* what, int& step, int is) {
    if (step != is || said.find(what) == std::string::npos) return false;
    said.clear();
    ++step;
    return true;
  };
  int step = 0;
  const auto ended = client.stream(q, [&](std::string_view bytes) {
    said += bytes;
    if (once(R"("nodes":"aa","gpus":"....")", step, 0))
      must(core::SetNodeState{"n1", core::NodeState::cordoned});
    if (once(R"("changes":[{"node":1,"state":"c","gpus":".."}])", step, 1))
      must(core::SeeSite{"home", false, {}, 0});  // no fact of a node
    return !once(R"({"node":1,"state":"u","gpus":".."})", step, 2);
  });
  CHECK(step == 3);
}

}  // namespace ampacity::server
