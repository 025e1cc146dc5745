#include "server/invoicing_usage.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace ampacity::server {
namespace {

auto place_of(const billing::LeaseUsage& l) { return std::tie(l.started_at, l.job, l.generation); }

}  // namespace

billing::LeaseUsage lease_of(const store::UsageRow& r) {
  billing::LeaseUsage l;
  l.job = r.job;
  l.generation = r.generation;
  l.project = r.project;
  l.user = r.user;
  l.sku = r.sku;
  l.site = r.site;
  l.job_class = base::parse_enum<core::JobClass>(r.job_class).value_or(core::JobClass::on_demand);
  l.reservation = r.reservation;
  l.started_at = r.started_at;
  l.ended_at = r.ended_at;
  l.billed_s = r.billed_s;
  l.steps = {{r.started_at, r.rates, r.started_sequence}};
  // From there on the next row goes on, for who knows no better.
  if (r.undone_sequence != 0) l.steps.push_back({r.undone_at, {}, r.undone_sequence});
  l.first_sequence = r.started_sequence;
  l.sequence = r.sequence;
  return l;
}

base::Try<void> StoredUsage::each_lease(const LeaseVisit& visit) {
  auto reader = store::open_reader(options_);
  if (!reader) return std::unexpected(std::move(reader.error()));
  const billing::Inputs& in = case_.inputs;
  auto live = case_.live.begin();
  std::optional<billing::LeaseUsage> held;  // the row before: of one place the last one counts
  const auto show = [&] {
    if (!held) return;
    while (live != case_.live.end() && place_of(*live) < place_of(*held)) visit(*live++);
    // It closed after the world was looked at.
    if (live != case_.live.end() && place_of(*live) == place_of(*held)) ++live;
    visit(*held);
  };
  const auto seen = (*reader)->each_usage(
      in.org, in.rate_from, in.until, in.sequence, [&](const store::UsageRow& row) {
        if (row.started_sequence == 0) return;  // nothing of it ran
        billing::LeaseUsage lease = lease_of(row);
        // Of a moment when nobody knew better, it is as it was then: a stretch that had ended.
        if (row.undone_sequence != 0 && row.undone_sequence <= in.sequence &&
            in.sequence < row.sequence) {
          lease.steps.pop_back();
          lease.ended_at = row.undone_at;
          lease.billed_s = (row.undone_at - row.started_at).whole_seconds();
          lease.sequence = row.undone_sequence;
        }
        if (held && place_of(*held) != place_of(lease)) show();
        held = std::move(lease);
      });
  if (!seen) return seen;
  show();
  while (live != case_.live.end()) visit(*live++);
  return {};
}

// Several projects' events are merged by time; each is read in pages.
base::Try<void> StoredUsage::each_metered(const MeteredVisit& visit) {
  auto reader = store::open_meter_reader(options_);
  if (!reader) return std::unexpected(std::move(reader.error()));
  const billing::Inputs& in = case_.inputs;
  std::vector<billing::MeteredUsage> all;
  for (const core::ProjectIx project : case_.projects) {
    store::MeterQuery query;
    query.project = project;
    query.from = in.rate_from;
    query.to = in.until;
    query.as_of = in.meter_sequence;
    const auto seen = (*reader)->each(query, [&](const store::MeterEvent& e) {
      billing::MeteredUsage m;
      m.source = e.key.source;
      m.id = e.key.id;
      m.project = e.project;
      m.meter = e.meter;
      m.from = e.from;
      m.until = e.until;
      m.quantity_micro = e.quantity_micro;
      m.sequence = e.sequence;
      for (std::size_t i = 0; i < in.names.skus.size(); ++i)
        if (in.names.skus[i] == e.sku) m.sku = static_cast<core::SkuIx>(i);
      for (std::size_t i = 0; i < in.names.sites.size(); ++i)
        if (in.names.sites[i] == e.site) m.site = static_cast<core::SiteIx>(i);
      all.push_back(std::move(m));
      return true;
    });
    if (!seen) return seen;
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.from, a.sequence) < std::tie(b.from, b.sequence);
  });
  for (const auto& m : all) visit(m);
  return {};
}

}  // namespace ampacity::server
