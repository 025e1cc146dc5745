// Who goes first, and what a request may ask for. And by brute force: who waits has no place.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/prng.h"
#include "core/place.h"
#include "core/settle.h"
#include "core/share.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

using base::Code;

NodeIx node_of(const TestCloud& c, Id id) {
  REQUIRE(c.is_leased(id));
  return c.job(id).lease->places.at(0).node;
}

std::uint64_t card_of(const TestCloud& c, Id id) {
  REQUIRE(c.is_leased(id));
  return c.job(id).lease->places.at(0).gpu_mask;
}

SubmitJob part(SubmitJob s, std::uint32_t gpu_milli, std::uint32_t mig = 0) {
  s.gpu_milli = gpu_milli;
  s.mig = mig;
  return s;
}

// Two projects use one node for so long, one after the other; then both wait, demo's first. Who
// starts?
ProjectIx first_after(std::int64_t demo_s, std::int64_t other_s, std::int64_t demo_weight,
                      std::int64_t pause_s = 0) {
  TestCloud c(1);
  c.add_project("other", 100'000'000);
  c.add_project("third", 100'000'000);
  c.set_policy([](Policy& p) {
    p.promises_per_class = 0;
    p.half_life_s = 3600;
  });
  REQUIRE(c.run(SetWeight{"demo", demo_weight}));
  const auto use = [&](ProjectIx project, std::int64_t s) {
    const Id id = c.start(in_class(c.request("h100:8"), JobClass::on_demand, project));
    c.now = c.now + Duration::seconds(s);
    c.end(id);
  };
  use(0, demo_s);
  c.now = c.now + Duration::seconds(pause_s);
  use(1, other_s);
  const Id filler = c.start(in_class(c.request("h100:8"), JobClass::on_demand, 2));
  const Id demo = c.submit(c.request("h100:8"));
  const Id other = c.submit(in_class(c.request("h100:8"), JobClass::on_demand, 1));
  c.end(filler);
  CHECK(c.is_leased(demo) != c.is_leased(other));
  return c.is_leased(demo) ? 0 : 1;
}

}  // namespace

TEST_CASE("inside a class the project that used less, by weight, starts first") {
  CHECK(first_after(1000, 100, 100) == 1);
  CHECK(first_after(100, 1000, 100) == 0);
  CHECK(first_after(1000, 700, 100) == 1);
  CHECK(first_after(1000, 700, 200) == 0);  // twice the weight: may use twice as much
  CHECK(first_after(1000, 400, 200) == 1);
  CHECK(first_after(1000, 700, 100, 3600) == 0);  // an hour on, half of it is forgotten
}

TEST_CASE("shares decay by half in a half-life") {
  constexpr std::int64_t half_life_s = 7 * 86'400, value = 1'000'000'000'000'000;
  for (const double halvings : {0.0, 0.001, 0.25, 0.5, 0.9999, 1.0, 1.5, 2.0, 3.7, 10.0}) {
    CAPTURE(halvings);
    const auto us = static_cast<std::int64_t>(halvings * half_life_s * 1e6);
    const double exact = static_cast<double>(value) * std::exp2(-halvings);
    CHECK(std::abs(static_cast<double>(decayed(value, Duration{us}, half_life_s)) / exact - 1) <
          1e-4);
    // The integral of what was used at a constant rate since then.
    const double used = 1e6 * half_life_s / std::log(2.0) * (1 - std::exp2(-halvings));
    const auto got = static_cast<double>(used_at({}, 1'000'000, Instant{us}, half_life_s));
    CHECK(std::abs(got - used) <= used * 1e-4 + 1);
  }
  CHECK(decayed(value, Duration::seconds(half_life_s * 100), half_life_s) == 0);
}

TEST_CASE("what a project used is counted from grant to end, whatever it did between") {
  TestCloud c(1);
  c.set_policy([](Policy& p) { p.half_life_s = 3600; });
  const Id a = c.start(c.request("h100:4"));
  c.now = c.now + Duration::seconds(1800);
  const Id b = c.start(c.request("h100:2"));
  c.now = c.now + Duration::seconds(1800);
  c.end(a);
  const double halves = 4 * 47'800 * (1 - std::exp2(-1)) + 2 * 47'800 * (1 - std::exp2(-0.5));
  const double used = halves * 3600 / std::log(2.0);
  const auto got = static_cast<double>(c.world.state().projects[0].share.used);
  CHECK(std::abs(got / used - 1) < 1e-4);
  c.end(b);
  check_world(c.world);
}

TEST_CASE("classes: on demand before spot before house, whoever came first") {
  TestCloud c(1);
  c.set_policy([](Policy& p) { p.promises_per_class = 0; });
  const Id filler = c.start(c.request("h100:8"));
  const Id house = c.submit(in_class(c.request("h100:8"), JobClass::house));
  const Id spot = c.submit(in_class(c.request("h100:8"), JobClass::spot));
  const Id firm = c.submit(c.request("h100:8"));
  c.end(filler);
  CHECK(c.is_leased(firm));
  c.end(firm);
  CHECK(c.is_leased(spot));
  c.end(spot);
  CHECK(c.is_leased(house));
}

// ---- requests ---------------------------------------------------------------------------------

TEST_CASE("shares of a card: one project's stand together, two projects' never") {
  TestCloud c(1);
  c.add_project("other", 1'000'000);
  const Id a = c.submit(part(c.request("h100:1"), 400));
  const Id b = c.submit(part(c.request("h100:1"), 500));
  const Id too_much = c.submit(part(c.request("h100:1"), 200));
  const Id other = c.submit(in_class(part(c.request("h100:1"), 100), JobClass::on_demand, 1));
  const Id fits = c.submit(part(c.request("h100:1"), 100));
  CHECK(card_of(c, a) == card_of(c, b));
  CHECK(card_of(c, a) != card_of(c, too_much));
  CHECK(card_of(c, a) == card_of(c, fits));
  CHECK(card_of(c, other) != card_of(c, a));
  CHECK(card_of(c, other) != card_of(c, too_much));
  CHECK(c.job(a).lease->cpu_milli == 6'400);
  check_world(c.world);
  const Id whole = c.submit(c.request("h100:5"));
  const Id last = c.submit(c.request("h100:1"));  // three cards are shared
  CHECK(c.is_leased(whole));
  CHECK(c.waits(last));
  c.end(other);
  CHECK(c.is_leased(last));
  check_world(c.world);
}

TEST_CASE("MIG slices are hard: two projects' stand on one card, beside no share") {
  TestCloud c(1);
  c.add_project("other", 1'000'000);
  const Id a = c.submit(part(c.request("h100:1"), 1000, 4));
  const Id b = c.submit(in_class(part(c.request("h100:1"), 1000, 2), JobClass::on_demand, 1));
  const Id share = c.submit(part(c.request("h100:1"), 100));
  CHECK(card_of(c, a) == card_of(c, b));
  CHECK((c.job(a).lease->places[0].mig_slices & c.job(b).lease->places[0].mig_slices) == 0);
  CHECK(card_of(c, share) != card_of(c, a));
  const auto two = part(c.request("h100:2"), 500);
  CHECK(c.run(two).error().code == Code::invalid);
  check_world(c.world);
}

TEST_CASE("apart: no two of the project with that label share a node") {
  TestCloud c(2);
  c.add_project("other", 1'000'000);
  const auto apart = [&](ProjectIx project, const char* label) {
    SubmitJob s = in_class(c.request("h100:1"), JobClass::on_demand, project);
    s.apart = label;
    return s;
  };
  const Id a = c.submit(apart(0, "db")), b = c.submit(apart(0, "db"));
  CHECK(node_of(c, a) != node_of(c, b));
  const Id third = c.submit(apart(0, "db"));
  CHECK(c.waits(third));
  CHECK(c.is_leased(c.submit(apart(0, "web"))));
  CHECK(c.is_leased(c.submit(apart(1, "db"))));
  c.end(a);
  CHECK(c.is_leased(third));
}

TEST_CASE("together: all ranks under one leaf, in one rack, in one NVLink domain") {
  for (const Together t : {Together::leaf, Together::rack, Together::nvlink}) {
    CAPTURE(static_cast<int>(t));
    TestCloud c(0);
    RegisterSite site{c.world.state().sites[0], {}, {}};
    for (std::uint32_t n = 0; n < 6; ++n) {
      TestCloud::add(site, "h100", n, 8);
      Node& node = site.nodes.back().node;
      node.leaf = t == Together::leaf ? "x" + std::to_string(n / 3) : "";
      node.rack = t == Together::rack ? "x" + std::to_string(n / 3) : "";
      node.nvlink = t == Together::nvlink ? "x" + std::to_string(n / 3) : "";
    }
    REQUIRE(c.run(site));
    const auto gang = [&](const char* gpus) {
      SubmitJob s = c.request(gpus);
      s.together = t;
      return s;
    };
    CHECK(c.run(gang("h100:8x4")).error().code == Code::never_fits);
    const Id one = c.submit(c.request("h100:8"));
    const NodeIx taken = node_of(c, one);
    const Id close = c.submit(gang("h100:8x3"));
    REQUIRE(c.is_leased(close));
    for (const Place& p : c.job(close).lease->places)
      CHECK(c.world.domain(p.node, t) != c.world.domain(taken, t));
    const Id waits = c.submit(gang("h100:8x3"));
    CHECK(c.waits(waits));
    c.end(one);
    CHECK(c.is_leased(waits));
    check_world(c.world);
  }
}

TEST_CASE("sites and regions; an unknown one is refused with those there are") {
  TestCloud c(1);
  RegisterSite away{{"away", "north", "test"}, {}, {}};
  TestCloud::add(away, "h100", 7, 8);
  REQUIRE(c.run(away));
  const auto at = [&](const char* place) {
    SubmitJob s = c.request("h100:8");
    s.places = {place};
    return s;
  };
  const Id north = c.submit(at("north"));
  CHECK(c.world.state().nodes[node_of(c, north)].name == "h100-7");
  CHECK(c.waits(c.submit(at("away"))));
  CHECK(c.is_leased(c.submit(at("lab"))));
  CHECK(c.run(at("moon")).error().message.find("home, away") != std::string::npos);
}

TEST_CASE("alternatives by price; a maximum price; a start-by that passes") {
  TestCloud c(1, 1);
  const Id cheap = c.submit(c.request("h100|a40:4"));
  CHECK(c.job(cheap).lease->sku == *c.world.sku("a40"));
  const Id dear = c.submit(c.request("h100|a40:4"));
  CHECK(c.job(dear).lease->sku == *c.world.sku("h100"));
  SubmitJob s = c.request("h100|a40:4");
  s.most_price = 20'000;
  s.job.start_by = c.now + Duration::seconds(100);
  const Id patient = c.submit(s);
  CHECK(c.waits(patient));
  SubmitJob never = c.request("h100:1");
  never.most_price = 20'000;
  CHECK(c.run(never).error().wrong.at(0).field == "max_price");
  CHECK(c.world.next_wake(c.now) == c.now + Duration::seconds(100));
  c.tick(99);
  CHECK(c.waits(patient));
  c.tick(1);
  CHECK(c.world.job(patient) == nullptr);
  const auto* ended = std::get_if<JobEnded>(&c.facts.back().body);
  REQUIRE(ended);
  CHECK(ended->outcome == Outcome::expired);
}

// ---- feasibility, by brute force
// ------------------------------------------------------------------

namespace {

struct Free {
  std::int64_t milli = 1000;
  std::uint32_t slices = 0;
  ProjectIx tenant = nobody;
};

// Is it there, and still at that instant, if it runs as long as it may? `at` zero: now.
bool stays(const Job& j, Instant at) {
  if (j.id.is_nil() || !j.lease) return false;
  return at.us == 0 || j.time_limit_s == 0 ||
         j.lease->started_at + Duration::seconds(j.time_limit_s + j.grace_s + confirm_s) > at;
}

std::vector<Free> cards_of(const World& w, NodeIx n, Instant at) {
  std::vector<Free> cards(w.state().nodes[n].gpus.size());
  for (const Job& j : w.state().jobs) {
    if (!stays(j, at)) continue;
    for (const Place& p : j.lease->places)
      for (std::size_t g = 0; p.node == n && g < cards.size(); ++g) {
        if (!(p.gpu_mask >> g & 1)) continue;
        cards[g].slices |= p.mig_slices;
        cards[g].tenant = j.project;
        if (!j.lease->mig) cards[g].milli -= j.lease->gpu_milli;
      }
  }
  return cards;
}

// May a slice of so many eighths still be cut, at the starts NVIDIA allows?
bool slice_fits(const Free& card, std::uint32_t eighths) {
  if (card.milli < 1000) return false;
  for (std::uint32_t at = 0; at + eighths <= 8; at += eighths)
    if (!(eighths == 1 && at == 7) && !(eighths == 2 && at == 6) &&
        !(card.slices >> at & ((1U << eighths) - 1)))
      return true;
  return false;
}

bool node_fits(const World& w, const Job& job, NodeIx n, Instant at) {
  const Node& node = w.state().nodes[n];
  const Demand& d = job.demand;
  if (node.state != NodeState::active || (at.us == 0 && w.holds.contains(n))) return false;
  if (d.gpus_per_node ? std::find(d.skus.begin(), d.skus.end(), node.sku) == d.skus.end()
                      : !node.rents_cpu)
    return false;
  std::int64_t cpu = node.cpu_milli, memory = node.memory_mib, want_cpu = 0, want_memory = 0;
  for (const Job& j : w.state().jobs) {
    if (!stays(j, at)) continue;
    for (const Place& p : j.lease->places) {
      if (p.node != n) continue;
      cpu -= j.lease->cpu_milli;
      memory -= j.lease->memory_mib;
      if (!d.apart.empty() && j.project == job.project && j.demand.apart == d.apart) return false;
    }
  }
  fill_defaults(w.state().skus[d.gpus_per_node ? node.sku : d.skus[0]], d, want_cpu, want_memory);
  if (cpu < want_cpu || memory < want_memory) return false;
  std::uint32_t fit = 0;
  for (const Free& card : cards_of(w, n, at)) {
    const bool idle = card.milli == 1000 && card.slices == 0;
    if (d.mig)
      fit += slice_fits(card, d.mig);
    else if (d.gpu_milli < 1000)
      fit += card.slices == 0 && card.milli >= d.gpu_milli && (idle || card.tenant == job.project);
    else
      fit += idle;
  }
  return fit >= d.gpus_per_node;
}

// Nodes of one kind, and in one domain where it is required.
bool has_place(const World& w, const Job& job, Instant at = {}) {
  std::map<std::pair<SkuIx, std::uint32_t>, std::uint32_t> count;
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    if (!node_fits(w, job, n, at)) continue;
    const Together t = job.demand.together;
    const std::uint32_t domain = t == Together::any ? 0 : w.domain(n, t);
    if (++count[{w.state().nodes[n].sku, domain}] >= job.demand.nodes) return true;
  }
  return false;
}

// Of every kind: whole cards, gangs, shares, slices, CPU alone.
template <typename Draw>
SubmitJob any_request(TestCloud& c, Draw&& draw, std::int64_t time_limit_s) {
  static const char* shapes[] = {"h100:1",   "h100:8", "h100:3x2",   "any:2",  "h100:4",
                                 "h100:8x2", "h100:1", "a40|h100:1", "h100:1", nullptr};
  const std::uint64_t shape = draw(10);
  const JobClass job_class = draw(3) ? JobClass::on_demand : JobClass::spot;
  SubmitJob s =
      in_class(c.request(shapes[shape], time_limit_s), job_class, static_cast<ProjectIx>(draw(2)));
  if (shape >= 6 && shape <= 8 && draw(2)) s.gpu_milli = static_cast<std::uint32_t>(1 + draw(999));
  if (shape >= 6 && shape <= 8 && s.gpu_milli == 1000) s.mig = 1U << draw(4);
  if (draw(5) == 0) s.cpu_milli = 1000 + static_cast<std::int64_t>(draw(60'000));
  if (shape == 9) s.cpu_milli = 1000 + static_cast<std::int64_t>(draw(7'000));
  if (draw(8) == 0) s.apart = "x";
  if (draw(3) == 0) s.together = Together::leaf;
  return s;
}

}  // namespace

TEST_CASE("property: who waits has no place, by brute force over nodes without holds") {
  std::size_t waited = 0, started = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    base::SeededPrng prng(seed);
    const auto draw = [&](std::uint64_t n) { return prng.next() % n; };
    TestCloud c(5, 2);
    c.add_project("other", 100'000'000);
    if (seed % 2) c.set_policy([](Policy& p) { p.promises_per_class = 0; });
    std::vector<Id> jobs;
    for (int i = 0; i < 150; ++i) {
      const SubmitJob s = any_request(c, draw, draw(2) ? 0 : 5000);
      if (c.run(s)) jobs.push_back(s.job.id);
      c.tick(static_cast<std::int64_t>(draw(100)));
      for (int ends = static_cast<int>(draw(3)); ends > 0 && !jobs.empty(); --ends)
        if (const Id id = jobs[draw(jobs.size())]; c.is_leased(id)) c.end(id);
      c.tick();
      for (const Job& job : c.world.state().jobs) {
        if (job.id.is_nil()) continue;
        started += job.lease.has_value();
        if (job.state != JobState::queued || job.claim) continue;
        ++waited;
        CHECK_FALSE(has_place(c.world, job));
      }
    }
    check_world(c.world);
  }
  CHECK(waited > 1000);
  CHECK(started > 1000);
}

TEST_CASE("property: a promise is for the first instant at which there is room, by brute force") {
  std::map<int, int> checked;  // by kind of request
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    base::SeededPrng prng(seed);
    const auto draw = [&](std::uint64_t n) { return prng.next() % n; };
    TestCloud c(3, 1);
    c.add_project("other", 100'000'000);
    for (int i = 0; i < 60; ++i) {
      SubmitJob s = any_request(c, draw, 600 + static_cast<std::int64_t>(draw(20'000)));
      s.job.job_class = JobClass::on_demand;
      if (!c.run(s)) continue;
      if (c.is_leased(s.job.id)) {
        c.run_ranks(s.job.id);
        c.tick(static_cast<std::int64_t>(draw(100)));
        continue;
      }
      const Job& job = c.job(s.job.id);
      REQUIRE(job.promise);
      std::set<Instant> ends;
      for (const Job& j : c.world.state().jobs)
        if (!j.id.is_nil() && j.lease)
          ends.insert(j.lease->started_at +
                      Duration::seconds(j.time_limit_s + j.grace_s + confirm_s));
      const auto first = std::find_if(ends.begin(), ends.end(),
                                      [&](Instant at) { return has_place(c.world, job, at); });
      REQUIRE(first != ends.end());
      CHECK(job.promise->start_by == *first);
      CHECK(job.promise->certain);
      const Demand& d = job.demand;
      ++checked[d.mig                  ? 1
                : d.gpu_milli < 1000   ? 2
                : d.gpus_per_node == 0 ? 3
                : d.nodes > 1          ? 4
                                       : 5];
      break;
    }
  }
  for (int kind = 1; kind <= 5; ++kind) CHECK(checked[kind] > 5);
}

}  // namespace ampacity::core
