#include <map>

#include "audit/checks.h"
#include "base/crypto.h"

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
  std::int64_t ledger = 0;
  std::string ledger_name;
  std::string name;
  std::int64_t flags = 0;
  Counters stored;
  Counters folded;
};

struct Hold {
  std::int64_t debit = 0, credit = 0, amount = 0;
};

// Flags of an account and of a transfer, as the store documents them.
constexpr std::int64_t debits_bounded = 2, credits_bounded = 4;
constexpr std::int64_t pending = 2, post = 4, release = 8;
constexpr std::int64_t day_us = 86'400'000'000;

// The ledger's own transfers are counted; a caller's have ids of their own.
std::string name_of(base::Id id) {
  return id.high == 0 ? std::to_string(id.low) : base::format_bare_id(id);
}

// The hash chain's record of a transfer, written down here a second time: big-endian, in order.
std::string record_of(const store::Cursor& row) {
  std::string out(1, '\x01');
  const auto number = [&](std::uint64_t v, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(v >> shift);
  };
  const auto id = [&](base::Id v) {
    number(v.high, 8);
    number(v.low, 8);
  };
  id(row.id(1));
  id({0, row.number(3) + 1});
  id({0, row.number(4) + 1});
  number(row.number(5), 8);
  id(row.id(6));
  id(row.id(7));
  number(row.number(8), 4);
  number(row.number(9), 4);
  number(row.number(10), 2);
  number(row.number(2), 2);
  number(row.number(0), 8);
  return out;
}

// Reads every transfer once, in the order of its id, and keeps its own books of them.
class TransferAudit {
 public:
  explicit TransferAudit(store::Database& db) : db_(db) {}

  void run(std::vector<Finding>& findings) {
    read_accounts();
    auto rows = db_.query(
        "SELECT timestamp, id, flags, debit_ix, credit_ix, amount, pending_id, user_data, "
        "timeout_s, ledger, code FROM transfers ORDER BY timestamp");
    while (rows.next()) {
      chain(rows);
      one(rows);
    }
    ids_.read_to_the_end(rows);
    compare_heads();
    compare();
    sum_up(findings);
  }

 private:
  void read_accounts() {
    auto rows = db_.query(
        "SELECT ix, ledger, currency || '_' || scale, name, flags, debits_pending, debits_posted, "
        "credits_pending, credits_posted FROM accounts ORDER BY ix");
    while (rows.next())
      accounts_[rows.integer(0)] = {
          rows.integer(1),
          rows.text(2),
          rows.text(3),
          rows.integer(4),
          {rows.integer(5), rows.integer(6), rows.integer(7), rows.integer(8)},
          {}};
    counters_.read_to_the_end(rows);
  }

  void one(const store::Cursor& row) {
    const base::Id id = row.id(1);
    if (id.high == 0 && id.low != ++expected_id_) {
      ids_.wrong(fmt::format("transfer {} where {} was due", id.low, expected_id_));
      expected_id_ = id.low;
    }
    ++ids_.examined;
    const std::int64_t flags = row.integer(2);
    const Hold t{row.integer(3), row.integer(4), row.integer(5)};
    const auto debit = accounts_.find(t.debit), credit = accounts_.find(t.credit);
    if (debit == accounts_.end() || credit == accounts_.end())
      return balance_.wrong(
          fmt::format("transfer {} is of an account that is not there", name_of(id)));
    if (debit->second.ledger != credit->second.ledger || debit->second.ledger != row.integer(9))
      balance_.wrong(fmt::format("transfer {} crosses two ledgers", name_of(id)));
    if (t.amount < 0) balance_.wrong(fmt::format("transfer {} is of {}", name_of(id), t.amount));

    AuditedAccount& from = debit->second;
    AuditedAccount& to = credit->second;
    const std::int64_t kind = flags & (pending | post | release);
    if (kind == post || kind == release) {
      resolve(id, kind == post, t, row.id(6), from, to);
    } else if (kind == pending) {
      holds_[id] = t;
      from.folded.debits_pending += t.amount;
      to.folded.credits_pending += t.amount;
    } else if (kind == 0) {
      from.folded.debits_posted += t.amount;
      to.folded.credits_posted += t.amount;
    } else {
      ids_.wrong(fmt::format("transfer {} is of several kinds at once", name_of(id)));
    }
    watch(id, from);
    watch(id, to);
  }

  void resolve(base::Id id, bool posts, const Hold& t, base::Id pending_id, AuditedAccount& from,
               AuditedAccount& to) {
    ++resolved_.examined;
    const auto hold = holds_.find(pending_id);
    if (hold == holds_.end())
      return resolved_.wrong(fmt::format("transfer {} resolves {}, which is not an open hold",
                                         name_of(id), name_of(pending_id)));
    if (hold->second.debit != t.debit || hold->second.credit != t.credit)
      resolved_.wrong(
          fmt::format("transfer {} is between other accounts than its hold", name_of(id)));
    if (t.amount > hold->second.amount)
      resolved_.wrong(fmt::format("transfer {} takes {} of the {} that {} holds", name_of(id),
                                  t.amount, hold->second.amount, name_of(pending_id)));
    from.folded.debits_pending -= hold->second.amount;
    to.folded.credits_pending -= hold->second.amount;
    if (posts) {
      from.folded.debits_posted += t.amount;
      to.folded.credits_posted += t.amount;
    }
    holds_.erase(hold);
  }

  // After every single transfer, not only at the end.
  void watch(base::Id id, const AuditedAccount& a) {
    if ((a.flags & (debits_bounded | credits_bounded)) == 0) return;
    ++wallets_.examined;
    const Counters& f = a.folded;
    const Wide left = a.flags & debits_bounded
                          ? f.credits_posted - f.debits_posted - f.debits_pending
                          : f.debits_posted - f.credits_posted - f.credits_pending;
    if (left < 0)
      wallets_.wrong(
          fmt::format("{} is at {} after transfer {}", a.name, text_of(left), name_of(id)));
  }

  void chain(const store::Cursor& row) {
    const std::int64_t at = row.integer(0);
    head_ = base::chain(head_, record_of(row));
    auto& [count, digest] = heads_[at - at % day_us];
    ++count;
    digest = head_;
  }

  void compare_heads() {
    auto rows = db_.query("SELECT day, transfers, head FROM ledger_heads ORDER BY day");
    while (rows.next()) {
      ++chain_.examined;
      const std::string day = base::format_day(rows.instant(0));
      const auto made = heads_.find(rows.integer(0));
      if (made == heads_.end())
        chain_.wrong("no transfer is of " + day);
      else if (made->second.first != rows.integer(1) || made->second.second != rows.digest(2))
        chain_.wrong("the head of " + day + " is not that of its transfers");
      if (made != heads_.end()) heads_.erase(made);
    }
    chain_.read_to_the_end(rows);
    for (const auto& [day, rest] : heads_)
      chain_.wrong("no head for the transfers of " + base::format_day({day}));
  }

  void compare() {
    for (const auto& [ix, a] : accounts_) {
      ++counters_.examined;
      if (a.stored != a.folded)
        counters_.wrong(fmt::format("account {} '{}' says {}; its transfers say {}", ix, a.name,
                                    text_of(a.stored), text_of(a.folded)));
      Counters& sum = ledgers_[a.ledger_name];
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
    findings.push_back(ids_.finding(
        fmt::format("{} transfers, the ledger's own 1 to {}", ids_.examined, expected_id_)));
    findings.push_back(resolved_.finding(
        fmt::format("{} holds resolved, {} open", resolved_.examined, holds_.size())));
    findings.push_back(wallets_.finding(
        fmt::format("{} balances of bounded accounts watched", wallets_.examined)));
    findings.push_back(chain_.finding(
        fmt::format("{} daily heads, the latest {:.16}…", chain_.examined, base::to_hex(head_))));
    findings.push_back(counters_.finding(
        fmt::format("{} accounts, {} transfers", counters_.examined, ids_.examined)));
  }

  store::Database& db_;
  std::map<std::int64_t, AuditedAccount> accounts_;
  std::map<base::Id, Hold> holds_;  // open ones
  std::map<std::string, Counters> ledgers_;
  std::uint64_t expected_id_ = 0;
  base::Digest head_{};
  std::map<std::int64_t, std::pair<std::int64_t, base::Digest>> heads_;  // by day, until compared
  Tally balance_{"debits_equal_credits"};
  Tally ids_{"transfer_ids_successive"};
  Tally resolved_{"holds_resolved_once"};
  Tally wallets_{"wallets_never_negative"};
  Tally chain_{"transfer_chain_unbroken"};
  Tally counters_{"counters_equal_transfers"};
};

}  // namespace

void check_transfers(store::Database& db, std::vector<Finding>& findings) {
  TransferAudit(db).run(findings);
}

}  // namespace ampacity::audit
