#include "server/serve.h"

#include <signal.h>

#include <cstdio>
#include <fstream>

#include "api/problem.h"
#include "base/log.h"
#include "documents/payment_file_drop.h"
#include "server/stage.h"

namespace ampacity::server {
namespace {

base::Try<std::unique_ptr<documents::PaymentProvider>> payment_provider(const Config& c) {
  if (c.payments.empty()) return nullptr;
  auto drop = documents::FileDrop::open(c.payments / "outbox", c.payments / "inbox");
  if (!drop) return std::unexpected(drop.error());
  return std::make_unique<documents::FileDrop>(std::move(*drop));
}

// Waits for SIGTERM or SIGINT, which were blocked in every thread.
void wait_for_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int signal = 0;
  sigwait(&set, &signal);
}

void say_where(const Config& c, std::uint16_t port, const std::vector<std::string>& notes) {
  if (!c.port_file.empty()) std::ofstream(c.port_file) << port << "\n";
  std::printf("ampacityd: cloud %s on http://%s:%u, state in %s\n", c.cloud.c_str(),
              c.address.c_str(), port, c.state.c_str());
  for (const std::string& note : notes) std::printf("note: %s\n", note.c_str());
  if (c.engine == EngineChoice::stub)
    std::printf("note: engine stub: NOTHING IS REALLY RUN; for load tests only\n");
  if (!c.owner_key_file.empty())
    std::printf("next: ampacity login --url http://%s:%u --key - < %s\n", c.address.c_str(), port,
                c.owner_key_file.c_str());
  std::fflush(stdout);
}

// Where requests come in. Until there is somebody to answer them: 503.
class Door {
 public:
  explicit Door(const Config& c)
      : server_(
            options(c), [this](net::Request q, net::Reply r) { enter(std::move(q), std::move(r)); },
            api::parser_problem) {}
  void open_to(App& app) { app_ = &app; }
  net::HttpServer& server() { return server_; }

 private:
  static net::ServerOptions options(const Config& c) {
    net::ServerOptions o;
    o.address = c.address;
    o.port = c.port;
    return o;
  }
  void enter(net::Request request, net::Reply reply) {
    if (App* app = app_) return app->handle(std::move(request), std::move(reply));
    reply.send(api::problem_response(
        {base::Code::unavailable, "the server is starting; try again in a second", {}, {}, {}}));
  }
  std::atomic<App*> app_{nullptr};
  net::HttpServer server_;
};

// On a store of its own: it leads from the start.
int serve_alone(Parts& p) {
  const Config& c = p.config;
  auto opened = open_state(c);
  if (!opened) return give_up(opened.error().message);
  auto provider = payment_provider(c);
  if (!provider) return give_up("--payments: " + provider.error().message);
  Stage stage(p, {}, opened->secrets, std::move(opened->world), opened->journal.get());
  Door door(c);
  door.open_to(stage.app());
  // The port first: a taken one leaves nothing behind.
  if (const auto listening = door.server().start(); !listening)
    return give_up(listening.error().message);
  const auto led = stage.lead(std::move(*provider), door.server());
  if (led) {
    say_where(c, door.server().port(), stage.notes());
    wait_for_signal();
    base::log_info("stopping; what runs goes on running and is taken back at the next start");
  }
  door.server().stop();
  return led ? 0 : give_up(led.error().message);
}

}  // namespace

int serve(Parts& p) { return serve_alone(p); }

}  // namespace ampacity::server
