// A price book as a file: hourly prices with at most four decimals, so that every second is a whole
// number of ticks. Everything wrong is named by its path and line. Threads: pure functions.
//
//   name: July 2023
//   effective_from: 2026-12-01T00:00:00Z   # optional: now; never in the past
//   currency: USD                          # optional
//   org: acme                              # optional: what was agreed with one org
//   gpus: {h100: {on_demand: 4.78, spot: 2.39}, a40: {on_demand: 1.28}}   # spot: else half
//   beside_gpu: {vcpu: 0.010, gib: 0.005}
//   cpu_only:   {vcpu: 0.010, gib: 0.005}
//   terms: {12: 35, 36: 55}                # months: percent off all that is not spot
//   rules:                                 # whatever the lines above do not say
//     - {meter: gpu, sku: h100, site: lab, job_class: on_demand, price: 4.90}
//     - {meter: gpu, sku: h100, term: 12, kind: graduated, tiers: [{up_to: 1000, price: 3.10},
//        {price: 2.90}], minimum: 5000, maximum: 90000}
//     - {meter: gpu, sku: a40, package: 100, free: 20, price: 90}         # 90.00 for 100 hours
//     - {meter: storage_gb, per: month, price: 0.06}
//     - {meter: tokens, per: 1000000, price: 0.25}                        # for so many units
//
// Quantities of a lease's meters (gpu, vcpu, memory, cpu_vcpu, cpu_memory) are hours of a GPU, vCPU
// or GiB; of others, their units. `per`: hour (a lease's default), month (of 730 h), or a number.
#pragma once

#include <string_view>

#include "base/result.h"
#include "core/commands.h"

namespace ampacity::api {

inline constexpr std::size_t max_price_file_bytes = 1 << 20;

// The book is without a version; its effective_from is zero when the file does not say.
base::Result<core::SetPrices> parse_price_file(std::string_view yaml);

}  // namespace ampacity::api
