// A price book laid out for reading, and two of them compared. Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "api/contract_prices.h"
#include "cli/table.h"

namespace ampacity::cli {

// One line for each meter, SKU and site: on demand, spot, each term. "*": not exact per second.
struct PriceSheet {
  Table table;
  bool inexact = false;
};
PriceSheet price_sheet(const std::vector<api::PriceRuleView>& rules);

// What is new, gone or other in `after`; a change of a plain price also in percent.
Table price_changes(const std::vector<api::PriceRuleView>& before,
                    const std::vector<api::PriceRuleView>& after);

// Rules whose hourly price has seconds that are no finite decimals, with the nearest that have.
std::vector<std::string> inexact_prices(const std::vector<api::PriceRuleView>& rules);

}  // namespace ampacity::cli
