// A price book as a file: hourly prices in USD with at most four decimals, so that every second is
// a whole number of ticks.
//
//   name: July 2023
//   effective_from: 2026-12-01T00:00:00Z   # optional: now
//   gpus: {h100: {on_demand: 4.78, spot: 2.39}, a40: {on_demand: 1.28, spot: 0.64}}
//   beside_gpu: {vcpu: 0.010, gib: 0.005}
//   cpu_only:   {vcpu: 0.010, gib: 0.005}
#pragma once

#include <string_view>

#include "base/result.h"
#include "core/model.h"

namespace ampacity::api {

inline constexpr std::size_t max_price_file_bytes = 1 << 20;

// Without a version; effective_from is zero when the file does not say.
base::Result<core::PriceBook> parse_price_file(std::string_view yaml);

}  // namespace ampacity::api
