// The process begins anew: what it holds in memory may not be what is durable, or another server
// leads. What every kill -9 proves, a new start makes sound; this one keeps the process's number,
// its arguments and its port.
// Threads: any; the first call wins, others wait for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ampacity::server {

class Life {
 public:
  explicit Life(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}
  void keep_listening_on(const std::string& address, std::uint16_t port);
  [[noreturn]] void begin_anew(const std::string& why) const;

 private:
  std::vector<std::string> arguments_;
};

// Those of a process that takes over its port: `--listen` says which.
std::vector<std::string> with_listen(std::vector<std::string> arguments, const std::string& listen);

}  // namespace ampacity::server
