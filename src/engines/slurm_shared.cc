#include "engines/slurm_shared.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace ampacity::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostMarker = 4096;
constexpr std::size_t kSharedBlock = 256 << 10;
constexpr std::size_t kLongestPiece = 16 << 10;
constexpr int kMostExpired = 5000;  // in one go
// ext, xfs, btrfs, tmpfs, overlay: what is written is seen at once. NFS and others cache names.
constexpr std::array<std::uint32_t, 5> kLocalFileSystems = {0xef53, 0x58465342, 0x9123683e,
                                                            0x01021994, 0x794c7630};

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

// What of a rank's output its spool holds: `TIMESTAMP stdout F text` is the text and its newline.
std::int64_t raw_bytes(int spool) {
  std::int64_t raw = 0;
  std::string buffer(kSharedBlock, '\0'), line;
  for (off_t at = 0;;) {
    const ssize_t n = pread(spool, buffer.data(), buffer.size(), at);
    if (n <= 0) return raw;
    at += n;
    for (ssize_t i = 0; i < n; ++i) {
      if (buffer[static_cast<std::size_t>(i)] != '\n') {
        line += buffer[static_cast<std::size_t>(i)];
        continue;
      }
      std::size_t text = 0;
      for (int words = 0; words < 3 && text != std::string::npos; ++words)
        text = line.find(' ', text) == std::string::npos ? std::string::npos
                                                         : line.find(' ', text) + 1;
      if (text != std::string::npos && text >= 2)
        raw += static_cast<std::int64_t>(line.size() - text) + (line[text - 2] == 'F' ? 1 : 0);
      line.clear();
    }
  }
}

// Whole lines of `raw` in the spool's form; how many bytes of it were used.
std::size_t spooled_lines(std::string_view raw, const std::string& at, bool at_end,
                          std::string& out) {
  std::size_t used = 0;
  while (used < raw.size()) {
    const std::string_view rest = raw.substr(used);
    const std::size_t end = rest.substr(0, kLongestPiece).find('\n');
    if (end != std::string_view::npos) {
      fmt::format_to(std::back_inserter(out), "{} stdout F {}\n", at, rest.substr(0, end));
      used += end + 1;
    } else if (rest.size() >= kLongestPiece) {
      fmt::format_to(std::back_inserter(out), "{} stdout P {}\n", at,
                     rest.substr(0, kLongestPiece));
      used += kLongestPiece;
    } else if (at_end) {
      fmt::format_to(std::back_inserter(out), "{} stdout F {}\n", at, rest);
      used += rest.size();
    } else {
      break;
    }
  }
  return used;
}

}  // namespace

SlurmShared::SlurmShared(fs::path root, fs::path spool, std::int64_t most_log_bytes)
    : root_(std::move(root)), spool_(std::move(spool)), most_log_bytes_(most_log_bytes) {}

base::Try<void> SlurmShared::make(const fs::path& folder) const {
  struct stat root {};
  if (stat(root_.c_str(), &root) != 0 || !S_ISDIR(root.st_mode))
    return base::fault(fmt::format("the shared folder {} is not there", root_.string()));
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return base::fault(fmt::format("cannot make {}: {}", folder.string(), std::strerror(errno)));
  if (geteuid() == 0 && lchown(folder.c_str(), root.st_uid, root.st_gid) != 0)
    return base::fault(fmt::format("cannot give {} to its user", folder.string()));
  return {};
}

base::Try<void> SlurmShared::open() {
  std::error_code error;
  fs::create_directories(spool_, error);
  if (root_.empty()) return {};
  for (const char* folder : {"markers", "output", "home"})
    if (auto made = make(root_ / folder); !made) return made;
  struct statfs about {};
  if (statfs(root_.c_str(), &about) == 0 &&
      std::ranges::find(kLocalFileSystems, static_cast<std::uint32_t>(about.f_type)) !=
          kLocalFileSystems.end())
    news_delay_ = base::Duration::seconds(2);
  return {};
}

base::Try<void> SlurmShared::make_home(std::uint32_t project) {
  if (root_.empty()) return {};
  return make(home_path(project));
}

std::string SlurmShared::marker_path(const std::string& rank) const {
  return root_.empty() ? std::string() : (root_ / "markers" / rank).string();
}
std::string SlurmShared::output_path(const std::string& rank) const {
  return root_.empty() ? "/dev/null" : (root_ / "output" / rank).string();
}
std::string SlurmShared::home_path(std::uint32_t project) const {
  return root_.empty() ? "/tmp" : (root_ / "home" / fmt::format("p{}", project)).string();
}

std::optional<SlurmMarker> SlurmShared::marker(const std::string& rank) const {
  if (root_.empty()) return std::nullopt;
  const Descriptor file(::open(marker_path(rank).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd < 0) return std::nullopt;
  std::array<char, kMostMarker> bytes{};
  const ssize_t n = read(file.fd, bytes.data(), bytes.size());
  if (n <= 0) return std::nullopt;
  return parse_slurm_marker({bytes.data(), static_cast<std::size_t>(n)});
}

void SlurmShared::copy_output(const std::string& rank, base::Instant now, bool at_end) {
  if (root_.empty()) return;
  const Descriptor raw(::open(output_path(rank).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat about {};
  if (raw.fd < 0 || fstat(raw.fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0)
    return;
  const base::Guard lock(mutex_);
  auto [found, fresh] = copied_.try_emplace(rank);
  Copied& copied = found->second;
  if (!fresh && about.st_size <= copied.raw) return;
  const Descriptor spool(::open((spool_ / (rank + ".log")).c_str(),
                                O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (spool.fd < 0) return;
  if (fresh) {
    copied.raw = raw_bytes(spool.fd);
    copied.spooled = lseek(spool.fd, 0, SEEK_END);
  }
  const std::string at = base::format_instant(now);
  std::string buffer(kSharedBlock, '\0');
  while (copied.raw < about.st_size && copied.spooled < most_log_bytes_) {
    const ssize_t n = pread(raw.fd, buffer.data(), buffer.size(), copied.raw);
    if (n <= 0) return;
    std::string lines;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(n));
    const bool last = copied.raw + n >= about.st_size;
    const std::size_t used = spooled_lines(piece, at, at_end && last, lines);
    if (used == 0) return;
    if (copied.spooled + static_cast<std::int64_t>(lines.size()) >= most_log_bytes_) {
      lines += at + " stderr F ampacity: the log is full: what follows is not kept\n";
      copied.spooled = most_log_bytes_;
    }
    if (write(spool.fd, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) return;
    copied.raw += static_cast<std::int64_t>(used);
    copied.spooled += static_cast<std::int64_t>(lines.size());
  }
}

void SlurmShared::forget_output(const std::string& rank) {
  {
    const base::Guard lock(mutex_);
    copied_.erase(rank);
  }
  if (!root_.empty()) unlink(output_path(rank).c_str());
}

int SlurmShared::expire(base::Instant before,
                        const std::function<bool(const std::string&)>& keep) const {
  int removed = 0;
  for (const char* folder : {"markers", "output"}) {
    if (root_.empty()) return 0;
    DIR* all = opendir((root_ / folder).c_str());
    if (all == nullptr) continue;
    const int here = dirfd(all);
    while (const dirent* one = readdir(all)) {
      struct stat about {};
      if (removed == kMostExpired || fstatat(here, one->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 ||
          !S_ISREG(about.st_mode) || about.st_mtime >= before.us / 1'000'000 || keep(one->d_name))
        continue;
      if (unlinkat(here, one->d_name, 0) == 0) ++removed;
    }
    closedir(all);
  }
  return removed;
}

bool SlurmShared::watch(const std::function<void(std::vector<std::string>)>& written,
                        const std::atomic<bool>& stopping) const {
  if (root_.empty()) return false;
  const Descriptor events(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (events.fd < 0 ||
      inotify_add_watch(events.fd, (root_ / "markers").c_str(), IN_CLOSE_WRITE) < 0)
    return false;
  alignas(inotify_event) std::array<char, 64 << 10> bytes{};
  while (!stopping) {
    pollfd ready{events.fd, POLLIN, 0};
    if (poll(&ready, 1, 200) <= 0) continue;
    const ssize_t n = read(events.fd, bytes.data(), bytes.size());
    std::vector<std::string> names;
    for (ssize_t at = 0; at < n;) {
      inotify_event event{};
      std::memcpy(&event, bytes.data() + at, sizeof event);
      if (event.len > 0) names.emplace_back(bytes.data() + at + sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    if (!names.empty()) written(std::move(names));
  }
  return true;
}

}  // namespace ampacity::engines
