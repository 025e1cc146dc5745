#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "documents/journal_sample.h"
#include "documents/trial_balance.h"

namespace ampacity::documents {
namespace {

std::string journal_of(const sample::BookMonth& m) {
  std::string text;
  m.write([&](std::string_view piece) { text += piece; });
  return text;
}

// Adds up what a journal posts, as integers of its decimals; asserted balances apart.
struct Read {
  std::map<std::string, Wide> balances;
  std::map<std::string, Wide> asserted;
  int transactions = 0;
  int unbalanced = 0;
};

Wide integer_of(std::string_view amount) {
  Wide n = 0;
  for (const char c : amount)
    if (c >= '0' && c <= '9') n = n * 10 + (c - '0');
  return amount.starts_with('-') ? -n : n;
}

Read read(const std::string& journal) {
  Read r;
  std::istringstream lines(journal);
  std::map<std::string, Wide> open;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("20")) ++r.transactions;
    if (line.empty()) {
      for (const auto& [commodity, sum] : open) r.unbalanced += sum != 0;
      open.clear();
    }
    if (!line.starts_with("    ")) continue;
    const std::size_t gap = line.find("  ", 4);
    const std::string name = line.substr(4, gap - 4), rest = line.substr(gap + 2);
    const std::size_t blank = rest.find(' '), equals = rest.find(" = ");
    const std::string commodity = rest.substr(
        blank + 1, equals == std::string::npos ? std::string::npos : equals - blank - 1);
    r.balances[name] += integer_of(rest.substr(0, blank));
    open[commodity] += integer_of(rest.substr(0, blank));
    if (equals != std::string::npos) r.asserted[name] = integer_of(rest.substr(equals + 3));
  }
  return r;
}

TEST_CASE("the journal's postings come to what the accounts count") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const sample::BookMonth m = sample::books(seed, 200);
    const Read r = read(journal_of(m));
    const auto names = journal_names(m.accounts);
    CHECK(r.unbalanced == 0);
    CHECK(r.asserted.size() == m.accounts.size());
    for (std::size_t i = 0; i < m.accounts.size(); ++i) {
      const Wide counted =
          static_cast<Wide>(m.accounts[i].debits_posted) - m.accounts[i].credits_posted;
      CHECK(r.balances.at(names[i]) == counted);
      CHECK(r.asserted.at(names[i]) == counted);
    }
    for (const LedgerTotal& t : ledger_totals(m.accounts)) CHECK(t.balanced());
  }
}

TEST_CASE("one tick more in one transfer: the journal contradicts itself") {
  sample::BookMonth m = sample::books(3, 100);
  m.entries[40].entry.amount += 1;
  const Read r = read(journal_of(m));
  int wrong = 0;
  for (const auto& [name, balance] : r.asserted) wrong += r.balances.at(name) != balance;
  CHECK(wrong == 2);
}

TEST_CASE("a chain is one transaction") {
  const sample::BookMonth m = sample::books(1, 10);
  // 10 usages, sla, the invoice with its tax as one, payment, draw; opening and closing.
  CHECK(read(journal_of(m)).transactions == 10 + 1 + 1 + 2 + 2);
}

TEST_CASE("names: whatever a customer is called, each account has one that hledger can read") {
  const std::vector<BookAccount> accounts = {{2300, "a:b;c  d"}, {2300, "a-b c d"}, {2300, " "},
                                             {2300, "x\ty\n"},   {2300, "x y"},     {9000, ""}};
  const auto names = journal_names(accounts);
  CHECK(std::set(names.begin(), names.end()).size() == names.size());
  CHECK(names[0] == "liabilities:2300 a-b c d");
  for (const std::string& n : names) {
    CHECK(n.find("  ") == std::string::npos);
    CHECK(n.find_first_of(";\t\n") == std::string::npos);
    CHECK(std::count(n.begin(), n.end(), ':') == 1);
  }
}

TEST_CASE("the trial balance says when a ledger does not balance") {
  sample::BookMonth m = sample::books(2, 50);
  const auto table = [&] {
    std::string text;
    trial_balance_table(m.accounts, [&](std::string_view piece) { text += piece; });
    return text;
  };
  CHECK(table().find("NOT BALANCED") == std::string::npos);
  CHECK(table().find("1234.567") != std::string::npos);
  m.accounts[0].debits_posted += 1;
  CHECK(table().find("NOT BALANCED") != std::string::npos);
  CHECK_FALSE(ledger_totals(m.accounts)[2].balanced());
}

TEST_CASE("amounts by the currency's decimals") {
  CHECK(amount_of({1000, "cash", "JPY", false}, 1234) == "1234 JPY");
  CHECK(amount_of({1000, "cash", "KWD", false}, -5) == "-0.005 KWD");
  CHECK(amount_of({1000, "cash", "USD", false}, 123456) == "1234.56 USD");
  CHECK(amount_of({2300, "wallet", "USD", true}, -1) == "-1 \"USD·tick\"");
}

}  // namespace
}  // namespace ampacity::documents
