#include "server/life.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "base/log.h"
#include "base/threads.h"

namespace ampacity::server {

std::vector<std::string> with_listen(std::vector<std::string> arguments,
                                     const std::string& listen) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i].starts_with("--listen=")) {
      arguments[i] = "--listen=" + listen;
      return arguments;
    }
    if (arguments[i] == "--listen" && i + 1 < arguments.size()) {
      arguments[i + 1] = listen;
      return arguments;
    }
  }
  arguments.insert(arguments.begin() + 1, "--listen=" + listen);
  return arguments;
}

void Life::keep_listening_on(const std::string& address, std::uint16_t port) {
  arguments_ = with_listen(std::move(arguments_), address + ":" + std::to_string(port));
}

void Life::begin_anew(const std::string& why) const {
  static std::mutex once;
  once.lock();  // never let go: there is no way back
  base::log_warn("beginning anew: {}", why);
  base::sleep_for(base::Duration::millis(200));  // answers that are on their way leave
  std::vector<char*> argv;
  for (const std::string& a : arguments_) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  // Sockets and files go with the old life.
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    for (int fd = 3; fd < 65'536; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::execv("/proc/self/exe", argv.data());
  CHECK_THAT(false, std::string("the process cannot begin anew: ") + std::strerror(errno));
  std::abort();
}

}  // namespace ampacity::server
