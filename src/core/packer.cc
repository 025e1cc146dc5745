#include "core/packer.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "core/packer_mig.h"

namespace ampacity::core {
namespace {

constexpr std::uint32_t eighths_milli = 125;

constexpr std::uint64_t first_cards(std::uint32_t count) {
  return count == 0 ? 0 : ~0ULL >> (64 - count);
}

}  // namespace

// ---- nodes ------------------------------------------------------------------------------------

std::uint32_t Packer::new_cards(std::uint32_t count) {
  const auto first = static_cast<std::uint32_t>(cards_.size());
  cards_.resize(cards_.size() + count);
  return first;
}

Packer::SkuRows& Packer::sku_rows(SkuIx sku) {
  CHECK_THAT(sku < 65'536, "SKUs are dense");
  if (sku >= skus_.size()) {
    skus_.resize(sku + 1);
    capacity_.resize(sku + 1, 0);
  }
  return skus_[sku];
}

NodeIx Packer::add(const NodeRoom& room) {
  CHECK_THAT(room.gpus <= 64, "a node has at most 64 GPUs");
  CHECK_THAT(room.cpu_milli >= 0 && room.memory_mib >= 0, "room is not negative");
  const auto n = static_cast<NodeIx>(nodes_.size());
  nodes_.push_back({room, new_cards(room.gpus), room.gpus * 1000, true, first_cards(room.gpus)});
  left_.push_back({room.cpu_milli, room.memory_mib});
  sku_rows(room.sku);
  capacity_[room.sku] += std::int64_t{room.gpus} * 1000;
  move(n, {}, {});
  return n;
}

void Packer::change(NodeIx n, const NodeRoom& room) {
  CHECK_THAT(is_empty(n), "a node changes only while nothing is taken there");
  CHECK_THAT(room.gpus <= 64, "a node has at most 64 GPUs");
  CHECK_THAT(room.cpu_milli >= 0 && room.memory_mib >= 0, "room is not negative");
  Slot& node = nodes_[n];
  const bool open = node.open;
  set_open(n, false);
  capacity_[node.room.sku] -= std::int64_t{node.room.gpus} * 1000;
  if (room.gpus > node.room.gpus) {
    cards_lost_ += node.room.gpus;
    node.first_card = new_cards(room.gpus);
  } else {
    cards_lost_ += node.room.gpus - room.gpus;
  }
  node.room = room;
  node.free_milli = room.gpus * 1000;
  node.whole = first_cards(room.gpus);
  left_[n] = {room.cpu_milli, room.memory_mib};
  sku_rows(room.sku);
  capacity_[room.sku] += std::int64_t{room.gpus} * 1000;
  set_open(n, open);
  if (cards_lost_ > 4096 && cards_lost_ > cards_.size() / 2) gather_cards();
}

void Packer::gather_cards() {
  std::vector<Card> kept;
  for (NodeIx n = 0; n < nodes_.size(); ++n) {
    const auto old = cards(n);
    nodes_[n].first_card = static_cast<std::uint32_t>(kept.size());
    kept.insert(kept.end(), old.begin(), old.end());
  }
  cards_ = std::move(kept);
  cards_lost_ = 0;
}

void Packer::set_open(NodeIx n, bool open) {
  if (nodes_[n].open == open) return;
  Holes before;
  holes_of(n, before);
  nodes_[n].open = open;
  move(n, before, left_[n]);
}

bool Packer::is_empty(NodeIx n) const {
  const NodeRoom& room = nodes_[n].room;
  return nodes_[n].free_milli == room.gpus * 1000 &&
         left_[n] == Left{room.cpu_milli, room.memory_mib};
}

std::uint32_t Packer::whole_free(NodeIx n) const {
  return static_cast<std::uint32_t>(std::popcount(whole_free_mask(n)));
}

std::uint32_t Packer::card_free_milli(NodeIx n, std::uint32_t gpu) const {
  return cards(n)[gpu].free;
}

// ---- taking and giving ------------------------------------------------------------------------

void Packer::take(const Grip& grip, const NodeNeed& need) { apply(grip, need, true); }
void Packer::give(const Grip& grip, const NodeNeed& need) { apply(grip, need, false); }

void Packer::Card::change(const Grip& grip, const NodeNeed& need, bool taking) {
  if (need.mig) {
    CHECK_THAT(std::popcount(grip.mig_slices) == static_cast<int>(need.mig), "its slices");
    CHECK_THAT(free == 1000 || mig_slices != 0, "slices only of a card in MIG mode");
    CHECK_THAT((mig_slices & grip.mig_slices) == (taking ? 0 : grip.mig_slices),
               "slices are taken once and given back once");
    mig_slices ^= grip.mig_slices;
    free = static_cast<std::uint16_t>(1000 - std::popcount(mig_slices) * eighths_milli);
    return;
  }
  CHECK_THAT(mig_slices == 0, "a card in MIG mode takes slices only");
  if (taking) {
    CHECK_THAT(free >= need.gpu_milli, "the card has it free");
    CHECK_THAT(whole() || tenant == need.tenant, "shares of a card belong to one tenant");
    free = static_cast<std::uint16_t>(free - need.gpu_milli);
    tenant = need.share() ? need.tenant : 0;
  } else {
    CHECK_THAT(free + need.gpu_milli <= 1000, "what is given back was taken");
    CHECK_THAT(tenant == (need.share() ? need.tenant : 0), "what is given back was its tenant's");
    free = static_cast<std::uint16_t>(free + need.gpu_milli);
    if (whole()) tenant = 0;
  }
}

void Packer::apply(const Grip& grip, const NodeNeed& need, bool taking) {
  const NodeIx n = grip.node;
  CHECK_THAT(n < nodes_.size() && need.valid(), "a need that can be, on a node that is");
  Slot& node = nodes_[n];
  CHECK_THAT(static_cast<std::uint32_t>(std::popcount(grip.gpu_mask)) == need.gpus &&
                 (node.room.gpus == 64 || grip.gpu_mask >> node.room.gpus == 0),
             "as many cards as needed, of this node");
  Holes before;
  holes_of(n, before);
  const Left was = left_[n];
  const auto all = cards(n);
  for (std::uint64_t m = grip.gpu_mask; m; m &= m - 1) {
    Card& card = all[static_cast<std::size_t>(std::countr_zero(m))];
    card.change(grip, need, taking);
    const std::uint64_t bit = m & -m;
    node.whole = card.whole() ? node.whole | bit : node.whole & ~bit;
  }
  const std::uint32_t milli = need.total_milli();
  node.free_milli = taking ? node.free_milli - milli : node.free_milli + milli;
  const std::int64_t sign = taking ? -1 : 1;
  left_[n].cpu_milli += sign * need.cpu_milli;
  left_[n].memory_mib += sign * need.memory_mib;
  CHECK_THAT(left_[n].holds({}) && Left(node.room.cpu_milli, node.room.memory_mib).holds(left_[n]),
             "CPU and memory stay between none and all");
  move(n, before, was);
}

// ---- the index --------------------------------------------------------------------------------

void Packer::holes_of(NodeIx n, Holes& holes) const {
  const Slot& node = nodes_[n];
  holes.count = 0;
  if (!node.open) return;
  holes.klass = cpu_class(left_[n].cpu_milli) * gpu_classes + gpu_class(node.free_milli);
  if (node.room.rents_cpu) holes.at[holes.count++] = {Hole::cpu, 0, 0};
  std::uint32_t whole = 0;
  const std::uint32_t parts = holes.count;
  for (const Card& card : cards(n)) {
    if (card.whole()) {
      ++whole;
      continue;
    }
    HoleAt hole;
    if (card.mig_slices) {
      hole = {Hole::mig, mig_level(card.mig_slices), 0};
      if (hole.level == 3) continue;
    } else {
      hole = {Hole::share, card.free, card.tenant};
      if (card.free == 0) continue;
    }
    const auto begin = holes.at.begin() + parts, end = holes.at.begin() + holes.count;
    if (std::find(begin, end, hole) == end) holes.at[holes.count++] = hole;
  }
  if (whole) holes.at[holes.count++] = {Hole::whole, static_cast<std::uint16_t>(whole), 0};
}

// From the rows it was in to those it belongs in now.
void Packer::move(NodeIx n, const Holes& before, Left was) {
  Holes now;
  holes_of(n, now);
  const auto in = [](const Holes& holes, const HoleAt& hole) {
    const auto end = holes.at.begin() + holes.count;
    return std::find(holes.at.begin(), end, hole) != end;
  };
  const SkuIx sku = nodes_[n].room.sku;
  const bool same = before.klass == now.klass;
  for (std::uint32_t i = 0; i < before.count; ++i) {
    if (same && in(now, before.at[i]))
      rows_.update(row_at(sku, before.at[i]), now.klass, n, was, left_);
    else
      leave(n, before.at[i], before.klass, was);
  }
  for (std::uint32_t i = 0; i < now.count; ++i)
    if (!same || !in(before, now.at[i])) enter(n, now.at[i], now.klass);
}

const Packer::Sharer* Packer::sharer(SkuIx sku, std::uint32_t tenant) const {
  const auto& all = skus_[sku].sharers;
  const auto it = std::lower_bound(all.begin(), all.end(), tenant,
                                   [](const Sharer& s, std::uint32_t t) { return s.tenant < t; });
  return it != all.end() && it->tenant == tenant ? &*it : nullptr;
}

std::size_t Packer::Sharer::place(std::uint32_t milli) const {
  std::size_t at = static_cast<std::size_t>(
      std::popcount(filled[milli / 64] & ((std::uint64_t{1} << (milli % 64)) - 1)));
  for (std::uint32_t w = 0; w < milli / 64; ++w)
    at += static_cast<std::size_t>(std::popcount(filled[w]));
  return at;
}

RowIx Packer::row_at(SkuIx sku, const HoleAt& hole) const {
  const SkuRows& rows = skus_[sku];
  switch (hole.hole) {
    case Hole::cpu:
      return rows.cpu;
    case Hole::whole:
      return rows.whole[hole.level];
    case Hole::mig:
      return rows.mig[hole.level];
    case Hole::share:
      break;
  }
  const Sharer* s = sharer(sku, hole.tenant);
  return s ? s->row(hole.level) : no_row;
}

void Packer::name_row(SkuIx sku, const HoleAt& hole, RowIx row) {
  SkuRows& rows = skus_[sku];
  if (hole.hole == Hole::cpu) rows.cpu = row;
  if (hole.hole == Hole::mig) rows.mig[hole.level] = row;
  if (hole.hole == Hole::whole) {
    rows.whole[hole.level] = row;
    rows.whole_filled |= 1ULL << (hole.level - 1);
  }
  if (hole.hole != Hole::share) return;
  auto s = std::lower_bound(rows.sharers.begin(), rows.sharers.end(), hole.tenant,
                            [](const Sharer& a, std::uint32_t t) { return a.tenant < t; });
  if (s == rows.sharers.end() || s->tenant != hole.tenant)
    s = rows.sharers.insert(s, Sharer{.tenant = hole.tenant});
  s->rows.insert(s->rows.begin() + static_cast<std::ptrdiff_t>(s->place(hole.level)), row);
  s->filled[hole.level / 64] |= 1ULL << (hole.level % 64);
}

void Packer::forget_row(SkuIx sku, const HoleAt& hole) {
  SkuRows& rows = skus_[sku];
  if (hole.hole == Hole::cpu) rows.cpu = no_row;
  if (hole.hole == Hole::mig) rows.mig[hole.level] = no_row;
  if (hole.hole == Hole::whole) {
    rows.whole[hole.level] = no_row;
    rows.whole_filled &= ~(1ULL << (hole.level - 1));
  }
  if (hole.hole != Hole::share) return;
  const auto s = rows.sharers.begin() + (sharer(sku, hole.tenant) - rows.sharers.data());
  s->filled[hole.level / 64] &= ~(1ULL << (hole.level % 64));
  s->rows.erase(s->rows.begin() + static_cast<std::ptrdiff_t>(s->place(hole.level)));
  if (s->rows.empty()) rows.sharers.erase(s);
}

void Packer::enter(NodeIx n, const HoleAt& hole, std::uint32_t klass) {
  const SkuIx sku = nodes_[n].room.sku;
  RowIx row = row_at(sku, hole);
  if (row == no_row) {
    row = rows_.open_row();
    name_row(sku, hole, row);
  }
  rows_.add(row, klass, n, left_);
}

void Packer::leave(NodeIx n, const HoleAt& hole, std::uint32_t klass, Left was) {
  const SkuIx sku = nodes_[n].room.sku;
  const RowIx row = row_at(sku, hole);
  rows_.remove(row, klass, n, was, left_);
  if (rows_.size(row)) return;
  rows_.close_row(row);
  forget_row(sku, hole);
}

void Packer::saw(std::span<const SkuIx> skus, const NodeNeed& need) {
  taste_.saw(skus, need, capacity_);
}

// ---- comparing --------------------------------------------------------------------------------

// Everything that must be equal, as a sequence of numbers.
template <typename F>
void Packer::each_number(F&& f) const {
  for (NodeIx n = 0; n < nodes_.size(); ++n) {
    const Slot& node = nodes_[n];
    f(node.room.sku);
    f(std::uint64_t{node.room.gpus} << 2 | std::uint64_t{node.room.rents_cpu} << 1 | node.open);
    f(static_cast<std::uint64_t>(node.room.cpu_milli));
    f(static_cast<std::uint64_t>(node.room.memory_mib));
    f(static_cast<std::uint64_t>(left_[n].cpu_milli));
    f(static_cast<std::uint64_t>(left_[n].memory_mib));
    f(node.free_milli);
    for (const Card& card : cards(n))
      f(std::uint64_t{card.tenant} << 32 | std::uint64_t{card.free} << 16 | card.mig_slices);
  }
  const auto row = [&](std::uint64_t name, RowIx r) {
    if (r == no_row) return;
    f(name);
    rows_.each_class(r, 0, [&](std::uint32_t klass) { f(klass); });
    rows_.each(r, [&](std::uint32_t klass, NodeIx n) { f(std::uint64_t{klass} << 32 | n); });
  };
  for (std::size_t s = 0; s < skus_.size(); ++s) {
    const SkuRows& rows = skus_[s];
    f(s);
    f(rows.whole_filled);
    f(static_cast<std::uint64_t>(capacity_[s]));
    row(1000, rows.cpu);
    for (std::size_t i = 0; i < rows.whole.size(); ++i) row(2000 + i, rows.whole[i]);
    for (std::size_t i = 0; i < rows.mig.size(); ++i) row(3000 + i, rows.mig[i]);
    for (const Sharer& sh : rows.sharers) {
      f(sh.tenant);
      for (const std::uint64_t bits : sh.filled) f(bits);
      for (std::size_t i = 0; i < sh.rows.size(); ++i) row(4000 + i, sh.rows[i]);
    }
  }
}

std::uint64_t Packer::digest() const {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  each_number([&](std::uint64_t v) {
    hash = (hash ^ v) * 0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 29;
  });
  return hash;
}

bool Packer::operator==(const Packer& other) const {
  std::vector<std::uint64_t> mine;
  each_number([&](std::uint64_t v) { mine.push_back(v); });
  std::size_t at = 0;
  bool same = std::equal(nodes_.begin(), nodes_.end(), other.nodes_.begin(), other.nodes_.end(),
                         [](const Slot& a, const Slot& b) { return a.whole == b.whole; });
  other.each_number([&](std::uint64_t v) {
    same = same && at < mine.size() && mine[at] == v;
    ++at;
  });
  return same && at == mine.size();
}

Packer Packer::rebuilt() const {
  Packer fresh;
  fresh.nodes_ = nodes_;
  fresh.left_ = left_;
  fresh.cards_ = cards_;
  fresh.cards_lost_ = cards_lost_;
  fresh.taste_ = taste_;
  for (NodeIx n = 0; n < nodes_.size(); ++n) {
    const NodeRoom& room = nodes_[n].room;
    fresh.nodes_[n].whole = 0;
    const auto all = cards(n);
    for (std::size_t i = 0; i < all.size(); ++i)
      fresh.nodes_[n].whole |= std::uint64_t{all[i].whole()} << i;
    fresh.sku_rows(room.sku);
    fresh.capacity_[room.sku] += std::int64_t{room.gpus} * 1000;
    fresh.move(n, {}, {});
  }
  if (!skus_.empty()) fresh.sku_rows(static_cast<SkuIx>(skus_.size() - 1));
  return fresh;
}

}  // namespace ampacity::core
