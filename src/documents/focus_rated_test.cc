// The export of what the rating really makes: random histories, billed month by month with late
// news, as billing's own tests have them. AMPACITY_FOCUS_DUMP=FOLDER keeps the files, for
// tests/focus_rules.py.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>

#include "billing/test_history.h"
#include "documents/focus_sample.h"
#include "documents/usage_csv.h"

namespace ampacity::documents {
namespace {

using billing::test::History;

FocusNames names_of(const History& h) {
  FocusNames n = sample::names();
  n.projects.clear();
  n.skus.clear();
  n.sites.clear();
  for (std::uint64_t p = 0; p < 3; ++p)
    n.projects.push_back(
        {base::format_id("prj", sample::id(40 + p)), "project " + std::to_string(p), 0});
  for (const std::string& s : h.base.names.skus) n.skus.push_back({s, s, false});
  for (const std::string& s : h.base.names.sites) n.sites.push_back({s, s + "-region", s});
  n.contracts = h.base.contracts;
  std::sort(n.contracts.begin(), n.contracts.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  n.job_name = {};
  return n;
}

// Bills a history by the month, and exports every invoice as it is made.
struct Exporter {
  History h;
  FocusNames names = names_of(h);
  std::vector<core::InvoiceLine> earlier;
  std::vector<core::Invoice> invoices;
  std::string focus_csv, usage_csv;
  std::int64_t parts = 0;

  billing::Inputs next(base::Instant from, base::Instant until, std::uint64_t sequence) {
    billing::Inputs in = billing::test::period(h, from, until, sequence);
    in.earlier = earlier;
    if (!invoices.empty())
      for (base::Instant m = h.begin; m < invoices.back().until; m = base::month_plus(m, 1))
        in.billed.push_back(
            {m, invoices.back().until, invoices.back().sequence, invoices.back().sequence});
    return in;
  }

  void bill(FocusWriter& focus, UsageCsv& usage, base::Instant from, std::uint64_t sequence) {
    const base::Instant until = base::month_plus(from, 1);
    const billing::Inputs in = next(from, until, sequence);
    // The lines are known before their parts are streamed: rate, then rate again for the parts.
    auto rated = billing::rate_org(in, h.usage, {});
    REQUIRE(rated);
    rated->invoice.number = fmt::format("2026-{:06}", invoices.size() + 1);
    focus.begin(rated->invoice);
    usage.begin(rated->invoice);
    const auto again = billing::rate_org(in, h.usage, [&](const billing::RatedPart& p) {
      focus.add(p);
      usage.add(p);
      ++parts;
    });
    REQUIRE(again);
    const auto done = focus.end();
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
    for (std::size_t i = 0; i < in.project_funds.size(); ++i)
      h.base.project_funds[i].left_minor -= rated->project_drawn[i].left_minor;
    for (std::size_t i = 0; i < in.contract_funds.size(); ++i)
      h.base.contract_funds[i].left_minor -= rated->contract_drawn[i].left_minor;
    std::erase_if(h.base.bought, [&](const auto& b) { return b.sequence <= sequence; });
    earlier.insert(earlier.end(), rated->invoice.lines.begin(), rated->invoice.lines.end());
    invoices.push_back(std::move(rated->invoice));
  }

  void run(std::uint64_t seed) {
    FocusWriter focus(names, [this](std::string_view piece) { focus_csv += piece; });
    UsageCsv usage(names, [this](std::string_view piece) { usage_csv += piece; });
    billing::test::Dice dice(seed * 7);
    for (int m = 0; m < h.months + 2; ++m)
      bill(focus, usage, h.month(m),
           m == h.months + 1 ? UINT64_MAX / 4
                             : h.known_at(billing::test::after(h.month(m + 1), dice.upto(90'000))));
  }

  void keep(const std::string& folder, std::uint64_t seed) const {
    const auto ids = [](const auto& things) {
      boost::json::array all;
      for (const auto& t : things) all.push_back(boost::json::value(t.id));
      return all;
    };
    boost::json::array skus, regions, made;
    for (const NamedSku& s : names.skus) skus.push_back(boost::json::value(s.name));
    for (const NamedSite& s : names.sites) regions.push_back(boost::json::value(s.region));
    for (const core::Invoice& i : invoices) made.push_back(boost::json::parse(base::to_json(i)));
    const boost::json::object book{{"orgs", ids(names.orgs)},
                                   {"projects", ids(names.projects)},
                                   {"skus", skus},
                                   {"regions", regions},
                                   {"invoices", made}};
    const std::string stem = fmt::format("{}/history-{}", folder, seed);
    std::ofstream(stem + ".csv") << focus_csv;
    std::ofstream(stem + ".json") << boost::json::serialize(book);
  }
};

TEST_CASE("whatever was rated can be exported, and adds up to the invoices") {
  const char* folder = std::getenv("AMPACITY_FOCUS_DUMP");
  std::int64_t parts = 0, invoices = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    Exporter e{billing::test::random_history(seed)};
    e.run(seed);  // end() refuses what does not add up, by line and by total
    parts += e.parts;
    invoices += static_cast<std::int64_t>(e.invoices.size());
    const auto rows = std::count(e.usage_csv.begin(), e.usage_csv.end(), '\n') - 1;
    CHECK(rows == e.parts);
    if (folder) e.keep(folder, seed);
  }
  MESSAGE(invoices << " invoices of " << parts << " parts");
  CHECK(parts > 10'000);
}

}  // namespace
}  // namespace ampacity::documents
