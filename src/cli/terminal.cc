#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <istream>
#include <ostream>
#include <thread>

namespace ampacity::cli {
namespace {

std::atomic<std::atomic<bool>*> caught = nullptr;  // a signal handler can reach nothing else

extern "C" void on_interrupt(int) {
  if (auto* flag = caught.load()) *flag = true;
}

int width_of(const Terminal& terminal) {
  const std::string columns = terminal.env("COLUMNS");
  int n = 0;
  std::from_chars(columns.data(), columns.data() + columns.size(), n);
  if (n > 0) return std::clamp(n, 20, 1000);
  winsize size{};
  if (terminal.out_is_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::clamp<int>(size.ws_col, 20, 1000);
  return terminal.out_is_tty ? 80 : 0;
}

}  // namespace

std::string paint(std::string_view text, Tone tone, bool colour) {
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  const char* code = "0";
  switch (tone) {
    case Tone::plain:
      break;
    case Tone::bold:
      code = "1";
      break;
    case Tone::dim:
      code = "2";
      break;
    case Tone::good:
      code = "32";
      break;
    case Tone::warn:
      code = "33";
      break;
    case Tone::bad:
      code = "31";
      break;
  }
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    if (c == '\n' || c == '\t' || c == '\r')
      out[i] = ' ';
    else if (c < 0x20 || c == 0x7F)
      out[i] = '?';
    else if (c == 0xC2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xA0)
      out[i] = out[i + 1] = '?';  // C1 controls as UTF-8
  }
  return out;
}

void ask_system(Terminal& terminal) {
  terminal.in_is_tty = isatty(STDIN_FILENO) == 1;
  terminal.out_is_tty = isatty(STDOUT_FILENO) == 1;
  terminal.width = width_of(terminal);
  const bool colour = terminal.env("NO_COLOR").empty() && terminal.env("TERM") != "dumb";
  terminal.colour_out = colour && terminal.out_is_tty;
  terminal.colour_err = colour && isatty(STDERR_FILENO) == 1;
}

base::Duration sleep_step() { return base::Duration::millis(50); }

void sleep_unless(const std::atomic<bool>& interrupted, base::Duration d) {
  while (d.us > 0 && !interrupted) {
    const auto step = std::min(d, sleep_step());
    std::this_thread::sleep_for(std::chrono::microseconds(step.us));
    d.us -= step.us;
  }
}

CatchInterrupt::CatchInterrupt(Terminal& terminal) {
  caught = &terminal.interrupted;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

CatchInterrupt::~CatchInterrupt() {
  std::signal(SIGINT, SIG_DFL);
  caught = nullptr;
}

std::string read_secret(Terminal& terminal, std::string_view prompt) {
  termios before{};
  const bool hide = terminal.in_is_tty && tcgetattr(STDIN_FILENO, &before) == 0;
  if (hide) {
    terminal.err << prompt << std::flush;
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  std::string line;
  std::getline(terminal.in, line);
  if (hide) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    terminal.err << "\n";
  }
  const auto first = line.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace ampacity::cli
