// What must hold of an invoice before it is written as UBL, and how a line's quantity and price are
// said so that they give its amount. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/currency.h"
#include "base/result.h"
#include "documents/invoice_source.h"

namespace ampacity::documents {

// Everything EN 16931 would find wrong that we cannot mend by writing; empty: nothing.
std::vector<base::Wrong> ubl_faults(const InvoiceSource& source);

// "DE123456788": begins with a country (or Greece's EL) and goes on in digits and capitals.
bool is_vat_number(std::string_view text);
bool is_country(std::string_view code);  // of ISO 3166-1 alpha-2

struct PricedQuantity {
  std::string quantity;  // with the amount's sign
  std::string_view unit_code;
  std::string price;        // never negative
  bool whole_line = false;  // one piece at the line's amount
};
// `minor`: the line's amount as the document shows it.
PricedQuantity priced_quantity(const core::InvoiceLine& line, __int128 minor,
                               const base::Currency& currency);

}  // namespace ampacity::documents
