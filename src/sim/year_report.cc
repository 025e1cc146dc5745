#include "sim/year_report.h"

#include <fmt/format.h>

#include <iterator>

#include "base/money.h"
#include "sim/report.h"

namespace ampacity::sim {
namespace {

double part(double a, double b) { return b > 0 ? 100.0 * a / b : 0; }
double gpu_hours(std::int64_t gpu_us) { return static_cast<double>(gpu_us) / 3.6e9; }
double capacity_hours(const YearResult& r) {
  return static_cast<double>(r.nodes) * 8 * static_cast<double>(r.plan.days) * 24;
}
double of_leased(const YearResult& r, std::int64_t what) {
  return part(static_cast<double>(what), static_cast<double>(r.time.leased));
}

std::vector<std::int64_t> widened(const std::vector<std::uint32_t>& waits) {
  return {waits.begin(), waits.end()};
}

double kept_percent(const YearPromises& p) {
  return p.made ? part(static_cast<double>(p.kept), static_cast<double>(p.made)) : 100;
}

// Node faults that took a node, per 1,000 node-days: what the rate came out as.
double faults_per_1000(const YearResult& r) {
  return 1000.0 * static_cast<double>(r.counts.node_faults + r.counts.gpu_faults) /
         (static_cast<double>(r.nodes) * static_cast<double>(r.plan.days));
}

class Table {
 public:
  template <typename... Args>
  void row(std::string_view name, fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), "{:<20} ", name);
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void rows_of_work(const YearResult& r, Table& t) {
  const YearCounts& c = r.counts;
  t.row("fleet", "{} GPUs in {} nodes at {} sites, {} projects ({} prepaid), {} days, seed {}",
        r.nodes * 8, r.nodes, r.sites, r.projects, r.prepaid, r.plan.days, r.plan.seed);
  t.row("jobs", "{} submitted: {} done, {} failed, {} cancelled, {} at their limit,", c.jobs,
        c.done, c.failed, c.cancelled, c.cut);
  t.row("", "{} out of credit, {} lost, {} given up, {} alive at the end ({} without a reason)",
        c.dry, c.lost, c.given_up, c.alive, c.unexplained);
  t.row("refused", "{} submissions for credit, {} for a quota, {} else; tried again for a while",
        c.refused_credit, c.refused_quota, c.refused_other);
  t.row("utilisation",
        "{:.2f} % of all GPU-time leased ({:.1f} M GPU-hours); at most {} jobs at once",
        part(gpu_hours(r.time.leased), capacity_hours(r)), gpu_hours(r.time.leased) / 1e6,
        r.most_running);
  t.row("goodput", "{:.2f} % of leased GPU-time did work that was kept (ETTR)",
        of_leased(r, r.time.useful));
  t.row("",
        "else: starting {:.2f}, restoring {:.2f}, checkpoints {:.2f}, lost to faults {:.2f}, "
        "to stops {:.2f}, unnoticed or unreported {:.2f} %",
        of_leased(r, r.time.starting), of_leased(r, r.time.restoring),
        of_leased(r, r.time.checkpoints), of_leased(r, r.time.lost_to_faults),
        of_leased(r, r.time.lost_to_stops), of_leased(r, r.time.rest()));
  for (const core::JobClass k :
       {core::JobClass::reserved, core::JobClass::on_demand, core::JobClass::spot}) {
    auto waits = widened(r.wait_s[static_cast<std::size_t>(k)]);
    double sum = 0;
    std::uint64_t at_once = 0;
    for (const std::int64_t w : waits) {
      sum += static_cast<double>(w);
      at_once += w == 0;
    }
    const double mean = waits.empty() ? 0 : sum / static_cast<double>(waits.size());
    t.row(k == core::JobClass::reserved ? "wait, seconds" : "",
          "{:<9} mean {:.0f}, p90 {}, p99 {}, p99.9 {}; {:.1f} % of {} at once", base::enum_name(k),
          mean, nearest_rank(waits, 0.9), nearest_rank(waits, 0.99), nearest_rank(waits, 0.999),
          part(static_cast<double>(at_once), static_cast<double>(waits.size())), waits.size());
  }
}

void rows_of_promises(const YearResult& r, Table& t) {
  auto early = r.promises.early_s;
  auto errors = r.promises.estimate_s;
  t.row("promises",
        "{} came due, {:.2f} % kept, {} withdrawn first; promised − true start, seconds:",
        r.promises.made, kept_percent(r.promises), r.promises.dropped);
  t.row("", "p1 {}, p10 {}, p50 {}, p90 {}, p99 {}", nearest_rank(early, 0.01),
        nearest_rank(early, 0.1), nearest_rank(early, 0.5), nearest_rank(early, 0.9),
        nearest_rank(early, 0.99));
  t.row("estimates",
        "{} asked; |expected − true start| p50 {} s, p90 {} s; {:.1f} % within likely_by",
        errors.size(), nearest_rank(errors, 0.5), nearest_rank(errors, 0.9),
        part(static_cast<double>(r.promises.likely_kept),
             static_cast<double>(r.promises.likely_made)));
  t.row("preemptions", "{} ({:.3f} per job); at most {} jobs waited", r.counts.preemptions,
        part(static_cast<double>(r.counts.preemptions), static_cast<double>(r.counts.jobs)) / 100,
        r.most_waiting);
}

void rows_of_faults(const YearResult& r, Table& t) {
  const YearCounts& c = r.counts;
  t.row("failures",
        "{} nodes, {} cards ({} racks at once): {:.2f} per 1,000 node-days; {} leases hit",
        c.node_faults, c.gpu_faults, c.rack_faults, faults_per_1000(r), c.jobs_hit);
  t.row("repairs", "{}, mean {:.1f} h at work, {:.1f} h out of service", c.repairs,
        c.repairs ? static_cast<double>(c.repair_s) / 3600 / static_cast<double>(c.repairs) : 0,
        c.repairs ? static_cast<double>(c.out_s) / 3600 / static_cast<double>(c.repairs) : 0);
  t.row("drains", "{} planned ({} refused: reserved); {} price changes", c.drains, c.drains_refused,
        c.price_changes);
  t.row("report faults", "{} starts late, {} starts never told, {} ends late, {} told twice",
        c.late_starts, c.lost_reports, c.late_ends, c.doubled_reports);
}

void rows_of_money(const YearResult& r, Table& t) {
  const YearMoney& m = r.money;
  t.row("money", "{} USD billed, {} GPU-hours waived, {} top-ups of {} USD",
        base::format_usd(m.billed, 2), m.waived_s / 3600, r.counts.top_ups,
        base::format_usd(m.topped_up, 2));
  t.row(
      "drift",
      "{} ticks in {} checks of all wallets; {} leases closed, {} of them faulted, {} billed wrong",
      m.drift, m.checks, m.closed, m.faulted, m.wrong_leases);
}

}  // namespace

std::string year_table(const YearResult& r) {
  Table t;
  t.row("SIMULATED", "virtual time, production core; no fleet was measured");
  rows_of_work(r, t);
  rows_of_promises(r, t);
  rows_of_faults(r, t);
  rows_of_money(r, t);
  t.row("cost",
        "{:.1f} s ({:.1f} s of CPU), {} MiB at most; {} commands, {} ticks, {} facts, {} "
        "settlements; {:.1f} us a job",
        r.seconds, r.cpu_seconds, r.peak_kib / 1024, r.counts.steps, r.counts.ticks, r.counts.facts,
        r.counts.settlements,
        r.counts.jobs ? r.cpu_seconds * 1e6 / static_cast<double>(r.counts.jobs) : 0);
  t.row("digest", "{:016x}", r.digest);
  return t.take();
}

std::string year_json(const YearResult& r) {
  const YearCounts& c = r.counts;
  const YearMoney& m = r.money;
  auto early = r.promises.early_s;
  auto errors = r.promises.estimate_s;
  std::string out = fmt::format(
      "{{\"simulated\":true,\"gpus\":{},\"days\":{},\"seed\":{},\"jobs\":{},\"done\":{},"
      "\"failed\":{},\"cancelled\":{},\"cut\":{},\"dry\":{},\"lost\":{},\"given_up\":{},"
      "\"alive\":{},\"unexplained\":{},",
      r.nodes * 8, r.plan.days, r.plan.seed, c.jobs, c.done, c.failed, c.cancelled, c.cut, c.dry,
      c.lost, c.given_up, c.alive, c.unexplained);
  fmt::format_to(
      std::back_inserter(out),
      "\"gpu_allocated_pct\":{:.3f},\"goodput_pct\":{:.3f},\"lost_to_faults_pct\":{:.3f},"
      "\"lost_to_stops_pct\":{:.3f},\"preemptions\":{},\"promises_made\":{},"
      "\"promises_kept_pct\":{:.2f},\"promise_early_s_p50\":{},"
      "\"estimate_error_s_p50\":{},\"estimate_error_s_p90\":{},",
      part(gpu_hours(r.time.leased), capacity_hours(r)), of_leased(r, r.time.useful),
      of_leased(r, r.time.lost_to_faults), of_leased(r, r.time.lost_to_stops), c.preemptions,
      r.promises.made, kept_percent(r.promises), nearest_rank(early, 0.5),
      nearest_rank(errors, 0.5), nearest_rank(errors, 0.9));
  for (const core::JobClass k :
       {core::JobClass::reserved, core::JobClass::on_demand, core::JobClass::spot}) {
    auto waits = widened(r.wait_s[static_cast<std::size_t>(k)]);
    fmt::format_to(std::back_inserter(out), "\"wait_s_p99_{}\":{},", base::enum_name(k),
                   nearest_rank(waits, 0.99));
  }
  fmt::format_to(
      std::back_inserter(out),
      "\"failures_per_1000_node_days\":{:.3f},\"leases_hit\":{},\"repairs\":{},"
      "\"drains\":{},\"price_changes\":{},\"billed_usd\":{},\"waived_gpu_h\":{},"
      "\"leases_closed\":{},\"leases_faulted\":{},\"leases_wrong\":{},"
      "\"drift_ticks\":{},\"steps\":{},\"seconds\":{:.1f},\"cpu_seconds\":{:.1f},\"peak_mib\":{},"
      "\"digest\":\"{:016x}\"}}",
      faults_per_1000(r), c.jobs_hit, c.repairs, c.drains, c.price_changes,
      m.billed / base::ticks_per_usd, m.waived_s / 3600, m.closed, m.faulted, m.wrong_leases,
      m.drift, c.steps, r.seconds, r.cpu_seconds, r.peak_kib / 1024, r.digest);
  return out;
}

}  // namespace ampacity::sim
