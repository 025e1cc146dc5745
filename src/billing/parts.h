// Streams what an invoice's lines are made of. A month that was billed before is rated twice, as
// it was known then and as it is known now: its parts are the differences.
// Threads: belongs to one rating.
//
// 1. Σ parts of a line = the line, in ticks, minor and covered_minor: what cannot be laid to a
// lease (an invoice that was voided in between) is one part of nobody's at the end.
// 2. A line's cover goes to its earliest parts.
#pragma once

#include "billing/invoice.h"

namespace ampacity::billing {

class PartWriter {
 public:
  // keys[i] is of lines[i].
  PartWriter(Setting& setting, const std::vector<LineKey>& keys,
             const std::vector<core::InvoiceLine>& lines, const PartSink& sink);

  // `who` says whose: job, event, user.
  void write(const RatedPart& who, const Pieces& now, const Pieces& then);
  // Credit bought, an operator's own lines, and what is missing.
  void rest();

 private:
  struct Progress {
    Ticks ticks = 0;
    std::int64_t minor = 0;
    std::int64_t covered_minor = 0;
  };
  void put(const RatedPart& who, const Piece& piece);
  void send(RatedPart& part);

  Setting& setting_;
  const std::vector<core::InvoiceLine>& lines_;
  const PartSink& sink_;
  std::map<LineKey, std::size_t> index_;
  std::vector<Progress> progress_;
  std::vector<bool> spent_;  // of `then`'s pieces, while one write goes on
};

}  // namespace ampacity::billing
