#include "engines/log_copy.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/time.h"

namespace ampacity::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLookBack = 64 << 10;
// The two streams of a container are stamped apart: their order in the log may differ by less.
constexpr std::int64_t kDisorder_s = 1;

std::string_view stamp_of(std::string_view line) { return line.substr(0, line.find(' ')); }

std::int64_t second_of(std::string_view line) {
  auto at = base::parse_instant(std::string(stamp_of(line)));
  return at ? at->us / 1'000'000 : 0;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

std::string_view last_line(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::size_t before = text.rfind('\n');
  return before == std::string_view::npos ? text : text.substr(before + 1);
}

std::string lines_if(std::string_view text, const auto& wanted) {
  std::string out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size() - 1);
    if (wanted(text.substr(0, end))) out += text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

base::Try<SpoolEnd> spool_end(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::app | std::ios::binary);
  if (!file) return base::fault("cannot write " + path.string());
  return spool_end(file, path.string());
}

base::Try<SpoolEnd> spool_whole(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::app | std::ios::binary);
  if (!file) return base::fault("cannot write " + path.string());
  SpoolEnd all;
  all.window.assign(std::istreambuf_iterator<char>(file), {});
  return all;
}

bool in_order(std::string_view lines, base::Instant now) {
  std::int64_t latest_s = 0;
  while (!lines.empty()) {
    const std::int64_t s = second_of(first_line(lines));
    if (s < latest_s - kDisorder_s) return false;
    latest_s = std::max(latest_s, s);
    lines.remove_prefix(std::min(lines.find('\n'), lines.size() - 1) + 1);
  }
  return now.us / 1'000'000 >= latest_s;
}

base::Try<SpoolEnd> spool_end(std::istream& file, const std::string& name) {
  file.seekg(0, std::ios::end);
  std::int64_t begin = file.tellg();
  std::string tail;
  SpoolEnd end;
  while (begin > 0) {
    std::int64_t n = std::min(kLookBack, begin);
    begin -= n;
    std::string block(static_cast<std::size_t>(n), '\0');
    file.seekg(begin);
    if (!file.read(block.data(), n)) return base::fault("cannot read " + name);
    tail.insert(0, block);
    std::size_t whole = begin == 0 ? 0 : tail.find('\n') + 1;
    if (begin > 0 && (whole == 0 || whole == tail.size())) continue;
    end.since_s = std::max<std::int64_t>(second_of(last_line(tail)) - kDisorder_s, 0);
    if (second_of(first_line(std::string_view(tail).substr(whole))) < end.since_s - kDisorder_s) {
      tail.erase(0, whole);
      break;
    }
  }
  end.window =
      lines_if(tail, [&end](std::string_view line) { return second_of(line) >= end.since_s; });
  return end;
}

std::string spool_news(const SpoolEnd& end, std::string_view answered) {
  if (answered.starts_with(end.window)) return std::string(answered.substr(end.window.size()));
  std::string_view last = stamp_of(last_line(end.window));
  return lines_if(answered, [last](std::string_view line) { return stamp_of(line) > last; });
}

}  // namespace ampacity::engines
