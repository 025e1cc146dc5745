// Rows of text into a bounded buffer, and from there to whoever takes them: every export streams.
// Threads: one sheet belongs to one thread.
// 1. What is held is at most one row more than `most_held`. 2. Empty text is null: CSV tells no
// difference, so an export never means an empty string by it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ampacity::documents {

using TextSink = std::function<void(std::string_view)>;

class Sheet {
 public:
  static constexpr std::size_t most_held = 256 * 1024;

  explicit Sheet(TextSink sink) : sink_(std::move(sink)) { held_.reserve(most_held + 8192); }
  Sheet(const Sheet&) = delete;
  Sheet& operator=(const Sheet&) = delete;
  ~Sheet() { flush(); }

  // Cells of CSV (RFC 4180): quoted only where they must be.
  void text(std::string_view cell);
  void plain(std::string_view cell) { (held_ += cell) += ','; }  // known to need no quotes
  void number(std::int64_t value);
  void seconds(base::Instant t);  // 2026-11-01T00:00:00Z: the fraction is cut
  void exact(base::Instant t) { plain(base::format_instant(t)); }
  void null() { held_ += ','; }
  void end_row();

  void raw(std::string_view words) { held_ += words; }
  void end_line();
  std::string& held() { return held_; }
  void flush();

 private:
  void drain() {
    if (held_.size() >= most_held) flush();
  }

  TextSink sink_;
  std::string held_;
};

}  // namespace ampacity::documents
