#include "documents/journal_hledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "documents/focus_decimal.h"

namespace ampacity::documents {
namespace {

// Rounding (9000) and FX (9100) stand between ledgers and are nobody's: equity.
std::string_view kind_of(std::uint32_t code) {
  switch (code / 1000) {
    case 1:
      return "assets";
    case 2:
      return "liabilities";
    case 4:
      return "revenues";
    case 5:
      return "expenses";
    default:
      return "equity";
  }
}

// hledger ends a name at two blanks, begins a comment at ';' and a sub account at ':'.
std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool odd = static_cast<unsigned char>(c) <= ' ' || c == ';' || c == ':' || c == '|';
    const char kept = !odd ? c : c == ':' || c == '|' ? '-' : ' ';
    if (kept == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += kept;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

int decimals_of(const BookAccount& a) {
  const base::Currency* c = a.ticks ? nullptr : base::find_currency(a.currency);
  return c ? c->exponent : 0;
}

}  // namespace

std::string commodity_of(const BookAccount& a) {
  return a.ticks ? "\"" + a.currency + "·tick\"" : a.currency;
}

std::string amount_of(const BookAccount& a, std::int64_t amount) {
  return to_string({amount, decimals_of(a)}) + " " + commodity_of(a);
}

std::vector<std::string> journal_names(const std::vector<BookAccount>& accounts) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    const BookAccount& a = accounts[i];
    std::string name = fmt::format("{}:{} {}", kind_of(a.code), a.code, plain_name(a.name));
    if (name.back() == ' ') name.pop_back();
    if (!taken.insert(name).second) {
      name += fmt::format(" ({} {} {})", a.currency, a.ticks ? "ticks" : "minor", i);
      taken.insert(name);
    }
    names.push_back(std::move(name));
  }
  return names;
}

JournalWriter::JournalWriter(const std::vector<BookAccount>& accounts, base::Instant from,
                             TextSink sink)
    : accounts_(accounts),
      names_(journal_names(accounts)),
      sheet_(std::move(sink)),
      last_day_(base::format_day(from)) {
  for (const BookAccount& a : accounts_) {
    commodities_.push_back(commodity_of(a));
    decimals_.push_back(decimals_of(a));
  }
  directives();
  bool any = false;
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    if (accounts_[i].opening == 0) continue;
    if (!any) {
      sheet_.raw(last_day_ + " opening balances");
      sheet_.end_line();
    }
    any = true;
    posting(i, accounts_[i].opening);
  }
  if (any) sheet_.end_line();
}

void JournalWriter::directives() {
  sheet_.raw("; Ampacity: the posted transfers of a ledger. 1 unit = 36000000 ticks.");
  sheet_.end_line();
  std::set<std::pair<std::string, int>> commodities;
  for (std::size_t i = 0; i < accounts_.size(); ++i)
    commodities.insert({commodities_[i], decimals_[i]});
  for (const auto& [name, decimals] : commodities) {
    sheet_.raw(fmt::format("commodity 1{} {}",
                           "." + std::string(static_cast<std::size_t>(decimals), '0'), name));
    sheet_.end_line();
  }
  for (const std::string& name : names_) {
    sheet_.raw("account " + name);
    sheet_.end_line();
  }
  for (const char* type : {"assets", "liabilities", "equity", "revenues", "expenses"}) {
    sheet_.raw(std::string("account ") + type);
    sheet_.end_line();
  }
  sheet_.end_line();
}

void JournalWriter::posting(std::size_t account, std::int64_t amount) {
  std::string& out = sheet_.held();
  ((out += "    ") += names_[account]) += "  ";
  append(out, {amount, decimals_[account]});
  ((out += ' ') += commodities_[account]) += '\n';
}

void JournalWriter::add(const JournalEntry& e) {
  if (!in_chain_) {
    last_day_ = std::max(last_day_, base::format_day(e.at));
    std::string& out = sheet_.held();
    // Blanks would read as a date's status; the reason is ours, the id too.
    ((((out += last_day_) += " * (") += e.id) += ") ") += plain_name(e.reason);
    ((out += "  ; at:") += base::format_instant(e.at)) += '\n';
  }
  posting(e.debit, e.amount);
  posting(e.credit, -e.amount);
  in_chain_ = e.linked;
  ++entries_;
  if (!in_chain_) sheet_.end_line();
}

void JournalWriter::end(base::Instant until) {
  if (in_chain_) sheet_.end_line();
  in_chain_ = false;
  sheet_.raw(std::max(last_day_, base::format_day(until)) + " balances as the accounts count them");
  sheet_.end_line();
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    std::string& out = sheet_.held();
    ((out += "    ") += names_[i]) += "  0 ";
    (out += commodities_[i]) += " = ";
    append(out, {static_cast<Wide>(accounts_[i].debits_posted) - accounts_[i].credits_posted,
                 decimals_[i]});
    ((out += ' ') += commodities_[i]) += '\n';
    if (out.size() > Sheet::most_held) sheet_.flush();
  }
  sheet_.end_line();
  sheet_.flush();
}

}  // namespace ampacity::documents
