// A connection's input bytes: a flat, growing buffer that may be consumed while a read is
// outstanding. Threads: one. `prepare` may not be called again before `commit`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace ampacity::net {

class InputBuffer {
 public:
  struct Space {
    char* data;
    std::size_t size;
  };

  std::string_view bytes() const { return {data_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  // Room for at least `least` more bytes. Moves what is there to the front.
  Space prepare(std::size_t least) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ < least && begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (capacity_ - end_ < least) grow(std::max(end_ + least, capacity_ * 2));
    return {data_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t n) { end_ += n; }
  void consume(std::size_t n) { begin_ += n; }
  void clear() { begin_ = end_; }
  // Gives memory back when idle; not while a read is outstanding.
  void shrink(std::size_t keep) {
    if (!empty() || capacity_ <= keep) return;
    data_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  void grow(std::size_t capacity) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (end_ > 0) std::memcpy(larger.get(), data_.get(), end_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace ampacity::net
