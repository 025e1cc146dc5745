// `prices`: what its verbs ask for and print.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "cli/fake_cloud.h"
#include "cli/price_sheet.h"
#include "cli/session.h"

namespace ampacity::cli {
namespace {

struct BookFolder {
  std::string path;
  BookFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ampacity-prices-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~BookFolder() { std::filesystem::remove_all(path); }
};

api::PriceRuleView rule(const char* sku, std::optional<core::JobClass> job_class,
                        std::optional<std::int64_t> term, base::Ticks price) {
  api::PriceRuleView r;
  r.meter = "gpu";
  r.sku = sku;
  r.job_class = job_class;
  r.term_months = term;
  r.text = base::format_hourly_price(price) + " an hour";
  r.exact_per_second = price % 9 == 0;
  r.price = {core::PriceKind::per_unit, 1000, {{0, price, 0}}};
  return r;
}

const std::vector<api::PriceRuleView> rules = {
    rule("h100", {}, {}, 47'800), rule("h100", core::JobClass::spot, {}, 23'904),
    rule("h100", {}, 12, 31'070), rule("a40", {}, {}, 12'798)};

api::PriceBookView book(std::vector<api::PriceRuleView> with) {
  api::PriceBookView b;
  b.version = 3;
  b.name = "autumn";
  b.currency = "USD";
  b.state = api::BookState::in_force;
  b.rule_count = static_cast<std::int64_t>(with.size());
  b.rules = std::move(with);
  return b;
}

TEST_CASE("a sheet has a line for each SKU and marks what is not exact per second") {
  const PriceSheet sheet = price_sheet(rules);
  CHECK(sheet.inexact);
  REQUIRE(sheet.table.rows.size() == 2);
  REQUIRE(sheet.table.columns.size() == 5);  // no site is named
  CHECK(sheet.table.columns[4].title == "12 MONTHS");
  const auto& h100 = sheet.table.rows[1];
  CHECK(h100[1].text == "h100");
  CHECK(h100[2].text == "4.78 *");
  CHECK(h100[3].text == "2.3904");
  CHECK(h100[4].text == "3.107 *");
  CHECK(sheet.table.rows[0][2].text == "1.2798");
}

TEST_CASE("changes are new, gone, or other, in percent; what stays is not listed") {
  const std::vector<api::PriceRuleView> after = {
      rule("h100", {}, {}, 43'020), rule("h100", {}, 12, 31'070), rule("a40", {}, {}, 12'798),
      rule("l40s", {}, {}, 22'500)};
  const Table t = price_changes(rules, after);
  REQUIRE(t.rows.size() == 3);
  CHECK(t.rows[0][4].text == "-10.0 %");
  CHECK(t.rows[1][0].text == "gpu h100");
  CHECK(t.rows[1][1].text == "spot");
  CHECK(t.rows[1][4].text == "gone");
  CHECK(t.rows[2][4].text == "new");
  CHECK(price_changes(rules, rules).rows.empty());
}

TEST_CASE("inexact prices come with the nearest that is exact") {
  CHECK(inexact_prices(rules) ==
        std::vector<std::string>{
            "gpu h100 (any class): 4.78 an hour; the nearest that is exact: 4.7799",
            "gpu h100 (any class, 12 months): 3.107 an hour; the nearest that is exact: 3.1068"});
}

TEST_CASE("prices: shown, validated without a server's leave, set with what changes") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  cloud.answer("GET /v1/prices", 200, base::to_json(api::PriceBookList{{book(rules)}}));
  CHECK(cli({"prices"}) == 0);
  CHECK(cli.out.str().find("autumn (version 3, USD, for everybody") != std::string::npos);
  CHECK(cli.out.str().find("4.78 *") != std::string::npos);
  CHECK(cli.err.str().find("finite decimal") != std::string::npos);

  const BookFolder folder;
  const std::string file = folder.path + "/book.yaml";
  std::ofstream(file) << "name: winter\ngpus: {h100: {on_demand: 4.30}}\n"
                         "beside_gpu: {vcpu: 0.0099, gib: 0.0054}\n"
                         "cpu_only: {vcpu: 0.0099, gib: 0.0054}\n";
  cloud.answer("GET /v1/offers", 500, "");
  CHECK(cli({"prices", "validate", file}) == 0);
  CHECK(cli.out.str().find("winter: 6 prices, valid") != std::string::npos);
  CHECK(cli.err.str().find("4.30 an hour; the nearest that is exact: 4.3002") != std::string::npos);
  std::ofstream(folder.path + "/bad.yaml") << "name: x\nrules:\n  - {meter: gpu, price: y}\n";
  CHECK(cli({"prices", "validate", folder.path + "/bad.yaml"}) == exit_refused);
  CHECK(cli.err.str().find("line 3") != std::string::npos);

  CHECK(cli({"prices", "diff", "3", file}) == 0);
  CHECK(cli.out.str().find("-10.0 %") != std::string::npos);

  cloud.answer("POST /v1/prices", 201, base::to_json(book({rule("h100", {}, {}, 43'020)})));
  CHECK(cli({"prices", "set", file, "--from", "2026-12-01T00:00:00Z"}) == 0);
  CHECK(cli.err.str().find("version 3 holds for everybody") != std::string::npos);
  CHECK(cli({"prices", "set", file, "--from", "soon"}) == exit_refused);
}

}  // namespace
}  // namespace ampacity::cli
