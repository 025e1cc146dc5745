// Reads the tables of post_test.cc: accounts, transfers and what must come of them, one a line.
//   account A1 [l:1 c:1 u:N =dp,dr,cp,cr @ts flags] -> outcome
//   transfer T1 A1 A2 AMOUNT [p:T u:N s:SECONDS l:1 c:1 @ts flags] -> outcome
//   commit            the accounts or transfers above are one batch
//   setup A1 dp dr cp cr      sets counters     expect A1 dp dr cp cr [closed]
//   amount T1 N       what was made has this amount      missing T1
//   now N             microseconds     tick N   seconds (and a little)     expire
// A0, T0 are zero, A-, T- the maximum; amounts may be max or max-N. # begins a comment.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "ledger/memory.h"
#include "ledger/post.h"

namespace ampacity::ledger {

struct Reached {
  std::set<Outcome> transfers;
  std::set<AccountOutcome> accounts;
};

class Table {
 public:
  explicit Table(Reached& reached) : reached_(reached) {}

  void run(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      line = line.substr(0, line.find('#'));
      std::istringstream in(line);
      std::vector<std::string> words;
      for (std::string w; in >> w;) words.push_back(w);
      CAPTURE(line);
      if (!words.empty()) one(words);
    }
    CHECK_MESSAGE(accounts_.empty(), "a table ends with commit");
    CHECK_MESSAGE(transfers_.empty(), "a table ends with commit");
  }

 private:
  using Words = std::vector<std::string>;

  static std::int64_t number(const std::string& s) {
    if (s == "max") return INT64_MAX;
    if (s.starts_with("max-")) return INT64_MAX - std::stoll(s.substr(4));
    return std::stoll(s);
  }
  static Id id(const std::string& s) {
    if (s.substr(1) == "-") return max_id;
    return {0, static_cast<std::uint64_t>(std::stoull(s.substr(1)))};
  }
  static Id user(const std::string& s) { return {7, static_cast<std::uint64_t>(std::stoull(s))}; }

  void one(const Words& w) {
    if (w[0] == "account") return account(w);
    if (w[0] == "transfer") return transfer(w);
    if (w[0] == "commit") return commit();
    if (w[0] == "setup") return setup(w);
    if (w[0] == "expect") return expect(w);
    if (w[0] == "now") now_.us = number(w.at(1));
    if (w[0] == "tick") now_.us += number(w.at(1)) * 1'000'000 + 1'000;
    if (w[0] == "expire") expire();
    if (w[0] == "amount") {
      const Transfer* t = books_.transfer(id(w.at(1)));
      REQUIRE(t);
      CHECK(t->amount == number(w.at(2)));
    }
    if (w[0] == "missing") CHECK(books_.transfer(id(w.at(1))) == nullptr);
    static const std::set<std::string> known{"now", "tick", "expire", "amount", "missing"};
    REQUIRE(known.contains(w[0]));
  }

  void account(const Words& w) {
    static const std::map<std::string, int> flags{
        {"linked", account_flag::linked},
        {"D<C", account_flag::debits_must_not_exceed_credits},
        {"C<D", account_flag::credits_must_not_exceed_debits},
        {"history", account_flag::history},
        {"imported", account_flag::imported},
        {"closed", account_flag::closed},
        {"reserved", 1 << 15}};
    Account a;
    a.id = id(w.at(1));
    a.ledger = a.code = 1;
    for (std::size_t i = 2; w.at(i) != "->"; ++i) {
      const std::string rest = w[i].substr(w[i].find_first_of(":@=") + 1);
      if (w[i].starts_with("l:"))
        a.ledger = static_cast<std::uint32_t>(number(rest));
      else if (w[i].starts_with("c:"))
        a.code = static_cast<std::uint16_t>(number(rest));
      else if (w[i].starts_with("u:"))
        a.user_data = user(rest);
      else if (w[i].starts_with("@"))
        a.timestamp.us = number(rest);
      else if (w[i].starts_with("="))
        std::sscanf(rest.c_str(), "%ld,%ld,%ld,%ld", &a.debits_pending, &a.debits_posted,
                    &a.credits_pending, &a.credits_posted);
      else
        a.flags |= static_cast<std::uint16_t>(flags.at(w[i]));
    }
    accounts_.push_back(a);
    expected_.push_back(w.back());
  }

  void transfer(const Words& w) {
    static const std::map<std::string, int> flags{{"linked", transfer_flag::linked},
                                                  {"pending", transfer_flag::pending},
                                                  {"post", transfer_flag::post_pending},
                                                  {"void", transfer_flag::void_pending},
                                                  {"bdr", transfer_flag::balancing_debit},
                                                  {"bcr", transfer_flag::balancing_credit},
                                                  {"cdr", transfer_flag::closing_debit},
                                                  {"ccr", transfer_flag::closing_credit},
                                                  {"imported", transfer_flag::imported},
                                                  {"expiry", transfer_flag::expiry},
                                                  {"reserved", 1 << 15}};
    Transfer t;
    t.id = id(w.at(1));
    t.debit = id(w.at(2));
    t.credit = id(w.at(3));
    t.amount = number(w.at(4));
    t.ledger = t.code = 1;
    for (std::size_t i = 5; w.at(i) != "->"; ++i) {
      const std::string rest = w[i].substr(w[i].find_first_of(":@") + 1);
      if (w[i].starts_with("p:"))
        t.pending_id = id(rest);
      else if (w[i].starts_with("u:"))
        t.user_data = user(rest);
      else if (w[i].starts_with("s:"))
        t.timeout_s = static_cast<std::uint32_t>(number(rest));
      else if (w[i].starts_with("l:"))
        t.ledger = static_cast<std::uint32_t>(number(rest));
      else if (w[i].starts_with("c:"))
        t.code = static_cast<std::uint16_t>(number(rest));
      else if (w[i].starts_with("@"))
        t.timestamp.us = number(rest);
      else
        t.flags |= static_cast<std::uint16_t>(flags.at(w[i]));
    }
    transfers_.push_back(t);
    expected_.push_back(w.back());
  }

  void commit() {
    if (!accounts_.empty()) {
      const auto got = books_.open(accounts_, now_);
      for (std::size_t i = 0; i < got.size(); ++i) {
        CAPTURE(i);
        CHECK(base::enum_name(got[i]) == expected_[i]);
        reached_.accounts.insert(got[i]);
      }
    }
    const auto got = post(books_, transfers_, now_);
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      CHECK(name_of(got[i].outcome) == expected_[i]);
      reached_.transfers.insert(got[i].outcome);
      if (!stands(got[i].outcome)) continue;
      const Transfer* t = books_.transfer(transfers_[i].id);
      REQUIRE(t);
      CHECK(got[i].amount == t->amount);
      CHECK(got[i].timestamp == t->timestamp);
    }
    accounts_.clear();
    transfers_.clear();
    expected_.clear();
  }

  void setup(const Words& w) {
    Account* a = books_.account(id(w.at(1)));
    REQUIRE(a);
    a->debits_pending = number(w.at(2));
    a->debits_posted = number(w.at(3));
    a->credits_pending = number(w.at(4));
    a->credits_posted = number(w.at(5));
  }

  void expect(const Words& w) {
    const Account* a = books_.account(id(w.at(1)));
    REQUIRE(a);
    CHECK(a->debits_pending == number(w.at(2)));
    CHECK(a->debits_posted == number(w.at(3)));
    CHECK(a->credits_pending == number(w.at(4)));
    CHECK(a->credits_posted == number(w.at(5)));
    CHECK(a->has(account_flag::closed) == (w.back() == "closed"));
  }

  void expire() {
    for (Transfer& t : books_.expiries(now_, 100, next_void_)) {
      CHECK(apply(books_, t, now_, Maker::ledger) == Outcome::created);
      next_void_ = t.id.low + 1;
    }
  }

  Reached& reached_;
  MemoryBooks books_;
  Instant now_{1'000'000};
  std::uint64_t next_void_ = 1'000'000;
  std::vector<Account> accounts_;
  std::vector<Transfer> transfers_;
  std::vector<std::string> expected_;
};

}  // namespace ampacity::ledger
