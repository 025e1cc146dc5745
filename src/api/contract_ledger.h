// The contract's part about the books: transfers as an operator posts and sees them.
// Ids of transfers are 16 bytes as 32 hex digits, made by the caller before sending: a retry is
// harmless. Accounts are numbers, as GET /v1/ledger/accounts shows them. Amounts are whole ticks or
// minor units, by the ledger.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace ampacity::api {

struct TransferRequest {
  std::string id;
  std::optional<std::uint32_t> debit;  // a post or void may leave out what its reserve says
  std::optional<std::uint32_t> credit;
  std::optional<std::int64_t> amount;  // left out: all of it, by a post, void or balancing one
  std::optional<std::string> pending_id;
  std::optional<std::string> user_data;
  std::optional<std::uint32_t> timeout_s;
  std::optional<std::uint32_t> ledger;
  std::optional<std::uint16_t> code;
  std::vector<std::string> flags;  // "linked", "pending", "post_pending"…
};
BOOST_DESCRIBE_STRUCT(TransferRequest, (),
                      (id, debit, credit, amount, pending_id, user_data, timeout_s, ledger, code,
                       flags))
struct TransfersRequest {  // POST /v1/ledger/transfers
  std::vector<TransferRequest> transfers;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(TransfersRequest, (), (transfers, note))

struct TransferOutcome {
  std::string id;
  std::string outcome;     // "created", "exists", or why not
  bool stands = false;     // in the books as asked for
  bool transient = false;  // could succeed later, under a new id: this one is burnt
  std::optional<base::Instant> timestamp;
  std::optional<std::int64_t> amount;
};
BOOST_DESCRIBE_STRUCT(TransferOutcome, (), (id, outcome, stands, transient, timestamp, amount))
struct TransferOutcomes {
  std::vector<TransferOutcome> items;  // one for each, in their order
};
BOOST_DESCRIBE_STRUCT(TransferOutcomes, (), (items))

struct LedgerTransferView {  // GET /v1/ledger/transfers/{id}
  std::string id;
  base::Instant timestamp;
  std::uint32_t debit = 0;
  std::uint32_t credit = 0;
  std::int64_t amount = 0;
  std::string ledger;  // "USD·tick"
  std::uint32_t ledger_number = 0;
  std::uint32_t code = 0;
  std::string reason;  // the code's name, if it is one of the cloud's own
  std::vector<std::string> flags;
  std::uint32_t timeout_s = 0;
  std::optional<std::string> pending_id;
  std::optional<std::string> user_data;
  std::optional<std::string> job;
  std::uint64_t sequence = 0;  // of the fact it belongs to
};
BOOST_DESCRIBE_STRUCT(LedgerTransferView, (),
                      (id, timestamp, debit, credit, amount, ledger, ledger_number, code, reason,
                       flags, timeout_s, pending_id, user_data, job, sequence))

struct LedgerHeadView {
  std::string day;
  std::int64_t transfers = 0;
  base::Instant last;
  std::string head;  // hex SHA-256 of the chain after the day's last transfer
};
BOOST_DESCRIBE_STRUCT(LedgerHeadView, (), (day, transfers, last, head))
struct LedgerHeads {  // GET /v1/ledger/heads
  std::vector<LedgerHeadView> items;
};
BOOST_DESCRIBE_STRUCT(LedgerHeads, (), (items))

}  // namespace ampacity::api
