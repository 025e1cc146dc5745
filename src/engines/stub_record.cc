#include "engines/stub_record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/check.h"

namespace ampacity::engines {

StubRecord::StubRecord(const std::filesystem::path& file, std::function<bool()> may_act)
    : file_(::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
      may_act_(std::move(may_act)) {
  CHECK_THAT(file_ >= 0, "the stub's record cannot be opened: " + file.string());
}

StubRecord::~StubRecord() { ::close(file_); }

void StubRecord::read_on() {
  std::array<char, 64 << 10> bytes;
  for (ssize_t n = 0; (n = ::pread(file_, bytes.data(), bytes.size(), read_to_)) > 0;) {
    read_to_ += n;
    rest_.append(bytes.data(), static_cast<std::size_t>(n));
    std::size_t from = 0;
    for (std::size_t to; (to = rest_.find('\n', from)) != std::string::npos; from = to + 1) {
      const std::size_t space = rest_.find(' ', from);
      if (space < to)
        started_.emplace(rest_.substr(from, space - from),
                         base::Instant{std::strtoll(rest_.c_str() + space, nullptr, 10)});
    }
    rest_.erase(0, from);
  }
}

void StubRecord::begin() {
  while (::flock(file_, LOCK_EX) != 0) {
  }
  read_on();
}

std::optional<base::Instant> StubRecord::start(const std::string& name, base::Instant now) {
  if (const auto known = started_.find(name); known != started_.end()) return known->second;
  if (may_act_ && !may_act_()) return std::nullopt;
  fresh_ += name + " " + std::to_string(now.us) + " " + std::to_string(::getpid()) + "\n";
  started_.emplace(name, now);
  return now;
}

void StubRecord::end() {
  if (!fresh_.empty()) {
    const auto size = static_cast<ssize_t>(fresh_.size());
    CHECK_THAT(::write(file_, fresh_.data(), fresh_.size()) == size,
               "the stub's record is cut off");
  }
  fresh_.clear();
  ::flock(file_, LOCK_UN);
}

}  // namespace ampacity::engines
