// How Packer finds: best, fit, each. What the score is stands in packer.h.
#include <algorithm>
#include <bit>
#include <limits>

#include "core/packer.h"
#include "core/packer_mig.h"

namespace ampacity::core {
namespace {

std::uint64_t lowest_bits(std::uint64_t mask, std::uint32_t count) {
  std::uint64_t chosen = 0;
  for (; count > 0; --count) {
    chosen |= mask & -mask;
    mask &= mask - 1;
  }
  return chosen;
}

}  // namespace

// ---- on one node ------------------------------------------------------------------------------

std::uint64_t Packer::choose_share(NodeIx n, const NodeNeed& need, std::uint64_t among) const {
  const auto all = cards(n);
  const std::uint32_t size = (need.gpu_milli + 9) / 10;
  std::uint64_t best = 0;
  std::uint32_t best_rank = std::numeric_limits<std::uint32_t>::max();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Card& card = all[i];
    if (!(among >> i & 1) || card.free < need.gpu_milli || card.mig_slices) continue;
    if (!card.whole() && card.tenant != need.tenant) continue;
    const std::uint32_t rank = taste_.rank(size, card.free / 10) * 16 + card.free % 10;
    if (rank >= best_rank) continue;
    best_rank = rank;
    best = 1ULL << i;
  }
  return best;
}

std::optional<Grip> Packer::choose_slice(NodeIx n, const NodeNeed& need,
                                         std::uint64_t among) const {
  const auto all = cards(n);
  std::optional<Grip> best;
  int best_rank = -1;  // cards in MIG mode first: with the least large room, then the fullest
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint8_t taken = all[i].mig_slices;
    if (!(among >> i & 1) || (!all[i].whole() && taken == 0)) continue;
    const std::uint8_t slice = place_slice(taken, need.mig);
    const int rank = taken ? 16 * (1 + mig_level(taken)) + std::popcount(taken) : 0;
    if (slice == 0 || rank <= best_rank) continue;
    best_rank = rank;
    best = Grip{n, 1ULL << i, slice};
  }
  return best;
}

std::optional<Grip> Packer::fit(NodeIx n, const NodeNeed& need, std::uint64_t among) const {
  const Slot& node = nodes_[n];
  if (!need.valid() || !left_[n].holds({need.cpu_milli, need.memory_mib})) return std::nullopt;
  if (need.gpus == 0)
    return node.room.rents_cpu ? std::optional<Grip>(Grip{n, 0, 0}) : std::nullopt;
  if (need.mig) return choose_slice(n, need, among);
  if (need.share()) {
    const std::uint64_t card = choose_share(n, need, among);
    return card ? std::optional<Grip>(Grip{n, card, 0}) : std::nullopt;
  }
  const std::uint64_t whole = whole_free_mask(n) & among;
  if (static_cast<std::uint32_t>(std::popcount(whole)) < need.gpus) return std::nullopt;
  return Grip{n, lowest_bits(whole, need.gpus), 0};
}

// ---- over all ---------------------------------------------------------------------------------

// Rows are asked tier by tier (a kind of hole, best first); in a tier the class with the least
// stranded GPU wins, and its lowest node with room.
struct Packer::Search {
  struct Candidate {
    std::int64_t stranded = std::numeric_limits<std::int64_t>::max();
    std::uint32_t order = 0;  // among equals: fewest GPUs, then as `skus` are listed
    std::uint32_t klass = 0;
    RowIx row = no_row;
    auto key() const { return std::tie(stranded, order, klass); }
  };
  struct Tier {
    Hole hole;
    std::uint16_t level;
  };

  const Packer& p;
  std::span<const SkuIx> skus;
  const NodeNeed& need;
  const Admit& admit;
  std::uint32_t wanted = 0;  // only SKUs wanted this much
  Left room{need.cpu_milli, need.memory_mib};
  std::uint32_t from = cpu_class(need.cpu_milli);
  const std::int32_t* column = p.taste_.column(need.cpu_milli, need.total_milli());

  bool asks(SkuIx sku) const { return sku < p.skus_.size() && p.taste_.wanted(sku) == wanted; }

  // f(row, order, what its free cards lose for being together)
  template <typename F>
  void each_row(const Tier& tier, F&& f) const {
    for (std::uint32_t i = 0; i < skus.size(); ++i) {
      if (!asks(skus[i])) continue;
      const SkuRows& rows = p.skus_[skus[i]];
      switch (tier.hole) {
        case Hole::cpu:
          if (rows.cpu) f(rows.cpu, i, std::int64_t{0});
          break;
        case Hole::mig:
          if (rows.mig[tier.level]) f(rows.mig[tier.level], i, std::int64_t{0});
          break;
        case Hole::share:
          if (const RowIx row = p.row_at(skus[i], {Hole::share, tier.level, need.tenant}))
            f(row, i, std::int64_t{0});
          break;
        case Hole::whole:
          for (std::uint64_t ws = rows.whole_filled >> (need.gpus - 1) << (need.gpus - 1); ws;
               ws &= ws - 1) {
            const auto w = static_cast<std::uint32_t>(std::countr_zero(ws)) + 1;
            f(rows.whole[w], w << 16 | i, p.taste_.parted_by(w, need.gpus));
          }
      }
    }
  }

  template <typename F>
  void each_candidate(const Tier& tier, F&& f) const {
    each_row(tier, [&](RowIx row, std::uint32_t order, std::int64_t apart) {
      p.rows_.each_class(row, from, [&](std::uint32_t klass) {
        const std::int64_t stranded =
            column ? column[klass]
                   : p.taste_.stranded_by(need.cpu_milli, need.total_milli(), klass);
        const std::uint32_t fewest = need.gpus ? 0 : klass % gpu_classes << 16;
        f(Candidate{apart + stranded, order | fewest, klass, row});
      });
    });
  }

  std::optional<Grip> first_in(const Candidate& c) const {
    std::optional<Grip> found;
    p.rows_.each_with_room(c.row, c.klass, c.klass + 1, room, p.left_, [&](NodeIx n) {
      if (!admit(n)) return true;
      found = p.fit(n, need);
      return !found.has_value();
    });
    return found;
  }

  // A few looks for the best class; if each turns out to have no room, all classes in order.
  std::optional<Grip> in_tier(const Tier& tier) const {
    Candidate last;
    for (int look = 0; look < 4; ++look) {
      Candidate best;
      each_candidate(tier, [&](const Candidate& c) {
        if (c.stranded > best.stranded || c.key() >= best.key()) return;
        if (look > 0 && c.key() <= last.key()) return;
        best = c;
      });
      if (best.row == no_row) return std::nullopt;
      if (const auto found = first_in(best)) return found;
      last = best;
    }
    std::vector<Candidate> rest;
    each_candidate(tier, [&](const Candidate& c) {
      if (c.key() > last.key()) rest.push_back(c);
    });
    std::sort(rest.begin(), rest.end(),
              [](const Candidate& a, const Candidate& b) { return a.key() < b.key(); });
    for (const Candidate& c : rest)
      if (const auto found = first_in(c)) return found;
    return std::nullopt;
  }

  std::optional<Grip> share() const {
    std::array<std::uint64_t, 17> filled{};
    for (const SkuIx sku : skus)
      if (const Sharer* s = asks(sku) ? p.sharer(sku, need.tenant) : nullptr)
        for (std::size_t i = 0; i < s->filled.size(); ++i) filled[i] |= s->filled[i];
    for (const std::uint32_t centi : p.taste_.order((need.gpu_milli + 9) / 10)) {
      if (centi == 100) {
        if (const auto found = in_tier({Hole::whole, 0})) return found;
        continue;
      }
      if (centi < need.gpu_milli / 10) continue;
      const std::uint32_t low = centi * 10, at = low / 64, bit = low % 64;
      std::uint64_t ten = filled[at] >> bit;
      if (bit > 54) ten |= filled[at + 1] << (64 - bit);
      for (ten &= 1023; ten; ten &= ten - 1) {
        const auto milli = static_cast<std::uint16_t>(low + std::countr_zero(ten));
        if (milli < need.gpu_milli) continue;
        if (const auto found = in_tier({Hole::share, milli})) return found;
      }
    }
    return std::nullopt;
  }

  std::optional<Grip> find() const {
    if (need.gpus == 0) return in_tier({Hole::cpu, 0});
    if (need.share()) return share();
    if (need.mig && need.mig < 8)
      for (std::uint16_t level = need.mig == 4 ? 1 : need.mig == 2 ? 2 : 3; level-- > 0;)
        if (const auto found = in_tier({Hole::mig, level})) return found;
    return in_tier({Hole::whole, 0});
  }
};

std::optional<Grip> Packer::best(std::span<const SkuIx> skus, const NodeNeed& need,
                                 Admit admit) const {
  if (!need.valid()) return std::nullopt;
  std::uint32_t levels = 0;
  for (const SkuIx sku : skus) levels |= 1U << taste_.wanted(sku);
  for (; levels; levels &= levels - 1) {
    const Search search{*this, skus, need, admit,
                        static_cast<std::uint32_t>(std::countr_zero(levels))};
    if (const auto found = search.find()) return found;
  }
  return std::nullopt;
}

void Packer::each(SkuIx sku, const NodeNeed& need, NodeTest visit) const {
  if (!need.valid() || sku >= skus_.size()) return;
  const Left room{need.cpu_milli, need.memory_mib};
  const std::uint32_t from = cpu_class(need.cpu_milli) * gpu_classes;
  const auto all = [&](RowIx row) {
    return rows_.each_with_room(row, from, classes, room, left_, visit);
  };
  if (need.gpus == 0) {
    if (skus_[sku].cpu) all(skus_[sku].cpu);
    return;
  }
  for (std::uint64_t ws = skus_[sku].whole_filled >> (need.gpus - 1) << (need.gpus - 1); ws;
       ws &= ws - 1)
    if (!all(skus_[sku].whole[static_cast<std::size_t>(std::countr_zero(ws)) + 1])) return;
}

}  // namespace ampacity::core
