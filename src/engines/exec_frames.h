// The 8-byte frames in which engines mix a process's stdout and stderr when it has no terminal.
// Threads: one reader belongs to one stream.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ampacity::engines {

class FrameReader {
 public:
  using Sink = std::function<void(std::string_view bytes, bool is_stderr)>;
  // Passes on what is there; a frame may be passed in pieces. False: not in frames; nothing more is
  // read.
  bool feed(std::string_view bytes, const Sink& sink);

 private:
  std::string head_;
  std::uint32_t left_ = 0;
  bool is_stderr_ = false;
  bool broken_ = false;
};

}  // namespace ampacity::engines
