// What this project knows about GPUs by name, and the default price book: figures of July 2023,
// from reference/catalogue-and-prices.md §§1-2.
#pragma once

#include <optional>
#include <string>

#include "core/model.h"

namespace ampacity::server {

// A SKU of the catalogue, without its revenue account; nullopt if there is none of that name.
std::optional<core::Sku> catalogue_sku(const std::string& name);
std::string catalogue_names();

// À-la-carte prices of July 2023; spot at half the on-demand GPU price; machines without GPUs at
// 0.010 USD per vCPU-hour and 0.005 per GiB-hour.
core::PriceBook default_prices();

}  // namespace ampacity::server
