// The lines of an invoice as CSV (RFC 4180): one row a line, amounts as decimals of the currency,
// quantities both as a person reads them and exact. Streams: memory is a row's.
// Threads: any. 1. Σ amount = the invoice's subtotal; signs are as stored (a credit note's
// negative).
#pragma once

#include "base/result.h"
#include "documents/invoice_source.h"
#include "documents/sheet.h"

namespace ampacity::documents {

// The first row names the columns. Refused: an unknown currency.
base::Result<void> invoice_csv(const InvoiceSource& source, const TextSink& sink);

}  // namespace ampacity::documents
