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

TEST_CASE("what differs between two pictures of the fleet; all of it where nodes were added") {
  const api::FleetLetters before{"aac", "....oooo"}, after{"axc", "..o.oooo"};
  const std::vector<std::uint32_t> first_gpu{0, 4, 8, 8};
  const api::FleetEvent e = fleet_difference(before, after, first_gpu);
  CHECK_FALSE(e.nodes);
  REQUIRE(e.changes.size() == 2);
  CHECK(e.changes[0].node == 0);
  CHECK(e.changes[0].gpus == "..o.");
  CHECK(e.changes[1].state == "x");
  CHECK(fleet_difference(after, after, first_gpu).changes.empty());
  const api::FleetLetters grown{"aaca", "....oooo"};
  CHECK(fleet_difference(before, grown, {0, 4, 8, 8, 8}).nodes == "aaca");
}

}  // namespace ampacity::server
