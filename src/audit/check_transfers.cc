#include <map>

#include "audit/checks.h"

namespace ampacity::audit {
namespace {

using Wide = __int128;

// fmt knows no 128-bit sums that are negative in every version; they are shown as text.
std::string text_of(Wide v) {
  if (v == 0) return "0";
  const bool negative = v < 0;
  std::string out;
  for (; v != 0; v /= 10) {
    const int digit = static_cast<int>(v % 10);
    out.insert(out.begin(), static_cast<char>('0' + (negative ? -digit : digit)));
  }
  return negative ? "-" + out : out;
}

struct Counters {
  Wide debits_pending = 0, debits_posted = 0, credits_pending = 0, credits_posted = 0;
  bool operator==(const Counters&) const = default;
};

std::string text_of(const Counters& c) {
  return fmt::format("debits {} posted {} pending, credits {} posted {} pending",
                     text_of(c.debits_posted), text_of(c.debits_pending), text_of(c.credits_posted),
                     text_of(c.credits_pending));
}

struct AuditedAccount {
  std::string ledger;
  std::string name;
  bool bounded = false;
  Counters stored;
  Counters folded;
};

struct Hold {
  std::int64_t debit = 0, credit = 0, amount = 0;
};

// Reads every transfer once, in the order of its id, and keeps its own books of them.
class TransferAudit {
 public:
  explicit TransferAudit(store::Database& db) : db_(db) {}

  void run(std::vector<Finding>& findings) {
    read_accounts();
    auto rows = db_.query(
        "SELECT id, kind, debit_ix, credit_ix, amount, coalesce(pending_id, 0) FROM transfers "
        "ORDER BY id");
    while (rows.next()) one(rows);
    ids_.read_to_the_end(rows);
    compare();
    sum_up(findings);
  }

 private:
  void read_accounts() {
    auto rows = db_.query(
        "SELECT ix, ledger, name, debits_must_not_exceed_credits, debits_pending, debits_posted, "
        "credits_pending, credits_posted FROM accounts ORDER BY ix");
    while (rows.next())
      accounts_[rows.integer(0)] = {
          rows.text(1),
          rows.text(2),
          rows.integer(3) != 0,
          {rows.integer(4), rows.integer(5), rows.integer(6), rows.integer(7)},
          {}};
    counters_.read_to_the_end(rows);
  }

  void one(const store::Cursor& row) {
    const std::int64_t id = row.integer(0);
    if (id != ++expected_id_) {
      ids_.wrong(fmt::format("transfer {} where {} was due", id, expected_id_));
      expected_id_ = id;
    }
    ++ids_.examined;
    const std::string_view kind = row.bytes(1);
    const Hold t{row.integer(2), row.integer(3), row.integer(4)};
    const auto debit = accounts_.find(t.debit), credit = accounts_.find(t.credit);
    if (debit == accounts_.end() || credit == accounts_.end())
      return balance_.wrong(fmt::format("transfer {} is of an account that is not there", id));
    if (debit->second.ledger != credit->second.ledger)
      balance_.wrong(fmt::format("transfer {} crosses two ledgers", id));
    if (t.amount <= 0) balance_.wrong(fmt::format("transfer {} is of {}", id, t.amount));

    AuditedAccount& from = debit->second;
    AuditedAccount& to = credit->second;
    if (kind == "post" || kind == "release") {
      resolve(id, kind == "post", t, row.integer(5), from, to);
    } else if (kind == "pending") {
      holds_[id] = t;
      from.folded.debits_pending += t.amount;
      to.folded.credits_pending += t.amount;
    } else if (kind == "single") {
      from.folded.debits_posted += t.amount;
      to.folded.credits_posted += t.amount;
    } else {
      ids_.wrong(fmt::format("transfer {} is of the unknown kind '{}'", id, kind));
    }
    watch(id, from);
    watch(id, to);
  }

  void resolve(std::int64_t id, bool post, const Hold& t, std::int64_t pending_id,
               AuditedAccount& from, AuditedAccount& to) {
    ++resolved_.examined;
    const auto hold = holds_.find(pending_id);
    if (hold == holds_.end())
      return resolved_.wrong(
          fmt::format("transfer {} resolves {}, which is not an open hold", id, pending_id));
    if (hold->second.debit != t.debit || hold->second.credit != t.credit)
      resolved_.wrong(fmt::format("transfer {} is between other accounts than its hold", id));
    if (t.amount > hold->second.amount)
      resolved_.wrong(fmt::format("transfer {} takes {} of the {} that {} holds", id, t.amount,
                                  hold->second.amount, pending_id));
    from.folded.debits_pending -= hold->second.amount;
    to.folded.credits_pending -= hold->second.amount;
    if (post) {
      from.folded.debits_posted += t.amount;
      to.folded.credits_posted += t.amount;
    }
    holds_.erase(hold);
  }

  // After every single transfer, not only at the end.
  void watch(std::int64_t id, const AuditedAccount& a) {
    if (!a.bounded) return;
    ++wallets_.examined;
    const Wide left = a.folded.credits_posted - a.folded.debits_posted - a.folded.debits_pending;
    if (left < 0)
      wallets_.wrong(fmt::format("{} is at {} after transfer {}", a.name, text_of(left), id));
  }

  void compare() {
    for (const auto& [ix, a] : accounts_) {
      ++counters_.examined;
      if (a.stored != a.folded)
        counters_.wrong(fmt::format("account {} '{}' says {}; its transfers say {}", ix, a.name,
                                    text_of(a.stored), text_of(a.folded)));
      Counters& sum = ledgers_[a.ledger];
      sum.debits_pending += a.stored.debits_pending;
      sum.debits_posted += a.stored.debits_posted;
      sum.credits_pending += a.stored.credits_pending;
      sum.credits_posted += a.stored.credits_posted;
    }
  }

  void sum_up(std::vector<Finding>& findings) {
    std::string figures;
    for (const auto& [ledger, sum] : ledgers_) {
      ++balance_.examined;
      if (sum.debits_posted != sum.credits_posted || sum.debits_pending != sum.credits_pending)
        balance_.wrong(ledger + " does not balance");
      figures += fmt::format("{}{}: {}", figures.empty() ? "" : "; ", ledger, text_of(sum));
    }
    findings.push_back(balance_.finding(figures));
    findings.push_back(
        ids_.finding(fmt::format("{} transfers, 1 to {}", ids_.examined, expected_id_)));
    findings.push_back(resolved_.finding(
        fmt::format("{} holds resolved, {} open", resolved_.examined, holds_.size())));
    findings.push_back(wallets_.finding(
        fmt::format("{} balances of bounded accounts watched", wallets_.examined)));
    findings.push_back(counters_.finding(
        fmt::format("{} accounts, {} transfers", counters_.examined, ids_.examined)));
  }

  store::Database& db_;
  std::map<std::int64_t, AuditedAccount> accounts_;
  std::map<std::int64_t, Hold> holds_;  // open ones
  std::map<std::string, Counters> ledgers_;
  std::int64_t expected_id_ = 0;
  Tally balance_{"debits_equal_credits"};
  Tally ids_{"transfer_ids_successive"};
  Tally resolved_{"holds_resolved_once"};
  Tally wallets_{"wallets_never_negative"};
  Tally counters_{"counters_equal_transfers"};
};

}  // namespace

void check_transfers(store::Database& db, std::vector<Finding>& findings) {
  TransferAudit(db).run(findings);
}

}  // namespace ampacity::audit
