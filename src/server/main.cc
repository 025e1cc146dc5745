// ampacityd: opens the state, finds the machine, joins the parts, serves until told to stop.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "api/price_file.h"
#include "api/problem.h"
#include "audit/audit.h"
#include "base/log.h"
#include "base/onward_clock.h"
#include "core/price_book.h"
#include "documents/payment_file_drop.h"
#include "engines/containers.h"
#include "engines/stub.h"
#include "server/app.h"
#include "server/catalogue.h"
#include "server/collector.h"
#include "server/config.h"
#include "server/inventory.h"
#include "server/webhooks.h"

namespace ampacity::server {
namespace {

constexpr int usage_error = 2, start_error = 3;

int give_up(const std::string& why) {
  std::fprintf(stderr, "ampacityd: %s\n", why.c_str());
  return start_error;
}

engines::ContainerOptions container_options(const Config& c, const engines::HostFound& host) {
  engines::ContainerOptions o;
  o.state = c.state;
  // One state directory is one cloud to the engine, whatever people call it.
  o.cloud = base::to_hex(base::sha256(c.state.string())).substr(0, 12);
  o.dialect = c.engine == EngineChoice::docker ? engines::ContainerOptions::Dialect::docker
                                               : engines::ContainerOptions::Dialect::podman;
  o.docker_socket = c.docker_socket;
  o.image_archives = c.images;
  o.host_cpu_milli = host.cpu_milli;
  o.host_memory_mib = host.memory_mib;
  o.volume_limit_bytes = c.volume_limit_gib << 30;
  return o;
}

struct Parts {
  base::SystemClock wall;
  base::OnwardClock clock{wall};
  base::SystemPrng prng;
  Config config;
  engines::HostFound host;
};

// What is opened before the world moves: the store, its world, the secrets.
struct Opened {
  std::unique_ptr<store::Journal> journal;
  Secrets secrets;
  core::World world;
};
base::Try<Opened> open_state(const Config& c) {
  auto journal = store::open_sqlite({c.state / "ampacity.db"});
  if (!journal) return std::unexpected(journal.error());
  auto secrets = Secrets::open(c.state);
  if (!secrets) return std::unexpected(secrets.error());
  auto world = (*journal)->load();
  if (!world) return std::unexpected(world.error());
  return Opened{std::move(*journal), std::move(*secrets), std::move(*world)};
}

base::Try<std::unique_ptr<documents::PaymentProvider>> payment_provider(const Config& c) {
  if (c.payments.empty()) return nullptr;
  auto drop = documents::FileDrop::open(c.payments / "outbox", c.payments / "inbox");
  if (!drop) return std::unexpected(drop.error());
  return std::make_unique<documents::FileDrop>(std::move(*drop));
}

struct OwnerKey {
  core::CreateKey create;
  std::string secret;
};
OwnerKey make_owner_key(const std::string& pepper, base::Clock& clock, base::Prng& prng) {
  NewKey made = make_key(pepper);
  OwnerKey k{{}, std::move(made.secret)};
  k.create.key.id = base::make_uuid7(clock.now(), prng);
  k.create.key.lookup = std::move(made.lookup);
  k.create.key.hash = std::move(made.hash);
  k.create.key.role = core::Role::owner;
  k.create.key.label = "made by ampacityd";
  return k;
}

bool has_owner_key(const core::World& w) {
  for (const core::Key& k : w.state().keys)
    if (k.role == core::Role::owner && !k.revoked) return true;
  return false;
}

// The first start, or one after a first start that was cut short: accounts, prices, the operator's
// key. The key's file is there before the key is valid, so that it cannot be lost.
base::Result<void> found_cloud(const Config& c, Loop& loop, KeyRing& keys, base::Clock& clock,
                               base::Prng& prng) {
  const bool founded = loop.ask([](const core::World& w) { return !w.state().accounts.empty(); });
  if (!founded)
    if (auto done = loop.run(core::Found{default_prices()}, "ampacityd"); !done) return done;
  if (loop.ask(has_owner_key)) return {};
  OwnerKey key = make_owner_key(keys.pepper(), clock, prng);
  if (!c.owner_key_file.empty()) {
    if (const auto written = write_private(c.owner_key_file, key.secret + "\n"); !written)
      return base::refuse(base::Code::unavailable, written.error().message);
  }
  if (auto created = loop.run(std::move(key.create), "ampacityd"); !created) return created;
  if (c.owner_key_file.empty())
    std::printf("The operator's key, shown this once:\n\n  %s\n\n", key.secret.c_str());
  std::fflush(stdout);
  return {};
}

// Another owner's key, made while no server runs: for who has lost the first.
int add_owner_key(Parts& p) {
  auto opened = open_state(p.config);
  if (!opened) return give_up(opened.error().message);
  if (opened->world.state().accounts.empty())
    return give_up("this cloud was never started: the first start makes its key");
  OwnerKey key = make_owner_key(opened->secrets.pepper(), p.clock, p.prng);
  store::Rows rows;
  std::vector<core::Fact> facts;
  const std::uint64_t first = opened->world.state().sequence + 1;
  const auto done = core::step(opened->world, key.create, p.clock.now(), "ampacityd", facts,
                               [&](const core::World& before, const core::Fact& f,
                                   std::uint64_t n) { store::project(before, f, n, rows); });
  if (!done) return give_up(done.error().message);
  const store::Batch batch{first, facts, &rows, &opened->world.state(), {}, {}};
  if (const auto kept = opened->journal->append(batch); !kept) return give_up(kept.error().message);
  std::printf("%s\n", key.secret.c_str());
  return 0;
}

base::Result<void> set_prices(const Config& c, Loop& loop) {
  std::ifstream in(c.prices);
  const std::string yaml((std::istreambuf_iterator<char>(in)), {});
  auto book = api::parse_price_file(yaml);
  if (!book) return std::unexpected(book.error());
  const bool known = loop.ask([&](const core::World& w) {
    // Without an instant of its own it is the one in force; else one that was set already.
    const auto is_it = [&](core::PriceBook set) {
      set.version = 0;
      set.sequence = 0;
      if (book->book.effective_from.us == 0) set.effective_from = {};
      if (set.org != core::nobody && w.state().orgs[set.org].name == book->org)
        set.org = core::nobody;
      return base::to_json(set) == base::to_json(book->book);
    };
    const auto& books = w.state().books;
    if (book->book.effective_from.us) return std::ranges::any_of(books, is_it);
    const auto org = w.find_org(book->org);
    const auto* set =
        core::book_in_force(books, org.value_or(core::nobody), book->book.currency, w.state().now);
    return set && is_it(*set);
  });
  if (known) return {};
  return loop.run(core::SetPrices{std::move(book->book), std::move(book->org)}, "ampacityd");
}

int offline(Parts& p) {
  const store::SqliteOptions store{p.config.state / "ampacity.db"};
  if (p.config.verb == Config::Verb::owner_key) return add_owner_key(p);
  if (p.config.verb == Config::Verb::stop_engine) {
    // Holding the store's lock: a running server's containers are not taken from under it.
    const auto alone = store::open_sqlite(store);
    if (!alone) return give_up(alone.error().message);
    engines::stop_container_service(container_options(p.config, p.host));
    std::printf(
        "every container and network of this cloud is gone; volumes, images and logs stay\n");
    return 0;
  }
  if (p.config.verb == Config::Verb::rebuild) {
    const auto r = store::rebuild_read_models(store);
    if (!r) return give_up(r.error().message);
    std::printf("%s: %llu facts, read models %s\n", r->before == r->after ? "equal" : "DIFFERENT",
                static_cast<unsigned long long>(r->facts), r->after.c_str());
    return r->before == r->after ? 0 : 1;
  }
  bool holds = true;
  for (const auto& f : audit::check_ledger(store)) {
    holds &= f.holds;
    std::printf("%s  %-55s %8lld  %s\n", f.holds ? "ok  " : "FAIL", f.check.c_str(),
                static_cast<long long>(f.examined), f.detail.c_str());
  }
  return holds ? 0 : 1;
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

std::unique_ptr<engines::Engine> make_engine(Parts& p) {
  if (p.config.engine == EngineChoice::stub)
    return engines::make_stub_engine(base::Duration::millis(p.config.stub_run_ms), p.clock);
  return engines::make_container_engine(container_options(p.config, p.host), p.clock);
}

base::Result<Inventory> register_machine(Parts& p, const engines::Engine& engine) {
  std::vector<Emulation> emulated;
  for (const std::string& text : p.config.emulate) {
    auto e = parse_emulation(text);
    if (!e) return std::unexpected(e.error());
    emulated.push_back(*e);
  }
  return take_inventory(p.host, engine.health(), emulated, p.config.site);
}

engines::EngineReports reports_to(Loop& loop) {
  engines::EngineReports reports;
  reports.seen = [&loop](std::vector<core::RankSeen> seen) { loop.observe(std::move(seen)); };
  reports.health = [](const engines::EngineHealth& h) {
    base::log_info("engine {} {}: {} {}", h.kind, h.version,
                   h.reachable ? "reachable" : "NOT reachable", h.note);
  };
  reports.volume_over_limit = [&loop](const core::RankWork& r, std::string why) {
    Work stop;
    stop.command = core::StopJob{r.job, core::StopReason::volume_limit, std::move(why)};
    stop.actor = "engine";
    loop.push(std::move(stop));
  };
  return reports;
}

// The commands of every start, before the first request.
base::Result<void> begin(Parts& p, Loop& loop, KeyRing& keys, core::RegisterSite site) {
  if (auto founded = found_cloud(p.config, loop, keys, p.clock, p.prng); !founded) return founded;
  if (auto joined = loop.run(std::move(site), "ampacityd"); !joined) return joined;
  if (!p.config.prices.empty()) return set_prices(p.config, loop);
  return {};
}

void say_where(const Config& c, std::uint16_t port, const Inventory& inventory) {
  if (!c.port_file.empty()) std::ofstream(c.port_file) << port << "\n";
  std::printf("ampacityd: cloud %s on http://%s:%u, state in %s\n", c.cloud.c_str(),
              c.address.c_str(), port, c.state.c_str());
  for (const std::string& note : inventory.notes) std::printf("note: %s\n", note.c_str());
  if (c.engine == EngineChoice::stub)
    std::printf("note: engine stub: NOTHING IS REALLY RUN; for load tests only\n");
  if (!c.owner_key_file.empty())
    std::printf("next: ampacity login --url http://%s:%u --key - < %s\n", c.address.c_str(), port,
                c.owner_key_file.c_str());
  std::fflush(stdout);
}

// Everything that runs, and the order in which it stops.
struct Running {
  net::HttpServer& server;
  App& app;
  Live& live;
  Webhooks& webhooks;
  Collector& collector;
  Loop& loop;
  std::unique_ptr<engines::Engine>& engine;
  ~Running() {
    server.stop();
    app.stop();
    live.stop();
    webhooks.stop();
    collector.stop();
    loop.stop();
    engine.reset();  // its threads report to the loop until here
  }
};

int serve(Parts& p) {
  const Config& c = p.config;
  const store::SqliteOptions store{c.state / "ampacity.db"};
  auto opened = open_state(c);
  if (!opened) return give_up(opened.error().message);
  p.clock.not_before(opened->world.state().now);
  auto provider = payment_provider(c);
  if (!provider) return give_up("--payments: " + provider.error().message);
  KeyRing keys(opened->secrets.pepper());
  for (const core::Key& k : opened->world.state().keys) keys.put(k);

  auto engine = make_engine(p);
  LoopOptions loop_options;
  loop_options.store = store;
  Loop loop(loop_options, *opened->journal, std::move(opened->world), *engine, opened->secrets,
            p.clock);
  Live live(loop, engines::LogSpool(engines::log_directory(container_options(c, p.host))), store,
            p.clock);
  loop.on_commit([&](const core::World&, const std::vector<core::Fact>& facts) {
    for (const core::Fact& f : facts) {
      if (const auto* made = std::get_if<core::KeyCreated>(&f.body)) keys.put(made->key);
      if (const auto* gone = std::get_if<core::KeyRevoked>(&f.body)) keys.revoke(gone->key);
    }
  });
  WebhookOptions hook_options;
  hook_options.store = store;
  if (c.webhooks_allow_private) hook_options.reach = net::Reach::anywhere;
  Webhooks webhooks(hook_options, loop, opened->secrets, p.clock, p.prng);
  loop.on_publish([&](const Published& published) {
    live.publish(published);
    webhooks.announce(published);
  });
  loop.events_wanted_by([&live] { return live.anybody_listens(); });

  AppOptions app_options{c.cloud, store, c.volume_limit_gib << 30};
  App app(app_options, loop, keys, *engine, live, webhooks, p.clock, p.prng);
  net::ServerOptions http;
  http.address = c.address;
  http.port = c.port;
  net::HttpServer server(
      http, [&app](net::Request q, net::Reply r) { app.handle(std::move(q), std::move(r)); },
      api::parser_problem);
  Collector collector(std::move(*provider), loop, p.clock);
  const Running running{server, app, live, webhooks, collector, loop, engine};
  // The port first: a taken one leaves nothing behind. Until open(), requests are answered with
  // 503.
  if (const auto listening = server.start(); !listening) return give_up(listening.error().message);
  if (const auto started = engine->start(reports_to(loop)); !started)
    return give_up("the container engine: " + started.error().message);
  auto inventory = register_machine(p, *engine);
  if (!inventory) return give_up(inventory.error().message);
  app.show_notes(inventory->notes);
  loop.answer_with(&server);
  loop.start();
  webhooks.start(loop.ask([](const core::World& w) { return w.state().webhooks; }));
  if (const auto begun = begin(p, loop, keys, inventory->site); !begun)
    return give_up(begun.error().message);
  collector.start();
  app.open();
  say_where(c, server.port(), *inventory);

  wait_for_signal();
  base::log_info("stopping; what runs goes on running and is taken back at the next start");
  return 0;
}

}  // namespace
}  // namespace ampacity::server

int main(int argc, char** argv) {
  using namespace ampacity;
  server::Parts p;
  p.config = server::parse_config(argc, argv);
  if (const auto listen = server::check_listen(p.config); !listen) {
    std::fprintf(stderr, "ampacityd: %s\n", listen.error().message.c_str());
    return server::usage_error;
  }
  base::set_log_level(p.config.quiet ? base::Level::warn : base::Level::info);
  for (const std::string& text : p.config.emulate)
    if (const auto e = server::parse_emulation(text); !e) {
      std::fprintf(stderr, "ampacityd: %s\n", e.error().message.c_str());
      return server::usage_error;
    }
  std::error_code error;
  if (p.config.verb != server::Config::Verb::serve && !std::filesystem::exists(p.config.state))
    return server::give_up(p.config.state.string() + " is not there: no cloud's state");
  std::filesystem::create_directories(p.config.state, error);
  if (error) return server::give_up(p.config.state.string() + ": " + error.message());
  std::filesystem::permissions(p.config.state, std::filesystem::perms::owner_all, error);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  p.host = engines::discover_host();
  if (p.config.verb != server::Config::Verb::serve) return server::offline(p);
  return server::serve(p);
}
