// Why a job waits, in words: the sentences for what core/explain.h found.
#include <fmt/core.h>

#include <algorithm>

#include "api/views.h"
#include "api/when.h"
#include "core/desire.h"
#include "core/estimate.h"
#include "core/explain.h"
#include "core/meter.h"

namespace ampacity::api {
namespace {

using core::Constraint;

std::string ordinal(std::uint32_t n) {
  const std::uint32_t tens = n % 100, ones = n % 10;
  const bool teen = tens >= 11 && tens <= 13;
  return std::to_string(n) + (!teen && ones == 1   ? "st"
                              : !teen && ones == 2 ? "nd"
                              : !teen && ones == 3 ? "rd"
                                                   : "th");
}

std::string decimal(std::int64_t milli) { return format_decimal(milli, 1000); }

std::string memory_text(std::int64_t mib) {
  return mib % 1024 ? fmt::format("{} MiB", mib) : fmt::format("{} GiB", mib / 1024);
}

// What one sees: `only` is whose key asks; nobody: an operator's.
struct Teller {
  const core::World& w;
  const core::Job& job;
  core::ProjectIx only;
  Instant now;
  const core::Explanation& e;

  const core::Demand& demand() const { return job.demand; }
  const std::string& sku_name(core::SkuIx s) const { return w.state().skus[s].name; }
  bool may_name(core::ProjectIx project) const { return only == core::nobody || project == only; }

  std::string skus() const {
    std::string names;
    for (const core::SkuIx s : demand().skus) names += (names.empty() ? "" : " or ") + sku_name(s);
    return names;
  }

  // "4 nodes with 8 free h100 under one leaf"
  std::string need() const {
    const core::Demand& d = demand();
    std::string text = d.nodes == 1 ? "a node" : fmt::format("{} nodes", d.nodes);
    if (d.gpus_per_node == 0 && !e.rooms.empty())
      text += fmt::format(" with {} vCPU and {} free", decimal(e.rooms[0].cpu_milli),
                          memory_text(e.rooms[0].memory_mib));
    else if (d.mig)
      text += fmt::format(" with {}/8 of a {} free as a slice", d.mig, skus());
    else if (d.gpu_milli != 1000)
      text += fmt::format(" with {} of a {} free", decimal(d.gpu_milli), skus());
    else
      text += fmt::format(" with {} free {}", d.gpus_per_node, skus());
    if (d.together == core::Together::nvlink) text += " in one NVLink domain";
    if (d.together == core::Together::rack) text += " in one rack";
    if (d.together == core::Together::leaf) text += " under one leaf";
    return text;
  }

  std::string have() const {
    std::string text;
    for (const core::Room& r : e.rooms) {
      const std::string count = r.nodes_now ? std::to_string(r.nodes_now) : "none";
      text += (text.empty() ? "" : ", ") + count;
      if (e.rooms.size() > 1) text += " with " + sku_name(r.sku);
    }
    return text + " now";
  }

  // "; the 4th when job-… (train-7) ends, about 14:05 UTC"
  std::string ending() const {
    const core::Room* first = nullptr;
    for (const core::Room& r : e.rooms)
      if (r.ending && (!first || r.ending->at < first->ending->at)) first = &r;
    if (!first) return {};
    const std::string which = demand().nodes == 1 ? "it is free" : "the " + ordinal(demand().nodes);
    return fmt::format("; {} when {} ends, about {}", which, whose(*first->ending),
                       clock_text(first->ending->at, now));
  }
  std::string whose(const core::Ending& ending) const {
    if (!may_name(ending.project)) return "another project's job";
    const core::Job* other = w.job(ending.job);
    return core::job_name(ending.job) + (other ? " (" + other->name + ")" : "");
  }

  std::string held() const {
    std::uint32_t most = 0;
    for (const core::Room& r : e.rooms) most = std::max(most, r.nodes_held);
    const std::string also = fmt::format("; {} more {} free, but ", most, most == 1 ? "is" : "are");
    if (!e.keeper) return also + "kept for others";
    const core::Keeper& k = *e.keeper;
    if (k.why == core::Hold::Why::claim) return also + "being given to another job";
    if (k.why == core::Hold::Why::promise)
      return also + "promised to another job, by " + clock_text(k.from, now);
    std::string text =
        also + (k.maintenance ? "kept for maintenance" : "kept for another reservation");
    if (k.from > now) text += " from " + clock_text(k.from, now);
    return text + (k.until == core::forever ? "" : " until " + clock_text(k.until, now));
  }

  std::string promised() const {
    std::uint32_t most = 0;
    for (const core::Room& r : e.rooms) most = std::max(most, r.nodes_promised);
    if (most == 0) return {};
    return fmt::format("; {} {} to other jobs or kept when free", most,
                       most == 1 ? "is promised" : "are promised");
  }

  std::string topology() const {
    if (e.place == 0) return fmt::format("needs {}; nowhere that many now", need());  // in brief
    const auto best = std::max_element(
        e.rooms.begin(), e.rooms.end(),
        [](const core::Room& a, const core::Room& b) { return a.nodes_now < b.nodes_now; });
    return fmt::format("needs {}; {} there now and {} elsewhere", need(), best->nodes_now,
                       best->nodes_elsewhere) +
           ending();
  }

  std::string cpu_or_memory() const {
    const core::Room& r = *std::max_element(
        e.rooms.begin(), e.rooms.end(),
        [](const core::Room& a, const core::Room& b) { return a.nodes_short < b.nodes_short; });
    if (demand().gpus_per_node == 0) return fmt::format("needs {}; {}", need(), have()) + ending();
    return fmt::format(
               "needs {} and beside them {} vCPU and {}; {}, {} more {} the GPUs but not "
               "that much CPU or memory",
               need(), decimal(r.cpu_milli), memory_text(r.memory_mib), have(), r.nodes_short,
               r.nodes_short == 1 ? "has" : "have") +
           ending();
  }

  std::string reservation() const {
    if (e.until.us) return "its reservation begins at " + clock_text(e.until, now);
    return fmt::format("its reservation is full: needs {} of its GPUs, {} {} free", e.wanted,
                       e.available, e.available == 1 ? "is" : "are");
  }

  std::string claimed() const {
    std::string text = fmt::format("is getting its place: {} {} being stopped for it", e.stopping,
                                   e.stopping == 1 ? "job is" : "jobs are");
    if (e.until > now)
      text += fmt::format(", notice ends in {} s", (e.until - now).seconds_rounded_up());
    return text;
  }

  std::string sentence() const {
    switch (e.constraint) {
      case Constraint::none:
        return "the cloud has no prices yet";
      case Constraint::no_room:
        return fmt::format("needs {}; {}", need(), have()) + (!ending().empty() ? ending()
                                                              : e.keeper        ? held()
                                                                                : promised());
      case Constraint::topology:
        return topology();
      case Constraint::held_for_others:
        return fmt::format("needs {}; {}", need(), have()) + held();
      case Constraint::credit:
        return fmt::format("needs {} of credit held at the start; the project has {}",
                           core::money_text(w.state(), job.project, e.wanted, 2),
                           base::format_usd(e.available, 2));
      case Constraint::budget:
        return "a budget that it counts in has too little left for its start; see `ampacity "
               "budgets`";
      case Constraint::quota:
        return fmt::format("needs {} {} and the quota leaves {} of them", decimal(e.wanted),
                           sku_name(e.sku), decimal(e.available));
      case Constraint::cpu_or_memory:
        return cpu_or_memory();
      case Constraint::price:
        if (e.sku == core::nobody) return "no GPU it would take costs as little as it allows";
        return fmt::format("needs {} for at most {} {} per GPU-hour; there is room at {}", need(),
                           base::format_hourly_price(e.available), currency_code(w, job.project),
                           base::format_hourly_price(e.wanted));
      case Constraint::site:
        return fmt::format("needs {} at the sites it names; {}, there is room at {}", need(),
                           have(), w.state().sites[e.site].name);
      case Constraint::apart:
        return fmt::format("needs {} away from the project's other jobs labelled '{}'; {}", need(),
                           demand().apart, have());
      case Constraint::reservation:
        return reservation();
      case Constraint::claimed:
        return claimed();
      case Constraint::unreachable:
        return fmt::format("needs {}; {}, there is room at {}, which cannot be reached now", need(),
                           have(), w.state().sites[e.site].name);
      case Constraint::next_in_line:
        return e.place == 0 || e.ahead ? "there is room for it, but others come first"
                                       : "there is room for it: it starts in a moment";
    }
    return {};
  }
};

void tell_waiting(const core::World& w, const core::Job& job, core::ProjectIx only, Instant now,
                  WhyView& v) {
  const core::Explanation e = core::explain(w, job, now);
  const Teller teller{w, job, only, now, e};
  v.why = teller.sentence();
  v.constraint = e.constraint;
  for (const core::Room& r : e.rooms) {
    WhyRoom room{teller.sku_name(r.sku),
                 r.nodes_now,
                 r.nodes_held,
                 r.nodes_short,
                 r.nodes_elsewhere,
                 r.nodes_promised,
                 r.gpus_free,
                 {},
                 {}};
    if (r.ending) {
      if (teller.may_name(r.ending->project)) room.ending_job = core::job_name(r.ending->job);
      room.ending_at = r.ending->at;
    }
    v.rooms.push_back(std::move(room));
  }
  if (e.place) {
    v.place = e.place;
    v.ahead = e.ahead;
    v.ahead_or_more = e.ahead_or_more;
  }
  if (e.rates) v.usd_per_hour = base::format_usd(core::amounts_at(*e.rates, 3600).total(), 2);
  v.waiting_since = job.intervals.empty() ? job.submitted_at : job.intervals.back().ended_at;
  if (job.promise) {
    v.promised_by = job.promise->start_by;
    v.promise_certain = job.promise->certain;
  }
  const bool begins = e.constraint == Constraint::reservation && e.until.us;
  const bool no_guess = e.constraint == Constraint::credit || e.constraint == Constraint::none ||
                        e.constraint == Constraint::reservation;
  if (e.until.us && (e.constraint == Constraint::claimed || begins)) {
    v.expected = v.likely_by = std::max(e.until, now);
  } else if (!no_guess) {
    if (const auto start = core::estimate_start(w, job, now)) {
      v.expected = start->expected;
      v.likely_by = start->likely_by;
    }
  }
}

std::string tell_leased(const core::Job& job, Instant now) {
  const core::Lease& lease = *job.lease;
  std::string text;
  if (job.state == core::JobState::stopping)
    text = job.why.empty() ? "was told to stop" : job.why;
  else if (job.state == core::JobState::starting)
    text = "has its place since " + clock_text(lease.granted_at, now) + " and is being started";
  else
    text = "runs since " + clock_text(lease.started_at, now);
  if (job.state == core::JobState::stopping && core::requeues(job.stop_reason))
    text += "; then it waits again, in its place in the queue";
  return text;
}

}  // namespace

std::string clock_text(Instant t, Instant now) {
  const std::string text = base::format_instant(t);
  const std::string clock = text.substr(11, 5) + " UTC";
  return base::format_day(t) == base::format_day(now) ? clock : text.substr(0, 10) + " " + clock;
}

std::string why_waiting(const core::World& w, const core::Job& job, Instant now) {
  const core::Explanation e = core::brief(w, job, now);
  std::string text = Teller{w, job, job.project, now, e}.sentence();
  if (job.promise && !job.claim)
    text += "; starts by " + clock_text(job.promise->start_by, now) +
            (job.promise->certain ? " at the latest" : " (likely)");
  return text;
}

WhyView view_why(const core::World& w, const core::Job& job, core::ProjectIx only, Instant now) {
  WhyView v;
  v.job = core::job_name(job.id);
  v.name = job.name;
  v.state = job.state;
  v.nodes = job.demand.nodes;
  v.gpus_per_node = job.demand.gpus_per_node;
  v.job_class = job.job_class;
  v.preemptions = job.preemptions;
  v.currency = currency_of(w, job.project);
  if (job.lease)
    v.usd_per_hour = base::format_usd(core::amounts_at(job.lease->rates, 3600).total(), 2);
  if (job.state == core::JobState::queued) {
    tell_waiting(w, job, only, now, v);
  } else if (job.state == core::JobState::ended) {
    v.outcome = job.outcome;
    v.why = job.why.empty() ? "ended" : job.why;
    v.why += job.ended_at.us ? " at " + clock_text(job.ended_at, now) : "";
  } else if (job.lease) {
    v.why = tell_leased(job, now);
    if (const std::string lost = lost_site(w, job, now); !lost.empty()) v.why += "; " + lost;
  }
  return v;
}

}  // namespace ampacity::api
