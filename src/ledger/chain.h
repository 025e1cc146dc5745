// The hash chain over transfers: h_n = SHA-256(h_{n-1} ‖ record_n), from 32 zero bytes on, in the
// order of their timestamps; the head at the end of each day of UTC is what may be shown outside.
// 1. A record is 109 bytes, one field after the other, big-endian: it never changes its shape.
#pragma once

#include <array>
#include <vector>

#include "base/crypto.h"
#include "ledger/model.h"

namespace ampacity::ledger {

using Record = std::array<char, 109>;
Record record_of(const Transfer& t);  // version, then the fields in Transfer's order

// The chain after the last transfer of a day so far.
struct Head {
  Instant day;                  // its midnight
  std::uint64_t transfers = 0;  // of that day
  Instant last;                 // timestamp of the last of them
  base::Digest head{};

  bool operator==(const Head&) const = default;
};

class Chain {
 public:
  Chain() = default;
  explicit Chain(const Head& latest) : latest_(latest) {}

  // Appends; a day that has begun with this transfer is appended to `heads`, else its last is
  // brought up to date.
  void add(const Transfer& t, std::vector<Head>& heads);
  const Head& latest() const { return latest_; }

 private:
  Head latest_;
};

}  // namespace ampacity::ledger
