// Rows of the placement index against std::set.
#include "core/packer_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/prng.h"

namespace ampacity::core {
namespace {

TEST_CASE("packer rows: classes rise, and a class begins at its floor") {
  for (std::int64_t cpu = 0; cpu < 3'000'000; cpu += 250) {
    const std::uint32_t c = cpu_class(cpu);
    REQUIRE(c < cpu_classes);
    CHECK(cpu_floor(c) <= cpu);
    if (c + 1 < cpu_classes) CHECK(cpu < cpu_floor(c + 1));
  }
  for (std::uint32_t gpu = 0; gpu <= 64'000; gpu += 5) {
    const std::uint32_t g = gpu_class(gpu);
    REQUIRE(g < gpu_classes);
    CHECK(gpu_floor(g) <= gpu);
    if (g + 1 < gpu_classes) CHECK(gpu < gpu_floor(g + 1));
  }
}

TEST_CASE("packer rows: a row is the set of its nodes, in chunks with exact bounds") {
  base::SeededPrng prng(1);
  const auto draw = [&](std::uint32_t below) {
    return static_cast<std::uint32_t>(prng.next() % below);
  };
  constexpr std::uint32_t nodes = 600;
  Rows rows;
  const RowIx row = rows.open_row();
  std::vector<Left> left(nodes);
  std::vector<std::uint32_t> klass(nodes, classes);  // classes: not in the row
  std::set<std::pair<std::uint32_t, std::uint32_t>> in;
  for (int step = 0; step < 6000; ++step) {
    const std::uint32_t n = draw(nodes);
    const std::uint32_t growing = step / 1500 % 2;  // it fills and drains in turn
    const Left was = left[n];
    const Left now{draw(8), draw(8)};
    if (klass[n] == classes) {
      if (!growing && draw(4)) continue;
      const std::uint32_t spread = 1 + draw(3);
      klass[n] = draw(spread) * 31 + 40;
      left[n] = now;
      rows.add(row, klass[n], n, left);
      in.emplace(klass[n], n);
    } else if (draw(2)) {
      left[n] = now;
      rows.update(row, klass[n], n, was, left);
    } else if (!growing || draw(4) == 0) {
      left[n] = now;
      rows.remove(row, klass[n], n, was, left);
      in.erase({klass[n], n});
      klass[n] = classes;
    }
    REQUIRE(rows.sound(row, left));
    REQUIRE(rows.size(row) == in.size());
    const Left need{draw(9), draw(9)};
    const std::uint32_t from = draw(110);
    std::vector<std::uint32_t> found, there;
    rows.each_with_room(row, from, 102, need, left, [&](std::uint32_t m) {
      found.push_back(m);
      return true;
    });
    for (const auto& [k, m] : in)
      if (k >= from && k < 102 && left[m].holds(need)) there.push_back(m);
    REQUIRE(found == there);
  }
  while (!in.empty()) {
    const auto [k, n] = in.size() % 3 ? *in.begin() : *in.rbegin();
    rows.remove(row, k, n, left[n], left);
    in.erase({k, n});
    REQUIRE(rows.sound(row, left));
  }
  rows.close_row(row);
  CHECK(rows.open_row() == row);
}

}  // namespace
}  // namespace ampacity::core
