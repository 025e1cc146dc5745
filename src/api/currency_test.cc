// An org that is billed in another currency than USD is shown that currency, wherever money is.
#include <doctest/doctest.h>

#include "api/bind_hooks.h"
#include "api/views.h"
#include "core/test_cloud.h"

namespace ampacity::api {
namespace {

struct Abroad {
  const char* code;
  base::Ticks price;        // of a GPU-second
  const char* hourly;       // of eight
  const char* limit;        // of a budget
  const char* shown_limit;  // of it
  const char* left;         // once 8 GPUs are held for ten minutes
};

// The org's project, with a little credit.
core::ProjectIx settle_in(core::TestCloud& c, const Abroad& a, std::int64_t minor) {
  const std::string org = a.code, project = org + "-p";
  REQUIRE(c.run(core::CreateOrg{{0, c.ids++}, org}));
  core::BillingProfile profile;
  profile.currency = a.code;
  REQUIRE(c.run(core::SetBilling{org, profile}));
  core::PriceBook book =
      core::plain_book("abroad", {}, {{"h100", a.price, a.price / 2}}, 0, 0, 100, 50);
  book.currency = a.code;
  c.now = c.now + base::Duration::seconds(1);
  REQUIRE(c.run(core::SetPrices{book, ""}));
  REQUIRE(c.run(core::CreateProject{{0, c.ids++}, project, org}));
  REQUIRE(c.run(core::CreateUser{{0, c.ids++}, org + "-u", org}));
  REQUIRE(c.run(core::AddCredit{project, minor, ""}));
  return *c.world.project(project);
}

core::SubmitJob request(core::TestCloud& c, core::ProjectIx project) {
  core::SubmitJob s = c.request("h100:8");
  s.job.project = project;
  s.job.user = static_cast<core::UserIx>(c.world.state().users.size() - 1);
  return s;
}

}  // namespace

TEST_CASE("quotes, offers, reasons, budgets, quotas and events are in the org's currency") {
  for (const Abroad& a : {Abroad{"JPY", 7'000'000, "5600", "20000jpy", "20000", "19067"},
                          Abroad{"KWD", 12'345, "9.876", "50.5kwd", "50.500", "48.854"},
                          Abroad{"EUR", 42'000, "33.6", "20eur", "20.00", "14.40"}}) {
    CAPTURE(a.code);
    const std::string code = a.code;
    core::TestCloud c(2);
    const core::ProjectIx project = settle_in(c, a, 1);
    const core::OrgIx org = c.world.state().projects[project].org;

    const auto quote = view_quote(c.world, request(c, project), c.now);
    REQUIRE(quote);
    CHECK(quote->currency == code);
    CHECK(quote->usd_per_hour.starts_with(a.hourly));
    const auto refused = c.run(request(c, project));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find(" " + code + " of credit") != std::string::npos);
    CHECK(refused.error().message.find("USD") == std::string::npos);

    const auto offers = view_offers(c.world, org, c.now);
    CHECK(offers.currency == code);
    CHECK(offers.items.at(0).on_demand_usd_per_gpu_hour == base::format_hourly_price(a.price));
    CHECK_FALSE(view_offers(c.world, core::nobody, c.now).currency);

    REQUIRE(c.run(core::AddCredit{code + "-p", 1'000'000'00, ""}));
    BudgetRequest wanted;
    wanted.limit = a.limit;
    wanted.block = true;
    auto bound = bind_budget(wanted);
    REQUIRE(bound);
    CHECK(bound->currency == code);
    core::Budget& b = bound->set.budget;
    b.id = {0, c.ids++};
    b.name = "all";
    b.org = org;
    b.project = project;
    REQUIRE(c.run(bound->set));
    const core::Id id = c.start(request(c, project));
    const BudgetView budget = view_budget(c.world, 0, c.now);
    CHECK(budget_unit(c.world.state(), c.world.state().budgets[0]) == budget.unit);
    CHECK(std::equal(budget.unit.begin(), budget.unit.end(), code.begin(), code.end(),
                     [](char x, char y) { return x - 'a' == y - 'A'; }));
    CHECK(budget.limit == a.shown_limit);
    CHECK(budget.left == a.left);

    core::SetQuota quota;
    quota.org = code;
    quota.quota.spend = 100 * base::ticks_per_usd;
    quota.quota.window_s = 86'400;
    REQUIRE(c.run(quota));
    CHECK(view_org_quota(c.world, org, c.now).lines.back().what == "spend_" + budget.unit);
    CHECK(view_why(c.world, c.job(id), core::nobody, c.now).currency == code);

    c.now = c.now + base::Duration::seconds(60);
    c.end(id);
    const auto closed = std::find_if(c.facts.rbegin(), c.facts.rend(), [](const core::Fact& f) {
      return std::holds_alternative<core::LeaseClosed>(f.body);
    });
    REQUIRE(closed != c.facts.rend());
    CHECK(view_event(c.world, *closed, 1, project).text.find(" " + code) != std::string::npos);
  }
}

}  // namespace ampacity::api
