// An operator's own transfers, and the end of reserves whose time has run out.
#include <algorithm>

#include "core/decide.h"
#include "core/settle.h"
#include "ledger/post.h"

namespace ampacity::core {
namespace {

constexpr std::size_t most_expiries_at_once = 1'000;
constexpr std::int64_t fullest_allowed = INT64_MAX / 2;  // the core's own transfers need room

// The core relies on its own reserves, and on its accounts being open.
std::optional<std::unexpected<base::Refusal>> not_for_callers(const State& s, const Transfer& t,
                                                              const std::string& path) {
  const auto own = [](Id id) { return id.high == 0 && id.low != 0; };
  if (own(t.id))
    return base::refuse_field(path + ".id",
                              "ids that begin with eight zero bytes are the ledger's own");
  if (own(t.pending_id))
    return base::refuse_field(path + ".pending_id",
                              "that reserve is a lease's: it resolves itself");
  const auto closes = [&](std::uint16_t flag, Id account) {
    return t.has(flag) && own(account) && account.low <= s.accounts.size() &&
           s.accounts[ledger::position_of(account)].user_data.is_nil();
  };
  if (closes(ledger::transfer_flag::closing_debit, t.debit) ||
      closes(ledger::transfer_flag::closing_credit, t.credit))
    return base::refuse_field(path + ".flags", "the cloud itself needs that account open");
  return std::nullopt;
}

}  // namespace

Decision decide_ledger(const World& world, const PostTransfers& c, Instant now) {
  const State& s = world.state();
  if (c.transfers.empty() || c.transfers.size() > ledger::most_in_batch)
    return base::refuse_field("transfers", "must be 1 to 8190 of them");
  for (std::size_t i = 0; i < c.transfers.size(); ++i)
    if (auto no = not_for_callers(s, c.transfers[i], "transfers[" + std::to_string(i) + "]"))
      return *no;
  TrialBooks books(s, world.reserves, c.past);
  TransfersPosted posted;
  posted.note = c.note;
  const auto outcomes = ledger::post(books, c.transfers, std::max(now, s.now), &posted.transfers);
  if (books.fullest() > fullest_allowed)
    return base::refuse(base::Code::conflict, "an account would hold more than it may be asked to");
  if (c.answer) *c.answer = outcomes;
  for (const auto& [id, why] : books.newly_burnt())
    posted.burnt.push_back({id, std::string(ledger::name_of(why))});
  if (posted.transfers.empty() && posted.burnt.empty()) return std::vector<FactBody>{};
  for (Transfer& t : posted.transfers)  // the fold gives them the same again
    if (!t.has(ledger::transfer_flag::imported)) t.timestamp = {};
  return std::vector<FactBody>{std::move(posted)};
}

std::optional<ReservesExpired> expired_reserves(const World& world, Drafter& drafter, Instant now) {
  ReservesExpired f;
  for (const auto& [when, id] : world.reserves.lapses) {
    if (when > now || f.transfers.size() == most_expiries_at_once) break;
    const Transfer& held = world.state().pending[world.reserves.slot_of.at(id)];
    f.transfers.push_back(ledger::expiry_of(held, drafter.next_id()));
  }
  if (f.transfers.empty()) return std::nullopt;
  return f;
}

}  // namespace ampacity::core
