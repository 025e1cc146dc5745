// The SHA-256 of what was rated, as it was seen: invoices of equal inputs have equal hashes. That
// is usage, contracts, earlier lines, the prices that were used. Credit, tax and an operator's own
// lines are on the invoice itself.
// Threads: a Hasher belongs to one rating.
//
// 1. Canonical form: each integer as 8 bytes, lowest first; each text as its length and its bytes;
//    each list as its length and its items, in the order that rating takes them. 2. The digest is
//    the chain h = SHA-256(h ‖ block), from 32 zero bytes on, over blocks of `block` bytes; the
//    last may be shorter. 3. What a later sequence said is not in it.
#pragma once

#include "base/crypto.h"
#include "billing/price_choice.h"

namespace ampacity::billing {

class Hasher {
 public:
  static constexpr std::size_t block = 65'536;

  void number(std::int64_t v);
  void text(std::string_view v);
  void id(Id v);
  void add(const Inputs& in, const std::vector<core::Contract>& known);
  void add(const LeaseUsage& lease, std::uint64_t sequence);  // as of
  void add(const MeteredUsage& event);
  void add(const Pricing& price, const Meters& meters);  // one that was used
  std::string hex();

 private:
  void flush_full();

  std::string buffer_;
  base::Digest digest_{};
};

}  // namespace ampacity::billing
