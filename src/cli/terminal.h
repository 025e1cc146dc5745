// Where words come from and go to: streams, their width and colour, pauses, Ctrl-C. The only place
// that asks the operating system about the terminal.
// Threads: `interrupted` may be set from any; the rest belongs to the caller.
#pragma once

#include <atomic>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ampacity::cli {

enum class Tone { plain, bold, dim, good, warn, bad };

struct Terminal {
  std::ostream& out;  // what was asked for: tables, JSON, the job's standard output
  std::ostream& err;  // what is said beside it: placement, notices, errors
  std::istream& in;
  base::Clock& clock;
  std::function<std::string(std::string_view)> env;  // a variable's value, empty if unset
  std::function<void(base::Duration)> sleep;         // returns early once interrupted
  std::atomic<bool> interrupted = false;
  int width = 0;  // columns; 0: no bound (not a terminal)
  bool in_is_tty = false;
  bool out_is_tty = false;
  bool colour_out = false;
  bool colour_err = false;

  // False once interrupted.
  bool pause(base::Duration d) {
    if (!interrupted) sleep(d);
    return !interrupted;
  }
};

std::string paint(std::string_view text, Tone tone, bool colour);

// Control characters become '?', so that no name or message can steer the terminal.
std::string printable(std::string_view text);

// Fills width, tty and colour from COLUMNS, NO_COLOR, TERM and the descriptors 0, 1 and 2.
void ask_system(Terminal& terminal);
base::Duration sleep_step();  // how soon a sleep notices an interruption
void sleep_unless(const std::atomic<bool>& interrupted, base::Duration d);

// While one lives, the first Ctrl-C sets terminal.interrupted; a second ends the program.
class CatchInterrupt {
 public:
  explicit CatchInterrupt(Terminal& terminal);
  ~CatchInterrupt();
  CatchInterrupt(const CatchInterrupt&) = delete;
  CatchInterrupt& operator=(const CatchInterrupt&) = delete;
};

// Reads a line without showing it when standard input is a terminal.
std::string read_secret(Terminal& terminal, std::string_view prompt);

}  // namespace ampacity::cli
