// What `ampacity usage` adds up: windows add up to the whole, and currencies are never added.
#include "server/usage_sums.h"

#include <doctest/doctest.h>

#include "core/test_cloud.h"

namespace ampacity::server {
namespace {

constexpr core::Ticks price = 36'000;

// A project each of an org in USD and one in JPY.
struct TwoCurrencies : core::TestCloud {
  TwoCurrencies() : core::TestCloud(1) {
    REQUIRE(run(core::CreateOrg{{0, ids++}, "nippon"}));
    core::BillingProfile profile;
    profile.currency = "JPY";
    REQUIRE(run(core::SetBilling{"nippon", profile}));
    REQUIRE(run(core::CreateProject{{0, ids++}, "edo", "nippon"}));
  }
  store::UsageRow lease(core::ProjectIx project, std::int64_t after_s, std::int64_t seconds) {
    store::UsageRow row;
    row.job = {9, ids++};
    row.generation = 1;
    row.project = project;
    row.sku = 0;
    row.started_at = now + base::Duration::seconds(after_s);
    row.ended_at = row.started_at + base::Duration::seconds(seconds);
    row.billed_s = seconds;
    row.rates.gpus = 2;
    row.rates.gpu_price = price;
    return row;
  }
  api::Usage sum(UsageBy by, std::int64_t from_s, std::int64_t to_s,
                 const std::vector<store::UsageRow>& rows) {
    UsageSums sums(world, core::nobody, by, now + base::Duration::seconds(from_s),
                   now + base::Duration::seconds(to_s), now);
    for (const auto& row : rows) sums.add_closed(row);
    return std::move(sums).result();
  }
};

}  // namespace

TEST_CASE("what is paid in two currencies has a row and a total in each") {
  TwoCurrencies c;
  const std::vector rows = {c.lease(0, 0, 100), c.lease(1, 0, 10), c.lease(1, 50, 5)};
  const api::Usage by_sku = c.sum(UsageBy::sku, 0, 1'000, rows);
  REQUIRE(by_sku.rows.size() == 2);
  CHECK(by_sku.rows[0].key == "h100");
  CHECK(by_sku.rows[0].currency == "JPY");
  CHECK(by_sku.rows[0].amount_ticks == 2 * 15 * price);
  CHECK(by_sku.rows[0].jobs == 2);
  CHECK_FALSE(by_sku.rows[1].currency);
  CHECK(by_sku.rows[1].amount_ticks == 2 * 100 * price);
  REQUIRE(by_sku.totals.size() == 2);
  CHECK(by_sku.totals[0].amount_ticks == by_sku.rows[0].amount_ticks);
  CHECK(by_sku.totals[1].gpu_seconds == 200);
}

TEST_CASE("windows that follow each other add up to the whole, by day too") {
  TwoCurrencies c;
  std::vector<store::UsageRow> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(c.lease(0, i * 9'000, 30'001));
  const auto total = [&](std::int64_t from_s, std::int64_t to_s) {
    const auto usage = c.sum(UsageBy::day, from_s, to_s, rows);
    core::Ticks days = 0;
    for (const auto& row : usage.rows) days += row.amount_ticks;
    const core::Ticks all = usage.totals.empty() ? 0 : usage.totals[0].amount_ticks;
    CHECK(days == all);
    return all;
  };
  CHECK(total(0, 7'777) + total(7'777, 100'003) + total(100'003, 1'000'000) ==
        20 * 2 * 30'001 * price);
}

TEST_CASE("a live lease counts up to now, and as it closed if it closed meanwhile") {
  TwoCurrencies c;
  const core::Id id = c.start(c.request("h100:2"));
  c.now = c.now + base::Duration::seconds(60);
  UsageSums live(c.world, core::nobody, UsageBy::project, {0}, {INT64_MAX / 2}, c.now);
  CHECK(std::move(live).result().totals.at(0).gpu_seconds == 120);
  UsageSums closed(c.world, core::nobody, UsageBy::project, {0}, {INT64_MAX / 2}, c.now);
  store::UsageRow row = c.lease(0, -60, 61);
  row.job = id;
  row.generation = c.job(id).generation;
  closed.add_closed(row);
  const auto usage = std::move(closed).result();
  CHECK(usage.totals.at(0).gpu_seconds == 122);
  CHECK(usage.totals.at(0).jobs == 1);
}

}  // namespace ampacity::server
