#include "engines/log_spool.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>
#include <system_error>

namespace ampacity::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBlock = 256 << 10;
constexpr std::size_t kLongestLine = 1 << 20;

struct File {
  int fd;
  ~File() {
    if (fd >= 0) close(fd);
  }
};

std::string_view take_word(std::string_view& rest) {
  std::size_t space = rest.find(' ');
  std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

// `TIMESTAMP stdout F text`; what is not in that form is text.
LogLine parse_line(std::string_view line, std::int64_t next_offset) {
  LogLine out;
  out.next_offset = next_offset;
  std::string_view rest = line;
  std::string_view at = take_word(rest);
  std::string_view stream = take_word(rest);
  std::string_view tag = take_word(rest);
  if ((stream != "stdout" && stream != "stderr") || (tag != "F" && tag != "P")) {
    out.text = line;
    return out;
  }
  out.at = at;
  out.is_stderr = stream == "stderr";
  out.partial = tag == "P";
  out.text = rest;
  return out;
}

}  // namespace

LogSpool::LogSpool(fs::path directory, std::int64_t max_bytes_per_rank)
    : directory_(std::move(directory)), max_bytes_(max_bytes_per_rank) {
  std::error_code error;
  fs::create_directories(directory_, error);
}

fs::path LogSpool::path(const std::string& container_name) const {
  return directory_ / (container_name + ".log");
}

base::Try<std::vector<LogLine>> LogSpool::read(const std::string& container_name,
                                               std::int64_t offset, std::size_t max_lines) const {
  File file{open(path(container_name).c_str(), O_RDONLY | O_CLOEXEC)};
  std::vector<LogLine> lines;
  if (file.fd < 0) {
    if (errno == ENOENT) return lines;  // nothing written yet
    return base::fault(fmt::format("log of {}: {}", container_name, std::strerror(errno)));
  }
  struct stat about {};
  if (fstat(file.fd, &about) != 0) return base::fault("log: cannot stat");
  // A file that was truncated since, and perhaps grew again, starts anew.
  char before = '\n';
  if (offset < 0 || offset > about.st_size ||
      (offset > 0 && (pread(file.fd, &before, 1, offset - 1) != 1 || before != '\n'))) {
    offset = 0;
  }
  std::string buffer;
  std::int64_t at = offset;  // of buffer[0]
  while (lines.size() < max_lines) {
    std::size_t had = buffer.size();
    buffer.resize(had + kReadBlock);
    ssize_t n = pread(file.fd, buffer.data() + had, kReadBlock, at + static_cast<off_t>(had));
    if (n < 0) return base::fault(fmt::format("log: {}", std::strerror(errno)));
    buffer.resize(had + static_cast<std::size_t>(n));
    std::size_t begin = 0;
    while (lines.size() < max_lines) {
      std::size_t end = buffer.find('\n', begin);
      if (end == std::string::npos) break;
      auto next = at + static_cast<std::int64_t>(end) + 1;
      lines.push_back(parse_line(std::string_view(buffer).substr(begin, end - begin), next));
      begin = end + 1;
    }
    buffer.erase(0, begin);
    at += static_cast<std::int64_t>(begin);
    if (n == 0 || buffer.size() > kLongestLine) break;
  }
  return lines;
}

int LogSpool::expire(std::int64_t age_s) const {
  int removed = 0;
  std::error_code error;
  std::time_t now = std::time(nullptr);
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    if (entry.path().extension() != ".log") continue;
    struct stat about {};
    if (lstat(entry.path().c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    if (now - about.st_mtime > age_s) {
      if (fs::remove(entry.path(), error)) removed++;
    } else if (about.st_size > 2 * max_bytes_) {  // its writer should have bounded it
      fs::resize_file(entry.path(), 0, error);
    }
  }
  return removed;
}

}  // namespace ampacity::engines
