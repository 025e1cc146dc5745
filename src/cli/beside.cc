#include "cli/beside.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "cli/session.h"

namespace ampacity::cli {
namespace {

struct Verb {
  std::string_view word, program;
  bool passed_on;  // the program has a verb of that name
};
constexpr std::array<Verb, 2> verbs = {{{"sim", "ampacity-sim", false}, {"store", "ampacityd", true}}};

}  // namespace

std::optional<OtherProgram> other_program(const std::vector<std::string>& args) {
  if (args.empty()) return std::nullopt;
  for (const Verb& verb : verbs) {
    if (args.front() != verb.word) continue;
    std::error_code none;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
    return OtherProgram{(self.parent_path() / verb.program).string(),
                        {args.begin() + (verb.passed_on ? 0 : 1), args.end()}};
  }
  return std::nullopt;
}

int become(const OtherProgram& other, Terminal& terminal) {
  std::string name = std::filesystem::path(other.path).filename().string();
  std::vector<std::string> words = other.args;
  std::vector<char*> argv = {name.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  terminal.out << std::flush;
  execv(other.path.c_str(), argv.data());
  const int error = errno;  // it came back: there is no such program
  terminal.err << paint("error:", Tone::bad, terminal.colour_err) << " " << name
               << " cannot be run: " << printable(other.path) << ": " << std::strerror(error)
               << "\n  hint: it lies beside ampacity; in the source tree, ./dev build makes it\n"
               << std::flush;
  return exit_failed;
}

}  // namespace ampacity::cli
