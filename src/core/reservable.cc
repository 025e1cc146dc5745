#include "core/reservable.h"

#include <algorithm>
#include <bit>

#include "core/order.h"
#include "core/place.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

// When one who waits, and has a right to cards, has surely gone from them.
Instant gone_from_claim(const Job& job, Instant now) {
  if (job.time_limit_s == 0) return forever;
  const Instant start = job.promise ? std::max(now, job.promise->start_by) : now;
  return start + start_timeout + Duration::seconds(job.time_limit_s + job.grace_s + confirm_s);
}

// One site's sums, piece by piece.
struct AtSite {
  SiteIx site = nobody;
  Reservable always;                // nodes that nobody has a right to
  std::vector<Reservable> whole;    // those that are free then
  std::vector<std::uint32_t> part;  // the fullest of the others
};

AtSite& sums_at(std::vector<AtSite>& all, SiteIx site, std::size_t pieces) {
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const AtSite& s) { return s.site == site; });
  if (at != all.end()) return *at;
  all.push_back({site, {}, std::vector<Reservable>(pieces), std::vector<std::uint32_t>(pieces)});
  return all.back();
}

// The largest between each two successive bounds.
std::vector<Reservable> most_between(const Calendar& t, bool across,
                                     const std::vector<Instant>& bounds) {
  const std::size_t pieces = bounds.size() - 1;
  std::vector<AtSite> all;
  std::vector<std::uint64_t> taken;
  for (const Calendar::Row& node : t.nodes) {
    AtSite& here = sums_at(all, across ? nobody : node.site, pieces);
    if (node.count == 0) {
      here.always.gpus += node.gpus;
      ++here.always.nodes;
      continue;
    }
    taken.assign(pieces, 0);
    for (const Right& r : std::span(t.rights).subspan(node.first, node.count)) {
      const auto begin = std::upper_bound(bounds.begin() + 1, bounds.end(), r.from);
      const auto end = std::lower_bound(bounds.begin(), bounds.end() - 1, r.until);
      for (auto i = begin - bounds.begin() - 1; i < end - bounds.begin(); ++i)
        taken[static_cast<std::size_t>(i)] |= r.cards;
    }
    for (std::size_t i = 0; i < pieces; ++i) {
      const std::uint32_t free = node.gpus - static_cast<std::uint32_t>(std::popcount(taken[i]));
      if (free == node.gpus) {
        here.whole[i].gpus += node.gpus;
        ++here.whole[i].nodes;
      } else {
        here.part[i] = std::max(here.part[i], free);
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.site < b.site; });
  std::vector<Reservable> most(pieces);
  for (const AtSite& s : all)
    for (std::size_t i = 0; i < pieces; ++i)
      if (const std::uint32_t gpus = s.always.gpus + s.whole[i].gpus + s.part[i];
          gpus > most[i].gpus)
        most[i] = {gpus, s.always.nodes + s.whole[i].nodes, s.site};
  return most;
}

// Bounds that stand close together are one: of each cell of time the first and the last stay, so
// that only pieces shorter than a cell are joined.
bool thin(std::vector<Instant>& bounds, std::size_t most) {
  if (bounds.size() <= most + 1) return false;
  const auto cells = static_cast<std::int64_t>(std::max<std::size_t>(1, (most - 1) / 2));
  const Instant from = bounds.front(), until = bounds.back();
  const std::int64_t width = (until - from).us / cells + 1;
  std::vector<Instant> kept{from};
  for (std::size_t i = 1; i + 1 < bounds.size(); ++i) {
    const auto cell = [&](std::size_t k) { return (bounds[k] - from).us / width; };
    const bool first = i == 1 || cell(i) != cell(i - 1);
    const bool last = i + 2 == bounds.size() || cell(i) != cell(i + 1);
    if (first || last) kept.push_back(bounds[i]);
  }
  kept.push_back(until);
  bounds = std::move(kept);
  return true;
}

}  // namespace

void rights_on(const World& w, NodeIx n, Instant now, std::vector<Right>& out) {
  if (const auto at = w.holds.find(n); at != w.holds.end())
    for (const Hold& h : at->second) {
      if (h.gpu_mask == 0) continue;
      if (h.why == Hold::Why::window)
        out.push_back({h.gpu_mask, h.from, h.until});
      else if (const Job& job = w.queued(h.owner); !yields(job.job_class))
        out.push_back({h.gpu_mask, {}, gone_from_claim(job, now)});
    }
  for (const Slot slot : w.use[n].leases) {
    const Job& job = w.state().jobs[slot];
    if (yields(job.job_class)) continue;
    const Instant gone = surely_ends(w, job, now);
    for (const Place& p : job.lease->places)
      if (p.node == n && p.gpu_mask) out.push_back({p.gpu_mask, {}, gone});
  }
}

Calendar calendar_of(const World& w, SkuIx sku, std::span<const SiteIx> sites, Instant now) {
  Calendar t;
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const Node& node = w.state().nodes[n];
    if (node.sku != sku || node.gpus.empty() || !w.takes_work(n)) continue;
    if (!sites.empty() && std::find(sites.begin(), sites.end(), node.site) == sites.end()) continue;
    const std::size_t first = t.rights.size();
    rights_on(w, n, now, t.rights);
    t.nodes.push_back(
        {node.site, static_cast<std::uint32_t>(node.gpus.size()), first, t.rights.size() - first});
  }
  return t;
}

Reservable most_over(const Calendar& calendar, bool across, Instant from, Instant until) {
  return most_between(calendar, across, {from, until})[0];
}

Pieces pieces_of(const Calendar& calendar, bool across, Instant from, Instant until,
                 std::size_t most) {
  std::vector<Instant> bounds{from, until};
  for (const Right& r : calendar.rights)
    for (const Instant at : {r.from, r.until})
      if (from < at && at < until) bounds.push_back(at);
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  Pieces pieces;
  pieces.joined = thin(bounds, most);
  const auto found = most_between(calendar, across, bounds);
  for (std::size_t i = 0; i < found.size(); ++i) {
    // A bound where nothing changes is none. Alike is not the same: each may be of other nodes.
    if (i > 0 && pieces.list.back().most == found[i] &&
        most_over(calendar, across, pieces.list.back().from, bounds[i + 1]) == found[i])
      pieces.list.back().until = bounds[i + 1];
    else
      pieces.list.push_back({bounds[i], bounds[i + 1], found[i]});
  }
  return pieces;
}

}  // namespace ampacity::core
