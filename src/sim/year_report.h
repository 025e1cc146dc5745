// What a simulated year comes to, as a table and as JSON. Every line of both says it is simulated.
#pragma once

#include <string>

#include "sim/year.h"

namespace ampacity::sim {

std::string year_table(const YearResult& result);
// Without what depends on the machine but `seconds` and `peak_mib`.
std::string year_json(const YearResult& result);

}  // namespace ampacity::sim
