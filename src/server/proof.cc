#include "server/proof.h"

#include <fmt/core.h>

#include <map>

#include "documents/focus_writer.h"
#include "server/billing_views.h"

namespace ampacity::server {
namespace {

bool same(const core::InvoiceLine& a, const core::InvoiceLine& b) {
  const auto of = [](const core::InvoiceLine& l) {
    return std::tie(l.kind, l.project, l.meter, l.sku, l.site, l.job_class, l.price_version,
                    l.contract, l.month, l.quantity, l.price, l.ticks, l.minor, l.covered_minor);
  };
  return of(a) == of(b);
}

// What differs first; empty: it came out again.
std::string difference(const core::Invoice& issued, const core::Invoice& again) {
  if (again.inputs_hash != issued.inputs_hash)
    return fmt::format("its inputs have the hash {}, not {}", again.inputs_hash,
                       issued.inputs_hash);
  if (again.lines.size() != issued.lines.size())
    return fmt::format("{} lines come out, not {}", again.lines.size(), issued.lines.size());
  for (std::size_t i = 0; i < issued.lines.size(); ++i)
    if (!same(issued.lines[i], again.lines[i]))
      return fmt::format("line {}, {}: {} ticks, {} minor come out, not {}, {}", i + 1,
                         issued.lines[i].description, again.lines[i].ticks, again.lines[i].minor,
                         issued.lines[i].ticks, issued.lines[i].minor);
  return {};
}

class Proof {
 public:
  Proof(Loop& loop, const store::StoreAt& store, base::Clock& clock)
      : invoicing_(loop, store, clock),
        names_(loop.ask([](const core::World& w) { return export_names(w); })),
        rows_(names_, [](std::string_view) {}) {}

  void invoice(const core::Invoice& issued) {
    ++made_again_.examined;
    amortised_.clear();
    rows_.begin(issued);
    const auto again = invoicing_.again(issued, [this](const auto& part) { hear(part); });
    const auto end = rows_.end();
    if (!again) return wrong(made_again_, issued, again.error().message);
    if (const auto why = difference(issued, *again); !why.empty()) wrong(made_again_, issued, why);
    totals_and_commitments(issued, end);
  }
  void credit_note(const core::Invoice& note, const core::Invoice& original) {
    amortised_.clear();
    rows_.begin(note);
    const auto taken = invoicing_.taken_back(original, [this](const auto& part) { hear(part); });
    const auto end = rows_.end();
    if (!taken) return wrong(made_again_, note, taken.error().message);
    totals_and_commitments(note, end);
  }
  // Another engine's amounts are not this one's to make.
  void of_another_engine() { ++others_; }

  std::vector<audit::Finding> findings() && {
    made_again_.detail += made_again_.holds ? fmt::format("{} invoices", made_again_.examined) : "";
    if (others_)
      made_again_.detail += fmt::format("; {} of an earlier engine not made again", others_);
    if (totals_.holds) totals_.detail = fmt::format("{} FOCUS rows", rows_.rows());
    if (commitments_.holds)
      commitments_.detail = fmt::format("{} contracts' months", commitments_.examined);
    return {made_again_, totals_, commitments_};
  }

 private:
  void hear(const billing::RatedPart& part) {
    rows_.add(part);
    if (part.contract.is_nil()) return;
    Amortised& a = amortised_[part.contract];
    if (part.kind == core::LineKind::commitment) a.bought += part.ticks;
    if (part.commitment != billing::Commitment::none) a.effective += part.effective_ticks;
  }
  void totals_and_commitments(const core::Invoice& invoice, const base::Result<void>& end) {
    ++totals_.examined;
    if (!end) wrong(totals_, invoice, end.error().message);
    for (const auto& [contract, a] : amortised_) {
      if (a.bought == 0 && a.effective == 0) continue;
      ++commitments_.examined;
      if (a.bought != a.effective)
        wrong(commitments_, invoice,
              fmt::format("{} was bought for {} ticks and amortises to {}",
                          base::format_id("ctr", contract), static_cast<long long>(a.bought),
                          static_cast<long long>(a.effective)));
    }
  }
  static void wrong(audit::Finding& finding, const core::Invoice& invoice, const std::string& why) {
    if (finding.holds) finding.detail = invoice.number + ": " + why;  // the first
    finding.holds = false;
  }

  struct Amortised {
    base::Wide bought = 0;
    base::Wide effective = 0;
  };

  Invoicing invoicing_;
  const documents::FocusNames names_;
  documents::FocusWriter rows_;
  std::map<base::Id, Amortised> amortised_;  // of the invoice being made
  audit::Finding made_again_{"invoices_made_again", true, 0, {}};
  audit::Finding totals_{"focus_rows_sum_to_invoices", true, 0, {}};
  audit::Finding commitments_{"commitments_amortised", true, 0, {}};
  std::int64_t others_ = 0;
};

}  // namespace

std::vector<audit::Finding> prove_invoices(Loop& loop, const store::StoreAt& store,
                                           base::Clock& clock, Period month) {
  const auto ids = loop.ask([&](const core::World& w) {
    std::vector<base::Id> of_month;
    for (const core::Invoice& i : w.state().invoices)
      if (i.from >= month.from && i.from < month.until) of_month.push_back(i.id);
    return of_month;
  });
  Proof proof(loop, store, clock);
  auto reader = store::open_reader(store);
  if (!reader) return {{"invoices_made_again", false, 0, reader.error().message}};
  for (const base::Id id : ids) {
    const auto invoice = (*reader)->invoice(id);
    if (!invoice) return {{"invoices_made_again", false, 0, "an invoice's row is not readable"}};
    if (invoice->engine != billing::engine_version) {
      proof.of_another_engine();
    } else if (invoice->kind == core::InvoiceKind::invoice) {
      proof.invoice(*invoice);
    } else if (const auto original = (*reader)->invoice(invoice->corrects)) {
      proof.credit_note(*invoice, *original);
    }
  }
  return std::move(proof).findings();
}

}  // namespace ampacity::server
