#include "cli/beside.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "cli/session.h"

namespace ampacity::cli {

const std::vector<Beside>& all_beside() {
  static const std::vector<Beside> all = {
      {"sim", "ampacity-sim", false,
       "replay a trace of jobs on virtual time; see `ampacity sim --help`"},
      {"backup", "ampacityd", true, "copy a cloud's store, on its server's machine, while it runs"},
      {"restore", "ampacityd", true, "make a state directory anew from a backup, and prove it"},
      {"store", "ampacityd", true, "move a cloud's store from a file to PostgreSQL, or back"},
      {"rebuild", "ampacityd", true, "make the read models anew from the facts, and compare"},
  };
  return all;
}

const Beside* beside(std::string_view verb) {
  for (const Beside& b : all_beside())
    if (b.verb == verb) return &b;
  return nullptr;
}

std::string path_beside(std::string_view program) {
  std::error_code none;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  return (self.parent_path() / program).string();
}

int become(const std::string& path, const Beside& other, const std::vector<std::string>& args,
           Terminal& terminal) {
  std::vector<std::string> words = {std::string(other.program)};
  if (other.keeps_verb) words.emplace_back(other.verb);
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  terminal.out << std::flush;
  execv(path.c_str(), argv.data());
  const int error = errno;  // it came back: there is no such program
  terminal.err << paint("error:", Tone::bad, terminal.colour_err) << " " << printable(path)
               << " cannot be run: " << std::strerror(error) << "\n  hint: `ampacity " << other.verb
               << "` is the program " << other.program
               << ", which lies beside ampacity (package ampacity-server)\n"
               << std::flush;
  return exit_failed;
}

}  // namespace ampacity::cli
