#include "billing/parts.h"

#include <algorithm>

namespace ampacity::billing {
namespace {

bool says_nothing(const Piece& p) {
  return p.quantity == 0 && p.ticks == 0 && p.minor == 0 && p.effective == 0;
}

void subtract(Piece& from, const Piece& p) {
  from.quantity -= p.quantity;
  from.ticks -= p.ticks;
  from.minor -= p.minor;
  from.effective -= p.effective;
}

}  // namespace

PartWriter::PartWriter(Setting& setting, const std::vector<LineKey>& keys,
                       const std::vector<core::InvoiceLine>& lines, const PartSink& sink)
    : setting_(setting), lines_(lines), sink_(sink), progress_(lines.size()) {
  for (std::size_t i = 0; i < keys.size(); ++i) index_.emplace(keys[i], i);
}

void PartWriter::write(const RatedPart& who, const Pieces& now, const Pieces& then) {
  spent_.assign(then.size(), false);
  for (Piece p : now) {
    for (std::size_t i = 0; i < then.size(); ++i) {
      if (spent_[i] || then[i].key != p.key || then[i].from != p.from ||
          then[i].commitment != p.commitment)
        continue;
      spent_[i] = true;
      subtract(p, then[i]);
      // Invoiced up to the middle of it: the rest begins there.
      if (then[i].until < p.until && then[i].until >= setting_.in.from) p.from = then[i].until;
      break;
    }
    if (!says_nothing(p)) put(who, p);
  }
  for (std::size_t i = 0; i < then.size(); ++i) {
    if (spent_[i]) continue;
    Piece gone = then[i];
    subtract(gone, then[i]);
    subtract(gone, then[i]);
    if (!says_nothing(gone)) put(who, gone);
  }
}

void PartWriter::put(const RatedPart& who, const Piece& piece) {
  const auto line = index_.find(piece.key);
  if (line == index_.end()) return;  // its parts cancel out
  RatedPart part = who;
  part.kind = piece.key.kind;
  part.line = line->second;
  part.project = piece.key.project;
  part.sku = piece.key.sku;
  part.site = piece.key.site;
  part.job_class = piece.key.job_class;
  part.meter = setting_.meters.name(piece.key.meter);
  part.unit = lines_[part.line].unit;
  part.price_version = piece.key.version;
  part.month = piece.key.month;
  part.from = piece.from;
  part.until = piece.until;
  part.quantity = piece.quantity;
  part.per = piece.per;
  part.list_price =
      setting_.prices.list_price(piece.from, piece.key.meter, piece.key.sku, piece.key.site);
  part.contracted_price = piece.contracted_price;
  part.ticks = piece.ticks;
  part.minor = piece.minor;
  part.contract = piece.key.contract;
  part.commitment = piece.commitment;
  const bool purchase =
      part.kind == core::LineKind::commitment || part.kind == core::LineKind::prepaid;
  part.effective_ticks = purchase ? 0 : piece.effective;
  send(part);
}

void PartWriter::send(RatedPart& part) {
  Progress& p = progress_[part.line];
  const core::InvoiceLine& line = lines_[part.line];
  p.ticks += part.ticks;
  p.minor += part.minor;
  const std::int64_t covered = line.covered_minor >= 0
                                   ? std::clamp<std::int64_t>(p.minor, 0, line.covered_minor)
                                   : std::clamp<std::int64_t>(p.minor, line.covered_minor, 0);
  part.covered_minor = covered - p.covered_minor;
  p.covered_minor = covered;
  part.correction = line.correction || part.from < setting_.in.from;
  sink_(part);
}

void PartWriter::rest() {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const core::InvoiceLine& l = lines_[i];
    RatedPart part;
    part.ticks = l.ticks - progress_[i].ticks;
    part.minor = l.minor - progress_[i].minor;
    if (part.ticks == 0 && part.minor == 0) continue;
    part.kind = l.kind;
    part.line = i;
    part.project = l.project;
    part.sku = l.sku;
    part.site = l.site;
    part.job_class = l.job_class;
    part.meter = l.meter;
    part.unit = l.unit;
    part.price_version = l.price_version;
    part.month = l.month;
    part.from = l.from;
    part.until = l.until;
    part.per = l.per;
    if (i >= index_.size()) part.quantity = l.quantity;  // credit bought, an operator's own
    part.contracted_price = l.price;
    part.contract = l.contract;
    const bool purchase = l.kind == core::LineKind::commitment || l.kind == core::LineKind::prepaid;
    part.effective_ticks = purchase ? 0 : part.ticks;
    send(part);
  }
}

}  // namespace ampacity::billing
