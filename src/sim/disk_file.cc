#include "sim/disk_file.h"

#include <algorithm>

namespace ampacity::sim {
namespace {

std::uint64_t first_sector(std::uint64_t offset) { return offset / sector_bytes; }
std::uint64_t end_sector(std::uint64_t end) { return (end + sector_bytes - 1) / sector_bytes; }

// Puts the bytes of `from`, which begins at `offset`, into [begin, end) of `into`; where `from` has
// none there was no file: zeros.
void put_back(std::string& into, std::string_view from, std::uint64_t offset, std::uint64_t begin,
              std::uint64_t end) {
  end = std::min<std::uint64_t>(end, into.size());
  for (std::uint64_t at = begin; at < end; ++at)
    into[at] = at - offset < from.size() ? from[at - offset] : '\0';
}

}  // namespace

void DiskFile::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  Change c{false, offset, bytes.size(), seen_.size(), {}};
  if (offset < seen_.size()) c.bytes_before = seen_.substr(offset, bytes.size());
  unsynced_.push_back(std::move(c));
  if (seen_.size() < offset + bytes.size()) seen_.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), seen_.begin() + static_cast<std::ptrdiff_t>(offset));
}

void DiskFile::truncate(std::uint64_t size) {
  Change c{true, size, 0, seen_.size(), {}};
  if (size < seen_.size()) c.bytes_before = seen_.substr(size);
  unsynced_.push_back(std::move(c));
  seen_.resize(size);
}

void DiskFile::copy_to(std::string& platter, const Change& c) const {
  if (c.truncation) {
    platter.resize(c.offset);
    return;
  }
  const std::uint64_t end = std::min<std::uint64_t>(c.offset + c.length, seen_.size());
  if (end <= c.offset) return;
  if (platter.size() < end) platter.resize(end);
  platter.replace(c.offset, end - c.offset, seen_, c.offset, end - c.offset);
}

void DiskFile::sync() {
  if (platter_)
    for (const Change& c : unsynced_) copy_to(*platter_, c);
  unsynced_.clear();
}

void DiskFile::fail_sync(base::Prng& prng) {
  if (unsynced_.empty()) return;
  std::string left = found(Loss::some, false, prng);
  const bool stays = prng.next() % 4 != 0;
  unsynced_.clear();
  if (stays)
    platter_ = std::move(left);
  else
    seen_ = std::move(left);
}

DiskFile::Stretch DiskFile::draw_stretch(Loss loss, base::Prng& prng) const {
  std::vector<std::size_t> truncations;
  for (std::size_t i = 0; i < unsynced_.size(); ++i)
    if (unsynced_[i].truncation) truncations.push_back(i);
  std::size_t kept = 0;
  if (!truncations.empty() && loss == Loss::some) kept = prng.next() % (truncations.size() + 1);
  return {kept == 0 ? 0 : truncations[kept - 1] + 1,
          kept == truncations.size() ? unsynced_.size() : truncations[kept]};
}

DiskFile::Sectors DiskFile::touched(Stretch in) const {
  Sectors out;
  for (std::size_t i = in.from; i < in.until; ++i) {
    const Change& c = unsynced_[i];
    for (auto s = first_sector(c.offset); s < end_sector(c.offset + c.length); ++s) ++out[s].writes;
  }
  return out;
}

// Which of the writes to each sector is the last to be found.
void DiskFile::draw_kept(Sectors& sectors, Stretch in, Loss loss, bool garble,
                         base::Prng& prng) const {
  if (loss == Loss::everything || in.from == in.until) return;
  const std::uint64_t way = prng.next() % 4;
  if (way == 0) {  // in order, up to a sector in the midst of one write
    const std::size_t last = in.from + prng.next() % (in.until - in.from);
    for (std::size_t i = in.from; i <= last; ++i) {
      const Change& c = unsynced_[i];
      std::uint64_t end = end_sector(c.offset + c.length);
      if (i == last) end -= prng.next() % (end - first_sector(c.offset) + 1);
      for (auto s = first_sector(c.offset); s < end; ++s) ++sectors[s].kept;
    }
    return;
  }
  const std::uint64_t kept_in_8 = way == 1 ? 1 : way == 2 ? 4 : 7;
  for (auto& [at, s] : sectors) {
    for (int i = 0; i < s.writes; ++i) s.kept += prng.next() % 8 < kept_in_8;
    s.garbled = garble && s.kept < s.writes && prng.next() % 8 == 0;
  }
}

// As it was seen after that many of the changes.
std::string DiskFile::undone(std::size_t changes) const {
  std::string out = seen_;
  for (std::size_t i = unsynced_.size(); i-- > changes;) {
    const Change& c = unsynced_[i];
    out.resize(c.size_before);
    if (!c.bytes_before.empty()) out.replace(c.offset, c.bytes_before.size(), c.bytes_before);
  }
  return out;
}

std::string DiskFile::found_after_failed_sync(Loss loss, base::Prng& prng) const {
  std::string out = *platter_;
  for (const Change& c : unsynced_)
    if (loss == Loss::some && prng.next() % 2 == 0) copy_to(out, c);
  return out;
}

std::string DiskFile::found(Loss loss, bool garble, base::Prng& prng) const {
  if (platter_) return found_after_failed_sync(loss, prng);
  const Stretch in = draw_stretch(loss, prng);
  std::string out = undone(in.until);
  if (in.from == in.until) return out;
  Sectors sectors = touched(in);
  draw_kept(sectors, in, loss, garble, prng);

  std::uint64_t size = unsynced_[in.from].size_before;
  for (auto& [at, s] : sectors) {
    const std::uint64_t begin = at * sector_bytes, end = std::min(begin + sector_bytes, out.size());
    if (s.kept > 0) size = std::max(size, end);
    if (s.garbled)
      for (std::uint64_t i = begin; i < end; ++i) out[i] = static_cast<char>(prng.next());
  }
  for (std::size_t i = in.until; i-- > in.from;) {
    const Change& c = unsynced_[i];
    const std::uint64_t end = c.offset + c.length;
    for (auto at = first_sector(c.offset); at < end_sector(end); ++at) {
      Sector& s = sectors[at];
      if (s.writes-- <= s.kept || s.garbled) continue;
      put_back(out, c.bytes_before, c.offset, std::max(c.offset, at * sector_bytes),
               std::min(end, (at + 1) * sector_bytes));
    }
  }
  // A file may have grown before what it grew by was written.
  if (loss == Loss::everything || prng.next() % 2 == 0) out.resize(size);
  return out;
}

DiskFile DiskFile::after(Loss loss, bool garble, base::Prng& prng) const {
  return loss == Loss::nothing ? *this : DiskFile(found(loss, garble, prng));
}

}  // namespace ampacity::sim
