// `exec`: a command inside a running rank, over a WebSocket; the terminal in raw mode where it is
// one. Threads: the main one reads standard input; what arrives is written on the duplex's own
// thread.
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <boost/json/value.hpp>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <ostream>

#include "cli/verbs.h"
#include "net/duplex.h"

namespace ampacity::cli {
namespace {

int wake_write = -1;  // a signal handler can reach nothing else

extern "C" void on_resize(int) {
  const int saved = errno;
  if (wake_write >= 0) (void)!write(wake_write, "w", 1);
  errno = saved;
}

winsize terminal_size() {
  winsize size{};
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  return size;
}

// Raw while it lives; as it was afterwards, whatever happened between.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) : on_(wanted && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!on_) return;
    termios raw = before_;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  }
  ~RawTerminal() {
    if (on_) tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool on_;
};

// A pipe that wakes `poll` when the far side is done or the window changed.
class Wake {
 public:
  Wake() {
    if (pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) ends_[0] = ends_[1] = -1;
    wake_write = ends_[1];
    struct sigaction action {};
    action.sa_handler = on_resize;
    action.sa_flags = SA_RESTART;
    sigaction(SIGWINCH, &action, nullptr);
  }
  ~Wake() {
    std::signal(SIGWINCH, SIG_DFL);
    wake_write = -1;
    for (const int fd : ends_)
      if (fd >= 0) close(fd);
  }
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  int read_end() const { return ends_[0]; }
  void ring(char c) const { (void)!write(ends_[1], &c, 1); }
  bool drain() const {  // true if the window changed
    char buffer[64];
    bool resized = false;
    for (ssize_t n = 0; (n = read(ends_[0], buffer, sizeof buffer)) > 0;)
      resized |=
          std::string_view(buffer, static_cast<std::size_t>(n)).find('w') != std::string_view::npos;
    return resized;
  }

 private:
  int ends_[2] = {-1, -1};
};

// How it ended; written on the duplex's thread, read on ours after `done`.
struct Ending {
  std::mutex mutex;
  std::optional<int> exit_code;
  std::string error;
  bool closed = false;
  bool bare_newline = false;  // the last output was a newline without its carriage return

  bool done() {
    const std::lock_guard lock(mutex);
    return closed || exit_code || !error.empty();
  }
  void take(const std::string& text) {
    const auto value = base::parse_json(text);
    const std::lock_guard lock(mutex);
    if (!value || !value->is_object()) {
      error = "the server sent what is not JSON";
      return;
    }
    const auto* code = value->get_object().if_contains("exit_code");
    const auto* why = value->get_object().if_contains("error");
    if (code && code->is_int64())
      exit_code = static_cast<int>(code->get_int64());
    else if (why && why->is_string())
      error = std::string(why->get_string());
  }
};

// Text frames carry control; a duplex without them loses only resizing and end of input.
template <typename D>
bool send_control(D& duplex, std::string json) {
  if constexpr (requires { duplex.write_text(std::string()); })
    return duplex.write_text(std::move(json));
  else
    return false;
}

// Sends one piece of standard input; false at its end.
bool forward_input(net::Duplex& duplex) {
  char buffer[16 << 10];
  const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
  if (n > 0) return duplex.write(std::string(buffer, static_cast<std::size_t>(n)));
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  send_control(duplex, R"({"eof":true})");
  return false;
}

void converse(net::Duplex& duplex, Wake& wake, Ending& ending, bool tty) {
  bool input_open = true;
  while (!ending.done()) {
    pollfd watched[2] = {{wake.read_end(), POLLIN, 0}, {input_open ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0 && wake.drain() && tty) {
      const winsize size = terminal_size();
      send_control(duplex, fmt::format(R"({{"resize":[{},{}]}})", size.ws_col, size.ws_row));
    }
    if (watched[1].revents != 0) input_open = forward_input(duplex);
  }
}

std::string target_of(const ExecOptions& o, bool tty) {
  const winsize size = terminal_size();
  std::vector<std::pair<std::string, std::string>> query = {{"rank", std::to_string(o.rank)},
                                                            {"tty", tty ? "1" : "0"}};
  if (tty) {
    query.push_back({"columns", std::to_string(size.ws_col)});
    query.push_back({"rows", std::to_string(size.ws_row)});
  }
  std::string target = with_query("/v1/jobs/" + escaped(o.job) + "/exec", query);
  for (const auto& word : o.command) target += "&arg=" + escaped(word);  // empty ones count
  return target;
}

net::DuplexEvents events_for(Terminal& t, Wake& wake, Ending& ending) {
  return {[&](std::string bytes, bool text) {
            if (text) {
              ending.take(bytes);
              wake.ring('d');
            } else if (!bytes.empty()) {
              std::ostream& to = bytes[0] == 2 ? t.err : t.out;
              to.write(bytes.data() + 1, static_cast<std::streamsize>(bytes.size() - 1)).flush();
              ending.bare_newline = bytes.ends_with('\n') && !bytes.ends_with("\r\n");
            }
          },
          [&](std::string) {
            {
              const std::lock_guard lock(ending.mutex);
              ending.closed = true;
            }
            wake.ring('d');
          }};
}

// Nothing was begun there: another server may be asked.
bool elsewhere(const base::Fault& fault) {
  return fault.retryable && (fault.status == 0 || fault.status == 502 || fault.status == 503);
}

// A Fault's message may hold the problem document the server answered with.
Failure failure_of_upgrade(Session& session, const base::Fault& fault) {
  const auto brace = fault.message.find('{');
  if (fault.status >= 400 && brace != std::string::npos)
    return failure_of(fault.status, std::string_view(fault.message).substr(brace));
  if (fault.status >= 400) return failure_of(fault.status, fault.message);
  return session.unreachable(fault);
}

}  // namespace

int exec(Session& session, const ExecOptions& o) {
  auto& t = session.terminal;
  const bool tty = o.tty.value_or(t.in_is_tty && t.out_is_tty);
  Wake wake;
  Ending ending;
  net::Request request = session.request("GET", target_of(o, tty));
  auto duplex =
      net::connect_websocket(session.servers.peer(), request, events_for(t, wake, ending));
  for (std::size_t i = 1; !duplex && elsewhere(duplex.error()) && i < session.servers.size(); ++i) {
    session.servers.next();
    duplex = net::connect_websocket(session.servers.peer(), request, events_for(t, wake, ending));
  }
  if (!duplex) return session.report(failure_of_upgrade(session, duplex.error()));
  {
    RawTerminal raw(tty && t.in_is_tty);
    converse(**duplex, wake, ending, tty);
  }
  duplex->reset();  // joins: nothing writes to `ending` from here on
  if (tty && t.out_is_tty && ending.bare_newline) t.out << '\r' << std::flush;
  if (ending.exit_code) return *ending.exit_code & 0xFF;
  if (!ending.error.empty()) return session.report({exit_failed, ending.error});
  return session.report({exit_unreachable, "the connection was lost; the command may go on"});
}

}  // namespace ampacity::cli
