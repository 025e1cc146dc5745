// Webhooks against a receiver of our own: retried, signed, the same id; restarts, bounds, refusals.
#include "server/webhooks.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "base/json.h"
#include "core/price_book.h"
#include "engines/stub.h"
#include "net/http_server.h"
#include "store/scratch_store.h"

namespace ampacity::server {
namespace {

// Bounded only so that a failure ends.
template <typename F>
bool comes_true(F&& f) {
  for (int i = 0; i < 2'000; ++i) {
    if (f()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

// Answers what it is told to; keeps what it got.
struct Receiver {
  std::mutex mutex;
  std::vector<net::Request> got;
  std::vector<net::Response> answers;  // the n-th gets the n-th; then 200
  bool hold = false;                   // keep the replies
  std::vector<net::Reply> held;
  net::HttpServer server{{},
                         [this](net::Request q, net::Reply r) { take(std::move(q), std::move(r)); },
                         [](int status, std::string_view) {
                           return net::Response{status, "text/plain", "", {}};
                         }};

  Receiver() { REQUIRE(server.start()); }
  ~Receiver() { server.stop(); }
  void take(net::Request q, net::Reply r) {
    const std::lock_guard lock(mutex);
    const std::size_t n = got.size();
    got.push_back(std::move(q));
    if (hold) return held.push_back(std::move(r));
    r.send(n < answers.size() ? answers[n] : net::Response{});
  }
  std::string url(const std::string& path = "/hook") const {
    return "http://127.0.0.1:" + std::to_string(server.port()) + path;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return got.size();
  }
};

net::Response status(int code) { return {code, "text/plain", "", {}}; }

// A founded cloud on disk; `run` starts a server's parts on it, as often as one likes.
struct HookedCloud {
  store::ScratchFolder folder;
  base::SystemClock clock;
  base::SystemPrng prng;
  store::StoreAt file = store::scratch_store(folder);
  std::uint64_t ids = 100;

  struct Parts {
    std::unique_ptr<store::Journal> journal;
    Secrets secrets;
    std::unique_ptr<engines::Engine> engine;
    std::unique_ptr<Loop> loop;
    std::unique_ptr<Webhooks> hooks;
    Parts(std::unique_ptr<store::Journal> j, Secrets s)
        : journal(std::move(j)), secrets(std::move(s)) {}
    ~Parts() {
      if (hooks) hooks->stop();
      loop->stop();
    }
    base::Result<void> run(core::Command c) { return loop->run(std::move(c), "test"); }
    std::vector<core::Webhook> webhooks() {
      return loop->ask([](const core::World& w) { return w.state().webhooks; });
    }
  };
  WebhookOptions options() {
    WebhookOptions o;
    o.store = file;
    o.reach = net::Reach::anywhere;
    o.first_delay = base::Duration::millis(5);
    o.most_delay = base::Duration::millis(50);
    return o;
  }
  std::unique_ptr<Parts> start(std::optional<WebhookOptions> with) {
    auto journal = store::open_journal(file);
    REQUIRE(journal);
    auto world = (*journal)->load();
    auto secrets = Secrets::open_file(folder.path / "secret");
    REQUIRE(world);
    REQUIRE(secrets);
    const bool fresh = world->state().accounts.empty();
    auto p = std::make_unique<Parts>(std::move(*journal), std::move(*secrets));
    p->engine = engines::make_stub_engine(base::Duration::millis(10), clock);
    LoopOptions loop;
    loop.store = file;
    p->loop =
        std::make_unique<Loop>(loop, *p->journal, std::move(*world), *p->engine, p->secrets, clock);
    if (with) {
      p->hooks = std::make_unique<Webhooks>(*with, *p->loop, p->secrets, clock, prng);
      p->loop->on_publish([h = p->hooks.get()](const Published& x) { h->announce(x); });
    }
    p->loop->start();
    if (with) p->hooks->start(p->webhooks());
    if (!fresh) return p;
    REQUIRE(p->run(
        core::Found{core::plain_book("test", {1}, {{"h100", 47'800, 23'900}}, 278, 139, 100, 50)}));
    REQUIRE(p->run(core::CreateOrg{{1, ++ids}, "acme"}));
    REQUIRE(p->run(core::CreateProject{{1, ++ids}, "demo", "acme"}));
    return p;
  }
  base::Id add(Parts& p, const std::string& url, std::vector<std::string> events = {}) {
    core::Webhook hook;
    hook.id = {2, ++ids};
    hook.url = url;
    hook.events = std::move(events);
    REQUIRE(p.run(core::AddWebhook{hook}));
    return hook.id;
  }
  static void cause(Parts& p) { REQUIRE(p.run(core::AddCredit{"demo", 100, ""})); }
  std::vector<store::Delivery> deliveries(base::Id hook) const {
    return store::DeliveryReader::open(file)->latest(hook, 500);
  }
  bool all(base::Id hook, store::DeliveryState state, std::size_t count) const {
    const auto rows = deliveries(hook);
    return rows.size() == count &&
           std::all_of(rows.begin(), rows.end(), [&](const auto& d) { return d.state == state; });
  }
};
using State = store::DeliveryState;

}  // namespace

TEST_CASE("signatures as the Standard Webhooks specification says; known answers") {
  // From its reference: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.
  const std::string key =
      "\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4"
      "\x3c\x3f\x08\x2c\xf6\x48\xa3\x62\xda\x2d\xa4\xb0";
  CHECK(shown_secret(key) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  CHECK(signature_of(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("delays grow by four up to the most, a fifth more or less") {
  WebhookOptions o;
  std::int64_t sum_s = 0;
  for (std::int64_t n = 1, s = 5; n <= 12; ++n, s = std::min<std::int64_t>(4 * s, 8 * 3600)) {
    CHECK(delay_after(o, n, 0).us == s * 800'000);
    CHECK(delay_after(o, n, static_cast<std::uint64_t>(2 * s * 200'000 - 1)).us ==
          s * 1'200'000 - 1);
    for (std::uint64_t draw : {1ULL, 77ULL, ~0ULL}) {
      CHECK(delay_after(o, n, draw).us >= s * 800'000);
      CHECK(delay_after(o, n, draw).us < s * 1'200'000);
    }
    sum_s += s;
  }
  CHECK(sum_s > o.most_age.whole_seconds());  // a day is over before the attempts are
}

TEST_CASE("failed n times, then taken: one id, one body, each attempt signed anew") {
  HookedCloud cloud;
  Receiver receiver;
  receiver.answers = {status(500), status(404), status(302), status(503)};
  receiver.answers[2].headers = {{"Location", receiver.url("/elsewhere")}};
  auto p = cloud.start(cloud.options());
  const base::Id hook = cloud.add(*p, receiver.url("/hook?x=1"), {"credit.added"});
  cloud.cause(*p);
  REQUIRE(p->run(core::CreateProject{{1, 99}, "other", "acme"}));  // nobody is told
  REQUIRE(comes_true([&] { return cloud.all(hook, State::delivered, 1); }));
  const auto row = cloud.deliveries(hook).at(0);
  CHECK(row.attempts == 5);
  CHECK(row.status == 200);
  CHECK(row.why.empty());
  REQUIRE(receiver.count() == 5);
  for (const net::Request& q : receiver.got) {
    CHECK(q.method == "POST");
    CHECK(q.target == "/hook?x=1");  // no redirect was followed
    CHECK(q.body == row.body);
    CHECK(q.header("content-type") == "application/json");
    const std::string id(q.header("webhook-id"));
    CHECK(id == message_id(hook, row.sequence));
    const std::string at(q.header("webhook-timestamp"));
    const base::Digest d =
        base::hmac_sha256(p->secrets.webhook_key(hook), id + "." + at + "." + q.body);
    CHECK(q.header("webhook-signature") ==
          "v1," + base::to_base64({reinterpret_cast<const char*>(d.data()), d.size()}));
  }
  const auto body = base::parse_json(row.body)->as_object();
  CHECK(body.at("type") == "credit.added");
  CHECK(body.at("data").at("project") == "demo");
  CHECK(body.at("data").at("added_usd") == "1.00");
  CHECK(body.at("data").at("sequence") == row.sequence);
}

TEST_CASE("written with its cause: a server that stops before it sends does so after its start") {
  HookedCloud cloud;
  Receiver receiver;
  base::Id hook;
  {
    auto p = cloud.start(std::nullopt);  // nobody sends
    hook = cloud.add(*p, receiver.url());
    for (int i = 0; i < 3; ++i) cloud.cause(*p);
  }
  CHECK(cloud.all(hook, State::waiting, 3));
  auto p = cloud.start(cloud.options());
  REQUIRE(comes_true([&] { return cloud.all(hook, State::delivered, 3); }));
  CHECK(receiver.count() == 3);
  std::set<std::string> seen;
  for (const net::Request& q : receiver.got) seen.emplace(q.header("webhook-id"));
  CHECK(seen.size() == 3);
}

TEST_CASE(
    "410 switches it off at once, failing for too long does; what waited goes on when it is on") {
  for (const bool gone : {true, false}) {
    CAPTURE(gone);
    HookedCloud cloud;
    Receiver receiver;
    receiver.answers.assign(3, status(gone ? 410 : 500));
    WebhookOptions options = cloud.options();
    options.most_attempts = 3;
    auto p = cloud.start(options);
    const base::Id hook = cloud.add(*p, receiver.url());
    cloud.cause(*p);
    REQUIRE(comes_true([&] { return !p->webhooks().at(0).enabled; }));
    REQUIRE(comes_true([&] { return cloud.all(hook, State::given_up, 1); }));
    CHECK(cloud.deliveries(hook).at(0).attempts == (gone ? 1 : 3));
    CHECK(p->webhooks().at(0).why.find(gone ? "410" : "500") != std::string::npos);
    cloud.cause(*p);  // switched off: no row
    CHECK(cloud.deliveries(hook).size() == 1);
    receiver.answers.clear();
    REQUIRE(p->run(core::SwitchWebhook{hook, true, ""}));
    cloud.cause(*p);
    REQUIRE(comes_true([&] { return cloud.deliveries(hook).at(0).state == State::delivered; }));
    CHECK(p->webhooks().at(0).enabled);
  }
}

TEST_CASE("a row that could not be looked at is tried again, not taken for gone") {
  HookedCloud cloud;
  Receiver receiver;
  receiver.answers = {status(500)};
  WebhookOptions options = cloud.options();
  options.first_delay = options.most_delay = base::Duration::millis(300);
  auto p = cloud.start(options);
  const base::Id hook = cloud.add(*p, receiver.url());
  cloud.cause(*p);
  REQUIRE(comes_true([&] { return cloud.deliveries(hook).at(0).attempts == 1; }));
  auto db = store::Database::open(cloud.file, store::Database::Mode::create);
  REQUIRE(db);
  REQUIRE(db->exec("ALTER TABLE webhook_deliveries RENAME TO hidden"));
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  CHECK(receiver.count() == 1);
  REQUIRE(db->exec("ALTER TABLE hidden RENAME TO webhook_deliveries"));
  REQUIRE(comes_true([&] { return cloud.all(hook, State::delivered, 1); }));
  CHECK(receiver.count() == 2);
}

TEST_CASE("a store that cannot be asked at the start is asked again") {
  if (store::on_postgres()) return;
  HookedCloud cloud;
  Receiver receiver;
  base::Id hook;
  {
    auto p = cloud.start(std::nullopt);
    hook = cloud.add(*p, receiver.url());
    for (int i = 0; i < 2; ++i) cloud.cause(*p);
  }
  WebhookOptions options = cloud.options();
  options.store.file = cloud.folder.path / "not-yet" / "ampacity.db";
  auto p = cloud.start(options);
  cloud.cause(*p);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(receiver.count() == 0);
  std::filesystem::create_directory(cloud.folder.path / "not-yet");
  std::filesystem::create_symlink(cloud.file.file, options.store.file);
  REQUIRE(comes_true([&] { return cloud.all(hook, State::delivered, 3); }));
  CHECK(receiver.count() == 3);
}

TEST_CASE("at most so many at once for one endpoint; another does not wait for it") {
  HookedCloud cloud;
  Receiver slow, quick;
  slow.hold = true;
  auto p = cloud.start(cloud.options());
  const base::Id to_slow = cloud.add(*p, slow.url());
  const base::Id to_quick = cloud.add(*p, quick.url());
  for (int i = 0; i < 6; ++i) cloud.cause(*p);
  REQUIRE(comes_true([&] { return cloud.all(to_quick, State::delivered, 6); }));
  REQUIRE(comes_true([&] { return slow.count() == 2; }));
  {
    const std::lock_guard lock(slow.mutex);
    CHECK(slow.got.size() == 2);
    slow.hold = false;
    for (net::Reply& r : slow.held) r.send({});
    slow.held.clear();
  }
  REQUIRE(comes_true([&] { return cloud.all(to_slow, State::delivered, 6); }));
}

TEST_CASE("an answer too long to keep is an answer; one that does not end is cut") {
  HookedCloud cloud;
  Receiver receiver;
  receiver.answers = {{200, "text/plain", std::string(1 << 20, 'x'), {}},
                      {500, "text/plain", std::string(1 << 20, 'x'), {}}};
  auto p = cloud.start(cloud.options());
  const base::Id hook = cloud.add(*p, receiver.url());
  cloud.cause(*p);
  REQUIRE(comes_true([&] { return cloud.all(hook, State::delivered, 1); }));
  CHECK(receiver.count() == 1);
  cloud.cause(*p);
  REQUIRE(comes_true([&] { return cloud.all(hook, State::delivered, 2); }));
  CHECK(receiver.count() == 3);
}

TEST_CASE("where it may not lead nothing is sent: by address, by name, by a name that changes") {
  HookedCloud cloud;
  Receiver receiver;
  WebhookOptions options = cloud.options();
  options.reach = net::Reach::public_only;
  options.most_attempts = 2;
  std::atomic<int> asked = 0;
  // A name that is public when it is looked at and ours when it is connected to would gain
  // nothing: one answer is looked at and connected to.
  options.resolver = [&](const std::string& host) -> base::Try<std::vector<net::Address>> {
    ++asked;
    CHECK(host == "hooks.example.com");
    return std::vector<net::Address>{*net::parse_address("127.0.0.1")};
  };
  auto p = cloud.start(options);
  const std::string port = std::to_string(receiver.server.port());
  CHECK_FALSE(p->hooks->check(receiver.url()));
  CHECK_FALSE(p->hooks->check("https://127.0.0.1:" + port));
  CHECK(p->hooks->check("https://hooks.example.com:" + port));
  const base::Id named = cloud.add(*p, "https://hooks.example.com:" + port + "/x");
  const base::Id plain = cloud.add(*p, receiver.url());  // as if an older release had let it in
  cloud.cause(*p);
  REQUIRE(comes_true([&] { return cloud.all(named, State::given_up, 1); }));
  REQUIRE(comes_true([&] { return cloud.all(plain, State::given_up, 1); }));
  CHECK(cloud.deliveries(named).at(0).why.find("leads to 127.0.0.1") != std::string::npos);
  CHECK(cloud.deliveries(plain).at(0).why.find("https") != std::string::npos);
  CHECK(asked == 2);
  CHECK(receiver.count() == 0);
}

TEST_CASE("the address that was looked at is the one connected to, whatever the name says") {
  HookedCloud cloud;
  Receiver receiver;
  WebhookOptions options = cloud.options();
  // nowhere.invalid has no address outside this resolver.
  options.resolver = [](const std::string&) -> base::Try<std::vector<net::Address>> {
    return std::vector<net::Address>{*net::parse_address("127.0.0.1")};
  };
  auto p = cloud.start(options);
  const base::Id hook =
      cloud.add(*p, "http://nowhere.invalid:" + std::to_string(receiver.server.port()) + "/x");
  cloud.cause(*p);
  REQUIRE(comes_true([&] { return cloud.all(hook, State::delivered, 1); }));
  CHECK(receiver.got.at(0).header("host") ==
        "nowhere.invalid:" + std::to_string(receiver.server.port()));
}

TEST_CASE("a test is sent at once and leaves no row; TLS is really asked for") {
  HookedCloud cloud;
  Receiver receiver;
  auto p = cloud.start(cloud.options());
  const base::Id hook = cloud.add(*p, receiver.url());
  const auto sent = p->hooks->send(p->webhooks().at(0), "msg_test_1", "{}");
  CHECK(sent.ok);
  CHECK(sent.status == 200);
  CHECK(receiver.got.at(0).header("webhook-id") == "msg_test_1");
  CHECK(cloud.deliveries(hook).empty());
  core::Webhook over_tls = p->webhooks().at(0);
  over_tls.url = "https" + over_tls.url.substr(4);
  CHECK_FALSE(p->hooks->send(over_tls, "msg_test_2", "{}").ok);
  CHECK(receiver.count() == 1);
}

TEST_CASE("who hears what; and a backlog has an end") {
  HookedCloud cloud;
  auto p = cloud.start(std::nullopt);
  REQUIRE(p->run(core::CreateProject{{1, 98}, "other", "acme"}));
  const auto hook = [&](core::OrgIx org, core::ProjectIx project, std::vector<std::string> events) {
    core::Webhook h;
    h.id = {2, ++cloud.ids};
    h.url = "https://example.com";
    h.org = org;
    h.project = project;
    h.events = std::move(events);
    REQUIRE(p->run(core::AddWebhook{h}));
    return h.id;
  };
  const base::Id all = hook(core::nobody, core::nobody, {});
  const base::Id acme = hook(0, core::nobody, {});
  const base::Id demo = hook(core::nobody, 0, {});
  const base::Id other = hook(core::nobody, 1, {});
  const base::Id low = hook(core::nobody, 0, {"credit.low", "job.ended"});
  cloud.cause(*p);
  CHECK(cloud.deliveries(all).size() == 1);
  CHECK(cloud.deliveries(acme).size() == 1);
  CHECK(cloud.deliveries(demo).size() == 1);
  CHECK(cloud.deliveries(other).empty());
  CHECK(cloud.deliveries(low).empty());

  Outbox outbox({{all, Outbox::most_waiting - 1}});
  const core::World world = p->loop->ask([](const core::World& w) { return w; });
  const core::Fact fact{cloud.clock.now(), "test", core::CreditLow{0, 5, {}}};
  std::vector<store::Delivery> rows;
  outbox.add(world, fact, 1'000, rows);
  CHECK(rows.size() == 4);
  CHECK(outbox.take_overfull().empty());
  rows.clear();
  outbox.add(world, fact, 1'001, rows);
  CHECK(rows.size() == 3);
  CHECK(outbox.take_overfull() == std::vector<base::Id>{all});
  CHECK(outbox.take_overfull().empty());
  outbox.settled(all);
  rows.clear();
  outbox.add(world, fact, 1'002, rows);
  CHECK(rows.size() == 4);
}

}  // namespace ampacity::server
