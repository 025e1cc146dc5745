// Between the contract's transfers and the ledger's: what is wrong is named by its path.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/contract_ledger.h"
#include "base/result.h"
#include "ledger/chain.h"
#include "ledger/post.h"

namespace ampacity::api {

std::string hex_id(base::Id id);  // 32 digits
std::optional<base::Id> parse_hex_id(std::string_view text);

base::Result<std::vector<ledger::Transfer>> bind_transfers(const TransfersRequest& request);
TransferOutcomes view_outcomes(const TransfersRequest& request,
                               const std::vector<ledger::Posted>& posted);
LedgerTransferView view_transfer(const ledger::Transfer& t);
LedgerHeads view_heads(const std::vector<ledger::Head>& heads);

}  // namespace ampacity::api
