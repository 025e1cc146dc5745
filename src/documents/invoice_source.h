// What the documents about an invoice are made from: the invoice as issued, who issues it, who pays
// it, and the names behind its indices.
// 1. Documents show an invoice as it was issued: its state and what was paid since do not change a
// byte of them. 2. A credit note's amounts are stored negative (the invoice negated); documents
// that say "credit note" show them positive, the CSV shows them as they are stored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bill.h"

namespace ampacity::documents {

struct InvoiceNames {
  std::vector<std::string> orgs;
  std::vector<std::string> projects;
  std::vector<std::string> skus;
  std::vector<std::string> sites;
  std::vector<std::uint32_t> emulated_skus;  // ascending
};

// "": nobody, or none of ours.
inline std::string_view name_at(const std::vector<std::string>& names, std::uint32_t index) {
  return index < names.size() ? std::string_view(names[index]) : std::string_view();
}

struct InvoiceSource {
  const core::Invoice& invoice;
  const core::BillingProfile& profile;
  const core::Party& issuer;
  const InvoiceNames& names;
  std::string corrects_number = {};  // a credit note's invoice
  base::Instant corrects_issued_at = {};
};

inline bool is_emulated(const InvoiceNames& names, const core::InvoiceLine& line) {
  return std::binary_search(names.emulated_skus.begin(), names.emulated_skus.end(), line.sku);
}

}  // namespace ampacity::documents
