// What the placement index prefers, case by case.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/packer.h"

namespace ampacity::core {
namespace {

TEST_CASE("packer: prices of shares are those of cutting cards") {
  // Two of 0.47 fill a card; what 0.81 leaves is worth a 0.16, and 0.16 costs nothing beside it.
  const ShareSize sizes[] = {{16, 10}, {47, 200}, {81, 300}};
  const auto value = card_values(sizes);
  CHECK(value[100] == 1000);
  CHECK(value[0] == 0);
  CHECK(value[15] == 0);
  CHECK(value[19] < 20);
  CHECK(value[84] > 980);
  CHECK(value[80] > 480);
  CHECK(value[80] < 520);
  CHECK(value[46] < 20);
  CHECK(std::is_sorted(value.begin(), value.end()));
  CHECK(card_values(std::span(sizes, 1))[16] == 167);  // six to a card
}

TEST_CASE("packer: a small share goes where it costs no later share its place") {
  Packer p;
  p.add({0, 2, 64'000, 64'000, false});
  const SkuIx skus[] = {0};
  const NodeNeed large{.gpus = 1, .gpu_milli = 810}, half{.gpus = 1, .gpu_milli = 470},
      small{.gpus = 1, .gpu_milli = 160};
  for (int i = 0; i < 64; ++i) p.saw(skus, i % 8 == 0 ? small : i % 2 ? large : half);
  p.take({0, 1, 0}, large);
  p.take({0, 2, 0}, half);
  CHECK(p.best(skus, small) == Grip{0, 1, 0});
  CHECK(p.best(skus, half) == Grip{0, 2, 0});
  CHECK_FALSE(p.best(skus, large));
  NodeNeed other = small;
  other.tenant = 9;
  CHECK_FALSE(p.best(skus, other));
}

TEST_CASE("packer: few cards are taken where few are free, CPU work where GPUs are used up") {
  Packer p;
  for (int n = 0; n < 3; ++n) p.add({0, 8, 96'000, 96'000, true});
  const SkuIx skus[] = {0};
  const NodeNeed one{.gpus = 1, .cpu_milli = 8000}, all{.gpus = 8, .cpu_milli = 64'000},
      cpu{.cpu_milli = 16'000};
  for (int i = 0; i < 64; ++i) p.saw(skus, i % 4 ? one : all);
  const auto first = p.best(skus, one);
  REQUIRE(first);
  p.take(*first, one);
  for (int i = 0; i < 5; ++i) {
    const auto next = p.best(skus, one);
    REQUIRE(next);
    CHECK(next->node == first->node);
    p.take(*next, one);
  }
  CHECK(p.best(skus, cpu)->node == first->node);
  CHECK(p.best(skus, all)->node != first->node);
}

TEST_CASE("packer: work that can go anywhere leaves the SKU that others need") {
  Packer p;
  for (SkuIx s = 0; s < 4; ++s)
    for (int n = 0; n < 4; ++n) p.add({s, 8, 96'000, 96'000, true});
  const SkuIx any[] = {0, 1, 2, 3}, first[] = {0};
  const NodeNeed one{.gpus = 1, .cpu_milli = 8000};
  CHECK(p.room(p.best(any, one)->node).sku == 0);
  for (int i = 0; i < 64; ++i) {
    if (i % 2)
      p.saw(first, one);
    else
      p.saw(any, one);
  }
  CHECK(p.room(p.best(any, one)->node).sku == 1);
  CHECK(p.room(p.best(first, one)->node).sku == 0);
}

TEST_CASE("packer: MIG slices share a card and it is whole again when they end") {
  Packer p;
  p.add({0, 2, 64'000, 64'000, false});
  const SkuIx skus[] = {0};
  const NodeNeed half{.gpus = 1, .mig = 4, .tenant = 1}, eighth{.gpus = 1, .mig = 1, .tenant = 2};
  std::vector<std::pair<Grip, NodeNeed>> held;
  for (const NodeNeed& need : {eighth, half, eighth, eighth}) {
    const auto grip = p.best(skus, need);
    REQUIRE(grip);
    CHECK(grip->gpu_mask == 1);
    p.take(*grip, need);
    held.push_back({*grip, need});
  }
  CHECK(p.whole_free(0) == 1);
  CHECK(p.free_milli(0) == 1125);
  const NodeNeed share{.gpus = 1, .gpu_milli = 100};
  CHECK(p.best(skus, share) == Grip{0, 2, 0});
  for (const auto& [grip, need] : held) p.give(grip, need);
  CHECK(p.is_empty(0));
  CHECK(p.whole_free(0) == 2);
}

TEST_CASE("packer: what cannot be asked is not found") {
  Packer p;
  p.add({0, 8, 96'000, 96'000, true});
  const SkuIx skus[] = {0, 7};
  CHECK_FALSE(p.best(skus, {.gpus = 2, .gpu_milli = 500}));
  CHECK_FALSE(p.best(skus, {.gpus = 1, .gpu_milli = 0}));
  CHECK_FALSE(p.best(skus, {.gpus = 65}));
  CHECK_FALSE(p.best(skus, {.gpus = 1, .mig = 3}));
  CHECK_FALSE(p.best(skus, {.gpus = 1, .cpu_milli = -1}));
  CHECK_FALSE(p.best(skus, {.gpus = 1, .cpu_milli = std::int64_t{1} << 62}));
  CHECK_FALSE(p.best({}, {.gpus = 1}));
  CHECK(p.best(skus, {.gpus = 8}));
}

}  // namespace
}  // namespace ampacity::core
