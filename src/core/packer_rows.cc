#include "core/packer_rows.h"

#include <algorithm>

#include "base/check.h"

namespace ampacity::core {
namespace {

Left most_of(const Left& a, const Left& b) {
  return {std::max(a.cpu_milli, b.cpu_milli), std::max(a.memory_mib, b.memory_mib)};
}

}  // namespace

std::uint32_t cpu_class(std::int64_t cpu_milli) {
  if (cpu_milli < 1000)
    return static_cast<std::uint32_t>(std::max<std::int64_t>(0, cpu_milli)) / 250;
  cpu_milli = std::min(cpu_milli, std::int64_t{1} << 40);
  const auto cores = static_cast<std::uint64_t>(cpu_milli) / 1000;
  const auto octave = static_cast<std::uint32_t>(std::bit_width(cores) - 1);
  const std::int64_t low = std::int64_t{1000} << octave;
  const auto quarter = static_cast<std::uint32_t>((cpu_milli - low) * 4 / low);
  return std::min(4 + 4 * octave + quarter, cpu_classes - 1);
}

std::int64_t cpu_floor(std::uint32_t c) {
  if (c < 4) return c * 250;
  const std::int64_t low = std::int64_t{1000} << ((c - 4) / 4);
  return low + low / 4 * ((c - 4) % 4);
}

std::uint32_t gpu_class(std::uint32_t milli) {
  if (milli <= 8000) return milli / 500;
  if (milli < 16000) return 16 + (milli - 8000) / 1000;
  return std::min(24 + (milli - 16000) / 8000, gpu_classes - 1);
}

std::uint32_t gpu_floor(std::uint32_t g) {
  if (g <= 16) return g * 500;
  if (g < 24) return 8000 + (g - 16) * 1000;
  return 16000 + (g - 24) * 8000;
}

std::uint32_t Rows::Chunk::find(std::uint64_t key) const {
  return static_cast<std::uint32_t>(std::lower_bound(keys.begin(), keys.begin() + count, key) -
                                    keys.begin());
}

// The chunk that holds the key, or would.
std::size_t Rows::chunk_of(const Row& row, std::uint64_t key) {
  const auto it = std::upper_bound(row.firsts.begin(), row.firsts.end(), key);
  return it == row.firsts.begin() ? 0 : static_cast<std::size_t>(it - row.firsts.begin()) - 1;
}

RowIx Rows::open_row() {
  if (!spare_rows_.empty()) {
    const RowIx r = spare_rows_.back();
    spare_rows_.pop_back();
    return r;
  }
  rows_.emplace_back();
  return static_cast<RowIx>(rows_.size() - 1);
}

void Rows::close_row(RowIx r) {
  CHECK_THAT(rows_[r].size == 0, "only an empty row is closed");
  rows_[r] = {};
  spare_rows_.push_back(r);
}

std::uint32_t Rows::new_chunk() {
  if (!spare_chunks_.empty()) {
    const std::uint32_t c = spare_chunks_.back();
    spare_chunks_.pop_back();
    return c;
  }
  chunks_.emplace_back();
  return static_cast<std::uint32_t>(chunks_.size() - 1);
}

// Recomputes the bounds; they are known to be no higher than `ceiling`.
void Rows::measure(Chunk& chunk, Left ceiling, std::span<const Left> left) const {
  chunk.most = {};
  for (std::uint32_t k = 0; k < chunk.count && !chunk.most.holds(ceiling); ++k)
    chunk.most = most_of(chunk.most, left[static_cast<std::uint32_t>(chunk.keys[k])]);
}

void Rows::add(RowIx r, std::uint32_t klass, std::uint32_t node, std::span<const Left> left) {
  Row& row = rows_[r];
  const std::uint64_t key = static_cast<std::uint64_t>(klass) << 32 | node;
  row.filled |= 1ULL << (klass / gpu_classes);
  row.bits[klass / gpu_classes] |= 1U << (klass % gpu_classes);
  ++row.size;
  if (row.chunks.empty()) {
    row.chunks.push_back(new_chunk());
    row.firsts.push_back(key);
    chunks_[row.chunks[0]].count = 0;
    chunks_[row.chunks[0]].most = {};
  }
  std::size_t at = chunk_of(row, key);
  if (chunks_[row.chunks[at]].count == chunk_keys) {
    const std::uint32_t fresh = new_chunk();
    Chunk& old = chunks_[row.chunks[at]];
    Chunk& half = chunks_[fresh];
    half.count = chunk_keys / 2;
    std::copy(old.keys.begin() + chunk_keys / 2, old.keys.end(), half.keys.begin());
    old.count = chunk_keys / 2;
    measure(half, old.most, left);
    measure(old, old.most, left);
    row.chunks.insert(row.chunks.begin() + static_cast<std::ptrdiff_t>(at) + 1, fresh);
    row.firsts.insert(row.firsts.begin() + static_cast<std::ptrdiff_t>(at) + 1, half.keys[0]);
    at += key >= half.keys[0];
  }
  Chunk& chunk = chunks_[row.chunks[at]];
  const std::uint32_t k = chunk.find(key);
  CHECK_THAT(k == chunk.count || chunk.keys[k] != key, "a node enters a row once");
  std::copy_backward(chunk.keys.begin() + k, chunk.keys.begin() + chunk.count,
                     chunk.keys.begin() + chunk.count + 1);
  chunk.keys[k] = key;
  ++chunk.count;
  chunk.most = most_of(chunk.most, left[node]);
  row.firsts[at] = chunk.keys[0];
}

// Whether the class is still there beside position k, from which a key was just taken.
bool Rows::has_class(const Row& row, std::size_t at, std::uint32_t k, std::uint32_t klass) const {
  const auto is = [&](std::uint64_t key) { return key >> 32 == klass; };
  const Chunk& chunk = chunks_[row.chunks[at]];
  if (k < chunk.count && is(chunk.keys[k])) return true;
  if (k > 0 && is(chunk.keys[k - 1])) return true;
  if (k == chunk.count && at + 1 < row.chunks.size() && is(row.firsts[at + 1])) return true;
  if (k > 0 || at == 0) return false;
  const Chunk& prior = chunks_[row.chunks[at - 1]];
  return is(prior.keys[prior.count - 1]);
}

void Rows::drop_chunk(Row& row, std::size_t at) {
  spare_chunks_.push_back(row.chunks[at]);
  row.chunks.erase(row.chunks.begin() + static_cast<std::ptrdiff_t>(at));
  row.firsts.erase(row.firsts.begin() + static_cast<std::ptrdiff_t>(at));
}

void Rows::remove(RowIx r, std::uint32_t klass, std::uint32_t node, Left was,
                  std::span<const Left> left) {
  Row& row = rows_[r];
  const std::uint64_t key = static_cast<std::uint64_t>(klass) << 32 | node;
  const std::size_t at = chunk_of(row, key);
  CHECK_THAT(at < row.chunks.size(), "a node leaves a row it is in");
  Chunk& chunk = chunks_[row.chunks[at]];
  const std::uint32_t k = chunk.find(key);
  CHECK_THAT(k < chunk.count && chunk.keys[k] == key, "a node leaves a row it is in");
  std::copy(chunk.keys.begin() + k + 1, chunk.keys.begin() + chunk.count, chunk.keys.begin() + k);
  --chunk.count;
  --row.size;
  if (!has_class(row, at, k, klass)) {
    row.bits[klass / gpu_classes] &= ~(1U << (klass % gpu_classes));
    if (row.bits[klass / gpu_classes] == 0) row.filled &= ~(1ULL << (klass / gpu_classes));
  }
  if (chunk.count == 0) return drop_chunk(row, at);
  row.firsts[at] = chunk.keys[0];
  if (at + 1 < row.chunks.size()) {
    const Chunk& next = chunks_[row.chunks[at + 1]];
    if (chunk.count + next.count <= chunk_keys / 2) {
      std::copy(next.keys.begin(), next.keys.begin() + next.count,
                chunk.keys.begin() + chunk.count);
      chunk.count += next.count;
      chunk.most = most_of(chunk.most, next.most);
      drop_chunk(row, at + 1);
    }
  }
  if (was.cpu_milli >= chunk.most.cpu_milli || was.memory_mib >= chunk.most.memory_mib)
    measure(chunk, chunk.most, left);
}

void Rows::update(RowIx r, std::uint32_t klass, std::uint32_t node, Left was,
                  std::span<const Left> left) {
  Row& row = rows_[r];
  Chunk& chunk = chunks_[row.chunks[chunk_of(row, static_cast<std::uint64_t>(klass) << 32 | node)]];
  const Left& now = left[node];
  const Left ceiling = most_of(chunk.most, now);
  const bool lowered = (was.cpu_milli >= chunk.most.cpu_milli && now.cpu_milli < was.cpu_milli) ||
                       (was.memory_mib >= chunk.most.memory_mib && now.memory_mib < was.memory_mib);
  chunk.most = ceiling;
  if (lowered) measure(chunk, ceiling, left);
}

bool Rows::sound(RowIx r, std::span<const Left> left) const {
  const Row& row = rows_[r];
  Row seen;
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < row.chunks.size(); ++i) {
    const Chunk& chunk = chunks_[row.chunks[i]];
    Left most;
    for (std::uint32_t k = 0; k < chunk.count; ++k) {
      const std::uint64_t key = chunk.keys[k];
      if (seen.size++ > 0 && key <= last) return false;
      last = key;
      most = most_of(most, left[static_cast<std::uint32_t>(key)]);
      const auto klass = static_cast<std::uint32_t>(key >> 32);
      seen.filled |= 1ULL << (klass / gpu_classes);
      seen.bits[klass / gpu_classes] |= 1U << (klass % gpu_classes);
    }
    if (chunk.count == 0 || row.firsts[i] != chunk.keys[0] || chunk.most != most) return false;
  }
  return row.firsts.size() == row.chunks.size() && seen.size == row.size &&
         seen.filled == row.filled && seen.bits == row.bits;
}

}  // namespace ampacity::core
