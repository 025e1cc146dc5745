#include "ledger/outcome.h"

namespace ampacity::ledger {
namespace {

struct Row {
  std::string_view name;
  bool transient;
};
constexpr Row rows[] = {
#define X(name, transient) {#name, transient},
    AMPACITY_LEDGER_OUTCOMES(X)
#undef X
};

}  // namespace

std::string_view name_of(Outcome outcome) { return rows[static_cast<int>(outcome)].name; }

std::optional<Outcome> parse_outcome(std::string_view name) {
  for (int i = 0; i < outcomes; ++i)
    if (rows[i].name == name) return static_cast<Outcome>(i);
  return std::nullopt;
}

bool is_transient(Outcome outcome) { return rows[static_cast<int>(outcome)].transient; }

}  // namespace ampacity::ledger
