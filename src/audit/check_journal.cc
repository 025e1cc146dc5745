#include "audit/checks.h"
#include "base/crypto.h"
#include "base/json.h"

namespace ampacity::audit {
namespace {

std::int64_t count_of(std::string_view facts) {
  const auto list = base::parse_json(facts);
  return list && list->is_array() ? static_cast<std::int64_t>(list->get_array().size()) : -1;
}

}  // namespace

void check_journal(store::Database& db, std::vector<Finding>& findings) {
  Tally tally("journal_chain_unbroken");
  std::int64_t sequence = 0;
  base::Digest chain{};
  auto rows = db.query(
      "SELECT first_sequence, last_sequence, facts, chain FROM journal ORDER BY first_sequence");
  while (rows.next()) {
    ++tally.examined;
    const std::int64_t first = rows.integer(0), last = rows.integer(1);
    if (first != sequence + 1)
      tally.wrong(fmt::format("a gap: fact {} comes after {}", first, sequence));
    if (const std::int64_t held = count_of(rows.bytes(2)); held != last - first + 1)
      tally.wrong(fmt::format("the row of facts {} to {} holds {}", first, last, held));
    const auto stored = rows.digest(3);
    chain = base::chain(chain, rows.bytes(2));
    if (stored != chain) {
      tally.wrong(fmt::format("the chain breaks at facts {} to {}", first, last));
      if (stored) chain = *stored;  // so that one alteration is one offender
    }
    sequence = last;
  }
  tally.read_to_the_end(rows);
  findings.push_back(tally.finding(fmt::format("{} facts in {} commits, head {}", sequence,
                                               tally.examined, base::to_hex(chain).substr(0, 16))));
}

}  // namespace ampacity::audit
