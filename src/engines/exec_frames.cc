#include "engines/exec_frames.h"

#include <algorithm>

namespace ampacity::engines {

bool FrameReader::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty() && !broken_) {
    if (left_ > 0) {
      std::size_t n = std::min<std::size_t>(left_, bytes.size());
      sink(bytes.substr(0, n), is_stderr_);
      left_ -= static_cast<std::uint32_t>(n);
      bytes.remove_prefix(n);
      continue;
    }
    std::size_t n = std::min<std::size_t>(8 - head_.size(), bytes.size());
    head_.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    if (head_.size() < 8) break;
    auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(head_[i]));
    };
    broken_ = byte(0) > 3 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0;
    is_stderr_ = byte(0) == 2;
    left_ = byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7);
    head_.clear();
  }
  return !broken_;
}

}  // namespace ampacity::engines
