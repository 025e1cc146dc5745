// Server-sent events, cut anywhere and with any ends of lines: the same events.
#include "cli/sse.h"

#include <vector>

#include "base/fuzz_input.h"

namespace base = ampacity::base;
namespace cli = ampacity::cli;

namespace {

struct Heard {
  std::vector<std::string> events;
  std::string last_id;
  bool operator==(const Heard&) const = default;
};

Heard read(std::string_view bytes, std::size_t piece) {
  Heard heard;
  cli::SseParser parser("0");
  const auto keep = [&heard](const cli::SseEvent& e) {
    CHECK_THAT(!e.name.empty(), "an event without a name");
    CHECK_THAT(e.data.find('\r') == std::string::npos, "a line's end inside data");
    heard.events.push_back(e.name + "\n" + e.id + "\n" + e.data);
    return true;
  };
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    CHECK_THAT(parser.feed(bytes.substr(at, piece), keep), "so little is too much");
  heard.last_id = parser.last_id();
  return heard;
}

// Every end of a line as a \n.
std::string with_plain_ends(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n' && i > 0 && bytes[i - 1] == '\r') continue;
    out += bytes[i] == '\r' ? '\n' : bytes[i];
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::FuzzInput input(data, size);
  const std::size_t piece = 1 + input.byte();
  const std::string_view bytes = input.rest();
  const Heard whole = read(bytes, bytes.size() + 1);
  CHECK_THAT(whole == read(bytes, piece), "other events when cut");
  CHECK_THAT(whole == read(with_plain_ends(bytes), piece), "other events for other ends of lines");
  return 0;
}
