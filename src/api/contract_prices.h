// The part of the contract (api/contract.h) about price books.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/price.h"

namespace ampacity::api {

using base::Instant;

enum class BookState { past, in_force, later };
BOOST_DESCRIBE_ENUM(BookState, past, in_force, later)

// A rule as it is applied (core/price.h), and in words. Absent: whatever it is.
struct PriceRuleView {
  std::string meter;
  std::optional<std::string> sku;
  std::optional<std::string> site;
  std::optional<core::JobClass> job_class;
  std::optional<std::int64_t> term_months;
  std::string text;               // "4.78 an hour"
  bool exact_per_second = false;  // a second costs a finite decimal: a multiple of 0.0009 an hour
  core::PriceFunction price;      // in ticks of 1/36,000,000
};
BOOST_DESCRIBE_STRUCT(PriceRuleView, (),
                      (meter, sku, site, job_class, term_months, text, exact_per_second, price))

struct PriceBookView {
  std::int64_t version = 0;
  std::string name;
  std::string currency;
  std::optional<std::string> org;  // whose own; absent: the public list
  Instant effective_from;
  BookState state{};
  std::int64_t rule_count = 0;
  std::vector<PriceRuleView> rules;
};
BOOST_DESCRIBE_STRUCT(PriceBookView, (),
                      (version, name, currency, org, effective_from, state, rule_count, rules))
struct PriceBookList {
  std::vector<PriceBookView> items;
};
BOOST_DESCRIBE_STRUCT(PriceBookList, (), (items))

struct PriceBookRequest {
  std::string book;                       // YAML, as in a price file
  std::optional<Instant> effective_from;  // instead of the file's
};
BOOST_DESCRIBE_STRUCT(PriceBookRequest, (), (book, effective_from))

}  // namespace ampacity::api
