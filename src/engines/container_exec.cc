// A terminal (or three pipes) into a running rank, over a connection the engine hands over.
#include <fmt/core.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "engines/container_engine.h"
#include "engines/exec_frames.h"
#include "net/duplex.h"

namespace ampacity::engines {
namespace {

constexpr base::Duration kCallBound = base::Duration::seconds(10);

net::CallOptions bounded() {
  net::CallOptions options;
  options.timeout = kCallBound;
  return options;
}

// Outlives the engine if its owner lets it: it shares nothing with it.
class ContainerExec final : public ExecSession {
 public:
  ContainerExec(std::unique_ptr<Dialect> dialect, net::Peer peer, std::string container,
                std::string id, bool tty, ExecEvents events)
      : dialect_(std::move(dialect)),
        client_(std::move(peer)),
        container_(std::move(container)),
        id_(std::move(id)),
        tty_(tty),
        events_(std::move(events)) {}

  ~ContainerExec() override {
    leaving_ = true;
    duplex_.reset();
    if (!ended_) end_process();
  }

  base::Try<void> open(const net::Peer& peer) {
    net::DuplexEvents events;
    events.on_bytes = [this](std::string bytes, bool) { on_bytes(bytes); };
    events.on_close = [this](std::string reason) { on_close(std::move(reason)); };
    auto duplex = net::hijack(peer, dialect_->exec_start(id_, tty_), std::move(events));
    if (!duplex) return std::unexpected(duplex.error());
    duplex_ = std::move(*duplex);
    return {};
  }

  bool write(std::string bytes) override { return duplex_->write(std::move(bytes)); }
  void close_stdin() override { duplex_->close_write(); }
  void resize(int columns, int rows) override {
    if (tty_ && !ended_) (void)client_.call(dialect_->exec_resize(id_, columns, rows), bounded());
  }

 private:
  void on_bytes(std::string_view bytes) {
    if (tty_) {
      events_.on_output(bytes, false);
    } else {
      frames_.feed(bytes, events_.on_output);
    }
  }

  base::Try<ExecState> state() {
    auto answer = client_.call(dialect_->exec_inspect(id_), bounded());
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200) return base::fault(dialect_->message(answer->body));
    return dialect_->parse_exec_state(answer->body);
  }

  // The connection closes a little before the engine knows the exit code.
  void on_close(std::string reason) {
    for (int i = 0; i < 100 && !leaving_; i++) {
      auto now = state();
      if (!now) {
        reason = now.error().message;
        break;
      }
      if (!now->running) {
        ended_ = true;
        return events_.on_end(now->exit_code, {});
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    events_.on_end(std::nullopt, reason.empty() ? "the connection closed" : reason);
  }

  // Engines have no call for this: the process is this host's, found by its id and checked by its
  // control group.
  void end_process() {
    auto now = state();
    if (!now || !now->running || now->pid <= 1) return;
    auto answer = client_.call(dialect_->inspect(container_), bounded());
    if (!answer) return;
    auto found = dialect_->parse_inspect(answer->body);
    if (!found) return;
    std::ifstream in(fmt::format("/proc/{}/cgroup", now->pid));
    std::ostringstream groups;
    groups << in.rdbuf();
    if (groups.str().find(found->id) == std::string::npos) return;
    ::kill(now->pid, SIGHUP);
    ::kill(now->pid, SIGKILL);
  }

  std::unique_ptr<Dialect> dialect_;
  net::HttpClient client_;
  std::string container_;
  std::string id_;
  bool tty_;
  ExecEvents events_;
  FrameReader frames_;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> leaving_ = false;
  std::unique_ptr<net::Duplex> duplex_;
};

}  // namespace

base::Try<std::unique_ptr<ExecSession>> ContainerEngine::exec(const std::string& container_name,
                                                              std::vector<std::string> argv,
                                                              bool tty, ExecEvents events) {
  if (argv.empty()) return base::fault("exec: no command", false);
  auto found = call(dialect_->inspect(container_name), 10);
  if (!found) return std::unexpected(found.error());
  if (found->status != 200) {
    return base::fault(dialect_->message(found->body), false, found->status);
  }
  auto inspected = dialect_->parse_inspect(found->body);
  if (!inspected) return std::unexpected(inspected.error());
  if (inspected->cloud != options_.cloud) return base::fault("not ours", false, 404);
  auto answer = call(dialect_->exec_create(container_name, argv, tty), 10);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status >= 300) {
    return base::fault(dialect_->message(answer->body), false, answer->status);
  }
  auto id = dialect_->parse_exec_id(answer->body);
  if (!id) return std::unexpected(id.error());
  auto dialect = host_->owns_service() ? podman_dialect() : docker_dialect();
  const net::Peer peer = host_->peer();
  auto session = std::make_unique<ContainerExec>(std::move(dialect), peer, container_name, *id, tty,
                                                 std::move(events));
  if (auto opened = session->open(peer); !opened) return std::unexpected(opened.error());
  return session;
}

}  // namespace ampacity::engines
