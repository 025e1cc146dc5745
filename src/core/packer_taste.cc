#include "core/packer_taste.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/money.h"

namespace ampacity::core {
namespace {

auto shape_key(const auto& s) { return std::tuple(s.gpus, s.gpu_milli, s.cpu_milli, s.memory_mib); }

// MIG shapes are counted under gpu_milli = mig_kind + eighths.
constexpr std::uint32_t mig_kind = 2000;

std::uint32_t milli_of(const auto& s) {
  return s.gpu_milli > mig_kind ? (s.gpu_milli - mig_kind) * 125 : s.gpus * s.gpu_milli;
}

constexpr std::uint64_t halve_at = 65'536;
constexpr std::int64_t weight_scale = 65'536;
constexpr std::int64_t most_cpu = std::int64_t{1} << 21;  // keeps products in 64 bits

}  // namespace

bool NodeNeed::valid() const {
  if (cpu_milli < 0 || memory_mib < 0 || gpus > 64) return false;
  if (mig) return gpus == 1 && std::has_single_bit(mig) && mig <= 8;
  if (gpus == 0) return true;
  return gpu_milli == 1000 || (gpus == 1 && gpu_milli > 0 && gpu_milli < 1000);
}

std::array<std::int64_t, 101> Taste::plain_value() {
  std::array<std::int64_t, 101> v{};
  v[100] = 1000;
  return v;
}

std::array<std::array<std::uint8_t, 101>, 101> Taste::plain_order() {
  std::array<std::array<std::uint8_t, 101>, 101> order;
  for (auto& o : order) std::iota(o.begin(), o.end(), std::uint8_t{0});
  return order;
}

void Taste::saw(std::span<const SkuIx> skus, const NodeNeed& need,
                std::span<const std::int64_t> capacity) {
  if (!need.valid()) return;
  if (count(need) && columns_.size() < most_shapes)
    add_column(need.cpu_milli, need.gpus ? need.total_milli() : 0);
  if (need.gpus) {
    narrow_milli_.resize(std::max(narrow_milli_.size(), capacity.size()), 0);
    const auto all = std::count_if(capacity.begin(), capacity.end(), [](auto c) { return c > 0; });
    const auto some = std::count_if(
        skus.begin(), skus.end(), [&](SkuIx s) { return s < capacity.size() && capacity[s] > 0; });
    total_milli_ += need.total_milli();
    if (some > 0 && some < all) {
      const std::int64_t each = std::int64_t{need.total_milli()} * (all - some) / (all * some);
      for (const SkuIx s : skus)
        if (s < narrow_milli_.size()) narrow_milli_[s] += each;
    }
  }
  if (++total_ < refresh_at_) return;
  refresh(capacity);
  refresh_at_ = total_ * 2;
  if (total_ < halve_at) return;
  for (Shape& s : shapes_) s.count /= 2;
  std::erase_if(shapes_, [](const Shape& s) { return s.count == 0; });
  for (std::int64_t& m : narrow_milli_) m /= 2;
  total_milli_ /= 2;
  total_ /= 2;
  refresh_at_ = halve_at;
}

// Counts the shape; true if it is new. When there is no room the rarest gives way and
// leaves its count (Metwally's space-saving).
bool Taste::count(const NodeNeed& need) {
  Shape shape{need.cpu_milli, need.memory_mib, need.gpus, need.gpus ? need.gpu_milli : 0, 1};
  if (need.mig) shape.gpu_milli = mig_kind + need.mig;
  const auto less = [](const Shape& a, const Shape& b) { return shape_key(a) < shape_key(b); };
  auto it = std::lower_bound(shapes_.begin(), shapes_.end(), shape, less);
  if (it != shapes_.end() && shape_key(*it) == shape_key(shape)) {
    ++it->count;
    return false;
  }
  if (shapes_.size() == most_shapes) {
    const auto rarest =
        std::min_element(shapes_.begin(), shapes_.end(),
                         [](const Shape& a, const Shape& b) { return a.count < b.count; });
    shape.count = rarest->count + 1;
    shapes_.erase(rarest);
    it = std::lower_bound(shapes_.begin(), shapes_.end(), shape, less);
  }
  shapes_.insert(it, shape);
  return true;
}

std::vector<Taste::Shape> Taste::typical() const {
  std::vector<Shape> by_count = shapes_;
  std::sort(by_count.begin(), by_count.end(), [](const Shape& a, const Shape& b) {
    return std::pair(b.count, shape_key(a)) < std::pair(a.count, shape_key(b));
  });
  std::uint64_t covered = 0;
  std::size_t n = 0;
  while (n < by_count.size() && n < most_typical && covered * 20 < total_ * 19)
    covered += by_count[n++].count;
  by_count.resize(n);
  return by_count;
}

void Taste::refresh(std::span<const std::int64_t> capacity) {
  const std::vector<Shape> shapes = typical();
  learn_ratios(shapes);
  learn_numbers(shapes);
  learn_cards(shapes);
  learn_skus(capacity);
  columns_.clear();
  for (const Shape& s : shapes_) add_column(s.cpu_milli, milli_of(s));
}

void Taste::learn_ratios(const std::vector<Shape>& shapes) {
  ratios_.clear();
  std::int64_t sum = 0;
  for (const Shape& s : shapes) {
    if (s.gpus == 0 || s.gpu_milli > 1000) continue;
    const std::int64_t milli = std::int64_t{s.gpus} * s.gpu_milli;
    const std::int64_t per_card = std::clamp<std::int64_t>(
        std::min(s.cpu_milli, most_cpu * 64) * 1000 / milli, 100, most_cpu);
    ratios_.push_back({per_card, s.count, 0});
    sum += s.count;
  }
  std::sort(ratios_.begin(), ratios_.end(), [](const Ratio& a, const Ratio& b) {
    return std::pair(a.cpu_per_card, a.weight) < std::pair(b.cpu_per_card, b.weight);
  });
  for (std::size_t i = ratios_.size(); i-- > 0;) {
    Ratio& r = ratios_[i];
    r.weight = r.weight * weight_scale / sum;
    r.per_cpu = (r.weight * 1000 << 20) / r.cpu_per_card;
    if (i + 1 < ratios_.size()) {
      r.weight += ratios_[i + 1].weight;
      r.per_cpu += ratios_[i + 1].per_cpu;
    }
  }
}

// Σ over shapes of weight · max(0, gpu − what the CPU is enough for), in 1/scale milli.
std::int64_t Taste::stranded(std::int64_t cpu_milli, std::int64_t gpu_milli) const {
  if (gpu_milli <= 0) return 0;
  cpu_milli = std::clamp<std::int64_t>(cpu_milli, 0, most_cpu);
  const auto it = std::partition_point(ratios_.begin(), ratios_.end(), [&](const Ratio& r) {
    return r.cpu_per_card * gpu_milli <= cpu_milli * 1000;
  });
  if (it == ratios_.end()) return 0;
  const auto enough =
      static_cast<std::int64_t>((static_cast<base::Wide>(cpu_milli) * it->per_cpu) >> 20);
  return std::max<std::int64_t>(0, it->weight * gpu_milli - enough) / (weight_scale / scale);
}

std::int64_t Taste::stranded_by(std::int64_t cpu_milli, std::uint32_t gpu_milli,
                                std::uint32_t klass) const {
  const std::int64_t cpu = cpu_floor(klass / gpu_classes);
  const std::int64_t gpu = gpu_floor(klass % gpu_classes);
  return stranded(cpu - cpu_milli, gpu - gpu_milli) - stranded(cpu, gpu);
}

// To work that takes g at once, w < g free cards together are worth w/g of as many in a whole: a
// hole grows by what ends beside it, and the larger it is the sooner it is whole. So the smallest
// hole that is enough is taken.
void Taste::learn_numbers(const std::vector<Shape>& shapes) {
  together_.fill(0);
  std::int64_t sum = 0;
  for (const Shape& s : shapes)
    if (s.gpus) sum += s.count;
  for (const Shape& s : shapes) {
    if (s.gpus < 2 || s.gpu_milli != 1000) continue;
    for (std::uint32_t w = 0; w <= 64; ++w)
      together_[w] += std::int64_t{w} * std::min(w, s.gpus) * 1000 * scale * s.count / s.gpus / sum;
  }
}

void Taste::learn_cards(const std::vector<Shape>& shapes) {
  std::array<std::uint32_t, 101> by_size{};
  for (const Shape& s : shapes)
    if (s.gpus == 1 && s.gpu_milli < 1000) by_size[(s.gpu_milli + 9) / 10] += s.count;
  std::vector<ShareSize> sizes;
  for (std::uint32_t c = 1; c <= 100; ++c)
    if (by_size[c]) sizes.push_back({c, by_size[c]});
  value_ = sizes.empty() ? plain_value() : card_values(sizes);
  learn_order();
}

// Least loss first, in 32nds of a card; then the fullest card.
void Taste::learn_order() {
  order_ = plain_order();
  for (std::uint32_t size = 0; size <= 100; ++size) {
    const auto loss = [&](std::uint32_t left) {
      return ((value_[left] - value_[left > size ? left - size : 0]) * 32 + 500) / 1000;
    };
    std::sort(order_[size].begin(), order_[size].end(), [&](std::uint8_t a, std::uint8_t b) {
      return std::pair(loss(a), a) < std::pair(loss(b), b);
    });
    for (std::uint32_t i = 0; i <= 100; ++i)
      rank_[size][order_[size][i]] = static_cast<std::uint8_t>(i);
  }
}

// Its part of the narrow demand against its part of the GPUs.
void Taste::learn_skus(std::span<const std::int64_t> capacity) {
  wanted_.assign(narrow_milli_.size(), 0);
  const std::int64_t all = std::accumulate(capacity.begin(), capacity.end(), std::int64_t{0});
  for (std::size_t s = 0; s < wanted_.size() && s < capacity.size(); ++s) {
    const auto want = static_cast<base::Wide>(narrow_milli_[s]) * all * 8;
    const auto have = static_cast<base::Wide>(total_milli_) * capacity[s];
    wanted_[s] = static_cast<std::uint8_t>(want <= have        ? 0
                                           : want <= have * 4  ? 1
                                           : want <= have * 8  ? 2
                                           : want <= have * 16 ? 3
                                                               : 4);
  }
}

void Taste::add_column(std::int64_t cpu_milli, std::uint32_t gpu_milli) {
  const auto it = std::lower_bound(
      columns_.begin(), columns_.end(), std::pair(cpu_milli, gpu_milli),
      [](const Column& c, const auto& k) { return std::pair(c.cpu_milli, c.gpu_milli) < k; });
  if (it != columns_.end() && it->cpu_milli == cpu_milli && it->gpu_milli == gpu_milli) return;
  Column column{cpu_milli, gpu_milli, std::vector<std::int32_t>(classes)};
  for (std::uint32_t k = 0; k < classes; ++k)
    column.by_class[k] = static_cast<std::int32_t>(stranded_by(cpu_milli, gpu_milli, k));
  columns_.insert(it, std::move(column));
}

const std::int32_t* Taste::column(std::int64_t cpu_milli, std::uint32_t gpu_milli) const {
  const auto it = std::lower_bound(
      columns_.begin(), columns_.end(), std::pair(cpu_milli, gpu_milli),
      [](const Column& c, const auto& k) { return std::pair(c.cpu_milli, c.gpu_milli) < k; });
  if (it == columns_.end() || it->cpu_milli != cpu_milli || it->gpu_milli != gpu_milli)
    return nullptr;
  return it->by_class.data();
}

// ---- the prices -------------------------------------------------------------------------------

namespace {

// 2^-x in 2^50ths, x in 2^-16ths.
std::uint64_t half_to_the(std::uint64_t x) {
  static const auto powers = [] {
    constexpr base::Wide root = 4'599'216'278'082'138'665;  // 2^(-1/256) in 2^62nds
    std::array<std::uint64_t, 256> p{};
    base::Wide at = base::Wide{1} << 62;
    for (auto& q : p) {
      q = static_cast<std::uint64_t>(at >> 12);
      at = at * root >> 62;
    }
    return p;
  }();
  const std::uint64_t whole = x >> 16;
  return whole > 49 ? 0 : powers[(x >> 8) & 255] >> whole;
}

struct Knapsack {
  std::array<std::uint64_t, 101> worth{};
  std::array<std::int32_t, 101> last{};  // the size taken last; -1: a centi-card left over
  void fill(std::span<const ShareSize> sizes, std::span<const std::uint64_t> price) {
    worth[0] = 0;
    for (std::uint32_t c = 1; c <= 100; ++c) {
      worth[c] = worth[c - 1];
      last[c] = -1;
      for (std::size_t i = 0; i < sizes.size() && sizes[i].centi <= c; ++i) {
        const std::uint64_t with = worth[c - sizes[i].centi] + price[i];
        if (with <= worth[c]) continue;
        worth[c] = with;
        last[c] = static_cast<std::int32_t>(i);
      }
    }
  }
};

}  // namespace

std::array<std::int64_t, 101> card_values(std::span<const ShareSize> sizes) {
  const std::size_t n = sizes.size();
  std::vector<std::uint64_t> cut(n, 0);  // how much of each size's demand, in 2^-16ths, unscaled
  std::vector<std::uint64_t> price(n), in_set(n);
  std::array<std::int64_t, 101> value{};
  std::uint64_t best = 0;
  Knapsack sack;
  for (int round = 0; round < 1000; ++round) {
    const std::uint64_t least = *std::min_element(cut.begin(), cut.end());
    base::Wide demand = 0;
    for (std::size_t i = 0; i < n; ++i) {
      price[i] = half_to_the((cut[i] - least) * 9455 >> 16) / sizes[i].count;  // e^-0.1 a round
      demand += static_cast<base::Wide>(price[i]) * sizes[i].count;
    }
    sack.fill(sizes, price);
    if (sack.worth[100] == 0) break;
    const auto cards = static_cast<std::uint64_t>((demand << 20) / sack.worth[100]);
    if (cards > best) {
      best = cards;
      for (std::uint32_t c = 0; c <= 100; ++c)
        value[c] = static_cast<std::int64_t>(
            (static_cast<base::Wide>(sack.worth[c]) * 1000 + sack.worth[100] / 2) /
            sack.worth[100]);
    }
    std::fill(in_set.begin(), in_set.end(), 0);
    for (std::uint32_t c = 100; c > 0;) {
      if (sack.last[c] < 0) {
        --c;
        continue;
      }
      ++in_set[static_cast<std::size_t>(sack.last[c])];
      c -= sizes[static_cast<std::size_t>(sack.last[c])].centi;
    }
    std::uint64_t width = 0;
    for (std::size_t i = 0; i < n; ++i) width = std::max(width, (in_set[i] << 32) / sizes[i].count);
    for (std::size_t i = 0; i < n; ++i)
      cut[i] += ((in_set[i] << 32) / sizes[i].count << 16) / width;
  }
  return value;
}

}  // namespace ampacity::core
