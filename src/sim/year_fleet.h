// The fleet of the simulated year, and the cloud founded on it: sites, racks, fabrics, prices,
// projects with their wallets and quotas, and a year's reservations.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/step.h"
#include "sim/year_load.h"

namespace ampacity::sim {

inline constexpr base::Instant year_begin{1'767'225'600'000'000};  // 2026-01-01
inline constexpr std::uint64_t year_ids = 0x0190'0000'0000'7000ULL;
inline constexpr std::array<const char*, 3> year_skus = {"h100", "a100-80", "a40"};
// Per GPU-second in ticks, of July 2023 (reference/catalogue-and-prices.md §2).
inline constexpr std::array<core::Ticks, 3> list_prices = {47'800, 22'100, 12'800};
inline constexpr core::Ticks vcpu_price = 100, gib_price = 50;
inline constexpr std::int64_t vcpus_per_gpu = 14, gib_per_gpu = 112;

struct YearPrices {
  std::array<core::Ticks, 3> list = list_prices;
  std::array<core::Ticks, 3> spot = {19'100, 8'800, 5'100};
};

struct YearReservation {
  std::uint32_t project = 0;
  std::uint32_t sku = 0;
  std::uint32_t nodes = 0;
};

struct YearFleet {
  explicit YearFleet(std::uint32_t gpus);
  std::uint32_t nodes = 0, sites = 0, projects = 0;
  std::vector<std::uint8_t> sku_of_node;
  std::vector<std::uint32_t> site_of_node, leaf_of_node, rack_of_node;
  std::array<std::uint32_t, 3> nodes_of_sku{};
  std::array<std::uint32_t, 3> least_leaf{};  // nodes of a SKU's smallest fabric
  std::vector<YearReservation> reservations;
  bool prepaid(std::uint32_t project) const { return project % 20 == 13; }  // 5 %
};

// What an operator of such a fleet would set: docs/simulation.md says why.
core::Policy year_policy();
core::PriceBook year_book(const YearPrices& prices);
void found_year(core::World& world, const YearFleet& fleet);
std::string year_project(std::uint32_t project);
std::string year_node(std::uint32_t node);

}  // namespace ampacity::sim
