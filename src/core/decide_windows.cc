// Reservations and maintenance: windows of time on named cards, accepted only if they can be
// honoured whatever happens to jobs without a limit: those count as staying for ever.
#include <algorithm>
#include <bit>

#include "core/decide.h"
#include "core/order.h"
#include "core/place.h"
#include "core/reservable.h"

namespace ampacity::core {
namespace {

using base::Code;
using base::Refusal;

constexpr std::size_t most_windows = 10'000;
constexpr Duration furthest_window = Duration::seconds(3LL * 366 * 86'400);

// Cards of a node that nobody else has a right to between `from` and `until`.
std::uint64_t cards_free(const World& w, NodeIx n, Instant now, Instant from, Instant until) {
  if (!w.takes_work(n)) return 0;
  std::vector<Right> rights;
  rights_on(w, n, now, rights);
  std::uint64_t cards = all_cards(w.state().nodes[n]);
  for (const Right& r : rights)
    if (r.from < until && from < r.until) cards &= ~r.cards;
  return cards;
}

// Sites that would do together, the best first; no site in it: all of them.
using Choice = std::vector<SiteIx>;

// Each alone, unless it may lie across them. As for a job: price, then power, then the oldest.
std::vector<Choice> choices_of(const World& w, SkuIx sku, ProjectIx project, bool across,
                               const Choice& named, Instant now) {
  if (across || w.state().sites.size() == 1) return {named};
  Job asks;
  asks.project = project;
  asks.job_class = JobClass::reserved;
  asks.demand.skus = {sku};
  asks.demand.gpus_per_node = 1;
  asks.demand.sites = named;
  std::vector<Choice> choices;
  const auto add = [&](SiteIx site) {
    if (w.state().sites[site].removed || !admits_site(w, asks, site)) return;
    if (std::ranges::find(choices, Choice{site}) == choices.end()) choices.push_back({site});
  };
  for (const Tier& tier : tiers_of(w, asks, now)) std::ranges::for_each(tier.sites, add);
  for (SiteIx site = 0; site < w.state().sites.size(); ++site) add(site);
  return choices;
}

bool among(const Choice& sites, SiteIx site) {
  return sites.empty() || std::ranges::find(sites, site) != sites.end();
}

// As many whole nodes as it takes, and a part of one more; empty: there are too few.
std::vector<Place> room_at(const World& w, const Choice& sites, SkuIx sku, std::uint32_t gpus,
                           Instant now, Instant from, Instant until, std::int64_t& available) {
  std::vector<std::pair<NodeIx, std::uint64_t>> part;
  std::map<std::size_t, std::vector<NodeIx>> whole;  // by cards of the node
  available = 0;
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const Node& node = w.state().nodes[n];
    if (node.sku != sku || node.gpus.empty() || !among(sites, node.site)) continue;
    const std::uint64_t cards = cards_free(w, n, now, from, until);
    const auto count = static_cast<std::size_t>(std::popcount(cards));
    available += static_cast<std::int64_t>(count);
    if (count == node.gpus.size())
      whole[count].push_back(n);
    else if (count)
      part.emplace_back(n, cards);
  }
  std::vector<Place> places;
  const auto take = [&](NodeIx n, std::uint64_t cards, std::uint32_t count) {
    Place p{n, 0, 0};
    for (std::uint32_t g = 0; g < count; ++g, cards &= cards - 1) p.gpu_mask |= cards & -cards;
    places.push_back(p);
  };
  std::uint32_t left = gpus;
  for (auto kind = whole.rbegin(); kind != whole.rend() && left; ++kind) {
    auto& [size, nodes] = *kind;
    const std::size_t count = std::min(nodes.size(), left / size);
    const auto chosen = closest(w, nodes, count, Together::any);
    for (const NodeIx n : chosen) take(n, ~0ULL, static_cast<std::uint32_t>(size));
    left -= static_cast<std::uint32_t>(count * size);
    std::erase_if(nodes, [&](NodeIx n) {
      return std::find(chosen.begin(), chosen.end(), n) != chosen.end();
    });
  }
  std::stable_sort(part.begin(), part.end(), [](const auto& a, const auto& b) {
    return std::popcount(a.second) < std::popcount(b.second);
  });
  for (auto& [size, nodes] : whole)
    for (const NodeIx n : nodes) part.emplace_back(n, (1ULL << (size - 1) << 1) - 1);
  for (const auto& [n, cards] : part) {  // the rest on one node
    if (left == 0) break;
    if (std::popcount(cards) < static_cast<int>(left)) continue;
    take(n, cards, left);
    left = 0;
  }
  if (left) places.clear();
  return places;
}

// At the best choice that has it; `available`: the most that one has.
std::vector<Place> room_for(const World& w, const std::vector<Choice>& choices, SkuIx sku,
                            std::uint32_t gpus, Instant now, Instant from, Instant until,
                            std::int64_t& available) {
  available = 0;
  for (const Choice& sites : choices) {
    std::int64_t there = 0;
    auto places = room_at(w, sites, sku, gpus, now, from, until, there);
    available = std::max(available, there);
    if (!places.empty()) return places;
  }
  return {};
}

// The most cards of a kind that one choice has in all.
std::int64_t most_there(const World& w, const std::vector<Choice>& choices, SkuIx sku) {
  std::int64_t most = 0;
  for (const Choice& sites : choices) {
    std::int64_t all = 0;
    for (const Node& node : w.state().nodes)
      if (node.sku == sku && node.state != NodeState::absent && among(sites, node.site))
        all += static_cast<std::int64_t>(node.gpus.size());
    most = std::max(most, all);
  }
  return most;
}

// The first later start at which it could be honoured, by what ends on its own.
std::optional<Instant> earliest_for(const World& w, const Choice& named, SkuIx sku,
                                    const Reserve& c, Instant now) {
  const Calendar calendar = calendar_of(w, sku, named, now);
  std::set<Instant> starts;
  for (const Right& r : calendar.rights)
    if (r.until > c.from && r.until != forever) starts.insert(r.until);
  std::size_t tried = 0;
  for (const Instant from : starts) {
    if (++tried > 256) break;
    if (most_over(calendar, c.across_sites, from, from + (c.until - c.from)).gpus >= c.gpus)
      return from;
  }
  return std::nullopt;
}

base::Result<void> check_times(Instant now, Instant from, Instant until) {
  if (until <= from) return base::refuse_field("until", "must be after its start");
  if (from < now) return base::refuse_field("from", "has passed already");
  if (until != forever && until > now + furthest_window)
    return base::refuse_field("until", "is more than three years away");
  return {};
}

std::size_t count_windows(const World& w) {
  return static_cast<std::size_t>(std::count_if(w.state().windows.begin(), w.state().windows.end(),
                                                [](const Window& x) { return !x.id.is_nil(); }));
}

}  // namespace

Decision decide_windows(const World& world, const Reserve& asked, Instant now) {
  Reserve c = asked;
  if (c.from < now && now - c.from < Duration::seconds(60))
    c.from = now;  // "now", said a moment ago
  if (auto ok = check_times(now, c.from, c.until); !ok)
    return std::unexpected(std::move(ok.error()));
  const auto project = world.project(c.project);
  if (!project) return base::refuse_field("project", "there is no project " + c.project);
  const auto sku = world.sku(c.sku);
  if (!sku || c.gpus == 0)
    return base::refuse_field("gpus", "must name one kind of GPU and how many, like h100:64");
  if (count_windows(world) >= most_windows)
    return base::refuse(Code::queue_full, "there are too many reservations");
  const auto sites = sites_of(world, c.places, "sites");
  if (!sites) return std::unexpected(sites.error());
  const auto choices = choices_of(world, *sku, *project, c.across_sites, *sites, now);
  std::int64_t available = 0;
  if (const std::int64_t all = most_there(world, choices, *sku); c.gpus > all) {
    const bool elsewhere = c.gpus <= most_there(world, {*sites}, *sku);
    Refusal r{Code::never_fits,
              elsewhere ? "no one site has as many " + c.sku +
                              "; together they have: say that it may lie across sites"
                        : "there are fewer " + c.sku + " than that",
              {},
              {},
              {}};
    r.missing.push_back({"gpus", c.gpus, all});
    return std::unexpected(std::move(r));
  }
  auto places = room_for(world, choices, *sku, c.gpus, now, c.from, c.until, available);
  if (places.empty()) {
    Refusal r{Code::not_now,
              std::to_string(c.gpus) + " " + c.sku +
                  " cannot be kept free then: " + std::to_string(available) + " can",
              {},
              {{"gpus", c.gpus, available}},
              earliest_for(world, *sites, *sku, c, now)};
    if (r.earliest)
      r.message += "; the first start that can be honoured is " + base::format_instant(*r.earliest);
    return std::unexpected(std::move(r));
  }
  return std::vector<FactBody>{
      WindowOpened{{c.id, WindowKind::reservation, c.name, *project, *sku, c.gpus, c.from, c.until,
                    c.release_unused, std::move(places)}}};
}

Decision decide_windows(const World& world, const Maintain& c, Instant now) {
  const Instant from = std::max(c.from, now);
  const Instant until = c.until.us ? c.until : forever;
  if (auto ok = check_times(now, from, until); !ok) return std::unexpected(std::move(ok.error()));
  if (c.nodes.empty()) return base::refuse_field("nodes", "name at least one node");
  if (count_windows(world) >= most_windows)
    return base::refuse(Code::queue_full, "there are too many windows");
  Window window{c.id, WindowKind::maintenance, c.name, nobody, nobody, 0, from, until, false, {}};
  for (const std::string& name : c.nodes) {
    const auto n = world.node(name);
    if (!n) return base::refuse_field("nodes", "there is no node " + name);
    if (const auto at = world.holds.find(*n); at != world.holds.end())
      for (const Hold& h : at->second)
        if (h.why == Hold::Why::window && h.from < until && from < h.until)
          return base::refuse(Code::conflict, "node " + name + " is already kept by " +
                                                  world.state().windows[h.owner].name + " then");
    // A drain waits for what runs; a window with a start must be sure of it.
    for (const Slot slot : world.use[*n].leases) {
      const Job& job = world.state().jobs[slot];
      if (from == now || yields(job.job_class) || surely_ends(world, job, now) <= from) continue;
      return base::refuse(Code::not_now,
                          "job " + job.name + " may still run on " + name +
                              " then: it has no time limit that ends before; drain the node from "
                              "now on instead");
    }
    const Node& node = world.state().nodes[*n];
    window.gpus += static_cast<std::uint32_t>(node.gpus.size());
    window.places.push_back({*n, all_cards(node), 0});
  }
  // Who was to start there looks for another place.
  std::vector<FactBody> facts;
  const auto there = [&](const std::vector<Place>& places) {
    return std::any_of(places.begin(), places.end(), [&](const Place& p) {
      return std::any_of(window.places.begin(), window.places.end(),
                         [&](const Place& q) { return q.node == p.node; });
    });
  };
  for (const auto& [order, slot] : world.queue) {
    const Job& job = world.state().jobs[slot];
    if (job.claim && there(job.claim->places)) facts.push_back(ClaimDropped{job.id});
    if (job.promise && there(job.promise->places))
      facts.push_back(PromiseDropped{job.id, "its node is kept for maintenance"});
  }
  facts.push_back(WindowOpened{std::move(window)});
  return facts;
}

Decision decide_windows(const World& world, const EndWindow& c) {
  const Window* w = world.window(c.window);
  if (!w) return base::refuse(Code::not_found, "there is no such reservation or window now");
  std::vector<FactBody> facts;
  for (const auto& [order, slot] : world.leased) {
    const Job& job = world.state().jobs[slot];
    if (job.demand.reservation == c.window && job.state != JobState::stopping)
      facts.push_back(StopOrdered{job.id, StopReason::time_limit, "its reservation ended"});
  }
  for (const auto& [order, slot] : world.queue) {
    const Job& job = world.state().jobs[slot];
    if (job.demand.reservation == c.window)
      facts.push_back(JobEnded{job.id, Outcome::cancelled, "its reservation ended"});
  }
  facts.push_back(WindowChanged{c.window, {}, c.why});
  return facts;
}

void tick_windows(const World& world, Instant now, std::vector<FactBody>& facts) {
  std::set<Id> told;
  for (const Window& w : world.state().windows) {
    if (w.id.is_nil()) continue;
    if (now >= w.until) {
      for (const auto& [order, slot] : world.queue)
        if (const Job& job = world.state().jobs[slot];
            job.demand.reservation == w.id && (job.start_by.us == 0 || job.start_by > now))
          facts.push_back(JobEnded{world.state().jobs[slot].id, Outcome::cancelled,
                                   "its reservation ended before it could start"});
      facts.push_back(WindowChanged{w.id, {}, "its time is over"});
      continue;
    }
    if (w.kind == WindowKind::maintenance &&
        now >= w.from - Duration::seconds(world.state().policy.spot_grace_s)) {
      for (const Place& p : w.places)
        for (const Slot slot : world.use[p.node].leases) {
          const Job& job = world.state().jobs[slot];
          if (yields(job.job_class) && job.state != JobState::stopping &&
              told.insert(job.id).second)
            facts.push_back(
                StopOrdered{job.id, StopReason::window, "its node is needed for maintenance"});
        }
    }
    if (w.release_unused && now >= full_hour_after(w.from)) {
      std::vector<Place> used;
      for (const Place& p : w.places)
        if (std::any_of(world.use[p.node].leases.begin(), world.use[p.node].leases.end(),
                        [&](Slot s) { return world.state().jobs[s].demand.reservation == w.id; }))
          used.push_back(p);
      const bool wanted = std::any_of(world.queue.begin(), world.queue.end(), [&](const auto& q) {
        return world.state().jobs[q.second].demand.reservation == w.id;
      });
      if (!wanted && used.size() < w.places.size())
        facts.push_back(WindowChanged{w.id, std::move(used), "unused hours were given back"});
    }
  }
}

}  // namespace ampacity::core
