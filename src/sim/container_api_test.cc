// The played docker against answers recorded from dockerd 20.10.24 with the same requests.
#include "sim/container_api.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "engines/dialect.h"
#include "sim/fake_containers.h"

namespace ampacity::sim {
namespace {

struct Lab {
  base::SeededPrng prng{1};
  Fibres fibres{prng, {1'795'893'471'000'000}};
  FakeContainers engine{fibres, prng, docker_api()};
  std::unique_ptr<ContainerApi> api = docker_api();
  std::unique_ptr<engines::Dialect> dialect = engines::docker_dialect();
  core::RankWork work;

  Lab() {
    work.job_name = "aa";
    work.generation = 1;
    work.image = "localhost/ampacity-tiny";
  }
  net::Response ask(const net::Request& request) { return api->serve(engine, request); }
  net::Response create() { return ask(dialect->create(work, {"x", "b", "", 1})); }
  std::string name() const { return work.container_name(); }
};

// Where a recording has an id, any will do.
std::string id_in(std::string body) {
  for (std::size_t at = 0;
       (at = body.find_first_of("0123456789abcdef", at)) != std::string::npos;) {
    std::size_t end = body.find_first_not_of("0123456789abcdef", at);
    if (end == std::string::npos) end = body.size();
    if (end - at >= 32) {
      body.replace(at, end - at, "ID");
      end = at + 2;
    }
    at = end;
  }
  return body;
}

void is(const net::Response& answer, int status, const std::string& recorded) {
  CHECK(answer.status == status);
  CHECK(id_in(answer.body) == recorded);
}

}  // namespace

TEST_CASE("the played docker answers as the recorded one") {
  Lab lab;
  const std::string n = lab.name();
  lab.work.image = "localhost/nope";
  is(lab.create(), 404, "{\"message\":\"No such image: localhost/nope:latest\"}\n");
  is(lab.ask(lab.dialect->image_exists("localhost/nope")), 404,
     "{\"message\":\"no such image: localhost/nope: No such image: localhost/nope:latest\"}\n");
  lab.work.image = "localhost/ampacity-tiny";
  is(lab.create(), 201, "{\"Id\":\"ID\",\"Warnings\":[]}\n");
  is(lab.create(), 409,
     "{\"message\":\"Conflict. The container name \\\"/" + n +
         "\\\" is already in use by container \\\"ID\\\". You have to remove (or rename) that "
         "container to be able to reuse that name.\"}\n");
  is(lab.ask(lab.dialect->signal(n, "TERM")), 409,
     "{\"message\":\"Cannot kill container: " + n + ": Container ID is not running\"}\n");
  auto found = lab.dialect->parse_inspect(lab.ask(lab.dialect->inspect(n)).body);
  REQUIRE(found);
  CHECK(found->state == engines::ContainerState::created);
  CHECK(found->cloud == "x");
  CHECK_FALSE(found->started_at);
  is(lab.ask(lab.dialect->start(n)), 204, "");
  is(lab.ask(lab.dialect->start(n)), 304, "");
  found = lab.dialect->parse_inspect(lab.ask(lab.dialect->inspect(n)).body);
  CHECK(found->state == engines::ContainerState::running);
  CHECK(found->started_at);
  const auto listed = lab.dialect->parse_list(lab.ask(lab.dialect->list("x")).body);
  REQUIRE(listed->size() == 1);
  CHECK(listed->at(0).name == n);
  CHECK(listed->at(0).boot == "b");
  CHECK(listed->at(0).id == found->id);
  is(lab.ask({"DELETE", "/v1.41/containers/" + n, {}, {}}), 409,
     "{\"message\":\"You cannot remove a running container ID. Stop the container before "
     "attempting removal or force remove\"}\n");
  is(lab.ask(lab.dialect->signal(n, "KILL")), 204, "");
  lab.fibres.run_until(lab.fibres.now() + base::Duration::seconds(1));
  found = lab.dialect->parse_inspect(lab.ask(lab.dialect->inspect(n)).body);
  CHECK(found->state == engines::ContainerState::ended);
  CHECK(found->exit_code == 137);
  is(lab.ask(lab.dialect->remove(n)), 204, "");
  const std::string gone = "No such container: " + n + "\"}\n";
  is(lab.ask(lab.dialect->remove(n)), 404, "{\"message\":\"" + gone);
  is(lab.ask(lab.dialect->inspect(n)), 404, "{\"message\":\"" + gone);
  is(lab.ask(lab.dialect->start(n)), 404, "{\"message\":\"" + gone);
  is(lab.ask(lab.dialect->signal(n, "TERM")), 404,
     "{\"message\":\"Cannot kill container: " + n + ": " + gone);
  is(lab.ask(lab.dialect->remove_network("n1")), 404, "{\"message\":\"network n1 not found\"}\n");
  CHECK(lab.ask(lab.dialect->create_network("n1", "x", true)).status == 201);
  is(lab.ask(lab.dialect->create_network("n1", "x", true)), 409,
     "{\"message\":\"network with name n1 already exists\"}\n");
  is(lab.ask(lab.dialect->remove_volume("v1")), 404, "{\"message\":\"get v1: no such volume\"}\n");
}

TEST_CASE("the played docker's log comes in frames, from a second on") {
  Lab lab;
  lab.engine.shortest_run = lab.engine.longest_run = base::Duration::seconds(60);
  REQUIRE(lab.create().status == 201);
  REQUIRE(lab.ask(lab.dialect->start(lab.name())).status == 204);
  lab.fibres.run_until(lab.fibres.now() + base::Duration::seconds(61));
  std::string wrote;
  for (const std::string& line : lab.engine.runs().at(0).log) wrote += line;
  CHECK(engines::spool_text(lab.ask(*lab.dialect->logs(lab.name(), 0)).body) == wrote);
  CHECK(engines::spool_text(lab.ask(*lab.dialect->logs(lab.name(), 1'795'893'600)).body).empty());
}

}  // namespace ampacity::sim
