#include "server/invoicing_usage.h"

#include <algorithm>
#include <optional>
#include <queue>
#include <tuple>

namespace ampacity::server {
namespace {

auto place_of(const billing::LeaseUsage& l) { return std::tie(l.started_at, l.job, l.generation); }

billing::MeteredUsage metered_of(const store::MeterEvent& e, const billing::Names& names) {
  billing::MeteredUsage m;
  m.source = e.key.source;
  m.id = e.key.id;
  m.project = e.project;
  m.meter = e.meter;
  m.from = e.from;
  m.until = e.until;
  m.quantity_micro = e.quantity_micro;
  m.sequence = e.sequence;
  const auto position = [](const std::vector<std::string>& all, const std::string& name) {
    return static_cast<std::uint32_t>(std::ranges::find(all, name) - all.begin());
  };
  if (const auto sku = position(names.skus, e.sku); sku < names.skus.size()) m.sku = sku;
  if (const auto site = position(names.sites, e.site); site < names.sites.size()) m.site = site;
  return m;
}

// One project's events, read as they are wanted.
class EventPages {
 public:
  explicit EventPages(store::MeterQuery query) : query_(std::move(query)) {}

  // Goes on to the next, and shows it; nullptr: there is none.
  base::Try<const store::MeterEvent*> next(store::MeterReader& reader) {
    if (++at_ < page_.size()) return &page_[at_];
    page_.clear();
    at_ = 0;
    const auto read = reader.each(query_, [this](const store::MeterEvent& e) {
      page_.push_back(e);
      return page_.size() < most;
    });
    if (!read) return std::unexpected(read.error());
    if (page_.empty()) return nullptr;
    query_.after = {page_.back().from, page_.back().sequence};
    return &page_[0];
  }
  const store::MeterEvent& current() const { return page_[at_]; }

 private:
  static constexpr std::size_t most = 1'000;
  store::MeterQuery query_;
  std::vector<store::MeterEvent> page_;
  std::size_t at_ = 0;
};

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

// Several projects' events are merged by time, a page of each at hand.
base::Try<void> StoredUsage::each_metered(const MeteredVisit& visit) {
  auto reader = store::open_meter_reader(options_);
  if (!reader) return std::unexpected(std::move(reader.error()));
  const billing::Inputs& in = case_.inputs;
  std::vector<EventPages> projects;
  using Next = std::tuple<Instant, std::uint64_t, std::size_t>;  // of which project
  std::priority_queue<Next, std::vector<Next>, std::greater<>> order;
  for (const core::ProjectIx project : case_.projects) {
    store::MeterQuery query;
    query.project = project;
    query.from = in.rate_from;
    query.to = in.until;
    query.as_of = in.meter_sequence;
    projects.emplace_back(query);
  }
  const auto advance = [&](std::size_t p) -> base::Try<void> {
    const auto event = projects[p].next(**reader);
    if (!event) return std::unexpected(event.error());
    if (*event) order.emplace((*event)->from, (*event)->sequence, p);
    return {};
  };
  for (std::size_t p = 0; p < projects.size(); ++p)
    if (auto r = advance(p); !r) return r;
  while (!order.empty()) {
    const std::size_t p = std::get<2>(order.top());
    order.pop();
    if (!visit(metered_of(projects[p].current(), in.names))) return {};
    if (auto r = advance(p); !r) return r;
  }
  return {};
}

}  // namespace ampacity::server
