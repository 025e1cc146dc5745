// What could be reserved over time, against `reserve` itself and against a count card by card.
#include "core/reservable.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <map>

#include "base/prng.h"
#include "core/decide.h"
#include "core/order.h"
#include "core/place.h"
#include "core/settle.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

// Two nodes of 8 and, at another site, one of 8 and two of 4; what is drawn happens to them.
struct Unsteady : TestCloud {
  base::SeededPrng prng;
  explicit Unsteady(std::uint64_t seed) : TestCloud(2), prng(seed) {
    Site site{"east", "us", "test"};
    site.url = "test:east";
    REQUIRE(run(AddSite{site}));
    RegisterSite seen{{"east", "us", "test"}, {}, {}};
    for (std::uint32_t n = 0; n < 3; ++n) {
      add(seen, "h100", n, n ? 4 : 8);
      seen.nodes.back().node.name = "east:" + seen.nodes.back().node.name;
    }
    REQUIRE(run(seen));
  }
  std::int64_t draw(std::int64_t n) {
    return static_cast<std::int64_t>(prng.next() % static_cast<std::uint64_t>(n));
  }
  Instant later(std::int64_t most_s) { return now + Duration::seconds(draw(most_s)); }
  Reserve reserve(std::uint32_t gpus, Instant from, Instant until) {
    return {{2, ids++}, "res", "demo", "h100", gpus, from, until, false};
  }
  // Work with and without a limit, windows of both kinds, nodes and a site that come and go.
  void happen() {
    static const char* shapes[] = {"h100:1", "h100:3", "h100:4", "h100:8", "h100:8x2", "h100:4x2"};
    const std::string& node = world.state().nodes[static_cast<std::size_t>(draw(5))].name;
    switch (draw(9)) {
      case 0:
      case 1:
      case 2: {
        const char* shape = shapes[draw(6)];
        SubmitJob s = request(shape, draw(4) ? 600 + draw(30'000) : 0);
        if (draw(3) == 0) s = in_class(s, JobClass::spot);
        const Id id = submit(s);
        if (is_leased(id) && draw(2)) run_ranks(id);
        break;
      }
      case 3:
      case 4: {
        const Instant from = later(40'000);
        const Instant until = from + Duration::seconds(600 + draw(20'000));
        (void)run(reserve(1 + static_cast<std::uint32_t>(draw(20)), from, until));
        break;
      }
      case 5: {
        const Instant from = draw(3) ? later(40'000) : now;
        Maintain m{{2, ids++}, "m", {node}, from, {}};
        if (draw(4)) m.until = from + Duration::seconds(600 + draw(20'000));
        (void)run(m);
        break;
      }
      case 6:
        (void)run(SetNodeState{node, draw(3) ? NodeState::active : NodeState::cordoned});
        break;
      case 7:
        (void)run(SeeSite{"east", draw(4) != 0, now, 0});
        break;
      default: {
        std::vector<Id> leased;
        for (const auto& [order, slot] : world.leased)
          leased.push_back(world.state().jobs[slot].id);
        if (!leased.empty())
          end(leased[static_cast<std::size_t>(draw(static_cast<std::int64_t>(leased.size())))]);
      }
    }
    tick(draw(2'000));
  }
};

// Card by card, from the leases and holds themselves.
std::uint32_t cards_by_hand(const World& w, NodeIx n, Instant now, Instant from, Instant until) {
  if (!w.takes_work(n)) return 0;
  std::uint32_t free = 0;
  for (std::size_t card = 0; card < w.state().nodes[n].gpus.size(); ++card) {
    const auto on = [&](std::uint64_t mask) { return (mask >> card & 1) != 0; };
    bool kept = false;
    if (const auto at = w.holds.find(n); at != w.holds.end())
      for (const Hold& h : at->second) {
        if (!on(h.gpu_mask)) continue;
        if (h.why == Hold::Why::window) {
          kept |= h.from < until && from < h.until;
          continue;
        }
        const Job& job = w.queued(h.owner);
        if (yields(job.job_class)) continue;
        const Instant start = job.promise ? std::max(now, job.promise->start_by) : now;
        kept |= job.time_limit_s == 0 ||
                start + Duration::seconds(1800 + job.time_limit_s + job.grace_s + 20) > from;
      }
    for (const Slot slot : w.use[n].leases)
      if (const Job& job = w.state().jobs[slot]; !yields(job.job_class))
        for (const Place& p : job.lease->places)
          kept |= p.node == n && on(p.gpu_mask) && surely_ends(w, job, now) > from;
    free += !kept;
  }
  return free;
}

std::uint32_t most_by_hand(const World& w, const std::vector<SiteIx>& named, bool across,
                           Instant now, Instant from, Instant until) {
  std::map<SiteIx, std::pair<std::uint32_t, std::uint32_t>> sums;  // whole nodes, fullest part
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const Node& node = w.state().nodes[n];
    if (node.sku != *w.sku("h100") || node.gpus.empty()) continue;
    if (!named.empty() && std::ranges::find(named, node.site) == named.end()) continue;
    auto& [whole, part] = sums[across ? nobody : node.site];
    const std::uint32_t free = cards_by_hand(w, n, now, from, until);
    if (free == node.gpus.size())
      whole += free;
    else
      part = std::max(part, free);
  }
  std::uint32_t most = 0;
  for (const auto& [site, sum] : sums) most = std::max(most, sum.first + sum.second);
  return most;
}

struct Asked {
  std::vector<std::string> places;
  bool across = false;
};

// `reserve` takes n and no more.
void check_accepted(Unsteady& c, const Asked& asked, const Piece& p, bool each) {
  const auto accepts = [&](std::uint32_t n) {
    Reserve r = c.reserve(n, p.from, p.until);
    r.places = asked.places;
    r.across_sites = asked.across;
    return decide_windows(c.world, r, c.now).has_value();
  };
  const std::uint32_t most = p.most.gpus;
  CAPTURE(most);
  if (each)
    for (std::uint32_t n = 1; n <= 33; ++n) CHECK_MESSAGE(accepts(n) == (n <= most), n);
  if (most > 0) CHECK(accepts(most));
  CHECK_FALSE(accepts(most + 1));
}

void check_pieces(Unsteady& c, const Asked& asked) {
  const auto sites = *sites_of(c.world, asked.places, "sites");
  const Calendar t = calendar_of(c.world, *c.world.sku("h100"), sites, c.now);
  const Instant from = c.later(3'000) + Duration::seconds(1);
  const Instant until = from + Duration::seconds(60 + c.draw(60'000));
  const Pieces pieces = pieces_of(t, asked.across, from, until);
  CHECK_FALSE(pieces.joined);
  Instant at = from;
  for (const Piece& p : pieces.list) {
    CHECK(p.from == at);
    at = p.until;
    CHECK(p.most.gpus == most_by_hand(c.world, sites, asked.across, c.now, p.from, p.until));
    check_accepted(c, asked, p, false);
    const Instant inside{p.from.us + c.draw((p.until - p.from).us)};
    const Instant end{inside.us + 1 + c.draw((p.until - inside).us)};
    CHECK(most_over(t, asked.across, inside, end) == p.most);
  }
  CHECK(at == until);
  const Piece all{from, until, most_over(t, asked.across, from, until)};
  for (const Piece& p : pieces.list) CHECK(all.most.gpus <= p.most.gpus);
  check_accepted(c, asked, all, true);
  const Pieces few = pieces_of(t, asked.across, from, until, 5);
  CHECK(few.list.size() <= 5);
  CHECK(few.list.front().from == from);
  CHECK(few.list.back().until == until);
  for (const Piece& p : few.list) check_accepted(c, asked, p, false);
}

}  // namespace

TEST_CASE("property: a reservation is accepted if and only if it is not more than is said") {
  std::size_t joined = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Unsteady c(seed);
    for (int i = 0; i < 30; ++i) {
      c.happen();
      check_pieces(c, {{}, false});
      check_pieces(c, {{}, true});
      check_pieces(c, {{c.draw(2) ? "home" : "us"}, c.draw(2) == 0});
    }
    const Calendar t = calendar_of(c.world, *c.world.sku("h100"), {}, c.now);
    joined += pieces_of(t, false, c.now, c.now + Duration::seconds(90'000), 5).joined;
  }
  CHECK(joined > 10);
}

TEST_CASE("two pieces that have as many are two where it is of other nodes") {
  TestCloud c(2);
  const Instant noon = c.now + Duration::seconds(3600), evening = noon + Duration::seconds(3600);
  REQUIRE(c.run(Maintain{{2, c.ids++}, "m", {"h100-0"}, c.now, noon}));
  REQUIRE(c.run(Maintain{{2, c.ids++}, "m", {"h100-1"}, noon, evening}));
  const Calendar t = calendar_of(c.world, *c.world.sku("h100"), {}, c.now);
  const Pieces pieces = pieces_of(t, false, c.now, evening + Duration::seconds(3600));
  REQUIRE(pieces.list.size() == 3);
  CHECK(pieces.list[0].most == Reservable{8, 1, 0});
  CHECK(pieces.list[0].until == noon);
  CHECK(pieces.list[1].most == Reservable{8, 1, 0});
  CHECK(pieces.list[2].most == Reservable{16, 2, 0});
  CHECK(most_over(t, false, c.now, evening) == Reservable{});
}

TEST_CASE("work that yields is no hindrance; without a limit it is one for ever") {
  TestCloud c(2);
  c.start(in_class(c.request("h100:8"), JobClass::spot));
  const auto pieces = [&] {
    return pieces_of(calendar_of(c.world, *c.world.sku("h100"), {}, c.now), false, c.now,
                     c.now + Duration::seconds(86'400))
        .list;
  };
  CHECK(pieces().at(0).most.gpus == 16);
  c.start(c.request("h100:3", 3600));
  REQUIRE(pieces().size() == 2);
  CHECK(pieces()[0].most.gpus == 13);  // a whole node, and a part of the other
  CHECK(pieces()[0].until == c.now + Duration::seconds(3600 + 30 + confirm_s));
  CHECK(pieces()[1].most.gpus == 16);
  c.start(c.request("h100:1"));
  CHECK(pieces().back().most.gpus < 16);
}

}  // namespace ampacity::core
