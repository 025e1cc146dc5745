#include "cli/simulate.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "cli/session.h"

namespace ampacity::cli {

std::string simulator_path() {
  std::error_code none;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  return (self.parent_path() / "ampacity-sim").string();
}

int simulate(const std::string& program, const std::vector<std::string>& args, Terminal& terminal) {
  std::string name = "ampacity-sim";
  std::vector<std::string> words = args;
  std::vector<char*> argv = {name.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  terminal.out << std::flush;
  execv(program.c_str(), argv.data());
  const int error = errno;  // it came back: there is no such program
  terminal.err
      << paint("error:", Tone::bad, terminal.colour_err)
      << " the simulator cannot be run: " << printable(program) << ": " << std::strerror(error)
      << "\n  hint: it is the program ampacity-sim and lies beside ampacity; in the source "
         "tree, ./dev sim\n"
      << std::flush;
  return exit_failed;
}

}  // namespace ampacity::cli
