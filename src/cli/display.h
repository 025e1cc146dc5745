// How the contract's values read to a person: ages, hardware, money, states.
// Threads: pure functions.
#pragma once

#include <string>

#include "api/contract.h"
#include "cli/table.h"

namespace ampacity::cli {

std::string moment(base::Instant t);         // "2026-11-22T14:43:55.928Z": always as wide
std::string to_the_second(base::Instant t);  // "2026-11-22T14:43:55Z"
std::string age(base::Instant then, base::Instant now);  // "42s", "5m", "3h", "12d"
std::string vcpus(std::int64_t milli);                   // "1.5"
std::string memory(std::int64_t mib);                    // "512 MiB", "4 GiB"
std::string bytes(std::int64_t n);
std::string hardware(const api::JobView& job);        // "h100 ×8 ×2 nodes (emulated)"
std::string hardware_short(const api::JobView& job);  // "h100:8x2 emulated"
std::string gpus_each(const api::JobView& job);       // on a node: "8", "0.25", "2/8"
std::string nodes_of(const api::JobView& job);        // "n1, n2"
std::string command_line(const std::vector<std::string>& command);  // quoted for a shell
std::string ran_for(const api::JobView& job, base::Instant now);    // "" before it started
Cell state_cell(const api::JobView& job);                           // "running", "succeeded", …
std::string job_name(const api::JobView& job);  // its name, or its id if it has none
// "4.10 JPY"; without a currency USD.
std::string money(const std::string& amount, const std::optional<std::string>& currency);
// What all of a list's money is in; empty: not all is in the same, so each amount says it.
template <typename List>
std::string currency_of(const List& items) {
  std::string one;
  for (const auto& item : items) {
    const std::string code = item.currency.value_or("USD");
    if (!one.empty() && one != code) return "";
    one = code;
  }
  return one.empty() ? "USD" : one;
}
std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace ampacity::cli
