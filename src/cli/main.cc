// ampacity: rent GPUs by the second from the command line.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/program.h"

int main(int argc, char** argv) {
  using namespace ampacity;
  std::signal(SIGPIPE, SIG_IGN);
  base::SystemClock clock;
  cli::Terminal terminal{std::cout, std::cerr, std::cin, clock, {}, {}};
  terminal.env = [](std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return std::string(value != nullptr ? value : "");
  };
  terminal.sleep = [&](base::Duration d) { cli::sleep_unless(terminal.interrupted, d); };
  cli::ask_system(terminal);
  return cli::run_program(std::vector<std::string>(argv + 1, argv + argc), terminal);
}
