#include "ledger/model.h"

namespace ampacity::ledger {

const base::Currency* currency_of(std::uint32_t ledger) {
  if (ledger % 10 > 1 || ledger / 10 > 999) return nullptr;
  return base::currency_numbered(static_cast<std::uint16_t>(ledger / 10));
}

std::string ledger_name(std::uint32_t ledger) {
  const base::Currency* currency = currency_of(ledger);
  if (!currency) return "ledger " + std::to_string(ledger);
  return std::string(currency->code) + (scale_of(ledger) == Scale::tick ? "·tick" : "·minor");
}

}  // namespace ampacity::ledger
