// focus_bench [--rows N] [--json]     how long a cost export of N rows takes, and what memory
// focus_bench --sample FOLDER         a month with every kind of charge, as every export:
// focus.csv,
//                                     its schema, invoices.json, usage.csv, ledger.journal, trial
//                                     balances; for tests/focus_rules.py, hledger and trying out
// The rows are parts of 1,000 orgs' leases in June 2026, made cheaply as they are written; the file
// is written to $TMPDIR, closed, and removed.
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/openb_bench.h"
#include "documents/focus_sample.h"
#include "documents/journal_sample.h"
#include "documents/trial_balance.h"
#include "documents/usage_csv.h"

namespace ampacity::documents {
namespace {

using Steady = std::chrono::steady_clock;

double peak_rss_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

struct Output {
  std::FILE* file = nullptr;
  std::int64_t bytes = 0;
  bool good = true;
  explicit Output(const std::string& path) : file(std::fopen(path.c_str(), "wb")) {
    if (file) std::setvbuf(file, nullptr, _IONBF, 0);
    good = file != nullptr;
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { close(); }
  void close() {
    if (file) good &= std::fclose(file) == 0;
    file = nullptr;
  }
  TextSink sink() {
    return [this](std::string_view text) {
      if (file) good &= std::fwrite(text.data(), 1, text.size(), file) == text.size();
      bytes += static_cast<std::int64_t>(text.size());
    };
  }
};

// ---- the sample ---------------------------------------------------------------------------------

boost::json::array ids_of(const auto& things) {
  boost::json::array ids;
  for (const auto& t : things) ids.push_back(boost::json::value(t.id));
  return ids;
}

// What tests/focus_rules.py reconciles with: the invoices as they are stored, and names by index.
std::string invoices_json(const FocusNames& n, const std::vector<sample::Bill>& bills) {
  boost::json::object all{{"orgs", ids_of(n.orgs)}, {"projects", ids_of(n.projects)}};
  boost::json::array skus, regions, invoices;
  for (const NamedSku& s : n.skus) skus.push_back(boost::json::value(s.name));
  for (const NamedSite& s : n.sites) regions.push_back(boost::json::value(s.region));
  for (const sample::Bill& b : bills)
    invoices.push_back(boost::json::parse(base::to_json(b.invoice)));
  all["skus"] = std::move(skus);
  all["regions"] = std::move(regions);
  all["invoices"] = std::move(invoices);
  return boost::json::serialize(all) + "\n";
}

int write_sample(const std::string& folder) {
  const FocusNames names = sample::names();
  const std::vector<sample::Bill> bills = sample::bills();
  bool good = true;
  const auto file = [&](const char* name, const auto& write) {
    Output out(folder + "/" + name);
    write(out.sink());
    out.close();
    good &= out.good;
  };
  file("focus.csv", [&](const TextSink& sink) {
    FocusWriter out(names, sink);
    for (const sample::Bill& b : bills) {
      out.begin(b.invoice);
      for (const billing::RatedPart& p : b.parts) out.add(p);
      if (const auto done = out.end(); !done) {
        fmt::print(stderr, "{}\n", done.error().message);
        good = false;
      }
    }
  });
  file("usage.csv", [&](const TextSink& sink) {
    UsageCsv out(names, sink);
    for (const sample::Bill& b : bills) {
      out.begin(b.invoice);
      for (const billing::RatedPart& p : b.parts) out.add(p);
    }
  });
  file("focus.schema.json",
       [](const TextSink& sink) { sink(focus_schema(sample::at("2026-06-01T00:00:00Z"))); });
  file("invoices.json", [&](const TextSink& sink) { sink(invoices_json(names, bills)); });
  const sample::BookMonth books = sample::books(7, 2'000);
  file("ledger.journal", [&](const TextSink& sink) { books.write(sink); });
  file("trial_balance.csv", [&](const TextSink& sink) { trial_balance_csv(books.accounts, sink); });
  file("trial_balance.txt",
       [&](const TextSink& sink) { trial_balance_table(books.accounts, sink); });
  return good ? 0 : 1;
}

// ---- the bench ----------------------------------------------------------------------------------

constexpr std::uint32_t orgs = 1'000;

FocusNames many_names() {
  FocusNames n = sample::names();
  n.orgs.clear();
  n.projects.clear();
  for (std::uint32_t i = 0; i < orgs; ++i) {
    n.orgs.push_back({base::format_id("org", sample::id(i)), fmt::format("Customer {}", i)});
    n.projects.push_back(
        {base::format_id("prj", sample::id(10'000 + i)), fmt::format("project {}", i), i});
  }
  return n;
}

// Three lines an org, as the rating makes them: GPUs, vCPUs and memory of each lease.
struct Load {
  core::Invoice invoice;
  std::array<billing::RatedPart, 3> like;

  explicit Load(std::uint32_t org) {
    sample::Bill b(org, "2026-000000");
    b.invoice.number = fmt::format("2026-{:06}", org + 1);
    using sample::like;
    const auto usage = [&](const char* meter, const char* unit, std::int64_t per,
                           base::Ticks price) {
      return sample::of(like(core::LineKind::usage, org, meter, unit, per, price, price), 0,
                        org % 2, org % 3 == 0 ? core::JobClass::spot : core::JobClass::on_demand,
                        org % 3);
    };
    this->like = {usage("gpu", "GPU-Hours", 1000, 47'800), usage("vcpu", "vCPU-Hours", 1000, 100),
                  usage("memory", "GiB-Hours", 1024, 50)};
    for (const billing::RatedPart& p : this->like)
      b.line(p, "NVIDIA H100 SXM5, on demand, las1",
             {sample::own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", 0, 0)});
    invoice = std::move(b.invoice);
  }

  billing::RatedPart part(std::int64_t i) {
    const auto which = static_cast<std::size_t>(i % 3);
    billing::RatedPart p = like[which];
    const std::int64_t lease = i / 3;
    const std::int64_t seconds = 61 + (lease * 7'919) % 40'000;
    constexpr std::int64_t sizes[] = {8'000, 128'000, 1'048'576};
    p.line = which;
    p.job = {invoice.id.high, invoice.id.low + static_cast<std::uint64_t>(1'000'000 + lease)};
    p.generation = 1;
    p.from = invoice.from + base::Duration::seconds((lease * 104'729) % 2'500'000);
    p.until = p.from + base::Duration::seconds(seconds);
    p.month = invoice.from;
    p.quantity = sizes[which] * seconds;
    p.ticks = p.effective_ticks = sizes[which] / p.per * seconds * p.list_price;
    core::InvoiceLine& line = invoice.lines[which];
    p.minor = base::divide_half_up(line.ticks + p.ticks, base::ticks_per_cent) - line.minor;
    line.ticks += p.ticks;
    line.minor += p.minor;
    return p;
  }
};

int bench(std::int64_t rows, bool json) {
  const char* folder = std::getenv("TMPDIR");
  const std::string path = fmt::format("{}/focus_bench.{}.csv", folder ? folder : "/tmp",
                                       Steady::now().time_since_epoch().count());
  const auto start = Steady::now();
  const FocusNames names = many_names();
  Output file(path);
  double early_mib = 0;
  std::int64_t written = 0;
  {
    FocusWriter out(names, file.sink());
    for (std::uint32_t org = 0; org < orgs && file.good; ++org) {
      Load load(org);
      const std::int64_t wanted = rows * (org + 1) / orgs - rows * org / orgs - (org % 2);
      out.begin(load.invoice);
      for (std::int64_t i = 0; i < wanted; ++i) out.add(load.part(i));
      for (const core::InvoiceLine& l : load.invoice.lines) load.invoice.total_minor += l.minor;
      load.invoice.taxes = {{"S", org % 2 ? 1'900 : 0, load.invoice.total_minor, 0}};
      core::TaxLine& tax = load.invoice.taxes.front();
      tax.tax_minor = base::divide_half_up(static_cast<Wide>(tax.base_minor) * tax.rate_bp, 10'000);
      load.invoice.total_minor += tax.tax_minor;
      if (const auto done = out.end(); !done) {
        fmt::print(stderr, "{}\n", done.error().message);
        return 1;
      }
      if (org == orgs / 10) early_mib = peak_rss_mib();
    }
    written = out.rows();
  }
  file.close();
  const double seconds = std::chrono::duration<double>(Steady::now() - start).count();
  std::remove(path.c_str());
  if (!file.good) {
    fmt::print(stderr, "{}: cannot be written\n", path);
    return 1;
  }
  const auto mib = static_cast<double>(file.bytes) / (1024 * 1024);
  if (json)
    fmt::print(R"({{"bench": "focus", "seconds": {:.2f}, "rows": {}, "rss_mib": {:.1f}, )"
               R"("rss_mib_at_a_tenth": {:.1f}, "file_mib": {:.0f}, {}}})"
               "\n",
               seconds, written, peak_rss_mib(), early_mib, mib, core::bench::machine_keys());
  else
    fmt::print("{} rows, {:.0f} MiB in {:.2f} s; at most {:.1f} MiB of memory, {:.1f} at a tenth\n",
               written, mib, seconds, peak_rss_mib(), early_mib);
  return 0;
}

int run(int argc, char** argv) {
  std::int64_t rows = 1'000'000;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--sample" && i + 1 < argc) return write_sample(argv[i + 1]);
    if (word == "--json") {
      json = true;
    } else if (word == "--rows" && i + 1 < argc) {
      rows = std::strtoll(argv[++i], nullptr, 10);
    } else {
      fmt::print(stderr, "usage: focus_bench [--rows N] [--json] | --sample FOLDER\n");
      return 2;
    }
  }
  return bench(rows, json);
}

}  // namespace
}  // namespace ampacity::documents

int main(int argc, char** argv) { return ampacity::documents::run(argc, argv); }
