#include "server/stage.h"

#include "base/log.h"
#include "engines/stub.h"
#include "server/founding.h"
#include "server/site_factory.h"

namespace ampacity::server {
namespace {

WebhookOptions webhook_options(const Config& c) {
  WebhookOptions o;
  o.store = c.store;
  if (c.webhooks_allow_private) o.reach = net::Reach::anywhere;
  return o;
}

AppOptions app_options(const Config& c, const StageOptions& options) {
  return {c.cloud,
          c.store,
          c.volume_limit_gib << 30,
          options.leadership,
          options.forwarder,
          {c.public_url, c.tls()},
          options.desk};
}

LoopOptions loop_options(const Config& c, const StageOptions& options) {
  LoopOptions o;
  o.store = c.store;
  o.leadership = options.leadership;
  o.end_life = options.end_life;
  return o;
}

net::MayAct may_act(const StageOptions& options) {
  if (!options.leadership) return {};
  return [leadership = options.leadership] { return leadership->may_act(); };
}

// Time goes on from where the world is, also under a clock that was set back meanwhile.
Parts& not_before(Parts& p, const core::World& world) {
  p.clock.not_before(world.state().now);
  return p;
}

}  // namespace

Stage::Stage(Parts& p, StageOptions options, const Secrets& secrets, core::World world,
             store::Journal* journal)
    : p_(not_before(p, world)),
      options_(std::move(options)),
      keys_(secrets.pepper()),
      loop_(loop_options(p.config, options_), journal, std::move(world), engine_, secrets, p.clock),
      live_(loop_, engines::LogSpool(engines::log_directory(container_options(p.config, p.host))),
            p.config.store, p.clock),
      webhooks_(webhook_options(p.config), loop_, secrets, p.clock, p.prng),
      app_(app_options(p.config, options_), loop_, keys_, engine_, live_, webhooks_, p.clock,
           p.prng) {
  keys_.learn(loop_.before_start());
  loop_.on_commit([this](const core::World& after, const std::vector<core::Fact>& facts) {
    keys_.learn(facts);
    app_.committed(after, facts);
    for (const core::Fact& f : facts) {
      const bool sites = std::holds_alternative<core::SiteAdded>(f.body) ||
                         std::holds_alternative<core::SiteChanged>(f.body);
      if (sites && site_engines_) site_engines_->changed();
    }
  });
  loop_.on_publish([this](const Published& published) {
    live_.publish(published);
    webhooks_.announce(published);
  });
  loop_.events_wanted_by([this] { return live_.anybody_listens(); });
}

Stage::~Stage() {
  app_.stop();
  live_.stop();
  webhooks_.stop();
  if (collector_) collector_->stop();
  if (site_engines_) site_engines_->stop();
  loop_.stop();
  engine_.rise();  // its threads report to the loop until here
}

void Stage::follow(net::HttpServer& server) {
  loop_.answer_with(&server);
  loop_.start();
  app_.open();
}

std::shared_ptr<engines::Engine> Stage::make_engine(const std::string& label) const {
  if (p_.config.engine == EngineChoice::stub)
    return engines::make_stub_engine(
        {base::Duration::millis(p_.config.stub_run_ms), p_.config.stub_record, may_act(options_)},
        p_.clock);
  engines::ContainerOptions o = container_options(p_.config, p_.host, label);
  o.may_act = may_act(options_);
  return engines::make_container_engine(std::move(o), p_.clock);
}

base::Result<Inventory> Stage::register_machine() const {
  std::vector<Emulation> emulated;
  for (const std::string& text : p_.config.emulate) {
    auto e = parse_emulation(text);
    if (!e) return std::unexpected(e.error());
    emulated.push_back(*e);
  }
  return take_inventory(p_.host, engine_.health(), emulated, p_.config.site);
}

engines::EngineReports Stage::reports() {
  engines::EngineReports reports;
  reports.seen = [this](std::vector<core::RankSeen> seen) { loop_.observe(std::move(seen)); };
  reports.health = [](const engines::EngineHealth& h) {
    base::log_info("site {}: engine {} {}: {} {}", h.site, h.kind, h.version,
                   h.reachable ? "reachable" : "NOT reachable", h.note);
  };
  reports.inventory = [this](engines::SiteSeen seen) { site_engines_->saw(std::move(seen)); };
  reports.volume_over_limit = [this](const core::RankWork& r, std::string why) {
    Work stop;
    stop.command = core::StopJob{r.job, core::StopReason::volume_limit, std::move(why)};
    stop.actor = "engine";
    loop_.push(std::move(stop));
  };
  return reports;
}

base::Result<void> Stage::lead(std::unique_ptr<documents::PaymentProvider> payments,
                               net::HttpServer& server, store::Journal& journal) {
  const auto label = engine_label(p_.config, journal);
  if (!label) return base::refuse(base::Code::unavailable, label.error().message);
  auto sites = std::make_unique<engines::Sites>(p_.config.site, make_engine(*label));
  site_engines_ = std::make_unique<SiteEngines>(
      *sites, loop_,
      [this, cloud = *label](const core::Site& site) {
        return make_site_engine(site, {p_.config.state, cloud, may_act(options_)}, p_.clock);
      },
      p_.clock);
  engine_.sit(std::move(sites));
  if (const auto started = engine_.start(reports()); !started)
    return base::refuse(base::Code::unavailable,
                        "the container engine: " + started.error().message);
  auto inventory = register_machine();
  if (!inventory) return std::unexpected(inventory.error());
  notes_ = inventory->notes;
  app_.show_notes(notes_);
  app_.show_site_notes([this](const std::string& site) { return site_engines_->notes(site); });
  if (loop_.leads()) {
    loop_.answer_with(&server);
    loop_.start();
  } else {
    p_.clock.not_before(loop_.ask([](const core::World& w) { return w.state().now; }));
    loop_.lead(journal);
  }
  webhooks_.start(loop_.ask([](const core::World& w) { return w.state().webhooks; }));
  if (auto begun = begin_cloud(p_, loop_, keys_, std::move(inventory->site)); !begun) return begun;
  collector_ = std::make_unique<Collector>(std::move(payments), loop_, p_.clock);
  collector_->start();
  site_engines_->start();
  app_.open();
  return {};
}

}  // namespace ampacity::server
