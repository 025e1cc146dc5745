#include "server/serve.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "api/problem.h"
#include "base/log.h"
#include "documents/payment_file_drop.h"
#include "server/follower.h"
#include "server/forward.h"
#include "server/holder.h"
#include "server/identity.h"
#include "server/life.h"
#include "server/signals.h"
#include "server/stage.h"
#include "server/standing.h"
#include "store/lease.h"

namespace ampacity::server {
namespace {

base::Try<std::unique_ptr<documents::PaymentProvider>> payment_provider(const Config& c) {
  if (c.payments.empty()) return nullptr;
  auto drop = documents::FileDrop::open(c.payments / "outbox", c.payments / "inbox");
  if (!drop) return std::unexpected(drop.error());
  return std::make_unique<documents::FileDrop>(std::move(*drop));
}

void say_where(const Config& c, std::uint16_t port, const std::vector<std::string>& notes,
               const net::TlsIdentity* tls) {
  if (!c.port_file.empty()) std::ofstream(c.port_file) << port << "\n";
  const std::string url = address_for_people(c, port);
  std::printf("ampacityd: cloud %s on %s, state in %s\n", c.cloud.c_str(), url.c_str(),
              c.state.c_str());
  if (c.store.on_postgres()) std::printf("store: %s\n", c.store.name().c_str());
  const std::string pin = tls != nullptr ? " --pin " + tls->certificate().pin : "";
  for (const std::string& note : notes) std::printf("note: %s\n", note.c_str());
  if (c.engine == EngineChoice::stub)
    std::printf("note: engine stub: NOTHING IS REALLY RUN; for load tests only\n");
  if (!c.owner_key_file.empty())
    std::printf("next: ampacity login --url %s%s --key - < %s\n", url.c_str(), pin.c_str(),
                c.owner_key_file.c_str());
  else if (tls != nullptr)
    std::printf("its key, for `ampacity login --pin`: %s\n", tls->certificate().pin.c_str());
  std::fflush(stdout);
}

// Where requests come in. Until there is somebody to answer them: 503.
class Door {
 public:
  Door(const Config& c, std::shared_ptr<const net::TlsIdentity> tls)
      : tls_(std::move(tls)),
        server_(
            options(c, tls_),
            [this](net::Request q, net::Reply r) { enter(std::move(q), std::move(r)); },
            api::parser_problem) {}
  void open_to(App& app) { app_ = &app; }
  net::HttpServer& server() { return server_; }
  const net::TlsIdentity* tls() const { return tls_.get(); }  // at the start

 private:
  static net::ServerOptions options(const Config& c, std::shared_ptr<const net::TlsIdentity> tls) {
    net::ServerOptions o;
    o.address = c.address;
    o.port = c.port;
    o.tls = std::move(tls);
    return o;
  }
  void enter(net::Request request, net::Reply reply) {
    if (App* app = app_) return app->handle(std::move(request), std::move(reply));
    reply.send(api::problem_response(
        {base::Code::unavailable, "the server is starting; try again in a second", {}, {}, {}}));
  }
  std::atomic<App*> app_{nullptr};
  const std::shared_ptr<const net::TlsIdentity> tls_;
  net::HttpServer server_;
};

void say_role(const Config& c, const Leadership& l) {
  const auto leader = l.leader();
  if (l.own_epoch())
    base::log_info("leads cloud {}, epoch {}", c.cloud, leader.epoch);
  else
    base::log_info("follows {}, epoch {}", leader.url, leader.epoch);
}

// On a store of its own: it leads from the start.
int serve_alone(Parts& p) {
  const Config& c = p.config;
  auto opened = open_state(c);
  if (!opened) return give_up(opened.error().message);
  auto provider = payment_provider(c);
  if (!provider) return give_up("--payments: " + provider.error().message);
  auto desk = SignInDesk::open(c, opened->secrets, p.clock);
  if (!desk) return give_up(desk.error().message);
  StageOptions options;
  options.desk = std::move(*desk);
  Stage stage(p, std::move(options), opened->secrets, std::move(opened->world),
              opened->journal.get());
  auto identity = open_identity(c, p.clock);
  if (!identity) return give_up("TLS: " + identity.error().message);
  Door door(c, std::move(*identity));
  door.open_to(stage.app());
  // The port first: a taken one leaves nothing behind.
  if (const auto listening = door.server().start(); !listening)
    return give_up(listening.error().message);
  const auto led = stage.lead(std::move(*provider), door.server(), *opened->journal);
  if (led) {
    say_where(c, door.server().port(), stage.notes(), door.tls());
    while (!asked_to_stop(p, door.server(), base::Duration::seconds(3'600))) {
    }
    base::log_info("stopping; what runs goes on running and is taken back at the next start");
  }
  door.server().stop();
  return led ? 0 : give_up(led.error().message);
}

ForwardOptions forward_options(const Config& c, const net::TlsIdentity* own) {
  ForwardOptions o;
  o.trust = peer_trust(c, own);
  return o;
}

// On a store that several servers share: it follows until it wins the lease, then leads until this
// life ends (docs/standby.md).
class Shared {
 public:
  Shared(Parts& p, Secrets secrets, std::shared_ptr<const net::TlsIdentity> tls,
         std::shared_ptr<SignInDesk> desk)
      : p_(p),
        life_(p.arguments),
        secrets_(std::move(secrets)),
        desk_(std::move(desk)),
        leadership_(base::Duration::millis(p.config.lease_ms)),
        door_(p.config, std::move(tls)),
        forwarder_(forward_options(p.config, door_.tls()), leadership_,
                   [this](std::uint64_t n, base::Duration at_most) { return folded(n, at_most); }) {
    // A leader whose database is away for a whole lease is no leader any more.
    p_.config.store.patience = leadership_.lease();
  }
  ~Shared() {
    forwarder_.stop();
    door_.server().stop();
    if (follower_) follower_->stop();
    stage_.reset();
    journal_.reset();
    if (standing_)
      standing_->stop();  // gives the lease back, when nothing of ours is written any more
  }
  int run();

 private:
  bool folded(std::uint64_t n, base::Duration at_most);
  void start_standing(std::uint16_t port);
  StageOptions stage_options();
  void follow();
  base::Try<void> lead();
  base::Try<void> catch_up(store::Journal& journal);
  void say_where_once();

  Parts& p_;
  Life life_;
  const Secrets secrets_;
  const std::shared_ptr<SignInDesk> desk_;
  Leadership leadership_;
  Door door_;
  Forwarder forwarder_;
  std::unique_ptr<Standing> standing_;
  std::unique_ptr<store::Journal> journal_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<Follower> follower_;
  std::atomic<Follower*> followed_{nullptr};
  bool leads_ = false;
  bool said_where_ = false;
  bool said_why_not_ = false;
};

bool Shared::folded(std::uint64_t n, base::Duration at_most) {
  if (Follower* f = followed_) f->poke();
  return stage_ && stage_->loop().wait_for_sequence(n, at_most);
}

StageOptions Shared::stage_options() {
  return {&leadership_, &forwarder_, [this](const std::string& why) { life_.begin_anew(why); },
          desk_};
}

void Shared::start_standing(std::uint16_t port) {
  const Config& c = p_.config;
  const std::string url = c.advertise.empty() ? address_for_people(c, port) : c.advertise;
  const std::string holder =
      holder_of_lease(base::format_bare_id(base::make_uuid7(p_.clock.now(), p_.prng)), ::getpid());
  Standing::Events events;
  events.took = [] {};
  events.leader_changed = [this] { forwarder_.leader_changed(); };
  events.end_life = [this](const std::string& why) { life_.begin_anew(why); };
  standing_ = std::make_unique<Standing>([&c] { return store::open_lease(c.store); }, leadership_,
                                         holder, url, std::move(events));
  standing_->start();
}

// Nothing to follow yet, or a store of another release: tried again until it is, or this one leads.
void Shared::follow() {
  auto tail = store::Tail::open(p_.config.store);
  if (!tail) {
    if (!std::exchange(said_why_not_, true))
      base::log_info("does not follow yet: {}", tail.error().message);
    return;
  }
  stage_ = std::make_unique<Stage>(p_, stage_options(), secrets_, tail->take_world(), nullptr);
  stage_->follow(door_.server());
  follower_ = std::make_unique<Follower>(std::move(*tail), stage_->loop(), leadership_,
                                         [this](const std::string& why) { life_.begin_anew(why); });
  follower_->start();
  followed_ = follower_.get();
  door_.open_to(stage_->app());
  say_role(p_.config, leadership_);
  say_where_once();
}

// Nobody else can write any more: what is durable now is all there is.
base::Try<void> Shared::catch_up(store::Journal& journal) {
  followed_ = nullptr;
  follower_->stop();
  store::ChainEnd end = follower_->end();
  return journal.read_on(
      end, [this](std::uint64_t first, std::vector<core::Fact> facts) -> base::Try<void> {
        stage_->loop().fold(first, std::move(facts));
        return {};
      });
}

base::Try<void> Shared::lead() {
  leads_ = true;
  store::StoreAt mine = p_.config.store;
  mine.epoch = leadership_.own_epoch();
  auto journal = store::open_journal(mine);
  if (!journal) return std::unexpected(journal.error());
  journal_ = std::move(*journal);
  if (stage_) {
    if (auto caught = catch_up(*journal_); !caught) return caught;
  } else {
    auto world = journal_->load();
    if (!world) return std::unexpected(world.error());
    stage_ =
        std::make_unique<Stage>(p_, stage_options(), secrets_, std::move(*world), journal_.get());
  }
  auto provider = payment_provider(p_.config);
  if (!provider) return base::fault("--payments: " + provider.error().message);
  if (auto led = stage_->lead(std::move(*provider), door_.server(), *journal_); !led)
    return base::fault(led.error().message);
  door_.open_to(stage_->app());
  say_role(p_.config, leadership_);
  say_where_once();
  return {};
}

void Shared::say_where_once() {
  if (std::exchange(said_where_, true)) return;
  say_where(p_.config, door_.server().port(), stage_->notes(), door_.tls());
}

int Shared::run() {
  if (const auto listening = door_.server().start(); !listening)
    return give_up(listening.error().message);
  life_.keep_listening_on(p_.config.address, door_.server().port());
  start_standing(door_.server().port());
  base::Duration next_try;
  while (!asked_to_stop(p_, door_.server(), base::Duration::millis(20))) {
    if (leadership_.leads() && !leads_) {
      if (const auto led = lead(); !led) {
        if (!said_where_) return give_up(led.error().message);  // a wrong command line, as a rule
        life_.begin_anew("cannot lead: " + led.error().message);
      }
    } else if (!stage_ && base::elapsed() >= next_try) {
      next_try = base::elapsed() + base::Duration::millis(500);
      // Without a URL it is whoever makes the tables: nobody to follow.
      if (!leadership_.leader().url.empty() && !leadership_.own_epoch()) follow();
    }
  }
  base::log_info("stopping; what runs goes on running and is taken back by the next leader");
  return 0;
}

int serve_shared(Parts& p) {
  auto secrets = open_secrets(p.config);
  if (!secrets) return give_up(secrets.error().message);
  auto identity = open_identity(p.config, p.clock);
  if (!identity) return give_up("TLS: " + identity.error().message);
  auto desk = SignInDesk::open(p.config, *secrets, p.clock);
  if (!desk) return give_up(desk.error().message);
  return Shared(p, std::move(*secrets), std::move(*identity), std::move(*desk)).run();
}

}  // namespace

int serve(Parts& p) { return p.config.store.on_postgres() ? serve_shared(p) : serve_alone(p); }

}  // namespace ampacity::server
