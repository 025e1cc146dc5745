#include "billing/rate.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "base/currency.h"
#include "billing/inputs_hash.h"
#include "billing/invoice.h"
#include "billing/parts.h"
#include "billing/rater.h"

namespace ampacity::billing {
namespace {

using base::Result;

base::Result<void> check(const Inputs& in) {
  if (!base::find_currency(in.profile.currency))
    return base::refuse_field(
        "currency", fmt::format("\"{}\" is no currency of ISO 4217", in.profile.currency));
  if (in.until <= in.from) return base::refuse_field("until", "must be after `from`");
  if (in.rate_from.us != 0 && in.rate_from > in.from)
    return base::refuse_field("rate_from", "must not be after `from`");
  if (in.until.us - in.from.us > 400LL * 366 * 86'400 * 1'000'000)
    return base::refuse_field("until", "more than 400 years after `from`");
  for (const core::Contract& c : in.contracts)
    if (c.months == 0 || base::month_begin(c.from) != c.from)
      return base::refuse_field("contracts",
                                fmt::format("\"{}\" begins in a month, or is of none", c.name));
  return {};
}

// Shows a source's usage in the order that rating needs. Events of one instant are put in order
// here, by what they say, so that the order of their arrival means nothing.
class Feed {
 public:
  explicit Feed(UsageSource& source) : source_(source) {}

  // visit(lease) and visit(event) return false to end: something is wrong.
  template <typename OnLease, typename OnEvent>
  Result<void> run(const OnLease& on_lease, const OnEvent& on_event) {
    std::tuple<Instant, Id, std::uint32_t> last{Instant{INT64_MIN}, Id{}, 0};
    auto read = source_.each_lease([&](const LeaseUsage& l) {
      const std::tuple at{l.started_at, l.job, l.generation};
      in_order_ = in_order_ && last < at;
      last = at;
      return in_order_ && on_lease(l);
    });
    if (!read) return base::refuse(base::Code::unavailable, read.error().message);
    if (!in_order_) return disorder("leases");
    bool going = true;
    const auto flush = [&] {
      std::ranges::sort(same_, [](const MeteredUsage& a, const MeteredUsage& b) {
        return std::tie(a.source, a.id, a.project, a.quantity_micro, a.sequence) <
               std::tie(b.source, b.id, b.project, b.quantity_micro, b.sequence);
      });
      for (const MeteredUsage& e : same_) going = going && on_event(e);
      same_.clear();
    };
    read = source_.each_metered([&](const MeteredUsage& e) {
      if (!same_.empty() && same_.front().from != e.from) {
        in_order_ = in_order_ && same_.front().from < e.from;
        flush();
      }
      same_.push_back(e);
      return going && in_order_;
    });
    if (!read) return base::refuse(base::Code::unavailable, read.error().message);
    flush();
    if (!in_order_) return disorder("meter events");
    return {};
  }

 private:
  static Result<void> disorder(std::string_view what) {
    return base::refuse(base::Code::unavailable,
                        fmt::format("{} were not shown in order, or one twice", what));
  }

  UsageSource& source_;
  std::vector<MeteredUsage> same_;
  bool in_order_ = true;
};

class Rating {
 public:
  Rating(const Inputs& in, UsageSource& source) : in_(in), source_(source), setting_(in) {}

  Result<Rated> run(const PartSink& sink) {
    if (!fold_earlier(setting_, billed_)) return too_much("what was billed before");
    Rated rated;
    core::Invoice& invoice = rated.invoice;
    const auto seen = lines();
    if (!seen) return std::unexpected(seen.error());
    cover_lines(setting_, billed_, lines_, rated);
    invoice.org = in_.org;
    invoice.currency = in_.profile.currency;
    invoice.from = in_.from;
    invoice.until = in_.until;
    invoice.sequence = in_.sequence;
    invoice.engine = engine_version;
    invoice.rated_from = setting_.months.front().from;
    invoice.meter_sequence = in_.meter_sequence;
    invoice.inputs_hash = hasher_.hex();
    invoice.issued_at = in_.issued_at;
    invoice.due_at = in_.issued_at + base::Duration::seconds(in_.profile.net_days * 86'400);
    invoice.lines = std::move(lines_.lines);
    const auto paid = add_own(invoice);
    if (!paid) return std::unexpected(paid.error());
    if (auto wrong = total(in_.profile, *paid, invoice); !wrong)
      return std::unexpected(wrong.error());
    if (sink)
      if (auto wrong = parts(invoice, sink); !wrong) return std::unexpected(wrong.error());
    return rated;
  }

 private:
  static std::unexpected<base::Refusal> too_much(std::string_view what) {
    return base::refuse(base::Code::invalid, fmt::format("{} is more than 64 bits hold", what));
  }

  std::vector<std::optional<View>> views_now() const {
    const View now{in_.sequence, in_.meter_sequence, in_.until};
    return std::vector<std::optional<View>>(setting_.months.size(), now);
  }

  std::vector<std::optional<View>> views_then() const {
    std::vector<std::optional<View>> views(setting_.months.size());
    for (std::size_t m = 0; m < views.size(); ++m)
      for (const BilledMonth& b : in_.billed)
        if (base::month_begin(b.month) == setting_.months[m].from)
          views[m] = View{b.sequence, b.meter_sequence, b.until};
    return views;
  }

  bool touches(const LeaseUsage& l) const {
    return !setting_.months.empty() && l.started_at < in_.until &&
           (l.sequence == 0 || l.sequence > in_.sequence ||
            l.ended_at > setting_.months.front().from);
  }

  Result<void> lines() {
    Rater now(setting_, views_now());
    Pieces pieces;
    hasher_.add(in_, setting_.known);
    auto fed = Feed(source_).run(
        [&](const LeaseUsage& l) {
          pieces.clear();
          if (touches(l)) hasher_.add(l, in_.sequence);
          return now.lease(l, pieces);
        },
        [&](const MeteredUsage& e) {
          pieces.clear();
          if (!now.metered(e, pieces)) return false;
          if (!pieces.empty()) hasher_.add(e);
          return true;
        });
    if (!fed) return fed;
    pieces.clear();
    if (!now.wrong().empty() || !now.finish(pieces))
      return base::refuse(base::Code::invalid, now.wrong());
    for (PriceIx i = 0; i < setting_.prices.size(); ++i)
      hasher_.add(setting_.prices.at(i), setting_.meters);
    lines_ = lines_of(setting_, now.lines(), billed_);
    return {};
  }

  core::InvoiceLine own_line(core::LineKind kind, core::ProjectIx project, std::int64_t minor) {
    core::InvoiceLine l;
    l.kind = kind;
    l.project = project;
    l.quantity = minor < 0 ? -1 : 1;
    l.minor = minor;
    whole_ = whole_ && !__builtin_mul_overflow(minor, setting_.ticks_per_minor, &l.ticks);
    l.price = l.ticks < 0 ? -l.ticks : l.ticks;
    return l;
  }

  // Credit bought and an operator's own lines: once, as they are. What was received for credit.
  Result<std::int64_t> add_own(core::Invoice& invoice) {
    std::int64_t paid = 0;
    for (const CreditBought& c : in_.bought) {
      if (c.sequence > in_.sequence) continue;
      core::InvoiceLine& l =
          invoice.lines.emplace_back(own_line(core::LineKind::prepaid, c.project, c.minor));
      l.description = "Credit bought";
      l.contract = c.contract;
      for (const core::Contract* k : setting_.contracts)
        if (k->id == c.contract) l.description = fmt::format("Prepayment of \"{}\"", k->name);
      l.month = base::month_begin(c.at);
      l.from = c.at;
      l.until = c.at + base::Duration{1};
      whole_ = whole_ && !__builtin_add_overflow(paid, c.paid_minor, &paid);
    }
    for (const core::ManualLine& m : in_.manual) {
      if (m.sequence > in_.sequence) continue;
      core::InvoiceLine& l =
          invoice.lines.emplace_back(own_line(core::LineKind::manual, m.project, m.minor));
      l.description = m.description;
      l.month = base::month_begin(Instant{in_.until.us - 1});
      l.from = std::max(in_.from, l.month);
      l.until = in_.until;
    }
    if (!whole_) return too_much("an amount of ticks");
    return paid;
  }

  Result<void> parts(const core::Invoice& invoice, const PartSink& sink) {
    Rater now(setting_, views_now());
    Rater then(setting_, views_then());
    PartWriter writer(setting_, lines_.keys, invoice.lines, sink);
    Pieces a, b;
    const auto clear = [&] {
      a.clear();
      b.clear();
    };
    auto fed = Feed(source_).run(
        [&](const LeaseUsage& l) {
          clear();
          if (!now.lease(l, a) || !then.lease(l, b)) return false;
          RatedPart who;
          who.job = l.job;
          who.generation = l.generation;
          who.user = l.user;
          writer.write(who, a, b);
          return true;
        },
        [&](const MeteredUsage& e) {
          clear();
          if (!now.metered(e, a) || !then.metered(e, b)) return false;
          if (a.empty() && b.empty()) return true;
          RatedPart who;
          who.event = e.source + "/" + e.id;
          writer.write(who, a, b);
          return true;
        });
    if (!fed) return fed;
    clear();
    const bool good =
        now.wrong().empty() && then.wrong().empty() && now.finish(a) && then.finish(b);
    if (!good)
      return base::refuse(base::Code::invalid, now.wrong().empty() ? then.wrong() : now.wrong());
    writer.write({}, a, b);
    writer.rest();
    return {};
  }

  const Inputs& in_;
  UsageSource& source_;
  Setting setting_;
  BilledLines billed_;
  KeyedLines lines_;
  Hasher hasher_;
  bool whole_ = true;
};

}  // namespace

std::vector<PriceStep> price_steps(Instant started_at, const std::vector<core::RateStep>& before,
                                   const core::Rates& last) {
  std::vector<PriceStep> steps;
  PriceStep next{started_at, {}, 0};
  for (const core::RateStep& step : before) {
    next.rates = step.rates;
    steps.push_back(next);
    next.from = started_at + base::Duration::seconds(step.until_s);
    next.sequence = step.until_sequence;
  }
  next.rates = last;
  steps.push_back(next);
  return steps;
}

Result<Rated> rate_org(const Inputs& in, UsageSource& usage, const PartSink& sink) {
  if (auto good = check(in); !good) return std::unexpected(good.error());
  return Rating(in, usage).run(sink);
}

}  // namespace ampacity::billing
