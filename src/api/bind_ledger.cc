#include "api/bind_ledger.h"

#include <array>
#include <utility>

#include <fmt/core.h>

namespace ampacity::api {
namespace {

namespace flag = ledger::transfer_flag;

// Those a caller may set come first; imports have no door here.
constexpr std::array<std::pair<std::string_view, std::uint16_t>, 10> flag_names = {{
    {"linked", flag::linked},
    {"pending", flag::pending},
    {"post_pending", flag::post_pending},
    {"void_pending", flag::void_pending},
    {"balancing_debit", flag::balancing_debit},
    {"balancing_credit", flag::balancing_credit},
    {"closing_debit", flag::closing_debit},
    {"closing_credit", flag::closing_credit},
    {"imported", flag::imported},
    {"expiry", flag::expiry},
}};
constexpr std::size_t callers_flags = 8;

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

struct LedgerBinder {
  std::vector<base::Wrong> wrong;

  base::Id id(const std::optional<std::string>& text, const std::string& field) {
    if (!text) return {};
    if (const auto id = parse_hex_id(*text)) return *id;
    wrong.push_back({field, "must be 16 bytes as 32 hex digits, in lower case"});
    return {};
  }

  std::uint16_t flags(const std::vector<std::string>& names, const std::string& field) {
    std::uint16_t all = 0;
    for (const std::string& name : names) {
      std::uint16_t found = 0;
      for (std::size_t i = 0; i < callers_flags; ++i)
        if (flag_names[i].first == name) found = flag_names[i].second;
      if (!found) wrong.push_back({field, "there is no flag '" + name.substr(0, 40) + "'"});
      all |= found;
    }
    return all;
  }

  ledger::Transfer transfer(const TransferRequest& r, const std::string& path) {
    ledger::Transfer t;
    t.id = id(r.id, path + ".id");
    if (r.debit) t.debit = ledger::account_at(*r.debit);
    if (r.credit) t.credit = ledger::account_at(*r.credit);
    t.pending_id = id(r.pending_id, path + ".pending_id");
    t.user_data = id(r.user_data, path + ".user_data");
    t.timeout_s = r.timeout_s.value_or(0);
    t.ledger = r.ledger.value_or(0);
    t.code = r.code.value_or(0);
    t.flags = flags(r.flags, path + ".flags");
    const bool all = t.has(flag::post_pending | flag::balancing_debit | flag::balancing_credit);
    if (!r.amount && !all && !t.has(flag::void_pending))
      wrong.push_back({path + ".amount", "is required"});
    t.amount = r.amount.value_or(all ? ledger::all_of_it : 0);
    return t;
  }
};

}  // namespace

std::string hex_id(base::Id id) { return fmt::format("{:016x}{:016x}", id.high, id.low); }

std::optional<base::Id> parse_hex_id(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  const auto high = parse_hex(text.substr(0, 16)), low = parse_hex(text.substr(16));
  if (!high || !low) return std::nullopt;
  return base::Id{*high, *low};
}

base::Result<std::vector<ledger::Transfer>> bind_transfers(const TransfersRequest& request) {
  LedgerBinder binder;
  if (request.transfers.empty() || request.transfers.size() > ledger::most_in_batch)
    return base::refuse_field("transfers", "must be 1 to 8190 of them");
  std::vector<ledger::Transfer> out;
  out.reserve(request.transfers.size());
  for (const TransferRequest& r : request.transfers)
    out.push_back(binder.transfer(r, fmt::format("transfers[{}]", out.size())));
  if (!binder.wrong.empty()) return std::unexpected(base::refusal_of(std::move(binder.wrong)));
  return out;
}

TransferOutcomes view_outcomes(const TransfersRequest& request,
                               const std::vector<ledger::Posted>& posted) {
  TransferOutcomes v;
  for (std::size_t i = 0; i < posted.size(); ++i) {
    const ledger::Posted& p = posted[i];
    TransferOutcome& o = v.items.emplace_back();
    o.id = request.transfers[i].id;
    o.outcome = ledger::name_of(p.outcome);
    o.stands = ledger::stands(p.outcome);
    o.transient = ledger::is_transient(p.outcome);
    if (!o.stands) continue;
    o.timestamp = p.timestamp;
    o.amount = p.amount;
  }
  return v;
}

LedgerTransferView view_transfer(const ledger::Transfer& t) {
  LedgerTransferView v;
  v.id = hex_id(t.id);
  v.timestamp = t.timestamp;
  v.debit = ledger::position_of(t.debit);
  v.credit = ledger::position_of(t.credit);
  v.amount = t.amount;
  v.ledger = ledger::ledger_name(t.ledger);
  v.ledger_number = t.ledger;
  v.code = t.code;
  for (const auto& [name, bit] : flag_names)
    if (t.has(bit)) v.flags.emplace_back(name);
  v.timeout_s = t.timeout_s;
  if (!t.pending_id.is_nil()) v.pending_id = hex_id(t.pending_id);
  if (!t.user_data.is_nil()) v.user_data = hex_id(t.user_data);
  return v;
}

LedgerHeads view_heads(const std::vector<ledger::Head>& heads) {
  LedgerHeads v;
  for (const ledger::Head& h : heads)
    v.items.push_back({base::format_day(h.day), static_cast<std::int64_t>(h.transfers), h.last,
                       base::to_hex(h.head)});
  return v;
}

}  // namespace ampacity::api
