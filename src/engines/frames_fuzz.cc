// What a container wrote, as an engine passes it on: frames cut anywhere, the spool's lines, and
// which of them are new; and CDI's specifications.
#include "base/fuzz_input.h"
#include "engines/cdi.h"
#include "engines/dialect.h"
#include "engines/exec_frames.h"
#include "engines/log_copy.h"

namespace base = ampacity::base;
namespace engines = ampacity::engines;

namespace {

struct Streams {
  std::string out, err;
  bool whole = true;
};

Streams read(std::string_view bytes, std::size_t piece) {
  Streams s;
  engines::FrameReader frames;
  const auto keep = [&s](std::string_view text, bool is_stderr) {
    (is_stderr ? s.err : s.out) += text;
  };
  for (std::size_t at = 0; at < bytes.size() && s.whole; at += piece)
    s.whole = frames.feed(bytes.substr(at, piece), keep);
  return s;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::FuzzInput input(data, size);
  const std::size_t piece = 1 + input.byte();
  const std::string_view bytes = input.rest();
  const Streams whole = read(bytes, bytes.size() + 1), cut = read(bytes, piece);
  CHECK_THAT(whole.out == cut.out && whole.err == cut.err && whole.whole == cut.whole,
             "frames that change when they are cut");
  CHECK_THAT(whole.out.size() + whole.err.size() <= bytes.size(), "more than was sent");

  const std::string spool = engines::spool_text(bytes);
  CHECK_THAT(spool.size() <= 4 * bytes.size() + 16, "a spool that grows");
  CHECK_THAT(spool.empty() || spool.ends_with('\n'), "a spool that ends inside a line");
  for (const bool is_json : {false, true}) {
    const auto names = engines::cdi_devices(bytes, is_json);
    CHECK_THAT(names.size() <= bytes.size(), "devices out of nothing");
  }
  engines::SpoolEnd end;
  end.window = input.until("%%");
  const std::string_view answered = input.rest();
  const std::string news = engines::spool_news(end, answered);
  CHECK_THAT(news.size() <= answered.size(), "more news than answers");
  if (answered.starts_with(end.window))
    CHECK_THAT(end.window + news == answered, "news that do not continue the spool");
  return 0;
}
