// What a request would cost, and when it would start: now, later, on spot; and what less, another
// GPU or another site would do.
// 1. The loop's thread answers it, so the queue is played forward at most `most_forecasts` times.
#include <fmt/core.h>

#include <algorithm>

#include "api/view_operate.h"
#include "api/views.h"
#include "core/decide.h"
#include "core/estimate.h"
#include "core/grant.h"
#include "core/meter.h"
#include "core/order.h"
#include "core/place.h"
#include "core/preempt.h"
#include "core/price_book.h"
#include "core/settle.h"

namespace ampacity::api {
namespace {

constexpr int most_forecasts = 6;  // of which an estimate takes two
constexpr std::size_t most_others = 5;
constexpr std::int64_t median = 500;

class Quoter {
 public:
  Quoter(const core::World& w, Instant now) : w_(w), now_(now) {}

  // nullopt: it has no price or never fits. `well`: with how sure, not just when.
  std::optional<QuoteOption> option(std::string what, const core::Job& job, bool well) {
    const auto tiers = core::tiers_of(w_, job, now_);
    if (tiers.empty() || !core::never_fits(w_, job).empty()) return std::nullopt;
    QuoteOption o;
    o.what = std::move(what);
    o.job_class = job.job_class;
    if (job.job_class == core::JobClass::spot)
      o.notice_s = std::min(job.grace_s, w_.state().policy.spot_grace_s);
    const core::Tier* tier = &tiers.front();
    const core::Seeker seeker = core::seeker_of(w_, job, now_, core::rank_of(w_, job, now_));
    core::SkuIx sku = tier->skus.front();
    if (const auto placement = core::place(w_, seeker, tiers)) {
      o.starts_now = true;
      o.expected = o.likely_by = now_;
      sku = placement->sku;
      site_ = w_.state().nodes[placement->places[0].node].site;
      for (const core::Tier& t : tiers)
        if (std::find(t.skus.begin(), t.skus.end(), sku) != t.skus.end()) tier = &t;
    } else if (const auto eviction = core::evict_for(w_, evictable(), seeker, tiers)) {
      o.makes_room = true;
      o.expected = o.likely_by = now_ + base::Duration::seconds(w_.state().policy.spot_grace_s);
    } else {
      look_ahead(job, well, o);
    }
    o.gpus = gpus_text(job, o.starts_now ? std::vector{sku} : job.demand.skus);
    const auto rates = core::rates_for(w_.state(), job, sku, core::nobody, tier->cpu_milli,
                                       tier->memory_mib, now_);
    if (!rates) return std::nullopt;
    ticks_ = core::amounts_at(*rates, 3600).total();
    o.usd_per_hour = base::format_usd(ticks_, 2);
    return o;
  }
  core::Ticks ticks() const { return ticks_; }  // per hour, of the latest option
  core::SiteIx site() const { return site_; }   // where it has room now

 private:
  void look_ahead(const core::Job& job, bool well, QuoteOption& o) {
    if (well && forecasts_ + 2 <= most_forecasts) {
      forecasts_ += 2;
      if (const auto start = core::estimate_start(w_, job, now_)) {
        o.expected = start->expected;
        o.likely_by = start->likely_by;
      }
    } else if (!well && forecasts_ + 1 <= most_forecasts) {
      forecasts_ += 1;
      const auto starts = core::forecast(w_, now_, median, &job, job.queue_order);
      if (const auto at = starts.find(job.queue_order); at != starts.end()) o.expected = at->second;
    }
  }
  std::string gpus_text(const core::Job& job, const std::vector<core::SkuIx>& skus) const {
    std::string text;
    for (const core::SkuIx s : skus) text += (text.empty() ? "" : "|") + w_.state().skus[s].name;
    const core::Demand& d = job.demand;
    if (d.gpus_per_node == 0) return text;
    text += fmt::format(":{}", d.gpus_per_node);
    return d.nodes > 1 ? text + fmt::format("x{}", d.nodes) : text;
  }

  core::Evictable& evictable() {
    if (!evictable_) evictable_.emplace(w_, now_);
    return *evictable_;
  }

  const core::World& w_;
  const Instant now_;
  std::optional<core::Evictable> evictable_;
  int forecasts_ = 0;
  core::Ticks ticks_ = 0;
  core::SiteIx site_ = 0;
};

// Half of it, if it can be halved.
std::optional<core::Job> half_of(const core::Job& job) {
  core::Job half = job;
  core::Demand& d = half.demand;
  if (d.nodes > 1)
    d.nodes /= 2;
  else if (d.gpus_per_node > 1)
    d.gpus_per_node /= 2;
  else
    return std::nullopt;
  if (d.nodes == job.demand.nodes && d.cpu_milli) d.cpu_milli /= 2;
  if (d.nodes == job.demand.nodes && d.memory_mib) d.memory_mib /= 2;
  return half;
}

// The kinds it does not name that have as much memory as the least it does.
std::vector<core::SkuIx> other_skus(const core::World& w, const core::Demand& d) {
  const auto& skus = w.state().skus;
  std::int64_t least = INT64_MAX;
  for (const core::SkuIx s : d.skus) least = std::min(least, skus[s].gpu_memory_mib);
  std::vector<core::SkuIx> others;
  for (core::SkuIx s = 0; s < skus.size() && d.gpus_per_node; ++s)
    if (skus[s].gpu_memory_mib >= least && skus[s].gpu_memory_mib > 0 &&
        std::find(d.skus.begin(), d.skus.end(), s) == d.skus.end())
      others.push_back(s);
  return others;
}

void add_others(const core::World& w, const core::Job& job, Quoter& quoter, core::Ticks price,
                std::vector<QuoteOption>& options) {
  const std::optional<Instant> start = options.front().expected;
  struct Other {
    QuoteOption option;
    core::Ticks ticks;
  };
  std::vector<Other> others;
  const auto consider = [&](const char* what, const core::Job& other, bool for_price) {
    auto o = quoter.option(what, other, false);
    if (!o) return;
    const bool sooner = o->expected && (!start || *o->expected < *start);
    if (!sooner && !(for_price && quoter.ticks() < price)) return;
    if (o->what == "other_site" && o->starts_now) o->site = w.state().sites[quoter.site()].name;
    others.push_back({std::move(*o), quoter.ticks()});
  };
  if (!job.demand.sites.empty()) {
    core::Job anywhere = job;
    anywhere.demand.sites.clear();
    consider("other_site", anywhere, false);
  }
  if (const auto half = half_of(job)) consider("smaller", *half, false);
  for (const core::SkuIx s : other_skus(w, job.demand)) {
    core::Job other = job;
    other.demand.skus = {s};
    consider("other_gpu", other, true);
  }
  std::sort(others.begin(), others.end(), [](const Other& a, const Other& b) {
    const auto key = [](const Other& o) {
      return std::tuple(o.option.expected.value_or(core::forever), o.ticks, o.option.gpus);
    };
    return key(a) < key(b);
  });
  if (others.size() > most_others) others.resize(most_others);
  for (Other& o : others) options.push_back(std::move(o.option));
}

void add_options(const core::World& w, const core::Job& job, Instant now, Quote& q) {
  Quoter quoter(w, now);
  const std::string own(base::enum_name(job.job_class));
  auto asked = quoter.option(own, job, true);
  if (!asked) return;
  const core::Ticks price = quoter.ticks();
  q.options.push_back(std::move(*asked));
  for (const core::JobClass c : {core::JobClass::on_demand, core::JobClass::spot}) {
    if (c == job.job_class) continue;
    core::Job other = job;
    other.job_class = c;
    other.demand.reservation = {};
    if (auto o = quoter.option(std::string(base::enum_name(c)), other, true))
      q.options.push_back(std::move(*o));
  }
  if (job.demand.reservation.is_nil()) add_others(w, job, quoter, price, q.options);
}

void add_price(const core::World& w, const core::Job& job, Instant now, Quote& q) {
  q.job_class = job.job_class;
  q.currency = currency_of(w, job.project);
  const core::Project& project = w.state().projects[job.project];
  q.wallet_usd = base::format_usd(core::available(w.state().accounts[project.wallet]), 4);
  const auto tiers = core::tiers_of(w, job, now);
  if (tiers.empty()) return;
  const core::Tier& tier = tiers.front();
  const core::Sku& sku = w.state().skus[tier.skus.front()];
  const auto rates = *core::rates_for(w.state(), job, tier.skus.front(), core::nobody,
                                      tier.cpu_milli, tier.memory_mib, now);
  q.price_version = rates.price_version;
  q.sku = sku.name;
  q.emulated = sku.emulated;
  q.lines = quote_lines(q.sku, rates);
  q.usd_per_hour = base::format_usd(core::amounts_at(rates, 3600).total(), 2);
  const std::int64_t hold_s = core::first_hold_s(w.state().policy, job.time_limit_s, job.grace_s);
  q.hold_usd = base::format_usd(core::cost_between(rates, 0, hold_s), 4);
}

// One node's powers of two, then whole nodes.
std::vector<core::GpuRequest> sizes_of(const core::World& w, core::SkuIx sku) {
  std::uint32_t gpus = 0, nodes = 0;
  for (const core::Node& node : w.state().nodes) {
    if (node.sku != sku || node.state == core::NodeState::absent) continue;
    gpus = std::max(gpus, static_cast<std::uint32_t>(node.gpus.size()));
    ++nodes;
  }
  const std::vector<std::string> name{w.state().skus[sku].name};
  std::vector<core::GpuRequest> sizes;
  for (std::uint32_t g = 1; g < gpus; g *= 2) sizes.push_back({name, 0, g, 1});
  for (std::uint32_t n = 1; gpus && n <= std::min(nodes, 64U); n *= 2)
    sizes.push_back({name, 0, gpus, n});
  return sizes;
}

}  // namespace

OfferWaits view_waits(const core::World& w, core::ProjectIx project, core::SkuIx sku,
                      core::JobClass job_class, Instant now) {
  OfferWaits waits{w.state().skus[sku].name, job_class, {}};
  Quoter quoter(w, now);
  for (const core::GpuRequest& size : sizes_of(w, sku)) {
    core::SubmitJob submit;
    submit.job.project = project;
    submit.job.job_class = job_class;
    submit.by_owner = true;
    submit.gpus = size;
    const auto job = core::drafted(w, submit, now);
    if (!job) continue;
    const auto o = quoter.option("size", *job, false);
    if (!o) continue;
    waits.items.push_back({core::format_gpu_request(size), o->starts_now, o->makes_room,
                           o->expected, o->usd_per_hour});
  }
  return waits;
}

base::Result<Quote> view_quote(const core::World& w, const core::SubmitJob& submit, Instant now) {
  // The same decision a submission gets; a lack of credit is shown, not refused.
  auto decision = core::decide_submit(w, submit, now);
  if (!decision && decision.error().code != base::Code::insufficient_credit)
    return std::unexpected(std::move(decision.error()));
  auto drafted = core::drafted(w, submit, now);
  if (!drafted) return std::unexpected(std::move(drafted.error()));
  Quote q;
  add_price(w, *drafted, now, q);
  q.starts_now = decision && decision->size() > 1;
  add_options(w, *drafted, now, q);
  if (!decision)
    q.why = decision.error().message;
  else if (!q.starts_now && !q.options.empty() && q.options[0].makes_room)
    q.why = "work of a lower class is told to make room for it";
  else if (!q.starts_now)
    q.why = "no room now: it would wait its turn";
  return q;
}

}  // namespace ampacity::api
