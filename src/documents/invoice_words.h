// How an invoice is worded: amounts, quantities, prices, dates and what a line is called. English.
// Pure. 1. Decimals are exact unless `most` places cannot hold them; then half up, away from zero.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/currency.h"
#include "documents/invoice_source.h"

namespace ampacity::documents {

using base::Instant;
using base::Wide;

// The words are valid UTF-8 without control characters: what is not becomes U+FFFD, or a blank.
// Every text of a document goes through this or is made of digits.
std::string clean_text(std::string_view text);

// numerator / denominator, `least` to `most` decimals (0..18), zeros at the end dropped to `least`.
// |numerator / denominator| < 2^63; denominator > 0.
std::string decimal_text(Wide numerator, Wide denominator, int least, int most);
// "-1234567.50" -> "-1,234,567.50"
std::string grouped(std::string_view decimal);
std::string money_text(std::int64_t minor, const base::Currency& currency);  // "1,234.50"

// How many of the meter's smallest units one shown unit is: 3,600,000 milli-GPU-s a GPU-Hour.
std::int64_t unit_size(const core::InvoiceLine& line);
std::string quantity_text(const core::InvoiceLine& line, int least, int most);
// Ticks of one shown unit / what a unit of currency has: the unit price as an exact fraction.
Wide unit_price_ticks(const core::InvoiceLine& line);
std::string unit_price_text(const core::InvoiceLine& line, int least, int most);

std::string day_text(Instant t);                       // "7 December 2026"
std::string short_day_text(Instant t);                 // "7 Dec 2026"
std::string period_text(Instant from, Instant until);  // half-open: "1 – 30 November 2026"
std::string month_text(Instant t);                     // "November 2026"
// The last day of a half-open period, for formats whose periods are closed.
Instant last_day(Instant from, Instant until);

std::string percent_text(std::int64_t bp);       // 1900 -> "19", 770 -> "7.7"
std::string tax_text(const core::TaxLine& tax);  // "VAT 19 %", "Reverse charge"
// Why nothing is taxed: the profile's words, or what its category is commonly called.
std::string tax_reason(std::string_view category, std::string_view note);

std::string service_text(const core::InvoiceLine& line);  // "GPU compute", "SLA credit"
std::string class_text(core::JobClass c);
// What is charged, and what a reader needs beside it (service period, site, price version).
std::string line_title(const core::InvoiceLine& line, const InvoiceNames& names);
std::string line_detail(const core::InvoiceLine& line, const InvoiceNames& names);
std::string project_text(const core::InvoiceLine& line, const InvoiceNames& names);

}  // namespace ampacity::documents
