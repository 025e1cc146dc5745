#include "api/bind_capacity.h"

#include "api/bind_job.h"
#include "api/when.h"
#include "base/money.h"

namespace ampacity::api {
namespace {

constexpr std::int64_t most_gpus = 10'000'000;
constexpr std::int64_t furthest_s = 3LL * 366 * 86'400;

using CapacityWrongs = std::vector<base::Wrong>;

void check_name(const std::optional<std::string>& name, CapacityWrongs& wrong) {
  if (name && !is_name(*name))
    wrong.push_back(
        {"name", "must be a-z, 0-9 and '-', begin with a letter, at most 63 characters"});
}

// From `from` for `duration`, or until `until`; zero: neither was said.
struct Stretch {
  Instant from, until;
};
Stretch stretch_of(const std::optional<std::string>& from, const std::optional<std::string>& until,
                   const std::optional<std::string>& duration, Instant now, CapacityWrongs& wrong) {
  const std::size_t before = wrong.size();
  const auto when = [&](const char* field, const std::string& text) {
    const auto t = parse_when(text, now);
    if (!t) wrong.push_back({field, std::string(when_form) + "; got '" + text.substr(0, 40) + "'"});
    return t.value_or(now);
  };
  Stretch s{from ? when("from", *from) : now, {}};
  if (until && duration)
    wrong.push_back({"duration", "says the same as `until`: give one of the two"});
  if (until) s.until = when("until", *until);
  if (duration && !until) {
    const auto d = base::parse_duration(*duration);
    if (!d || d->us < 1'000'000 || d->whole_seconds() > furthest_s)
      wrong.push_back({"duration", "must be a duration such as 30m, 4h or 7d, at most 3 years"});
    s.until = s.from + d.value_or(base::Duration{});
  }
  if (wrong.size() > before) return s;
  if (s.from < now)
    wrong.push_back({"from", "has passed already: it is " + base::format_instant(now)});
  if (s.until.us && s.until <= s.from)
    wrong.push_back({"until", "must be after its start, " + base::format_instant(s.from)});
  return s;
}

}  // namespace

base::Result<core::Reserve> bind_reservation(const ReservationRequest& r, Instant now) {
  core::Reserve c;
  CapacityWrongs wrong;
  check_name(r.name, wrong);
  c.name = r.name.value_or("");
  const auto gpus = core::parse_gpu_request(r.gpus);
  // "h100:64" is how many in all, so the bound of one node does not hold here.
  const std::size_t colon = r.gpus.rfind(':');
  const auto total =
      parse_milli(colon == std::string::npos ? "" : r.gpus.substr(colon + 1), most_gpus);
  const auto sku = core::parse_gpu_request(r.gpus.substr(0, colon));
  if (gpus && gpus->skus.size() == 1) {
    c.sku = gpus->skus[0];
    c.gpus = gpus->gpus_per_node * gpus->nodes;
  } else if (total && *total >= 1000 && *total % 1000 == 0 && sku && sku->skus.size() == 1) {
    c.sku = sku->skus[0];
    c.gpus = static_cast<std::uint32_t>(*total / 1000);
  } else {
    wrong.push_back({"gpus",
                     "must be one kind of GPU and how many in all, such as h100:64, or h100:8x8 "
                     "(8 nodes of 8); got '" +
                         r.gpus.substr(0, 60) + "'"});
  }
  const Stretch s = stretch_of(r.from, r.until, r.duration, now, wrong);
  if (!r.until && !r.duration)
    wrong.push_back({"duration", "is required: how long, such as 4h (or `until`)"});
  c.from = s.from;
  c.until = s.until;
  c.release_unused = r.release_unused.value_or(false);
  c.across_sites = r.across_sites.value_or(false);
  c.places = r.sites.value_or(std::vector<std::string>{});
  if (c.places.size() > 64) wrong.push_back({"sites", "must be at most 64"});
  for (std::size_t i = 0; i < c.places.size(); ++i)
    if (c.places[i].empty() || c.places[i].size() > 63)
      wrong.push_back({"sites[" + std::to_string(i) + "]", "must be the name of a site or region"});
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return c;
}

base::Result<FreeAsked> bind_free(const net::Target& target, Instant now) {
  const auto said = [&](std::string_view name) -> std::optional<std::string> {
    const std::string_view text = target.param(name);
    return text.empty() ? std::nullopt : std::optional(std::string(text));
  };
  FreeAsked asked;
  CapacityWrongs wrong;
  asked.sku = said("sku");
  auto duration = said("duration");
  if (!duration && !said("until")) duration = "14d";
  const Stretch s = stretch_of(said("from"), said("until"), duration, now, wrong);
  asked.from = s.from;
  asked.until = s.until;
  if (wrong.empty() && asked.until > now + base::Duration::seconds(furthest_s))
    wrong.push_back({"until", "is more than three years away"});
  if (const auto text = said("across_sites"); text && *text != "0" && *text != "1")
    wrong.push_back({"across_sites", "must be 0 or 1"});
  else
    asked.across_sites = text && *text == "1";
  std::string_view sites = target.param("site");
  while (!sites.empty()) {
    const std::size_t comma = sites.find(',');
    if (const auto name = sites.substr(0, comma); !name.empty()) asked.places.emplace_back(name);
    sites = comma == std::string_view::npos ? std::string_view{} : sites.substr(comma + 1);
  }
  if (asked.places.size() > 64) wrong.push_back({"site", "must be at most 64"});
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return asked;
}

base::Result<core::Maintain> bind_maintenance(const MaintenanceRequest& r, Instant now) {
  core::Maintain c;
  CapacityWrongs wrong;
  check_name(r.name, wrong);
  if (r.nodes.empty()) wrong.push_back({"nodes", "name at least one node"});
  if (r.nodes.size() > 10'000) wrong.push_back({"nodes", "must be at most 10,000"});
  const Stretch s = stretch_of(r.from, r.until, r.duration, now, wrong);
  c.name = r.name.value_or("");
  c.nodes = r.nodes;
  c.from = s.from;
  c.until = s.until;
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return c;
}

base::Result<core::SetQuota> bind_quota(const QuotaRequest& r) {
  core::SetQuota c;
  CapacityWrongs wrong;
  for (const auto& [name, text] : r.gpus) {
    const auto milli = parse_milli(text, most_gpus);
    if (!milli)
      wrong.push_back({"gpus." + name, "must be a number of GPUs such as 16 or 0.5; got '" +
                                           text.substr(0, 40) + "'"});
    c.gpu_milli.emplace_back(name == "any" ? "" : name, milli.value_or(0));
  }
  if (r.gpu_hours) {
    const auto milli = parse_milli(*r.gpu_hours, most_gpu_hours);
    if (!milli)
      wrong.push_back({"gpu_hours", "must be hours such as 100 or 0.5; got '" +
                                        r.gpu_hours->substr(0, 40) + "'"});
    c.quota.gpu_milli_s = milli.value_or(0) * 3600;
  }
  if (r.spend_usd) {
    const auto ticks = base::parse_usd(*r.spend_usd);
    if (!ticks || *ticks < 0)
      wrong.push_back({"spend_usd", "must be an amount such as 500 or 25.50; got '" +
                                        r.spend_usd->substr(0, 40) + "'"});
    c.quota.spend = ticks.value_or(0);
  }
  const bool by_window = r.gpu_hours || r.spend_usd;
  if (by_window && !r.window)
    wrong.push_back({"window", "is required with gpu_hours and spend_usd: such as 30d"});
  if (!by_window && r.window)
    wrong.push_back({"window", "is of gpu_hours and spend_usd: give one of them, too"});
  if (r.window) {
    const auto window = base::parse_duration(*r.window);
    if (!window || window->whole_seconds() < 3600 || window->whole_seconds() > 366 * 86'400)
      wrong.push_back({"window", "must be a duration between 1h and 366d, such as 30d"});
    else
      c.quota.window_s = window->whole_seconds();
  }
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return c;
}

base::Result<core::Policy> changed(core::Policy p, const PolicyChange& change) {
  CapacityWrongs wrong;
  const auto stretch = [&](const char* field, const std::optional<std::string>& text,
                           std::int64_t& out) {
    if (!text) return;
    const auto d = base::parse_duration(*text);
    if (d)
      out = d->whole_seconds();
    else
      wrong.push_back(
          {field, "must be a duration such as 30s, 10m or 7d; got '" + text->substr(0, 40) + "'"});
  };
  if (change.order) {
    p.order = *change.order;
    if (p.order != core::Order::fair && p.order != core::Order::fifo)
      wrong.push_back({"order",
                       "must be fair or fifo: the others need run times that nobody knows "
                       "outside a simulation"});
  }
  p.promises_per_class = change.promises_per_class.value_or(p.promises_per_class);
  p.spot_promises = change.spot_promises.value_or(p.spot_promises);
  stretch("half_life", change.half_life, p.half_life_s);
  stretch("quantum", change.quantum, p.quantum_s);
  stretch("spot_grace", change.spot_grace, p.spot_grace_s);
  stretch("house_grace", change.house_grace, p.house_grace_s);
  stretch("restart_cost", change.restart_cost, p.restart_cost_s);
  stretch("site_unknown", change.site_unknown, p.site_unknown_s);
  stretch("site_lease", change.site_lease, p.site_lease_s);
  stretch("site_grace", change.site_grace, p.site_grace_s);
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return p;
}

}  // namespace ampacity::api
