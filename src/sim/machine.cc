#include "sim/machine.h"

#include <deque>
#include <memory>

#include "base/chaos.h"
#include "base/log.h"
#include "base/onward_clock.h"
#include "engines/sites.h"
#include "server/app.h"
#include "server/catalogue.h"
#include "server/inventory.h"
#include "server/site_engines.h"
#include "server/webhooks.h"

namespace ampacity::sim {
namespace {

constexpr const char* log_folder = "/simulated/logs";

engines::EngineReports reports_to(server::Loop& loop, server::SiteEngines& sites) {
  engines::EngineReports reports;
  // Under `misbehave` some come a second time, much later: by then another generation may run.
  auto late = std::make_shared<std::deque<core::RankSeen>>();
  reports.seen = [&loop, late](std::vector<core::RankSeen> seen) {
    if (late->size() < 64 && BUGGIFY("machine: a report will come again")) late->push_back(seen[0]);
    if (late->size() > 2 && BUGGIFY("machine: a report will come again")) {
      seen.push_back(late->front());
      late->pop_front();
    }
    loop.observe(std::move(seen));
  };
  reports.inventory = [&sites](engines::SiteSeen seen) { sites.saw(std::move(seen)); };
  return reports;
}

}  // namespace

Machine::Machine(MachineOptions options, Fibres& fibres, Disk& disk, base::Prng& prng)
    : options_(std::move(options)),
      fibres_(fibres),
      disk_(disk),
      prng_(prng),
      secrets_(std::string(32, 's')) {}

void Machine::start() {
  died_of_.clear();
  ++lives_;
  group_ = fibres_.new_group();
  fibres_.spawn_in(group_, [this] { live(); });
}

void Machine::die(std::string why) {
  if (died_of_.empty()) died_of_ = std::move(why);
}

void Machine::kill(Loss loss) {
  app_ = nullptr;
  loop_ = nullptr;
  if (!disk_.crashed()) disk_.crash();  // what it still does while it unwinds reaches no disk
  if (group_) fibres_.kill(group_);
  group_ = 0;
  disk_.restart(loss);
}

base::Result<void> Machine::begin(server::Loop& loop, server::KeyRing& keys, base::Clock& clock) {
  const bool founded = loop.ask([](const core::World& w) { return !w.state().accounts.empty(); });
  if (!founded)
    if (auto done = loop.run(core::Found{server::default_prices()}, "ampacityd"); !done)
      return done;
  if (loop.ask([](const core::World& w) { return w.state().keys.empty(); })) {
    server::NewKey made = server::make_key(keys.pepper());
    core::CreateKey create;
    create.key.id = base::make_uuid7(clock.now(), prng_);
    create.key.lookup = std::move(made.lookup);
    create.key.hash = std::move(made.hash);
    create.key.role = core::Role::owner;
    owner_key_ = std::move(made.secret);
    if (auto done = loop.run(std::move(create), "ampacityd"); !done) return done;
  }
  engines::HostFound host;
  host.hostname = "simulated";
  host.cpu_milli = 16'000;
  host.memory_mib = 65'536;
  std::vector<server::Emulation> emulated;
  for (const std::string& text : options_.emulated)
    if (const auto e = server::parse_emulation(text)) emulated.push_back(*e);
  auto inventory = server::take_inventory(host, {}, emulated, "home");
  if (!inventory) return std::unexpected(inventory.error());
  if (auto joined = loop.run(std::move(inventory->site), "ampacityd"); !joined) return joined;
  for (const auto& [name, site] : options_.sites) {
    if (loop.ask([&](const core::World& w) { return w.site(name).has_value(); })) continue;
    core::AddSite add;
    add.site.name = name;
    add.site.region = "afar";
    add.site.engine = site.kind;
    add.site.url = "simulated:" + name;
    if (auto added = loop.run(std::move(add), "operator"); !added) return added;
  }
  return {};
}

server::WebhookOptions Machine::webhook_options() const {
  server::WebhookOptions o;
  o.store = store();
  o.connect = options_.receivers->connector();
  o.resolver = Receivers::resolver();
  o.most_delay = base::Duration::seconds(600);
  o.most_attempts = options_.webhook_attempts;
  o.most_at_once = 3;
  return o;
}

// As server/main.cc joins them.
void Machine::live() {
  auto journal = store::open_journal(store());
  if (!journal) return die("open: " + journal.error().message);
  auto world = (*journal)->load();
  if (!world) return die("load: " + world.error().message);
  server::KeyRing keys(secrets_.pepper());
  keys.learn(world->state());
  if (loaded) loaded(*world);
  base::OnwardClock clock(wall_);
  clock.not_before(world->state().now);

  auto engine = std::make_unique<engines::Sites>("home", options_.engine(clock));
  server::LoopOptions loop_options;
  loop_options.store = store();
  loop_options.snapshot_when_quiet = options_.snapshot_after;
  server::Loop loop(loop_options, **journal, std::move(*world), *engine, secrets_, clock);
  server::SiteEngines site_engines(
      *engine, loop,
      [&](const core::Site& site) -> base::Try<std::unique_ptr<engines::Engine>> {
        return options_.sites.at(site.name).engine(clock);
      },
      clock);
  server::Live watchers(loop, engines::LogSpool(log_folder), store(), clock);
  loop.on_commit([&](const core::World& after, const std::vector<core::Fact>& facts) {
    keys.learn(facts);
    for (const core::Fact& f : facts)
      if (std::holds_alternative<core::SiteAdded>(f.body)) site_engines.changed();
    if (committed) committed(after, facts);
  });
  server::Webhooks webhooks(webhook_options(), loop, secrets_, clock, prng_);
  loop.on_publish([&](const server::Published& published) { webhooks.announce(published); });
  server::App app({"simulated", store(), 0}, loop, keys, *engine, watchers, webhooks, clock, prng_);
  // What ends last in an orderly stop: members are in the wrong order for it.
  struct End {
    std::function<void()> f;
    ~End() { f(); }
  };
  const End end{[&] {
    app.stop();
    watchers.stop();
    webhooks.stop();
    site_engines.stop();
    loop.stop();
    engine.reset();
  }};
  if (const auto started = engine->start(reports_to(loop, site_engines)); !started)
    return die("engine: " + started.error().message);
  loop.start();
  webhooks.start(loop.ask([](const core::World& w) { return w.state().webhooks; }));
  if (const auto begun = begin(loop, keys, clock); !begun)
    return die("begin: " + begun.error().message);
  if (!options_.sites.empty()) site_engines.start();
  app.open();
  app_ = &app;
  loop_ = &loop;
  while (true) base::sleep_for(base::Duration::seconds(86'400));
}

void Machine::ask(net::Request request, std::function<void(net::Response)> answered) {
  if (!app_) return;
  fibres_.spawn_in(group_, [this, request = std::move(request), life = lives_,
                            answered = std::move(answered)]() mutable {
    net::Reply reply([this, life, answered = std::move(answered)](net::Response r) {
      if (life == lives_ && app_) answered(std::move(r));
    });
    if (app_) app_->handle(std::move(request), std::move(reply));
  });
}

void Machine::look(const std::function<void(const core::World&)>& f) {
  if (!loop_) return;
  (void)loop_->ask([&f](const core::World& w) {
    f(w);
    return true;
  });
}

}  // namespace ampacity::sim
