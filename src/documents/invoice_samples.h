// Invoices for the tests of this room: one that shows everything, and random ones whose totals
// agree.
#pragma once

#include <string>
#include <vector>

#include "base/currency.h"
#include "base/prng.h"
#include "documents/invoice_source.h"

namespace ampacity::documents {

struct Sample {
  core::Invoice invoice;
  core::BillingProfile profile;
  core::Party issuer;
  InvoiceNames names;
  std::string corrects_number;
  base::Instant corrects_issued_at;
  InvoiceSource source() const {
    return {invoice, profile, issuer, names, corrects_number, corrects_issued_at};
  }
};

inline base::Instant at(std::string_view text) { return *base::parse_instant(text); }

inline Sample empty_sample(std::string currency = "USD") {
  Sample s;
  s.issuer = {"Ampacity Cloud GmbH",
              "Speicherstraße 12",
              "Hamburg",
              "20457",
              "DE",
              "DE123456788",
              "billing@ampacity.example",
              "Elbe Handelsbank AG\nIBAN DE89 3704 0044 0532 0130 00\nBIC COBADEFFXXX"};
  s.profile.party = {
      "Northlight Research B.V.", "Keizersgracht 100",     "Amsterdam", "1015 AA", "NL",
      "NL123456789B01",           "ap@northlight.example", ""};
  s.profile.currency = currency;
  s.profile.tax_category = "S";
  s.profile.tax_bp = 1900;
  s.names.orgs = {"northlight"};
  s.names.projects = {"training", "inference", "渲染農場", "Студия №3"};
  s.names.skus = {"h100", "a100-80", "emulated-h100"};
  s.names.sites = {"las1", "fra2"};
  s.names.emulated_skus = {2};
  core::Invoice& i = s.invoice;
  i.number = "2026-000042";
  i.currency = currency;
  i.from = at("2026-11-01T00:00:00Z");
  i.until = at("2026-12-01T00:00:00Z");
  i.issued_at = at("2026-12-02T09:30:00Z");
  i.due_at = at("2026-12-17T09:30:00Z");
  i.sequence = 812'345;
  i.inputs_hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  return s;
}

// `seconds` GPU-seconds of a SKU at `price` ticks a second.
inline core::InvoiceLine gpu_line(std::uint32_t project, std::uint32_t sku, std::int64_t seconds,
                                  base::Ticks price, const base::Currency& currency) {
  core::InvoiceLine l;
  l.project = project;
  l.meter = "gpu";
  l.sku = sku;
  l.site = project % 2;
  l.price_version = 3;
  l.month = l.from = at("2026-11-01T00:00:00Z");
  l.until = at("2026-12-01T00:00:00Z");
  l.quantity = seconds * 1000;
  l.per = 1000;
  l.unit = "GPU-Hours";
  l.price = price;
  l.ticks = seconds * price;
  l.minor = base::divide_half_up(l.ticks, base::ticks_per_minor(currency));
  return l;
}

// Totals of the lines as EN 16931 adds them up, by the profile's tax.
inline void add_up(Sample& s) {
  core::Invoice& i = s.invoice;
  i.lines_minor = i.covered_minor = 0;
  for (const core::InvoiceLine& l : i.lines) {
    i.lines_minor += l.minor;
    i.covered_minor += l.covered_minor;
  }
  i.net_minor = i.lines_minor - i.covered_minor;
  i.tax_minor =
      base::divide_half_up(static_cast<base::Wide>(i.net_minor) * s.profile.tax_bp, 10'000);
  i.taxes = {{s.profile.tax_category, s.profile.tax_bp, i.net_minor, i.tax_minor}};
  i.total_minor = i.net_minor + i.tax_minor;
  i.payable_minor = i.total_minor - i.prepaid_minor;
}

Sample showcase();  // every kind of line
Sample random_sample(base::Prng& prng, std::string_view currency, std::string_view category);
// The credit note that takes the whole invoice back.
Sample credit_note_of(const Sample& s);

}  // namespace ampacity::documents
