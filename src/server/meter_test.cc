// Metered events through the whole server: HTTP in, the loop's commit, HTTP out; and once more
// after a restart.
#include <doctest/doctest.h>

#include "api/meter_events.h"
#include "server/test_server.h"

namespace ampacity::server {
namespace {

struct MeterServer : TestServer {
  using TestServer::TestServer;
  api::MeterAnswer send(const std::string& key, const std::string& body) {
    const auto r = call(key, "POST", "/v1/meter-events", body);
    CHECK_MESSAGE(r.status == 200, r.body);
    const auto answer = base::from_json<api::MeterAnswer>(r.body);
    REQUIRE_MESSAGE(answer, r.body);
    return *answer;
  }
  // "id:quantity" of what counts, in the order shown.
  std::string listed(const std::string& key, const std::string& query) {
    std::string all, cursor;
    do {
      const auto r = call(key, "GET", "/v1/meter-events?" + query + cursor);
      REQUIRE_MESSAGE(r.status == 200, r.body);
      const auto list = base::from_json<api::MeterEventList>(r.body);
      REQUIRE_MESSAGE(list, r.body);
      for (const auto& e : list->items) all += (all.empty() ? "" : " ") + e.id + ":" + e.quantity;
      cursor = list->next_cursor ? "&cursor=" + *list->next_cursor : "";
    } while (!cursor.empty());
    return all;
  }
};

std::string event(const std::string& id, const std::string& subject, const std::string& quantity,
                  const std::string& more = {}) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/m","type":"tokens",)" +
         (subject.empty() ? "" : R"("subject":")" + subject + R"(",)") +
         R"("time":"2026-11-22T11:00:00Z","data":{"quantity":")" + quantity + "\"" + more + "}}";
}
std::string corrects(const std::string& id, const std::string& more = {}) {
  return R"(,"corrects":{"source":"/m","id":")" + id + "\"" + more + "}";
}

struct MeteredCloud {
  store::ScratchFolder folder;
  store::StoreAt at = store::scratch_store(folder);
  std::unique_ptr<MeterServer> server = std::make_unique<MeterServer>(folder.path, at);
  std::string owner = server->add_key(core::Role::owner, core::nobody);
  std::string alice = server->add_key(core::Role::customer, 0);
  MeteredCloud() {
    server->call(owner, "POST", "/v1/orgs", R"({"name":"acme"})");
    server->call(owner, "POST", "/v1/orgs", R"({"name":"other"})");
    for (const char* p : {R"({"name":"alice","org":"acme"})", R"({"name":"bob","org":"acme"})",
                          R"({"name":"carol","org":"other"})"})
      REQUIRE(server->call(owner, "POST", "/v1/projects", p).status == 201);
  }
  void restart() {
    server.reset();
    server = std::make_unique<MeterServer>(folder.path, at);
    owner = server->add_key(core::Role::owner, core::nobody);
    alice = server->add_key(core::Role::customer, 0);
  }
};

}  // namespace

TEST_CASE("events over HTTP: taken, known again, in conflict, refused; each by its index") {
  MeteredCloud c;
  MeterServer& s = *c.server;
  const auto first = s.send(c.owner, event("a", "alice", "1.5"));
  CHECK(first.accepted == 1);
  CHECK(first.last_sequence == 1);
  const auto mixed =
      s.send(c.owner, "[" + event("a", "alice", "1.5") + "," + event("a", "alice", "2") + "," +
                          event("b", "bob", "x") + "," + event("c", "nobody", "1") + "," +
                          event("d", "", "1") + "," + event("e", "bob", "7") + "]");
  CHECK(mixed.accepted == 1);
  CHECK(mixed.duplicates == 1);
  REQUIRE(mixed.conflicts.size() == 1);
  CHECK(mixed.conflicts[0].index == 1);
  CHECK(mixed.conflicts[0].id == "a");
  CHECK(mixed.conflicts[0].why == api::ConflictReason::other_payload);
  REQUIRE(mixed.refused.size() == 3);
  CHECK(mixed.refused[0].index == 2);
  CHECK(mixed.refused[0].field == "data.quantity");
  CHECK(mixed.refused[1].index == 3);
  CHECK(mixed.refused[1].message == "there is no project nobody");
  CHECK(mixed.refused[2].index == 4);
  CHECK(s.listed(c.owner, "") == "a:1.5 e:7");
  CHECK(s.send(c.owner, "[]").last_sequence == 2);
  c.restart();
  CHECK(c.server->send(c.owner, event("e", "bob", "7")).duplicates == 1);
  CHECK(c.server->send(c.owner, event("e", "bob", "8")).conflicts.size() == 1);
  CHECK(c.server->listed(c.owner, "project=bob") == "e:7");
}

TEST_CASE("a customer's key sends for its own project, under names of its own") {
  MeteredCloud c;
  MeterServer& s = *c.server;
  CHECK(s.send(c.owner, "[" + event("a", "alice", "5") + "," + event("z", "carol", "6") + "]")
            .accepted == 2);
  const auto mine =
      s.send(c.alice, "[" + event("a", "", "1") + "," + event("b", "alice", "2") + "," +
                          event("c", "carol", "3") + "," + event("d", "nobody", "4") + "]");
  CHECK(mine.accepted == 2);
  CHECK(mine.conflicts.empty());
  REQUIRE(mine.refused.size() == 2);
  CHECK(mine.refused[0].message == "there is no project carol");
  CHECK(mine.refused[1].message == "there is no project nobody");
  // What the operator measured is not the customer's to correct.
  CHECK(s.send(c.alice, event("a2", "", "0", corrects("a"))).accepted == 1);
  CHECK(s.listed(c.alice, "") == "a:5 b:2 a2:0");
  CHECK(
      s.send(c.owner, event("b2", "alice", "9", corrects("b", R"(,"sent_by":"alice")"))).accepted ==
      1);
  CHECK(s.listed(c.alice, "") == "a:5 a2:0 b2:9");
  CHECK(s.send(c.alice, event("x", "", "0", corrects("z", R"(,"sent_by":"carol")")))
            .refused.at(0)
            .field == "data.corrects.sent_by");
  CHECK(s.listed(c.alice, "project=carol") == "a:5 a2:0 b2:9");
  CHECK(s.listed(c.owner, "project=carol") == "z:6");
}

TEST_CASE("lost uptime is the operator's to report, and a contract's") {
  MeteredCloud c;
  MeterServer& s = *c.server;
  const auto contract = s.call(c.owner, "POST", "/v1/contracts",
                               R"({"org":"acme","name":"gold","from":"2026-11","months":3})");
  REQUIRE_MESSAGE(contract.status == 201, contract.body);
  const auto down = [](const std::string& id, const std::string& subject,
                       const std::string& resource, const std::string& quantity = "90",
                       const std::string& type = "sla_downtime_seconds") {
    return R"({"specversion":"1.0","id":")" + id + R"(","source":"/probe","type":")" + type +
           R"(","subject":")" + subject +
           R"(","time":"2026-11-22T11:00:00Z","data":{"quantity":")" + quantity + "\"" +
           (resource.empty() ? "" : R"(,"resource":")" + resource + "\"") + "}}";
  };
  const auto by_customer =
      s.call(c.alice, "POST", "/v1/meter-events",
             "[" + event("x", "", "1") + "," + down("1", "alice", "gold") + "]");
  CHECK(by_customer.status == 403);
  CHECK(by_customer.body.find("only the operator") != std::string::npos);
  CHECK(s.listed(c.owner, "") == "");
  const auto answer = s.send(
      c.owner, "[" + down("1", "alice", "gold") + "," + down("2", "alice", "") + "," +
                   down("3", "carol", "gold") + "," + down("4", "alice", "silver") + "," +
                   down("5", "alice", "gold", "1.5") + "," + down("6", "alice", "", "1", "gpu") +
                   "," + down("7", "alice", "", "1", "ampacity.meter.cpu_memory.v1") + "]");
  CHECK(answer.accepted == 1);
  REQUIRE(answer.refused.size() == 6);
  const std::vector<std::pair<std::string, std::string>> why = {
      {"data.resource", "the name of the contract"},
      {"data.resource", "a contract of other"},
      {"data.resource", "'silver'"},
      {"data.quantity", "whole seconds"},
      {"type", "external_gpu_hours"},
      {"type", "external_cpu_memory_hours"}};
  for (std::size_t i = 0; i < why.size(); ++i) {
    CHECK(answer.refused[i].index == i + 1);
    CHECK(answer.refused[i].field == why[i].first);
    CHECK_MESSAGE(answer.refused[i].message.find(why[i].second) != std::string::npos,
                  answer.refused[i].message);
  }
  std::string early = down("8", "alice", "gold");
  early.replace(early.find("2026-11-22"), 10, "2026-10-22");
  CHECK(s.send(c.owner, early).refused.at(0).field == "data.from");
  CHECK(s.listed(c.alice, "") == "1:90");
}

TEST_CASE("the list: filters, pages, and as it was") {
  MeteredCloud c;
  MeterServer& s = *c.server;
  std::string batch = "[";
  for (int i = 0; i < 7; ++i)
    batch += (i ? "," : "") + event("e" + std::to_string(i), i % 2 ? "bob" : "alice", "1");
  s.send(c.owner, batch + "," + event("o", "carol", "3") + "]");
  s.send(c.owner, event("e1b", "carol", "2", corrects("e1")));
  const std::string acme = "e0:1 e2:1 e4:1 e6:1 e3:1 e5:1";
  CHECK(s.listed(c.owner, "org=acme") == acme);
  CHECK(s.listed(c.owner, "org=acme&limit=1") == acme);
  CHECK(s.listed(c.owner, "limit=2") == "e0:1 e2:1 e3:1 e4:1 e5:1 e6:1 o:3 e1b:2");
  CHECK(s.listed(c.owner, "project=bob&as_of=8") == "e1:1 e3:1 e5:1");
  CHECK(s.listed(c.owner, "project=bob&limit=2") == "e3:1 e5:1");
  CHECK(s.listed(c.owner, "meter=other") == "");
  CHECK(s.listed(c.owner, "from=2026-11-23") == "");
  CHECK(s.listed(c.owner, "from=2026-11-22&to=2026-11-23&project=carol") == "o:3 e1b:2");
  for (const char* bad : {"from=x", "limit=0", "limit=1001", "cursor=1:2", "as_of=-1",
                          "from=2026-11-23&to=2026-11-22", "project=nobody"})
    CHECK_MESSAGE(s.call(c.owner, "GET", std::string("/v1/meter-events?") + bad).status == 400,
                  bad);
  CHECK(s.call(c.owner, "GET", "/v1/meter-events?org=nobody").status == 404);
}

TEST_CASE("what is no batch, too much, or not allowed") {
  MeteredCloud c;
  MeterServer& s = *c.server;
  const auto status = [&](const std::string& key, const std::string& body,
                          const std::string& type = "application/cloudevents-batch+json") {
    return s.call(key, "POST", "/v1/meter-events", body, type).status;
  };
  CHECK(status("", "[]") == 401);
  CHECK(status("amp_nonsense", "[]") == 401);
  CHECK(status(c.owner, "[") == 400);
  CHECK(status(c.owner, "7") == 400);
  CHECK(status(c.owner, event("a", "alice", "1")) == 400);
  CHECK(status(c.owner, "[]", "application/cloudevents+json") == 400);
  std::string many = "[0";
  for (int i = 0; i < 1000; ++i) many += ",0";
  CHECK(status(c.owner, many + "]") == 413);
  CHECK(status(c.owner, std::string((1 << 20) + 1, ' ')) == 413);
  CHECK(s.listed(c.owner, "") == "");
}

TEST_CASE("too many events waiting is said, and what was said to be taken is there") {
  store::ScratchFolder folder;
  LoopOptions options;
  options.most_events_waiting = 2;
  MeterServer s(folder.path, store::scratch_store(folder), options);
  const std::string owner = s.add_key(core::Role::owner, core::nobody);
  CHECK(s.call(owner, "POST", "/v1/meter-events",
               "[" + event("a", "p", "1") + "," + event("b", "p", "1") + "," +
                   event("c", "p", "1") + "]")
            .status == 429);
  CHECK(
      s.send(owner, "[" + event("a", "p", "1") + "," + event("b", "p", "1") + "]").refused.size() ==
      2);
}

}  // namespace ampacity::server
