// What every fuzz target (*_fuzz.cc) needs: an input taken apart, and what must hold of each
// refusal. Threads: one. A claim is a CHECK_THAT: what fails stops the process, and libFuzzer keeps
// the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/result.h"

namespace ampacity::base {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size)
      : bytes_(reinterpret_cast<const char*>(data), size) {}

  std::string_view rest() const { return bytes_; }
  unsigned byte() {  // 0 at the end
    if (bytes_.empty()) return 0;
    const auto first = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  // Up to `mark`, which is taken too; all of it if there is none.
  std::string_view until(std::string_view mark) {
    const std::size_t end = bytes_.find(mark);
    const std::string_view before = bytes_.substr(0, end);
    bytes_.remove_prefix(end == std::string_view::npos ? bytes_.size() : end + mark.size());
    return before;
  }

 private:
  std::string_view bytes_;
};

// Says why, and of every wrong field which and what would be right; its size follows the input's.
inline void check_refusal(const Refusal& refusal, std::string_view input) {
  CHECK_THAT(!refusal.message.empty(), "a refusal without words");
  std::size_t bytes = refusal.message.size();
  for (const Wrong& w : refusal.wrong) {
    CHECK_THAT(!w.field.empty(), "something wrong that names no field");
    CHECK_THAT(!w.message.empty(), "a wrong field without words");
    bytes += w.field.size() + w.message.size();
  }
  CHECK_THAT(bytes <= (std::size_t{64} << 10) + 8 * input.size(), "a refusal without bounds");
}

}  // namespace ampacity::base
