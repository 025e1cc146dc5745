// Price books as the contract shows them, and in words. Threads: pure functions.
#pragma once

#include "api/contract_prices.h"
#include "core/world.h"

namespace ampacity::api {

// "4.78 an hour"; "up to 100 h 2.00, above 1.80 an hour"; "90.00 for each 100 h".
std::string price_in_words(std::string_view meter, const core::PriceFunction& price);
// Is a second of every hourly price in it a finite decimal (reference/catalogue-and-prices.md §7)?
bool exact_per_second(const core::PriceFunction& price);

// On demand, by a book of its own? "cpu": of machines without GPUs.
bool has_price(const core::PriceBook& book, const std::string& sku);

PriceRuleView view_rule(const core::PriceRule& rule);
// At `now`; of another series than the books' a book is `later` or in force.
PriceBookView view_book(const core::World& world, const core::PriceBook& book, Instant now,
                        bool with_rules);

}  // namespace ampacity::api
