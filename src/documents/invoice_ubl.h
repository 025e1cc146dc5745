// An invoice as UBL 2.1 (Invoice or CreditNote) that keeps EN 16931.
// Pure but for pugixml. 1. Refused, naming every field and rule, rather than written wrong: totals
// that do not add up (BR-CO-10…17), what a tax category needs and is not there. 2. Amounts are
// exact. EN 16931 has at most two decimals (BR-DEC-*): where a currency has three and an amount
// uses the third (KWD 1.234), the document says its amounts exactly and does not claim EN 16931: it
// has no CustomizationID and is plain UBL 2.1. 3. A price is not negative (BR-27): quantities are.
// 4. Quantity × price is the line's amount to within a minor unit. Where it is not the first tier's
// price that gives it (tiers, minimums, corrections), the price is the average; where no quantity
// explains the amount, the line is one piece at that amount.
#pragma once

#include <string>

#include "base/result.h"
#include "documents/invoice_source.h"

namespace ampacity::documents {

inline constexpr std::string_view en16931 = "urn:cen.eu:en16931:2017";

base::Result<std::string> invoice_ubl(const InvoiceSource& source);

// Whether every amount fits the two decimals of EN 16931.
bool fits_en16931(const core::Invoice& invoice);

// UN/ECE Recommendation 20 for our unit's name: "GPU-Hours" -> "HUR"; C62 (one) for what has none.
std::string_view unit_code(const core::InvoiceLine& line);

// Of BT-84: the IBAN that the words contain, without blanks; empty: there is none that is valid.
std::string iban_in(std::string_view words);

}  // namespace ampacity::documents
