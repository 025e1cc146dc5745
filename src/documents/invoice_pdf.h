// An invoice or credit note as a PDF (A4): what is due on the first page, then every line.
// Threads: any; PDFs are set one at a time. 1. The same source gives the same bytes (one version of
// cairo and fonts): its date is issued_at. 2. Beyond most_pdf_lines lines there is a summary by
// project instead, which names the CSV. 3. Amounts are never rounded, shortened or cut.
#pragma once

#include <string>

#include "base/result.h"
#include "documents/invoice_source.h"

namespace ampacity::documents {

inline constexpr std::size_t most_pdf_lines = 2'000;
inline constexpr std::size_t most_pdf_projects = 2'000;

// Refused as unavailable where the fonts are missing.
base::Result<std::string> invoice_pdf(const InvoiceSource& source);

// "invoice-2026-000001", "credit-note-2026-000002": of its files, without what follows the point.
std::string invoice_file_stem(const core::Invoice& invoice);

}  // namespace ampacity::documents
