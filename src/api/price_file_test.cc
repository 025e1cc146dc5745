// Price files: what is written means what it says, exactly; what is wrong is named with its line.
#include "api/price_file.h"

#include <doctest/doctest.h>

#include "api/view_prices.h"
#include "core/price_book.h"

namespace ampacity::api {
namespace {

constexpr base::Ticks usd = base::ticks_per_usd;

const core::PriceRule* rule_of(const core::PriceBook& book, std::string_view meter,
                               std::string_view sku, core::JobClass job_class, std::uint32_t term) {
  return core::rule_in(book, {core::nobody, {}, meter, sku, {}, job_class, term, {}});
}

TEST_CASE("a price file is exact or refused, with its line") {
  const auto set = parse_price_file(
      "name: mine\n"
      "gpus: {h100: {on_demand: 4.7800, spot: 2.39}, a40: {on_demand: 1.28}}\n"
      "beside_gpu: {vcpu: 0.010, gib: 0.005}\n"
      "cpu_only: {vcpu: 0.0125, gib: 0}\n");
  REQUIRE_MESSAGE(set, set.error().message);
  const auto price = [&](std::string_view meter, std::string_view sku, core::JobClass c) {
    const auto* rule = rule_of(set->book, meter, sku, c, 0);
    REQUIRE(rule);
    return rule->price.tiers[0].price;
  };
  using enum core::JobClass;
  CHECK(price("gpu", "h100", on_demand) == 47'800);
  CHECK(price("gpu", "h100", reserved) == 47'800);
  CHECK(price("gpu", "a40", spot) == 6'400);  // half
  CHECK(price("cpu_vcpu", "cpu", on_demand) == 125);
  CHECK(set->book.currency == "USD");
  CHECK(set->org.empty());
  const auto bad = parse_price_file(
      "name: mine\ngpus:\n  h100: {on_demand: 4.78001}\n"
      "beside_gpu: {vcpu: -1, gib: 0.005}\ncpu_only: {vcpu: x, gib: 1e3}\n");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().wrong.size() == 4);
  CHECK(bad.error().wrong[0].message.find("line 3") != std::string::npos);
  // Terms multiply the rules: refused before they are all made.
  std::string many = "name: x\nrules: []\nterms: {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1}\ngpus:\n";
  for (int i = 0; i < 3'000; ++i) many += " g" + std::to_string(i) + ": {on_demand: 1}\n";
  const auto multiplied =
      parse_price_file(many + "beside_gpu: {vcpu: 1, gib: 1}\ncpu_only: {vcpu: 1, gib: 1}\n");
  REQUIRE_FALSE(multiplied);
  CHECK(multiplied.error().wrong[0].field == "rules");
  CHECK_FALSE(parse_price_file("name: [x\n"));
  CHECK_FALSE(parse_price_file("name: x\n"));  // a list of nothing
}

TEST_CASE("rules say quantities in hours and prices in money") {
  const auto set = parse_price_file(R"(
name: everything
org: acme
currency: JPY
terms: {12: 35}
rules:
  - {meter: gpu, sku: h100, site: lab, job_class: on_demand, price: 4.90}
  - {meter: gpu, sku: a100-80, tiers: [{up_to: 100, price: 2, flat: 5}, {price: 1.5}], maximum: 900}
  - {meter: gpu, sku: a40, package: 100, free: 20, price: 90, minimum: 50.50}
  - {meter: memory, kind: volume, tiers: [{up_to: 10, price: 0.005}, {price: 0.004}]}
  - {meter: vcpu, per: month, price: 7.30}
  - {meter: storage_gb, per: month, price: 0.06}
  - {meter: tokens, per: 1000000, price: 0.25}
  - {meter: gpu, sku: h100, term: 36, price: 2}
)");
  REQUIRE_MESSAGE(set, set.error().message);
  CHECK(set->org == "acme");
  CHECK(set->book.currency == "JPY");
  using core::PriceFunction, core::PriceKind;
  const auto price = [&](std::string_view meter, std::string_view sku, std::uint32_t term = 0) {
    const auto* rule = core::rule_in(
        set->book, {core::nobody, {}, meter, sku, "lab", core::JobClass::on_demand, term, {}});
    REQUIRE(rule);
    return rule->price;
  };
  CHECK(price("gpu", "h100") == PriceFunction{PriceKind::per_unit, 1000, {{0, 49'000, 0}}});
  CHECK(price("gpu", "h100", 12).tiers[0].price == 31'850);
  CHECK(price("gpu", "h100", 36).tiers[0].price == 31'850);  // it says the site, too
  CHECK(price("gpu", "a100-80") ==
        PriceFunction{PriceKind::graduated,
                      1000,
                      {{100LL * 3'600'000, 20'000, 5 * usd}, {0, 15'000, 0}},
                      0,
                      0,
                      0,
                      900 * usd});
  CHECK(price("gpu", "a40") == PriceFunction{PriceKind::package,
                                             1000,
                                             {{0, 90 * usd, 0}},
                                             100LL * 3'600'000,
                                             20LL * 3'600'000,
                                             505 * usd / 10});
  CHECK(price("memory", "x").tiers[0].up_to == 10LL * 3600 * 1024);
  CHECK(price("vcpu", "x") ==
        PriceFunction{PriceKind::per_unit, 1000LL * 2'628'000, {{0, 73 * usd / 10, 0}}});
  CHECK(price("storage_gb", "") ==
        PriceFunction{PriceKind::per_unit, 1'000'000, {{0, 6 * usd / 100, 0}}});
  CHECK(price("tokens", "").per == 1'000'000'000'000);
}

TEST_CASE("prices in words, and which are exact per second") {
  struct Row {
    const char* rule;
    const char* words;
    bool exact;
  };
  const Row rows[] = {
      {"{meter: gpu, price: 4.78}", "4.78 an hour", false},
      {"{meter: gpu, price: 4.7799}", "4.7799 an hour", true},
      {"{meter: gpu, per: month, price: 2000}", "2000.00 a month", true},
      {"{meter: gpu, tiers: [{up_to: 100.5, price: 1.8, flat: 5}, {price: 0.9}], maximum: 900}",
       "up to 100.5 h 1.80 + 5.00, above 0.90 an hour, at most 900.00 a month", true},
      {"{meter: memory, kind: volume, tiers: [{up_to: 10, price: 0.005}, {price: 0.0045}]}",
       "up to 10 h 0.005, above 0.0045 an hour for all of it", false},
      {"{meter: gpu, package: 100, free: 20, price: 90, minimum: 50}",
       "90.00 for each 100 h after 20 h, at least 50.00 a month", true},
      {"{meter: calls, price: 0.06}", "0.06 each", true},
      {"{meter: tokens, per: 1000000, price: 0.25}", "0.25 for 1000000", true}};
  for (const Row& row : rows) {
    const auto set = parse_price_file("name: x\nrules:\n  - " + std::string(row.rule) + "\n");
    REQUIRE_MESSAGE(set, row.rule);
    const PriceRuleView v = view_rule(set->book.rules.at(0));
    CHECK(v.text == row.words);
    CHECK(v.exact_per_second == row.exact);
  }
}

TEST_CASE("everything wrong in a rule is named by its path and line") {
  struct Row {
    const char* rule;
    const char* field;
    const char* says;
  };
  const Row rows[] = {
      {"{meter: gpu}", "rules[0].price", "is required"},
      {"{meter: gpu, price: 4.78901}", "rules[0].price", "four decimals"},
      {"{meter: gpu, price: 1, tiers: [{price: 2}]}", "rules[0].price", "tiers"},
      {"{meter: gpu, tiers: [{up_to: 5, price: 1}]}", "rules[0].tiers[0].up_to", "last tier"},
      {"{meter: gpu, tiers: [{up_to: 5, price: 1}, {up_to: 5, price: 2}, {price: 1}]}",
       "rules[0].tiers[1].up_to", "more than"},
      {"{meter: gpu, kind: package, price: 1}", "rules[0].package", "positive"},
      {"{meter: gpu, package: 0.00001, price: 1}", "rules[0].package", "quantity"},
      {"{meter: gpu, package: 0.0001, price: 900}", "rules[0]", "10,000 an hour"},
      {"{meter: gpu, price: 1, free: 3}", "rules[0].free", "package"},
      {"{meter: gpu, price: 1, per: day}", "rules[0].per", "hour or month"},
      {"{meter: gpu, price: 1, term: x}", "rules[0].term", "months"},
      {"{meter: gpu, price: 1, job_class: cheap}", "rules[0].job_class", ""},
      {"{meter: gpu, price: 1, minimum: -5}", "rules[0].minimum", "amount"},
      {"{meter: '', price: 1}", "rules[0].meter", "required"},
      {"{meter: gpu, price: 1, colour: red}", "rules[0].colour", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.rule);
    const auto set = parse_price_file("name: x\nrules:\n  - " + std::string(row.rule) + "\n");
    REQUIRE_FALSE(set);
    REQUIRE(set.error().wrong.size() == 1);
    CHECK(set.error().wrong[0].field == row.field);
    CHECK(set.error().wrong[0].message.find(row.says) != std::string::npos);
    CHECK(set.error().wrong[0].message.find("(line 3)") != std::string::npos);
  }
  for (const char* bad :
       {"currency: XXZ", "terms: {0: 10}", "terms: {12: 101}", "terms: {12: 1.234}"})
    CHECK_FALSE(parse_price_file("name: x\nrules: [{meter: gpu, price: 1}]\n" + std::string(bad)));
}

}  // namespace
}  // namespace ampacity::api
