// The rows of the placement index: sets of nodes sorted by (class, id), with a bit per class.
//
// Thread rule: one thread at a time; a plain value.
//
// 1. A row holds (class, node) once; its bit for a class is set exactly when it has a node there.
// 2. Each chunk knows exactly the most CPU and the most memory that any of its nodes has left, so
//    whole chunks without room are passed over.
// 3. What is in a row does not depend on the order of changes (how it is cut into chunks does).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace ampacity::core {

using RowIx = std::uint32_t;
inline constexpr RowIx no_row = 0;

// What a node has left.
struct Left {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  bool holds(const Left& need) const {
    return cpu_milli >= need.cpu_milli && memory_mib >= need.memory_mib;
  }
  bool operator==(const Left&) const = default;
};

inline constexpr std::uint32_t cpu_classes = 48;
inline constexpr std::uint32_t gpu_classes = 32;
inline constexpr std::uint32_t classes = cpu_classes * gpu_classes;

std::uint32_t cpu_class(std::int64_t cpu_milli);
std::uint32_t gpu_class(std::uint32_t gpu_milli);
std::int64_t cpu_floor(std::uint32_t cpu_class);  // the least in the class
std::uint32_t gpu_floor(std::uint32_t gpu_class);

class Rows {
 public:
  Rows() : rows_(1) {}

  RowIx open_row();
  void close_row(RowIx r);  // empty
  // `left`: what each node has now; `was`: what this one had when it entered.
  void add(RowIx r, std::uint32_t klass, std::uint32_t node, std::span<const Left> left);
  void remove(RowIx r, std::uint32_t klass, std::uint32_t node, Left was,
              std::span<const Left> left);
  void update(RowIx r, std::uint32_t klass, std::uint32_t node, Left was,
              std::span<const Left> left);

  std::uint32_t size(RowIx r) const { return rows_[r].size; }
  bool sound(RowIx r, std::span<const Left> left) const;  // the invariants hold (for tests)

  // f(class) for each class with nodes whose CPU class is at least `from`.
  template <typename F>
  void each_class(RowIx r, std::uint32_t from, F&& f) const {
    const Row& row = rows_[r];
    for (std::uint64_t cs = row.filled >> from << from; cs; cs &= cs - 1) {
      const auto c = static_cast<std::uint32_t>(std::countr_zero(cs));
      for (std::uint32_t gs = row.bits[c]; gs; gs &= gs - 1)
        f(c * gpu_classes + static_cast<std::uint32_t>(std::countr_zero(gs)));
    }
  }

  // f(node) for each node in classes [from, to) with room for `need`, in order, until f says false.
  template <typename F>
  bool each_with_room(RowIx r, std::uint32_t from, std::uint32_t to, const Left& need,
                      std::span<const Left> left, F&& f) const {
    const Row& row = rows_[r];
    const std::uint64_t low = static_cast<std::uint64_t>(from) << 32;
    const std::uint64_t end = static_cast<std::uint64_t>(to) << 32;
    for (std::size_t i = chunk_of(row, low); i < row.chunks.size() && row.firsts[i] < end; ++i) {
      const Chunk& chunk = chunks_[row.chunks[i]];
      if (!chunk.most.holds(need)) continue;
      std::uint32_t k = row.firsts[i] < low ? chunk.find(low) : 0;
      for (; k < chunk.count && chunk.keys[k] < end; ++k) {
        const auto node = static_cast<std::uint32_t>(chunk.keys[k]);
        if (left[node].holds(need) && !f(node)) return false;
      }
    }
    return true;
  }

  // f(class, node), all.
  template <typename F>
  void each(RowIx r, F&& f) const {
    for (const std::uint32_t c : rows_[r].chunks)
      for (std::uint32_t k = 0; k < chunks_[c].count; ++k)
        f(static_cast<std::uint32_t>(chunks_[c].keys[k] >> 32),
          static_cast<std::uint32_t>(chunks_[c].keys[k]));
  }

 private:
  static constexpr std::uint32_t chunk_keys = 60;
  struct Chunk {
    Left most;
    std::uint32_t count = 0;
    std::array<std::uint64_t, chunk_keys> keys;   // class << 32 | node, rising
    std::uint32_t find(std::uint64_t key) const;  // the first not below it
  };
  struct Row {
    std::uint64_t filled = 0;                       // CPU classes with nodes
    std::array<std::uint32_t, cpu_classes> bits{};  // and their GPU classes
    std::uint32_t size = 0;
    std::vector<std::uint64_t> firsts;  // each chunk's first key
    std::vector<std::uint32_t> chunks;
  };
  static std::size_t chunk_of(const Row& row, std::uint64_t key);
  std::uint32_t new_chunk();
  void measure(Chunk& chunk, Left ceiling, std::span<const Left> left) const;
  bool has_class(const Row& row, std::size_t at, std::uint32_t k, std::uint32_t klass) const;
  void drop_chunk(Row& row, std::size_t at);

  std::vector<Row> rows_;  // [0]: none
  std::vector<RowIx> spare_rows_;
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> spare_chunks_;
};

}  // namespace ampacity::core
