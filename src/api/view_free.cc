#include "api/view_free.h"

#include <algorithm>

#include "core/decide.h"

namespace ampacity::api {
namespace {

FreePiece piece_of(const CopiedRights& rights, Instant from, Instant until,
                   const core::Reservable& most) {
  FreePiece p{from, until, most.gpus, most.nodes, {}};
  if (most.site != core::nobody) p.site = rights.sites[most.site];
  return p;
}

// Cards of each kind, at those sites, that are there at all.
std::vector<std::uint32_t> cards_there(const core::World& w,
                                       const std::vector<core::SiteIx>& sites) {
  std::vector<std::uint32_t> cards(w.state().skus.size());
  for (const core::Node& node : w.state().nodes)
    if (node.state != core::NodeState::absent &&
        (sites.empty() || std::find(sites.begin(), sites.end(), node.site) != sites.end()))
      cards[node.sku] += static_cast<std::uint32_t>(node.gpus.size());
  return cards;
}

}  // namespace

base::Result<CopiedRights> copy_rights(const core::World& w, const FreeAsked& asked, Instant now) {
  const auto sites = core::sites_of(w, asked.places, "site");
  if (!sites) return std::unexpected(sites.error());
  const core::State& s = w.state();
  if (asked.sku && !w.sku(*asked.sku))
    return base::refuse_field("sku", "there is no SKU " + *asked.sku + "; see /v1/offers");
  CopiedRights rights;
  for (const core::Site& site : s.sites) rights.sites.push_back(site.name);
  const auto cards = cards_there(w, *sites);
  for (core::SkuIx k = 0; k < s.skus.size(); ++k) {
    if (asked.sku ? s.skus[k].name != *asked.sku : cards[k] == 0) continue;
    rights.kinds.push_back(
        {s.skus[k].name, s.skus[k].emulated, cards[k], core::calendar_of(w, k, *sites, now)});
  }
  return rights;
}

FreeList view_free(const CopiedRights& rights, const FreeAsked& asked) {
  FreeList list{asked.from, asked.until, {}};
  for (const CopiedRights::Kind& kind : rights.kinds) {
    const auto pieces = core::pieces_of(kind.calendar, asked.across_sites, asked.from, asked.until);
    const auto all = core::most_over(kind.calendar, asked.across_sites, asked.from, asked.until);
    FreeKind& k = list.items.emplace_back(FreeKind{kind.sku,
                                                   kind.emulated,
                                                   kind.gpus,
                                                   piece_of(rights, asked.from, asked.until, all),
                                                   {},
                                                   pieces.joined});
    for (const core::Piece& p : pieces.list)
      k.pieces.push_back(piece_of(rights, p.from, p.until, p.most));
  }
  return list;
}

}  // namespace ampacity::api
