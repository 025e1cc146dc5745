// Over HTTP, on a fleet of four nodes: pages of the job list, the fleet as it changes, what is free
// to reserve.
#include <set>

#include "api/contract_capacity.h"
#include "server/fleet_feed.h"
#include "server/test_server.h"

namespace ampacity::server {
namespace {

struct FourNodes {
  store::ScratchFolder folder;
  TestServer server{folder.path, store::scratch_store(folder)};
  std::string owner = server.add_key(core::Role::owner, core::nobody);
  std::string ann, bob;

  FourNodes() {
    core::RegisterSite site{{"home", "lab", "test"}, {}, {}};
    site.skus = {{"h100", "NVIDIA H100", 81920, 8, 16000, 131072, true}};
    for (int n = 0; n < 4; ++n) {
      core::Node node;
      node.name = "n" + std::to_string(n);
      node.cpu_milli = 128'000;
      node.memory_mib = 1'048'576;
      node.emulated = true;
      for (int g = 0; g < 8; ++g) node.gpus.push_back(node.name + "-" + std::to_string(g));
      site.nodes.push_back({node, "h100"});
    }
    REQUIRE(server.loop->run(site, "test"));
    make("/v1/orgs", R"({"name":"acme"})");
    for (const char* name : {"ann", "bob"}) {
      const std::string project = "p-" + std::string(name), user = name;
      make("/v1/projects", R"({"org":"acme","name":")" + project + "\"}");
      make("/v1/credits", R"({"project":")" + project + R"(","amount":"100000"})");
      make("/v1/users", R"({"org":"acme","name":")" + user + "\"}");
      const auto key =
          make("/v1/keys", R"({"project":")" + project + R"(","user":")" + user + "\"}");
      (user == "ann" ? ann : bob) = *base::from_json<api::KeyView>(key)->secret;
    }
  }
  std::string make(const std::string& at, const std::string& body, const std::string& key = {}) {
    const auto r = server.call(key.empty() ? owner : key, "POST", at, body);
    REQUIRE_MESSAGE(r.status / 100 == 2, r.body);
    return r.body;
  }
  // Nothing starts: what is submitted waits.
  void drain() { make("/v1/maintenance", R"({"nodes":["n0","n1","n2","n3"]})"); }
  std::string submit(const std::string& key, const std::string& name) {
    const std::string body =
        R"({"image":"localhost/tiny","resources":{"gpus":"h100:8"},"name":")" + name + "\"}";
    return base::from_json<api::JobView>(make("/v1/jobs", body, key))->id;
  }
  net::Response get(const std::string& key, const std::string& at) {
    return server.call(key, "GET", at);
  }
  template <typename T>
  T got(const std::string& key, const std::string& at) {
    const auto r = get(key, at);
    REQUIRE_MESSAGE(r.status == 200, r.body);
    return *base::from_json<T>(r.body);
  }
};

// Every page asked for by where it is said to begin; and the same rows by going from page to page.
void check_job_pages(FourNodes& c, const std::string& key, const std::string& query,
                     std::int64_t total) {
  CAPTURE(query);
  const auto pages = c.got<api::JobPages>(key, "/v1/job-pages?every=20" + query);
  CHECK(pages.total == total);
  CHECK(pages.every == 20);
  CHECK(pages.cursors.size() ==
        static_cast<std::size_t>(std::max<std::int64_t>(1, (total + 19) / 20)));
  std::vector<std::string> by_page, in_order;
  for (std::size_t i = 0; i < pages.cursors.size(); ++i) {
    const auto page =
        c.got<api::JobList>(key, "/v1/jobs?limit=20&cursor=" + pages.cursors[i] + query);
    const bool last = i + 1 == pages.cursors.size();
    if (!last) CHECK(page.items.size() == 20);
    for (const auto& j : page.items) by_page.push_back(j.id);
  }
  std::string cursor;
  do {
    const auto page = c.got<api::JobList>(key, "/v1/jobs?limit=7&cursor=" + cursor + query);
    for (const auto& j : page.items) in_order.push_back(j.id);
    cursor = page.next_cursor.value_or("");
  } while (!cursor.empty());
  CHECK(by_page == in_order);
  CHECK(by_page.size() == static_cast<std::size_t>(total));
  CHECK(std::set(by_page.begin(), by_page.end()).size() == by_page.size());
}

// What is left of the stream of the fleet after its first words; `act` after the first picture.
std::vector<api::FleetEvent> watch(FourNodes& c, const std::function<void()>& act,
                                   const std::function<bool(const api::FleetEvent&)>& enough) {
  std::vector<api::FleetEvent> seen;
  std::string bytes;
  net::HttpClient client({"http://127.0.0.1:" + std::to_string(c.server.http->port()), {}, {}});
  const net::Request q{"GET", "/v1/fleet/live", {{"Authorization", "Bearer " + c.owner}}, ""};
  const auto done =
      client.stream(q,
                    [&](std::string_view piece) {
                      bytes += piece;
                      for (std::size_t end; (end = bytes.find("\n\n")) != std::string::npos;) {
                        const std::string event = bytes.substr(0, end);
                        bytes.erase(0, end + 2);
                        if (!event.starts_with("data: ")) continue;
                        seen.push_back(*base::from_json<api::FleetEvent>(event.substr(6)));
                        if (seen.size() == 1) act();
                        if (enough(seen.back())) return false;
                      }
                      return true;
                    },
                    {});
  REQUIRE(done);
  return seen;
}

}  // namespace

TEST_CASE("pages of the job list begin where they are said to, live and ended, and are one's own") {
  FourNodes c;
  c.drain();
  std::vector<std::string> jobs;
  for (int i = 0; i < 66; ++i)
    jobs.push_back(c.submit(c.ann, (i % 3 ? "train-" : "eval-") + std::to_string(i)));
  for (int i = 0; i < 25; ++i)
    c.make("/v1/jobs/" + jobs[static_cast<std::size_t>(i)] + "/stop", "", c.ann);
  for (int i = 0; i < 3; ++i) c.submit(c.bob, "bobs-" + std::to_string(i));
  check_job_pages(c, c.ann, "", 41);
  check_job_pages(c, c.ann, "&all=1", 66);
  check_job_pages(c, c.ann, "&all=1&q=eval", 22);
  check_job_pages(c, c.ann, "&state=ended", 25);
  check_job_pages(c, c.ann, "&state=queued", 41);
  check_job_pages(c, c.ann, "&q=bobs", 0);
  check_job_pages(c, c.bob, "&all=1", 3);
  check_job_pages(c, c.owner, "&all=1", 69);
  check_job_pages(c, c.owner, "&all=1&project=p-bob", 3);
  CHECK(c.get(c.ann, "/v1/job-pages?state=asleep").status == 400);
  CHECK(c.get(c.owner, "/v1/job-pages?project=nobodys").status == 400);
  CHECK(c.get(c.ann, "/v1/job-pages?q=" + std::string(201, 'x')).status == 400);
  CHECK(c.get("", "/v1/job-pages").status == 401);
  CHECK(c.got<api::JobPages>(c.ann, "/v1/job-pages?every=1").every == 20);
  CHECK(c.got<api::JobPages>(c.ann, "/v1/job-pages?every=100000").every == 500);
}

TEST_CASE("who looks at the fleet sees all of it once, then what changes, of every node") {
  FourNodes c;
  const auto map = c.got<api::FleetMap>(c.owner, "/v1/fleet");
  CHECK(map.nodes == std::vector<std::string>{"n0", "n1", "n2", "n3"});
  const auto seen = watch(
      c,
      [&] {
        REQUIRE(c.server.call(c.owner, "PATCH", "/v1/nodes/n2", R"({"state":"cordoned"})").status ==
                200);
        c.make("/v1/maintenance", R"({"nodes":["n3"]})");
      },
      [](const api::FleetEvent& e) {
        return std::any_of(e.changes.begin(), e.changes.end(),
                           [](const auto& x) { return x.node == 3; });
      });
  REQUIRE(seen.front().nodes);
  CHECK(*seen.front().nodes == "aaaa");
  CHECK(*seen.front().gpus == std::string(32, '.'));
  std::string nodes = *seen.front().nodes;
  for (std::size_t i = 1; i < seen.size(); ++i) {
    CHECK_FALSE(seen[i].nodes);
    CHECK(seen[i].sequence > seen[i - 1].sequence);
    for (const auto& x : seen[i].changes) nodes[x.node] = x.state[0];
  }
  CHECK(nodes.substr(0, 2) == "aa");
  CHECK(nodes[2] == 'c');
  CHECK(nodes[3] != 'a');
  CHECK(c.get(c.ann, "/v1/fleet/live").status == 403);
  CHECK(c.get("", "/v1/fleet/live").status == 401);
}

TEST_CASE("what is free to reserve is what a reservation gets, and no more") {
  FourNodes c;
  const auto free = [&](const std::string& query) {
    const auto list = c.got<api::FreeList>(c.ann, "/v1/reservations/free" + query);
    REQUIRE(list.items.size() == 1);
    return list.items[0];
  };
  const api::FreeKind before = free("");
  CHECK(before.gpus_total == 32);
  CHECK(before.emulated);
  CHECK(before.all.gpus == 32);
  CHECK(before.all.nodes == 4);
  CHECK(before.pieces.size() == 1);
  CHECK(before.pieces[0].until - before.pieces[0].from == base::Duration::seconds(14 * 86'400));
  c.make("/v1/reservations", R"({"gpus":"h100:20","from":"+1h","duration":"2h"})", c.ann);
  const api::FreeKind after = free("?sku=h100&from=now&duration=1d");
  REQUIRE(after.pieces.size() == 3);
  CHECK(after.pieces[0].gpus == 32);
  CHECK(after.pieces[1].gpus == 12);
  CHECK(after.pieces[1].nodes == 1);
  CHECK(after.pieces[1].site == "home");
  CHECK(after.pieces[2].gpus == 32);
  CHECK(after.all.gpus == 12);
  CHECK(free("?from=%2B1h&until=%2B3h&across_sites=1&site=home,lab").all.gpus == 12);
  const auto asks = [&](const char* gpus) {
    return c.server
        .call(c.bob, "POST", "/v1/reservations",
              R"({"gpus":")" + std::string(gpus) + R"(","from":"+2h","duration":"4h"})")
        .status;
  };
  CHECK(asks("h100:13") == 409);
  CHECK(asks("h100:12") == 201);
  for (const char* node : {"n0", "n1", "n2", "n3"})
    REQUIRE(
        c.server.call(c.owner, "PATCH", std::string("/v1/nodes/") + node, R"({"state":"cordoned"})")
            .status == 200);
  CHECK(free("?sku=h100").all.gpus == 0);
  CHECK(free("?sku=h100").gpus_total == 32);
  for (const char* bad :
       {"?sku=h900", "?site=moon", "?from=-1h", "?from=yesterday", "?until=%2B1h&duration=1h",
        "?duration=4y", "?until=%2B2000d", "?across_sites=yes", "?from=%2B2h&until=%2B1h"})
    CHECK_MESSAGE(c.get(c.ann, "/v1/reservations/free" + std::string(bad)).status == 400, bad);
  CHECK(c.get("", "/v1/reservations/free").status == 401);
}

}  // namespace ampacity::server
