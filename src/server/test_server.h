// For tests: ampacityd without its main: the parts, joined as it joins them, before a stub engine.
#pragma once

#include <doctest/doctest.h>

#include "api/problem.h"
#include "engines/stub.h"
#include "net/http_client.h"
#include "server/app.h"
#include "server/catalogue.h"
#include "server/webhooks.h"
#include "store/scratch_store.h"

namespace ampacity::server {

class HaltedClock final : public base::Clock {
 public:
  base::Instant now() override { return at; }
  base::Instant at = *base::parse_instant("2026-11-22T12:00:00Z");
};

struct TestServer {
  TestServer(const std::filesystem::path& state, store::StoreAt at, LoopOptions options = {},
             std::shared_ptr<SignInDesk> desk = {})
      : store(std::move(at)) {
    journal = std::move(*store::open_journal(store));
    secrets = std::move(*Secrets::open_file(state / "secret"));
    core::World world = std::move(*journal->load());
    const bool founded = !world.state().accounts.empty();
    keys = std::make_unique<KeyRing>(secrets->pepper());
    keys->learn(world.state());
    engine = engines::make_stub_engine(base::Duration::millis(1), clock);
    options.store = store;
    loop = std::make_unique<Loop>(options, *journal, std::move(world), *engine, *secrets, clock);
    live = std::make_unique<Live>(*loop, engines::LogSpool(state), store, clock);
    loop->on_commit([this](const core::World& after, const std::vector<core::Fact>& facts) {
      keys->learn(facts);
      if (app) app->committed(after, facts);
    });
    WebhookOptions hooks;
    hooks.store = store;
    webhooks = std::make_unique<Webhooks>(hooks, *loop, *secrets, clock, prng);
    AppOptions app_options{"test", store, 0};
    app_options.desk = std::move(desk);
    app = std::make_unique<App>(std::move(app_options), *loop, *keys, *engine, *live, *webhooks,
                                clock, prng);
    http = std::make_unique<net::HttpServer>(
        net::ServerOptions{},
        [this](net::Request q, net::Reply r) { app->handle(std::move(q), std::move(r)); },
        api::parser_problem);
    REQUIRE(http->start());
    REQUIRE(engine->start({}));
    loop->answer_with(http.get());
    loop->start();
    if (!founded) REQUIRE(loop->run(core::Found{default_prices()}, "test"));
    app->open();
  }
  ~TestServer() {
    http->stop();
    app->stop();
    webhooks->stop();
    live->stop();
    loop->stop();
  }
  std::string add_key(core::Role role, core::ProjectIx project) {
    const NewKey made = make_key(keys->pepper());
    core::Key key;
    key.id = base::make_uuid7(clock.now(), prng);
    key.lookup = made.lookup;
    key.hash = made.hash;
    key.role = role;
    key.project = project;
    keys->put(key);
    return made.secret;
  }
  net::Response call(const std::string& key, const std::string& method, const std::string& target,
                     const std::string& body = {}, const std::string& type = "application/json") {
    net::HttpClient client({"http://127.0.0.1:" + std::to_string(http->port()), {}, {}});
    net::Request q{method, target, {{"Content-Type", type}}, body};
    if (!key.empty()) q.headers.push_back({"Authorization", "Bearer " + key});
    const auto r = client.call(q);
    REQUIRE_MESSAGE(r, r.error().message);
    return *r;
  }
  HaltedClock clock;
  base::SystemPrng prng;
  store::StoreAt store;
  std::unique_ptr<store::Journal> journal;
  std::optional<Secrets> secrets;
  std::unique_ptr<KeyRing> keys;
  std::unique_ptr<engines::Engine> engine;
  std::unique_ptr<Loop> loop;
  std::unique_ptr<Live> live;
  std::unique_ptr<Webhooks> webhooks;
  std::unique_ptr<App> app;
  std::unique_ptr<net::HttpServer> http;
};

}  // namespace ampacity::server
